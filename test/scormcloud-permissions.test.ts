// Who may do what in an application of SCORM Cloud, by the word the vendor has for it: every permission level of both APIs and of
// callbacks, each given through the vendor's own API, against every kind of request, in the live Lrs, in the sandbox and in another
// application. The table is written by hand from architecture's and the vendor's words; nothing here asks core/rights.ts.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Outbound } from '../src/core/outbound.ts'
import { callbackProtocol } from '../src/faces/scormcloud-xapi/callback-protocol.ts'
import { boundary, dataPart, describing, multipartBody, statementsPart } from './support/multipart.ts'
import { openWorld } from './support/scormcloud.ts'
import type { Application, Login, World } from './support/scormcloud.ts'
import { answerOf, statement, voiding } from './support/xapi.ts'
import type { Answer } from './support/xapi.ts'

/**
 * Statuses. Own: of the key's own learner and stored with the key; other's: of another learner, stored with another key. Of documents
 * first reading what is there, then writing a new one. `define`: what others read of an Activity that nobody had described, and of
 * one that another key had. `attachments`: storing a statement with one, and reading one of one's own with its bytes.
 */
const table = `
word               | write | another actor | read own | other’s | list      | state   | other’s | agent profile | other’s | activity profile | void own    | void other’s  | define               | attachments
V1 unset           | 200   | 200           | 200      | 404     | own       | 200 204 | 404 204 | 200 204       | 404 204 | 404 204          | 200 voided  | 200 as it was | defined, as it was   | 200 200
V1 DEFAULT         | 200   | 200           | 200      | 404     | own       | 200 204 | 404 204 | 200 204       | 404 204 | 404 204          | 200 voided  | 200 as it was | defined, as it was   | 200 200
V1 READ_ONLY       | 403   | 403           | 200      | 404     | own       | 200 403 | 404 403 | 200 403       | 404 403 | 404 403          | 403 as it was | 403 as it was | nothing, as it was | 403 200
V1 READ_ANY        | 403   | 403           | 200      | 200     | other own | 200 403 | 200 403 | 200 403       | 200 403 | 200 403          | 403 as it was | 403 as it was | nothing, as it was | 403 200
V1 WRITE_ONLY      | 200   | 200           | 403      | 403     | 403       | 403 403 | 403 403 | 403 403       | 403 403 | 403 403          | 403 as it was | 403 as it was | nothing, as it was | 200 403
V2 DEFAULT         | 200   | 200           | 200      | 404     | own       | 200 204 | 404 204 | 200 204       | 404 204 | 404 204          | 200 voided  | 200 as it was | defined, as it was   | 200 200
V2 USER            | 200   | 200           | 200      | 404     | own       | 200 204 | 404 204 | 200 204       | 404 204 | 404 204          | 200 voided  | 200 as it was | defined, as it was   | 200 200
V2 ROOT            | 200   | 200           | 200      | 200     | other own | 200 204 | 200 204 | 200 204       | 200 204 | 200 204          | 200 voided  | 200 voided    | defined, redefined   | 200 200
V2 READONLY        | 403   | 403           | 200      | 200     | other own | 200 403 | 200 403 | 200 403       | 200 403 | 200 403          | 403 as it was | 403 as it was | nothing, as it was | 403 200
V2 WRITEONLY       | 200   | 200           | 403      | 403     | 403       | 403 403 | 403 403 | 403 403       | 403 403 | 403 403          | 403 as it was | 403 as it was | nothing, as it was | 200 403
callback default   | 200   | 403           | 200      | 404     | own       | 200 204 | 403 403 | 200 204       | 403 403 | 200 204          | 403 as it was | 403 as it was | nothing, as it was | 200 200
callback root      | 200   | 200           | 200      | 200     | other own | 200 204 | 200 204 | 200 204       | 200 204 | 200 204          | 200 voided  | 200 voided    | defined, redefined   | 200 200
callback read_only | 403   | 403           | 200      | 200     | other own | 200 403 | 200 403 | 200 403       | 200 403 | 200 403          | 403 as it was | 403 as it was | nothing, as it was | 403 200
`
const [[, ...columns] = [], ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))

