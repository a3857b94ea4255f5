import { describe, expect, it } from 'vitest'
import { aUnit, learner } from '../../../test/support/cmi5.ts'
import { brokenRules } from '../../../test/support/statement.ts'
import { readContentSettings } from '../content-settings.ts'
import { uuid5 } from '../uuid5.ts'
import { launchData, launchParametersOf, learnerPreferences } from './launch-data.ts'
import { abandonedStatement, launchedStatement, satisfiedStatement } from './launcher-statements.ts'
import type { Occasion } from './launcher-statements.ts'
import { contextTemplate } from './unit.ts'
import { categories, contextExtensions, courseType } from './vocabulary.ts'

const settings = readContentSettings({
  ...{ url: 'https://content.example.com/start.html?lang=nb', style: 'cmi5', activityId: aUnit.publisherId },
  ...{ masteryScore: 0.8, moveOn: 'CompletedAndPassed', launchParameters: 'level=2', entitlementKey: 'xyz-123' },
  ...{ courseId: 'https://publisher.example.com/course', activityType: 'http://adlnet.gov/expapi/activities/lesson' },
})
const plain = readContentSettings({ url: settings.url, style: 'cmi5', activityId: aUnit.publisherId })
const handed = { returnUrl: 'https://lrs.example.com/launch/closed', given: { language: 'nb-NO' } }
const registration = '7d2f3c40-0000-4000-8000-000000000001'
const at = Date.UTC(2026, 0, 31, 12)
const idOf = (...about: readonly string[]) => uuid5(['a secret', ...about])
const occasion: Occasion = { unit: aUnit, settings, actor: learner, registration, at, idOf }

const session = { [contextExtensions.sessionId]: aUnit.sessionId }
const common = { actor: learner, timestamp: '2026-01-31T12:00:00.000Z' }
const contextActivities = {
  category: [{ objectType: 'Activity', id: categories.cmi5 }],
  grouping: [{ objectType: 'Activity', id: aUnit.publisherId }],
}

describe('what the launcher says', () => {
  it('launched (cmi5 9.3.1, 9.6.3.2 to 9.6.3.7)', () => {
    expect(launchedStatement(occasion, 'level=2')).toMatchObject({
      ...common,
      verb: { id: 'http://adlnet.gov/expapi/verbs/launched' },
      object: { id: aUnit.activityId, definition: { type: settings.activityType } },
      context: {
        registration,
        contextActivities,
        extensions: {
          ...session,
          [contextExtensions.launchMode]: 'Normal',
          [contextExtensions.launchUrl]: 'https://content.example.com/start.html?lang=nb',
          [contextExtensions.moveOn]: 'CompletedAndPassed',
          [contextExtensions.masteryScore]: 0.8,
          [contextExtensions.launchParameters]: 'level=2',
        },
      },
    })
  })

  it('launched, where there are neither masteryScore nor parameters, does not make them up', () => {
    const { masteryScore: _masteryScore, ...unit } = aUnit
    const { context } = launchedStatement({ ...occasion, unit }, undefined) as { context: { extensions: object } }
    expect(Object.keys(context.extensions)).toEqual([
      contextExtensions.sessionId,
      contextExtensions.launchMode,
      contextExtensions.launchUrl,
      contextExtensions.moveOn,
    ])
  })

  it('abandoned (cmi5 9.3.6, 9.5.4.2), with the time that was spent', () => {
    expect(abandonedStatement(occasion, 90.5)).toMatchObject({
      ...common,
      verb: { id: 'https://w3id.org/xapi/adl/verbs/abandoned' },
      object: { id: aUnit.activityId },
      result: { duration: 'PT90.5S' },
      context: { registration, contextActivities, extensions: session },
    })
    expect(abandonedStatement(occasion, -1)).toMatchObject({ result: { duration: 'PT0S' } })
  })

  it('satisfied (cmi5 9.3.9, 9.4), about the course', () => {
    const grouping = [settings.courseId, aUnit.publisherId].map((id) => ({ objectType: 'Activity', id }))
    expect(satisfiedStatement(occasion, { isOutside: false })).toMatchObject({
      ...common,
      verb: { id: 'https://w3id.org/xapi/adl/verbs/satisfied' },
      object: { id: `${aUnit.activityId}/course`, definition: { type: courseType } },
      context: { registration, contextActivities: { ...contextActivities, grouping }, extensions: session },
    })
  })

  it('satisfied at the time of registration has a session id of its own (cmi5 9.3.9)', () => {
    const { context } = satisfiedStatement(occasion, { isOutside: true }) as { context: { extensions: object } }
    expect(context.extensions).not.toEqual(session)
    expect(satisfiedStatement(occasion, { isOutside: true })).toMatchObject({ context })
  })

  it('keeps the rules of xAPI, and has one id for each launch and verb', () => {
    const all = [
      launchedStatement(occasion, 'x'),
      abandonedStatement(occasion, 1),
      satisfiedStatement(occasion, { isOutside: false }),
    ]
    expect(all.flatMap((statement) => brokenRules(statement))).toEqual([])
    expect(new Set(all.map(({ id }) => id)).size).toBe(3)
    expect(launchedStatement({ ...occasion, at: 0 }, 'y')['id']).toBe(all[0]?.['id'])
    const unit = { ...aUnit, sessionId: '0f3a8a10-6a5f-4a51-9f3e-0c3f5d0a0002' }
    expect(launchedStatement({ ...occasion, unit }, 'x')['id']).not.toBe(all[0]?.['id'])
  })
})

describe('what the launcher leaves', () => {
  it('LMS.LaunchData (cmi5 10.2)', () => {
    expect(launchData(aUnit, settings, handed)).toEqual({
      contextTemplate: contextTemplate(aUnit),
      launchMode: 'Normal',
      moveOn: 'CompletedAndPassed',
      returnURL: handed.returnUrl,
      masteryScore: 0.8,
      launchParameters: 'level=2',
      entitlementKey: { courseStructure: 'xyz-123' },
    })
  })

  it('what the content does not say is left out, and what the platform said is handed over', () => {
    const { masteryScore: _masteryScore, ...unit } = aUnit
    const data = launchData({ ...unit, mode: 'review', moveOn: 'NotApplicable' }, plain, handed)
    expect(data).toEqual({
      contextTemplate: contextTemplate(aUnit),
      launchMode: 'Review',
      moveOn: 'NotApplicable',
      returnURL: handed.returnUrl,
      launchParameters: '{"language":"nb-NO"}',
    })
    expect(launchParametersOf(plain, { given: null })).toBeUndefined()
    expect(launchParametersOf(plain, { given: {} })).toBeUndefined()
  })

  it('the context template (cmi5 10.2.1): session id, the publisher’s id, and the activity', () => {
    expect(contextTemplate(aUnit)).toEqual({
      contextActivities: {
        grouping: [
          { objectType: 'Activity', id: aUnit.publisherId },
          { objectType: 'Activity', id: aUnit.activityId },
        ],
      },
      extensions: session,
    })
  })

  it('a place of the content’s own for the end', () => {
    const returnUrl = 'https://content.example.com/bye'
    expect(launchData(aUnit, { ...settings, returnUrl }, handed)).toMatchObject({ returnURL: returnUrl })
  })

  it('preferences (cmi5 11), where a language is known', () => {
    expect(learnerPreferences('nb-NO')).toEqual({ languagePreference: 'nb-NO' })
    expect(learnerPreferences(null)).toBeUndefined()
  })
})
