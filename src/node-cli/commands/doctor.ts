import { Command } from 'clipanion'
import type { StatusResult } from '../../core/control/service.ts'
import { inspectConfig } from '../config-file.ts'
import { createSocketClient, isAnswering } from '../daemon/control-socket.ts'
import type { Check } from '../doctor/checks.ts'
import {
  checkBootstrap,
  checkBrowsers,
  checkClock,
  checkConfig,
  checkDht,
  checkGossip,
  checkKeys,
  checkListen,
  checkNode,
  checkRelay,
  checkStorage,
} from '../doctor/checks.ts'
import type { Colours } from '../render/text.ts'
import { clean } from '../render/text.ts'
import { GgenCommand } from './command.ts'

export class DoctorCommand extends GgenCommand {
  static override paths = [['marketplace', 'doctor']]
  static override usage = Command.Usage({
    category: 'Node',
    description: 'Check every leg the node stands on, and say what to do about what fails',
    details: 'Ends with 1 when something fails; warnings are no failure.',
    examples: [['Check all', 'ggen marketplace doctor']],
  })

  async execute(): Promise<number> {
    const { paths } = this.context
    const inspected = inspectConfig(this.context)
    const { config } = inspected
    const checks: Check[] = [
      checkConfig(inspected),
      await checkStorage(paths, config),
      checkKeys(paths),
      checkClock(Date.now()),
    ]
    const client = (await isAnswering(paths.controlSocket)) ? createSocketClient(paths.controlSocket) : undefined
    const status: StatusResult | undefined = await client?.status({}, { signal: this.context.signal })
    checks.push(checkNode(status))
    if (client !== undefined && status !== undefined) {
      const peers = await client.peers({}, { signal: this.context.signal })
      checks.push(
        await checkListen(status),
        checkBootstrap(config, peers),
        checkDht(status),
        checkGossip(status),
        checkRelay(config, status),
        checkBrowsers(status),
      )
    }
    const ok = checks.every((check) => check.status !== 'fail')
    this.print({ ok, checks }, (result, colours) => doctorText(result.checks, colours))
    return ok ? 0 : 1
  }
}

function doctorText(checks: readonly Check[], colours: Colours): string {
  const marks = {
    ok: colours.green('ok  '),
    warn: colours.yellow('warn'),
    fail: colours.red('FAIL'),
    skipped: colours.dim('-   '),
  }
  const width = Math.max(...checks.map(({ name }) => name.length))
  return checks
    .map(({ name, status, message, hint }) => {
      const advice = hint === undefined ? '' : `\n${' '.repeat(width + 7)}${colours.cyan(clean(hint))}`
      return `${marks[status]} ${name.padEnd(width)}  ${clean(message)}${advice}`
    })
    .join('\n')
}

export const commands = [DoctorCommand]
