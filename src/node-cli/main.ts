import type { Command } from 'clipanion'
import { Cli } from 'clipanion'
import { toRegistryError } from '../core/errors.ts'
import { version } from '../core/version.ts'
import { ggenHome, homePaths } from '../storage/node.ts'
import { loadCommands } from './commands/index.ts'
import type { CliContext } from './context.ts'
import { groupOf, isCommand, isUsageError, usageFault } from './mistakes.ts'
import { renderError } from './render/error.ts'
import { coloursFor } from './render/text.ts'

/** After Ctrl-C a command cleans up; longer than this nobody waits for it. */
const cleanUpMs = 5_000
const interruptedExitCode = 130

/** Runs one command line. Resolves to its exit code when everything is printed; the process may end then, whatever timers libraries left behind. */
export async function run(argv: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process
  const interrupted = new AbortController()
  const context: CliContext = {
    // No command reads it, and opening it costs 5 ms.
    get stdin() {
      return process.stdin
    },
    stdout,
    stderr,
    env,
    colorDepth: 1,
    cwd: process.cwd(),
    paths: homePaths(ggenHome(env), env),
    signal: interrupted.signal,
    argv,
  }
  let interruption: NodeJS.Signals | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    const code = signal === 'SIGINT' ? interruptedExitCode : 0
    if (interruption !== undefined) process.exit(code)
    interruption = signal
    interrupted.abort(new Error('Interrupted.'))
    setTimeout(() => process.exit(code), cleanUpMs).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  // A reader that has seen enough (`| head`) is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  stderr.on('error', () => undefined)

  let code: number
  try {
    code = await execute(argv, context)
  } catch (error) {
    code = interruption === undefined ? renderError(toRegistryError(error), argv.includes('--json'), context) : 0
  }
  if (interruption === 'SIGINT') code = interruptedExitCode
  await flushed(stdout)
  await flushed(stderr)
  process.exit(code)
}

async function execute(argv: readonly string[], context: CliContext): Promise<number> {
  const cli = new Cli<CliContext>({
    binaryName: 'ggen',
    binaryLabel: 'ggen',
    binaryVersion: version,
    enableCapture: false,
    enableColors: coloursFor(context.stdout as NodeJS.WriteStream, context.env).isColorSupported,
  })
  if (argv[0] === '--version' || argv[0] === '-v') {
    context.stdout.write(`${version}\n`)
    return 0
  }
  let commands = await loadCommands(argv)
  // A verb of the other half (`ggen p2p install`) is a typo too.
  if (!commands.some(({ paths = [] }) => paths.some((path) => path.every((word, index) => argv[index] === word))))
    commands = await loadCommands([])
  for (const command of commands) cli.register(command)
  const group = groupOf(argv, commands)
  const asksHelp = argv.includes('-h') || argv.includes('--help')
  if (group !== undefined && (asksHelp || !isCommand(group, commands))) {
    context.stdout.write(groupHelp(cli, group))
    return asksHelp || group.length === 0 ? 0 : 2
  }
  let command: Command<CliContext>
  try {
    command = cli.process([...argv], context)
  } catch (error) {
    throw usageFault(error, argv, commands, cli)
  }
  // What `-h` is turned into asks it for the usage texts.
  command.cli = cli as never
  try {
    return (await command.validateAndExecute()) ?? 0
  } catch (error) {
    throw isUsageError(error) ? usageFault(error, argv, commands, cli) : error
  }
}

function groupHelp(cli: Cli<CliContext>, group: readonly string[]): string {
  const own = cli
    .definitions()
    .filter(({ path }) => `${path} `.startsWith(`${['ggen', ...group].join(' ')} `))
    // At the top each node command stands once, under its short name.
    .filter(({ path }) => group.length > 0 || !path.startsWith('ggen marketplace p2p'))
  const width = Math.max(...own.map(({ path }) => path.length))
  const head = group.length === 0 ? `ggen ${version}: a package registry that needs no server\n\n` : ''
  return `${head}${own.map(({ path, description }) => `  ${path.padEnd(width)}  ${(description ?? '').trim()}`).join('\n')}\n\nMore about one of them: <command> -h\n`
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()))
}
