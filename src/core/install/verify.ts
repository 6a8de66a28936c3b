import type { CID } from 'multiformats/cid'
import { parseCid } from '../blocks/block.ts'
import type { FileFault, VerifyResult } from '../control/service.ts'
import { RegistryError } from '../errors.ts'
import { buildManifest } from '../manifest/build.ts'
import { parseManifest } from '../manifest/manifest.ts'
import type { Manifest, ManifestFile } from '../manifest/types.ts'
import type { EntryStore, InstallTarget } from '../ports.ts'
import { readLock } from './install.ts'
import type { InstallStore } from './installed-files.ts'
import type { LockedPackage } from './lock-file.ts'

/**
 * Hashes everything installed again and compares it with the lock file's content IDs, and checks that the locked publisher signed a release of that content. Throws
 * `PACKAGE_NOT_FOUND` for a name that is not in the lock.
 */
export async function verifyInstalled(
  deps: { store: InstallStore; entries: EntryStore },
  target: InstallTarget,
  names: readonly string[],
): Promise<VerifyResult> {
  const { packages } = await readLock(target)
  const unknown = names.find((name) => packages.every((locked) => locked.name !== name))
  if (unknown !== undefined) {
    throw new RegistryError('PACKAGE_NOT_FOUND', `${unknown} is not in ggen.lock.`, {
      hint: 'See what is installed: ggen marketplace list',
    })
  }
  const wanted = names.length === 0 ? packages : packages.filter(({ name }) => names.includes(name))
  const results: VerifyResult['packages'] = []
  for (const locked of wanted) results.push(await verifyOne(deps, target, locked))
  return { ok: results.every(({ ok }) => ok), packages: results }
}

async function verifyOne(
  deps: { store: InstallStore; entries: EntryStore },
  target: InstallTarget,
  locked: LockedPackage,
): Promise<VerifyResult['packages'][number]> {
  const { name, version, publisher } = locked
  const cid = parseCid(locked.cid)
  const signature = await signatureOf(deps.entries, cid, locked)
  const check = await checkInstalled(deps.store, target, { name, version, cid })
  const result = {
    name,
    version,
    cid: locked.cid,
    publisher,
    signature,
    files: check?.files ?? 0,
    faults: check?.faults ?? [],
  }
  if (check === undefined) return { ...result, ok: false, error: 'It is not installed.' }
  return { ...result, ok: check.faults.length === 0 && (signature === 'valid' || signature === 'central') }
}

/** Entries in the store were verified before they were stored; what remains to see is that one says just this. */
async function signatureOf(
  entries: EntryStore,
  cid: CID,
  locked: LockedPackage,
): Promise<VerifyResult['packages'][number]['signature']> {
  if (locked.publisher === null) return 'central'
  const releases = await entries.byManifest(cid)
  if (releases.length === 0) return 'missing'
  const fits = releases.some(
    ({ entry }) =>
      entry.type === 'release' &&
      entry.publisher === locked.publisher &&
      entry.body.name === locked.name &&
      entry.body.version === locked.version,
  )
  return fits ? 'valid' : 'invalid'
}

/** Compares installed files with their content ID. Undefined when the package is not there. */
export async function checkInstalled(
  store: InstallStore,
  target: InstallTarget,
  expected: { name: string; version: string; cid: CID },
): Promise<{ files: number; faults: FileFault[] } | undefined> {
  const source = await target.openPackage(expected.name)
  if (source === undefined) return undefined
  const links = source.ignored.map(({ path }): FileFault => ({ path, fault: 'extra' }))
  const actual = await manifestOfFiles(store, expected, source)
  const files = source.files.length
  if (actual?.cid.equals(expected.cid)) return { files, faults: links }
  const bytes = await store.blocks.get(expected.cid, { verify: true })
  // Without the manifest it is certain that something differs, but not what.
  if (bytes === undefined || actual === undefined) return { files, faults: [...links, { path: '', fault: 'changed' }] }
  return { files, faults: [...links, ...differences(parseManifest(bytes), actual.manifest)] }
}

async function manifestOfFiles(
  store: InstallStore,
  { name, version }: { name: string; version: string },
  source: Parameters<typeof buildManifest>[0]['source'],
): Promise<{ cid: CID; manifest: Manifest } | undefined> {
  try {
    const { manifest, block } = await buildManifest({
      name,
      version,
      source,
      sha256: store.sha256,
      putBlocks: async () => {},
    })
    return { cid: block.cid, manifest }
  } catch (error) {
    // Files that no package may hold were put there by somebody else.
    if (error instanceof RegistryError && error.code === 'INVALID_PACKAGE') return undefined
    throw error
  }
}

function differences(expected: Manifest, actual: Manifest): FileFault[] {
  const there = new Map(actual.files.map((file) => [file.path, file]))
  const faults: FileFault[] = []
  for (const file of expected.files) {
    const found = there.get(file.path)
    there.delete(file.path)
    if (found === undefined) faults.push({ path: file.path, fault: 'missing' })
    else if (!sameContent(file, found)) faults.push({ path: file.path, fault: 'changed' })
    else if (file.exec !== found.exec)
      faults.push({ path: file.path, fault: file.exec ? 'not-executable' : 'executable' })
  }
  for (const path of there.keys()) faults.push({ path, fault: 'extra' })
  return faults
}

function sameContent(a: ManifestFile, b: ManifestFile): boolean {
  return (
    a.size === b.size &&
    a.blocks.length === b.blocks.length &&
    a.blocks.every((cid, index) => cid.equals(b.blocks[index]))
  )
}
