// The key that launched content has, against everything that is not its learner's, activity's and registration's: the matrix of the
// issue, through the whole app, for both styles. What is refused writes nothing; what is read shows nothing of others.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentOf, learner, openLaunchWorld, statementOf } from '../../../test/support/launch.ts'
import type { Answer, Ask, LaunchWorld, Login } from '../../../test/support/launch.ts'
import type { OpenedLaunch } from '../../core/launch.ts'
import type { Json } from '../../core/storage.ts'

type Lesson = Login & { readonly opened: OpenedLaunch }
type Stored = Readonly<Record<string, any>>

/** `mighty`: Tin Can, by a key that itself reads and writes everything: its pins alone hold it. */
const names = ['cmi5', 'tincan', 'mighty'] as const
type Name = (typeof names)[number]
const ada = learner('ada')
const [otherActivity, otherRegistration] = ['https://content.example.org/other', '99999999-9999-4999-8999-999999999999']
const voided = { id: 'http://adlnet.gov/expapi/verbs/voided', display: { en: 'voided' } }

/** Of content that is registered, and launched nowhere here. */
const exam = 'https://content.example.org/exam'

let world: LaunchWorld
/** Reads and writes everything. */
let all: Login
/** Ada's, of each style; `evaluator`: of a teacher who reads what others did. */
let lessons: Record<Name | 'evaluator', Lesson>
/** Statements that are none of Ada's lesson's, by what sets them apart. */
let foreign: Record<string, string>
/** Of each of her lessons. */
let own: Record<Name, string>
/** Events there were when all of this was made. */
let eventsBefore: number

beforeAll(async () => {
  world = await openLaunchWorld()
  all = await world.issue('everything')
  await world.core.contents.create(world.operator, contentOf('tincan', { activityId: exam }))
  const college = await world.core.platforms.create(world.operator, {
    ...{ id: 'college', name: 'College', protocol: 'itslearning', settings: {} },
  })
  const elsewhere = await world.core.launches.open(
    { platform: college.platform },
    { content: world.contents.tincan, actor: ada, resource: 'room', mode: 'normal' },
  )
  const bob = await world.keyOf('tincan', { actor: learner('bob') })
  const otherPlace = await world.keyOf('tincan', { actor: learner('bob'), resource: 'other room' })
  const neighbouring = await world.keyOf('tincan', { resource: 'next door', activityId: otherActivity })
  const mighty = await world.core.launches.open(
    { caller: world.operator, credentialId: (await world.issue('everything', { name: 'Mighty' })).credential.id },
    { content: world.contents.tincan, actor: ada, mode: 'normal' },
  )
  lessons = {
    cmi5: await world.keyOf('cmi5', {}),
    tincan: await world.keyOf('tincan', {}),
    mighty: { ...(await tincanKey(mighty)), opened: mighty },
    evaluator: await world.keyOf('tincan', { actor: learner('tess'), readsOthers: true }),
  }
  const owned = async (name: Name) => idOf(lessons[name], statementOf(lessons[name].opened))
  own = { cmi5: await owned('cmi5'), tincan: await owned('tincan'), mighty: await owned('mighty') }
  const { launch } = lessons.tincan.opened
  foreign = {
    'another learner': await idOf(bob, statementOf(bob.opened)),
    'another place': await idOf(otherPlace, statementOf(otherPlace.opened)),
    'another activity': await idOf(neighbouring, statementOf(neighbouring.opened)),
    'another key': await idOf(all, statementOf({ launch })),
    'another platform': await idOf({ ...college, ...(await tincanKey(elsewhere)) }, statementOf(elsewhere)),
    'another registration': await idOf(all, statementOf({ launch }, { context: { registration: otherRegistration } })),
  }
  eventsBefore = (await world.events()).length
})
afterAll(() => world.close())

async function tincanKey(opened: OpenedLaunch): Promise<Login> {
  const { opening } = await world.enter(opened)
  return opening.style === 'tincan' ? opening : expect.fail('not Tin Can')
}

