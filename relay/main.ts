/** The command `ggen-relay`: reads its settings, runs the relay and ends on SIGTERM or SIGINT, after what it carries has had time to end. */
import { pino } from 'pino'
import { exitCodes, toRegistryError } from '../src/core/errors.ts'
import { version } from '../src/core/version.ts'
import type { CommandLine, RelayConfig } from './config.ts'
import { readConfig, usage } from './config.ts'
import type { HttpServer } from './http.ts'
import { serveHttp } from './http.ts'
import type { Relay } from './relay.ts'
import { createRelay } from './relay.ts'

const drainPollMs = 100
/** After this nothing that hangs may keep the process. */
const stopDeadlineMs = 5_000

type Log = ReturnType<typeof createLog>

/** One JSON object a line on stderr, where systemd and containers collect it. */
function createLog({ log_level }: RelayConfig) {
  return pino(
    { level: log_level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
}

async function serve(options: CommandLine): Promise<void> {
  const { config } = options
  const log = createLog(config)
  const stopped = signalled()
  const relay = await createRelay(config)
  logEvents(relay, log)
  let http: HttpServer | undefined
  let isReady = false
  try {
    await relay.start()
    http = await serveHttp(config, relay, { isReady: () => isReady })
    isReady = true
    const host = config.http.host === '0.0.0.0' ? '127.0.0.1' : config.http.host
    const url = `${config.tls === undefined ? 'http' : 'https'}://${host}:${http.port}`
    const ready = {
      peerId: relay.network.peerId,
      url,
      addresses: relay.network.addresses(),
      pid: process.pid,
      startupMs: Math.round(performance.now()),
    }
    log.info(ready, 'ready')
    process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : `Relay ${ready.peerId} at ${url}\n`)
    const reason = await stopped
    isReady = false
    log.info({ reason }, 'draining')
    await drain(relay, config.limits.drain_seconds * 1000)
  } finally {
    setTimeout(() => process.exit(), stopDeadlineMs).unref()
    await http?.close()
    await relay.stop()
    log.info('stopped')
  }
}

/** Also when the process that started it goes away, where it asked for that by GGEN_RELAY_PARENT: tests and demos leave nothing behind. */
function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
    if (process.env.GGEN_RELAY_PARENT === undefined) return
    process.stdin.resume()
    process.stdin.once('end', () => resolve('parent gone'))
    process.stdin.once('error', () => resolve('parent gone'))
  })
}

/** Circuits that carry something get a while to end; a second signal ends the wait. */
async function drain({ network }: Relay, forMs: number): Promise<void> {
  const untilMs = Date.now() + forMs
  let hurried = false
  void signalled().then(() => {
    hurried = true
  })
  while (network.relayStats().circuits > 0 && Date.now() < untilMs && !hurried)
    await new Promise((resolve) => setTimeout(resolve, drainPollMs))
}

function logEvents({ events, network }: Relay, log: Log): void {
  events.on('release:discovered', (release) => log.debug(release, 'release discovered'))
  events.on('log:forked', (fork) => log.warn(fork, 'a publisher log has forked'))
  events.on('peer:banned', (ban) => log.warn(ban, 'peer banned'))
  events.on('block:corrupt', (block) => log.warn(block, 'corrupt block thrown away'))
  events.on('background:failed', ({ task, error }) => log.debug({ error: String(error) }, `could not ${task}`))
  network.on('peer:connected', ({ peerId, transport }) => log.debug({ peerId, transport }, 'peer connected'))
  network.on('peer:disconnected', (peer) => log.debug(peer, 'peer disconnected'))
}

/** Returns the exit code. Ends the process by itself where native WebRTC threads would keep it: everything is on disk by then. */
export async function run(args: string[]): Promise<number> {
  try {
    const options = readConfig(args, process.env)
    if (options.help) process.stdout.write(usage)
    else if (options.version) process.stdout.write(`${version}\n`)
    else if (options.printConfig) process.stdout.write(`${JSON.stringify(options.config, null, 2)}\n`)
    else {
      await serve(options)
      process.exit(0)
    }
    return 0
  } catch (error) {
    const { code, message, hint } = toRegistryError(error)
    process.stderr.write(`Error [${code}]: ${message}\n${hint === undefined ? '' : `Hint: ${hint}\n`}`)
    if (code === 'INTERNAL' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    process.exit(exitCodes[code])
  }
}
