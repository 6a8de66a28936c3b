/** Bundles what users run, so that it starts fast and installs small: libraries are inside, only native code stays a dependency. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { toJsonSchema } from '@valibot/to-json-schema'
import type { InputOptions, OutputOptions } from 'rolldown'
import { rolldown } from 'rolldown'
import { errorSchema, outputSchemas } from '../src/node-cli/output-schemas.ts'

const root = join(import.meta.dirname, '..')
const quiet = process.argv.includes('--quiet')

interface Bundle {
  entry: string
  dir: string
  platform: 'node' | 'browser'
  /** Of the file; by default the entry's. */
  name?: string
}

const bundles: Bundle[] = [
  { entry: 'src/node-cli/main.ts', dir: 'dist/cli', platform: 'node' },
  { entry: 'src/node-cli/index.ts', dir: 'dist/node', platform: 'node' },
  { entry: 'relay/main.ts', dir: 'dist/relay', platform: 'node' },
  { entry: 'src/browser/index.ts', dir: 'dist/browser', platform: 'browser' },
  { entry: 'src/browser/ui/main.ts', dir: 'dist/explorer', platform: 'browser', name: 'explorer' },
  { entry: 'src/browser/ui/page.ts', dir: 'dist/explorer', platform: 'browser' },
]

/** CommonJS libraries inside an ES module still ask for Node's own modules by `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);"

async function build({ entry, dir, platform, name = '[name]' }: Bundle): Promise<void> {
  const input: InputOptions = {
    cwd: root,
    input: entry,
    platform,
    logLevel: 'silent',
    external: platform === 'node' ? [/^node:/, 'node-datachannel'] : [],
    resolve: platform === 'node' ? { conditionNames: ['node', 'import', 'module', 'default'] } : {},
  }
  const output: OutputOptions = {
    dir: join(root, dir),
    format: 'es',
    entryFileNames: `${name}.js`,
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: true,
    // One file each for browsers: a part that is asked for later would be missing without a network.
    codeSplitting: platform === 'node',
    ...(platform === 'node' ? { banner: requireBanner } : {}),
  }
  const bundle = await rolldown(input)
  await bundle.write(output)
  await bundle.close()
}

/** What the commands print under `--json`, for whoever reads it by program. */
async function writeSchemas(): Promise<void> {
  const dir = join(root, 'dist', 'schemas')
  await mkdir(dir, { recursive: true })
  for (const [command, schema] of Object.entries({ ...outputSchemas, error: errorSchema })) {
    const text = JSON.stringify({ title: `ggen ${command} --json`, ...toJsonSchema(schema) }, null, 1)
    await writeFile(join(dir, `${command.replaceAll(' ', '-')}.json`), `${text}\n`)
  }
}

/** The explorer's one large file as servers send it to whoever takes it compressed: done once, not at each visit. */
async function compressExplorer(): Promise<void> {
  const path = join(root, 'dist', 'explorer', 'explorer.js')
  const content = await readFile(path)
  await writeFile(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }))
  await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }))
}

const startedMs = performance.now()
await rm(join(root, 'dist'), { recursive: true, force: true })
for (const bundle of bundles.filter(({ entry }) => existsSync(join(root, entry)))) await build(bundle)
await cp(join(root, 'src/browser/ui/static'), join(root, 'dist/explorer'), { recursive: true })
await compressExplorer()
const declarations = spawnSync('tsc', ['-p', 'tsconfig.types.json'], { cwd: root, stdio: 'inherit' })
if (declarations.status !== 0) process.exit(1)
await writeSchemas()
if (!quiet) process.stdout.write(`Built dist/ in ${Math.round(performance.now() - startedMs)} ms.\n`)
