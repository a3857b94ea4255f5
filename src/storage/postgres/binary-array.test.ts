// What is sent as binary arrays is what the database reads, to the last bit and character.

import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { byteaArray, int4Array, int8Array, textArray } from './binary-array.ts'
import { Database } from './database.ts'

let database: Database
beforeAll(() => {
  database = new Database({ url: inject('postgresUrl'), connections: 1 })
})
afterAll(() => database.close())

async function read(type: string, array: Buffer): Promise<unknown[]> {
  const rows = await database.query<{ readonly value: unknown }>(
    `select value from unnest($1::${type}[]) with ordinality as items (value, n) order by n`,
    [array],
  )
  return rows.map(({ value }) => value)
}

const integers = [
  0,
  1,
  -1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 52 + 3,
  1_750_000_000_000_123,
  -5_000_000_000,
]
const hashed = [(1n << 62n) | 7n, (1n << 63n) - 1n]
const texts = ['', 'a', 'é', '日本語', '😀', '{"a,b":"\\"}', ' null ', 'x'.repeat(70_000)]

it.each([
  ['int8', int8Array([...integers, ...hashed]), [...integers, ...hashed]],
  ['int4', int4Array([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]), [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]],
  ['text', textArray(texts), texts],
  ['bytea', byteaArray([Buffer.from(''), Buffer.from([0, 255, 10])]), [Buffer.from(''), Buffer.from([0, 255, 10])]],
])('%s', async (type, array, values) => {
  expect(await read(type, array)).toEqual(values)
})

it.each([
  ['int8', int8Array([])],
  ['int4', int4Array([])],
  ['text', textArray([])],
  ['bytea', byteaArray([])],
])('no %s at all', async (type, array) => {
  expect(await read(type, array)).toEqual([])
})
