// The file of what was rejected: for its owner alone, and nobody else's.

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Rejects } from './rejects.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-rejects-'))
afterAll(() => rmSync(directory, { recursive: true }))
const place = { file: 'client.json', line: 1, record: () => ({ secret: 'told to nobody' }) }

it('is readable by its owner only, also where it was there for all', async () => {
  const path = join(directory, 'open.jsonl')
  writeFileSync(path, 'of before')
  chmodSync(path, 0o644)
  const rejects = new Rejects(path)
  await rejects.open({ bytes: 0, lines: 0 })
  rejects.write(place, 'No.', 'clients')
  await rejects.close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ reason: 'No.' })
})

it('says where there is no room', async () => {
  const rejects = new Rejects('/dev/full')
  await rejects.open({ bytes: 0, lines: 0 })
  rejects.write(place, 'No.', 'clients')
  await expect(rejects.flush()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('ENOSPC') })
})

it('leaves a device as it is', async () => {
  const { mode } = statSync('/dev/null')
  const rejects = new Rejects('/dev/null')
  await rejects.open({ bytes: 0, lines: 0 })
  rejects.write(place, 'No.', 'clients')
  await rejects.close()
  expect(statSync('/dev/null').mode).toBe(mode)
})

it.each([
  ['a shorter one', 'notes'],
  ['one of as much and more', 'n'.repeat(2_000)],
])('goes on in no other file: %s', async (_, text) => {
  const path = join(directory, 'other.jsonl')
  writeFileSync(path, text)
  const opening = new Rejects(path).open({ bytes: 1_000, lines: 3 })
  await expect(opening).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('go on in the directory where it was begun'),
  })
  expect(readFileSync(path, 'utf8')).toBe(text)
})

it('goes on behind what was there at the last checkpoint', async () => {
  const path = join(directory, 'on.jsonl')
  const before = new Rejects(path)
  before.write(place, 'First.', 'clients')
  const there = await before.flush()
  before.write(place, 'Lost.', 'clients')
  await before.close()
  const rejects = new Rejects(path)
  expect(await rejects.open(there)).toBe(false)
  rejects.write(place, 'Second.', 'clients')
  await rejects.close()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ reason: 'First.' }, { reason: 'Second.' }])
})

it('begins anew where there is none, unless it cannot', async () => {
  const path = join(directory, 'anew.jsonl')
  const rejects = new Rejects(path)
  expect(await rejects.open({ bytes: 1_000, lines: 3 })).toBe(true)
  rejects.write(place, 'No.', 'clients')
  expect(await rejects.flush()).toEqual({ bytes: statSync(path).size, lines: 1 })
  await rejects.close()
  const opening = new Rejects(join(directory, 'nowhere', 'anew.jsonl')).open({ bytes: 1_000, lines: 3 })
  await expect(opening).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('cannot be written'),
  })
})

it('tells also of what is nested without end', async () => {
  const path = join(directory, 'deep.jsonl')
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
  const rejects = new Rejects(path)
  await rejects.open({ bytes: 0, lines: 0 })
  rejects.write({ ...place, record: () => deep }, 'Too deep.', 'statements')
  await rejects.close()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ line: 1, reason: 'Too deep.', record: null })
})

it('loses no line where it is written out while others come', async () => {
  const path = join(directory, 'many.jsonl')
  const rejects = new Rejects(path)
  await rejects.open({ bytes: 0, lines: 0 })
  const long = 'x'.repeat(1024 * 1024)
  const flushes: Promise<unknown>[] = []
  for (let line = 1; line <= 12; line++) {
    rejects.write({ file: 'a', line, record: () => long }, 'No.', 'statements')
    if (rejects.isFull) flushes.push(rejects.flush())
  }
  expect(flushes.length).toBeGreaterThan(1)
  await Promise.all(flushes)
  expect(await rejects.flush()).toEqual({ bytes: statSync(path).size, lines: 12 })
  await rejects.close()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  expect(lines.map((one) => (JSON.parse(one) as { line: number }).line)).toEqual(lines.map((_, at) => at + 1))
})
