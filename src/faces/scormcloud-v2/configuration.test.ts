// Settings of an application: what is known, the cascade, what may be set where, and the one that acts.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, World } from '../../../test/support/scormcloud.ts'
import { learningStandards, settings } from './settings-catalogue.ts'

let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const path = '/appManagement/configuration'
const get = (query = ''): Promise<Answer> => world.v2('GET', `${path}${query}`, { as: world.application.login })
const post = (sent: unknown, query = ''): Promise<Answer> =>
  world.v2('POST', `${path}${query}`, { as: world.application.login, json: { settings: sent } })
const set = async (settingId: string, value: string, query = ''): Promise<void> => {
  expect((await post([{ settingId, value }], query)).status).toBe(204)
}
const revert = (id: string, query = ''): Promise<Answer> =>
  world.v2('DELETE', `${path}/${id}${query}`, { as: world.application.login })
const item = async (id: string, query = '') =>
  (await get(query)).json.settingItems.find((it: { id: string }) => it.id === id)

const scorm12 = '?learningStandard=SCORM_12&singleSco=true'
const show = 'PlayerShowNavBar'

describe('reading', () => {
  it('has every setting with its default, and nothing explicit', async () => {
    const { status, json } = await get()
    expect(status).toBe(200)
    expect(json.settingItems.map((it: { id: string }) => it.id)).toEqual([...settings.keys()])
    for (const { id, ...rest } of json.settingItems) {
      expect(rest).toEqual({ effectiveValue: settings.get(id)?.default, effectiveValueSource: 'default' })
    }
  })

  it('S4.9 adds metadata where it is asked for', async () => {
    expect((await item('PlayerResetRunTimeData', '?includeMetadata=true')).metadata).toEqual({
      default: 'NEVER',
      dataType: 'Enum',
      settingDescription: expect.any(String),
      level: 'registration',
      learningStandards: learningStandards.filter((standard) => /SCORM|AICC/.test(standard)),
      learningStandardVariant: 'either',
      validValues: [
        { value: 'NEVER' },
        { value: 'WHEN_EXIT_IS_NOT_SUSPEND' },
        { value: 'ON_EACH_NEW_SEQUENCING_ATTEMPT' },
      ],
    })
    expect((await item(show, '?includeMetadata=False')).metadata).toBeUndefined()
  })

  it('of a standard has what is for it', async () => {
    const ids = async (query: string): Promise<string[]> =>
      (await get(query)).json.settingItems.map((it: { id: string }) => it.id)
    const [whole, xapi, single, several] = await Promise.all([
      ids(''),
      ids('?learningStandard=XAPI&singleSco=false'),
      ids(scorm12),
      ids('?learningStandard=scorm_12&singleSco=False'),
    ])
    expect(whole).toContain('xAPIEnabled')
    expect([...xapi, ...single, ...several]).not.toContain('xAPIEnabled')
    expect(xapi).not.toContain('PlayerResetRunTimeData')
    expect(single).toContain('PlayerResetRunTimeData')
    expect(several).toContain('PlayerFirstScoIsPretest')
    expect(single).not.toContain('PlayerFirstScoIsPretest')
  })
})

describe('the cascade', () => {
  it('S4.9 takes the most specific level that has a value', async () => {
    await set(show, 'true')
    expect(await item(show)).toEqual({
      id: show,
      effectiveValue: 'true',
      effectiveValueSource: 'application',
      explicitValue: 'true',
    })
    expect(await item(show, scorm12)).toEqual({ id: show, effectiveValue: 'true', effectiveValueSource: 'application' })
    await set(show, 'false', scorm12)
    expect(await item(show, scorm12)).toEqual({
      id: show,
      effectiveValue: 'false',
      effectiveValueSource: 'learningStandardForApplication',
      explicitValue: 'false',
    })
    expect((await item(show)).explicitValue).toBe('true')
    expect((await item(show, '?learningStandard=SCORM_12&singleSco=false')).effectiveValueSource).toBe('application')
    expect((await item(show, '?learningStandard=CMI5&singleSco=true')).effectiveValueSource).toBe('application')
  })

  it('S4.9 goes back level by level', async () => {
    await set(show, 'true')
    await set(show, 'false', scorm12)
    expect(await revert(show, scorm12)).toMatchObject({ status: 204, text: '' })
    expect((await item(show, scorm12)).effectiveValueSource).toBe('application')
    expect((await revert(show)).status).toBe(204)
    expect(await item(show, scorm12)).toEqual({ id: show, effectiveValue: 'false', effectiveValueSource: 'default' })
    expect((await revert(show)).status).toBe(204)
  })

  it('sets a value that is the inherited one all the same, whatever explicit says', async () => {
    for (const explicit of [true, false, undefined]) {
      await revert(show)
      expect((await post([{ settingId: show, value: 'false', explicit }])).status).toBe(204)
      expect((await item(show)).explicitValue).toBe('false')
    }
  })

  it('S4.10 is each application’s own', async () => {
    const other = await world.addApplication('Other')
    await set(show, 'true')
    const { json } = await world.v2('GET', path, { as: other.login })
    expect(json.settingItems.find((it: { id: string }) => it.id === show).effectiveValueSource).toBe('default')
  })
})

