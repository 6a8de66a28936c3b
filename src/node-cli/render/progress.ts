import { Presets, SingleBar } from 'cli-progress'
import type { ServiceProgress } from '../../core/control/service.ts'
import { clean, formatBytes, formatDuration } from './text.ts'

/** What is quicker than this needs no bar. */
const showAfterMs = 500

export interface Progress {
  onProgress(event: ServiceProgress): void
  end(): void
}

interface Terminal extends NodeJS.WritableStream {
  isTTY?: boolean
}

/** Bytes, rate, time left and sources of whatever takes longer than half a second; on a terminal only. Warnings are shown wherever stderr goes. */
export function createProgress(stderr: Terminal): Progress {
  const startedMs = performance.now()
  const sources = new Set<string>()
  let bar: SingleBar | undefined

  function show(label: string, bytes: number, totalBytes: number): void {
    if (!stderr.isTTY || performance.now() - startedMs < showAfterMs) return
    const seconds = (performance.now() - startedMs) / 1000
    const rate = bytes / seconds
    const from = sources.size === 0 ? '' : ` from ${sources.size} ${sources.size === 1 ? 'peer' : 'peers'}`
    const left = rate > 0 && totalBytes > bytes ? `, ${formatDuration(((totalBytes - bytes) / rate) * 1000)} left` : ''
    const facts = {
      label: clean(label),
      done: formatBytes(bytes),
      all: formatBytes(totalBytes),
      rate: formatBytes(rate),
      from,
      left,
    }
    if (bar === undefined) {
      bar = new SingleBar(
        {
          format: '{label} [{bar}] {done} of {all}, {rate}/s{left}{from}',
          stream: stderr as NodeJS.WriteStream,
          barsize: 24,
          hideCursor: true,
          clearOnComplete: true,
        },
        Presets.legacy,
      )
      bar.start(totalBytes, bytes, facts)
    }
    bar.setTotal(totalBytes)
    bar.update(bytes, facts)
  }

  return {
    onProgress(event) {
      if (event.type === 'files') show('Reading', event.bytes, event.totalBytes)
      if (event.type === 'block:received') {
        sources.add(event.peerId)
        show(event.package, event.bytes, event.totalBytes)
      }
      if (event.type === 'block:rejected')
        stderr.write(`A peer was dropped: ${clean(event.reason)} (${event.peerId})\n`)
      if (event.type === 'warning') stderr.write(`Note: ${clean(event.message)}\n`)
      if (event.type === 'source:answered' && stderr.isTTY && event.status !== 'skipped')
        stderr.write(`${answerText(event)}\n`)
      if (event.type === 'replica' && stderr.isTTY) stderr.write(`Held by ${event.replicas} of ${event.wanted} peers\n`)
    },
    end() {
      bar?.stop()
      bar = undefined
    },
  }
}

/** What one source of a search said, while the others are still asked. */
function answerText({
  source,
  status,
  results,
  names,
  tookMs,
}: Extract<ServiceProgress, { type: 'source:answered' }>): string {
  const took = formatDuration(tookMs)
  if (status !== 'ok') return `${clean(source)}: ${status} after ${took}`
  const more = results > names.length ? ', …' : ''
  return `${clean(source)}: ${results} found in ${took}${names.length > 0 ? ` (${names.map(clean).join(', ')}${more})` : ''}`
}
