/** Every failure a user can meet, with the exit code its command ends with. The closed union of the CLI contract. */
export const exitCodes = {
  INTERNAL: 1,
  STORAGE_FULL: 1,
  STORAGE_CORRUPT: 1,
  PERMISSION: 1,
  USAGE: 2,
  INVALID_MULTIADDR: 2,
  INVALID_CONFIG: 2,
  INVALID_MANIFEST: 2,
  INVALID_PACKAGE: 2,
  INVALID_SPEC: 2,
  ALREADY_RUNNING: 2,
  VERSION_EXISTS: 2,
  PACKAGE_NOT_FOUND: 3,
  VERSION_NOT_FOUND: 3,
  PEER_NOT_FOUND: 3,
  VERIFICATION_FAILED: 4,
  NAME_AMBIGUOUS: 4,
  PUBLISHER_CHANGED: 4,
  LOG_FORKED: 4,
  YANKED: 4,
  PEER_BANNED: 4,
  DENIED: 4,
  TIMEOUT: 5,
  NO_PEERS: 5,
  NO_PROVIDERS: 5,
  CONNECTION_FAILED: 5,
  BOOTSTRAP_FAILED: 5,
  CENTRAL_UNAVAILABLE: 5,
  NODE_NOT_RUNNING: 6,
} as const

export type ErrorCode = keyof typeof exitCodes

/** What crosses the control API and stands in `--json` output. */
export interface ErrorJson {
  code: ErrorCode
  message: string
  hint?: string
}

/** A failure with a stable code, a sentence that says what happened and, as `hint`, what to do about it. */
export class RegistryError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code
  readonly hint: string | undefined

  constructor(code: Code, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RegistryError'
    this.code = code
    this.hint = options.hint
  }

  toJSON(): ErrorJson {
    return { code: this.code, message: this.message, ...(this.hint === undefined ? {} : { hint: this.hint }) }
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(exitCodes, value)
}

/** Any thrown value as a RegistryError; what is not one already is a bug or the system's failure: `INTERNAL`. */
export function toRegistryError(thrown: unknown): RegistryError {
  if (thrown instanceof RegistryError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new RegistryError('INTERNAL', message, {
    hint: 'This looks like a bug: run again with GGEN_DEBUG=1 and report what it prints.',
    cause: thrown,
  })
}
