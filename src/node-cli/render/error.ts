import type { RegistryError } from '../../core/errors.ts'
import { exitCodes } from '../../core/errors.ts'
import { clean, coloursFor, toJson } from './text.ts'

interface Output {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream & { isTTY?: boolean }
  env: NodeJS.ProcessEnv
}

/** Says what went wrong, as JSON on stdout or as sentences on stderr, and returns the exit code. A stack is shown for a bug or with GGEN_DEBUG=1. */
export function renderError(error: RegistryError, json: boolean, { stdout, stderr, env }: Output): number {
  if (json) {
    stdout.write(`${toJson({ error: error.toJSON() })}\n`)
  } else {
    const colours = coloursFor(stderr, env)
    const message = error.message
      .split('\n')
      .map((line) => (line.startsWith('  ') ? `  ${clean(line)}` : clean(line)))
      .join('\n')
    stderr.write(`${colours.red(`Error [${error.code}]:`)} ${message}\n`)
    if (error.hint !== undefined) stderr.write(`${colours.cyan('Hint:')} ${clean(error.hint)}\n`)
  }
  if (env.GGEN_DEBUG === '1' || error.code === 'INTERNAL') stderr.write(`${stackOf(error)}\n`)
  return exitCodes[error.code]
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own
}
