import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { baseUrl } from '../../../test/support/core.ts'
import { contentOf, learner, openLaunchWorld, statementOf, ticketOf } from '../../../test/support/launch.ts'
import type { Answer, LaunchWorld } from '../../../test/support/launch.ts'
import { DomainError } from '../../core/errors.ts'
import type { OpenedLaunch } from '../../core/launch.ts'
import type { LaunchStyle } from '../../core/storage.ts'
import { endpoints } from './index.ts'

let world: LaunchWorld
beforeAll(async () => void (world = await openLaunchWorld()))
afterAll(() => world.close())

const agent = { 'User-Agent': 'Test browser' }

/** As a browser does that was sent to the address; with what it holds of an earlier answer. */
function enter({ entranceUrl }: Pick<OpenedLaunch, 'entranceUrl'>, before?: Answer, method = 'GET'): Promise<Answer> {
  const cookie = before?.headers.get('Set-Cookie')?.split(';')[0]
  return world.ask(method, pathOf(entranceUrl), { headers: { ...agent, ...(cookie && { Cookie: cookie }) } })
}

function pathOf(url: string): string {
  expect(url.startsWith(`${baseUrl}/`), url).toBe(true)
  return url.slice(baseUrl.length)
}

function paramsOf({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(new URL(headers.get('Location') ?? '').searchParams)
}

function loginOf(token: string) {
  const [key = '', secret = ''] = Buffer.from(token, 'base64').toString().split(':')
  return { key, secret }
}

async function enterAs(style: LaunchStyle, name: string) {
  const opened = await world.launch(style, { actor: learner(name) })
  const answer = await enter(opened)
  expect(answer.status, answer.text).toBe(303)
  return { opened, answer, params: paramsOf(answer) }
}

async function eventsSince(before: number): Promise<string[]> {
  return (await world.events()).slice(before).map(({ action }) => action)
}

it('the endpoint table of the README is the route list', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| (GET|POST) \| `(\S+)` \|.* done \|$/gm)].map(([, method, path]) => [
    method,
    path,
  ])
  expect(rows).toEqual(endpoints.map(({ method, path }) => [method, path.replaceAll(/:(\w+)/g, '{$1}')]))
})

