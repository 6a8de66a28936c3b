import { Command, Option } from 'clipanion'
import { clean } from '../render/text.ts'
import { UsageFault } from '../usage-fault.ts'
import { useService } from '../use-service.ts'
import { GgenCommand } from './command.ts'

const category = 'Packages'

/** `name@rest`, where a scope's @ comes first. */
function splitSpec(spec: string, example: string): [name: string, rest: string] {
  const at = spec.indexOf('@', 1)
  if (at === -1 || at === spec.length - 1)
    throw new UsageFault(`"${spec}" names no version.`, `Write it like ${example}.`)
  return [spec.slice(0, at), spec.slice(at + 1)]
}

abstract class YankBase extends GgenCommand {
  spec = Option.String({ name: 'name@version' })

  protected async yank(undo: boolean, reason: string | undefined): Promise<number> {
    const [name, version] = splitSpec(this.spec, 'rest-handlers@1.0.0')
    const request = { name, version, ...(undo ? { undo } : {}), ...(reason === undefined ? {} : { reason }) }
    const result = await useService(this.context, 'nothing', (service, options) => service.yank(request, options))
    const done = undo ? 'is offered again' : 'is withdrawn: only who has it locked still gets it'
    this.print(result, ({ entry }) => `${clean(this.spec)} ${entry === null ? 'was so already' : done}.`)
    return 0
  }
}

export class YankCommand extends YankBase {
  static override paths = [['marketplace', 'yank']]
  static override usage = Command.Usage({
    category,
    description: 'Withdraw a version you published; who has it locked still gets it',
    examples: [['With a reason', 'ggen marketplace yank rest-handlers@1.0.0 --reason "breaks on empty models"']],
  })
  reason = Option.String('--reason', { description: 'Why, for those who meet it' })

  execute(): Promise<number> {
    return this.yank(false, this.reason)
  }
}

export class UnyankCommand extends YankBase {
  static override paths = [['marketplace', 'unyank']]
  static override usage = Command.Usage({
    category,
    description: 'Offer a withdrawn version again',
    examples: [['Take it back', 'ggen marketplace unyank rest-handlers@1.0.0']],
  })

  execute(): Promise<number> {
    return this.yank(true, undefined)
  }
}

export class DeprecateCommand extends GgenCommand {
  static override paths = [['marketplace', 'deprecate']]
  static override usage = Command.Usage({
    category,
    description: 'Tell users of your versions what to use instead; an empty message takes it back',
    examples: [['All of 1.x', 'ggen marketplace deprecate "rest-handlers@<2" "Use 2.x"']],
  })
  spec = Option.String({ name: 'name@range' })
  message = Option.String({ name: 'message' })

  async execute(): Promise<number> {
    const [name, range] = splitSpec(this.spec, '"rest-handlers@<2"')
    const result = await useService(this.context, 'nothing', (service, options) =>
      service.deprecate({ name, range, message: this.message }, options),
    )
    this.print(
      result,
      ({ versions }) =>
        `${this.message === '' ? 'No longer deprecated' : 'Deprecated'}: ${clean(versions.map((version) => `${name}@${version}`).join(', '))}`,
    )
    return 0
  }
}

export const commands = [YankCommand, UnyankCommand, DeprecateCommand]
