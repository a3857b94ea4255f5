// Our management API through the whole app: launches made by keys, seen and ended by those who may.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browser, learner, openLaunchWorld, statementOf, ticketOf } from '../../../test/support/launch.ts'
import type { Ask, Answer, LaunchWorld, Login } from '../../../test/support/launch.ts'
import { commandLineOn } from '../../../test/support/command-line.ts'
import { DomainError, errorCodes } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Json, LaunchRecord } from '../../core/storage.ts'
import { presentError } from './errors.ts'
import { endpoints } from './index.ts'

const path = '/management/v1/launches'
const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')

let world: LaunchWorld
/** A client with the rights of content, and one that manages every key. */
let lms: Login & { readonly id: number }
let admin: Login & { readonly id: number }
beforeAll(async () => {
  world = await openLaunchWorld()
  lms = await issue('launch')
  admin = await issue('management')
})
afterAll(() => world.close())

async function issue(preset: string, input = {}): Promise<Login & { readonly id: number }> {
  const { credential, secret } = await world.issue(preset, input)
  return { key: credential.key, secret, id: credential.id }
}

function ask(method: string, below: string, options: Ask): Promise<Answer> {
  return world.ask(method, path + below, options)
}

function bodyOf(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { content: world.contents.tincan.id, actor: learner('ada'), ...more }
}

/** What was audited while `work` ran. */
async function audited(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await world.events()).length
  await work()
  return (await world.events()).slice(before).map(({ action }) => action)
}

it('the endpoint table of the README is the route list', () => {
  const rows = [...readme.matchAll(/^\| (GET|POST|PUT|DELETE) \| `(\S+)` \|.*\| done \|$/gm)]
  expect(rows.map(([, method, route]) => `${method} ${route}`)).toEqual(
    endpoints.map(({ method, path: route }) => `${method} ${route.replaceAll(/:(\w+)/g, '{$1}')}`),
  )
})

it.each(errorCodes)('%s is problem details, with the status of the README', (code) => {
  const { status, body, headers } = presentError(new DomainError(code, 'Why.'), { requestId: 'r1' })
  expect(body).toMatchObject({
    type: 'about:blank',
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail: 'Why.',
    code,
  })
  expect(headers).toEqual({ 'Content-Type': 'application/problem+json' })
  expect(readme).toMatch(
    new RegExp(`^\\| (\\d+, )?${status} \\| \`${code}\` \\|$|^\\| 405, ${status} \\| \`${code}\` \\|$`, 'm'),
  )
})

