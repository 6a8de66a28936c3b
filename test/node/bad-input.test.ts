import { chmod, mkdir, open, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CacheInfoResult, InstallResult, PublishResult, StatusResult } from '../../src/core/control/service.ts'
import type { Machine, Outcome } from '../support/ggen.ts'
import { createMachines, eventually } from '../support/ggen.ts'
import { manyFiles, writePackage } from '../support/packages.ts'

let machines: Awaited<ReturnType<typeof createMachines>>
let alice: Machine
let address: string

beforeAll(async () => {
  machines = await createMachines()
  alice = await machines.add('alice')
  address = (await alice.start()).addresses[0]!
})

afterAll(() => machines.dispose())

/** A refusal as the contract wants it: code, exit code, a hint, nothing but JSON on stdout. */
function expectRefused(outcome: Outcome, code: string, exitCode: number): { message: string; hint: string } {
  expect(outcome.exitCode, outcome.stderr).toBe(exitCode)
  const { error } = JSON.parse(outcome.stdout) as { error: { code: string; message: string; hint: string } }
  expect(error.code).toBe(code)
  expect(error.message).not.toBe('')
  expect(error.hint).toBeTruthy()
  return error
}

const publish = (dir: string, args: string[] = []) => alice.run(['p2p', 'publish', dir, ...args, '--json'])
const folder = (name: string) => join(machines.dir, 'packages', name)

async function cached(machine: Machine): Promise<number> {
  return (await machine.json<CacheInfoResult>(['marketplace', 'cache', 'info'])).packages.length
}

