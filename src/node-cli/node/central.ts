import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CentralRegistry } from '../../core/central/central-registry.ts'
import { createCentralHttp, isHttp } from '../../core/central/http.ts'
import { openRegistries } from '../../core/central/open-registries.ts'
import type { Config } from '../../core/config/settings.ts'
import type { StateStore } from '../../core/ports.ts'
import { version } from '../../core/version.ts'
import { nodeSha256 } from '../../storage/node.ts'

/** The configured central registries; paths of index files are relative to the home. */
export function openCentralRegistries(config: Config, home: string, cache: StateStore): CentralRegistry[] {
  const { registries } = config.central
  if (registries.length === 0) return []
  useProxySettings()
  const client = createCentralHttp({
    fetch,
    userAgent: `ggen-p2p/${version} (+https://www.npmjs.com/package/ggen-p2p)`,
    cache,
  })
  const placed = registries.map((one) => (isHttp(one.url) ? one : { ...one, url: localPath(one.url, home) }))
  return openRegistries(placed, {
    http: client,
    readFile: async (path) => readFile(localPath(path, home)),
    sha256: nodeSha256,
  })
}

function localPath(path: string, home: string): string {
  if (path.startsWith('file:')) return fileURLToPath(path)
  return isAbsolute(path) ? path : resolve(home, path)
}

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, where this version of Node.js can be told at run time. */
function useProxySettings(): void {
  const { setGlobalProxyFromEnv } = http as unknown as { setGlobalProxyFromEnv?: () => void }
  setGlobalProxyFromEnv?.()
}
