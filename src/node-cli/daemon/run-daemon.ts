import { rmSync } from 'node:fs'
import type { Config } from '../../core/config/settings.ts'
import { toRegistryError } from '../../core/errors.ts'
import { version } from '../../core/version.ts'
import type { HomePaths } from '../../storage/node.ts'
import type { OpenedNode } from '../node/open-node.ts'
import { openNode } from '../node/open-node.ts'
import { createService } from '../node/service.ts'
import { serveControl } from './control-server.ts'
import { isAnswering } from './control-socket.ts'
import { claimHome, updateDaemonFile } from './daemon-file.ts'
import type { DaemonLog } from './daemon-log.ts'

export interface Ready {
  peerId: string
  publisher: string
  addresses: string[]
  pid: number
  controlSocket: string
  startupMs: number
}

/**
 * Runs a node in this process until `stop` aborts or the control API asks for it. `onReady` is called once it serves. Throws `ALREADY_RUNNING`, `CONNECTION_FAILED`
 * for a busy port, and whatever the storage throws; nothing is left running or locked then.
 */
export async function runDaemon(options: {
  paths: HomePaths
  config: Config
  log: DaemonLog
  stop: AbortSignal
  onReady(ready: Ready): void
}): Promise<void> {
  const { paths, config, log, stop } = options
  const startedMs = Date.now()
  const startedAt = new Date(startedMs).toISOString()
  await claimHome(paths.daemonJson, () => isAnswering(paths.controlSocket))
  const stopped = new AbortController()
  let opened: OpenedNode | undefined
  let control: { close(): Promise<void> } | undefined
  try {
    opened = await openNode({
      paths,
      config,
      mode: 'daemon',
      onError: (error) => log.warn('a listener failed', { error: String(error) }),
    })
    logEvents(opened, log)
    const service = createService({ opened, paths, config, startedMs })
    await opened.start()
    for (const warning of opened.storage.warnings) log.warn(warning)
    control = await serveControl(paths.controlSocket, service, {
      onStop: () => stopped.abort(),
      onBug: (error) =>
        log.warn('a request failed unexpectedly', {
          stack: error.cause instanceof Error ? error.cause.stack : error.stack,
        }),
    })
    const { peerId } = opened.network!
    const addresses = opened.network!.addresses()
    updateDaemonFile(paths.daemonJson, {
      pid: process.pid,
      startedAt,
      peerId,
      controlSocket: paths.controlSocket,
      addresses,
      version,
    })
    // From the start of the process: what a user waits for.
    const startupMs = Math.round(performance.now())
    log.info('ready', { peerId, addresses, startupMs })
    options.onReady({
      peerId,
      publisher: await opened.node.publisherLog.publisher(),
      addresses,
      pid: process.pid,
      controlSocket: paths.controlSocket,
      startupMs,
    })
    await aborted(AbortSignal.any([stop, stopped.signal]))
    log.info('stopping')
  } finally {
    await control?.close()
    await opened
      ?.stop()
      .catch((error: unknown) => log.warn('did not stop cleanly', { error: toRegistryError(error).message }))
    rmSync(paths.daemonJson, { force: true })
    log.info('stopped')
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function logEvents({ events }: OpenedNode, log: DaemonLog): void {
  events.on('release:discovered', ({ name, version: released, publisher, from }) =>
    log.info('release discovered', { name, version: released, publisher, from: from ?? 'self' }),
  )
  events.on('log:forked', (fork) => log.warn('a publisher log has forked', { ...fork }))
  events.on('peer:banned', ({ peerId, reason }) => log.warn('peer banned', { peerId, reason }))
  events.on('block:corrupt', ({ cid }) => log.warn('corrupt block thrown away', { cid }))
  events.on('background:failed', ({ task, error }) =>
    log.info(`could not ${task}`, { error: error instanceof Error ? error.message : String(error) }),
  )
}
