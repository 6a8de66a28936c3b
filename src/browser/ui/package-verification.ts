import { html, nothing } from 'lit'
import type { Verification } from '../describe-verification.ts'
import { bytesText, dateText, peerCount, plainText, sourceText } from './format.ts'
import { identicon, keyWords } from './identicon.ts'

const unreachable = ['NO_PROVIDERS', 'TIMEOUT', 'CONNECTION_FAILED']

/** What was checked in this tab, in plain words; a red state that cannot be missed when something fails. */
export function renderVerification(
  state: Verification | { error: unknown } | undefined,
  publisher: string | null,
  explorer: string,
) {
  if (state === undefined) {
    return html`<section class="card" aria-label="Verification">
      <h2>Verification</h2>
      <p role="status" class="soft">Checking …</p>
    </section>`
  }
  if ('error' in state) {
    const { message, code = '' } = state.error as Error & { code?: string }
    return unreachable.includes(code)
      ? renderUnverified(message, 'Nothing could be checked. Try again when somebody who has it is online.')
      : renderUnverified(message)
  }
  const signature = state.signatures.find((one) => one.publisher === publisher) ?? state.signatures[0]
  const wrong = state.blocks.filter(({ ok }) => ok === false).length
  if (wrong > 0) return renderUnverified(`${wrong} blocks in this browser are not what the package names.`)
  if (signature === undefined && state.registry !== null) return renderFromRegistry(state.registry)
  if (signature === undefined) return renderUnverified('No valid signature of a publisher is known for this content.')
  const held = state.blocks.filter(({ ok }) => ok === true).length
  const servers = serversOf(state.blocks)
  return html`<section class=${signature.forkSeq === null ? 'card' : 'card alarm'} aria-label="Verification">
    <h2>Verification</h2>
    ${
      signature.forkSeq === null
        ? html`<p class="verdict good"><span aria-hidden="true">✓</span> Verified in this tab</p>
            <p class="small">
              The publisher’s key signed exactly this content, and each of the ${held} blocks fetched so far is the one it names. That
              says who published it, not that it is harmless: compare the fingerprint with what the publisher tells you elsewhere.
            </p>`
        : html`<p class="verdict bad" role="alert"><span aria-hidden="true">✗</span> Not verified</p>
            <p>
              The signature is right, but the publisher’s log has forked: under one number it told different people different things.
              Either its key was stolen or it deceives. ggen refuses to install it. Do not use it.
            </p>`
    }
    <div class="row">
      <svg viewBox="-0.3 -0.3 5.6 5.6" width="48" height="48" role="img" aria-label="Picture of the publisher’s key">
        ${identicon(signature.publisher)}
      </svg>
      <span>
        ${signature.petname === null ? nothing : html`<strong>${plainText(signature.petname)}</strong><br />`}
        <a href=${`${explorer}#/settings/${encodeURIComponent(signature.publisher)}`}>Name or block this publisher</a><br />
        ${keyWords(signature.publisher)}<br />
        <span class="mono">${signature.fingerprint}</span>
      </span>
    </div>
    <dl class="small">
      <dt>Publisher</dt>
      <dd class="mono">${signature.publisher}</dd>
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
      <dt>Blocks</dt>
      <dd>${held} of ${state.blocks.length} here and right</dd>
      <dt>Held by</dt>
      <dd>${peerCount(state.holders.length)} besides this browser</dd>
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
        ${state.blocks.slice(0, 1_000).map(
          ({ cid, size, ok, from }) =>
            html`<li>
                ${cid}
                ${ok === null ? 'not fetched yet' : html`<span class="good">${bytesText(size ?? 0)} ✓</span>`}
                ${from === null ? nothing : `from …${from.slice(-8)}`}
              </li>`,
        )}
      </ol>
    </details>
  </section>`
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

function renderFromRegistry({ source, checksum }: NonNullable<Verification['registry']>) {
  const registry = sourceText(source)
  return checksum === 'matched'
    ? renderUnverified(
        `Nobody signed this. Its bytes are what ${registry} announced by checksum.`,
        'That says where it came from, not who made it.',
      )
    : renderUnverified(`Nobody signed this, and ${registry} gives no checksum that its bytes could be checked against.`)
}

function renderUnverified(why: string, advice = 'Do not use it.') {
  return html`<section class="card alarm" aria-label="Verification">
    <h2>Verification</h2>
    <p class="verdict bad" role="alert"><span aria-hidden="true">✗</span> Not verified</p>
    <p>${plainText(why)} ${advice}</p>
  </section>`
}
