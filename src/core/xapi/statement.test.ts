import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Path } from '../../../test/support/statement-arbitrary.ts'
import { listPaths, replaceAt, statementArbitrary, valueAt } from '../../../test/support/statement-arbitrary.ts'
import {
  aStatement,
  brokenRules,
  inBoth,
  refusedBy,
  someone,
  someVerb,
  something,
} from '../../../test/support/statement.ts'
import type { Failure } from '../errors.ts'
import { extensions } from './extensions.ts'
import { parseJson } from './json.ts'
import { Check, maxFailures } from './rule.ts'
import { checkStatement, checkStatements, maxMentions, maxRequestMentions } from './statement.ts'
import { voidedVerb } from './verb.ts'

const id = '8f87ccde-bb56-4c2e-ab83-44982ef22df0'
const ref = { objectType: 'StatementRef', id }
const versions = ['1.0', '2.0'] as const

describe('Statements', () => {
  it('three members suffice', () => {
    expect(brokenRules(aStatement())).toEqual([])
  })

  it.each([
    ['actor', 'XAPI-00003'],
    ['verb', 'XAPI-00004'],
    ['object', 'XAPI-00005'],
  ])('%s is required: %s', (name, rule) => {
    for (const [, prefix, statement] of inBoth({ [name]: undefined })) {
      expect(brokenRules(JSON.parse(JSON.stringify(statement)))).toEqual([`${prefix} ${rule}`])
    }
  })

  it.each(['actor', 'verb', 'object', 'result', 'context', 'timestamp', 'attachments'])(
    'XAPI-00001 null is no value of %s',
    (name) => {
      for (const [, prefix, statement] of inBoth({ [name]: null })) {
        expect(brokenRules(statement)).toEqual([`${prefix}/${name} XAPI-00001`])
      }
    },
  )

  it.each([
    'iD',
    'Actor',
    'veRb',
    'oBject',
    'RESULT',
    'conText',
    'timeStamp',
    'STOred',
    'auTHORity',
    'Version',
    'attachmentS',
  ])('XAPI-00008 %s is in the wrong case', (name) => {
    expect(brokenRules(aStatement({ [name]: {} }))).toEqual([`/${name} XAPI-00008`])
  })

  it('XAPI-00010 other members are refused', () => {
    expect(brokenRules(aStatement({ objectType: 'Statement', extra: 1 }))).toEqual([
      '/objectType XAPI-00010',
      '/extra XAPI-00010',
    ])
  })

  it('a member that is nearly one is told which one it may be', () => {
    const { object, ...others } = aStatement()
    const failures: Failure[] = []
    checkStatement({ ...others, objct: object }, { version: '1.0', failures })
    expect(failures[0]).toMatchObject({ pointer: '/objct', message: expect.stringContaining('did you mean "object"?') })
    failures.length = 0
    checkStatement(aStatement({ ['o'.repeat(100_000)]: 1 }), { version: '1.0', failures })
    expect(failures[0]?.message).not.toContain('did you mean')
  })

  it('XAPI-00027 XAPI-00028 id is a UUID', () => {
    expect(brokenRules(aStatement({ id }))).toEqual([])
    expect(brokenRules(aStatement({ id: `${id}0` }))).toEqual(['/id XAPI-00027'])
    expect(brokenRules(aStatement({ id: 12345 }))).toEqual(['/id XAPI-00028'])
  })

  it('XAPI-00097 stored is accepted, and overwritten later', () => {
    expect(brokenRules(aStatement({ stored: '2013-05-18T05:32:34.804Z' }))).toEqual([])
  })
})

describe('objects', () => {
  it.each([
    something,
    { ...something, objectType: 'Activity' },
    { ...someone, objectType: 'Agent' },
    { objectType: 'Group', member: [someone] },
    ref,
  ])('XAPI-00046 %j is accepted', (object) => {
    for (const [, , statement] of inBoth({ object })) expect(brokenRules(statement)).toEqual([])
  })

  it.each(['activity', 'agent', 'group', 'statementref', 'substatement'])(
    'XAPI-00009 %s is misspelled',
    (objectType) => {
      for (const [, prefix, statement] of inBoth({ object: { ...something, objectType } })) {
        expect(brokenRules(statement)).toEqual([`${prefix}/object/objectType XAPI-00009`])
      }
    },
  )

  it.each(['Statement', '', 5, {}, ['Activity']])('XAPI-00046 %j is no objectType', (objectType) => {
    expect(brokenRules(aStatement({ object: { ...something, objectType } }))).toEqual(['/object/objectType XAPI-00046'])
  })

  it.each(['text', 5, [something]])('XAPI-00046 %j is no object', (object) => {
    expect(brokenRules(aStatement({ object }))).toEqual(['/object XAPI-00046'])
  })

  it.each([someone, { name: 'Team', member: [someone] }, { account: {} }])(
    'XAPI-00065 an Agent or Group says what it is: %j',
    (object) => {
      for (const [, prefix, statement] of inBoth({ object })) {
        expect(brokenRules(statement)).toEqual([`${prefix}/object XAPI-00065`])
      }
    },
  )

  it('XAPI-00008 an objectType in another case is named as such', () => {
    expect(brokenRules(aStatement({ object: { ObjectType: 'Agent', ...someone } }))).toEqual([
      '/object/ObjectType XAPI-00008',
    ])
  })

  it.each([{ id }, aStatement()])('XAPI-00073 a StatementRef or SubStatement says what it is: %j', (object) => {
    expect(brokenRules(aStatement({ object }))).toEqual(['/object XAPI-00073'])
  })

  it('XAPI-00072 a StatementRef has a UUID', () => {
    expect(brokenRules(aStatement({ object: { objectType: 'StatementRef' } }))).toEqual(['/object XAPI-00072'])
    expect(brokenRules(aStatement({ object: { ...ref, id: 5 } }))).toEqual(['/object/id XAPI-00072'])
    expect(brokenRules(aStatement({ object: { ...ref, definition: {} } }))).toEqual(['/object/definition XAPI-00010'])
  })
})

