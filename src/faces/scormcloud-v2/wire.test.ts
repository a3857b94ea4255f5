import { describe, expect, it } from 'vitest'
import { readList, writeMore } from './page.ts'
import { flagIn, parameter, readBody, readTime, wordIn, writeTime } from './wire.ts'
import { flag, oneOf, text } from './wire.ts'
import { z } from 'zod'

describe('times', () => {
  const at = Date.UTC(2024, 0, 2, 3, 4, 5)

  it.each([
    ['JavaScript', '2024-01-02T03:04:05.000Z', at],
    ['PHP', '2024-01-02T03:04:05+00:00', at],
    ['PHP in a query that is not encoded', '2024-01-02T03:04:05 00:00', at],
    ['Python without a zone', '2024-01-02T03:04:05', at],
    ['Python with microseconds', '2024-01-02T03:04:05.123456', at + 123],
    ['Python with a zone', '2024-01-02T05:34:05.999999+02:30', at + 999],
    ['Java without seconds', '2024-01-02T03:04Z', at - 5000],
    ['Java with nanoseconds', '2024-01-02T03:04:05.123456789Z', at + 123],
    ['.NET', '2024-01-02T03:04:05.0000000Z', at],
    ['.NET west of Greenwich', '2024-01-01T22:04:05.0000000-05:00', at],
    ['Ruby', '2024-01-02 03:04:05 UTC', at],
    ['Ruby with a zone', '2024-01-02 04:04:05 +0100', at],
    ['a day', '2024-01-02', Date.UTC(2024, 0, 2)],
    ['lower case', '2024-01-02t03:04:05z', at],
    ['29 February', '2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('of %s', (_who, written, expected) => {
    expect(readTime(written)).toBe(expected)
  })

  it.each([
    '',
    'now',
    '2024',
    '2024-01',
    '2024-13-01',
    '2023-02-29',
    '2024-01-02T24:00:00Z',
    '2024-01-02T23:60:00Z',
    '2024-01-02T23:59:60Z',
    '2024-01-02T03:04:05+25:00',
    '2024-01-02T03:04:05+01:60',
    '2024-01-02T03',
    '2024-01-02Z',
    '12024-01-02T03:04:05Z',
    '0000-01-01T00:00:00Z',
    '2024-01-02T03:04:05.Z',
    '2024-01-02T03:04:05.0000000000Z',
    '2024-01-02T03:04:05Z ',
    '1704164645000',
    '２０２４-01-02T03:04:05Z',
    `2024-01-02T03:04:05.${'0'.repeat(10_000)}`,
  ])('none of %.40s', (written) => {
    expect(readTime(written)).toBeUndefined()
  })

  it('are written as read', () => {
    expect(readTime(writeTime(at + 7))).toBe(at + 7)
  })
})

describe('queries', () => {
  const query = new URLSearchParams('a=1&b=&c=x&c=y&yes=True&no=FALSE&word=CREATED')

  it('a parameter that is empty is none; one that is there twice is refused', () => {
    expect([parameter(query, 'a'), parameter(query, 'b'), parameter(query, 'z')]).toEqual(['1', undefined, undefined])
    expect(() => parameter(query, 'c')).toThrow('refused')
  })

  it('flags and words are read in any case', () => {
    expect([flagIn(query, 'yes'), flagIn(query, 'no'), flagIn(query, 'z')]).toEqual([true, false, undefined])
    expect(wordIn(query, 'word', ['updated', 'created'])).toBe('created')
    expect(() => flagIn(query, 'a')).toThrow()
  })

  it('more brings back what the first request asked for, but for the count', () => {
    const options = { list: 'things', filterBy: ['id', 'name'], include: ['includeX', 'includeY'] }
    const asked = 'since=2024-01-02&filter=x&filterBy=name&orderBy=created_desc&includeTotalCount=true&includeY=true'
    const first = readList(new URLSearchParams(asked), options)
    expect(first).toEqual({
      filter: { by: 'name', text: 'x' },
      ...{ since: Date.UTC(2024, 0, 2), rangeBy: 'updatedAt', by: 'createdAt', isDescending: true },
      ...{ isCounted: true, include: ['includeY'] },
    })
    const more = writeMore('things', first, { at: 17, id: 'last' })
    expect(more).toMatch(/^[\w-]+$/)
    const second = readList(new URLSearchParams({ more, includeTotalCount: 'true' }), options)
    expect(second).toEqual({ ...first, after: { at: 17, id: 'last' }, isCounted: false })
    expect(() => readList(new URLSearchParams({ more }), { ...options, list: 'others' })).toThrow()
  })

  it.each([
    '{}',
    '[]',
    'null',
    '7',
    '{"list":"things","rangeBy":"updatedAt","by":"createdAt","isDescending":true,"after":{"at":1e300,"id":"x"},"include":[]}',
    '{"list":"things","rangeBy":"id","by":"createdAt","isDescending":true,"after":{"at":1,"id":"x"},"include":[]}',
    '{"list":"things","rangeBy":"updatedAt","by":"createdAt","isDescending":true,"after":{"at":1,"id":"x"},"include":[],"rights":"all"}',
    '{"list":"things","rangeBy":"updatedAt","by":"createdAt","isDescending":true,"after":{"at":1,"id":"\\u0000"},"include":[]}',
    '{"list":"things","filter":{"by":"id","text":"\\ud800"},"rangeBy":"updatedAt","by":"createdAt","isDescending":true,"after":{"at":1,"id":"x"},"include":[]}',
  ])('no other more: %s', (json) => {
    const more = Buffer.from(json).toString('base64url')
    expect(() => readList(new URLSearchParams({ more }), { list: 'things', filterBy: ['id'] })).toThrow('refused')
  })
})

describe('bodies', () => {
  const schema = z.object({ a: text(), b: flag, c: oneOf(['x', 'y']) }).partial()

  it('null stands for what is left out, unknown members are ignored', () => {
    expect(readBody(schema, { a: null, b: false, d: 7, __proto__: { a: 'x' } })).toEqual({ b: false })
    const list = z.object({ list: z.array(schema) })
    expect(readBody(list, { list: [{ a: null, b: false }] })).toEqual({ list: [{ b: false }] })
    expect(() => readBody(list, { list: [null] })).toThrow()
  })

  it('every broken member is named', () => {
    expect(() => readBody(schema, { a: 1, b: 'true', c: 'z' })).toThrow(
      expect.objectContaining({
        code: 'invalid',
        detail: {
          failures: [
            expect.objectContaining({ pointer: '/a', message: 'must be a string' }),
            expect.objectContaining({ pointer: '/b', message: 'must be true or false' }),
            expect.objectContaining({ pointer: '/c', message: 'must be one of x, y, not "z"' }),
          ],
        },
      }),
    )
  })
})
