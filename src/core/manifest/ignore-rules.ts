import ignore from 'ignore'

/**
 * Never published, whatever the ignore files say: other tools' folders and, above all, secrets. By the last segment of
 * the path, case ignored.
 */
const always: { reason: string; pattern: RegExp }[] = [
  { reason: 'version control', pattern: /^(\.git|\.hg|\.svn|git~1)$/i },
  { reason: 'installed packages', pattern: /^(node_modules|\.ggen)$/i },
  { reason: "the operating system's", pattern: /^(\.ds_store|thumbs\.db|desktop\.ini)$/i },
  { reason: 'may hold keys', pattern: /\.(pem|key|p12|pfx|ppk|jks|keystore|kdbx)$|^id_(rsa|dsa|ecdsa|ed25519)$/i },
  { reason: 'may hold passwords', pattern: /^(\.npmrc|\.netrc|_netrc|\.pypirc|\.git-credentials|\.htpasswd)$/i },
  { reason: 'may hold passwords', pattern: /^\.env(\.(?!(example|sample|template|dist)$).*)?$/i },
]

/**
 * Why a path is not published, undefined when it is. Paths are relative to the package's root and `/`-separated; a
 * folder that is left out need not be entered. The rules are those of `.ggenignore` or, without one, `.gitignore`
 * (gitignore syntax, case-sensitive on every platform, the root's file only); some things are always left out, and no
 * rule brings them back.
 */
export function createIgnoreRules(files: {
  ggenignore?: string | undefined
  gitignore?: string | undefined
}): (path: string, isDirectory: boolean) => string | undefined {
  const file = files.ggenignore !== undefined ? '.ggenignore' : '.gitignore'
  const rules = ignore({ ignorecase: false, allowRelativePaths: true }).add(
    (files.ggenignore ?? files.gitignore ?? '').replace(/^\uFEFF/, ''),
  )
  return (path, isDirectory) => {
    for (const segment of path.split('/')) {
      const rule = always.find(({ pattern }) => pattern.test(segment))
      if (rule !== undefined) return `always left out: ${rule.reason}`
    }
    const { ignored, rule } = rules.test(isDirectory ? `${path}/` : path)
    return ignored ? `${file}: ${rule?.pattern ?? ''}` : undefined
  }
}
