import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Path } from '../../../test/support/statement-arbitrary.ts'
import { listPaths, replaceAt, statementArbitrary, valueAt } from '../../../test/support/statement-arbitrary.ts'
import { randomFrom, shuffled } from '../../../test/support/statement-shuffle.ts'
import { aStatement, someone, someVerb, something } from '../../../test/support/statement.ts'
import { meaningOf, saySame } from './equality.ts'
import { normalise } from './normalise.ts'
import type { Statement } from './statement.ts'

function expectEqual(a: Record<string, unknown>, b: Record<string, unknown>): void {
  expect(saySame(aStatement(a), aStatement(b))).toBe(true)
}

function expectDifferent(a: Record<string, unknown>, b: Record<string, unknown>): void {
  expect(saySame(aStatement(a), aStatement(b))).toBe(false)
}

const other = { mbox: 'mailto:other@example.com' }
const uuid = '8f87ccde-bb56-4c2e-ab83-44982ef22df0'

describe('what does not count', () => {
  it.each([
    ['id', uuid],
    ['authority', someone],
    ['stored', '2020-01-01T00:00:00Z'],
    ['timestamp', '2020-01-01T00:00:00Z'],
    ['version', '1.0.3'],
  ])('%s, which the LRS sets', (name, value) => {
    expectEqual({ [name]: value }, {})
  })

  it('the display of the verb', () => {
    expectEqual({ verb: { ...someVerb, display: { en: 'did' } } }, {})
  })

  it('definitions of Activities, wherever they are', () => {
    const defined = { ...something, definition: { name: { en: 'Something' } } }
    expectEqual({ object: defined }, {})
    expectEqual(
      { context: { contextActivities: { parent: [defined] } } },
      { context: { contextActivities: { parent: something } } },
    )
    const subStatement = (object: unknown, verb: unknown) => ({
      objectType: 'SubStatement',
      actor: someone,
      verb,
      object,
    })
    expectEqual(
      { object: subStatement(defined, { ...someVerb, display: {} }) },
      { object: subStatement(something, someVerb) },
    )
  })

  it('an objectType that is understood', () => {
    expectEqual({ actor: { ...someone, objectType: 'Agent' }, object: { ...something, objectType: 'Activity' } }, {})
    const coached = (agent: unknown) => ({ context: { contextAgents: [{ objectType: 'contextAgent', agent }] } })
    expectEqual(coached({ ...someone, objectType: 'Agent' }), coached(someone))
    const members = (member: unknown) => ({ actor: { objectType: 'Group', member: [member] } })
    expectEqual(members({ ...someone, objectType: 'Agent' }), members(someone))
  })

  it('the order of members of a Group and of context Activities', () => {
    const second = { id: 'urn:x:y' }
    const group = (...member: unknown[]) => ({ actor: { objectType: 'Group', member } })
    expectEqual(group(someone, other), group(other, someone))
    const team = (...member: unknown[]) => {
      return { context: { contextGroups: [{ objectType: 'contextGroup', group: { objectType: 'Group', member } }] } }
    }
    expectEqual(team(someone, other), team(other, someone))
    const parents = (...parent: unknown[]) => ({ context: { contextActivities: { parent } } })
    expectEqual(parents(something, second), parents(second, something))
  })

  it('what lies beyond 0.01 s of a duration', () => {
    expectEqual({ result: { duration: 'PT1.239S' } }, { result: { duration: 'PT1.23S' } })
  })

  it('case where it has no meaning: UUIDs, domains, hashes', () => {
    expectEqual({ context: { registration: uuid } }, { context: { registration: uuid.toUpperCase() } })
    expectEqual({ actor: { mbox: 'mailto:a@B.example' } }, { actor: { mbox: 'mailto:a@b.EXAMPLE' } })
    expectEqual({ actor: { mbox_sha1sum: 'a'.repeat(40) } }, { actor: { mbox_sha1sum: 'A'.repeat(40) } })
    const attached = (sha2: string) => ({ attachments: [{ sha2 }] })
    expectEqual(attached('a'.repeat(64)), attached('A'.repeat(64)))
    const ref = (id: string) => ({ object: { objectType: 'StatementRef', id } })
    expectEqual(ref(uuid), ref(uuid.toUpperCase()))
  })

  it('how the time of a SubStatement is written', () => {
    const at = (timestamp: string) => ({ object: { objectType: 'SubStatement', ...aStatement({ timestamp }) } })
    expectEqual(at('2023-05-04T12:00:00-05:00'), at('2023-05-04T17:00:00.000Z'))
    expectDifferent(at('2023-05-04T12:00:00-05:00'), at('2023-05-04T12:00:00Z'))
  })
})