describe('a way in', () => {
  it('leads into Tin Can content with a key that stores', async () => {
    const { opened, answer, params } = await enterAs('tincan', 'tess')
    const { registration, activityId, actor } = opened.launch
    const { auth = '', ...rest } = params
    expect(rest).toEqual({
      ...{ endpoint: `${baseUrl}/xapi/`, registration, activity_id: activityId, actor: JSON.stringify(actor) },
    })
    const key = loginOf(auth.replace(/^Basic /, ''))
    const stored = await world.xapi(key, 'POST', '/statements', { json: statementOf(opened), headers: agent })
    expect(stored.status, stored.text).toBe(200)
    expect(answer.text).toBe('')
  })

  it('leads into cmi5 content, which fetches its token once', async () => {
    const { opened, params } = await enterAs('cmi5', 'cleo')
    const { registration, activityId, actor } = opened.launch
    const { fetch: fetchUrl = '', ...rest } = params
    expect(rest).toEqual({
      ...{ endpoint: `${baseUrl}/xapi/`, registration, activityId, actor: JSON.stringify(actor) },
    })
    const fetched = await world.ask('POST', pathOf(fetchUrl))
    expect(fetched.status).toBe(200)
    expect(fetched.headers.get('Content-Type')).toBe('application/json')
    expect(fetched.headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect(Object.keys(fetched.json)).toEqual(['auth-token'])
    const key = loginOf(fetched.json['auth-token'])
    const about = `activityId=${encodeURIComponent(activityId)}&agent=${encodeURIComponent(JSON.stringify(actor))}`
    const state = `/activities/state?${about}&registration=${registration}`
    expect((await world.xapi(key, 'GET', state, { headers: agent })).status).toBe(200)
    const again = await world.ask('POST', pathOf(fetchUrl))
    expect([again.status, again.json]).toEqual([200, { 'error-code': '1', 'error-text': expect.any(String) }])
  })

  it('says nothing that stays anywhere: not in a cache, not in a Referer', async () => {
    const { answer } = await enterAs('tincan', 'hedda')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(answer.headers.get('X-Frame-Options')).toBeNull()
    expect(answer.headers.get('Set-Cookie')).toMatch(
      /^__Host-claviger-launch=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/,
    )
  })

  it('leads in again who comes back, and the cookie stays the same', async () => {
    const tincan = await enterAs('tincan', 'rita')
    const again = await enter(tincan.opened, tincan.answer)
    expect(paramsOf(again)).toEqual(tincan.params)
    expect(again.headers.get('Set-Cookie')).toBe(tincan.answer.headers.get('Set-Cookie'))
    const cmi5 = await enterAs('cmi5', 'rita')
    const { fetch: other } = paramsOf(await enter(cmi5.opened, cmi5.answer))
    expect(other).not.toBe(cmi5.params['fetch'])
    expect((await world.ask('POST', pathOf(other ?? ''))).json).toHaveProperty('auth-token')
    expect((await world.ask('POST', pathOf(cmi5.params['fetch'] ?? ''))).json).toMatchObject({ 'error-code': '1' })
  })

  it('keeps the cookie of a browser that was let in elsewhere', async () => {
    const first = await enterAs('tincan', 'kim')
    const second = await enter(await world.launch('cmi5', { actor: learner('kim') }), first.answer)
    expect(second.headers.get('Set-Cookie')).toBe(first.answer.headers.get('Set-Cookie'))
  })

  it('is not used up by a failure: the page is loaded anew, by whoever keeps no cookies, too', async () => {
    const opened = await world.launch('cmi5', { actor: learner('una') })
    const { documents } = world.storage
    const change = documents.change
    documents.change = () => Promise.reject(new DomainError('unavailable', 'The store is away.'))
    const broken = await enter(opened).finally(() => {
      documents.change = change
    })
    expect([broken.status, broken.headers.get('Set-Cookie')]).toEqual([503, null])
    expect((await enter(opened)).status).toBe(303)
    expect((await enter(opened)).status).toBe(403)
  })

  it('is not in the log where something breaks', async () => {
    const opened = await world.launch('cmi5', { actor: learner('ola') })
    const { launches } = world.storage
    const find = launches.findTicket
    launches.findTicket = () => Promise.reject(new Error('broken'))
    const answers = [await enter(opened), await world.ask('POST', `/launch/fetch/${ticketOf(opened)}`)]
    launches.findTicket = find
    expect(answers.map(({ status }) => status)).toEqual([500, 200])
    expect(world.log()).toContain('/launch/s/:ticket')
    expect(world.log()).toContain('/launch/fetch/:ticket')
    expect(world.log()).not.toContain(ticketOf(opened))
  })

  it('is not used up by who looks at it beforehand', async () => {
    const opened = await world.launch('tincan', { actor: learner('pia') })
    expect((await enter(opened, undefined, 'HEAD')).status).toBe(405)
    const prefetched = await world.ask('GET', pathOf(opened.entranceUrl), { headers: { 'Sec-Purpose': 'prefetch' } })
    expect(prefetched.status).toBe(503)
    expect((await enter(opened)).status).toBe(303)
  })

  it.each([
    ['https://content.example.org/kurs/blåbær/start?språk=nb#dør', '/kurs/bl%C3%A5b%C3%A6r/start', '#d%C3%B8r'],
    ['https://blåbær.example.org/', '/', ''],
  ])('leads to content whatever letters are in its address: %s', async (url, pathname, hash) => {
    const content = await world.core.contents.create(world.operator, contentOf('tincan', { url }))
    const answer = await enter(await world.launch('tincan', { content, actor: learner('åse') }))
    expect(answer.status).toBe(303)
    const address = new URL(answer.headers.get('Location') ?? '')
    expect([address.pathname, address.hash]).toEqual([pathname, hash])
    expect(paramsOf(answer)).toHaveProperty('auth')
  })
})

describe('who is not let in', () => {
  it('sees one page, whatever the reason is, and the log has it', async () => {
    const { opened, answer } = await enterAs('tincan', 'nils')
    const late = await world.launch('cmi5', { actor: learner('late') })
    const ended = await enterAs('tincan', 'ended')
    await world.core.launches.end(world.operator, ended.opened.launch.id)
    const before = (await world.events()).length
    const unknown = { entranceUrl: `${baseUrl}/launch/s/${'x'.repeat(43)}` }
    world.clock.pass(301_000)
    const refused = [
      ['ticket used', await enter(opened)],
      ['ticket used', await enter(opened, await enter(await world.launch('tincan', { actor: learner('else') })))],
      ['ticket late', await enter(late)],
      ['ticket', await enter(unknown, answer)],
      ['launch revoked', await enter(ended.opened, ended.answer)],
    ] as const
    const pages = new Set<string>()
    for (const [reason, { status, headers, text }] of refused) {
      const id = headers.get('X-Request-Id') ?? ''
      expect([status, headers.get('Location'), headers.get('Set-Cookie')]).toEqual([403, null, null])
      expect(headers.get('Content-Type')).toBe('text/html; charset=utf-8')
      expect(headers.get('Content-Security-Policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action/,
      )
      expect(headers.get('Referrer-Policy')).toBe('no-referrer')
      const line =
        world
          .log()
          .split('\n')
          .find((one) => one.includes(id)) ?? ''
      expect(JSON.parse(line)).toEqual([{ requestId: id, rule: reason, reason: expect.any(String) }, 'launch refused'])
      pages.add(text.replace(id, 'ID'))
    }
    expect(pages.size).toBe(1)
    expect([...pages][0]).toMatch(/<code>ID<\/code>/)
    expect([...pages][0]).not.toMatch(/<script|used|late|revoked/i)
    expect(await eventsSince(before)).toEqual(['launch.create'])
  })

  it.each(['/launch', '/launch/', '/launch/s', '/launch/x', '/launch/s/a/b', '/launch/activities/1'])(
    'finds no other page: %s',
    async (path) => {
      const answer = await world.ask('GET', path)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
    },
  )
})

describe('fetching a token', () => {
  it('is a POST, without anybody asking beforehand', async () => {
    const { params } = await enterAs('cmi5', 'otto')
    const path = pathOf(params['fetch'] ?? '')
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const { status, headers } = await world.ask(method, path)
      expect([method, status, headers.get('Allow')]).toEqual([method, 405, 'POST, OPTIONS'])
    }
    const fetched = await world.ask('POST', path, { body: 'whatever', headers: { 'Content-Type': 'text/plain' } })
    expect(fetched.json).toHaveProperty('auth-token')
  })

  it.each([
    ['nothing', '2'],
    ['%00', '2'],
    ['%ed%a0%80', '2'],
    ['a'.repeat(5000), '2'],
    ['x'.repeat(43), '1'],
  ])('knows no other ticket: %#', async (ticket, code) => {
    const answer = await world.ask('POST', `/launch/fetch/${ticket}`)
    expect([answer.status, answer.json]).toEqual([200, { 'error-code': code, 'error-text': expect.any(String) }])
  })

  it('that failed leaves content with a key that is nobody’s', async () => {
    // What @xapi/cmi5 sends when it was told an error.
    const headers = { Authorization: 'Basic undefined' }
    for (const path of ['/xapi/statements', '/launch/00000000-0000-4000-8000-000000000000/data'])
      expect((await world.ask('GET', path, { headers })).status).toBe(401)
  })
})

describe('what content is told of its launch', () => {
  it('stands behind its key, and no other', async () => {
    const data = { timeZone: 'Europe/Oslo', uses12Hours: false }
    const opened = await world.launch('tincan', { actor: learner('dora'), data, language: 'nb-NO' })
    const key = loginOf((paramsOf(await enter(opened))['auth'] ?? '').slice(6))
    const path = `/launch/${opened.launch.id}/data`
    const told = await world.ask('GET', path, { as: key, headers: agent })
    expect(told.status, told.text).toBe(200)
    expect(told.headers.get('Access-Control-Allow-Origin')).toBe('*')
    const { id, actor, registration, activityId } = opened.launch
    expect(told.json).toMatchObject({ id, style: 'tincan', mode: 'normal', actor, registration, activityId, data })
    expect(told.json).toMatchObject({ language: 'nb-NO', returnUrl: `${baseUrl}/launch/closed` })

    // Tin Can content is not told the id.
    expect((await world.ask('GET', '/launch/own/data', { as: key, headers: agent })).json).toEqual(told.json)

    const other = await enterAs('tincan', 'dirk')
    const stranger = loginOf((other.params['auth'] ?? '').slice(6))
    const master = await world.issue('everything')
    const statuses = [
      (await world.ask('GET', '/launch/own/data', { as: master })).status,
      (await world.ask('GET', path, { as: stranger, headers: agent })).status,
      (await world.ask('GET', path, { as: master })).status,
      (await world.ask('GET', path, { as: { ...key, secret: 'x' }, headers: agent })).status,
      (await world.ask('GET', path)).status,
    ]
    expect(statuses).toEqual([404, 404, 404, 401, 401])
    await world.core.launches.end(world.operator, id)
    expect((await world.ask('GET', path, { as: key, headers: agent })).status).toBe(401)
  })

  it('is asked for from pages of other sites', async () => {
    const answer = await world.ask('OPTIONS', '/launch/1/data', {
      headers: { Origin: 'https://content.example.org', 'Access-Control-Request-Headers': 'authorization' },
    })
    expect([answer.status, answer.headers.get('Access-Control-Allow-Headers')]).toEqual([204, 'authorization'])
  })
})

describe('parameters of the content’s own address', () => {
  it('are passed over where they are repeated, for its key alone', async () => {
    const settings = { url: 'https://content.example.org/a?lang=en&theme=dark&agent=x', ignoredParams: ['track'] }
    const content = await world.core.contents.create(world.operator, contentOf('tincan', settings))
    const opened = await world.launch('tincan', { content, actor: learner('ivar') })
    const key = loginOf((paramsOf(await enter(opened))['auth'] ?? '').slice(6))
    const ask = (as: typeof key, query: string, method = 'GET') =>
      world.xapi(as, method, `/statements?${query}`, {
        ...{ headers: agent, ...(method === 'POST' && { json: statementOf(opened) }) },
      })
    const posted = await ask(key, 'lang=en&theme=dark&track=1', 'POST')
    expect(posted.status, posted.text).toBe(200)
    const [id] = posted.json
    const read = await ask(key, 'lang=en&limit=5&theme=dark')
    expect(read.json.statements.map((statement: { id: string }) => statement.id)).toEqual([id])
    // Also in a form (Communication 1.3), and on every resource.
    const form = new URLSearchParams({ limit: '5', lang: 'en', 'X-Experience-API-Version': '1.0.3' })
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const asked = { body: form.toString(), headers: { ...agent, ...type } }
    const inForm = await world.xapi(key, 'POST', '/statements?method=GET', asked)
    expect(inForm.json.statements).toHaveLength(1)
    const { activityId, actor, registration } = opened.launch
    const place = { activityId, agent: JSON.stringify(actor), registration, stateId: 'place', theme: 'dark' }
    const state = `/activities/state?${new URLSearchParams(place)}`
    expect((await world.xapi(key, 'PUT', state, { json: { page: 1 }, headers: agent })).status).toBe(204)
    expect((await world.xapi(key, 'GET', state, { headers: agent })).json).toEqual({ page: 1 })

    expect((await ask(key, 'lang=en&Theme=dark')).status).toBe(400)
    expect((await ask(key, 'lang=en&limit=many')).status).toBe(400)
    expect((await ask(key, 'other=1', 'POST')).status).toBe(400)
    expect((await ask(key, 'agent=x')).status).toBe(400)
    expect((await ask(await world.issue('everything'), 'lang=en')).status).toBe(400)
  })
})

describe('what is served to everybody', () => {
  it('is the lesson, with a script of this host alone', async () => {
    const page = await world.ask('GET', '/launch/lesson/index.html')
    expect(page.status).toBe(200)
    expect(page.headers.get('Content-Security-Policy')).toContain(
      `script-src 'self'; connect-src 'self' ${baseUrl}; form-action 'none'`,
    )
    expect(page.text).toContain('<script type="module" src="lesson-script.js"></script>')
    const script = await world.ask('GET', '/launch/lesson/lesson-script.js')
    expect(script.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    expect(script.text).toContain('LMS.LaunchData')
  })

  it('is where lessons end', async () => {
    const { status, text } = await world.ask('GET', '/launch/closed')
    expect([status, text]).toEqual([200, expect.stringContaining('The lesson is over')])
  })
})
