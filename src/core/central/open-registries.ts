import type { CentralSource } from '../config/settings.ts'
import type { Sha256 } from '../ports.ts'
import type { CentralRegistry } from './central-registry.ts'
import type { ReadFile } from './ggen-registry.ts'
import { createGgenRegistry } from './ggen-registry.ts'
import type { CentralHttp } from './http.ts'
import { createNpmRegistry } from './npm-registry.ts'

/** The configured registries, in their order, each of its kind, over the HTTP and the files that a platform has. */
export function openRegistries(
  sources: readonly CentralSource[],
  platform: { http: CentralHttp; readFile: ReadFile; sha256: Sha256 },
): CentralRegistry[] {
  return sources.map(({ name, kind, url }) =>
    kind === 'npm'
      ? createNpmRegistry({ name, url, http: platform.http })
      : createGgenRegistry({ name, url, ...platform }),
  )
}
