import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ResolvedConfig } from '../core/config/config.ts'
import { refuseFaults, resolveConfig } from '../core/config/config.ts'
import type { Config } from '../core/config/settings.ts'
import { RegistryError } from '../core/errors.ts'
import type { CliContext } from './context.ts'

export function readConfigText(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RegistryError('PERMISSION', `${path} cannot be read.`, { hint: 'Check its permissions.', cause })
  }
}

/** The settings in force, faults and all. Throws `USAGE` for a `--config` file that is not there. */
export function inspectConfig(
  context: CliContext,
  options: { file?: string | undefined; flags?: Record<string, unknown> } = {},
): ResolvedConfig & { file: string } {
  const file = options.file === undefined ? context.paths.config : resolve(context.cwd, options.file)
  const text = readConfigText(file)
  if (text === undefined && options.file !== undefined) {
    throw new RegistryError('USAGE', `There is no file ${file}.`, {
      hint: 'Write one with: ggen marketplace p2p config reset',
    })
  }
  return { ...resolveConfig({ text, env: context.env, flags: options.flags ?? {} }), file }
}

/** Throws `INVALID_CONFIG` with every fault. */
export function loadConfig(
  context: CliContext,
  options: { file?: string | undefined; flags?: Record<string, unknown> } = {},
): Config {
  const { config, faults, file } = inspectConfig(context, options)
  refuseFaults(file, faults)
  return config
}