async function idOf(as: Login, json: Json): Promise<string> {
  const answer = await world.xapi(as, 'POST', '/statements', { json })
  expect(answer.status, answer.text).toBe(200)
  return answer.json[0]
}

/** How much there is of everything that content could write. */
async function everything() {
  const { lrsId, organisationId, storage } = world
  const { documents } = await storage.exports.listDocuments(lrsId, { limit: 1000, mostBytes: 1e6 })
  return {
    statements: await storage.statements.countStatements(lrsId),
    documents: documents.map(({ key, etag }) => [key.id, etag]),
    events: (await storage.directory.listAudit(organisationId, eventsBefore, 100)).length,
  }
}

async function refusedWithout(attempt: () => Promise<Answer>, status: number | readonly number[]): Promise<Answer> {
  const before = await everything()
  const answer = await attempt()
  expect([status].flat(), answer.text).toContain(answer.status)
  expect(await everything()).toEqual(before)
  return answer
}

function query(parameters: Readonly<Record<string, Json | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const pairs = given.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
  return `?${new URLSearchParams(pairs as [string, string][])}`
}

const idsIn = ({ json }: Answer): string[] => json.statements.map(({ id }: Stored) => id)

describe.each(names)('the key of %s content, writing statements', (name) => {
  const lesson = () => lessons[name]
  const send = (more: Readonly<Record<string, Json>>) => statementOf(lesson().opened, more) as Stored
  /** With nothing of its lesson beside the object: what cmi5 content adds to each statement names its activity. */
  const bare = (more: Readonly<Record<string, Json>>) => {
    const { contextActivities: _, ...context } = send({})['context']
    return send({ context, ...more })
  }
  const contextWith = (more: object) => ({ context: { ...send({})['context'], ...more } as Json })

  it.each<[string, () => Json]>([
    ['of another actor', () => send({ actor: learner('bob') })],
    [
      'of an actor of the same name elsewhere',
      () => send({ actor: { account: { homePage: 'https://x.example', name: 'ada' } } }),
    ],
    ['of an actor in other letters', () => send({ actor: learner('Ada') })],
    ['of an actor by mailbox', () => send({ actor: { mbox: 'mailto:ada@school.example.org' } })],
    [
      'of a Group with the actor’s account',
      () => send({ actor: { ...ada, objectType: 'Group', member: [learner('bob')] } }),
    ],
    ['of a Group known by the actor’s account', () => send({ actor: { ...ada, objectType: 'Group' } })],
    ['of a Group that the actor is in', () => send({ actor: { objectType: 'Group', member: [ada] } })],
    ['of another registration', () => send(contextWith({ registration: otherRegistration }))],
    ['about another activity', () => bare({ object: { id: otherActivity } })],
    [
      'about an activity whose id only begins alike',
      () => bare({ object: { id: `${lesson().opened.launch.activityId}x` } }),
    ],
    ['about a person', () => bare({ object: learner('bob') })],
    ['about a statement', () => bare({ object: { objectType: 'StatementRef', id: own[name] } })],
    [
      'about an activity, with its own in "other" only',
      () =>
        send({
          object: { id: otherActivity },
          ...contextWith({ contextActivities: { other: [{ id: lesson().opened.launch.activityId }] } }),
        }),
    ],
    ['that voids its own', () => send({ verb: voided, object: { objectType: 'StatementRef', id: own[name] } })],
    [
      'that voids another’s',
      () => send({ verb: voided, object: { objectType: 'StatementRef', id: foreign['another learner'] ?? '' } }),
    ],
    [
      'of which one is of another actor',
      () => [send({ id: randomUUID() }), send({ id: randomUUID(), actor: learner('bob') })],
    ],
  ])('refuses what is %s', async (_, json) => {
    await refusedWithout(() => world.xapi(lesson(), 'POST', '/statements', { json: json() }), 403)
    const one = json()
    if (Array.isArray(one)) return
    const path = `/statements?statementId=${String((one as Stored)['id'] ?? randomUUID())}`
    await refusedWithout(() => world.xapi(lesson(), 'PUT', path, { json: one }), 403)
  })

  it('refuses what has no registration in cmi5, and takes it in Tin Can', async () => {
    const { registration: _, ...context } = send({})['context']
    const attempt = () => world.xapi(lesson(), 'POST', '/statements', { json: send({ context }) })
    if (name === 'cmi5') await refusedWithout(attempt, 403)
    else expect((await attempt()).status).toBe(200)
  })

  it('takes what lies below its activity, or has it as parent or grouping', async () => {
    const { activityId } = lesson().opened.launch
    const within = (of: 'parent' | 'grouping') => {
      const { contextActivities = {}, ...context } = send({})['context']
      return {
        ...context,
        contextActivities: { ...contextActivities, [of]: [...(contextActivities[of] ?? []), { id: activityId }] },
      } as Json
    }
    for (const more of [
      { object: { id: `${activityId}/page/1` } },
      { object: { id: otherActivity }, context: within('parent') },
      { object: { id: otherActivity }, context: within('grouping') },
    ]) {
      const answer = await world.xapi(lesson(), 'POST', '/statements', { json: send(more) })
      expect(answer.status, answer.text).toBe(200)
    }
  })

  it('refuses results of other content, whatever it is grouped under', async () => {
    const { activityId, contentId } = lesson().opened.launch
    const { contextActivities = {}, ...context } = send({})['context']
    const grouping = [...(contextActivities.grouping ?? []), { id: activityId }]
    const about = (id: string) =>
      send({ object: { id }, context: { ...context, contextActivities: { ...contextActivities, grouping } } })
    for (const id of [exam, `${exam}/question/1`, 'https://lrs.example.org/launch/activities/another']) {
      const answer = await refusedWithout(
        () => world.xapi(lesson(), 'POST', '/statements', { json: [about(otherActivity), about(id)] }),
        403,
      )
      expect(answer.text).toContain('other content')
    }
    const { settings } = await world.core.contents.get(world.operator, contentId!)
    for (const id of [`${exam}ination`, settings.activityId]) {
      expect((await world.xapi(lesson(), 'POST', '/statements', { json: about(id) })).status).toBe(200)
    }
  })

  it('takes what is about another activity until that is registered as content', async () => {
    const { activityId } = lesson().opened.launch
    const later = `https://content.example.org/later-${name}`
    const { contextActivities = {}, ...context } = send({})['context']
    const parent = [...(contextActivities.parent ?? []), { id: activityId }]
    const about = () =>
      send({ object: { id: later }, context: { ...context, contextActivities: { ...contextActivities, parent } } })
    const attempt = () => world.xapi(lesson(), 'POST', '/statements', { json: about() })
    expect((await attempt()).status).toBe(200)
    await world.core.contents.create(world.operator, contentOf('tincan', { activityId: later }))
    world.clock.pass(10_001)
    await refusedWithout(attempt, 403)
  })

  it('stores in the name of who launched it, whatever name it gives itself', async () => {
    const authority = { objectType: 'Agent', mbox: 'mailto:principal@school.example' }
    const id = await idOf(lesson(), send({ authority }))
    const { json } = await world.xapi(all, 'GET', `/statements?statementId=${id}`)
    expect(json.authority).toMatchObject({
      ...{ name: name === 'mighty' ? 'Mighty' : 'School', account: { homePage: 'https://lrs.example.org' } },
    })
  })

  it('does not take over, or change, what others stored', async () => {
    for (const id of Object.values(foreign)) {
      const answer = await refusedWithout(() => {
        return world.xapi(lesson(), 'PUT', `/statements?statementId=${id}`, { json: { ...send({}), id } })
      }, 409)
      expect(answer.text).not.toContain('bob')
    }
  })
})

