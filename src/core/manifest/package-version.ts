import semver from 'semver'
import { limits } from '../limits.ts'

/**
 * Exactly semver 2.0: no leading `v`, no missing part. Build metadata is allowed and is part of the version's identity.
 */
export function isPackageVersion(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > limits.maxVersionLength) return false
  const parsed = semver.parse(value)
  if (parsed === null) return false
  return value === parsed.version + (parsed.build.length > 0 ? `+${parsed.build.join('.')}` : '')
}

/** A range as npm and ggen write it: `^1.2`, `1.x || >=2.5.0`, `*`. */
export function isVersionRange(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.maxVersionLength && semver.validRange(value) !== null
}