describe('a launch by a key', () => {
  it('is entered, stores as that key, is seen as running, and ended', async () => {
    const json = bodyOf({ resource: 'room 1', language: 'nb-NO', data: { a: [1] } })
    const made = await ask('POST', '', { as: lms, json })
    expect(made.status).toBe(201)
    expect(made.json).toEqual({
      id: expect.any(String),
      ...{
        platform: null,
        content: world.contents.tincan.id,
        resource: 'room 1',
        credential: lms.id,
        lrs: world.lrsId,
      },
      ...{ style: 'tincan', mode: 'normal', actor: learner('ada'), activityId: 'https://content.example.org/tincan' },
      registration: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ createdAt: '2026-01-02T03:04:05.000Z', expiresAt: '2026-01-02T11:04:05.000Z', endedAt: null, endedBy: null },
      ...{ url: expect.stringMatching(/^https:\/\/lrs\.example\.org\/launch\/s\/[\w-]{43}$/) },
      urlExpiresAt: '2026-01-02T03:09:05.000Z',
    })
    const { url, urlExpiresAt: _until, ...shown } = made.json
    expect(made.headers.get('Location')).toBe(`${path}/${shown.id}`)
    const entered = await world.core.launches.enter(ticketOf({ entranceUrl: url } as never), { cookie: browser })
    expect(entered.data).toMatchObject({ language: 'nb-NO', given: { a: [1] } })
    const key = entered.opening as unknown as Login
    const stored = await world.xapi(key, 'POST', '/statements', { json: statementOf({ launch: entered.launch }) })
    expect(stored.status).toBe(200)

    expect((await ask('GET', `/${shown.id}`, { as: lms })).json).toEqual(shown)
    expect((await ask('GET', '?running=true', { as: lms })).json).toEqual({ launches: [shown], next: null })
    const ended = await ask('DELETE', `/${shown.id}`, { as: lms })
    expect([ended.status, ended.json]).toEqual([200, { ...shown, endedAt: shown.createdAt, endedBy: 'revoked' }])
    expect((await ask('DELETE', `/${shown.id}`, { as: lms })).json).toEqual(ended.json)
    expect((await world.xapi(key, 'GET', '/statements', {})).status).toBe(401)
    const kept = await world.xapi(lms, 'GET', `/statements?statementId=${stored.json[0]}`, {})
    expect(kept.status).toBe(200)
  })

  it('may be one of another key, by who manages that', async () => {
    const made = await ask('POST', '', { as: admin, json: bodyOf({ credential: lms.id }) })
    expect([made.status, made.json.credential]).toEqual([201, lms.id])
    expect((await ask('GET', `/${made.json.id}`, { as: lms })).status).toBe(200)
    const refused = await audited(async () => {
      const answer = await ask('POST', '', { as: lms, json: bodyOf({ credential: admin.id }) })
      expect([answer.status, answer.json.code]).toEqual([403, 'forbidden'])
    })
    expect(refused).toEqual([])
  })

  it('is listed part by part, and narrowed', async () => {
    const own = await issue('launch')
    const ids: string[] = []
    for (const name of ['eve', 'eve', 'bob']) {
      const content = world.contents[name === 'bob' ? 'cmi5' : 'tincan'].id
      const resource = `room ${ids.length}`
      ids.unshift(
        (await ask('POST', '', { as: own, json: bodyOf({ content, resource, actor: learner(name) }) })).json.id,
      )
    }
    const idsAt = async (query: string): Promise<readonly [string[], number | null]> => {
      const { json } = await ask('GET', query, { as: own })
      return [json.launches.map(({ id }: { id: string }) => id), json.next]
    }
    const [two, next] = await idsAt('?limit=2')
    expect([two, next]).toEqual([ids.slice(0, 2), expect.any(Number)])
    expect(await idsAt(`?limit=2&before=${next}`)).toEqual([ids.slice(2), null])
    expect((await idsAt(`?actor=${encodeURIComponent(JSON.stringify(learner('bob')))}`))[0]).toEqual([ids[0]])
    expect((await idsAt(`?content=${world.contents.tincan.id}`))[0]).toEqual(ids.slice(1))
    expect((await idsAt('?running=false'))[0]).toEqual([])
    expect((await idsAt('?platform=school'))[0]).toEqual([])
  })
})