// ---------------------------------------------------------------------------------------------------------------------

const callbackUrl = 'https://lms.example.org/verify'
/** The user’s password says what they may. */
const outbound: Outbound = {
  problemWith: () => undefined,
  request: async ({ url, headers = {} }) => {
    const [user, password] = Buffer.from(headers['CloudLrsAuthorization'] ?? '', 'base64')
      .toString()
      .split(':')
    const known = url === callbackUrl && user === 'pat' && ['default', 'root', 'read_only'].includes(password ?? '')
    const answer = known ? `<auth>verified</auth><permissions>${password}</permissions>` : '<auth>unverified</auth>'
    return { status: 200, headers: new Map(), body: Buffer.from(`<resp>${answer}</resp>`) }
  },
}

let world: World
beforeAll(async () => {
  world = await openWorld({}, { outbound, callbackProtocol })
  await setCallback(world.application, callbackUrl)
})
afterAll(() => world.close())

async function setCallback({ login }: Application, url: string): Promise<void> {
  const { inside } = await world.v1('lrsaccount.setAppLrsAuthCallbackUrl', { lrsAuthCallbackUrl: url }, login)
  expect(inside).toBe('<success/>')
}

/** A key with which to store first, and what makes of it the one with the word. */
interface Key {
  readonly before: Login
  become(): Promise<Login>
}

async function keyOf(word: string, { login }: Application): Promise<Key> {
  const [api = '', level = ''] = word.split(' ')
  if (api === 'callback') {
    const user = (secret: string): Login => ({ key: 'pat', secret })
    return { before: user('root'), become: async () => user(level) }
  }
  if (api === 'V1') {
    const { inside } = await world.v1('lrsaccount.createActivityProvider', {}, login)
    const [key = '', secret = ''] = ['accountKey', 'accountSecret'].map(
      (name) => new RegExp(`<${name}><!\\[CDATA\\[(.*?)\\]\\]></${name}>`).exec(inside)?.[1] ?? '',
    )
    const become = async (): Promise<Login> => {
      if (level === 'unset') return { key, secret }
      const edited = await world.v1(
        'lrsaccount.editActivityProvider',
        { accountkey: key, permissionslevel: level },
        login,
      )
      expect(edited.inside).toContain(`<permissionsLevel><![CDATA[${level}]]></permissionsLevel>`)
      return { key, secret }
    }
    return { before: { key, secret }, become }
  }
  const secret = 'a secret of the caller'
  const described = (permissionsLevel: string) => ({
    ...{ name: word, secret, isEnabled: true, auth: { xapiCredentialAuthType: 'BASICAUTH' } },
    permissionsLevel: { xapiCredentialPermissionsLevel: permissionsLevel },
  })
  const { json } = await world.v2('POST', '/xapi/credentials', { as: login, json: described('DEFAULT') })
  const key = json.result as string
  const become = async (): Promise<Login> => {
    const { status } = await world.v2('PUT', `/xapi/credentials/${key}`, { as: login, json: described(level) })
    expect(status).toBe(204)
    return { key, secret }
  }
  return { before: { key, secret }, become }
}

let sent = 0
async function send(path: string, as: Login, method: string, params: object = {}, body?: unknown): Promise<Answer> {
  const isBytes = body instanceof Uint8Array
  const type = isBytes ? `multipart/mixed; boundary=${boundary}` : 'application/json'
  const headers = {
    Authorization: `Basic ${Buffer.from(`${as.key}:${as.secret}`).toString('base64')}`,
    'X-Experience-API-Version': '1.0.3',
    ...(body !== undefined && { 'Content-Type': type }),
    // One that is new: what is there already is nobody's business here.
    ...(method === 'PUT' && { 'If-None-Match': '*' }),
  }
  const query = new URLSearchParams(params as Record<string, string>).toString()
  const content = isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body)
  const init = { method, headers, ...(body !== undefined && { body: content }) }
  sent += 1
  const peer = `10.3.${sent >> 8}.${sent & 255}`
  return answerOf(await world.app.request(query === '' ? path : `${path}?${query}`, init, { peer }))
}

