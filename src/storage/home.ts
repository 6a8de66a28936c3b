import { createHash } from 'node:crypto'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export interface HomePaths {
  home: string
  config: string
  cacheDir: string
  identityKey: string
  publisherKey: string
  daemonJson: string
  daemonLog: string
  controlSocket: string
  state: string
  log: string
}

/** Longest path of a Unix socket on Linux, in bytes. */
const maxSocketPathBytes = 107

export function ggenHome(env: NodeJS.ProcessEnv = process.env): string {
  return env.GGEN_HOME || join(homedir(), '.ggen')
}

/** Where everything lives below a home. Pure. */
export function homePaths(
  home: string,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): HomePaths {
  const own = join(home, 'p2p')
  return {
    home,
    config: join(home, 'p2p-config.toml'),
    cacheDir: join(home, 'p2p-cache'),
    identityKey: join(own, 'identity.key'),
    publisherKey: join(own, 'publisher.key'),
    daemonJson: join(own, 'daemon.json'),
    daemonLog: join(own, 'daemon.log'),
    controlSocket: controlSocket(home, join(own, 'control.sock'), env, platform),
    state: join(own, 'state'),
    log: join(own, 'log'),
  }
}

function controlSocket(home: string, usual: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const name = `ggen-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`
  if (platform === 'win32') return `\\\\.\\pipe\\${name}`
  if (Buffer.byteLength(usual) <= maxSocketPathBytes) return usual
  return join(env.XDG_RUNTIME_DIR || tmpdir(), `${name}.sock`)
}
