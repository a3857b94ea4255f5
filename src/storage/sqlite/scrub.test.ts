import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Scrubber, unusedParts } from './scrub.ts'
import { open } from './handle.ts'
import type { Handle } from './handle.ts'

const marked = 'UNMISTAKABLE'
let directory: string
let handle: Handle
let scrubber: Scrubber

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-scrub-'))
  handle = open(join(directory, 'claviger.db'))
  // As a file from before has it: with everything that was ever deleted still in it.
  handle.pragma('secure_delete = 0')
  handle.pragma('wal_autocheckpoint = 0')
  handle.exec('create table t (key blob primary key, value text) without rowid; create table long (value text)')
  scrubber = new Scrubber(handle)
})
afterEach(() => {
  handle.close()
  scrubber.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Rows of random place and length; every tenth is marked, and deleted again. */
function churn(rounds: number): void {
  const insert = handle.prepare('insert into t values (?, ?)')
  const insertLong = handle.prepare('insert into long values (?)')
  const round = handle.transaction(() => {
    for (let row = 0; row < 100; row++) {
      const text = `${row % 10 === 0 ? marked : 'anything'}${'x'.repeat((row * 37) % 200)}`
      insert.run(randomBytes(8), text)
      if (row % 20 === 0) insertLong.run(text.repeat(60))
    }
  })
  for (let left = rounds; left > 0; left--) round()
  handle.exec(`delete from t where value like '${marked}%'; delete from long where value like '${marked}%'`)
}

const rows = () => handle.prepare('select hex(key), value from t union all select rowid, value from long').raw().all()
const digest = () => createHash('sha256').update(JSON.stringify(rows())).digest('hex')

function left(): number {
  const files = ['claviger.db', 'claviger.db-wal'].map((name) => readFileSync(join(directory, name), 'latin1'))
  return files.reduce((sum, text) => sum + text.split(marked).length - 1, 0)
}

function scrubAll(meanwhile = () => {}): void {
  for (let next: number | undefined = 0; next !== undefined;) {
    next = scrubber.scrub(next).next
    meanwhile()
  }
}

describe('clearing unused space', () => {
  it('leaves nothing of deleted rows, and every other row as it was', () => {
    churn(40)
    const before = digest()
    handle.pragma('wal_checkpoint(truncate)')
    expect(left()).toBeGreaterThan(100)
    scrubAll()
    expect(left()).toBe(0)
    expect(digest()).toBe(before)
    expect(handle.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('is not undone by what is written afterwards', () => {
    churn(40)
    scrubAll()
    const insert = handle.prepare('insert into t values (?, ?)')
    handle.transaction(() => {
      for (let row = 0; row < 5_000; row++) insert.run(randomBytes(8), 'later')
    })()
    expect(left()).toBe(0)
    handle.pragma('wal_checkpoint(truncate)')
    expect(left()).toBe(0)
    expect(handle.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('takes turns with writers, in a file that grows and whose free pages are used again', () => {
    handle.pragma('secure_delete = 1')
    churn(300)
    const insert = handle.prepare('insert into long values (?)')
    let turns = 0
    scrubAll(() => {
      turns++
      insert.run('y'.repeat(50_000))
    })
    expect(turns).toBeGreaterThan(0)
    handle.pragma('wal_checkpoint(truncate)')
    expect(left()).toBe(0)
    expect(handle.prepare('select count(*) from long where length(value) = 50000').pluck().get()).toBe(turns)
    expect(handle.pragma('integrity_check', { simple: true })).toBe('ok')
  })

  it('waits for its next turn where a reader holds the log', () => {
    churn(5)
    const reader = open(join(directory, 'claviger.db'))
    reader.exec('begin')
    reader.prepare('select count(*) from t').get()
    handle.exec("insert into long values ('z')")
    expect(scrubber.scrub(0)).toEqual({ next: 0 })
    reader.exec('commit')
    reader.close()
    scrubAll()
    expect(left()).toBe(0)
  })
})

describe('the unused parts of a page', () => {
  const page = (write: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.alloc(512)
    bytes[0] = 13
    bytes.writeUInt16BE(2, 3)
    bytes.writeUInt16BE(400, 5)
    write(bytes)
    return bytes
  }

  it('are what lies before the rows, and what was freed among them', () => {
    const freed = page((bytes) => {
      bytes.writeUInt16BE(420, 1)
      bytes.writeUInt16BE(460, 420)
      bytes.writeUInt16BE(10, 422)
      bytes.writeUInt16BE(20, 462)
    })
    expect(unusedParts(freed, 0)).toEqual([
      [12, 400],
      [424, 430],
      [464, 480],
    ])
  })

  it.each<[string, (bytes: Buffer) => void]>([
    ['no page of a tree', (bytes) => void (bytes[0] = 0)],
    ['rows outside of it', (bytes) => void bytes.writeUInt16BE(600, 5)],
    ['more pointers than room', (bytes) => void bytes.writeUInt16BE(300, 3)],
    ['freed parts outside of it', (bytes) => void bytes.writeUInt16BE(511, 1)],
    ['freed parts that overlap', (bytes) => void (bytes.writeUInt16BE(420, 1), bytes.writeUInt16BE(421, 420))],
  ])('are none where there is %s', (_, write) => {
    expect(unusedParts(page(write), 0)).toEqual([])
  })
})