describe.each(names)('the key of %s content, reading statements', (name) => {
  const lesson = () => lessons[name]
  const get = (parameters: Readonly<Record<string, Json | undefined>> = {}) =>
    world.xapi(lesson(), 'GET', `/statements${query(parameters)}`)

  it.each<[string, () => Readonly<Record<string, Json | undefined>>]>([
    ['without filters', () => ({})],
    ['by its agent', () => ({ agent: ada })],
    ['by its agent, related ones included', () => ({ agent: ada, related_agents: true })],
    ['by its activity', () => ({ activity: lesson().opened.launch.activityId })],
    [
      'by its activity, related ones included',
      () => ({ activity: lesson().opened.launch.activityId, related_activities: true }),
    ],
    ['with attachments', () => ({ attachments: true })],
    ['oldest first', () => ({ ascending: true })],
    ['as ids', () => ({ format: 'ids' })],
  ])('%s shows its own alone', async (_, parameters) => {
    const answer = await get(parameters())
    expect(answer.status).toBe(200)
    const text = answer.text
    expect(text).toContain(own[name])
    for (const id of Object.values(foreign)) expect(text).not.toContain(id)
    expect(text).not.toMatch(/bob|tess/)
    for (const other of names) if (other !== name) expect(text).not.toContain(own[other])
  })

  it.each<[string, Readonly<Record<string, Json>>]>([
    ['another agent', { agent: learner('bob') }],
    ['another agent among related ones', { agent: learner('bob'), related_agents: true }],
    ['another activity', { activity: 'https://content.example.org/elsewhere' }],
    ['another registration', { registration: otherRegistration }],
  ])('of %s shows nothing', async (_, parameters) => {
    const answer = await get(parameters)
    expect([answer.status, answer.json]).toEqual([200, { statements: [], more: '' }])
  })

  it('finds no other by its id, nor tells that there is one', async () => {
    const absent = await get({ statementId: randomUUID() })
    for (const id of Object.values(foreign)) {
      for (const name of ['statementId', 'voidedStatementId']) {
        const answer = await get({ [name]: id })
        expect(answer.status).toBe(404)
        if (name === 'statementId')
          expect(answer.text.replaceAll(/[0-9a-f-]{36}/g, '')).toBe(absent.text.replaceAll(/[0-9a-f-]{36}/g, ''))
      }
    }
    expect((await get({ statementId: own[name] })).status).toBe(200)
  })

  it('goes on with somebody else’s page as with its own: without their statements', async () => {
    const first = await world.xapi(all, 'GET', '/statements?limit=1')
    const more = first.json.more as string
    const answer = await world.ask('GET', more, { as: lesson(), headers: { 'X-Experience-API-Version': '1.0.3' } })
    if (answer.status === 200) for (const id of Object.values(foreign)) expect(idsIn(answer)).not.toContain(id)
    else expect(answer.status).toBe(400)
  })
})