describe('setting', () => {
  it('keeps values as the vendor writes them', async () => {
    await post([
      { settingId: show, value: 'YES' },
      { settingId: 'PlayerLaunchType', value: 'new_window' },
      { settingId: 'PlayerStatusRollupModeThresholdScore', value: '0.75' },
      { settingId: 'PlayerDesiredHeight', value: '600' },
      { settingId: 'ApiRollupRegistrationPostBackUrl', value: 'https://lms.example.org/cb?a=1&b=ü' },
    ])
    const value = async (id: string) => (await item(id)).explicitValue
    expect(await value(show)).toBe('true')
    expect(await value('PlayerLaunchType')).toBe('NEW_WINDOW')
    expect(await value('PlayerStatusRollupModeThresholdScore')).toBe('0.75')
    expect(await value('ApiRollupRegistrationPostBackUrl')).toBe('https://lms.example.org/cb?a=1&b=ü')
  })

  it('takes an empty list, and none, for nothing to do', async () => {
    await world.events()
    for (const json of [{ settings: [] }, {}]) {
      expect((await world.v2('POST', path, { as: world.application.login, json })).status).toBe(204)
    }
    expect(await world.events()).toEqual([])
  })

  it('shows a password to who may set it, and keeps it out of the audit', async () => {
    const password = 'ApiRollupRegistrationPostBackAuthPassword'
    await set(password, 'hunter2-hunter2')
    expect(await item(password)).toMatchObject({ explicitValue: 'hunter2-hunter2' })
    const made = await world.v2('POST', '/appManagement/token', {
      as: world.application.login,
      json: { permissions: { scopes: ['read:appmgmt'] }, expiry: '2026-01-03' },
    })
    const { text } = await world.v2('GET', path, { as: made.json.result })
    expect(text).not.toContain('hunter2')
    const { events } = await world.core.audit.list(world.operator(), { after: 0, limit: 100 })
    expect(JSON.stringify(events)).not.toContain('hunter2')
    const [stored] = await world.storage.directory.listSettings(world.organisation, world.application.record.id)
    expect(stored?.value).not.toContain('hunter2')
  })

  it.each([
    [
      'a setting nobody knows',
      [{ settingId: 'PlayerColour', value: 'red' }],
      /\/settings\/0\/settingId: must be a setting/,
    ],
    ['__proto__', [{ settingId: '__proto__', value: 'red' }], /\/settings\/0\/settingId: must be a setting/],
    [
      'a word that is none of its values',
      [{ settingId: 'PlayerLaunchType', value: 'TAB' }],
      /\/settings\/0\/value: PlayerLaunchType must be one of FRAMESET/,
    ],
    ['a boolean that is no text', [{ settingId: show, value: true }], /\/settings\/0\/value: must be a string/],
    ['neither true nor false', [{ settingId: show, value: '1' }], /must be true or false/],
    ['a number below its least', [{ settingId: 'PlayerDesiredHeight', value: '-1' }], /must be a whole number from 0/],
    ['a fraction', [{ settingId: 'PlayerDesiredHeight', value: '1.5' }], /must be a whole number/],
    [
      'a score above one',
      [{ settingId: 'PlayerStatusRollupModeThresholdScore', value: '80' }],
      /must be a number from 0 to 1/,
    ],
    ['no value', [{ settingId: show }], /\/settings\/0\/value: must be a string/],
    ['no id', [{ value: 'true' }], /\/settings\/0\/settingId: must be a string/],
    [
      'one twice',
      [
        { settingId: show, value: 'true' },
        { settingId: show, value: 'false' },
      ],
      /\/settings\/1\/settingId: must be named once/,
    ],
    [
      'explicit of text',
      [{ settingId: show, value: 'true', explicit: 'yes' }],
      /\/settings\/0\/explicit: must be true or false/,
    ],
    ['an object for the list', { settingId: show }, /\/settings: must be a list/],
    ['text in the list', [show], /\/settings\/0: must be an object/],
    [
      'a text too long',
      [{ settingId: 'ApiRollupRegistrationPostBackUrl', value: 'x'.repeat(5000) }],
      /at most 4000 characters/,
    ],
    ['U+0000', [{ settingId: 'ApiRollupRegistrationPostBackUrl', value: 'a\0' }], /U\+0000/],
    [
      'the good ones beside a bad one',
      [
        { settingId: show, value: 'true' },
        { settingId: 'x', value: 'y' },
      ],
      /\/settings\/1/,
    ],
  ])('refuses %s, and sets nothing', async (_what, sent, message) => {
    await world.events()
    const { status, json } = await post(sent)
    expect([status, json]).toEqual([400, { message: expect.stringMatching(message) }])
    expect(await world.events()).toEqual([])
  })

  it.each([
    ['?learningStandard=SCORM_12', /\?singleSco: must stand beside learningStandard/],
    ['?singleSco=true', /\?learningStandard: must stand beside singleSco/],
    ['?learningStandard=SCORM_13&singleSco=true', /\?learningStandard: must be one of/],
    ['?learningStandard=SCORM_12&singleSco=1', /\?singleSco: must be true or false/],
    ['?learningStandard=SCORM_12&learningStandard=AICC&singleSco=true', /must be given once/],
  ])('S4.9 refuses the level %s everywhere', async (query, message) => {
    await world.events()
    for (const answer of [
      await get(query),
      await post([{ settingId: show, value: 'true' }], query),
      await revert(show, query),
    ]) {
      expect([answer.status, answer.json]).toEqual([400, { message: expect.stringMatching(message) }])
    }
    expect(await world.events()).toEqual([])
  })

  it('refuses at the level of a standard what is not for it', async () => {
    for (const answer of [
      await post([{ settingId: 'xAPIEnabled', value: 'false' }], scorm12),
      await revert('xAPIEnabled', scorm12),
      await post([{ settingId: 'PlayerFirstScoIsPretest', value: 'true' }], scorm12),
    ]) {
      expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('is not for this level')])
    }
    expect((await revert('PlayerColour')).json.message).toBe(
      'settingId: must be a setting of this API, not "PlayerColour"',
    )
  })
})

