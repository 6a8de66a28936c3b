import type { BaseContext } from 'clipanion'
import type { HomePaths } from '../storage/node.ts'

/** What a command knows of the world; output goes through its streams only. */
export interface CliContext extends BaseContext {
  env: NodeJS.ProcessEnv
  cwd: string
  paths: HomePaths
  /** Aborts at Ctrl-C. */
  signal: AbortSignal
  argv: readonly string[]
}
