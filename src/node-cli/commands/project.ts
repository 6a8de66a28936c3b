import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { InstallResult, ListResult, RegistryChoice, VerifyResult } from '../../core/control/service.ts'
import { fingerprint } from '../../core/identity/fingerprint.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { clean, count, formatBytes, formatDuration, shortId } from '../render/text.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const category = 'Project'

abstract class ProjectCommand extends GgenCommand {
  dir = Option.String('--dir', '.', { description: 'Project folder (the current one)' })

  protected get project(): string {
    return this.absolute(this.dir)
  }
}

export class InstallCommand extends ProjectCommand {
  static override paths = [['marketplace', 'install']]
  static override usage = Command.Usage({
    category,
    description: 'Install packages into the project, or what its ggen.lock asks for',
    details:
      "A package is named as `name`, `name@range`, `publisher/name@range` or by its content ID. Every block is checked against the content ID, and the content ID against the publisher's signature.",
    examples: [
      ['The newest version', 'ggen marketplace install invoice-ontology'],
      ['A range', 'ggen marketplace install "rest-handlers@^1.2"'],
      ['Exactly what ggen.lock says', 'ggen marketplace install --frozen-lockfile'],
    ],
  })
  specs = Option.Rest({ name: 'spec' })
  registry = Option.String('--registry', 'all', {
    validator: t.isEnum(['all', 'p2p', 'central'] as const),
    description: 'all, p2p or central',
  })
  frozen = Option.Boolean('--frozen-lockfile', false, { description: 'Fail instead of changing ggen.lock' })
  offline = Option.Boolean('--offline', false, { description: 'Use only what is cached' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'Say what would be installed, write nothing' })
  force = Option.Boolean('--force', false, { description: 'Write again what is there already' })

  async execute(): Promise<number> {
    const { frozen, offline, dryRun, force } = this
    const result = await useService(this.context, offline ? 'offline' : 'client', (service, options) =>
      service.install(
        {
          specs: this.specs,
          dir: this.project,
          registry: this.registry as RegistryChoice,
          frozenLockfile: frozen,
          offline,
          dryRun,
          force,
        },
        options,
      ),
    )
    for (const notice of result.notices) this.note(`Note: ${clean(notice)}`)
    this.print(result, (done, colours) => installText(done, dryRun, colours))
    return 0
  }
}

function installText({ installed, removed, tookMs }: InstallResult, dryRun: boolean, colours: Colours): string {
  if (installed.length === 0 && removed.length === 0)
    return 'Nothing to install: name a package, or see ggen marketplace search.'
  const rows = installed.map((one) => [
    one.name,
    one.version,
    formatBytes(one.bytes),
    formatBytes(one.fetchedBytes),
    one.sources.map((source) => (source.length > 20 ? `…${source.slice(-8)}` : source)).join(', '),
  ])
  const verb = dryRun ? 'would be installed' : 'installed'
  return [
    renderTable(['NAME', 'VERSION', 'SIZE', 'FETCHED', 'FROM'], rows, colours),
    ...(removed.length > 0 ? [`Removed: ${clean(removed.join(', '))}`] : []),
    colours.green(`${count(installed.length, 'package')} ${verb} in ${formatDuration(tookMs)}.`),
  ].join('\n')
}

export class UninstallCommand extends ProjectCommand {
  static override paths = [['marketplace', 'uninstall']]
  static override usage = Command.Usage({
    category,
    description: 'Remove packages from the project, and what nothing needs any more',
    examples: [['Remove one', 'ggen marketplace uninstall rest-handlers']],
  })
  names = Option.Rest({ name: 'name', required: 1 })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) =>
      service.uninstall({ names: this.names, dir: this.project }, options),
    )
    this.print(result, ({ removed }) => `Removed: ${clean(removed.join(', '))}`)
    return 0
  }
}

export class ListCommand extends ProjectCommand {
  static override paths = [['marketplace', 'list']]
  static override usage = Command.Usage({
    category,
    description: 'List what is installed in the project',
    examples: [['This project', 'ggen marketplace list']],
  })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) =>
      service.list({ dir: this.project }, options),
    )
    this.print(result, listText)
    return 0
  }
}

function listText({ packages }: ListResult, colours: Colours): string {
  if (packages.length === 0) return 'Nothing is installed here. Install a package: ggen marketplace install <name>'
  const rows = packages.map(({ name, version, publisher, cid, present }) => [
    name,
    version,
    publisher === null ? '-' : shortId(publisher),
    shortId(cid, 20),
    present ? '' : 'missing: run ggen marketplace install',
  ])
  return renderTable(['NAME', 'VERSION', 'PUBLISHER', 'CONTENT', ''], rows, colours)
}

