import type { Config } from '../core/config/settings.ts'
import type { RegistryService, ServiceOptions } from '../core/control/service.ts'
import type { CliContext } from './context.ts'
import { createSocketClient, isAnswering, notRunning } from './daemon/control-socket.ts'
import { createProgress } from './render/progress.ts'

/** How long a short-lived client waits for the first peer before it goes on with what it has. */
const firstPeerTimeoutMs = 5_000

/**
 * Runs `work` on the running node or, where none runs and `without` allows it, on the home itself: `client` joins the network for this one command when bootstrap peers are
 * configured, `offline` uses the disk alone. What is done without a node is said on stderr. Throws `NODE_NOT_RUNNING` for `nothing`.
 */
export async function useService<T>(
  context: CliContext,
  without: 'client' | 'offline' | 'nothing',
  work: (service: RegistryService, options: ServiceOptions) => Promise<T>,
): Promise<T> {
  const progress = createProgress(context.stderr as NodeJS.WriteStream)
  const options: ServiceOptions = { signal: context.signal, onProgress: progress.onProgress }
  try {
    if (await isAnswering(context.paths.controlSocket))
      return await work(createSocketClient(context.paths.controlSocket), options)
    if (without === 'nothing') throw notRunning()
    const { loadConfig } = await import('./config-file.ts')
    const config = loadConfig(context)
    const joins = without === 'client' && config.network.bootstrap_nodes.length > 0
    return await withOwnNode(context, config, joins ? 'client' : 'offline', without === 'client', (service) =>
      work(service, options),
    )
  } finally {
    progress.end()
  }
}

async function withOwnNode<T>(
  context: CliContext,
  config: Config,
  mode: 'client' | 'offline',
  wantsNetwork: boolean,
  work: (service: RegistryService) => Promise<T>,
): Promise<T> {
  const [{ openNode }, { createService }] = await Promise.all([
    import('./node/open-node.ts'),
    import('./node/service.ts'),
  ])
  const opened = await openNode({ paths: context.paths, config, mode })
  const note = (text: string): void => void context.stderr.write(`${text}\n`)
  try {
    const first = new Promise<void>((resolve) => void opened.network?.on('peer:connected', () => resolve()))
    await opened.start()
    for (const warning of opened.storage.warnings) note(`Note: ${warning}`)
    if (mode === 'offline' && wantsNetwork) {
      const rest =
        config.central.registries.length > 0 ? 'the cache and the central registries' : 'what is in the cache'
      note(`No node is running and no bootstrap peers are configured: using ${rest}.`)
    }
    if (mode === 'client') {
      note('No node is running: asking the network as a short-lived client.')
      if (!(await within(first, firstPeerTimeoutMs, context.signal)))
        note('No bootstrap peer answers: using what is in the cache.')
    }
    return await work(createService({ opened, paths: context.paths, config, startedMs: Date.now() }))
  } finally {
    await opened.stop()
  }
}

/** True when it happened in time. */
function within(event: Promise<void>, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs)
    const settle = (happened: boolean): void => {
      clearTimeout(timer)
      resolve(happened)
    }
    signal.addEventListener('abort', () => settle(false), { once: true })
    void event.then(() => settle(true))
  })
}
