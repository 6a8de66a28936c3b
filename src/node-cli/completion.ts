export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A command's path below `ggen`, and its options with what they do. */
export interface CommandShape {
  path: string[]
  description: string
  options: { names: string[]; description: string }[]
}

/** What may follow each beginning of a command line: words, and for whole commands their options. */
function tree(commands: readonly CommandShape[]): Map<string, { word: string; description: string }[]> {
  const next = new Map<string, Map<string, string>>()
  const add = (prefix: string, word: string, description: string): void => {
    const words = next.get(prefix) ?? new Map<string, string>()
    if (!words.has(word)) words.set(word, description)
    next.set(prefix, words)
  }
  for (const { path, description, options } of commands) {
    for (const [index, word] of path.entries())
      add(path.slice(0, index).join(' '), word, index === path.length - 1 ? description : '')
    for (const option of options) for (const name of option.names) add(path.join(' '), name, option.description)
  }
  return new Map(
    [...next].map(([prefix, words]) => [prefix, [...words].map(([word, description]) => ({ word, description }))]),
  )
}

/** The completion script of a shell, made from the commands themselves. Source it, or put it where the shell looks for such scripts. */
export function completionScript(shell: Shell, commands: readonly CommandShape[]): string {
  const words = tree(commands)
  if (shell === 'bash') return bashScript(words)
  return shell === 'zsh' ? zshScript(words) : fishScript(words)
}

type Words = ReturnType<typeof tree>

/** The longest beginning of the line that is known decides what may follow; otherwise file names. */
function bashScript(words: Words): string {
  const cases = [...words].map(
    ([prefix, list]) => `    '${prefix}') words='${list.map(({ word }) => word).join(' ')}' ;;`,
  )
  return `# ggen completion for bash: source <(ggen completion bash)
_ggen() {
  local current="\${COMP_WORDS[COMP_CWORD]}" prefix='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) if _ggen_words "\${prefix:+$prefix }$word"; then prefix="\${prefix:+$prefix }$word"; fi ;;
    esac
  done
  _ggen_words "$prefix"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
_ggen_words() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
complete -o filenames -F _ggen ggen
`
}

function zshScript(words: Words): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`
  const entry = ({ word, description }: { word: string; description: string }): string =>
    `'${word.replaceAll("'", "'\\''")}:'${quote(description)}`
  const cases = [...words].map(([prefix, list]) => `    ('${prefix}') found=(${list.map(entry).join(' ')}) ;;`)
  return `#compdef ggen
# ggen completion for zsh: source <(ggen completion zsh)
_ggen_words() {
  case "$1" in
${cases.join('\n')}
    (*) return 1 ;;
  esac
}
_ggen() {
  local prefix='' word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == -* ]] && continue
    if _ggen_words "\${prefix:+$prefix }$word"; then prefix="\${prefix:+$prefix }$word"; fi
  done
  _ggen_words "$prefix"
  _describe 'ggen' found || _files
}
if [ "$funcstack[1]" = "_ggen" ]; then _ggen "$@"; else compdef _ggen ggen; fi
`
}

function fishScript(words: Words): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const prefixes = [...words.keys()].filter((prefix) => prefix !== '')
  const lines = [...words].flatMap(([prefix, list]) =>
    list.map(
      ({ word, description }) =>
        `complete -c ggen -n "__ggen_at '${prefix}'" -a ${quote(word)} -d ${quote(description)}`,
    ),
  )
  return `# ggen completion for fish: ggen completion fish | source
set -g __ggen_prefixes ${prefixes.map(quote).join(' ')}
function __ggen_at
  set -l prefix
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and continue
    set -l longer (string join ' ' $prefix $word)
    contains -- $longer $__ggen_prefixes; and set prefix $prefix $word
  end
  test (string join ' ' $prefix) = $argv[1]
end
${lines.join('\n')}
`
}