describe('SubStatements', () => {
  it.each([
    ['authority', someone, 'XAPI-00067'],
    ['version', '1.0.0', 'XAPI-00068'],
    ['stored', '2013-05-18T05:32:34.804Z', 'XAPI-00069'],
    ['id', id, 'XAPI-00070'],
  ])('have no %s', (name, value, rule) => {
    const object = { objectType: 'SubStatement', ...aStatement({ [name]: value }) }
    expect(brokenRules(aStatement({ object }))).toEqual([`/object/${name} ${rule}`])
  })

  it('XAPI-00071 hold no SubStatement', () => {
    const object = { objectType: 'SubStatement', ...aStatement() }
    expect(brokenRules(aStatement({ object: { ...object, object } }))).toEqual(['/object/object XAPI-00071'])
  })

  it('XAPI-00066 keep the rules of Statements', () => {
    const object = { objectType: 'SubStatement', actor: {}, verb: {}, object: {}, result: { score: { scaled: 2 } } }
    expect(brokenRules(aStatement({ object }))).toEqual([
      '/object/actor XAPI-00034',
      '/object/verb XAPI-00044',
      '/object/object XAPI-00047',
      '/object/result/score/scaled XAPI-00083',
    ])
  })
})

describe('voiding', () => {
  it('XAPI-00019 XAPI-00020 refers to a statement', () => {
    expect(brokenRules(aStatement({ verb: { id: voidedVerb }, object: ref }))).toEqual([])
  })

  it.each([something, { ...someone, objectType: 'Agent' }, { objectType: 'SubStatement', ...aStatement() }])(
    'XAPI-00017 and to nothing else: %j',
    (object) => {
      expect(brokenRules(aStatement({ verb: { id: voidedVerb }, object }))).toEqual(['/object XAPI-00017'])
    },
  )
})

