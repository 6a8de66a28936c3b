import { describe, expect, test } from 'vitest'
import { RegistryError } from '../../src/core/errors.ts'
import type { InstallFile, InstallTarget, LogJournal, StateStore } from '../../src/core/ports.ts'

export function describeStateStore(name: string, make: () => Promise<StateStore>): void {
  describe(`${name} as a state store`, () => {
    test('gives back the last JSON written under each name', async () => {
      const state = await make()
      expect(await state.read('trust')).toBeUndefined()
      await state.write('trust', { pins: { a: 'b' } })
      await state.write('reputation', [1, 'ü', null])
      await state.write('trust', { pins: {} })
      expect(await state.read('trust')).toEqual({ pins: {} })
      expect(await state.read('reputation')).toEqual([1, 'ü', null])
    })
  })
}

export function describeLogJournal(name: string, make: () => Promise<LogJournal>): void {
  describe(`${name} as a log journal`, () => {
    test('gives each place of a log away once, and reads it in order', async () => {
      const journal = await make()
      const author = 'did:key:z6MkAda'
      expect(await journal.read(author)).toEqual([])
      expect(await journal.append(author, 1, Uint8Array.of(1))).toBe(true)
      expect(await journal.append(author, 0, Uint8Array.of(0))).toBe(true)
      expect(await journal.append(author, 1, Uint8Array.of(9))).toBe(false)
      expect(await journal.append('did:key:z6MkBea', 1, Uint8Array.of(7))).toBe(true)
      expect((await journal.read(author)).map((bytes) => [...bytes])).toEqual([[0], [1]])
      expect(await journal.authors()).toEqual([author, 'did:key:z6MkBea'])
    })

    test('lets one of many claims win', async () => {
      const journal = await make()
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, at) => journal.append('did:key:z', 0, Uint8Array.of(at))),
      )
      expect(claims.filter(Boolean)).toHaveLength(1)
      expect((await journal.read('did:key:z')).map(([byte]) => byte)).toEqual([claims.indexOf(true)])
    })
  })
}

function file(path: string, text: string, exec = false): InstallFile {
  const bytes = new TextEncoder().encode(text)
  return { path, exec, size: bytes.length, chunks: text === '' ? [] : [bytes.subarray(0, 1), bytes.subarray(1)] }
}

export function describeInstallTarget(name: string, make: () => Promise<InstallTarget>): void {
  describe(`${name} as an install target`, () => {
    async function contents(target: InstallTarget, pkg: string): Promise<Record<string, string>> {
      const found: Record<string, string> = {}
      for (const { path, exec, read } of (await target.openPackage(pkg))!.files) {
        const decoder = new TextDecoder()
        let text = ''
        for await (const chunk of read()) text += decoder.decode(chunk, { stream: true })
        found[path] = `${exec ? 'x ' : ''}${text}`
      }
      return found
    }

    test('writes packages whole, replaces them, lists and removes them', async () => {
      const target = await make()
      expect(await target.listPackages()).toEqual([])
      const path = await target.writePackage('tool', [
        file('a.txt', 'one'),
        file('bin/run', '#!', true),
        file('empty', ''),
      ])
      expect(path).toBe(target.packagePath('tool'))
      expect(await contents(target, 'tool')).toEqual({ 'a.txt': 'one', 'bin/run': 'x #!', empty: '' })
      await target.writePackage('tool', [file('b.txt', 'two')])
      expect(await contents(target, 'tool')).toEqual({ 'b.txt': 'two' })
      await target.writePackage('@scope/tool', [file('c', '3')])
      expect(await target.listPackages()).toEqual(['@scope/tool', 'tool'])
      expect(await target.removePackage('@scope/tool')).toBe(true)
      expect(await target.removePackage('@scope/tool')).toBe(false)
      expect(await target.listPackages()).toEqual(['tool'])
      expect(await target.openPackage('none')).toBeUndefined()
    })

    test('leaves the old package when the new one fails on its way', async () => {
      const target = await make()
      await target.writePackage('tool', [file('a.txt', 'one')])
      async function* failing(): AsyncIterable<InstallFile> {
        yield file('a.txt', 'two')
        throw new RegistryError('NO_PROVIDERS', 'gone')
      }
      await expect(target.writePackage('tool', failing())).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
      expect(await contents(target, 'tool')).toEqual({ 'a.txt': 'one' })
      await expect(target.writePackage('fresh', failing())).rejects.toMatchObject({ code: 'NO_PROVIDERS' })
      expect(await target.listPackages()).toEqual(['tool'])
    })

    test('keeps the lock file', async () => {
      const target = await make()
      expect(await target.readLock()).toBeUndefined()
      await target.writeLock('one')
      await target.writeLock('two\n')
      expect(await target.readLock()).toBe('two\n')
    })
  })
}
