import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/** Writes a package folder: a package.toml made of `fields`, plus `files`. Returns the folder. */
export async function writePackage(
  dir: string,
  fields: { name: string; version?: string; description?: string; keywords?: string[]; category?: string },
  files: Record<string, string | Uint8Array> = { 'README.md': `# ${fields.name}\n` },
): Promise<string> {
  const { name, version = '1.0.0', description = `The ${name} package`, keywords = [], category = 'test' } = fields
  const toml = `[package]\nname = ${JSON.stringify(name)}\nversion = ${JSON.stringify(version)}\ndescription = ${JSON.stringify(description)}
category = ${JSON.stringify(category)}\nlicense = "MIT"\nauthors = ["Test"]\nkeywords = ${JSON.stringify(keywords)}\n`
  for (const [path, content] of Object.entries({ 'package.toml': toml, ...files })) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
  return dir
}

/** `count` small files of different content, for a package of many files. */
export function manyFiles(count: number, bytes = 400): Record<string, Uint8Array> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `templates/part-${index % 20}/file-${index}.tmpl`,
      randomBytes(bytes),
    ]),
  )
}

/** Path → SHA-256 of every file below a folder. */
export async function hashTree(dir: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    hashes[relative(dir, path).replaceAll('\\', '/')] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  }
  return hashes
}