describe('what counts', () => {
  it.each([
    [{ actor: other }, {}],
    [{ actor: { ...someone, name: 'Me' } }, {}],
    [{ actor: { mbox: 'mailto:A@b.example' } }, { actor: { mbox: 'mailto:a@b.example' } }],
    [{ object: { ...someone, objectType: 'Agent' } }, { object: { ...someone, objectType: 'Group' } }],
    [{ context: {} }, {}],
    [{ result: { duration: 'PT60S' } }, { result: { duration: 'PT1M' } }],
    [{ result: { duration: 'PT1.23S' } }, { result: { duration: 'PT1.24S' } }],
    [{ result: { response: '1' } }, { result: { response: 1 } }],
    [{ result: { response: 'a"b' } }, { result: { response: 'a\\"b' } }],
    [{ attachments: [] }, {}],
    [
      { context: { contextActivities: { parent: [something, something] } } },
      { context: { contextActivities: { parent: something } } },
    ],
    [{ result: { extensions: { 'urn:x:y': [1, 2] } } }, { result: { extensions: { 'urn:x:y': [2, 1] } } }],
    [{ result: { extensions: { 'urn:x:y': null } } }, { result: { extensions: {} } }],
    [{ result: { extensions: { 'urn:x:y': { definition: 1 } } } }, { result: { extensions: { 'urn:x:y': {} } } }],
  ])('%j and %j are different', (a, b) => {
    expectDifferent(a, b)
  })

  it('members named __proto__ or constructor in extensions', () => {
    const extension = (json: string) => ({ result: { extensions: { 'urn:x:y': JSON.parse(json) as unknown } } })
    expectDifferent(extension('{"__proto__":{"a":1}}'), extension('{}'))
    expectDifferent(extension('{"__proto__":{"a":1}}'), extension('{"__proto__":{"a":2}}'))
    expectEqual(extension('{"constructor":1,"__proto__":2}'), extension('{"__proto__":2,"constructor":1}'))
  })
})

// ---------------------------------------------------------------------------------------------------------------------

/** Places that are left out, or that a default stands for. */
function isLeftOut(statement: unknown, path: Path): boolean {
  if (['id', 'stored', 'timestamp', 'authority', 'version'].includes(String(path[0]))) return true
  if (path.some((step, index) => step === 'display' && path[index - 1] === 'verb')) return true
  if (path.includes('definition') || path.at(-1) === 'objectType') return true
  return typeof valueAt(statement, path) === 'object'
}

function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  return typeof value === 'boolean' ? !value : `${String(value)}?`
}

/** The first two are one to 0.01 s. */
const durations = [{ duration: 'PT1.001S' }, { duration: 'PT1.002S' }, { duration: 'PT1.02S' }]

describe.each(['1.0', '2.0'] as const)('any statement under %s', (version) => {
  const stamp = { authority: someone, mayChooseAuthority: false, version, uuid: () => uuid }

  it('equals itself in any order of members', () => {
    fc.assert(
      fc.property(statementArbitrary(version), fc.nat(), (statement, seed) => {
        const again = shuffled(statement, randomFrom(seed)) as Record<string, unknown>
        expect(meaningOf(again)).toBe(meaningOf(statement))
      }),
    )
  })

  it('equals what is stored of it', () => {
    fc.assert(
      fc.property(statementArbitrary(version), (statement) => {
        expect(meaningOf(normalise(statement, stamp))).toBe(meaningOf(statement))
      }),
    )
  })

  it('differs from itself with any other value', () => {
    const pairs = statementArbitrary(version).chain((statement) => {
      const paths = listPaths(statement).filter((path) => !isLeftOut(statement, path))
      return fc.constantFrom(...paths).map((path) => [statement, path] as const)
    })
    fc.assert(
      fc.property(pairs, ([statement, path]) => {
        expect(saySame(replaceAt(statement, path, changed(valueAt(statement, path))), statement)).toBe(false)
      }),
    )
  })

  it('is an equivalence: reflexive, symmetric, transitive', () => {
    const seen = { same: 0, different: 0 }
    const same = (one: Statement, other: Statement): boolean => {
      const answer = saySame(one, other)
      seen[answer ? 'same' : 'different']++
      return answer
    }
    fc.assert(
      fc.property(fc.tuple(statementArbitrary(version), variant, variant, variant), ([statement, ...variants]) => {
        const [one, two, three] = variants.map((change) => change(statement)) as [Statement, Statement, Statement]
        expect([one, two, three].every((each) => same(each, each))).toBe(true)
        expect(same(two, one)).toBe(same(one, two))
        expect(same(three, two)).toBe(same(two, three))
        if (same(one, two) && same(two, three)) expect(same(one, three)).toBe(true)
        if (same(one, two) && !same(two, three)) expect(same(one, three)).toBe(false)
      }),
    )
    expect(Math.min(seen.same, seen.different)).toBeGreaterThan(50)
  })

  // Some say the same as the original, some do not, and some of those that do not say the same among themselves.
  type Change = (statement: Statement) => Statement
  const variant: fc.Arbitrary<Change> = fc.oneof(
    fc.nat().map(
      (seed): Change =>
        (statement) =>
          shuffled(statement, randomFrom(seed)) as Statement,
    ),
    fc.constant<Change>((statement) => normalise(statement, stamp)),
    fc.constant<Change>((statement) => ({ ...statement, id: uuid, stored: '2026-01-01T00:00:00Z' })),
    fc.constantFrom({ response: 'a' }, { response: 'b' }, ...durations).map((result): Change => {
      return (statement) => ({ ...statement, result })
    }),
  )
})
