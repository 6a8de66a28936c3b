import { spawnSync } from 'node:child_process'
import { Command, Option } from 'clipanion'
import { formatFault, refuseFaults, resolveConfig } from '../../core/config/config.ts'
import { defaultConfigText, readSetting, requireSetting, setInText } from '../../core/config/edit.ts'
import { settingNames } from '../../core/config/settings.ts'
import { RegistryError } from '../../core/errors.ts'
import { writeFileAtomic } from '../../storage/node.ts'
import { inspectConfig, readConfigText } from '../config-file.ts'
import { renderTable } from '../render/table.ts'
import { GgenCommand, p2pPaths } from './command.ts'

const category = 'Configuration'

export class ConfigShowCommand extends GgenCommand {
  static override paths = [...p2pPaths('config', 'show'), ...p2pPaths('config')]
  static override usage = Command.Usage({
    category,
    description: 'Show all settings in force, and where each comes from',
    examples: [['All settings', 'ggen p2p config show']],
  })

  async execute(): Promise<number> {
    const { config, origins, faults, file } = inspectConfig(this.context)
    for (const fault of faults) this.note(`Warning: ${formatFault(fault)}`)
    if (this.json) this.print({ file, config, origins }, () => '')
    else {
      const rows = settingNames.map((name) => [name, JSON.stringify(readSetting(config, name)), origins[name] ?? ''])
      this.print(rows, (all, colours) => renderTable(['SETTING', 'VALUE', 'FROM'], all, colours))
    }
    return 0
  }
}

export class ConfigGetCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'get')
  static override usage = Command.Usage({
    category,
    description: 'Show one setting',
    examples: [['One value', 'ggen p2p config get network.mdns']],
  })
  key = Option.String({ name: 'section.key' })

  async execute(): Promise<number> {
    const { config, origins } = inspectConfig(this.context)
    const value = readSetting(config, this.key)
    this.print({ key: this.key, value, origin: origins[this.key] }, () =>
      typeof value === 'string' ? value : JSON.stringify(value),
    )
    return 0
  }
}

export class ConfigSetCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'set')
  static override usage = Command.Usage({
    category,
    description: 'Change one setting in the file; comments stay',
    details: 'A running node reads its settings when it starts.',
    examples: [
      ['A number', 'ggen p2p config set storage.max_cache_size 4096'],
      [
        'A list, separated by commas',
        'ggen p2p config set network.bootstrap_nodes /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…',
      ],
    ],
  })
  key = Option.String({ name: 'section.key' })
  value = Option.String({ name: 'value' })

  async execute(): Promise<number> {
    const { config: file } = this.context.paths
    requireSetting(this.key)
    const text = readConfigText(file) ?? ''
    const broken = resolveConfig({ text }).faults.filter(({ message }) => message.startsWith('not TOML'))
    refuseFaults(file, broken)
    writeFileAtomic(file, setInText(text, this.key, this.value), { mode: 0o600 })
    const { config, origins } = inspectConfig(this.context)
    if (origins[this.key] === 'environment') this.note(`Note: the environment sets ${this.key} too, and wins.`)
    this.print({ key: this.key, value: readSetting(config, this.key), file }, () => `Set ${this.key} in ${file}.`)
    return 0
  }
}

export class ConfigEditCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'edit')
  static override usage = Command.Usage({
    category,
    description: 'Open the file in your editor and check it afterwards',
    examples: [['Edit', 'ggen p2p config edit']],
  })

  async execute(): Promise<number> {
    const { env, paths } = this.context
    const file = paths.config
    if (readConfigText(file) === undefined) writeFileAtomic(file, defaultConfigText(), { mode: 0o600 })
    const editor = env.VISUAL || env.EDITOR || (process.platform === 'win32' ? 'notepad' : 'vi')
    const { status, error } = spawnSync(`${editor} "${file}"`, { stdio: 'inherit', shell: true, env })
    if (error !== undefined || status !== 0) {
      throw new RegistryError('USAGE', `The editor (${editor}) did not end well.`, {
        hint: 'Set EDITOR to the editor you use.',
      })
    }
    const { faults } = inspectConfig(this.context)
    refuseFaults(file, faults)
    this.print({ file, ok: true }, () => `${file} is valid.`)
    return 0
  }
}

export class ConfigResetCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'reset')
  static override usage = Command.Usage({
    category,
    description: 'Write a fresh file with every setting at its default; the old one is kept beside it',
    examples: [['Start over', 'ggen p2p config reset']],
  })

  async execute(): Promise<number> {
    const file = this.context.paths.config
    const before = readConfigText(file)
    const backup = before === undefined ? null : `${file}.backup-${new Date().toISOString().replace(/[:.]/g, '-')}`
    if (backup !== null && before !== undefined) writeFileAtomic(backup, before, { mode: 0o600 })
    writeFileAtomic(file, defaultConfigText(), { mode: 0o600 })
    this.print({ file, backup }, () => `Wrote ${file}.${backup === null ? '' : ` The old one is ${backup}.`}`)
    return 0
  }
}

export class ConfigValidateCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'validate')
  static override usage = Command.Usage({
    category,
    description: 'List every fault of the file, with its line',
    examples: [['Check it', 'ggen p2p config validate']],
  })

  async execute(): Promise<number> {
    const { faults, file } = inspectConfig(this.context)
    if (faults.length > 0 && this.json) {
      const error = {
        code: 'INVALID_CONFIG',
        message: `${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`,
        hint: 'Edit it with: ggen marketplace p2p config edit',
      }
      this.print({ file, ok: false, faults, error }, () => '')
      return 2
    }
    refuseFaults(file, faults)
    this.print({ file, ok: true, faults }, () => `${file} is valid.`)
    return 0
  }
}

export class ConfigPathCommand extends GgenCommand {
  static override paths = p2pPaths('config', 'path')
  static override usage = Command.Usage({
    category,
    description: 'Show where the file is',
    examples: [['Its path', 'ggen p2p config path']],
  })

  async execute(): Promise<number> {
    this.print({ file: this.context.paths.config }, ({ file }) => file)
    return 0
  }
}

export const commands = [
  ConfigShowCommand,
  ConfigGetCommand,
  ConfigSetCommand,
  ConfigEditCommand,
  ConfigResetCommand,
  ConfigValidateCommand,
  ConfigPathCommand,
]
