import { Command, Option } from 'clipanion'
import type { TrustRequest, TrustResult } from '../../core/control/service.ts'
import { renderTable } from '../render/table.ts'
import type { Colours } from '../render/text.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const category = 'Trust'

abstract class TrustCommand extends GgenCommand {
  protected async change(request: TrustRequest): Promise<number> {
    this.print(
      await useService(this.context, 'offline', (service, options) => service.trust(request, options)),
      trustText,
    )
    return 0
  }
}

export class TrustListCommand extends TrustCommand {
  static override paths = [
    ['marketplace', 'trust', 'list'],
    ['marketplace', 'trust'],
  ]
  static override usage = Command.Usage({
    category,
    description: 'List whom you trust, under which name, whom you block, and which package names are pinned to whom',
    examples: [['All decisions', 'ggen marketplace trust list']],
  })

  execute(): Promise<number> {
    return this.change({ action: 'list' })
  }
}

export class TrustAddCommand extends TrustCommand {
  static override paths = [['marketplace', 'trust', 'add']]
  static override usage = Command.Usage({
    category,
    description: 'Give a publisher a name of your own, and lift a block',
    details:
      'The petname then stands for the publisher in specs: `alice/rest-handlers`. Compare the fingerprint with what the publisher tells you elsewhere.',
    examples: [['Call a publisher alice', 'ggen marketplace trust add did:key:z6Mk… --as alice']],
  })
  publisher = Option.String({ name: 'publisher' })
  as = Option.String('--as', { description: 'The name' })

  execute(): Promise<number> {
    return this.change({
      action: 'add',
      publisher: this.publisher,
      ...(this.as === undefined ? {} : { petname: this.as }),
    })
  }
}

export class TrustRemoveCommand extends TrustCommand {
  static override paths = [['marketplace', 'trust', 'remove']]
  static override usage = Command.Usage({
    category,
    description: 'Forget what you decided about a publisher: its name, its pins, its block',
    details: 'The next install of a package of that name pins whoever publishes it then.',
    examples: [['Forget alice', 'ggen marketplace trust remove alice']],
  })
  publisher = Option.String({ name: 'publisher' })

  execute(): Promise<number> {
    return this.change({ action: 'remove', publisher: this.publisher })
  }
}

export class TrustBlockCommand extends TrustCommand {
  static override paths = [['marketplace', 'trust', 'block']]
  static override usage = Command.Usage({
    category,
    description: 'Take in nothing of a publisher any more',
    examples: [['Block one', 'ggen marketplace trust block did:key:z6Mk…']],
  })
  publisher = Option.String({ name: 'publisher' })

  execute(): Promise<number> {
    return this.change({ action: 'block', publisher: this.publisher })
  }
}

function trustText({ publishers }: TrustResult, colours: Colours): string {
  if (publishers.length === 0) return 'Nothing is decided yet. The first install of a package pins its publisher.'
  const rows = publishers.map(({ publisher, petname, fingerprint, blocked, pins }) => [
    petname ?? '-',
    publisher,
    fingerprint,
    blocked ? 'blocked' : '',
    pins.join(', '),
  ])
  return renderTable(['NAME', 'PUBLISHER', 'FINGERPRINT', '', 'PINNED PACKAGES'], rows, colours)
}

export const commands = [TrustListCommand, TrustAddCommand, TrustRemoveCommand, TrustBlockCommand]