describe('publishing refuses, and nothing is left behind', () => {
  test('a package.toml that is no TOML, naming file, line and column', async () => {
    const dir = folder('no-toml')
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'package.toml'), '[package]\nname = "x"\nversion = = 1\n')
    const { message } = expectRefused(await publish(dir), 'INVALID_MANIFEST', 2)
    expect(message).toMatch(/package\.toml:3:\d+/)
  })

  test('a folder without any manifest, and one that is not there', async () => {
    const dir = folder('bare')
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'README.md'), '# bare')
    expectRefused(await publish(dir), 'INVALID_MANIFEST', 2)
    expectRefused(await publish(folder('absent')), 'INVALID_PACKAGE', 2)
  })

  test('a symbolic link', async () => {
    const dir = await writePackage(folder('linked'), { name: 'linked' })
    await symlink('/etc/passwd', join(dir, 'secret'))
    expect(expectRefused(await publish(dir), 'INVALID_PACKAGE', 2).message).toContain('secret')
  })

  test('names that differ only by case', async () => {
    const dir = await writePackage(folder('case'), { name: 'case' }, { 'Readme.md': 'a', 'README.md': 'b' })
    expect((await readdir(dir)).length).toBe(3)
    expectRefused(await publish(dir), 'INVALID_PACKAGE', 2)
  })

  test('a 3 GB file', async () => {
    const dir = await writePackage(folder('huge'), { name: 'huge' })
    await (await open(join(dir, 'big.bin'), 'w')).close()
    await truncate(join(dir, 'big.bin'), 3 * 1024 ** 3)
    const { hint } = expectRefused(await publish(dir), 'INVALID_PACKAGE', 2)
    expect(hint).toContain('big.bin')
    await rm(join(dir, 'big.bin'))
  })

  test.skipIf(process.getuid?.() === 0)('an unreadable file', async () => {
    const dir = await writePackage(folder('locked'), { name: 'locked' }, { 'a.txt': 'a' })
    await chmod(join(dir, 'a.txt'), 0)
    expectRefused(await publish(dir), 'PERMISSION', 1)
  })

  test('a file that changes meanwhile', async () => {
    const dir = await writePackage(folder('moving'), { name: 'moving' }, manyFiles(2_000, 2_000))
    const file = await open(join(dir, 'zz-log.txt'), 'w')
    let writing = true
    const writer = (async () => {
      while (writing) {
        await file.appendFile('x'.repeat(100))
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    try {
      expect(expectRefused(await publish(dir), 'INVALID_PACKAGE', 2).message).toContain('zz-log.txt')
    } finally {
      writing = false
      await writer
      await file.close()
    }
  })

  test('bad names and versions on the command line', async () => {
    const dir = await writePackage(folder('fine'), { name: 'fine' })
    expectRefused(await publish(dir, ['--name', '../up']), 'USAGE', 2)
    expectRefused(await publish(dir, ['--version', 'one']), 'USAGE', 2)
    expect(await cached(alice)).toBe(0)
  })

  test('what a home without a running node asks to publish', async () => {
    const idle = await machines.add('idle')
    const dir = await writePackage(folder('idle'), { name: 'idle' })
    expectRefused(await idle.run(['p2p', 'publish', dir, '--json']), 'NODE_NOT_RUNNING', 6)
    const dry = await idle.json<PublishResult>(['p2p', 'publish', dir, '--dry-run'])
    expect(dry.dryRun?.files.map(({ path }) => path)).toEqual(['README.md', 'package.toml'])
  })
})

describe('the node', () => {
  test('starts once per home', async () => {
    const { message } = expectRefused(await alice.run(['p2p', 'start', '--daemon', '--json']), 'ALREADY_RUNNING', 2)
    const { pid } = await alice.json<StatusResult>(['p2p', 'status'])
    expect(message).toContain(String(pid))
  })

  test('names a port that is taken, and leaves the home free', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const bob = await machines.add('bob')
    const outcome = await bob.run(['p2p', 'start', '--daemon', '--listen', `/ip4/127.0.0.1/tcp/${port}`, '--json'])
    expect(expectRefused(outcome, 'CONNECTION_FAILED', 5).message).toContain(String(port))
    server.close()
    expect((await bob.start()).addresses).toHaveLength(1)
  })

  test('refuses bad addresses', async () => {
    expectRefused(await alice.run(['p2p', 'connect', 'nonsense', '--json']), 'INVALID_MULTIADDR', 2)
    expectRefused(await alice.run(['p2p', 'connect', '/ip4/1.2.3/tcp/1', '--json']), 'INVALID_MULTIADDR', 2)
    const carol = await machines.add('carol')
    for (const flag of ['--listen', '--bootstrap']) {
      expectRefused(
        await carol.run(['p2p', 'start', '--daemon', flag, '/ip4/999.1.1.1/tcp/1/p2p/x', '--json']),
        'INVALID_MULTIADDR',
        2,
      )
    }
    expect((await carol.json<{ running: boolean }>(['p2p', 'status'])).running).toBe(false)
  })

  test('says who cannot be reached or found', async () => {
    const target = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
    expectRefused(
      await alice.run(['p2p', 'connect', `/ip4/127.0.0.1/tcp/9/p2p/${target}`, '--json']),
      'CONNECTION_FAILED',
      5,
    )
    expectRefused(await alice.run(['p2p', 'disconnect', '--peer', target, '--json']), 'PEER_NOT_FOUND', 3)
  })

  test('lists all three faults of a configuration, each with its line', async () => {
    const dora = await machines.add('dora')
    await mkdir(dora.home, { recursive: true })
    const text = '# mine\n[network]\nbootstrap_node = []\nmdns = "maybe"\n\n[performance]\nmax_peers = -1\n'
    await writeFile(join(dora.home, 'p2p-config.toml'), text)
    const outcome = await dora.run(['p2p', 'config', 'validate', '--json'])
    expect(outcome.exitCode).toBe(2)
    const { faults } = JSON.parse(outcome.stdout) as { faults: { line: number; key: string; hint?: string }[] }
    // The environment sets mdns for all tests, but the file's fault is one all the same.
    expect(faults.map(({ line, key }) => [line, key])).toEqual([
      [3, 'network.bootstrap_node'],
      [4, 'network.mdns'],
      [7, 'performance.max_peers'],
    ])
    expect(faults[0]?.hint).toContain('network.bootstrap_nodes')
    const start = await dora.run(['p2p', 'start', '--daemon'])
    expect(start.exitCode).toBe(2)
    for (const line of ['line 3', 'line 4', 'line 7']) expect(start.stderr).toContain(line)
  })

  test('needs no node to say that none is running', async () => {
    const idle = await machines.add('nobody')
    expect(await idle.json(['p2p', 'status'])).toEqual({ running: false })
    for (const args of [
      ['p2p', 'peers'],
      ['p2p', 'stop'],
      ['p2p', 'connect', address],
    ]) {
      expectRefused(await idle.run([...args, '--json']), 'NODE_NOT_RUNNING', 6)
    }
  })

  test('keeps its addresses over a restart, and starts again after kill -9', async () => {
    const erin = await machines.add('erin')
    const first = await erin.start()
    process.kill(first.pid, 'SIGKILL')
    const second = await eventually('the home is free again', () => erin.start())
    expect(second.addresses).toEqual(first.addresses)
    expect(second.pid).not.toBe(first.pid)
  })

  test('protects its keys and its socket', async () => {
    for (const name of ['identity.key', 'publisher.key', 'control.sock']) {
      const { mode } = await stat(join(alice.home, 'p2p', name))
      expect(mode & 0o777, name).toBe(0o600)
    }
  })
})

