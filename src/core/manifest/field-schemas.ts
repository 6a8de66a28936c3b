import * as v from 'valibot'
import { limits } from '../limits.ts'
import { isPackageName } from './package-name.ts'
import { isPackageVersion, isVersionRange } from './package-version.ts'

/**
 * The fields that package files, manifests and log entries share, with their limits. One definition: what can be
 * published is what is accepted.
 */

export function text(maxLength: number) {
  return v.pipe(v.string(), v.maxLength(maxLength, `longer than ${maxLength} characters`))
}

function texts(maxItems: number, maxLength: number) {
  return v.pipe(
    v.array(v.pipe(text(maxLength), v.minLength(1, 'empty'))),
    v.maxLength(maxItems, `more than ${maxItems}`),
  )
}

/**
 * valibot's records silently pass over some keys (`__proto__`, `constructor`): a signed object must not hold what
 * nobody checked.
 */
function textRecord(isKey: (key: string) => boolean, isText: (value: unknown) => boolean, maxItems: number) {
  return v.custom<Record<string, string>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.keys(value).length <= maxItems &&
      Object.entries(value).every(([key, item]) => isKey(key) && typeof item === 'string' && isText(item)),
    `not a table of at most ${maxItems} valid entries`,
  )
}

const isExternalKey = (key: string): boolean =>
  key !== '' && key.length <= limits.maxExternalLength && key !== '__proto__'

export const nameSchema = v.custom<string>(isPackageName, 'not a package name')
export const versionSchema = v.custom<string>(isPackageVersion, 'not a semantic version')
export const rangeSchema = v.custom<string>(isVersionRange, 'not a version range')

export const descriptionFields = {
  description: text(limits.maxDescriptionLength),
  keywords: texts(limits.maxKeywords, limits.maxKeywordLength),
  category: text(limits.maxCategoryLength),
  license: text(limits.maxLicenseLength),
  authors: texts(limits.maxAuthors, limits.maxAuthorLength),
  repository: text(limits.maxUrlLength),
  dependencies: textRecord(isPackageName, isVersionRange, limits.maxDependencies),
}

export const externalSchema = textRecord(
  isExternalKey,
  (value) => (value as string).length <= limits.maxExternalLength,
  limits.maxExternal,
)