describe('the key of somebody who evaluates', () => {
  it('reads what others did in the activity, and nothing that other platforms and keys stored', async () => {
    const answer = await world.xapi(lessons.evaluator, 'GET', '/statements?limit=100')
    const ids = idsIn(answer)
    expect(ids).toEqual(expect.arrayContaining([own.tincan, foreign['another learner']]))
    const byId = (id: string | undefined) => world.xapi(lessons.evaluator, 'GET', `/statements?statementId=${id}`)
    const { 'another learner': ofBob, ...others } = foreign
    for (const other of Object.values(others)) {
      expect(ids).not.toContain(other)
      expect((await byId(other)).status).toBe(404)
    }
    expect(ids).not.toContain(own.cmi5)
    expect((await byId(ofBob)).status).toBe(200)
  })

  it('reads of others only what has the registration of a launch; its own as anybody', async () => {
    const bare = async (as: Lesson) => {
      const { context: _, ...statement } = statementOf(as.opened) as Stored
      return idOf(as, statement)
    }
    const bob = await world.keyOf('tincan', { actor: learner('bob') })
    const [ofBob, ofTess] = [await bare(bob), await bare(lessons.evaluator)]
    const below = await idOf(bob, statementOf(bob.opened, { object: { id: `${bob.opened.launch.activityId}/page` } }))
    const ids = idsIn(await world.xapi(lessons.evaluator, 'GET', '/statements?limit=100'))
    expect(ids).toEqual(expect.arrayContaining([ofTess, below]))
    expect(ids).not.toContain(ofBob)
    // Known by now, and of those who come later.
    const late = await world.keyOf('tincan', { actor: learner('late') })
    const ofLate = await idOf(late, statementOf(late.opened))
    expect(idsIn(await world.xapi(lessons.evaluator, 'GET', '/statements?limit=1'))).toEqual([ofLate])
  })

  it('is told apart for who administers it', async () => {
    const principal = await world.core.signIn.basic({ ...lessons.evaluator, browser: '' })
    const ask = (id: string | undefined) =>
      world.core.statements.explainGet(principal, world.lrsId, id ?? '', { isVoided: false })
    expect(await ask(foreign['another learner'])).toMatchObject({ allowed: true })
    const refusal = { allowed: false, code: 'not_found', decidedBy: 'pin registration' }
    expect(await ask(foreign['another place'])).toMatchObject(refusal)
  })

  it('of a cmi5 unit reads the units of its place', async () => {
    const tess = await world.keyOf('cmi5', { actor: learner('tess'), readsOthers: true })
    const away = await world.keyOf('cmi5', { actor: learner('bob'), resource: 'other room' })
    const ofAway = await idOf(away, statementOf(away.opened))
    const ids = idsIn(await world.xapi(tess, 'GET', '/statements?limit=100'))
    expect(ids).toContain(own.cmi5)
    expect(ids).not.toContain(ofAway)
  })

  it('writes as itself alone, and reads no document of others', async () => {
    const json = statementOf(lessons.evaluator.opened, { actor: learner('bob') })
    await refusedWithout(() => world.xapi(lessons.evaluator, 'POST', '/statements', { json }), 403)
    const { activityId } = lessons.evaluator.opened.launch
    const path = `/activities/state${query({ activityId, agent: learner('bob'), stateId: 'bookmark' })}`
    await refusedWithout(() => world.xapi(lessons.evaluator, 'GET', path), 403)
  })
})