describe('commands', () => {
  test('that are misspelt are answered with the nearest one', async () => {
    const outcome = await alice.run(['marketplace', 'instal', 'x'])
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('Did you mean: ggen marketplace install?')
  })

  test.each([
    [['marketplace', 'search', 'x', '--registy', 'p2p'], 'Did you mean --registry?'],
    [['p2p', 'publsh', 'x'], 'Did you mean: ggen p2p publish?'],
    [['install', 'x'], 'Did you mean: ggen marketplace install?'],
    [['p2p', 'install', 'x'], 'Did you mean: ggen marketplace install?'],
    [['marketplace', 'start'], 'Did you mean: ggen p2p start?'],
    [['p2p', 'publish'], 'ggen p2p publish <folder>'],
    [['marketplace', 'install', './folder'], 'ggen marketplace p2p publish'],
    [['p2p', 'config', 'set', 'max_peers', '5'], 'Did you mean performance.max_peers?'],
    [['marketplace', 'yank', 'tool'], 'rest-handlers@1.0.0'],
    [['p2p', 'connect', 'localhost:4001'], '/ip4/192.0.2.7/tcp/4001'],
  ])('help with the mistake %j', async (args, hint) => {
    const outcome = await alice.run(args)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain(hint)
  })

  test('for packages that do not exist suggest a similar name', async () => {
    await alice.json(['p2p', 'publish', await writePackage(folder('rest-handlers'), { name: 'rest-handlers' })])
    const { hint } = expectRefused(
      await alice.run(['marketplace', 'install', 'rest-handler', '--json']),
      'PACKAGE_NOT_FOUND',
      3,
    )
    expect(hint).toContain('rest-handlers')
    expectRefused(await alice.run(['marketplace', 'install', 'rest-handlers@^9', '--json']), 'VERSION_NOT_FOUND', 3)
    expectRefused(await alice.run(['marketplace', 'install', '../x', '--json']), 'INVALID_SPEC', 2)
    expect(await readdir(alice.project)).toEqual([])
  })

  test('print text from packages without control characters', async () => {
    const description = 'nice \u001b[31mred\u001b[0m \u009b2J and \u202eevil'
    const dir = folder('escapes')
    await mkdir(dir, { recursive: true })
    await writeFile(
      join(dir, 'package.toml'),
      `[package]\nname = "escapes"\nversion = "1.0.0"\ndescription = ${JSON.stringify(description)}\n`,
    )
    const outcome = await publish(dir)
    if (outcome.exitCode !== 0) {
      // Refusing such a description at the source is as good.
      expectRefused(outcome, 'INVALID_MANIFEST', 2)
      return
    }
    for (const args of [
      ['marketplace', 'search', 'escapes'],
      ['marketplace', 'info', 'escapes'],
      ['marketplace', 'info', 'escapes', '--json'],
    ]) {
      const { stdout } = await alice.run(args)
      expect(stdout).toContain('nice')
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
  })

  test('stand a closed pipe', async () => {
    const { spawnSync } = await import('node:child_process')
    const bin = join(import.meta.dirname, '..', '..', 'bin', 'ggen.js')
    const piped = spawnSync('sh', ['-c', `"${process.execPath}" "${bin}" p2p config show | head -1; true`], {
      env: { ...process.env, GGEN_HOME: alice.home },
      encoding: 'utf8',
    })
    expect(piped.stderr).toBe('')
    expect(piped.stdout.trim().split('\n')).toHaveLength(1)
  })
})

describe('damage on the disk', () => {
  test('a corrupt block in the cache is thrown away and fetched again', async () => {
    const frank = await machines.add('frank')
    await frank.start(['--bootstrap', address])
    const dir = await writePackage(folder('solid'), { name: 'solid' }, { 'big.bin': Buffer.alloc(300_000, 7) })
    await alice.json(['p2p', 'publish', dir])
    await eventually(
      'frank installs it',
      async () => (await frank.run(['marketplace', 'install', 'solid'])).exitCode === 0,
    )
    const blocks = join(frank.home, 'p2p-cache', 'blocks')
    const names = (await readdir(blocks, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    expect(names).toHaveLength(1)
    const path = join(names[0]!.parentPath, names[0]!.name)
    await chmod(path, 0o600)
    await writeFile(path, Buffer.alloc(300_000, 8))
    await rm(join(frank.project, '.ggen'), { recursive: true })
    const { installed } = await frank.json<InstallResult>(['marketplace', 'install', 'solid'])
    expect(installed[0]).toMatchObject({ name: 'solid' })
    expect((await frank.run(['marketplace', 'verify'])).exitCode).toBe(0)
    const { warnings } = await frank.json<StatusResult>(['p2p', 'status'])
    expect(warnings.join(' ')).toContain('corrupt')
  })

  test('truncated databases are moved aside and rebuilt, and nothing published is lost', async () => {
    const grace = await machines.add('grace')
    await grace.start(['--bootstrap', address])
    const dir = await writePackage(folder('precious'), { name: 'precious', keywords: ['gem'] }, manyFiles(50))
    const { cid } = await grace.json<PublishResult>(['p2p', 'publish', dir])
    await eventually(
      'alice has a copy',
      async () => (await alice.run(['marketplace', 'install', 'precious'])).exitCode === 0,
    )
    await grace.run(['p2p', 'stop'])
    for (const name of ['index.sqlite', 'blocks.sqlite']) {
      const file = join(grace.home, 'p2p-cache', name)
      await truncate(file, Math.floor((await stat(file)).size / 2))
    }
    await grace.start(['--bootstrap', address])
    const status = await grace.json<StatusResult>(['p2p', 'status'])
    expect(status.warnings.join('\n')).toMatch(
      /index\.sqlite was damaged[\s\S]*blocks\.sqlite was damaged|blocks\.sqlite was damaged[\s\S]*index\.sqlite was damaged/,
    )
    expect(status.packages.published).toBe(1)
    await eventually('the content is back from alice', async () => {
      const outcome = await grace.run(['marketplace', 'install', 'precious', '--offline', '--json'])
      return outcome.exitCode === 0 && (JSON.parse(outcome.stdout) as InstallResult).installed[0]?.cid === cid
    })
    const { results } = await grace.json<{ results: { name: string }[] }>(['marketplace', 'search', 'gem'])
    expect(results[0]?.name).toBe('precious')
    expect(
      (await readdir(join(grace.home, 'p2p-cache'))).filter((name) => name.includes('.corrupt-')),
    ).not.toHaveLength(0)
  })
})
