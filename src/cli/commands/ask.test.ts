import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewCredentialInput } from '../../core/credential.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Rights } from '../../core/rights.ts'
import { commandLineOn } from '../../../test/support/command-line.ts'
import { openStage } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
const clients = new Map<string, Client>()
/** Of the statements stored beforehand: by an isolated key, by another key, and a voided one of the former. */
const ids: Record<string, string> = {}

const manage = (...actions: Rights['management'][number]['actions']): Partial<NewCredentialInput> => ({
  rights: { xapi: {}, management: [{ area: 'credentials', actions, bound: { kind: 'organisation' } }] },
})

const keys: Readonly<Record<string, [preset: string, input?: Partial<NewCredentialInput>]>> = {
  everything: ['everything'],
  isolated: ['isolated'],
  reader: ['read-only'],
  writer: ['write-only'],
  none: ['none'],
  manager: ['management'],
  delegate: ['delegated-management'],
  looker: ['none', manage('read')],
  'writer of keys': ['none', manage('write')],
  'deleter of keys': ['none', manage('read', 'delete')],
  pinned: ['xapi', { pins: { actor: [{ mbox: 'mailto:ann@example.org' }] } }],
  'pinned to a course': ['xapi', { pins: { activity: 'urn:course' } }],
  'old only': ['xapi', { limits: { xapiVersions: ['1.0'] } }],
  small: ['xapi', { limits: { batch: 1, bodyBytes: 2000 } }],
  elsewhere: ['xapi'],
  disabled: ['everything', { isEnabled: false }],
}

beforeAll(async () => {
  stage = await openStage({ batch: 3 })
  const operator = stage.core.signIn.operator(stage.organisationId, 'test')
  const { id } = await stage.core.lrs.create(operator, { name: 'Elsewhere' })
  for (const [name, [preset, input]] of Object.entries(keys)) {
    const lrsIds = name === 'elsewhere' ? { lrsIds: [id as LrsId] } : {}
    clients.set(name, await stage.as(preset, { name, key: name.replaceAll(' ', '-'), ...lrsIds, ...input }))
  }
  const store = async (name: string, body: unknown): Promise<string> => {
    const { status, json, text } = await clients.get(name)!.post(body)
    if (status !== 200) throw new Error(text)
    return json[0]
  }
  ids['own'] = await store('isolated', statement())
  ids['others'] = await store('everything', statement())
  ids['voided'] = await store('isolated', statement())
  await store('isolated', voiding(ids['voided']))
  ids['session'] = await openedSession()
  for (const [key, stateId] of [
    ['everything', 'shared'],
    ['isolated', 'own'],
  ] as const) {
    const path = `activities/state?${about}&stateId=${stateId}`
    const { status, text } = await clients.get(key)!.send('PUT', path, { body: {} })
    if (status !== 204) throw new Error(text)
  }
})
afterAll(() => stage.close())

async function openedSession(): Promise<string> {
  const operator = stage.core.signIn.operator(stage.organisationId, 'test')
  const { session } = await stage.core.sessions.create(operator, clients.get('isolated')!.credential.id)
  return String(session.id)
}

function statement(more: object = {}) {
  return {
    actor: { mbox: 'mailto:ann@example.org' },
    verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
    object: { id: 'https://example.org/a' },
    ...more,
  }
}

function voiding(id = 'b7e0f1a2-3c4d-4e5f-8a6b-7c8d9e0f1a2b') {
  const verb = { id: 'http://adlnet.gov/expapi/verbs/voided' }
  return statement({ verb, object: { objectType: 'StatementRef', id } })
}

interface Answer {
  readonly allowed: boolean
  readonly decidedBy: string
  readonly reason: string
  readonly remedy?: string
  readonly depends: readonly string[]
  readonly notes: readonly string[]
}

async function ask(key: string, method: string, path: string, more: readonly string[] = [], stdin?: string) {
  const cli = commandLineOn(stage.core)
  const { code, json, err } = await cli(['ask', key.replaceAll(' ', '-'), method, path, ...more, '--json'], stdin)
  if (json === undefined) throw new Error(err)
  return { exit: code, ...(json as Answer) }
}

/** Everything a request or a question could have left behind. */
async function traces(): Promise<string> {
  const operator = stage.core.signIn.operator(stage.organisationId, 'test')
  const page = { offset: 0, limit: 1000 }
  const { items } = await stage.core.credentials.list(operator, {}, page)
  const { events } = await stage.core.audit.list(operator, { limit: 1000 })
  return JSON.stringify([items, events, await clients.get('everything')!.idsOf()])
}

