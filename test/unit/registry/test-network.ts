import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CentralRegistry } from '../../../src/core/central/central-registry.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createSigner, generateKeyPair } from '../../../src/core/identity/key-pair.ts'
import type { PackageSource, SourceFile } from '../../../src/core/ports.ts'
import { logHeadRules } from '../../../src/core/registry/announcer.ts'
import type { RegistrySettings } from '../../../src/core/registry/parts.ts'
import { defaultSettings } from '../../../src/core/registry/parts.ts'
import type { RegistryEvents } from '../../../src/core/registry/registry-events.ts'
import type { RegistryNode } from '../../../src/core/registry-node.ts'
import { createRegistryNode } from '../../../src/core/registry-node.ts'
import { createReputation } from '../../../src/core/reputation/reputation.ts'
import { createTrust } from '../../../src/core/trust/trust.ts'
import { createNodeStorage, homePaths, nodeSha256, openProjectFolder } from '../../../src/storage/node.ts'
import { createMemoryHub, createMemoryNetwork } from '../../../src/transports/memory.ts'

export interface TestNode {
  node: RegistryNode
  peerId: string
  publisher: string
  home: string
  project: ReturnType<typeof openProjectFolder>
  projectDir: string
  heard: { [E in keyof RegistryEvents]?: RegistryEvents[E][] }
  /** A fresh node on the same home and key, as after a restart of the process. */
  reopen(): Promise<TestNode>
}

/** Registry nodes in one process over the memory network, with SQLite and files of their own. */
export function createTestNetwork() {
  const dir = mkdtempSync(join(tmpdir(), 'ggen-registry-'))
  const hub = createMemoryHub()
  const running = new Set<RegistryNode>()
  const clock = { offsetMs: 0, now: () => Date.now() + clock.offsetMs }

  async function add(
    name: string,
    options: {
      settings?: Partial<RegistrySettings>
      offline?: boolean
      central?: CentralRegistry[]
      keyPair?: Awaited<ReturnType<typeof generateKeyPair>>
    } = {},
  ): Promise<TestNode> {
    const keyPair = options.keyPair ?? (await generateKeyPair({ extractable: true }))
    const home = join(dir, name)
    const storage = createNodeStorage({ paths: homePaths(home), maxCacheBytes: 100_000_000, clock })
    const heard: TestNode['heard'] = {}
    const events = createEvents<RegistryEvents>((error) => {
      throw error
    })
    for (const event of [
      'release:discovered',
      'log:forked',
      'peer:banned',
      'background:failed',
      'sync:completed',
    ] as const) {
      events.on(event, (detail) => {
        const list = (heard[event] ?? []) as unknown[]
        list.push(detail)
        heard[event] = list as never
      })
    }
    const reputation = createReputation({
      state: storage.state,
      clock,
      banThreshold: 3,
      onBan: (ban) => events.emit('peer:banned', ban),
    })
    const network = createMemoryNetwork(hub, {
      peerId: name,
      gate: reputation,
      recordRules: [logHeadRules(nodeSha256)],
    })
    const signer = await createSigner(keyPair)
    const node = createRegistryNode({
      clock,
      sha256: nodeSha256,
      signer,
      ...storage,
      network: options.offline ? undefined : network,
      reputation,
      trust: createTrust(storage.state),
      central: options.central ?? [],
      settings: { ...defaultSettings, ...options.settings },
      events,
    })
    await node.start()
    running.add(node)
    const projectDir = join(dir, `${name}-project`)
    return {
      node,
      peerId: name,
      publisher: signer.did,
      home,
      project: openProjectFolder(projectDir),
      projectDir,
      heard,
      async reopen() {
        await stop(node)
        return add(name, { ...options, keyPair })
      },
    }
  }

  async function stop(node: RegistryNode): Promise<void> {
    running.delete(node)
    await node.stop()
  }

  return {
    dir,
    hub,
    clock,
    add,
    stop,
    connect: (a: TestNode, b: TestNode) => a.node.parts.network!.connect(b.peerId),
    async dispose() {
      await Promise.all([...running].map(stop))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A package in memory, to publish from. */
export function packageSource(
  fields: {
    name: string
    version?: string
    description?: string
    keywords?: string[]
    dependencies?: Record<string, string>
  },
  files: Record<string, string> = { 'README.md': `# ${fields.name}` },
): PackageSource {
  const { name, version = '1.0.0', description = '', keywords = [], dependencies = {} } = fields
  const rows = Object.entries(dependencies).map(
    ([dependency, range]) => `${JSON.stringify(dependency)} = ${JSON.stringify(range)}\n`,
  )
  const toml = `[package]\nname = "${name}"\nversion = "${version}"\ndescription = ${JSON.stringify(description)}\nkeywords = ${JSON.stringify(keywords)}\n[ggen-dependencies]\n${rows.join('')}`
  const all = { ...files, 'package.toml': toml }
  return {
    label: name,
    ignored: [],
    files: Object.entries(all).map(([path, text]): SourceFile => {
      const bytes = new TextEncoder().encode(text)
      return {
        path,
        size: bytes.length,
        exec: false,
        async *read() {
          yield bytes
        },
      }
    }),
  }
}

/** Waits for a condition; gossip and reconciliation take their own time. */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
