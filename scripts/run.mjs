/**
 * The one entry of every npm script: sets up what a fresh machine lacks, then runs the task on Node 24. Plain JavaScript for whatever Node.js the system has (18 or
 * newer), and nothing but built-in modules, because it runs before the packages are there.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const localBin = join(root, 'node_modules', '.bin')
const env = { ...process.env, PATH: `${localBin}${delimiter}${process.env.PATH ?? ''}` }

const vitest = (project, ...args) => ['vitest', 'run', '--project', project, ...args]
const types = ['tsc', '-p', 'tsconfig.json']

/** Stages of each task, in order; the first that fails ends it. A stage is a command of `node_modules/.bin`. */
const tasks = {
  build: [['node', 'scripts/build.ts']],
  start: [
    ['node', 'scripts/build.ts', '--quiet'],
    ['node', 'scripts/demo.ts', ...process.argv.slice(3)],
  ],
  lint: [['biome', 'ci', '.']],
  format: [['biome', 'check', '--write', '.']],
  check: [
    types,
    ['tsc', '-p', 'tsconfig.core-node.json'],
    ['tsc', '-p', 'tsconfig.core-dom.json'],
    ['biome', 'ci', '.'],
    ['knip'],
    ['publint', '--strict'],
    ['attw', '--pack', '.', '--profile', 'esm-only'],
  ],
  unit: [vitest('unit', ...process.argv.slice(3))],
  chromium: [vitest('chromium', ...process.argv.slice(3))],
  browser: [['node', 'scripts/build.ts', '--quiet'], vitest('browser', ...process.argv.slice(3))],
  network: [['node', 'scripts/build.ts', '--quiet'], vitest('network', ...process.argv.slice(3))],
  bench: [
    ['node', 'scripts/build.ts', '--quiet'],
    ['node', 'test/bench/run.ts', ...process.argv.slice(3)],
  ],
}
tasks.test = [
  ...tasks.build,
  ...tasks.check,
  ['size-limit'],
  vitest('unit', '--coverage'),
  vitest('network'),
  vitest('chromium'),
  vitest('browser'),
]
/** Tasks that open a browser. */
const needsChromium = ['test', 'chromium', 'browser', 'bench']

function fail(message, hint) {
  process.stderr.write(`Error: ${message}\nHint: ${hint}\n`)
  process.exit(1)
}

/**
 * Installs what the lock file names where packages are missing or older than it; Node 24 comes along, as the package `node`. Not `npm ci`: that refuses a lock file
 * which lacks other platforms' optional binaries, and not every registry mirror has them all.
 */
function installPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  const lock = join(root, 'package-lock.json')
  const upToDate = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs
  if (upToDate && existsSync(join(localBin, 'node'))) return
  process.stderr.write('Installing packages (once; about a minute) …\n')
  const done = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0)
    fail('npm install failed.', 'Check that the npm registry can be reached, then run the command again.')
  const { status, stdout } = spawnSync(join(localBin, 'node'), ['--version'], { encoding: 'utf8' })
  if (status !== 0)
    fail(
      'The packages hold no working Node.js 24.',
      'Allow the install script of the package "node" (npm install-scripts approve node).',
    )
  process.stderr.write(`Ready, with Node.js ${stdout.trim()}.\n`)
}

/** Debian's Chromium, or whichever GGEN_CHROMIUM names: the browsers that Playwright would download come from elsewhere than packages do. */
function installChromium() {
  if (existsSync(process.env.GGEN_CHROMIUM ?? '/usr/bin/chromium')) return
  const hint = 'Install Chromium (Debian: apt-get install chromium), or name its program in GGEN_CHROMIUM.'
  if (process.env.GGEN_CHROMIUM !== undefined) fail(`There is no ${process.env.GGEN_CHROMIUM}.`, hint)
  process.stderr.write('Installing Chromium (once; about half a minute) …\n')
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const apt = (...args) => {
    const [command, ...rest] = [...asRoot, 'apt-get', '-y', '-q', ...args]
    const aptEnv = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    return spawnSync(command, rest, { stdio: ['ignore', 2, 2], env: aptEnv }).status === 0
  }
  const install = () => apt('install', '--no-install-recommends', 'chromium')
  if (!install() && !(apt('update') && install())) fail('Chromium could not be installed.', hint)
}

let current
/** Runs one stage in the foreground; signals reach it through the terminal or are passed on. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    current = spawn(command, args, { cwd: root, env, stdio: 'inherit', shell: process.platform === 'win32' })
    current.on('error', (error) => resolve({ error }))
    current.on('close', (status, signal) => resolve({ status, signal }))
  })
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => current?.kill(signal))

const name = process.argv[2] ?? ''
const stages = tasks[name]
if (stages === undefined) fail(`No such task: ${name}`, `One of: ${Object.keys(tasks).join(', ')}`)
installPackages()
if (needsChromium.includes(name)) installChromium()

const summary = []
for (const stage of stages) {
  const startedMs = Date.now()
  const label = stage.join(' ')
  if (stages.length > 2) process.stdout.write(`\n▶ ${label}\n`)
  const { status, signal, error } = await run(stage)
  summary.push(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${label}`,
  )
  if (status === 0) continue
  if (error) process.stderr.write(`${error.message}\n`)
  if (stages.length > 2) process.stdout.write(`\n${summary.join('\n')}\n`)
  process.exit(status ?? (signal === 'SIGINT' ? 130 : 1))
}
if (stages.length > 2) process.stdout.write(`\n${summary.join('\n')}\n`)
