import { Cli, Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { CommandShape } from '../completion.ts'
import { completionScript, shells } from '../completion.ts'
import type { CliContext } from '../context.ts'
import { GgenCommand } from './command.ts'
import { loadCommands } from './index.ts'

export class CompletionCommand extends GgenCommand {
  static override paths = [['completion']]
  static override usage = Command.Usage({
    category: 'Everyday',
    description: 'Print the completion script for your shell',
    examples: [
      ['bash, for this session', 'source <(ggen completion bash)'],
      ['zsh, for this session', 'source <(ggen completion zsh)'],
      ['fish, for good', 'ggen completion fish > ~/.config/fish/completions/ggen.fish'],
    ],
  })
  shell = Option.String({ name: 'bash, zsh or fish', validator: t.isEnum(shells) })

  async execute(): Promise<number> {
    const script = completionScript(this.shell as (typeof shells)[number], await shapes())
    if (this.json) this.print({ shell: this.shell, script }, () => '')
    else this.context.stdout.write(script)
    return 0
  }
}

async function shapes(): Promise<CommandShape[]> {
  const cli = new Cli<CliContext>({ binaryName: 'ggen' })
  for (const command of await loadCommands([])) cli.register(command)
  return cli.definitions().map(({ path, description = '', options }) => ({
    path: path.split(' ').slice(1),
    description: description.trim(),
    options: options.map((option) => ({
      names: option.definition.replace(/ .*/, '').split(','),
      description: option.description ?? '',
    })),
  }))
}

export const commands = [CompletionCommand]
