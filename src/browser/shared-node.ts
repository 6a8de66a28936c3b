import { RegistryError, toRegistryError } from '../core/errors.ts'
import type { NodeOptions } from './create-node.ts'
import { createNode } from './create-node.ts'
import { createBrowserService } from './create-service.ts'
import { lockIsFree } from './node-lock.ts'
import type { BrowserService, ServiceEvents } from './service.ts'
import { createTabClient, serveTabs } from './tab-channel.ts'

export interface SharedNode {
  /** The node, in whichever tab it runs: calls go there, and are made again in the tab that takes over. */
  readonly service: BrowserService
  /** True while this tab runs the node. */
  readonly isRunningHere: boolean
  on<E extends keyof ServiceEvents>(event: E, listener: (detail: ServiceEvents[E]) => void): () => void
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * The node that all tabs of this origin share: the first tab runs it, the others talk to it, and when its tab closes another takes over. `start` resolves when a node answers.
 * Throws what `createNode` throws, except `ALREADY_RUNNING`.
 */
export function createSharedNode(options: NodeOptions = {}): SharedNode {
  const channelName = `ggen-p2p:${options.name ?? 'ggen'}`
  const stopped = new AbortController()
  const client = createTabClient(channelName)
  let runningHere: { stop(): Promise<void> } | undefined

  /** Runs the node here; false when another tab does. */
  async function tryToRun(): Promise<boolean> {
    try {
      const node = await createNode(options)
      const server = serveTabs(channelName)
      runningHere = {
        async stop() {
          server.close()
          await node.stop()
        },
      }
      try {
        await node.start()
      } catch (error) {
        runningHere = undefined
        server.close()
        await node.stop().catch(() => undefined)
        throw error
      }
      const restart = async (): Promise<void> => {
        await runningHere?.stop()
        runningHere = undefined
        await run()
      }
      server.open(createBrowserService(node, { emit: server.emit, restart }))
      return true
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'ALREADY_RUNNING') return false
      throw error
    }
  }

  async function run(): Promise<void> {
    if (await tryToRun()) return
    void waitForPlace()
  }

  /** Where two tabs wait, one gets the place and the other waits again. */
  async function waitForPlace(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await lockIsFree(options.name ?? 'ggen', stopped.signal)
        if (await tryToRun()) return
      } catch (error) {
        if (stopped.signal.aborted) return
        client.fail(toRegistryError(error))
        return
      }
    }
  }

  return {
    service: client.service,
    get isRunningHere() {
      return runningHere !== undefined
    },
    on: client.on,
    async start() {
      await run()
      await client.service.status()
    },
    async stop() {
      stopped.abort()
      await runningHere?.stop()
      runningHere = undefined
      client.close()
    },
  }
}
