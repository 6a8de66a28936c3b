import * as v from 'valibot'
import { RegistryError } from '../errors.ts'
import { isDid } from '../identity/did-key.ts'
import type { StateStore } from '../ports.ts'

const stateName = 'trust'
/** `constructor` and `prototype` would be passed over when the file is read again. */
const petnamePattern = /^(?!(?:constructor|prototype)$)[a-z0-9][a-z0-9._-]{0,63}$/

const schema = v.object({
  /** Package name → publisher: decided at the first install, or by the user. */
  pins: v.optional(v.record(v.string(), v.string()), {}),
  /** Local name → publisher. */
  petnames: v.optional(v.record(v.string(), v.string()), {}),
  blocked: v.optional(v.array(v.string()), []),
  /** Authors whose forked logs the user accepts. */
  acceptedForks: v.optional(v.array(v.string()), []),
})

/** The user's own decisions about whom to believe. Nobody else's word changes them. */
export interface Trust {
  start(): Promise<void>
  pinOf(name: string): string | undefined
  pin(name: string, publisher: string): Promise<void>
  unpin(name: string): Promise<boolean>
  petnameOf(publisher: string): string | undefined
  publisherOf(petname: string): string | undefined
  isBlocked(publisher: string): boolean
  acceptsFork(author: string): boolean
  acceptFork(author: string): Promise<void>
  /** Trusts a publisher by name (lifting a block). Throws `USAGE` for a malformed petname or one that is taken. */
  add(publisher: string, petname?: string): Promise<void>
  /** Forgets everything decided about a publisher; false when nothing was. */
  remove(publisher: string): Promise<boolean>
  block(publisher: string): Promise<void>
  list(): { publisher: string; petname: string | null; blocked: boolean; pins: string[] }[]
}

export function createTrust(state: StateStore): Trust {
  let known: v.InferOutput<typeof schema> = { pins: {}, petnames: {}, blocked: [], acceptedForks: [] }

  async function save(): Promise<void> {
    await state.write(stateName, known)
  }

  const petnameOf = (publisher: string): string | undefined =>
    Object.entries(known.petnames).find(([, did]) => did === publisher)?.[0]

  return {
    async start() {
      const stored = await state.read(stateName)
      if (stored === undefined) return
      const parsed = v.safeParse(schema, stored)
      if (!parsed.success || Array.isArray(stored)) {
        throw new RegistryError(
          'STORAGE_CORRUPT',
          'The file of your trust decisions (p2p/state/trust.json) is not what was written.',
          {
            hint: 'Mend it, or move it away to start without pins: the next install of each package then pins its publisher anew.',
          },
        )
      }
      known = parsed.output
    },
    pinOf: (name) => (Object.hasOwn(known.pins, name) ? known.pins[name] : undefined),
    async pin(name, publisher) {
      known = { ...known, pins: { ...known.pins, [name]: publisher } }
      await save()
    },
    async unpin(name) {
      if (!Object.hasOwn(known.pins, name)) return false
      const { [name]: _dropped, ...pins } = known.pins
      known = { ...known, pins }
      await save()
      return true
    },
    petnameOf,
    publisherOf: (petname) => (Object.hasOwn(known.petnames, petname) ? known.petnames[petname] : undefined),
    isBlocked: (publisher) => known.blocked.includes(publisher),
    acceptsFork: (author) => known.acceptedForks.includes(author),
    async acceptFork(author) {
      known = { ...known, acceptedForks: [...new Set([...known.acceptedForks, author])] }
      await save()
    },
    async add(publisher, petname = petnameOf(publisher)) {
      checkDid(publisher)
      const name = petname ?? publisher.slice(-8).toLowerCase()
      if (!petnamePattern.test(name)) {
        throw new RegistryError('USAGE', `"${name}" is no petname.`, {
          hint: 'Use lower-case letters, digits, ".", "_" and "-".',
        })
      }
      const taken = known.petnames[name]
      if (Object.hasOwn(known.petnames, name) && taken !== publisher) {
        throw new RegistryError('USAGE', `The petname ${name} belongs to ${taken}.`, {
          hint: 'Choose another one with --as.',
        })
      }
      const others = Object.entries(known.petnames).filter(([, did]) => did !== publisher)
      known = {
        ...known,
        petnames: { ...Object.fromEntries(others), [name]: publisher },
        blocked: known.blocked.filter((did) => did !== publisher),
      }
      await save()
    },
    async remove(publisher) {
      const before = JSON.stringify(known)
      known = {
        ...known,
        pins: without(known.pins, publisher),
        petnames: without(known.petnames, publisher),
        blocked: known.blocked.filter((did) => did !== publisher),
        acceptedForks: known.acceptedForks.filter((did) => did !== publisher),
      }
      if (JSON.stringify(known) === before) return false
      await save()
      return true
    },
    async block(publisher) {
      checkDid(publisher)
      known = { ...known, blocked: [...new Set([...known.blocked, publisher])] }
      await save()
    },
    list() {
      const publishers = new Set([...Object.values(known.pins), ...Object.values(known.petnames), ...known.blocked])
      return [...publishers].sort().map((publisher) => ({
        publisher,
        petname: petnameOf(publisher) ?? null,
        blocked: known.blocked.includes(publisher),
        pins: Object.keys(known.pins)
          .filter((name) => known.pins[name] === publisher)
          .sort(),
      }))
    },
  }
}

function without(entries: Record<string, string>, publisher: string): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([, did]) => did !== publisher))
}

function checkDid(publisher: string): void {
  if (isDid(publisher)) return
  throw new RegistryError('USAGE', `"${publisher}" is not a publisher.`, {
    hint: 'A publisher looks like did:key:z6Mk… and is shown by: ggen marketplace info <package>',
  })
}
