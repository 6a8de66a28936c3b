import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { lines } from '../../src/core/control/client.ts'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'ggen-relay.js')

export interface RunningRelay {
  url: string
  peerId: string
  pid: number
  addresses: string[]
  /** Address by its transport: `tcp`, `ws`, `webrtc-direct`. */
  address(transport: 'tcp' | 'ws' | 'webrtc-direct'): string
  /** The value of one metric; its labelled lines are added up. */
  metric(name: string): Promise<number>
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  stderr(): string
}

export interface RelayOptions {
  home: string
  /** Folder served at `/`. */
  explorer?: string
  /** Of an earlier run: the same page goes on with it. */
  httpPort?: number
  args?: string[]
  /** By default TCP, WebSocket and webrtc-direct on loopback. */
  listen?: string[]
}

/** As the systemd unit and the image start it. */
const frugalMemory = { NODE_OPTIONS: '--max-semi-space-size=1', MALLOC_ARENA_MAX: '1' }

/** A real relay process on loopback, ready. It ends with this process. */
export async function startRelay(options: RelayOptions): Promise<RunningRelay> {
  const everything = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct']
  const listen = options.listen ?? everything
  const explorer = options.explorer === undefined ? [] : ['--explorer', options.explorer]
  const child = spawn(
    process.execPath,
    [
      bin,
      '--json',
      '--home',
      options.home,
      '--http-host',
      '127.0.0.1',
      '--http-port',
      String(options.httpPort ?? 0),
      ...explorer,
      ...listen.flatMap((address) => ['--listen', address]),
      '--set',
      'limits.drain_seconds=0',
      '--set',
      'http.requests_per_minute=100000',
      ...(options.args ?? []),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...frugalMemory, GGEN_RELAY_PARENT: '1' } },
  )
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-100_000)
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const ready = await readyLine(child, () => stderr)

  return {
    ...ready,
    stderr: () => stderr,
    address(transport) {
      const pattern = { tcp: /\/tcp\/\d+\/p2p\//, ws: /\/ws\//, 'webrtc-direct': /\/webrtc-direct\// }[transport]
      return ready.addresses.find((address) => pattern.test(address))!
    },
    async metric(name) {
      const text = await (await fetch(`${ready.url}/metrics`)).text()
      const values = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

type Ready = Pick<RunningRelay, 'url' | 'peerId' | 'pid' | 'addresses'>

async function readyLine(child: ChildProcess, stderr: () => string): Promise<Ready> {
  for await (const line of lines(child.stdout as AsyncIterable<Uint8Array>)) {
    child.stdout?.resume()
    return JSON.parse(line) as Ready
  }
  throw new Error(`The relay ended before it was ready:\n${stderr()}`)
}