describe('requests', () => {
  it('one statement or many', () => {
    const one = aStatement()
    expect(checkStatements(one, '1.0')).toEqual({ statements: [one], isBatch: false })
    expect(checkStatements([one, one], '1.0')).toEqual({ statements: [one, one], isBatch: true })
    expect(checkStatements([], '1.0')).toEqual({ statements: [], isBatch: true })
  })

  it.each([null, 'text', 5, true])('XAPI-00006 %j is no request', (body) => {
    expect(refusedBy(() => checkStatements(body, '1.0'))).toEqual([' XAPI-00006'])
  })

  it('all failures of all statements are listed, the first also in the message', () => {
    const body = [aStatement({ actor: {} }), 5, [], aStatement({ verb: {}, result: { success: 1 } })]
    expect(refusedBy(() => checkStatements(body, '1.0'))).toEqual([
      '/0/actor XAPI-00034',
      '/1 XAPI-00006',
      '/2 XAPI-00006',
      '/3/verb XAPI-00044',
      '/3/result/success XAPI-00074',
    ])
    expect(() => checkStatements(body, '1.0')).toThrow(/^\/0\/actor: An Agent has exactly one .* \(4 more\)$/)
  })

  it('an id may occur once in a batch, whatever its case', () => {
    const body = [aStatement({ id }), aStatement(), aStatement(), aStatement({ id: id.toUpperCase() })]
    expect(refusedBy(() => checkStatements(body, '1.0'))).toEqual(['/3 claviger/repeated-id'])
  })

  it('hostile bodies get a bounded answer', () => {
    const long = 'x'.repeat(5000)
    const member = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`${long}${index}`, long]))
    try {
      checkStatements([member, ...Array.from({ length: 1000 }, () => ({ verb: { id: long } }))], '1.0')
      expect.unreachable()
    } catch (error) {
      expect((error as { detail: { failures: unknown[] } }).detail.failures).toHaveLength(maxFailures + 1)
      expect(JSON.stringify(error).length).toBeLessThan(100_000)
    }
  })

  it.each([
    ['statements', (items: object) => items],
    ['members of a Group', (items: object) => aStatement({ actor: { objectType: 'Group', member: items } })],
    ['members of an object', (items: object) => items],
    ['entries of a language map', (items: object) => aStatement({ verb: { ...someVerb, display: items } })],
  ])('of %s no more are looked at than are listed', (what, around) => {
    let looks = 0
    const look = (): number => (looks += 1)
    const isList = what === 'statements' || what === 'members of a Group'
    const items = isList ? Array.from({ length: 5000 }, () => 0) : {}
    for (let index = 0; index < 5000; index++) {
      Object.defineProperty(items, isList ? index : `no tag ${index}`, { get: look, enumerable: true })
    }
    const rules = refusedBy(() => checkStatements(around(items), '1.0'))
    expect(rules).toHaveLength(maxFailures + 1)
    expect(looks).toBeLessThanOrEqual(2 * maxFailures)
  })

  it('of the names of extensions, too', () => {
    const check = new Check({ version: '1.0', failures: [] })
    const refuseAt = vi.spyOn(check, 'refuseAt')
    const names = Array.from({ length: 5000 }, (_, index) => [`no IRI ${index}`, 0])
    extensions('XAPI-00078')(Object.fromEntries(names), check)
    expect(check.failures).toHaveLength(maxFailures + 1)
    expect(refuseAt.mock.calls.length).toBeLessThanOrEqual(2 * maxFailures)
  })

  it('all statements of a request together name a bounded number of Agents and Activities', () => {
    const member = Array.from({ length: 997 }, (_, index) => ({ mbox: `mailto:${index}@b.example` }))
    const full = aStatement({ context: { team: { objectType: 'Group', member } } })
    const batch = (count: number) => Array.from({ length: count }, () => full)
    const fits = maxRequestMentions / maxMentions
    expect(checkStatements(batch(fits), '1.0').statements).toHaveLength(fits)
    expect(refusedBy(() => checkStatements([...batch(fits), aStatement()], '1.0'))).toEqual([
      ' claviger/too-many-terms',
    ])
    expect(refusedBy(() => checkStatements(batch(20 * fits), '1.0'))).toEqual([' claviger/too-many-terms'])
  })

  it('a statement names a bounded number of Agents and Activities', () => {
    const agents = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ mbox: `mailto:${index}@b.example` }))
    const team = (count: number) => ({ context: { team: { objectType: 'Group', member: agents(count) } } })
    // Beside the members: actor, object and the Group itself.
    expect(brokenRules(aStatement(team(maxMentions - 3)))).toEqual([])
    expect(brokenRules(aStatement(team(maxMentions - 2)))).toEqual([' claviger/too-many-terms'])
    expect(checkStatements([aStatement(team(600)), aStatement(team(600))], '1.0').statements).toHaveLength(2)
  })
})

describe('any statement', () => {
  it.each(versions)('valid statements are accepted under %s', (version) => {
    fc.assert(
      fc.property(statementArbitrary(version), (statement) => {
        expect(brokenRules(parseJson(JSON.stringify(statement)), version)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('valid 1.0.x statements with RFC 3339 times are valid under 2.0', () => {
    fc.assert(
      fc.property(statementArbitrary('1.0'), (statement) => {
        const rules = brokenRules(statement, '2.0').filter((rule) => !rule.endsWith('timestamp XAPI-00123'))
        expect(rules).toEqual([])
      }),
    )
  })

  /** Every failure stands at `path` or above it. */
  function expectRefusedAt(statement: unknown, path: Path, version: '1.0' | '2.0'): void {
    const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
    const pointers = brokenRules(statement, version).map((rule) => rule.slice(0, rule.lastIndexOf(' ')))
    expect(pointers.some((found) => `${pointer}/`.startsWith(`${found}/`))).toBe(true)
  }

  function property(mutate: (value: unknown) => unknown): void {
    for (const version of versions) {
      const mutated = statementArbitrary(version).chain((statement) =>
        fc.constantFrom(...listPaths(statement)).map((path) => [statement, path] as const),
      )
      fc.assert(
        fc.property(mutated, ([statement, path]) => {
          expectRefusedAt(replaceAt(statement, path, mutate(valueAt(statement, path))), path, version)
        }),
        { numRuns: 100 },
      )
    }
  }

  it('a wrong type at any pointer is refused with that pointer or an ancestor', () => {
    property((value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : 12345))
  })

  it('XAPI-00001 null at any pointer is refused with that pointer or an ancestor', () => {
    property(() => null)
  })

  it('any JSON at all is answered with a list or silence, never with another error', () => {
    const model = ['id', 'actor', 'verb', 'object', 'result', 'context', 'member', 'objectType', 'account', '__proto__']
    const key = fc.oneof(fc.constantFrom(...model), fc.string())
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.dictionary(key, tie('tree')), fc.array(tie('tree'))),
    }))
    fc.assert(
      fc.property(tree, fc.constantFrom(...versions), (body, version) => {
        const value = JSON.parse(JSON.stringify(body)) as unknown
        const rules = refusedBy(() => checkStatements(value, version))
        expect(rules === undefined || rules.length > 0).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