export class VerifyCommand extends ProjectCommand {
  static override paths = [['marketplace', 'verify']]
  static override usage = Command.Usage({
    category,
    description: 'Hash everything installed again and check it against the lock and the signatures',
    examples: [
      ['All packages', 'ggen marketplace verify'],
      ['One package', 'ggen marketplace verify rest-handlers'],
    ],
  })
  names = Option.Rest({ name: 'name' })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) =>
      service.verify({ names: this.names, dir: this.project }, options),
    )
    const broken = result.packages.filter(({ ok }) => !ok).map(({ name }) => name)
    const error = {
      code: 'VERIFICATION_FAILED',
      message: `Not as published: ${broken.join(', ')}.`,
      hint: 'Install again what was changed: ggen marketplace install --force',
    }
    this.print(result.ok ? result : { ...result, error }, verifyText)
    if (result.ok) return 0
    if (!this.json) this.note(`Error [${error.code}]: ${clean(error.message)}\nHint: ${error.hint}`)
    return 4
  }
}

function verifyText({ packages }: VerifyResult, colours: Colours): string {
  if (packages.length === 0) return 'Nothing is installed here.'
  const lines = packages.flatMap(({ name, version, ok, publisher, signature, files, faults, error }) => {
    const signed = {
      valid: `signed by ${publisher === null ? 'nobody' : fingerprint(publisher)}`,
      missing: 'no signed release of it is known here',
      invalid: 'signed as something else',
      central: 'from a central registry, signed by nobody',
    }[signature]
    const head = `${ok ? colours.green('verified') : colours.red('NOT verified')} ${clean(name)}@${clean(version)}: ${error ?? `${count(files, 'file')}, ${signed}`}`
    return [head, ...faults.map(({ path, fault }) => `  ${fault}: ${clean(path) || 'something in the folder'}`)]
  })
  return lines.join('\n')
}

export class UpdateCommand extends ProjectCommand {
  static override paths = [['marketplace', 'update']]
  static override usage = Command.Usage({
    category,
    description: 'Bring packages to the newest version that the requested ranges allow',
    examples: [
      ['All of them', 'ggen marketplace update'],
      ['One, and what it needs', 'ggen marketplace update rest-handlers'],
    ],
  })
  names = Option.Rest({ name: 'name' })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'client', (service, options) =>
      service.install({ specs: [], dir: this.project, update: this.names }, options),
    )
    for (const notice of result.notices) this.note(`Note: ${clean(notice)}`)
    this.print(result, (done, colours) => installText(done, false, colours))
    return 0
  }
}

export class OutdatedCommand extends ProjectCommand {
  static override paths = [['marketplace', 'outdated']]
  static override usage = Command.Usage({
    category,
    description: 'List what could be newer',
    examples: [['This project', 'ggen marketplace outdated']],
  })
  offline = Option.Boolean('--offline', false, { description: 'Ask nobody' })

  async execute(): Promise<number> {
    const result = await useService(this.context, this.offline ? 'offline' : 'client', (service, options) =>
      service.outdated({ dir: this.project, offline: this.offline }, options),
    )
    this.print(result, ({ packages }, colours) => {
      if (packages.length === 0) return 'Everything is up to date.'
      const rows = packages.map(({ name, current, wanted, latest, yanked }) => [
        name,
        current,
        wanted,
        latest,
        yanked ? 'the present version was withdrawn' : '',
      ])
      return renderTable(['NAME', 'CURRENT', 'WANTED', 'LATEST', ''], rows, colours)
    })
    return 0
  }
}

export class WhyCommand extends ProjectCommand {
  static override paths = [['marketplace', 'why']]
  static override usage = Command.Usage({
    category,
    description: 'Show what brought a package into the project',
    examples: [['One package', 'ggen marketplace why invoice-ontology']],
  })
  name = Option.String({ name: 'name' })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) =>
      service.why({ name: this.name, dir: this.project }, options),
    )
    this.print(result, ({ name, version, paths }) =>
      [
        `${clean(name)}@${clean(version)}`,
        ...paths.map((path) => `  ${path.length === 1 ? 'requested by the project' : clean(path.join(' → '))}`),
      ].join('\n'),
    )
    return 0
  }
}

export const commands = [
  InstallCommand,
  UninstallCommand,
  UpdateCommand,
  OutdatedCommand,
  WhyCommand,
  ListCommand,
  VerifyCommand,
]
