import { resolveConfig } from '../core/config/config.ts'
import type { RegistryService } from '../core/control/service.ts'
import { RegistryError } from '../core/errors.ts'
import { homePaths } from '../storage/node.ts'
import { createSocketClient, isAnswering } from './daemon/control-socket.ts'
import type { NodeOptions } from './node/node-options.ts'
import { openNode } from './node/open-node.ts'
import { createService } from './node/service.ts'

export interface SharedNode {
  /** The node's service, wherever it runs. Throws `NODE_NOT_RUNNING` before `start` and after `stop`. */
  readonly service: RegistryService
  /** True while this process runs the node. */
  readonly isRunningHere: boolean
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * The node of a home, whoever runs it: the daemon when one does, else this process, until `stop`. `mode` says what it is here; `client`, the default, asks others and serves nobody.
 *
 * @example
 * const shared = createSharedNode({ home: '/home/ada/.ggen' })
 * await shared.start()
 * const found = await shared.service.search({ query: 'rest api' }, { signal: AbortSignal.timeout(5_000) })
 * await shared.stop()
 */
export function createSharedNode({ home, settings = {}, mode = 'client' }: NodeOptions): SharedNode {
  let running: { service: RegistryService; isHere: boolean; stop(): Promise<void> } | undefined
  return {
    get service() {
      if (running !== undefined) return running.service
      throw new RegistryError('NODE_NOT_RUNNING', 'The shared node is not running.', { hint: 'Call start() first.' })
    },
    get isRunningHere() {
      return running?.isHere ?? false
    },
    async start() {
      const paths = homePaths(home)
      if (await isAnswering(paths.controlSocket)) {
        running = { service: createSocketClient(paths.controlSocket), isHere: false, stop: async () => undefined }
        return
      }
      const { config } = resolveConfig({ flags: settings })
      const opened = await openNode({ paths, config, mode })
      await opened.start()
      const service = createService({ opened, paths, config, startedMs: Date.now() })
      running = { service, isHere: true, stop: opened.stop }
    },
    async stop() {
      const stopping = running
      running = undefined
      await stopping?.stop()
    },
  }
}
