import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homePaths } from '../../../src/storage/home.ts'

test('the home has its fixed places', () => {
  const paths = homePaths('/home/ada/.ggen', {}, 'linux')
  expect(paths).toMatchObject({
    config: join('/home/ada/.ggen', 'p2p-config.toml'),
    cacheDir: join('/home/ada/.ggen', 'p2p-cache'),
    identityKey: join('/home/ada/.ggen', 'p2p', 'identity.key'),
    publisherKey: join('/home/ada/.ggen', 'p2p', 'publisher.key'),
    controlSocket: join('/home/ada/.ggen', 'p2p', 'control.sock'),
  })
})

test('a socket path too long for the system moves, by a name of its own per home', () => {
  const long = `/home/${'x'.repeat(120)}`
  const moved = homePaths(long, { XDG_RUNTIME_DIR: '/run/user/1000' }, 'linux').controlSocket
  expect(moved).toMatch(/^\/run\/user\/1000\/ggen-[0-9a-f]{16}\.sock$/)
  expect(homePaths(`${long}y`, { XDG_RUNTIME_DIR: '/run/user/1000' }, 'darwin').controlSocket).not.toBe(moved)
  expect(homePaths(long, {}, 'linux').controlSocket).not.toContain('xxxx')
})

test('Windows gets a named pipe', () => {
  const { controlSocket } = homePaths('C:\\Users\\Ada\\.ggen', {}, 'win32')
  expect(controlSocket).toMatch(/^\\\\\.\\pipe\\ggen-[0-9a-f]{16}$/)
})
