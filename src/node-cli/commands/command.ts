import { resolve } from 'node:path'
import { Command, Option } from 'clipanion'
import type { CliContext } from '../context.ts'
import type { Colours } from '../render/text.ts'
import { coloursFor, toJson } from '../render/text.ts'

/** A node's verb under both its names: `ggen marketplace p2p <verb>` and `ggen p2p <verb>`. */
export function p2pPaths(...verb: string[]): string[][] {
  return [
    ['p2p', ...verb],
    ['marketplace', 'p2p', ...verb],
  ]
}

/** What all commands share: the JSON switch and how results are printed. */
export abstract class GgenCommand extends Command<CliContext> {
  json = Option.Boolean('--json', false, { description: 'Print one JSON document' })

  /** The result as JSON, or as `render` makes it readable. */
  protected print<Result>(result: Result, render: (result: Result, colours: Colours) => string): void {
    const { stdout, env } = this.context
    const text = this.json ? toJson(result) : render(result, coloursFor(stdout as NodeJS.WriteStream, env))
    if (text !== '') stdout.write(`${text}\n`)
  }

  /** A sentence beside the result. */
  protected note(text: string): void {
    this.context.stderr.write(`${text}\n`)
  }

  protected absolute(path: string): string {
    return resolve(this.context.cwd, path)
  }
}
