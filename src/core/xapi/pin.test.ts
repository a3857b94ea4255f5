import { describe, expect, it } from 'vitest'
import { aStatement, something } from '../../../test/support/statement.ts'
import type { Pins } from '../pins.ts'
import { pinViolation, subjectViolation } from './pin.ts'

const id = '8f87ccde-bb56-4c2e-ab83-44982ef22df0'
const account = { homePage: 'https://lms.example.com', name: 'learner' }

describe('the actor pin', () => {
  const pins: Pins = { actor: [{ mbox: 'mailto:a@b.example' }, { accountName: 'learner', homePage: account.homePage }] }

  it.each([
    { mbox: 'mailto:a@b.example' },
    { mbox: 'mailto:a@B.EXAMPLE', objectType: 'Agent', name: 'A' },
    { account },
  ])('lets %j pass', (actor) => {
    expect(pinViolation(aStatement({ actor }), pins)).toBeUndefined()
  })

  it.each([
    { mbox: 'mailto:A@b.example' },
    { mbox: 'mailto:c@b.example' },
    { account: { ...account, name: 'Learner' } },
    { account: { ...account, homePage: 'https://other.example.com' } },
    { openid: 'https://a@b.example' },
    { objectType: 'Group', account },
    { objectType: 'Group', member: [{ mbox: 'mailto:a@b.example' }] },
    { objectType: 'Group', mbox: 'mailto:a@b.example', member: [{ mbox: 'mailto:c@b.example' }] },
  ])('stops %j', (actor) => {
    expect(pinViolation(aStatement({ actor }), pins)).toBe('actor')
  })

  it('an account name without homePage matches any', () => {
    expect(pinViolation(aStatement({ actor: { account } }), { actor: [{ accountName: 'learner' }] })).toBeUndefined()
  })

  it('an empty list lets nobody pass', () => {
    expect(pinViolation(aStatement(), { actor: [] })).toBe('actor')
  })
})

describe('the registration pin', () => {
  it.each([
    ['required', id, undefined],
    ['required', id.toUpperCase(), undefined],
    ['required', id.replace('8', '9'), 'registration'],
    ['required', undefined, 'registration'],
    ['whenPresent', id, undefined],
    ['whenPresent', id.replace('8', '9'), 'registration'],
    ['whenPresent', undefined, undefined],
  ] as const)('%s, statement has %s: %s', (mode, registration, violation) => {
    const context = registration === undefined ? {} : { registration }
    expect(pinViolation(aStatement({ context }), { registration: { id, mode } })).toBe(violation)
    if (registration === undefined) {
      expect(pinViolation(aStatement(), { registration: { id, mode } })).toBe(violation)
    }
  })
})

describe('the activity pin', () => {
  const pins: Pins = { activity: 'https://example.com/course' }

  it.each([
    { object: { id: pins.activity } },
    { object: { objectType: 'Activity', id: `${pins.activity}/1` } },
    { context: { contextActivities: { parent: [{ id: pins.activity }] } } },
    { context: { contextActivities: { parent: { id: pins.activity } } } },
    { context: { contextActivities: { grouping: [something, { id: `${pins.activity}/a/b` }] } } },
  ])('lets %j pass', (changes) => {
    expect(pinViolation(aStatement(changes), pins)).toBeUndefined()
  })

  it.each([
    {},
    { object: { id: `${pins.activity}2` } },
    { object: { id: `${pins.activity}?x` } },
    { object: { objectType: 'StatementRef', id } },
    { context: { contextActivities: { category: [{ id: pins.activity }], other: [{ id: pins.activity }] } } },
    { object: { objectType: 'SubStatement', ...aStatement({ object: { id: pins.activity } }) } },
  ])('stops %j', (changes) => {
    expect(pinViolation(aStatement(changes), pins)).toBe('activity')
  })
})

it('without pins everything passes', () => {
  expect(pinViolation(aStatement(), {})).toBeUndefined()
})

describe('pins on what a request is about', () => {
  const ann = { mbox: 'mailto:ann@example.org' }
  const pins: Pins = {
    actor: [ann],
    activity: 'urn:course',
    registration: { id, mode: 'required' },
  }

  it.each([
    [{}, undefined],
    [{ agent: ann }, undefined],
    [{ agent: { mbox: 'mailto:ann@EXAMPLE.org', name: 'Ann' } }, undefined],
    [{ agent: { mbox: 'mailto:ben@example.org' } }, 'actor'],
    [{ agent: undefined }, 'actor'],
    [{ activityId: 'urn:course' }, undefined],
    [{ activityId: 'urn:course/1' }, undefined],
    [{ activityId: 'urn:course1' }, 'activity'],
    [{ registration: id.toUpperCase() }, undefined],
    [{ registration: '8f87ccde-bb56-4c2e-ab83-44982ef22df1' }, 'registration'],
    [{ registration: undefined }, 'registration'],
    [{ agent: ann, activityId: 'urn:other', registration: id }, 'activity'],
  ])('%j: %s', (subject, violated) => {
    expect(subjectViolation(subject, pins)).toBe(violated)
    expect(subjectViolation(subject, {})).toBeUndefined()
  })

  it('let a request without registration pass where the pin is for when there is one', () => {
    const whenPresent: Pins = { registration: { id, mode: 'whenPresent' } }
    expect(subjectViolation({ registration: undefined }, whenPresent)).toBeUndefined()
    expect(subjectViolation({ registration: '8f87ccde-bb56-4c2e-ab83-44982ef22df1' }, whenPresent)).toBe('registration')
  })
})
