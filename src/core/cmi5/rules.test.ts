import { describe, expect, it } from 'vitest'
import {
  aUnit,
  anUnmeasuredUnit,
  allowedStatement,
  definedStatement,
  learner,
  sent,
} from '../../../test/support/cmi5.ts'
import { findBroken } from './rules.ts'
import { categories, contextExtensions, launcherVerbs, progressExtension } from './vocabulary.ts'
import type { UnitVerb } from './vocabulary.ts'

type JsonObject = Record<string, any>

const verbs: readonly UnitVerb[] = ['initialized', 'completed', 'passed', 'failed', 'terminated']

function broken(statement: JsonObject, unit = aUnit): string[] {
  return findBroken(sent(statement), unit).map(({ rule, pointer }) => `${rule} ${pointer}`)
}

/** A deep copy with the member at `path` set, or removed where the value is undefined. */
function changed(statement: JsonObject, path: readonly string[], value: unknown): JsonObject {
  const copy: JsonObject = structuredClone(statement)
  const last = path.at(-1) ?? ''
  const owner = path.slice(0, -1).reduce<JsonObject>((at, name) => (at[name] ??= {}), copy)
  if (value === undefined) delete owner[last]
  else owner[last] = value
  return copy
}

describe('statements that keep every rule', () => {
  it.each(verbs)('%s', (verb) => {
    expect(broken(definedStatement(verb))).toEqual([])
  })

  it.each(verbs)('%s without a masteryScore in the launch', (verb) => {
    expect(broken(definedStatement(verb, anUnmeasuredUnit), anUnmeasuredUnit)).toEqual([])
  })

  it.each(['passed', 'failed'] as const)('%s without a score, whether it names the masteryScore or not', (verb) => {
    const statement = changed(definedStatement(verb), ['result', 'score'], undefined)
    expect(broken(statement)).toEqual([])
    expect(broken(changed(statement, ['context', 'extensions', contextExtensions.masteryScore], undefined))).toEqual([])
  })

  it('cmi5 allowed, whatever its verb, object and result', () => {
    expect(broken(allowedStatement())).toEqual([])
    const result = { success: true, completion: true, score: { raw: 3 } }
    expect(broken(allowedStatement(aUnit, { verb: { id: launcherVerbs.satisfied }, result }))).toEqual([])
  })

  it('with further activities, extensions and categories of their own', () => {
    const one = changed(definedStatement('passed'), ['context', 'contextActivities', 'parent'], [{ id: 'urn:x:goal' }])
    const two = changed(one, ['context', 'extensions', 'https://example.com/x'], 1)
    two['context'].contextActivities.category.push({ id: 'urn:x:category' })
    two['context'].contextActivities.grouping.push({ id: 'urn:x:group' })
    expect(broken(two)).toEqual([])
  })

  it('with a timestamp in UTC, however that is written', () => {
    for (const timestamp of ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123456+00:00', '20260131T120000z']) {
      expect(broken(definedStatement('initialized', aUnit, { timestamp }))).toEqual([])
    }
  })

  it('to browse and to review: initialized and terminated, and what is cmi5 allowed', () => {
    for (const mode of ['browse', 'review'] as const) {
      const unit = { ...aUnit, mode }
      expect(broken(definedStatement('initialized', unit), unit)).toEqual([])
      expect(broken(definedStatement('terminated', unit), unit)).toEqual([])
      expect(broken(allowedStatement(unit), unit)).toEqual([])
    }
  })
})

const session = ['context', 'extensions', contextExtensions.sessionId]
const mastery = ['context', 'extensions', contextExtensions.masteryScore]
const category = ['context', 'contextActivities', 'category']
const grouping = ['context', 'contextActivities', 'grouping']
const [cmi5, moveOn] = [{ id: categories.cmi5 }, { id: categories.moveOn }]
const inExtensions = (id: string): string => `extensions/${id.replaceAll('/', '~1')}`
const atSession = `/context/${inExtensions(contextExtensions.sessionId)}`
const atMastery = `/context/${inExtensions(contextExtensions.masteryScore)}`
const atCategory = '/context/contextActivities/category'

