import type { Cli, CommandClass } from 'clipanion'
import { nearest } from '../core/search/edit-distance.ts'
import type { CliContext } from './context.ts'
import { UsageFault } from './usage-fault.ts'

type Commands = readonly CommandClass<CliContext>[]

/** All words that commands consist of, by what stands before them. */
function wordsAfter(prefix: readonly string[], commands: Commands): Set<string> {
  const paths = commands.flatMap(({ paths: own }) => own ?? [])
  return new Set(
    paths
      .filter((path) => prefix.every((word, index) => path[index] === word))
      .flatMap((path) => path[prefix.length] ?? []),
  )
}

/** `ggen p2p`, `ggen marketplace key -h`: the beginning of commands, and nothing more. */
export function groupOf(argv: readonly string[], commands: Commands): string[] | undefined {
  const words = argv.filter((word) => word !== '-h' && word !== '--help')
  return words.length <= 3 && words.every((word) => !word.startsWith('-')) && wordsAfter(words, commands).size > 0
    ? words
    : undefined
}

export function isUsageError(error: unknown): boolean {
  return error instanceof Error && (error as { clipanion?: { type?: string } }).clipanion?.type === 'usage'
}

/** A command line that fits no command: what is wrong in one sentence, and the nearest that would be right. */
export function usageFault(
  error: unknown,
  argv: readonly string[],
  commands: Commands,
  cli: Cli<CliContext>,
): UsageFault {
  const prefix: string[] = []
  for (const word of argv) {
    const known = wordsAfter(prefix, commands)
    if (known.size === 0) break
    if (known.has(word)) {
      prefix.push(word)
      continue
    }
    if (word.startsWith('-')) break
    const meant = nearest(word, known)
    if (prefix.length === 0 || !isCommand(prefix, commands)) {
      const there = `ggen ${[...prefix, ''].join(' ')}`
      const others = commands
        .flatMap(({ paths = [] }) => paths)
        .filter((path) => path.length === 2 && path[0] !== prefix[0])
      const similar =
        meant ??
        nearest(
          word,
          others.map((path) => path[1]!),
        ) ??
        word
      const elsewhere = meant === undefined ? others.find((path) => path[1] === similar) : undefined
      if (elsewhere !== undefined)
        return new UsageFault(`There is no command "${there}${word}".`, `Did you mean: ggen ${elsewhere.join(' ')}?`)
      const hint =
        meant === undefined
          ? `There is: ${[...known].map((one) => `${there}${one}`).join(', ')}`
          : `Did you mean: ${there}${meant}?`
      return new UsageFault(`There is no command "ggen ${[...prefix, word].join(' ')}".`, hint)
    }
    break
  }
  const message = error instanceof Error ? error.message : String(error)
  const [first = ''] = message.replace(/^Unknown Syntax Error: /, '').split('\n')
  const details = /\n- (.*)/.exec(message)?.[1]
  const sentence =
    details === undefined ? first.replace(/[.:]$/, '') : `${first.replace(/:$/, '')}: ${details.replace(/\.$/, '')}`
  return new UsageFault(`${sentence}.`, usageHint(message, prefix, cli))
}

/** The option that was meant, or how the command is used. */
function usageHint(message: string, prefix: readonly string[], cli: Cli<CliContext>): string {
  const path = ['ggen', ...prefix].join(' ')
  const definition = cli.definitions().find((one) => one.path === path)
  const wrong = /Unsupported option name \("([^"]+)"\)/.exec(message)?.[1]
  const options = definition?.options.flatMap((option) => option.definition.replace(/ .*/, '').split(',')) ?? []
  const meant = wrong === undefined ? undefined : nearest(wrong, options)
  if (meant !== undefined) return `Did you mean ${meant}?`
  if (definition === undefined) return `See: ${path} -h`
  return `Use it like: ${definition.usage.replace(/^\$ /, '')}. See: ${path} -h`
}

export function isCommand(words: readonly string[], commands: Commands): boolean {
  return commands.some(({ paths = [] }) =>
    paths.some((path) => path.length === words.length && path.every((word, index) => word === words[index])),
  )
}