interface Row {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly version?: string
  /** Only these keys; the others may differ by what was not told, as the body of a management request. */
  readonly keys?: readonly string[]
}

const ann = encodeURIComponent(JSON.stringify({ mbox: 'mailto:ann@example.org' }))
const ben = encodeURIComponent(JSON.stringify({ mbox: 'mailto:ben@example.org' }))
const about = `activityId=https://example.org/a&agent=${ann}`
const aboutBen = `activityId=https://example.org/a&agent=${ben}`
const v = (name: string): string => `{${name}}`
const providers = '/api/organizations/1/activity-providers'
const lrs = '/api/organizations/1/lrs'
const rows: readonly Row[] = [
  { method: 'GET', path: '/xapi/statements' },
  { method: 'HEAD', path: '/xapi/statements' },
  { method: 'GET', path: '/xapi//statements/' },
  { method: 'GET', path: '/xapi/Statements' },
  { method: 'GET', path: `${lrs}/statements` },
  { method: 'GET', path: '/api/organizations/2/lrs/statements' },
  { method: 'GET', path: '/api/organizations/x/lrs/statements' },
  { method: 'GET', path: '/xapi/statements', version: '1.0.3' },
  { method: 'GET', path: '/xapi/statements', version: '1.0' },
  { method: 'GET', path: '/xapi/statements', version: '2.0.0' },
  { method: 'GET', path: '/xapi/statements', version: '0.95' },
  { method: 'GET', path: '/xapi/statements?limit=-1' },
  { method: 'GET', path: '/xapi/statements?limits=1' },
  { method: 'GET', path: '/xapi/statements?limit=1&ascending=true' },
  { method: 'GET', path: '/xapi/statements?attachments=true' },
  { method: 'GET', path: `/xapi/statements?statementId=${v('own')}` },
  { method: 'GET', path: `/xapi/statements?statementId=${v('others')}` },
  { method: 'GET', path: `/xapi/statements?statementId=${v('voided')}` },
  { method: 'GET', path: `/xapi/statements?voidedStatementId=${v('voided')}` },
  { method: 'GET', path: '/xapi/statements?statementId=b7e0f1a2-3c4d-4e5f-8a6b-7c8d9e0f1a2c' },
  { method: 'GET', path: `/xapi/statements?statementId=${v('own')}&limit=1` },
  { method: 'POST', path: '/xapi/statements', body: statement() },
  { method: 'POST', path: '/xapi/statements', body: [] },
  { method: 'POST', path: '/xapi/statements', body: [statement(), statement()] },
  { method: 'POST', path: '/xapi/statements', body: [statement(), statement(), statement(), statement()] },
  { method: 'POST', path: '/xapi/statements', body: statement({ actor: { mbox: 'mailto:ben@example.org' } }) },
  { method: 'POST', path: '/xapi/statements', body: statement({ actor: { mbox: 'ben' } }) },
  { method: 'POST', path: '/xapi/statements', body: statement({ result: { response: 'x'.repeat(3000) } }) },
  { method: 'POST', path: '/xapi/statements', body: '{"actor": ' },
  { method: 'POST', path: '/xapi/statements', body: voiding() },
  { method: 'POST', path: '/xapi/statements', body: [statement(), voiding()] },
  { method: 'POST', path: '/xapi/statements', body: statement({ authority: { mbox: 'mailto:ceo@example.org' } }) },
  { method: 'POST', path: '/xapi/statements?x=1', body: statement() },
  { method: 'POST', path: '/xapi/statements?method=GET', body: statement(), version: '1.0.3' },
  { method: 'POST', path: '/xapi/statements?method=GET', body: statement(), version: '2.0.0' },
  { method: 'PUT', path: '/xapi/statements', body: statement() },
  { method: 'PUT', path: '/xapi/statements?statementId=nonsense', body: statement() },
  { method: 'PUT', path: '/xapi/statements?statementId={uuid}', body: voiding() },
  { method: 'DELETE', path: '/xapi/statements' },
  { method: 'GET', path: '/xapi/activities?activityId=https://example.org/a' },
  { method: 'HEAD', path: '/xapi/activities?activityId=urn:course:1' },
  { method: 'GET', path: `${lrs}/activities?activityId=https://example.org/a` },
  { method: 'GET', path: '/xapi/activities?activityId=true' },
  { method: 'GET', path: '/xapi/activities' },
  { method: 'GET', path: '/xapi/activities?activityID=https://example.org/a' },
  { method: 'POST', path: '/xapi/activities?activityId=https://example.org/a', body: {} },
  { method: 'GET', path: `/xapi/agents?agent=${ann}` },
  { method: 'HEAD', path: `/xapi/agents?agent=${ben}` },
  { method: 'GET', path: `/xapi/agents?agent=${ben}`, version: '1.0.3' },
  { method: 'GET', path: '/xapi/agents?agent=%7B%7D' },
  { method: 'GET', path: '/xapi/agents?agent=ann' },
  { method: 'GET', path: '/xapi/agents' },
  { method: 'DELETE', path: `/xapi/agents?agent=${ann}` },
  { method: 'GET', path: '/xapi/about' },
  { method: 'POST', path: '/xapi/about' },
  { method: 'OPTIONS', path: '/xapi/statements' },
  { method: 'GET', path: '/xapi/activities/state' },
  { method: 'GET', path: `/xapi/activities/state?${about}` },
  { method: 'HEAD', path: `/xapi/activities/state?${about}&stateId=shared` },
  { method: 'GET', path: `/xapi/activities/state?${about}&stateId=shared` },
  { method: 'GET', path: `/xapi/activities/state?${about}&stateId=own` },
  { method: 'GET', path: `/xapi/activities/state?${about}&stateId=none` },
  { method: 'GET', path: `/xapi/activities/state?${about}&stateid=shared` },
  { method: 'GET', path: `/xapi/activities/state?${aboutBen}` },
  { method: 'PUT', path: `/xapi/activities/state?${about}&stateId={uuid}`, body: {} },
  { method: 'PUT', path: `/xapi/activities/state?${aboutBen}&stateId={uuid}`, body: {} },
  { method: 'PUT', path: `/xapi/activities/state?${about}`, body: {} },
  { method: 'POST', path: `/xapi/activities/state?${about}&stateId={uuid}`, body: {}, version: '1.0.3' },
  { method: 'DELETE', path: `/xapi/activities/state?${aboutBen}` },
  { method: 'DELETE', path: `/xapi/activities/state?${about}&stateId=none` },
  { method: 'PATCH', path: `/xapi/activities/state?${about}` },
  { method: 'PUT', path: `${lrs}/agents/profile` },
  { method: 'PUT', path: `${lrs}/agents/profile?agent=${ann}&profileId={uuid}`, body: {}, version: '2.0.0' },
  { method: 'GET', path: `${lrs}/agents/profile?agent=${ann}` },
  { method: 'GET', path: `${lrs}/agents/profile?agent=${ben}` },
  { method: 'POST', path: '/xapi/activities/profile?activityId=https://example.org/a&profileId={uuid}', body: {} },
  { method: 'GET', path: '/xapi/activities/profile?activityId=https://example.org/a' },
  { method: 'DELETE', path: '/xapi/activities/profile?activityId=https://example.org/a&profileId=none' },
  { method: 'DELETE', path: '/xapi/activities/profile?activityId=https://example.org/a' },
  { method: 'GET', path: '/xapi/nothing' },
  { method: 'GET', path: '/nowhere' },
  { method: 'OPTIONS', path: '/nowhere' },
  { method: 'GET', path: '/' },
  { method: 'GET', path: '/healthz' },
  { method: 'POST', path: '/healthz' },
  { method: 'GET', path: '/api/organizations/1/people' },
  { method: 'GET', path: '/api/organizations/1/activity-providers/' },
  { method: 'GET', path: '/API/organizations/1/activity-providers' },
  { method: 'GET', path: providers },
  { method: 'HEAD', path: providers },
  { method: 'GET', path: `${providers}?_limit=0` },
  { method: 'GET', path: `${providers}?_limit=x` },
  { method: 'GET', path: '/api/organizations/2/activity-providers' },
  {
    method: 'POST',
    path: providers,
    body: {},
    keys: ['everything', 'isolated', 'manager', 'looker', 'none', 'disabled'],
  },
  { method: 'GET', path: `${providers}/self` },
  { method: 'GET', path: `${providers}/{self}` },
  { method: 'GET', path: `${providers}/{isolated}` },
  { method: 'GET', path: `${providers}/{manager}` },
  { method: 'GET', path: `${providers}/999999` },
  { method: 'GET', path: `${providers}/x` },
  { method: 'PUT', path: `${providers}/{none}`, body: {} },
  { method: 'PUT', path: `${providers}/{manager}`, body: {} },
  { method: 'PUT', path: `${providers}/self`, body: {} },
  { method: 'PATCH', path: `${providers}/self` },
  { method: 'GET', path: `${providers}/self/sessions` },
  { method: 'GET', path: `${providers}/{isolated}/sessions` },
  { method: 'POST', path: `${providers}/self/sessions`, body: {} },
  { method: 'POST', path: `${providers}/{reader}/sessions`, body: {} },
  { method: 'GET', path: `${providers}/{isolated}/sessions/{session}` },
  { method: 'GET', path: `${providers}/{isolated}/sessions/999999` },
  { method: 'GET', path: `${providers}/self/secrets` },
  { method: 'GET', path: '/api/organizations/1/oauth2/token' },
  { method: 'DELETE', path: `${providers}/999999` },
]

