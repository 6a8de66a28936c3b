import type { CommandClass } from 'clipanion'
import type { CliContext } from '../context.ts'

type Load = () => Promise<{ commands: CommandClass<CliContext>[] }>

const node: Load = () => import('./node.ts')
const statements: Load = () => import('./statements.ts')
const project: Load = () => import('./project.ts')

/** Where a verb's commands are. Each file is loaded when it is needed: a command starts in half the time without the others' code. */
const files: Record<string, Load> = {
  start: () => import('./start.ts'),
  status: () => import('./status.ts'),
  stop: node,
  connect: node,
  disconnect: node,
  peers: node,
  bootstrap: node,
  explorer: () => import('./explorer.ts'),
  config: () => import('./config.ts'),
  search: () => import('./search.ts'),
  info: () => import('./info.ts'),
  publish: () => import('./publish.ts'),
  install: project,
  uninstall: project,
  update: project,
  outdated: project,
  why: project,
  list: project,
  verify: project,
  yank: statements,
  unyank: statements,
  deprecate: statements,
  trust: () => import('./trust.ts'),
  key: () => import('./key.ts'),
  cache: () => import('./cache.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
}

/** The commands that the words may mean: those of their verb or, when it is none (help, a typo), all, in the order above. */
export async function loadCommands(argv: readonly string[]): Promise<CommandClass<CliContext>[]> {
  const verb = argv.find((word) => word !== 'marketplace' && word !== 'p2p') ?? ''
  const isKnown = Object.hasOwn(files, verb)
  const needed = isKnown ? [files[verb]!] : [...new Set(Object.values(files))]
  const loaded = await Promise.all(needed.map((load) => load()))
  return loaded.flatMap(({ commands }) => commands)
}
