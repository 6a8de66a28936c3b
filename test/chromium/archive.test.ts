import { unpackTar } from 'modern-tar'
import { expect, test } from 'vitest'
import type { ArchiveFile } from '../../src/browser/ui/archive.ts'
import { archiveOf } from '../../src/browser/ui/archive.ts'
import { randomBytes } from '../support/bytes.ts'

const file = (path: string, bytes: Uint8Array, exec = false): ArchiveFile => ({ path, exec, read: async () => bytes })

test('an archive holds every file as it was, whatever its name and size', async () => {
  const files = [
    file('p-1.0.0/empty', new Uint8Array()),
    file('p-1.0.0/bin/run.sh', new TextEncoder().encode('#!/bin/sh\n'), true),
    file('p-1.0.0/Größe/名前 😀.txt', new TextEncoder().encode('ü')),
    file(`p-1.0.0/${'folder/'.repeat(40)}${'x'.repeat(120)}.txt`, new Uint8Array(513).fill(7)),
    file('p-1.0.0/exactly', new Uint8Array(512).fill(1)),
    // More than the streams between hold at once.
    file('p-1.0.0/large.bin', randomBytes(20_000_000)),
    file('p-1.0.0/last', new Uint8Array()),
  ]
  const archive = await archiveOf(files)
  expect(archive.type).toBe('application/gzip')
  const entries = await unpackTar(archive.stream().pipeThrough(new DecompressionStream('gzip')))
  expect(entries.map(({ header }) => [header.name, header.mode, header.mtime?.getTime()])).toEqual(
    files.map(({ path, exec }) => [path, exec ? 0o755 : 0o644, 0]),
  )
  for (const [at, { data }] of entries.entries()) {
    const expected = await files[at]!.read()
    expect(data!.length).toBe(expected.length)
    expect(data!.every((byte, index) => byte === expected[index])).toBe(true)
  }
})

test('only one file is read at a time, and none before the one before it is packed', async () => {
  let reading = 0
  let most = 0
  const files = Array.from({ length: 30 }, (_, at) => ({
    path: `p/${at}`,
    exec: false,
    read: async () => {
      most = Math.max(most, ++reading)
      await new Promise((resolve) => setTimeout(resolve))
      reading--
      return new Uint8Array(1000)
    },
  }))
  await archiveOf(files)
  expect(most).toBe(1)
})

test('a file that cannot be read is why there is no archive', async () => {
  const failing: ArchiveFile = { path: 'p/b', exec: false, read: () => Promise.reject(new Error('Nobody has it.')) }
  await expect(archiveOf([file('p/a', new Uint8Array(5)), failing])).rejects.toThrow('Nobody has it.')
})