it('S4.10 xAPIEnabled acts: both Lrs of the application answer, or do not', async () => {
  const { record, login } = world.application
  const secret = 'a-secret-long-enough'
  const made = await world.v2('POST', '/xapi/credentials', {
    as: login,
    json: { name: 'k', secret, isEnabled: true, auth: 'BASICAUTH', permissionsLevel: 'ROOT' },
  })
  const as = { key: made.json.result, secret }
  const headers = { 'X-Experience-API-Version': '1.0.3' }
  const statuses = async (): Promise<number[]> => {
    const paths = [`/lrs/${record.id}/statements`, `/lrs/${record.id}/sandbox/statements`]
    return Promise.all(paths.map(async (at) => (await world.ask('GET', at, { as, headers })).status))
  }
  expect(await statuses()).toEqual([200, 200])
  await set('xAPIEnabled', 'false')
  expect(await statuses()).toEqual([403, 403])
  expect((await revert('xAPIEnabled')).status).toBe(204)
  expect(await statuses()).toEqual([200, 200])
  await set('xAPIEnabled', 'NO')
  await set('PlayerShowHelp', 'true')
  expect(await statuses()).toEqual([403, 403])
  await set('xAPIEnabled', 'true')
  expect(await statuses()).toEqual([200, 200])
})
