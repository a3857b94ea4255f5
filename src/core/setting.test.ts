import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeApplication } from '../../test/support/application.ts'
import type { MadeApplication } from '../../test/support/application.ts'
import { openStage, statement } from '../../test/support/xapi.ts'
import type { Client, Stage } from '../../test/support/xapi.ts'
import type { Caller } from './principal.ts'
import type { SettingsChange } from './setting.ts'

let stage: Stage
let operator: Caller
let stranger: Caller
let own: MadeApplication
let other: MadeApplication
beforeAll(async () => {
  stage = await openStage()
  operator = stage.core.signIn.operator(stage.organisationId, 'test')
  stranger = stage.core.signIn.operator(await stage.addOrganisation(), 'test')
  own = await makeApplication(stage.core, operator)
  other = await makeApplication(stage.core, operator)
})
afterAll(() => stage.close())

const put = (values: SettingsChange['values'], level = '', caller: Caller = own.principal): Promise<void> =>
  stage.core.settings.put(caller, own.id, { level, values })
const list = () => stage.core.settings.list(own.principal, own.id)
const events = () => stage.storage.directory.listAudit(stage.organisationId, 0, 10_000)

/** Refused, and nothing written. */
async function refused(attempt: () => Promise<unknown>, code: string): Promise<void> {
  const before = await Promise.all([list(), events()])
  await expect(attempt()).rejects.toMatchObject({ code })
  expect(await Promise.all([list(), events()])).toEqual(before)
}