const other = { mbox: 'mailto:other@example.org' }
const file = 'the bytes of a file'

/** The learner whose key it is: of a callback the user, on the application’s own account. */
function learnerOf(word: string, { record }: Application): object {
  if (!word.startsWith('callback')) return { mbox: 'mailto:own@example.org' }
  return { account: { homePage: `https://lrs.example.org/lrs/${record.id}`, name: 'pat' } }
}

/** What stands there before the key is tried. */
interface Stood {
  readonly own: string
  readonly others: string
  readonly attached: string
  readonly course: string
}

async function prepare(
  path: string,
  { mine, theirs, learner }: { mine: Login; theirs: Login; learner: object },
): Promise<Stood> {
  const course = `http://example.org/${randomUUID()}`
  const own = statement({ actor: learner })
  const others = statement({ actor: other, object: { id: course, definition: { name: { en: 'Theirs' } } } })
  const attached = statement({ actor: learner, attachments: [describing(file)] })
  const bytes = new Uint8Array(multipartBody([statementsPart(attached), dataPart(file)]))
  const stored = [
    await send(`${path}/statements`, mine, 'POST', {}, own),
    await send(`${path}/statements`, theirs, 'POST', {}, others),
    await send(`${path}/statements`, mine, 'POST', {}, bytes),
  ]
  for (const [as, agent, id] of [
    [mine, learner, 'own'],
    [theirs, other, 'other'],
  ] as const) {
    const of = { agent: JSON.stringify(agent) }
    stored.push(await send(`${path}/activities/state`, as, 'PUT', { ...of, activityId: course, stateId: id }, { a: 1 }))
    stored.push(await send(`${path}/agents/profile`, as, 'PUT', { ...of, profileId: id }, { a: 1 }))
  }
  stored.push(
    await send(`${path}/activities/profile`, theirs, 'PUT', { activityId: course, profileId: 'other' }, { a: 1 }),
  )
  expect(stored.map(({ status }) => status)).toEqual([200, 200, 200, 204, 204, 204, 204, 204])
  return { own: own.id, others: others.id, attached: attached.id, course }
}

interface Tried {
  readonly as: Login
  /** A key with every right. */
  readonly root: Login
  readonly learner: object
}

/** What each column of the table asks for, in an order in which none disturbs the next. */
async function attempt(path: string, { as, root, learner }: Tried, { own, others, attached, course }: Stood) {
  const by = async (method: string, resource: string, params: object, body?: unknown): Promise<number> =>
    (await send(`${path}/${resource}`, as, method, params, body)).status
  const write = (members: object) => by('POST', 'statements', {}, statement({ actor: learner, ...members }))
  const document = async (resource: string, params: object, id: string, name: string): Promise<string> => {
    const read = await by('GET', resource, { ...params, [id]: name })
    return `${read} ${await by('PUT', resource, { ...params, [id]: 'new' }, { b: 2 })}`
  }
  const of = (agent: object) => ({ agent: JSON.stringify(agent) })
  const list = async (): Promise<string> => {
    const { status, json } = await send(`${path}/statements`, as, 'GET', {})
    if (status !== 200) return String(status)
    const ids = json.statements.map(({ id }: { id: string }) => id)
    return [ids.includes(others) ? 'other' : '', ids.includes(own) ? 'own' : ''].filter(Boolean).join(' ')
  }
  const voided = async (id: string): Promise<string> => {
    const status = await by('POST', 'statements', {}, voiding(id, { actor: learner }))
    const { status: seen } = await send(`${path}/statements`, root, 'GET', { voidedStatementId: id })
    return `${status} ${seen === 200 ? 'voided' : 'as it was'}`
  }
  const nameOf = async (activityId: string): Promise<string | undefined> => {
    const { json } = await send(`${path}/activities`, root, 'GET', { activityId })
    return json.definition?.name?.en
  }
  const define = async (): Promise<string> => {
    const fresh = `http://example.org/${randomUUID()}`
    for (const id of [fresh, course]) await write({ object: { id, definition: { name: { en: 'Ours' } } } })
    const [ofFresh, ofKnown] = [await nameOf(fresh), await nameOf(course)]
    return `${ofFresh === 'Ours' ? 'defined' : 'nothing'}, ${ofKnown === 'Ours' ? 'redefined' : 'as it was'}`
  }
  const attachments = async (): Promise<string> => {
    const bytes = multipartBody([
      statementsPart(statement({ actor: learner, attachments: [describing(file)] })),
      dataPart(file),
    ])
    const stored = await by('POST', 'statements', {}, new Uint8Array(bytes))
    const read = await send(`${path}/statements`, as, 'GET', { statementId: attached, attachments: 'true' })
    return `${stored} ${read.status === 200 && !read.text.includes(file) ? 'without its bytes' : read.status}`
  }
  return [
    String(await write({})),
    String(await write({ actor: other })),
    String(await by('GET', 'statements', { statementId: own })),
    String(await by('GET', 'statements', { statementId: others })),
    await list(),
    await document('activities/state', { ...of(learner), activityId: course }, 'stateId', 'own'),
    await document('activities/state', { ...of(other), activityId: course }, 'stateId', 'other'),
    await document('agents/profile', of(learner), 'profileId', 'own'),
    await document('agents/profile', of(other), 'profileId', 'other'),
    await document('activities/profile', { activityId: course }, 'profileId', 'other'),
    await voided(own),
    await voided(others),
    await define(),
    await attachments(),
  ]
}

