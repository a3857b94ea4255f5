import { describe, expect, it } from 'vitest'
import { PackedPart, unpack } from './packed-part.ts'
import { fresh, owners, statement, term } from '../../../test/contract/samples.ts'
import type { ImportedStatement } from '../../core/storage.ts'

function imported(part: Partial<ImportedStatement> = {}): ImportedStatement {
  const { timestamp, ...prepared } = statement(part)
  return {
    ...{ ...prepared, timestamp: timestamp ?? 5 },
    ...{ owner: owners.ann, storedAt: 7, storedText: '1970-01-01T00:00:00.000007Z', isVoided: false },
    ...{ voidReach: undefined, defineReach: 'mine' as const },
    ...part,
  }
}

function packed(statements: readonly ImportedStatement[]): PackedPart {
  const part = new PackedPart()
  for (const one of statements) part.add(one)
  return part
}

/** As the writer gets it. */
const sent = (part: PackedPart): readonly ImportedStatement[] => unpack(structuredClone(part.packed(part.said)))
/** With what it reads only when asked. */
const whole = (one: ImportedStatement) => ({ ...one, openBody: one.openBody })

const claim = { sha2: 'ab'.repeat(32), contentType: 'text/plain' }
const every = [
  imported(),
  imported({ openBody: '{"name":"Ä ‒ 学习 🎓 \\u0000 \\ud800"', terms: [term('Ω'), term('agent', 'agent', true)] }),
  imported({ refersTo: fresh.key(), isVoiding: true, isVoided: true, voidReach: 'any', defineReach: undefined }),
  imported({ descriptions: [{ kind: 'activity', value: 'urn:a', text: '{"name":{"de":"Ü"}}' }], attachments: [claim] }),
  imported({ openBody: `{"long":"${'ä'.repeat(200_000)}"`, storedAt: 3 }),
]

describe('a part of an import', () => {
  it('reaches the writer as it was added', () => {
    const part = packed(every)
    expect(part.length).toBe(every.length)
    expect(sent(part).map(whole)).toEqual(every)
    expect(every.map((_, at) => part.openBody(at))).toEqual(every.map(({ openBody }) => openBody))
  })

  it('knows the earliest stored time; that of none is endless', () => {
    expect([packed([]), packed(every), packed(every.slice(0, 2))].map(({ earliest }) => earliest)).toEqual([
      Infinity,
      3,
      7,
    ])
  })

  it('fills many chunks', () => {
    const many = Array.from({ length: 500 }, (_, at) => imported({ openBody: `{"text":"${'é'.repeat(at * 3)}"` }))
    expect(sent(packed(many)).map(whole)).toEqual(many)
  })

  it('leaves out what needs not be said again', () => {
    const part = packed(every)
    expect(unpack(structuredClone(part.packed([]))).map(({ descriptions }) => descriptions.length)).toEqual([
      0, 0, 0, 0, 0,
    ])
  })

  it('has the claims it was told last', () => {
    const part = packed(every)
    part.claim(0, [claim, { ...claim, contentType: 'a/b' }])
    part.claim(3, [])
    expect(sent(part).map(({ attachments }) => attachments.length)).toEqual([2, 0, 0, 0, 0])
  })

  it('is cut into parts that have all of theirs', () => {
    const part = packed(every)
    part.claim(1, [claim])
    const halves = [part.slice(0, 3), part.slice(3, 5)]
    expect(halves.flatMap((half) => sent(half).map(whole))).toEqual(
      every.with(1, { ...every[1]!, attachments: [claim] }),
    )
    expect(halves.map(({ earliest }) => earliest)).toEqual([7, 3])
  })
})