describe('nobody else', () => {
  it('sees or ends a launch: another key, another organisation, the key of a launch, management of another Lrs', async () => {
    const { id } = (await ask('POST', '', { as: lms, json: bodyOf() })).json
    const other = await world.addOrganisation()
    const stranger = await world.core.credentials.create(other.operator, {
      name: 'x',
      rights: (await world.issue('management')).credential.rights,
    })
    const lrs = await world.core.lrs.create(world.operator, { name: 'Elsewhere' })
    const bound = await issue('management', { rights: managing(lrs.id), lrsIds: [lrs.id] })
    const content = await world.keyOf('tincan')
    const askers: readonly (readonly [Login, number])[] = [
      [await issue('launch'), 403],
      [{ key: stranger.credential.key, secret: stranger.secret }, 404],
      [content, 403],
      [bound, 403],
    ]
    expect(
      await audited(async () => {
        for (const [as, status] of askers) {
          expect((await ask('GET', `/${id}`, { as })).status).toBe(status)
          expect((await ask('DELETE', `/${id}`, { as })).status).toBe(status)
          const listed = await ask('GET', '', { as })
          expect(listed.status === 403 || listed.json.launches.every((one: { id: string }) => one.id !== id)).toBe(true)
        }
        // Not even its own platform's launches: what runs in a browser manages nothing.
        expect((await ask('POST', '', { as: content, json: bodyOf() })).status).toBe(403)
        expect((await ask('GET', `/${content.opened.launch.id}`, { as: content })).status).toBe(403)
      }),
    ).toEqual([])
    expect((await ask('GET', `/${id}`, { as: lms })).json.endedAt).toBeNull()
  })

  it('launches content of another organisation', async () => {
    const { operator } = await world.addOrganisation()
    const { settings } = world.contents.tincan
    const foreign = await world.core.contents.create(operator, { name: 'theirs', settings })
    const answer = await ask('POST', '', { as: admin, json: bodyOf({ content: foreign.id }) })
    expect([answer.status, answer.json.failures[0].pointer]).toEqual([400, '/content'])
  })

  it('without a key, or with a wrong one', async () => {
    for (const options of [{}, { as: { ...lms, secret: 'x' } }, { headers: { Authorization: 'Basic undefined' } }]) {
      const answer = await ask('POST', '', { json: bodyOf(), ...options })
      expect([answer.status, answer.json.code, answer.json.failures]).toEqual([401, 'unauthenticated', undefined])
      expect(answer.headers.get('Content-Type')).toBe('application/problem+json')
    }
  })
})

/** Of one Lrs. */
function managing(lrsId: LrsId) {
  const grant = {
    area: 'credentials',
    actions: ['read', 'write', 'delete'],
    bound: { kind: 'lrs', id: lrsId },
  } as const
  return { xapi: {}, management: [grant] }
}

it('a refusal says what helps, and never to give content or a portal the management of keys', async () => {
  const other = await issue('launch')
  const content = await world.keyOf('tincan')
  const { id } = (await ask('POST', '', { as: lms, json: bodyOf() })).json
  for (const [as, method, below, words] of [
    [other, 'GET', `/${id}`, 'only what it launched itself'],
    [other, 'DELETE', `/${id}`, 'only what it launched itself'],
    [content, 'GET', '', 'sees and ends no launches'],
    [content, 'GET', `/${content.opened.launch.id}`, 'sees and ends no launches'],
    [content, 'POST', '', 'launches nobody'],
  ] as const) {
    const { status, json } = await ask(method, below, { as, ...(method === 'POST' && { json: bodyOf() }) })
    expect([status, json.detail]).toEqual([403, expect.stringContaining(words)])
    expect(json.detail).toContain('Ask with the key that')
    expect(json.detail).not.toContain('Grant')
  }
})

