import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statementArbitrary } from '../../../test/support/statement-arbitrary.ts'
import { aStatement, someone } from '../../../test/support/statement.ts'
import { normalise } from './normalise.ts'
import { maxStatementLength, prepare } from './prepare.ts'
import type { Statement } from './statement.ts'
import { listTerms } from './term.ts'
import { parseTimestamp } from './time.ts'
import { voidedVerb } from './verb.ts'

const id = '8f87ccde-bb56-4c2e-ab83-44982ef22df0'
const stamp = { authority: someone, mayChooseAuthority: false, version: '1.0', uuid: () => id } as const

describe('a prepared statement', () => {
  it('has an open body that the store closes', () => {
    fc.assert(
      fc.property(statementArbitrary('2.0'), (statement) => {
        const normal = normalise(statement, { ...stamp, version: '2.0' })
        const { openBody } = prepare(normal)
        const stored = '2026-01-02T03:04:05.123456Z'
        expect(JSON.parse(`${openBody},"stored":"${stored}"}`)).toEqual({
          ...(JSON.parse(JSON.stringify(normal)) as object),
          stored,
        })
      }),
    )
  })

  it('is refused when its text is too long, which what was sent need not be', () => {
    const body = (count: number): string =>
      `{"actor":{"mbox":"mailto:a@b.c"},"verb":{"id":"a:v"},"object":{"id":"a:o"},"result":{"extensions":{"a:x":[${'1e20,'.repeat(count)}0]}}}`
    const count = Math.ceil(maxStatementLength / 22)
    expect(body(count).length).toBeLessThan(maxStatementLength / 4)
    const prepared = (text: string) => prepare(normalise(JSON.parse(text) as Statement, stamp))
    expect(() => prepared(body(count))).toThrow(expect.objectContaining({ code: 'too_large' }))
    const long = normalise(JSON.parse(body(count)) as Statement, stamp)
    expect(() => prepare(long, undefined, '/7')).toThrow(/^\/7: A statement may have /)
    expect(prepared(body(count - 100)).openBody.length).toBeGreaterThan(maxStatementLength - 3000)
  })

  it('has its id and terms', () => {
    const normal = normalise(aStatement(), stamp)
    expect(prepare(normal)).toMatchObject({ id, terms: listTerms(normal) })
  })

  it('has its time, unless the store shall give one', () => {
    const timestamp = '2023-05-04T12:00:00.5-05:00'
    expect(prepare(normalise(aStatement({ timestamp }), stamp)).timestamp).toBe(parseTimestamp(timestamp))
    expect(prepare(normalise(aStatement(), stamp)).timestamp).toBeUndefined()
  })

  it('knows what it refers to and whether it voids that', () => {
    const object = { objectType: 'StatementRef', id: id.toUpperCase() }
    expect(prepare(normalise(aStatement({ object }), stamp))).toMatchObject({ refersTo: id, isVoiding: false })
    expect(prepare(normalise(aStatement({ object, verb: { id: voidedVerb } }), stamp))).toMatchObject({
      refersTo: id,
      isVoiding: true,
    })
    expect(prepare(normalise(aStatement(), stamp))).toMatchObject({ refersTo: undefined, isVoiding: false })
    const aimless = normalise(aStatement({ verb: { id: voidedVerb } }), stamp)
    expect(prepare(aimless)).toMatchObject({ refersTo: undefined, isVoiding: false })
  })
})