describe('settings', () => {
  it('come back as they were put, by level and name, and go with null', async () => {
    await put({ b: 'ü "<&> \n', a: '' })
    await put({ a: '1' }, 'video/true')
    expect(await list()).toEqual([
      { level: '', name: 'a', value: '' },
      { level: '', name: 'b', value: 'ü "<&> \n' },
      { level: 'video/true', name: 'a', value: '1' },
    ])
    await put({ a: null, b: null, never: null })
    await put({ a: null }, 'video/true')
    expect(await list()).toEqual([])
  })

  it('count as a change of their application', async () => {
    stage.clock.pass(5000)
    await put({ a: '1' })
    expect((await stage.core.applications.get(operator, own.id)).updatedAt).toBe(stage.clock.now())
    await put({ a: null })
  })

  it('are those of the application’s key and of whoever manages the organisation', async () => {
    await put({ a: '1' }, '', operator)
    await refused(() => put({ a: '2' }, '', other.principal), 'not_found')
    await refused(() => stage.core.settings.list(other.principal, own.id), 'not_found')
    await refused(() => put({ a: '2' }, '', stranger), 'not_found')
    const client = await stage.as('xapi', { lrsIds: [own.application.liveLrsId] })
    const principal = await stage.core.signIn.basic(client)
    await refused(() => put({ a: '2' }, '', principal), 'not_found')
    await put({ a: null })
  })

  it('may be read and written apart, by tokens', async () => {
    const { bound } = own.principal.rights.management[0]!
    const token = async (area: 'settings' | 'credentials', action: 'read' | 'write') => {
      const rights = { xapi: {}, management: [{ area, actions: [action], bound }] } as const
      const issued = await stage.core.tokens.issue(own.principal, { rights })
      return stage.core.signIn.bearer(issued)
    }
    const [reading, writing] = [await token('settings', 'read'), await token('settings', 'write')]
    await put({ a: '1' }, '', writing)
    expect(await stage.core.settings.list(reading, own.id)).toHaveLength(1)
    await refused(() => put({ a: '2' }, '', reading), 'forbidden')
    await refused(() => stage.core.settings.list(writing, own.id), 'forbidden')
    const keys = await token('credentials', 'write')
    await refused(() => put({ a: '2' }, '', keys), 'forbidden')
    await put({ a: null }, '', writing)
  })

  it.each([
    ['a name with U+0000', { 'a\u0000': '1' }],
    ['a long name', { ['a'.repeat(256)]: '1' }],
    ['half a character in a name', { '\ud800': '1' }],
    ['U+0000 in a value', { a: '1\u0000' }],
    ['half a character', { a: '\udc00' }],
    ['a long value', { a: 'x'.repeat(4001) }],
  ])('are refused for %s, those beside it, too', async (_, values) => {
    await refused(() => put({ fine: '1', ...values }), 'invalid')
  })

  it('are refused at a level that is no text', async () => {
    await refused(() => put({ a: '1' }, 'a\u0000'), 'invalid')
    await refused(() => put({ a: '1' }, 'x'.repeat(256)), 'invalid')
  })

  it('with names that mean something to JavaScript are like any other', async () => {
    const names = ['__proto__', 'constructor', 'toString']
    await put(Object.fromEntries(names.map((name) => [name, name])))
    const listed = (await list()).map(({ name, value }) => [name, value])
    expect(listed.toSorted()).toEqual(names.map((name) => [name, name]).toSorted())
    await put(Object.fromEntries(names.map((name) => [name, null])))
    expect(await list()).toEqual([])
  })

  it('are 5,000 at most, and what is replaced is not counted twice', async () => {
    const many = (count: number, from = 0) => {
      return Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${from + index}`, 'x']))
    }
    await put(many(5000))
    await put(many(5000))
    await refused(() => put(many(1, 5000)), 'conflict')
    await refused(() => put(many(1), 'level'), 'conflict')
    await put({ n0: null, n1: null })
    await put(many(2, 5000))
    await put(Object.fromEntries((await list()).map(({ name }) => [name, null])))
    expect(await list()).toEqual([])
  })

  it('are audited by name, never by value', async () => {
    await stage.core.settings.put(own.principal, own.id, {
      ...{ level: 'l', values: { password: 'hidden-value', gone: null }, isOpen: true },
    })
    expect((await events()).at(-1)).toMatchObject({
      ...{ action: 'setting.put', target: { noun: 'application', id: own.id }, actor: { kind: 'credential' } },
      detail: { level: 'l', names: ['password', 'gone'], isOpen: true },
    })
    expect(JSON.stringify(await events())).not.toContain('hidden-value')
  })

  it('are kept sealed', async () => {
    const kept = await stage.storage.directory.listSettings(stage.organisationId, own.id)
    expect(kept.map(({ name }) => name)).toEqual(['password'])
    expect(JSON.stringify(kept)).not.toContain('hidden-value')
  })
})

describe('an application that is switched off', () => {
  const inside = (made: MadeApplication, ...which: readonly ('live' | 'sandbox' | 'first')[]): Promise<Client> => {
    const { liveLrsId, sandboxLrsId } = made.application
    const of = { live: liveLrsId, sandbox: sandboxLrsId, first: firstLrsId }
    return stage.as('xapi', { lrsIds: which.map((name) => of[name]) })
  }
  let firstLrsId: typeof own.application.liveLrsId
  beforeAll(async () => void (firstLrsId = (await stage.core.organisations.get(operator)).defaultLrsId!))
  const open = (isOpen: boolean) => stage.core.settings.put(own.principal, own.id, { level: '', values: {}, isOpen })

  it('answers no xAPI in either Lrs, from the next request on, until it is switched on', async () => {
    const clients = [await inside(own, 'live'), await inside(own, 'sandbox', 'live')]
    const others = [await inside(other, 'live'), await inside(own, 'first', 'live'), await stage.as('xapi')]
    for (const client of [...clients, ...others]) expect((await client.post(statement())).status).toBe(200)
    await open(false)
    for (const client of clients) {
      const answers = [
        await client.get('statements'),
        await client.post(statement()),
        await client.get('activities/profile?activityId=http://example.org/a'),
        await client.get('agents?agent={"mbox":"mailto:a@example.org"}'),
      ]
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403])
      for (const { json } of answers) expect(json.message).toContain('xAPI is switched off')
      const principal = await stage.core.signIn.basic(client)
      const asked = { kind: 'xapi', right: 'statements/read', lrsId: client.credential.lrsIds[0]! } as const
      expect(stage.core.access.explain(principal, asked)).toMatchObject({ allowed: false, decidedBy: 'lrs closed' })
    }
    for (const client of others) expect((await client.get('statements')).status).toBe(200)
    await open(true)
    for (const client of clients) expect((await client.idsOf()).length).toBeGreaterThan(0)
  })

  it('is so for sessions and tokens too, and stays manageable', async () => {
    const client = await inside(own, 'live')
    const session = await stage.sessionOf(client)
    await open(false)
    await open(false)
    expect((await session.get('statements')).status).toBe(403)
    const made = await stage.core.credentials.create(own.principal, {
      ...{ name: 'x', rights: { xapi: {}, management: [] }, lrsIds: [own.application.liveLrsId] },
    })
    await stage.core.credentials.remove(own.principal, made.credential.id)
    expect((await stage.core.organisations.get(operator)).closedLrsIds).toEqual([
      own.application.liveLrsId,
      own.application.sandboxLrsId,
    ])
    await open(true)
    expect((await session.get('statements')).status).toBe(200)
  })
})

describe('an application that holds something', () => {
  it('is not deleted; the refusal counts, and says in which Lrs', async () => {
    const full = await makeApplication(stage.core, operator)
    const { liveLrsId, sandboxLrsId } = full.application
    const live = await stage.as('xapi', { lrsIds: [liveLrsId] })
    const sandbox = await stage.as('xapi', { lrsIds: [sandboxLrsId] })
    for (let count = 0; count < 3; count++) await live.post(statement())
    const profile = 'activities/profile?activityId=http://example.org/a&profileId=p'
    expect((await sandbox.send('PUT', profile, { body: { a: 1 }, headers: { 'if-none-match': '*' } })).status).toBe(204)
    const before = await events()
    const attempt = () => stage.core.applications.remove(operator, full.id)
    await expect(attempt()).rejects.toMatchObject({ code: 'conflict' })
    await expect(attempt()).rejects.toThrow(
      `Content still exists in application ${full.id} (live: 3 statements and 0 documents in Lrs ${liveLrsId}; ` +
        `sandbox: 0 statements and 1 document in Lrs ${sandboxLrsId}). Remove it first: claviger lrs empty.`,
    )
    expect(await events()).toEqual(before)
    expect((await live.get('statements')).status).toBe(200)
    await stage.core.erasures.empty(operator, liveLrsId)
    await expect(attempt()).rejects.toThrow('live: 0 statements and 0 documents')
    await stage.core.erasures.empty(operator, sandboxLrsId)
    await attempt()
    expect((await live.get('statements')).status).toBe(401)
  })
})