describe('cmi5 defined statements', () => {
  const cases: [rule: string, verb: UnitVerb, path: readonly string[], value: unknown][] = [
    ['9.7 /timestamp', 'initialized', ['timestamp'], undefined],
    ['9.7 /timestamp', 'initialized', ['timestamp'], '2026-01-31T13:00:00+01:00'],
    ['9.7 /timestamp', 'initialized', ['timestamp'], '2026-01-31T13:00:00'],
    [`9.6.3.1 ${atSession}`, 'initialized', session, undefined],
    [`9.6.3.1 ${atSession}`, 'terminated', session, '0f3a8a10-6a5f-4a51-9f3e-0c3f5d0a0002'],
    ['10.2.1 /context/contextActivities/grouping', 'initialized', grouping, undefined],
    ['10.2.1 /context/contextActivities/grouping', 'passed', grouping, [{ id: aUnit.publisherId }]],
    ['10.2.1 /context/contextActivities/grouping', 'passed', grouping, [{ id: aUnit.activityId }]],
    [`9.6.2.2 ${atCategory}`, 'completed', category, [cmi5]],
    [`9.6.2.2 ${atCategory}`, 'passed', category, [cmi5]],
    [`9.6.2.2 ${atCategory}`, 'failed', category, [cmi5]],
    [`9.6.2.2 ${atCategory}`, 'initialized', category, [cmi5, moveOn]],
    [`9.6.2.2 ${atCategory}`, 'terminated', category, [moveOn, cmi5]],
    ['9.3 /verb/id', 'initialized', ['verb', 'id'], 'http://adlnet.gov/expapi/verbs/experienced'],
    ['9.3 /verb/id', 'initialized', ['verb', 'id'], launcherVerbs.launched],
    ['9.3 /verb/id', 'initialized', ['verb', 'id'], launcherVerbs.abandoned],
    ['9.3 /verb/id', 'initialized', ['verb', 'id'], launcherVerbs.waived],
    ['9.3 /verb/id', 'initialized', ['verb', 'id'], launcherVerbs.satisfied],
    ['9.2 /actor', 'initialized', ['actor'], { objectType: 'Agent', mbox: 'mailto:a@b.example' }],
    ['9.2 /actor', 'initialized', ['actor'], { ...learner, objectType: 'Group' }],
    ['9.4 /object/id', 'initialized', ['object', 'id'], aUnit.publisherId],
    ['9.4 /object/id', 'completed', ['object', 'id'], `${aUnit.activityId}/part`],
    ['9.5.1 /result/score', 'initialized', ['result', 'score'], { scaled: 1 }],
    ['9.5.1 /result/score', 'completed', ['result', 'score'], { scaled: 1 }],
    ['9.5.1 /result/score', 'terminated', ['result', 'score'], {}],
    ['9.5.1 /result/score/scaled', 'failed', ['result', 'score', 'scaled'], -0.1],
    ['9.5.1 /result/score/raw', 'passed', ['result', 'score', 'min'], undefined],
    ['9.5.1 /result/score/raw', 'passed', ['result', 'score', 'max'], undefined],
    ['9.3.4 /result/score/scaled', 'passed', ['result', 'score', 'scaled'], 0.7999],
    ['9.3.5 /result/score/scaled', 'failed', ['result', 'score', 'scaled'], 0.8],
    [`9.6.3.2 ${atMastery}`, 'passed', mastery, undefined],
    [`9.6.3.2 ${atMastery}`, 'failed', mastery, undefined],
    [`9.6.3.2 ${atMastery}`, 'passed', mastery, 0.7],
    [`9.6.3.2 ${atMastery}`, 'passed', mastery, '0.8'],
    ['9.5.2 /result/success', 'passed', ['result', 'success'], false],
    ['9.5.2 /result/success', 'failed', ['result', 'success'], true],
    ['9.5.3 /result/completion', 'completed', ['result', 'completion'], false],
    ['9.5.3 /result/completion', 'passed', ['result', 'completion'], true],
    ['9.5.3 /result/completion', 'failed', ['result', 'completion'], false],
    ['9.5.2 /result/success', 'completed', ['result', 'success'], true],
    ['9.5.4.1 /result/duration', 'completed', ['result', 'duration'], undefined],
    ['9.5.4.1 /result/duration', 'passed', ['result', 'duration'], undefined],
    ['9.5.4.1 /result/duration', 'failed', ['result', 'duration'], undefined],
    ['9.5.4.1 /result/duration', 'terminated', ['result', 'duration'], undefined],
    [
      `9.5.5.1 /result/${inExtensions(progressExtension)}`,
      'terminated',
      ['result', 'extensions', progressExtension],
      101,
    ],
    [
      `9.5.5.1 /result/${inExtensions(progressExtension)}`,
      'terminated',
      ['result', 'extensions', progressExtension],
      -1,
    ],
  ]
  it.each(cases)('cmi5/%s: %s, %j: %j', (rule, verb, path, value) => {
    expect(broken(changed(definedStatement(verb), path, value))).toEqual([`cmi5/${rule}`])
  })

  it('cmi5/9.1: an id that the sender did not give', () => {
    const found = findBroken(sent(definedStatement('initialized'), { hasOwnId: false, pointer: '/3' }), aUnit)
    expect(found).toEqual([{ pointer: '/3/id', rule: 'cmi5/9.1', message: expect.stringContaining('UUID') as string }])
  })

  // Without success or completion a statement is not judged, and the category moveon goes with them.
  it.each([
    ['9.5.2 /result/success', 'passed', 'success'],
    ['9.5.2 /result/success', 'failed', 'success'],
    ['9.5.3 /result/completion', 'completed', 'completion'],
  ] as const)('cmi5/%s: %s without %s', (rule, verb, name) => {
    const statement = changed(changed(definedStatement(verb), ['result', name], undefined), category, [cmi5])
    expect(broken(statement)).toEqual([`cmi5/${rule}`])
  })

  it.each(['initialized', 'terminated'] as const)('cmi5/9.5.2 and 9.5.3: %s is not judged', (verb) => {
    const judged = (name: string) =>
      changed(changed(definedStatement(verb), ['result', name], true), category, [cmi5, moveOn])
    expect(broken(judged('success'))).toEqual(['cmi5/9.5.2 /result/success'])
    expect(broken(judged('completion'))).toEqual(['cmi5/9.5.3 /result/completion'])
  })

  it('cmi5/9.6.3.2: a masteryScore that the launch does not have', () => {
    const statement = changed(definedStatement('passed', anUnmeasuredUnit), mastery, 0.8)
    expect(broken(statement, anUnmeasuredUnit)).toEqual([`cmi5/9.6.3.2 ${atMastery}`])
  })

  it.each(['completed', 'passed', 'failed'] as const)('cmi5/10.2.2: %s, to browse and to review', (verb) => {
    for (const mode of ['browse', 'review'] as const) {
      const unit = { ...aUnit, mode }
      expect(broken(definedStatement(verb, unit), unit)).toEqual(['cmi5/10.2.2 /verb/id'])
    }
  })

  it('names everything that is wrong', () => {
    const statement = changed(changed(definedStatement('passed'), session, undefined), ['result'], { success: false })
    expect(broken(statement)).toEqual([
      `cmi5/9.6.3.1 ${atSession}`,
      'cmi5/9.5.2 /result/success',
      'cmi5/9.5.4.1 /result/duration',
    ])
  })
})

describe('cmi5 allowed statements', () => {
  const cases: [rule: string, path: readonly string[], value: unknown][] = [
    ['9.7 /timestamp', ['timestamp'], undefined],
    [`9.6.3.1 ${atSession}`, session, undefined],
    ['10.2.1 /context/contextActivities/grouping', grouping, undefined],
    [`9.6.2.2 ${atCategory}`, category, [moveOn]],
    [`9.5.5.1 /result/${inExtensions(progressExtension)}`, ['result', 'extensions', progressExtension], 33.3],
    [`9.5.5.1 /result/${inExtensions(progressExtension)}`, ['result', 'extensions', progressExtension], '50'],
  ]
  it.each(cases)('cmi5/%s: %j: %j', (rule, path, value) => {
    expect(broken(changed(allowedStatement(), path, value))).toEqual([`cmi5/${rule}`])
  })

  it('are refused where there is no context at all', () => {
    expect(broken(changed(allowedStatement(), ['context'], undefined))).toEqual([
      `cmi5/9.6.3.1 ${atSession}`,
      'cmi5/10.2.1 /context/contextActivities/grouping',
    ])
  })
})
