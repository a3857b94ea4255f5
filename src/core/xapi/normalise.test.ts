import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statementArbitrary } from '../../../test/support/statement-arbitrary.ts'
import { aStatement, brokenRules, someone, something } from '../../../test/support/statement.ts'
import type { Stamp } from './normalise.ts'
import { normalise } from './normalise.ts'

const uuid = '8F87CCDE-BB56-4C2E-AB83-44982EF22DF0'
const authority = { objectType: 'Agent', account: { homePage: 'https://lrs.example.com', name: 'key' } }
const stamp: Stamp = { authority, mayChooseAuthority: false, version: '1.0', uuid: () => uuid }

describe('what the LRS sets', () => {
  it('XAPI-00026 an id, in lower case, when there is none', () => {
    expect(normalise(aStatement(), stamp)['id']).toBe(uuid.toLowerCase())
    expect(normalise(aStatement({ id: uuid.replace('8F', 'AB') }), stamp)['id']).toBe(
      uuid.replace('8F', 'AB').toLowerCase(),
    )
  })

  it('the id of the request goes first', () => {
    const id = uuid.replace('8F', 'cd')
    expect(normalise(aStatement({ id: uuid }), { ...stamp, id })['id']).toBe(id.toLowerCase())
  })

  it('XAPI-00099 the authority of the credential, whatever the statement says', () => {
    expect(normalise(aStatement(), stamp)['authority']).toBe(authority)
    expect(normalise(aStatement({ authority: someone }), stamp)['authority']).toBe(authority)
  })

  it('the authority of the statement where that is allowed', () => {
    const free = { ...stamp, mayChooseAuthority: true }
    expect(normalise(aStatement({ authority: someone }), free)['authority']).toBe(someone)
    expect(normalise(aStatement(), free)['authority']).toBe(authority)
  })

  it('XAPI-00332 a version only where there is none', () => {
    expect(normalise(aStatement(), stamp)['version']).toBe('1.0.0')
    expect(normalise(aStatement(), { ...stamp, version: '2.0' })['version']).toBe('2.0.0')
    expect(normalise(aStatement({ version: '1.0.9' }), { ...stamp, version: '2.0' })['version']).toBe('1.0.9')
  })

  it('XAPI-00097 stored is dropped', () => {
    expect(normalise(aStatement({ stored: '2020-01-01T00:00:00Z' }), stamp)).not.toHaveProperty('stored')
  })

  it('no timestamp: the store gives the stored time', () => {
    expect(normalise(aStatement(), stamp)).not.toHaveProperty('timestamp')
  })

  it('XAPI-00096 single context Activities become lists, in SubStatements too', () => {
    const context = { platform: 'x', contextActivities: { parent: something, other: [something], category: [] } }
    const lists = { platform: 'x', contextActivities: { parent: [something], other: [something], category: [] } }
    const object = { objectType: 'SubStatement', ...aStatement({ context }) }
    const normal = normalise(aStatement({ context, object }), stamp)
    expect(normal['context']).toEqual(lists)
    expect(normal['object']).toEqual({ ...object, context: lists })
  })

  it('2.0 times are turned to UTC, in SubStatements too; XAPI-00330 those of 1.0.x stay', () => {
    const timestamp = '2023-05-04T12:00:00.1234567-05:00'
    const object = { objectType: 'SubStatement', ...aStatement({ timestamp }) }
    const statement = aStatement({ timestamp, object })
    const utc = '2023-05-04T17:00:00.1234567Z'
    expect(normalise(statement, { ...stamp, version: '2.0' })).toMatchObject({
      timestamp: utc,
      object: { timestamp: utc },
    })
    expect(normalise(statement, stamp)).toMatchObject({ timestamp, object: { timestamp } })
  })
})

describe.each(['1.0', '2.0'] as const)('any statement under %s', (version) => {
  it('stays valid, is changed only once, and the original not at all', () => {
    fc.assert(
      fc.property(statementArbitrary(version), fc.boolean(), (statement, mayChooseAuthority) => {
        const before = structuredClone(statement)
        const once = normalise(statement, { ...stamp, version, mayChooseAuthority })
        expect(statement).toEqual(before)
        expect(brokenRules(once, version)).toEqual([])
        expect(normalise(once, { ...stamp, version, mayChooseAuthority })).toEqual(once)
      }),
    )
  })
})