describe.each(names)('the key of %s content, with documents', (name) => {
  const lesson = () => lessons[name]
  const ours = () => {
    const { activityId, registration } = lesson().opened.launch
    return { activityId, agent: ada, registration } as const
  }
  const json = { page: 7 }

  async function isRefused(path: string, asked: Ask = {}) {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE'] as const) {
      const body = method === 'PUT' || method === 'POST' ? { json, ...asked } : asked
      const answer = await refusedWithout(() => world.xapi(lesson(), method, path, body), 403)
      expect(answer.text).not.toContain('"page"')
    }
  }

  it('keeps its own State', async () => {
    const path = `/activities/state${query({ ...ours(), stateId: 'bookmark' })}`
    expect((await world.xapi(lesson(), 'PUT', path, { json })).status).toBe(204)
    expect((await world.xapi(lesson(), 'GET', path)).json).toEqual(json)
    const list = await world.xapi(lesson(), 'GET', `/activities/state${query(ours())}`)
    expect(list.json).toContain('bookmark')
    // Of reach mine it is nobody else's; of reach any it is the one that all share.
    expect((await world.xapi(all, 'GET', path)).status).toBe(name === 'mighty' ? 200 : 404)
  })

  it.each<[string, () => Readonly<Record<string, Json>>]>([
    ['of another agent', () => ({ agent: learner('bob') })],
    ['of another activity', () => ({ activityId: otherActivity })],
    ['of another registration', () => ({ registration: otherRegistration })],
  ])('is refused State %s: one document, and all', async (_, other) => {
    await isRefused(`/activities/state${query({ ...ours(), ...other(), stateId: 'bookmark' })}`)
    const whole = `/activities/state${query({ ...ours(), ...other() })}`
    for (const method of ['GET', 'DELETE']) await refusedWithout(() => world.xapi(lesson(), method, whole), 403)
  })

  it('is refused State of all registrations; of none in cmi5', async () => {
    const { registration: _, ...without } = ours()
    for (const method of ['GET', 'DELETE']) {
      await refusedWithout(() => world.xapi(lesson(), method, `/activities/state${query(without)}`), 403)
    }
    const path = `/activities/state${query({ ...without, stateId: 'bookmark' })}`
    if (name === 'cmi5') await isRefused(path)
    else expect((await world.xapi(lesson(), 'PUT', path, { json })).status).toBe(204)
  })

  const condition = { headers: { 'If-None-Match': '*' } }

  it('keeps its learner’s profile, and is refused all others', async () => {
    const path = `/agents/profile${query({ agent: ada, profileId: `of ${name}` })}`
    expect((await world.xapi(lesson(), 'PUT', path, { json, ...condition })).status).toBe(204)
    expect((await world.xapi(lesson(), 'GET', path)).json).toEqual(json)
    await isRefused(`/agents/profile${query({ agent: learner('bob'), profileId: 'any' })}`, condition)
    await refusedWithout(() => world.xapi(lesson(), 'GET', `/agents/profile${query({ agent: learner('bob') })}`), 403)
  })

  it('reads its activity’s profile, which all learners share, writes none, and is refused all others', async () => {
    const { activityId } = ours()
    const path = `/activities/profile${query({ activityId, profileId: `of ${name}` })}`
    expect((await world.xapi(all, 'PUT', path, { json, ...condition })).status).toBe(204)
    // Of reach mine the one that all share is none of its.
    expect((await world.xapi(lesson(), 'GET', path)).status).toBe(name === 'mighty' ? 200 : 404)
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const body = method === 'DELETE' ? {} : { json }
      const answer = await refusedWithout(() => world.xapi(lesson(), method, path, { ...body, ...condition }), 403)
      expect(answer.text).toContain('State')
    }
    await isRefused(`/activities/profile${query({ activityId: otherActivity, profileId: 'any' })}`, condition)
    const whole = `/activities/profile${query({ activityId: otherActivity })}`
    await refusedWithout(() => world.xapi(lesson(), 'GET', whole), 403)
  })

  it('writes its activity’s profile where the content is set to, for the others to read', async () => {
    const style = name === 'cmi5' ? 'cmi5' : 'tincan'
    const settings = { activityId: `https://content.example.org/shared-${name}`, writesActivityProfiles: true }
    const content = await world.core.contents.create(world.operator, contentOf(style, settings))
    const [one, other] = [
      await world.keyOf(style, { content }),
      await world.keyOf(style, { content, actor: learner('bob') }),
    ]
    const { activityId } = one.opened.launch
    const path = `/activities/profile${query({ activityId, profileId: 'all' })}`
    expect((await world.xapi(one, 'PUT', path, { json, ...condition })).status).toBe(204)
    expect((await world.xapi(other, 'GET', path)).json).toEqual(json)
    const elsewhere = `/activities/profile${query({ activityId: otherActivity, profileId: 'all' })}`
    await refusedWithout(() => world.xapi(one, 'PUT', elsewhere, { json, ...condition }), 403)
  })

  it('looks up its learner and its activity, and nobody else', async () => {
    const { activityId } = ours()
    expect((await world.xapi(lesson(), 'GET', `/agents${query({ agent: ada })}`)).status).toBe(200)
    expect((await world.xapi(lesson(), 'GET', `/activities${query({ activityId })}`)).status).toBe(200)
    await refusedWithout(() => world.xapi(lesson(), 'GET', `/agents${query({ agent: learner('bob') })}`), 403)
    await refusedWithout(() => world.xapi(lesson(), 'GET', `/activities${query({ activityId: otherActivity })}`), 403)
  })
})

