import { existsSync, readFileSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import { RegistryError } from '../../core/errors.ts'
import { writeSecret } from '../../storage/node.ts'
import { isAnswering } from '../daemon/control-socket.ts'
import { renderFacts } from '../render/facts.ts'
import { UsageFault } from '../usage-fault.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const category = 'Key'
const passphraseHelp =
  'A passphrase is read from the environment variable GGEN_PASSPHRASE, so that it stands in no process list.'

export class KeyShowCommand extends GgenCommand {
  static override paths = [
    ['marketplace', 'key', 'show'],
    ['marketplace', 'key'],
  ]
  static override usage = Command.Usage({
    category,
    description: 'Show the key you publish with',
    examples: [['Your publisher ID', 'ggen marketplace key show']],
  })

  async execute(): Promise<number> {
    const result = await useService(this.context, 'offline', (service, options) => service.key({}, options))
    this.print({ ...result, path: this.context.paths.publisherKey }, (shown, colours) => {
      const rotated: [string, string][] = shown.key === shown.publisher ? [] : [['Signs with', shown.key]]
      return renderFacts(
        [['Publisher', shown.publisher], ['Fingerprint', shown.fingerprint], ...rotated, ['File', shown.path]],
        colours,
      )
    })
    return 0
  }
}

export class KeyExportCommand extends GgenCommand {
  static override paths = [['marketplace', 'key', 'export']]
  static override usage = Command.Usage({
    category,
    description: 'Write the publisher key to a file, for a backup or another machine',
    details: passphraseHelp,
    examples: [['Encrypted', 'GGEN_PASSPHRASE="several words" ggen marketplace key export backup.json']],
  })
  file = Option.String({ name: 'file' })
  force = Option.Boolean('--force', false, { description: 'Overwrite the file' })

  async execute(): Promise<number> {
    const { exportPublisher, loadPublisher } = await import('../node/keys.ts')
    const file = this.absolute(this.file)
    if (existsSync(file) && !this.force)
      throw new UsageFault(`${file} exists.`, 'Choose another name, or overwrite it with --force.')
    const passphrase = this.context.env.GGEN_PASSPHRASE
    if (passphrase === undefined)
      this.note(
        'Note: written without a passphrase; whoever reads the file can publish in your name. Set GGEN_PASSPHRASE to encrypt it.',
      )
    const { paths } = this.context
    writeSecret(file, await exportPublisher(paths, passphrase))
    const { did } = await loadPublisher(paths.publisherKey)
    this.print(
      { file, publisher: did, encrypted: passphrase !== undefined },
      (done) => `Wrote the key of ${done.publisher} to ${done.file}.`,
    )
    return 0
  }
}

export class KeyImportCommand extends GgenCommand {
  static override paths = [['marketplace', 'key', 'import']]
  static override usage = Command.Usage({
    category,
    description: 'Publish with an exported key from now on; the present one is kept beside it',
    details: passphraseHelp,
    examples: [['From a backup', 'ggen marketplace key import backup.json']],
  })
  file = Option.String({ name: 'file' })

  async execute(): Promise<number> {
    const { paths, env } = this.context
    if (await isAnswering(paths.controlSocket))
      throw new UsageFault('A running node uses the present key.', 'Stop it first: ggen marketplace p2p stop')
    const { importPublisher } = await import('../node/keys.ts')
    const result = await importPublisher(paths, readText(this.absolute(this.file)), env.GGEN_PASSPHRASE)
    this.print(
      result,
      ({ publisher, backup }) =>
        `You now publish as ${publisher}.${backup === null ? '' : `\nThe key before it is kept in ${backup}.`}`,
    )
    return 0
  }
}

export class KeyRotateCommand extends GgenCommand {
  static override paths = [['marketplace', 'key', 'rotate']]
  static override usage = Command.Usage({
    category,
    description: 'Hand on to a new key; you stay the same publisher',
    details:
      'Both keys sign the handover. Who has pinned you goes on trusting you; the old key can say nothing more. Do it while the old key is still yours alone, and export the new one afterwards.',
    examples: [['Rotate', 'ggen marketplace key rotate']],
  })

  async execute(): Promise<number> {
    const { paths } = this.context
    if (await isAnswering(paths.controlSocket))
      throw new UsageFault('A running node uses the present key.', 'Stop it first: ggen marketplace p2p stop')
    const [{ replacePublisher }, { openNode }, { loadConfig }] = await Promise.all([
      import('../node/keys.ts'),
      import('../node/open-node.ts'),
      import('../config-file.ts'),
    ])
    const opened = await openNode({ paths, config: loadConfig(this.context), mode: 'offline' })
    try {
      await opened.start()
      const publisher = await opened.node.publisherLog.publisher()
      const { key, backup } = await replacePublisher(paths.publisherKey, opened.node.publisherLog.handOn)
      this.print(
        { publisher, key, backup },
        () =>
          `${publisher} signs with ${key} from now on.\nThe key before it is kept in ${backup}. Peers learn of it when the node runs again.`,
      )
      return 0
    } finally {
      await opened.stop()
    }
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing)
      throw new UsageFault(`There is no file ${file}.`, 'Name the file that ggen marketplace key export wrote.')
    throw new RegistryError('PERMISSION', `${file} cannot be read.`, { hint: 'Check its permissions.', cause })
  }
}

export const commands = [KeyShowCommand, KeyExportCommand, KeyImportCommand, KeyRotateCommand]
