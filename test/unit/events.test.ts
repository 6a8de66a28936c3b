import { beforeEach, expect, test } from 'vitest'
import type { Events } from '../../src/core/events.ts'
import { createEvents } from '../../src/core/events.ts'

interface Facts {
  counted: number
  named: { name: string }
}

let errors: unknown[]
let events: Events<Facts>

beforeEach(() => {
  errors = []
  events = createEvents((error) => errors.push(error))
})

test('every listener of a fact hears it, in the order they came, and of no other', () => {
  const heard: unknown[] = []
  events.on('counted', (count) => heard.push(['first', count]))
  events.on('counted', (count) => heard.push(['second', count]))
  events.on('named', ({ name }) => heard.push(name))
  events.emit('counted', 1)
  expect(heard).toEqual([
    ['first', 1],
    ['second', 1],
  ])
  events.emit('named', { name: 'x' })
  expect(heard.at(-1)).toBe('x')
})

test('a fact that nobody listens to is no failure', () => {
  expect(() => events.emit('counted', 1)).not.toThrow()
})

test('who stops listening hears nothing more, and stopping twice does no harm', () => {
  const heard: number[] = []
  const others: number[] = []
  const stop = events.on('counted', (count) => heard.push(count))
  events.on('counted', (count) => others.push(count))
  events.emit('counted', 1)
  stop()
  stop()
  events.emit('counted', 2)
  expect(heard).toEqual([1])
  expect(others).toEqual([1, 2])
})

test("a listener's failure is reported, and neither the emitter nor the others notice", () => {
  const heard: number[] = []
  const failure = new Error('deaf')
  events.on('counted', () => {
    throw failure
  })
  events.on('counted', (count) => heard.push(count))
  events.emit('counted', 1)
  expect(heard).toEqual([1])
  expect(errors).toEqual([failure])
})

test('listeners that come or go during a fact change who hears the next one', () => {
  const heard: string[] = []
  const stop = events.on('counted', () => {
    heard.push('once')
    stop()
    events.on('counted', () => heard.push('late'))
  })
  events.on('counted', () => heard.push('other'))
  events.emit('counted', 1)
  expect(heard).toEqual(['once', 'other'])
  events.emit('counted', 2)
  expect(heard).toEqual(['once', 'other', 'other', 'late'])
})