describe('what is wrong is named, and nothing is made', () => {
  const wrong: readonly (readonly [string, unknown, readonly string[]])[] = [
    ['no object', [], ['']],
    ['nothing', {}, ['/content', '/actor']],
    ['a misspelled member', { mod: 'normal', 'a/b': 1 }, ['/mod', '/a~1b']],
    ['several things', { mode: 'x', readsOthers: 'yes', credential: 1.5 }, ['/credential', '/mode', '/readsOthers']],
    ['an actor by nothing', { actor: { name: 'Ada' } }, ['/actor']],
    ['an account without a name', { actor: learner('') }, ['/actor/account/name']],
    ['a name that is long', { actor: learner('x'.repeat(1001)) }, ['/actor/account/name']],
    ['a group', { actor: { objectType: 'Group', mbox: 'mailto:a@example.org' } }, ['/actor/objectType']],
    ['a registration that is none', { registration: 'x' }, ['/registration']],
    ['an activity that is none', { activityId: 'x' }, ['/activityId']],
    ['a language that is none', { language: 'a b' }, ['/language']],
    ['data that is long', { data: 'x'.repeat(20_001) }, ['/data']],
    ['a place without a name', { resource: '' }, ['/resource']],
    ['a place with a zero', { resource: 'a\u0000b' }, ['/resource']],
    ['half a character', { resource: 'a\ud800b' }, ['/resource']],
    ['no content', { content: 'x' }, ['/content']],
    ['content nobody has', { content: 'f'.repeat(24) }, ['/content']],
  ]
  it.each(wrong)('%s', async (_, more, pointers) => {
    const isWhole = Array.isArray(more) || Object.keys(more as object).length === 0
    const json = isWhole ? more : bodyOf(more as Record<string, unknown>)
    expect(
      await audited(async () => {
        const { status, json: problem } = await ask('POST', '', { as: lms, json })
        expect([status, problem.code]).toEqual([400, 'invalid'])
        const named = problem.failures.map(({ pointer }: { pointer: string }) => pointer)
        expect(named).toEqual(expect.arrayContaining([...pointers]))
      }),
    ).toEqual([])
  })

  it.each([
    ['{', 400],
    ['', 400],
    ['{"content":"a","content":"b"}', 400],
    ['x'.repeat(300 * 1024), 413],
  ])('the body %.30s', async (body, status) => {
    expect((await ask('POST', '', { as: lms, body })).status).toBe(status)
  })

  it.each(['application/x-www-form-urlencoded', 'text/xml', 'application/json; charset=latin1'])(
    'a body that is %s',
    async (type) => {
      const asked = { as: lms, body: JSON.stringify(bodyOf()), headers: { 'Content-Type': type } }
      expect(
        await audited(async () => {
          const { status, json } = await ask('POST', '', asked)
          expect([status, json.code]).toEqual([415, 'unsupported'])
        }),
      ).toEqual([])
    },
  )

  it.each([
    ['?limit=0', '?limit'],
    ['?limit=501', '?limit'],
    ['?running=yes', '?running'],
    ['?running=true&running=true', '?running'],
    ['?before=-1', '?before'],
    ['?actor={', '?actor'],
    ['?actor={}', '?actor'],
    ['?registration=x', '?registration'],
    ['?content=1', '?content'],
    ['?platform=A', '?platform'],
    ['?statement=x', '?statement'],
    ['?platform=%00', '?platform'],
  ])('the list %s', async (query, pointer) => {
    const { status, json } = await ask('GET', query, { as: lms })
    expect([status, json.failures]).toEqual([400, [expect.objectContaining({ pointer })]])
  })

  it('a path or a method that is none', async () => {
    for (const id of ['x', '%00', '0b6cb1e7-7b3a-4d6e-9a43-0d5d8f1f2a10']) {
      expect((await ask('GET', `/${id}`, { as: admin })).status).toBe(404)
    }
    expect((await ask('PUT', '', { as: lms, json: bodyOf() })).status).toBe(405)
    expect((await world.ask('GET', '/management/v1/x', { as: lms })).json.code).toBe('not_found')
    const index = await world.ask('GET', '/management/v1', { as: lms })
    expect([index.status, index.json]).toEqual([200, { launches: `https://lrs.example.org${path}` }])
  })
})

describe('what the command line is told beforehand', () => {
  it('is what the request is answered', async () => {
    const cli = commandLineOn(world.core)
    const own = (await ask('POST', '', { as: lms, json: bodyOf() })).json as LaunchRecord & Json
    const foreign = (await world.launch('tincan')).launch
    const cases: readonly (readonly [Login & { id: number }, string, string])[] = [lms, admin].flatMap((who) =>
      [own.id, foreign.id].flatMap((id) => [
        [who, 'GET', `/${id}`] as const,
        [who, 'GET', '?running=x'] as const,
        [who, 'GET', ''] as const,
        [who, 'POST', ''] as const,
        [who, 'PATCH', ''] as const,
        [who, 'GET', '/none'] as const,
        [who, 'DELETE', `/${id}`] as const,
      ]),
    )
    for (const [who, method, below] of cases) {
      const told = await cli(['ask', `id:${who.id}`, method, path + below])
      const json = method === 'POST' ? { json: bodyOf() } : {}
      const { status } = await ask(method, below, { as: who, ...json })
      expect([who.key, method, below, told.code === 0]).toEqual([who.key, method, below, status < 400])
      expect(told.out).not.toContain('session')
    }
  })
})
