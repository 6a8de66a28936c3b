import { html, nothing } from 'lit'
import type { Verification } from '../describe-verification.ts'
import type { Holders } from '../service.ts'
import { bytesText, dateText, isUnreachable, peerCount, plainText, sourceText } from './format.ts'
import { identicon, keyWords } from './identicon.ts'

/** Of a package with more, the list would be no reading. */
const maxBlocksListed = 1_000

export type VerificationState = Verification | { error: unknown } | undefined

export interface Verdict {
  verified: boolean
  /** Something is wrong, rather than not to be had. */
  alarm: boolean
  why: string
}

/** What the checks come to; undefined while they are made. */
export function verdictOf(state: VerificationState, publisher: string | null, holders?: Holders): Verdict | undefined {
  const alarm = (why: string): Verdict => ({ verified: false, alarm: true, why })
  const liars = holders?.refused.length ?? 0
  const lies = `What came from ${peerCount(liars)} is not what the package names, and was thrown away.`
  if (state === undefined) return liars > 0 ? alarm(`${lies} Others are being asked.`) : undefined
  if ('error' in state) {
    if (!isUnreachable(state.error)) return alarm(`${(state.error as Error).message} Do not use it.`)
    if (liars > 0) return alarm(`${lies} Nobody else who can be reached has it.`)
    const why = 'Nobody who can be reached has it, so nothing could be checked. This page goes on trying.'
    return { verified: false, alarm: false, why }
  }
  const wrong = state.blocks.filter(({ ok }) => ok === false).length
  if (wrong > 0)
    return alarm(
      `${wrong === 1 ? 'A block' : `${wrong} blocks`} in this browser are not what the package names. Do not use it.`,
    )
  const signature = signatureOf(state, publisher)
  if (signature === undefined && state.registry !== null) return fromRegistry(state.registry)
  if (signature === undefined)
    return alarm('No valid signature of a publisher is known for this content. Do not use it.')
  if (signature.forkSeq !== null) {
    return alarm(
      'The signature is right, but the publisher’s log has forked: under one number it told different people different things. Either its key was stolen or it deceives. ggen refuses to install it. Do not use it.',
    )
  }
  const held = state.blocks.filter(({ ok }) => ok === true).length
  const blocks = held === 1 ? 'the one block' : `each of the ${held} blocks`
  return {
    verified: true,
    alarm: false,
    why: `The publisher’s key signed exactly this content, and ${blocks} fetched so far is the one it names. That says who published it, not that it is harmless: compare the fingerprint with what the publisher tells you elsewhere.`,
  }
}

/** Of what only a central registry tells. */
export function describedBy(source: string): Verdict {
  const why = `Nobody signed this: it is what ${sourceText(source)} says of it. Its content is not here.`
  return { verified: false, alarm: false, why }
}

function fromRegistry({ source, checksum }: NonNullable<Verification['registry']>): Verdict {
  const registry = sourceText(source)
  return checksum === 'matched'
    ? {
        verified: false,
        alarm: false,
        why: `Nobody signed this. Its bytes are what ${registry} announced by checksum. That says where it came from, not who made it.`,
      }
    : {
        verified: false,
        alarm: true,
        why: `Nobody signed this, and ${registry} gives no checksum that its bytes could be checked against. Do not use it.`,
      }
}

/** What was checked in this tab, in plain words; a red state that cannot be missed when something fails. */
export function renderVerification(shown: {
  state: VerificationState
  verdict: Verdict | undefined
  holders: Holders | undefined
  publisher: string | null
  explorer: string
}) {
  const { state, verdict, holders, publisher, explorer } = shown
  if (verdict === undefined) {
    return html`<section class="card" aria-label="Verification">
      <h2>Verification</h2>
      <p role="status" class="soft">Asking peers for its content, to check it …</p>
    </section>`
  }
  const checked = state === undefined || 'error' in state ? undefined : state
  const signature = checked && signatureOf(checked, publisher)
  return html`<section class=${verdict.alarm ? 'card alarm' : 'card'} aria-label="Verification">
    <h2>Verification</h2>
    ${
      verdict.verified
        ? html`<p class="verdict good"><span aria-hidden="true">✓</span> Verified in this tab</p>`
        : html`<p class="verdict bad"><span aria-hidden="true">✗</span> Not verified</p>`
    }
    <p class="small">${plainText(verdict.why)}</p>
    ${checked === undefined || signature === undefined ? nothing : renderChecks(checked, signature, holders, explorer)}
    ${renderRefused(holders)}
  </section>`
}

