import { RegistryError } from '../errors.ts'
import { fingerprint } from '../identity/fingerprint.ts'
import type { RegistryNode } from '../registry-node.ts'
import { matchPublisher } from '../resolve/spec.ts'
import type { TrustRequest, TrustResult } from './service.ts'

/** Carries out one decision about a publisher and answers with all that are decided. */
export async function changeTrust(node: RegistryNode, request: TrustRequest): Promise<TrustResult> {
  const { trust, entries } = node.parts
  if (request.action !== 'list') {
    const known = new Set([
      ...trust.list().map(({ publisher }) => publisher),
      ...(await entries.logs()).map(({ head }) => head.entry.publisher),
    ])
    const publisher = matchPublisher(request.publisher, [...known].sort(), trust.publisherOf)
    if (request.action === 'add') await trust.add(publisher, request.petname)
    if (request.action === 'block') await trust.block(publisher)
    if (request.action === 'remove' && !(await trust.remove(publisher))) {
      throw new RegistryError('PACKAGE_NOT_FOUND', `Nothing was decided about ${publisher}.`, {
        hint: 'See what was: ggen marketplace trust list',
      })
    }
  }
  return { publishers: trust.list().map((row) => ({ ...row, fingerprint: fingerprint(row.publisher) })) }
}
