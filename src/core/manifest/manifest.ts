import type { CID } from 'multiformats/cid'
import * as v from 'valibot'
import { createBlock, decodeNode, encodeNode, isOurCid } from '../blocks/block.ts'
import { RegistryError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Block, Sha256 } from '../ports.ts'
import { describeFault } from '../schema-fault.ts'
import { nameSchema, versionSchema } from './field-schemas.ts'
import { checkPackagePaths, comparePaths } from './package-path.ts'
import type { Manifest } from './types.ts'

const manifestSchema = v.strictObject({
  v: v.literal(1),
  name: nameSchema,
  version: versionSchema,
  files: v.pipe(
    v.array(
      v.strictObject({
        path: v.string(),
        size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(limits.maxPackageBytes)),
        exec: v.boolean(),
        blocks: v.array(v.custom<CID>((value) => isOurCid(value, 'raw'), 'not the CID of a raw block')),
      }),
    ),
    v.maxLength(limits.maxFiles),
  ),
})

/** The manifest as a block. Throws `INVALID_PACKAGE` when it breaks a rule that every reader checks. */
export async function encodeManifest(manifest: Manifest, sha256: Sha256): Promise<Block> {
  const checked = check(manifest)
  if ('fault' in checked) {
    throw new RegistryError('INVALID_PACKAGE', `The package cannot be published: ${checked.fault}.`, {
      hint: 'Change what is named, then publish again.',
    })
  }
  const bytes = encodeNode(checked.manifest)
  if (bytes.byteLength > limits.maxManifestBytes) {
    throw new RegistryError(
      'INVALID_PACKAGE',
      `The list of ${manifest.files.length} files takes ${bytes.byteLength} bytes; at most ${limits.maxManifestBytes} are allowed.`,
      { hint: 'Split the package, or leave files out with .ggenignore.' },
    )
  }
  return createBlock('dag-cbor', bytes, sha256)
}

/**
 * Hostile bytes as a manifest: its size, encoding, shape, paths, order and block counts are checked. Throws
 * `VERIFICATION_FAILED`.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.byteLength > limits.maxManifestBytes) throw refused(`it has ${bytes.byteLength} bytes`)
  const checked = check(decodeNode(bytes))
  if ('fault' in checked) throw refused(checked.fault)
  return checked.manifest
}

/** Sum of the files' sizes. */
export function manifestBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, file) => sum + file.size, 0)
}

/** The blocks of all files, each once, in the order in which they are first needed. */
export function manifestBlocks(manifest: Manifest): CID[] {
  const unique = new Map<string, CID>()
  for (const file of manifest.files) for (const cid of file.blocks) unique.set(cid.toString(), cid)
  return [...unique.values()]
}

function check(value: unknown): { manifest: Manifest } | { fault: string } {
  const parsed = v.safeParse(manifestSchema, value, { abortEarly: true })
  if (!parsed.success) return { fault: describeFault(parsed.issues) }
  const fault = findFault(parsed.output)
  return fault === undefined ? { manifest: parsed.output } : { fault }
}

function findFault(manifest: Manifest): string | undefined {
  const { files } = manifest
  const wrongCount = files.find((file) => file.blocks.length !== Math.ceil(file.size / limits.maxBlockBytes))
  if (wrongCount !== undefined)
    return `"${wrongCount.path}" has ${wrongCount.blocks.length} blocks for ${wrongCount.size} bytes`
  const bytes = manifestBytes(manifest)
  if (bytes > limits.maxPackageBytes)
    return `its files have ${bytes} bytes; at most ${limits.maxPackageBytes} are allowed`
  const pathFault = checkPackagePaths(files.map((file) => file.path))
  if (pathFault !== undefined) return `the path "${pathFault.path}" ${pathFault.fault}`
  const unsorted = files.find((file, index) => index > 0 && comparePaths(files[index - 1]?.path ?? '', file.path) >= 0)
  return unsorted === undefined ? undefined : `"${unsorted.path}" is out of order`
}

function refused(reason: string): RegistryError {
  return new RegistryError('VERIFICATION_FAILED', `The manifest was refused: ${reason}.`, {
    hint: 'Nothing was installed. Whoever published this did not use ggen, or means harm.',
  })
}