/** At the top of the page, whatever its width. */
export function renderBanner({ alarm, why }: Verdict) {
  return html`<p class=${alarm ? 'card alarm' : 'card'} role="alert"><strong>Not verified.</strong> ${plainText(why)}</p>`
}

type Signature = Verification['signatures'][number]

/** Of the publisher whose package is looked at: others may have signed the same content. */
function signatureOf({ signatures }: Verification, publisher: string | null): Signature | undefined {
  return publisher === null ? signatures[0] : signatures.find((one) => one.publisher === publisher)
}

function renderChecks(state: Verification, signature: Signature, holders: Holders | undefined, explorer: string) {
  const held = state.blocks.filter(({ ok }) => ok === true).length
  const servers = serversOf(state.blocks)
  return html`<div class="row">
      <svg viewBox="-0.3 -0.3 5.6 5.6" width="48" height="48" role="img" aria-label="Picture of the publisher’s key">
        ${identicon(signature.publisher)}
      </svg>
      <span>
        ${signature.petname === null ? nothing : html`<strong>${plainText(signature.petname)}</strong><br />`}
        ${keyWords(signature.publisher)}<br />
        <span class="mono">${signature.fingerprint}</span>
      </span>
    </div>
    <p class="small">
      <a href=${`${explorer}#/settings/${encodeURIComponent(signature.publisher)}`}>Name or block this publisher</a>
    </p>
    <dl class="small">
      <dt>Publisher</dt>
      <dd class="mono">${signature.publisher}</dd>
      ${
        signature.author === signature.publisher
          ? nothing
          : html`<dt>Signed by</dt>
            <dd class="mono">${signature.author}, a key that the publisher handed over to</dd>`
      }
      <dt>Signed</dt>
      <dd>${dateText(signature.time)}, entry ${signature.seq + 1} of its log</dd>
      <dt>Its log</dt>
      <dd>
        ${
          signature.forkSeq === null
            ? 'has never shown two histories, as far as is known here'
            : html`<strong class="bad">has forked at entry ${signature.forkSeq + 1}</strong>`
        }
      </dd>
      <dt>Content ID</dt>
      <dd class="mono">${state.cid}</dd>
      <dt>Blocks</dt>
      <dd>${held} of ${state.blocks.length} here and right</dd>
      <dt>Held by</dt>
      <dd>${holders === undefined ? 'asking …' : `${peerCount(holders.peers.length)} besides this browser`}</dd>
      ${
        servers.size === 0
          ? nothing
          : html`<dt>Came from</dt>
            <dd>
              ${[...servers].map(
                ([peerId, { blocks, bytes }]) =>
                  html`<span class="mono">…${peerId.slice(-8)}</span>: ${blocks} ${blocks === 1 ? 'block' : 'blocks'}, ${bytesText(bytes)}<br />`,
              )}
            </dd>`
      }
    </dl>
    <details>
      <summary>Every block</summary>
      <ol class="small mono">
        ${state.blocks.slice(0, maxBlocksListed).map(
          ({ cid, size, ok, from }) =>
            html`<li>
                ${cid}
                ${ok === null ? 'not fetched yet' : ok ? html`<span class="good">${bytesText(size ?? 0)} ✓</span>` : html`<strong class="bad">wrong ✗</strong>`}
                ${from === null ? nothing : `from …${from.slice(-8)}`}
              </li>`,
        )}
      </ol>
      ${state.blocks.length > maxBlocksListed ? html`<p class="small">and ${state.blocks.length - maxBlocksListed} more</p>` : nothing}
    </details>`
}

function renderRefused(holders: Holders | undefined) {
  if (holders === undefined || holders.refused.length === 0) return nothing
  return html`<p class="small">
    <strong class="bad">Refused:</strong> other bytes than asked for, thrown away, from
    ${holders.refused.map(({ peerId, times }) => html`<span class="mono">…${peerId.slice(-8)}</span> (${times}×) `)}
  </p>`
}

/** What each peer gave, since this browser's node was started. */
function serversOf(blocks: Verification['blocks']): Map<string, { blocks: number; bytes: number }> {
  const servers = new Map<string, { blocks: number; bytes: number }>()
  for (const { from, size } of blocks) {
    if (from === null) continue
    const { blocks: count, bytes } = servers.get(from) ?? { blocks: 0, bytes: 0 }
    servers.set(from, { blocks: count + 1, bytes: bytes + (size ?? 0) })
  }
  return servers
}