function filled(path: string, key: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'uuid') return randomUUID()
    return ids[name] ?? String(clients.get(name === 'self' ? key : name)!.credential.id)
  })
}

describe('ask agrees with the server', () => {
  it.each(rows.map((row) => ({ ...row, name: `${row.method} ${row.path} ${row.version ?? ''}` })))(
    '$name',
    async ({ method, path, body, version, keys: only = Object.keys(keys) }) => {
      for (const key of only) {
        const target = filled(path, key)
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        const isStored = body !== undefined && target.includes('/statements')
        const before = await traces()
        const told = [...(version ? ['--xapi-version', version] : []), ...(isStored ? ['--statement-stdin'] : [])]
        const asked = await ask(key, method, target, told, isStored ? text : undefined)
        expect(await traces(), `asking leaves nothing: ${key}`).toBe(before)
        const sent = version ?? (key === 'old only' ? '1.0.3' : '2.0.0')
        const headers = { 'x-experience-api-version': sent }
        const answer = await clients
          .get(key)!
          .send(method, target, { ...(text !== undefined && { body: text }), headers })
        const context = `${key}: ${JSON.stringify(asked)} but ${answer.status} ${answer.text.slice(0, 300)}`
        const isAbsent = answer.status === 404 && asked.notes.some((note: string) => note.includes('404'))
        expect(asked.allowed, context).toBe(answer.status < 300 || isAbsent)
        expect(asked.exit, context).toBe(asked.allowed ? 0 : 1)
        expect(asked.reason, context).not.toBe('')
      }
    },
    60_000,
  )

  it('removing keys', async () => {
    for (const key of Object.keys(keys)) {
      const victim = await stage.as('isolated')
      const path = `${providers}/${victim.credential.id}`
      const asked = await ask(key, 'DELETE', path)
      const { status, text } = await clients.get(key)!.send('DELETE', path)
      expect(asked.allowed, `${key}: ${JSON.stringify(asked)} but ${status} ${text}`).toBe(status < 300)
    }
  })
})