const named = (cells: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(cells.map((cell, at) => [`${at + 1} ${columns[at]}`, cell]))

it('the table has every word once, and every column', () => {
  expect(rows.map(([word]) => word)).toEqual([
    ...['unset', 'DEFAULT', 'READ_ONLY', 'READ_ANY', 'WRITE_ONLY'].map((level) => `V1 ${level}`),
    ...['DEFAULT', 'USER', 'ROOT', 'READONLY', 'WRITEONLY'].map((level) => `V2 ${level}`),
    ...['default', 'root', 'read_only'].map((level) => `callback ${level}`),
  ])
  expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([columns.length + 1]))
})

describe.each(rows.map(([word = '', ...cells]) => ({ word, cells })))('$word', ({ word, cells }) => {
  it.each(['', '/sandbox'])('S1.7 in its application: /lrs/{appId}%s', async (rest) => {
    const application = await world.addApplication(`${word}${rest}`)
    const { record } = application
    await setCallback(application, callbackUrl)
    const path = `/lrs/${record.id}${rest}`
    const theirs = await keyOf('V2 DEFAULT', application)
    const root = await (await keyOf('V2 ROOT', application)).become()
    const key = await keyOf(word, application)
    const learner = learnerOf(word, application)
    // Shared documents are what everybody with reach `any` reads; those of a key with reach `mine` are its own.
    const stood = await prepare(path, { mine: key.before, theirs: root, learner })
    expect(theirs.before.key).not.toBe(key.before.key)
    expect(named(await attempt(path, { as: await key.become(), root, learner }, stood))).toEqual(named(cells))
  })

  it.each(['without a callback', 'with a callback of its own'])(
    'in another application, %s: nothing',
    async (which) => {
      const application = await world.addApplication(which)
      if (which !== 'without a callback') await setCallback(application, 'https://elsewhere.example.org/verify')
      const as = await (await keyOf(word, world.application)).become()
      // It is a key, in its own.
      const { status } = await send(`/lrs/${world.application.record.id}/statements`, as, 'GET')
      expect(status).not.toBe(401)
      const root = await (await keyOf('V2 ROOT', application)).become()
      const learner = learnerOf(word, application)
      for (const rest of ['', '/sandbox']) {
        const path = `/lrs/${application.record.id}${rest}`
        const stood = await prepare(path, { mine: root, theirs: root, learner })
        const tried = await attempt(path, { as, root, learner }, stood)
        expect(named(tried.map((cell) => cell.split(' ')[0]!))).toEqual(
          named(columns.map((name) => (name === 'define' ? 'nothing,' : '401'))),
        )
        expect((await send(`${path}/statements`, root, 'GET')).json.statements.length).toBe(3)
      }
    },
  )
})
