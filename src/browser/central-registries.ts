import { webcryptoSha256 } from '../core/blocks/webcrypto-sha256.ts'
import type { CentralRegistry } from '../core/central/central-registry.ts'
import { sourceName } from '../core/central/central-registry.ts'
import { createCentralHttp, isHttp } from '../core/central/http.ts'
import { openRegistries } from '../core/central/open-registries.ts'
import type { CentralSource } from '../core/config/settings.ts'
import { settingOf } from '../core/config/settings.ts'
import { RegistryError } from '../core/errors.ts'
import type { PackageDocument } from '../core/search/types.ts'
import { setRecent } from '../core/set-recent.ts'
import type { CentralHits } from './central-hits.ts'

/** A page searches again whenever the network has changed; a registry is asked for the same only so often. */
const answerLastsMs = 60_000
const failureLastsMs = 10_000
const maxAnswers = 50

/** The value as a page can use it. Throws `INVALID_CONFIG`. */
export function requirePageRegistries(value: unknown): CentralSource[] {
  const hint = 'Each has a name of letters and digits, a kind (ggen or npm) and an address that begins with https://.'
  const checked = settingOf('central.registries')!.check(value)
  if ('refused' in checked)
    throw new RegistryError('INVALID_CONFIG', `central.registries: ${checked.refused}.`, { hint })
  const sources = checked.value as CentralSource[]
  const file = sources.find(({ url }) => !isHttp(url) || !URL.canParse(url))
  if (file === undefined) return sources
  throw new RegistryError('INVALID_CONFIG', `The registry ${file.name} is at ${file.url}, which no page can ask.`, {
    hint: 'Give it a whole address that begins with https://. A page reads no files.',
  })
}

/** The registries that this page's visitor has chosen to ask, as the core asks them; what they tell is remembered in `hits`. */
export function openPageRegistries(value: unknown, hits: CentralHits): CentralRegistry[] {
  const platform = {
    // Only headers that need no permission are sent: such servers do not answer a browser's question for it. The browser names itself and keeps answers.
    http: createCentralHttp({ fetch: pageFetch }),
    async readFile() {
      throw new Error('a page reads no files')
    },
    sha256: webcryptoSha256,
  }
  return openRegistries(requirePageRegistries(value), platform).map((registry) => watched(registry, hits))
}

/** Follows redirects itself, because a page may not see where they lead; tells the server neither who asks nor from which page, beyond what the browser must. */
async function pageFetch(url: string, init: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { ...init, redirect: 'follow', credentials: 'omit', referrerPolicy: 'no-referrer' })
  } catch (error) {
    // The browser says no more, so that a page cannot find out about servers which do not want to be read.
    if (error instanceof TypeError) throw new Error('its server lets no other site’s page read it, or it is down')
    throw error
  }
  if (url.startsWith('https:') && !response.url.startsWith('https:')) {
    await response.body?.cancel()
    throw new Error('it redirects to http://, which is not trusted')
  }
  return response
}

function watched(registry: CentralRegistry, hits: CentralHits): CentralRegistry {
  const answers = new Map<string, { answer: PackageDocument[] | RegistryError; untilMs: number }>()

  function keep(key: string, answer: PackageDocument[] | RegistryError): void {
    const untilMs = performance.now() + (Array.isArray(answer) ? answerLastsMs : failureLastsMs)
    setRecent(answers, key, { answer, untilMs }, maxAnswers)
  }

  return {
    ...registry,
    async search(query, options) {
      const key = JSON.stringify([query.text, query.category, options.limit])
      const kept = answers.get(key)
      if (kept === undefined || kept.untilMs < performance.now()) {
        try {
          keep(key, await registry.search(query, options))
        } catch (error) {
          if (error instanceof RegistryError) keep(key, error)
          throw error
        }
      }
      const { answer } = answers.get(key)!
      if (!Array.isArray(answer)) throw answer
      hits.remember(sourceName(registry), answer)
      return answer
    },
  }
}