describe('ask says why', () => {
  it('a voiding statement takes the right to void, and which command gives it', async () => {
    const asked = await ask('writer', 'POST', '/xapi/statements', ['--statement-stdin'], JSON.stringify(voiding()))
    const { id } = clients.get('writer')!.credential
    expect(asked).toMatchObject({
      allowed: false,
      decidedBy: 'statements/void',
      reason: 'This key lacks the right statements/void.',
      remedy: `claviger credential set ${id} --right statements/void`,
    })
  })

  it('without the statement, that it depends on it', async () => {
    expect(await ask('writer', 'POST', '/xapi/statements')).toMatchObject({
      allowed: true,
      depends: ['the statement (--statement-stdin)'],
    })
  })

  it('what lies inside a pin, before the option that lifts it', async () => {
    const { id } = clients.get('pinned')!.credential
    const ben = JSON.stringify(statement({ actor: { mbox: 'mailto:ben@example.org' } }))
    const storing = await ask('pinned', 'POST', '/xapi/statements', ['--statement-stdin'], ben)
    expect(storing).toMatchObject({
      decidedBy: 'pin actor',
      reason: '/actor: This key is pinned to one actor, and the statement lies outside that pin.',
      remedy: `Make "actor" mailto:ann@example.org. Or widen the key: claviger credential set ${id} --no-pin-actor`,
    })
    const asking = await ask('pinned', 'GET', `/xapi/activities/state?${aboutBen}`)
    expect(asking.remedy).toBe(
      `Make "agent" mailto:ann@example.org. Or widen the key: claviger credential set ${id} --no-pin-actor`,
    )
    const hidden = await ask('pinned to a course', 'GET', `/xapi/statements?statementId=${ids['own']}`)
    expect(hidden.reason).toContain('pinned to the activity urn:course')
  })

  it('an authority that will not be kept', async () => {
    const body = JSON.stringify(statement({ authority: { mbox: 'mailto:ceo@example.org' } }))
    const asked = await ask('isolated', 'POST', '/xapi/statements', ['--statement-stdin'], body)
    expect(asked).toMatchObject({ allowed: true, notes: [expect.stringContaining('authority/set')] })
    expect((await ask('everything', 'POST', '/xapi/statements', ['--statement-stdin'], body)).notes).toEqual([])
  })

  it('a hidden statement apart from one that is not there', async () => {
    const hidden = await ask('isolated', 'GET', `/xapi/statements?statementId=${ids['others']}`)
    expect(hidden).toMatchObject({ allowed: false, decidedBy: 'statements/read' })
    expect(hidden.reason).toContain('Another key stored this statement')
    const absent = await ask('isolated', 'GET', '/xapi/statements?statementId=b7e0f1a2-3c4d-4e5f-8a6b-7c8d9e0f1a2c')
    expect(absent).toMatchObject({ allowed: false, decidedBy: 'not_found' })
  })

  it.each([
    ['GET', '/xapi/about', true, 'public'],
    ['PATCH', '/xapi/activities/state', false, 'method'],
    ['GET', '/xapi/activities/state', false, 'invalid'],
    ['GET', `/xapi/activities/state?${about}&stateId=shared`, false, 'state/read'],
    ['GET', `/xapi/activities/state?${about}&stateId=none`, true, 'state/read'],
    ['PUT', `/xapi/activities/state?${about}&stateId=own`, true, 'state/write'],
    ['DELETE', '/xapi/statements', false, 'method'],
    ['GET', '/nowhere', false, 'path'],
    ['GET', `${providers}/self`, true, 'own secret'],
    ['POST', '/api/organizations/1/oauth2/token', true, 'own secret'],
  ])('%s %s, allowed: %s, decided by %s', async (method, path, allowed, decidedBy) => {
    expect(await ask('isolated', method, path)).toMatchObject({ allowed, decidedBy })
  })

  it('a document that is not there yet, as on every first launch', async () => {
    for (const name of ['isolated', 'everything']) {
      const asked = await ask(name, 'GET', `/xapi/activities/state?${about}&stateId=none`)
      expect(asked).toMatchObject({
        allowed: true,
        notes: ['There is no document with this id now: the answer is 404.'],
      })
    }
    const { notes } = await ask('everything', 'GET', `/xapi/activities/state?${about}&stateId=shared`)
    expect(notes).toEqual([])
  })

  it('folds a version into its family', async () => {
    expect((await ask('old only', 'GET', '/xapi/statements', ['--xapi-version', '1.0.3'])).allowed).toBe(true)
    const { id } = clients.get('old only')!.credential
    expect(await ask('old only', 'GET', '/xapi/statements', ['--xapi-version', '2.0.0'])).toMatchObject({
      decidedBy: 'limit xapiVersions',
      remedy: `claviger credential set ${id} --limit-xapi-version 1.0 --limit-xapi-version 2.0`,
    })
  })

  it('every broken rule of a statement, with its place', async () => {
    const body = JSON.stringify(statement({ actor: { mbox: 'ben' }, verb: {} }))
    const asked = await ask('everything', 'POST', '/xapi/statements', ['--statement-stdin'], body)
    expect(asked).toMatchObject({ allowed: false, decidedBy: 'invalid' })
    expect(asked.reason).toMatch(/\/actor\/mbox: [\s\S]*\/verb/)
    const one = JSON.stringify(statement({ actor: { mbox: 'ben' } }))
    const { reason } = await ask('everything', 'POST', '/xapi/statements', ['--statement-stdin'], one)
    expect(reason).toMatch(/^\/actor\/mbox: /)
  })
})
