import type { SearchResult } from '../../core/control/service.ts'
import { clean, shortId } from './text.ts'

/** Lets the user choose one of the results with the arrow keys. Undefined when none is wanted; an abort or Ctrl-C rejects. */
export async function chooseResult(
  results: SearchResult['results'],
  signal: AbortSignal,
): Promise<SearchResult['results'][number] | undefined> {
  const { default: select } = await import('@inquirer/select')
  const choices = results.map((result) => ({
    name: `${clean(result.name)}@${clean(result.version)}`,
    value: result as SearchResult['results'][number] | undefined,
    description: `${clean(result.description)}\n${result.publisher === null ? 'signed by nobody' : `by ${shortId(result.publisher)}`}, from ${clean(result.sources.join(', '))}`,
  }))
  const none = { name: 'None', value: undefined, description: 'Leave without installing anything' }
  return select({ message: 'Install which?', choices: [...choices, none], pageSize: 12, loop: false }, { signal })
}