describe.each(['cmi5', 'tincan'] as const)('the key of %s content that looks on', (style) => {
  it.each(['browse', 'review'] as const)('in mode %s keeps its State, and writes no profile', async (mode) => {
    const key = await world.keyOf(style, { actor: learner('looker'), mode })
    const { activityId, registration, actor } = key.opened.launch
    const asked: Ask = { json: { page: 7 }, headers: { 'If-None-Match': '*' } }
    for (const path of [
      `/agents/profile${query({ agent: actor, profileId: 'p' })}`,
      `/activities/profile${query({ activityId, profileId: 'p' })}`,
    ])
      await refusedWithout(() => world.xapi(key, 'PUT', path, asked), 403)
    const state = `/activities/state${query({ activityId, agent: actor, registration, stateId: mode })}`
    expect((await world.xapi(key, 'PUT', state, asked)).status).toBe(204)
  })
})

describe.each(names)('the key of %s content, everywhere else', (name) => {
  const lesson = () => lessons[name]

  it.each<[string, string, readonly number[]]>([
    ['GET', '/management/v1/launches', [403]],
    ['POST', '/management/v1/launches', [400, 403]],
    ['GET', '/api/organizations/1/activity-providers', [401, 403]],
    ['POST', '/api/organizations/1/activity-providers', [401, 403]],
    ['POST', '/api/organizations/1/oauth2/token', [400, 401, 403, 404]],
    ['GET', '/api/v2/client', [401, 403]],
    ['POST', '/api/v2/client', [401, 403]],
    ['GET', '/api/v2/lrs', [401, 403]],
    ['GET', '/api/v2/statement', [401, 403]],
    ['GET', '/api/connection/statement', [401, 403]],
    ['POST', '/api/oauth2/token', [400, 401, 403, 404]],
    ['GET', '/api/v2/appManagement/applications', [401, 403]],
    ['GET', '/api/v2/xapi/credentials', [401, 403]],
    ['POST', '/api/v2/oauth/authenticate/application/token', [400, 401, 403, 404]],
    ['GET', '/api/organizations/2/lrs/statements', [401]],
    ['GET', '/lrs/ABCDEFGHIJ/statements', [401, 403, 404]],
  ])('is refused %s %s', async (method, path, statuses) => {
    const asked: Ask = {
      as: lesson(),
      ...(method === 'POST' && { json: {} }),
      headers: { 'X-Experience-API-Version': '1.0.3' },
    }
    const answer = await refusedWithout(() => world.ask(method, path, asked), statuses)
    expect(answer.text).not.toMatch(/bob|tess|0f8fad5b/)
  })

  it('launches nobody, ends nothing, and makes no session and no token', async () => {
    const content = lesson().opened.launch.contentId
    const json = { content, actor: learner('bob') }
    await refusedWithout(() => world.ask('POST', '/management/v1/launches', { as: lesson(), json }), 403)
    for (const { opened } of Object.values(lessons)) {
      const path = `/management/v1/launches/${opened.launch.id}`
      for (const method of ['GET', 'DELETE']) {
        await refusedWithout(() => world.ask(method, path, { as: lesson() }), 403)
      }
    }
    const principal = await world.core.signIn.basic({ ...lesson(), browser: '' })
    const { sessions, tokens, credentials, launches } = world.core
    for (const attempt of [
      () => sessions.create(principal, principal.credentialId),
      () => sessions.list(principal, principal.credentialId, { offset: 0, limit: 10 }),
      () => tokens.issue(principal),
      () => credentials.list(principal, {}, { offset: 0, limit: 10 }),
      () => credentials.reveal(principal, principal.credentialId),
      () => launches.list(principal, {}, { limit: 10 }),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('reads on every path of its Lrs what it reads on one', async () => {
    const answer = await world.ask('GET', '/data/xAPI/statements', {
      ...{ as: lesson(), headers: { 'X-Experience-API-Version': '1.0.3' } },
    })
    expect(answer.status).toBe(200)
    for (const id of Object.values(foreign)) expect(idsIn(answer)).not.toContain(id)
  })
})
