// Content that was configured for Learning Locker: clients made through its API, and unmodified libraries at its xAPI address, in Node
// and in a page of a real Chromium. What else the libraries do is the same code as on the other paths.

import TinCan from 'tincanjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProgram } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'
import { chromium } from './chromium.ts'
import { statusOf } from './client.ts'
import type { ClientAccount, ClientLibrary, XapiClient } from './client.ts'
import { answered, attachment, learner, statement } from './samples.ts'
import { tincanjsInNode } from './tincanjs-client.ts'

let program: StartedProgram
const pages = chromium()
beforeAll(async () => void ([program] = await Promise.all([startProgram(), pages.start()])))
afterAll(() => Promise.all([program.stop(), pages.stop()]))

/** A client as its API answers it. */
interface Made {
  readonly _id: string
  readonly lrs_id: string
  readonly scopes: readonly string[]
  readonly api: { readonly basic_key: string; readonly basic_secret: string }
}

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const authorization = `Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}`
  const init = { method, headers: { authorization, 'content-type': 'application/json' } }
  const answer = await fetch(program.url + path, { ...init, ...(body && { body: JSON.stringify(body) }) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

async function make(...scopes: readonly string[]): Promise<Made> {
  const [store] = (await send('GET', '/api/v2/lrs')) as { _id: string }[]
  return (await send('POST', '/api/v2/client', { title: scopes.join(), lrs_id: store?._id, scopes })) as Made
}

const accountOf = ({ api }: Made): ClientAccount => ({
  endpoint: `${program.url}/data/xAPI/`,
  key: api.basic_key,
  secret: api.basic_secret,
})

const libraries: readonly ClientLibrary[] = [tincanjsInNode(TinCan), pages.library('xapiwrapper')]

describe.each(libraries)('$name', (library) => {
  const connect = async (...scopes: readonly string[]): Promise<XapiClient> =>
    library.connect(accountOf(await make(...scopes)))
  const course = () => `https://content.example.org/${crypto.randomUUID()}`

  it('stores, pages on by more, voids, and reads back with the client’s authority', async () => {
    const client = await connect('xapi/all')
    const activity = course()
    const sent = Array.from({ length: 3 }, () => statement({ object: { objectType: 'Activity', id: activity } }))
    await client.store(sent[0]!)
    await client.storeAll(sent.slice(1))
    const id = String(sent[0]!['id'])
    const authority = { objectType: 'Agent', name: 'New Client', mbox: 'mailto:hello@learninglocker.net' }
    expect(await client.find(id)).toMatchObject({ id, authority })
    const first = await client.query({ activity, limit: 2 })
    const rest = await client.more(first.more)
    expect([...first.statements, ...rest.statements].map((found) => found['id']).toSorted()).toEqual(
      sent.map((one) => one['id']).toSorted(),
    )
    await client.voidStatement(id, learner('anna'))
    expect(await client.findVoided(id)).toMatchObject({ id })
    expect(await statusOf(client.find(id))).toBe(404)
  })

  it('resumes from State, keeps profiles under conditions', async () => {
    const client = await connect('state', 'profile')
    const state = { of: 'state', activityId: course(), agent: learner('anna') } as const
    await client.save(state, 'progress', { page: 3 })
    await client.merge(state, 'progress', { done: true })
    expect(await client.findDocument(state, 'progress')).toMatchObject({ content: { page: 3, done: true } })
    await client.remove(state, 'progress')
    expect(await client.findDocument(state, 'progress')).toBeUndefined()
    const profile = { of: 'activity', activityId: state.activityId } as const
    await client.save(profile, 'settings', { theme: 'dark' }, { ifNoneMatch: '*' })
    const found = await client.findDocument(profile, 'settings')
    expect(await statusOf(client.save(profile, 'settings', { theme: 'light' }, { ifMatch: '"stale"' }))).toBe(412)
    await client.save(profile, 'settings', { theme: 'light' }, { ifMatch: found?.etag ?? '' })
    expect(await statusOf(client.store(statement()))).toBe(403)
  })

  it('of a client that reads its own alone finds what it stored, and nobody else’s', async () => {
    const [one, two] = [await connect('statements/write', 'statements/read/mine'), await connect('xapi/all')]
    const activity = course()
    const object = { objectType: 'Activity', id: activity }
    const [mine, theirs] = [statement({ object, verb: { id: answered } }), statement({ object })]
    await one.store(mine)
    await two.store(theirs)
    expect((await one.query({ activity })).statements.map(({ id }) => id)).toEqual([mine['id']])
    expect(await statusOf(one.find(String(theirs['id'])))).toBe(404)
    expect((await two.query({ activity })).statements).toHaveLength(2)
  })

  it('is told by 403 that its client was disabled, and by 401 of a wrong secret', async () => {
    const made = await make('xapi/all')
    const client = library.connect(accountOf(made))
    await client.store(statement())
    await send('PATCH', `/api/v2/client/${made._id}`, { isTrusted: false })
    expect(await statusOf(client.store(statement()))).toBe(403)
    await send('PATCH', `/api/v2/client/${made._id}`, { isTrusted: true })
    expect(await statusOf(client.store(statement()))).toBe(200)
    expect(await statusOf(library.connect({ ...accountOf(made), secret: 'wrong' }).store(statement()))).toBe(401)
  })

  it.skipIf(library.lacks.includes('storeWith'))('stores attachments', async () => {
    const client = await connect('xapi/all')
    const sent = statement()
    await client.storeWith(sent, [attachment(new TextEncoder().encode('handed in'), 'text/plain')])
    expect(await client.find(String(sent['id']))).toMatchObject({ attachments: [{ length: 9 }] })
  })
})
