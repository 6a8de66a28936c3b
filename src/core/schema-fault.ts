import * as v from 'valibot'

const maxLength = 200

/**
 * A schema's first issue in words, the field's path first: `files.3.size: Invalid type: …`. Cut, since it may quote
 * what an attacker sent.
 */
export function describeFault(issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const [issue] = issues
  const path = v.getDotPath(issue)
  const text = path === null ? issue.message : `${path}: ${issue.message}`
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}
