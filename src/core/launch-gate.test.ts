import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { atMinute } from '../../test/support/cmi5.ts'
import type { Answer } from '../../test/support/ask.ts'
import {
  keyIn,
  learner,
  openLaunchWorld,
  otherBrowser,
  statementOf,
  unitStatementOf,
} from '../../test/support/launch.ts'
import type { LaunchWorld, Login } from '../../test/support/launch.ts'
import { uuid5 } from './uuid5.ts'
import { categories, contextExtensions, courseType } from './cmi5/vocabulary.ts'
import type { UnitVerb } from './cmi5/vocabulary.ts'
import { DomainError } from './errors.ts'
import { LaunchGate } from './launch-gate.ts'
import type { NewLaunchInput } from './launch-plan.ts'
import { platformDataId } from './launch-scribe.ts'
import type { OpenedLaunch } from './launch.ts'
import { Statements } from './statements.ts'
import type { JsonObject } from './xapi/rule.ts'

type Lesson = Login & { readonly opened: OpenedLaunch }

let world: LaunchWorld
let all: Login
let count = 0

beforeAll(async () => {
  world = await openLaunchWorld({
    settings: { moveOn: 'CompletedAndPassed', masteryScore: 0.8, launchParameters: 'level=2' },
  })
  all = await world.issue('everything')
})
afterAll(() => world.close())

/** Somebody nobody launched before. */
function someone(): Pick<NewLaunchInput, 'actor'> {
  return { actor: learner(`learner ${++count}`) }
}

/** Launched and let in, with its key, and nothing said yet. */
async function launched(input: Partial<NewLaunchInput> = someone()): Promise<Lesson> {
  const opened = await world.launch('cmi5', input)
  return { ...(await keyIn(world, await world.enter(opened))), opened }
}

/** And `initialized` said. */
async function begun(input: Partial<NewLaunchInput> = someone()): Promise<Lesson> {
  return world.keyOf('cmi5', input)
}

/** Statements are not stored, or launches not ended, by the node. */
async function whileAway(what: 'store' | 'end', work: () => Promise<unknown>): Promise<void> {
  const { statements, launches } = world.storage
  const spy = what === 'store' ? vi.spyOn(statements, 'store') : vi.spyOn(launches, 'endLaunch')
  spy.mockRejectedValue(new DomainError('unavailable', 'away'))
  try {
    await work()
  } finally {
    spy.mockRestore()
  }
}

function put(lesson: Lesson, statement: JsonObject): Promise<Answer> {
  return world.xapi(lesson, 'PUT', `/statements?statementId=${String(statement['id'])}`, { json: statement })
}

async function say(lesson: Lesson, verb: UnitVerb, minute?: number): Promise<Answer> {
  return put(lesson, unitStatementOf(lesson.opened, verb, minute))
}

/** Everything stored in the registration, oldest first, by the last part of the verb. */
async function said({ opened }: Pick<Lesson, 'opened'>): Promise<readonly JsonObject[]> {
  const path = `/statements?ascending=true&limit=100&registration=${opened.launch.registration}`
  const { json } = await world.xapi(all, 'GET', path)
  return json.statements
}

async function verbsSaid(lesson: Pick<Lesson, 'opened'>): Promise<string[]> {
  return (await said(lesson)).map(({ verb }) => String((verb as JsonObject)['id']).replace(/.*\//, ''))
}

function rulesIn({ json }: Answer): string[] {
  return json.failures.map(({ rule, pointer }: { rule: string; pointer: string }) => `${rule} ${pointer}`)
}

async function state(lesson: Lesson, method: string, stateId: string | undefined, json?: unknown): Promise<Answer> {
  const { actor, activityId, registration } = lesson.opened.launch
  const which = stateId === undefined ? '' : `&stateId=${stateId}`
  const about = `activityId=${encodeURIComponent(activityId)}&agent=${encodeURIComponent(JSON.stringify(actor))}`
  return world.xapi(lesson, method, `/activities/state?${about}&registration=${registration}${which}`, {
    ...(json === undefined ? {} : { json }),
  })
}

describe('a session of cmi5', () => {
  it('cannot keep the launcher from saying what it must, by storing something else first', async () => {
    const lesson = await begun()
    const { launch } = lesson.opened
    for (const verb of ['abandoned', 'satisfied']) {
      const statement = { ...(statementOf(lesson.opened) as JsonObject), id: uuid5([launch.id, verb]) }
      expect((await put(lesson, statement)).status).toBe(204)
    }
    await world.core.launches.end(world.operator, launch.id)
    expect(await verbsSaid(lesson)).toContain('abandoned')
  })

  it('begins with what the launcher says, goes on with what the unit says, and ends', async () => {
    const lesson = await launched()
    expect(await verbsSaid(lesson)).toEqual(['launched'])
    for (const verb of ['initialized', 'completed', 'passed'] as const) {
      expect((await say(lesson, verb)).status).toBe(204)
    }
    expect((await put(lesson, statementOf(lesson.opened) as JsonObject)).status).toBe(204)
    expect((await say(lesson, 'terminated', 3)).status).toBe(204)
    const words = ['launched', 'initialized', 'completed', 'passed', 'satisfied', 'experienced', 'terminated']
    expect(await verbsSaid(lesson)).toEqual(words)
    expect((await put(lesson, statementOf(lesson.opened) as JsonObject)).status).toBe(401)
    expect((await state(lesson, 'GET', 'LMS.LaunchData')).status).toBe(401)
    expect(await world.core.launches.get(world.operator, lesson.opened.launch.id)).toMatchObject({
      endedBy: 'terminated',
    })
    expect(await verbsSaid(lesson)).toEqual(words)
  })

  it('launched names what the unit was given, in the learner’s name', async () => {
    const lesson = await launched()
    const [statement] = await said(lesson)
    const { id, actor, activityId } = lesson.opened.launch
    expect(statement).toMatchObject({
      actor,
      object: { id: activityId },
      authority: { account: { homePage: world.core.baseUrl } },
      context: {
        contextActivities: {
          category: [{ id: categories.cmi5 }],
          grouping: [{ id: 'https://content.example.org/cmi5' }],
        },
        extensions: {
          [contextExtensions.sessionId]: id,
          [contextExtensions.launchMode]: 'Normal',
          [contextExtensions.launchUrl]: 'https://content.example.org/cmi5/index.html',
          [contextExtensions.moveOn]: 'CompletedAndPassed',
          [contextExtensions.masteryScore]: 0.8,
          [contextExtensions.launchParameters]: 'level=2',
        },
      },
    })
  })

  it('is said to be launched once, however often its page is opened', async () => {
    const opened = await world.launch('cmi5', someone())
    for (let opening = 0; opening < 3; opening++) await world.enter(opened)
    expect(await verbsSaid({ opened })).toEqual(['launched'])
  })

  it('a rule that is broken is named, with its place in the request, and nothing is stored', async () => {
    const lesson = await launched()
    const { id: _id, ...nameless } = unitStatementOf(lesson.opened, 'initialized')
    const completed = unitStatementOf(lesson.opened, 'completed')
    const wrong = { ...completed, result: { completion: true } }
    const answer = await world.xapi(lesson, 'POST', '/statements', { json: [nameless, wrong] })
    expect(answer.status).toBe(400)
    expect(rulesIn(answer)).toEqual(['cmi5/9.1 /0/id', 'cmi5/9.5.4.1 /1/result/duration'])
    expect(answer.json.decidedBy).toBe('launch')
    expect(answer.json.failures[1].statement).toEqual({ index: 1, id: completed['id'] })
    expect(await verbsSaid(lesson)).toEqual(['launched'])
    expect((await say(lesson, 'initialized')).status).toBe(204)
  })

  it('what is out of order is refused, and leaves no trace', async () => {
    const lesson = await launched()
    expect(rulesIn(await say(lesson, 'passed'))).toEqual(['cmi5/9.3.2 /verb/id'])
    expect((await say(lesson, 'initialized')).status).toBe(204)
    expect((await say(lesson, 'failed')).status).toBe(204)
    expect(rulesIn(await say(lesson, 'passed'))).toEqual(['cmi5/9.3 /verb/id'])
    expect(rulesIn(await say(lesson, 'failed'))).toEqual(['cmi5/9.3 /verb/id'])
    expect(rulesIn(await say(lesson, 'terminated', 1))).toEqual(['cmi5/9.3.8 /timestamp'])
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'failed'])
  })

  it('a statement that is sent again is the same statement', async () => {
    const lesson = await begun()
    const completed = unitStatementOf(lesson.opened, 'completed')
    for (let time = 0; time < 3; time++) expect((await put(lesson, completed)).status).toBe(204)
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'completed'])
  })

  it('a statement under the id of another one is refused, and what it said may be said under another', async () => {
    const lesson = await begun()
    const [, initialized] = await said(lesson)
    const taken = { ...unitStatementOf(lesson.opened, 'completed'), id: initialized?.['id'] }
    expect((await put(lesson, taken)).status).toBe(409)
    expect((await say(lesson, 'completed')).status).toBe(204)
    expect(rulesIn(await say(lesson, 'initialized'))).toEqual(['cmi5/9.3 /verb/id'])
  })

  it('what was noted and never stored does not count', async () => {
    const lesson = await begun()
    const { launches } = world.storage
    const { organisationId, id } = lesson.opened.launch
    const found = await launches.findLaunch(organisationId, id)
    if (found === undefined) throw new Error('gone')
    const lost = { id: randomUUID(), at: Date.parse(atMinute(1)) * 1000, since: world.clock.now() }
    const session = { ...(found.progress['session'] as JsonObject), completed: lost, latest: lost }
    const progress = { ...found.progress, session, registration: { completed: lost } } as typeof found.progress
    await launches.advanceLaunch(organisationId, id, { from: found.version, progress })
    // Somebody may be storing it at this moment.
    expect(rulesIn(await say(lesson, 'completed'))).toEqual(['cmi5/9.3 /verb/id'])
    world.clock.pass(10_000)
    expect((await say(lesson, 'completed')).status).toBe(204)
    expect(rulesIn(await say(lesson, 'completed'))).toEqual(['cmi5/9.3 /verb/id'])
  })

  it('of many requests at the same time one is the first of its kind', async () => {
    const lesson = await begun()
    const answers = await Promise.all(Array.from({ length: 12 }, () => say(lesson, 'completed')))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, ...Array<number>(11).fill(400)])
  })

  it('of two nodes one accepts it', async () => {
    const lesson = await begun()
    const { storage, clock, core, lrsId } = world
    const nothing = async (): Promise<void> => {}
    const launched = new LaunchGate({ storage, clock, satisfied: nothing, terminate: nothing, onError: () => {} })
    const otherNode = new Statements({ storage, ids: core.ids, batchLimit: 10, launched })
    const principal = await world.signIn(lesson)
    const stored = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => {
        const text = JSON.stringify(unitStatementOf(lesson.opened, 'completed'))
        return (index % 2 ? core.statements : otherNode).store(principal, lrsId, { text, version: '1.0' })
      }),
    )
    expect(stored.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await verbsSaid(lesson)).filter((verb) => verb === 'completed')).toHaveLength(1)
    await otherNode.close()
  })

  it('does not queue without end', async () => {
    const lesson = await begun()
    const principal = await world.signIn(lesson)
    const stored = await Promise.allSettled(
      Array.from({ length: 70 }, () => {
        const text = JSON.stringify(statementOf(lesson.opened))
        return world.core.statements.store(principal, world.lrsId, { text, version: '1.0' })
      }),
    )
    const refused = stored.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused).toEqual(Array(6).fill(expect.objectContaining({ code: 'unavailable' })))
  })

  it('what is under way when terminated comes is stored before the end', async () => {
    const lesson = await begun()
    const answers = await Promise.all([
      say(lesson, 'terminated', 5),
      say(lesson, 'passed', 3),
      put(lesson, statementOf(lesson.opened) as JsonObject),
    ])
    const statuses = answers.map(({ status }) => status)
    expect(statuses).toEqual([204, 204, 204])
    expect(await world.core.launches.get(world.operator, lesson.opened.launch.id)).toMatchObject({
      endedBy: 'terminated',
    })
  })

  it('who never stops sending does not keep it from its end', async () => {
    const lesson = await begun()
    let isOver = false
    const send = async (): Promise<void> => {
      while (!isOver) {
        const { status } = await world.xapi(lesson, 'POST', '/statements', { json: statementOf(lesson.opened) })
        isOver = status === 401
      }
    }
    const senders = Array.from({ length: 4 }, send)
    expect((await say(lesson, 'terminated', 5)).status).toBe(204)
    await Promise.all(senders)
    expect(await world.core.launches.get(world.operator, lesson.opened.launch.id)).toMatchObject({
      endedBy: 'terminated',
    })
  })

  it('is ended later where it could not be when it said so', async () => {
    const lesson = await begun()
    await whileAway('end', async () => expect((await say(lesson, 'terminated', 5)).status).toBe(204))
    world.clock.pass(10_000)
    await world.core.launches.lapse()
    expect(await world.core.launches.get(world.operator, lesson.opened.launch.id)).toMatchObject({
      ...{ endedBy: 'terminated', owes: null },
    })
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'terminated'])
  })

  it('is not ended by a word that never reached the store', async () => {
    const lesson = await begun()
    await whileAway('store', async () => expect((await say(lesson, 'terminated', 5)).status).toBe(503))
    world.clock.pass(10_000)
    await world.core.launches.lapse()
    expect((await say(lesson, 'passed', 2)).status).toBe(204)
    expect((await say(lesson, 'terminated', 5)).status).toBe(204)
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'passed', 'terminated'])
  })

  it('the statements of another session are none of this one', async () => {
    const [one, other] = [await begun(), await begun()]
    const statement = unitStatementOf(one.opened, 'completed')
    const foreign = { ...(statement['context'] as JsonObject), extensions: { [contextExtensions.sessionId]: 'x' } }
    expect(rulesIn(await put(one, { ...statement, context: foreign }))[0]).toMatch(/^cmi5\/9\.6\.3\.1 /)
    expect((await put(one, unitStatementOf(other.opened, 'completed'))).status).toBe(403)
  })

  it.each(['browse', 'review'] as const)('to %s: only the beginning and the end are said', async (mode) => {
    const lesson = await begun({ ...someone(), mode })
    for (const verb of ['completed', 'passed', 'failed'] as const) {
      expect(rulesIn(await say(lesson, verb))).toEqual(['cmi5/10.2.2 /verb/id'])
    }
    expect((await state(lesson, 'GET', 'LMS.LaunchData')).json.launchMode).toBe(mode === 'browse' ? 'Browse' : 'Review')
    expect((await say(lesson, 'terminated')).status).toBe(204)
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'terminated'])
  })

  it('voids nothing', async () => {
    const lesson = await begun()
    const [launchedStatement] = await said(lesson)
    const json = {
      ...(statementOf(lesson.opened) as JsonObject),
      verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
      object: { objectType: 'StatementRef', id: launchedStatement?.['id'] },
    }
    expect((await world.xapi(lesson, 'POST', '/statements', { json })).status).toBe(403)
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized'])
  })
})

describe('a registration of cmi5', () => {
  it('goes on in the next session: what was failed may be passed, what was passed stays it', async () => {
    const who = someone()
    const first = await begun(who)
    expect((await say(first, 'failed')).status).toBe(204)
    expect((await say(first, 'terminated', 3)).status).toBe(204)
    const second = await begun(who)
    expect(second.opened.launch.registration).toBe(first.opened.launch.registration)
    expect(second.opened.launch.activityId).toBe(first.opened.launch.activityId)
    expect((await say(second, 'passed', 4)).status).toBe(204)
    expect((await say(second, 'terminated', 5)).status).toBe(204)
    const third = await begun(who)
    expect(rulesIn(await say(third, 'passed', 6))).toEqual(['cmi5/9.3.4 /verb/id'])
    expect(rulesIn(await say(third, 'failed', 6))).toEqual(['cmi5/9.3 /verb/id'])
    expect((await say(third, 'completed', 6)).status).toBe(204)
    expect((await verbsSaid(third)).filter((verb) => verb === 'satisfied')).toHaveLength(1)
  })

  it('is satisfied once, about the course, in the session that made it so', async () => {
    const lesson = await begun()
    await say(lesson, 'completed')
    expect(await verbsSaid(lesson)).not.toContain('satisfied')
    await say(lesson, 'passed')
    const satisfied = (await said(lesson)).at(-1)
    expect(satisfied).toMatchObject({
      verb: { id: 'https://w3id.org/xapi/adl/verbs/satisfied' },
      object: { id: `${lesson.opened.launch.activityId}/course`, definition: { type: courseType } },
      context: { extensions: { [contextExtensions.sessionId]: lesson.opened.launch.id } },
    })
  })

  it('of content that asks for nothing is satisfied from the start, outside of any session', async () => {
    const settings = { url: 'https://content.example.org/a.html', style: 'cmi5', activityId: 'urn:x:free' } as const
    const content = await world.core.contents.create(world.operator, { name: 'free', settings })
    const who = someone()
    const first = await launched({ ...who, content })
    expect(await verbsSaid(first)).toEqual(['satisfied', 'launched'])
    const [satisfied] = await said(first)
    const sessionId = expect.stringMatching(/^[0-9a-f-]{36}$/) as string
    expect(satisfied).toMatchObject({ context: { extensions: { [contextExtensions.sessionId]: sessionId } } })
    expect(JSON.stringify(satisfied)).not.toContain(first.opened.launch.id)
    const second = await launched({ ...who, content })
    expect((await verbsSaid(second)).filter((verb) => verb === 'satisfied')).toHaveLength(1)
  })

  it('is not satisfied by what never reached the store', async () => {
    const lesson = await begun()
    await say(lesson, 'completed')
    await whileAway('store', async () => expect((await say(lesson, 'passed')).status).toBe(503))
    const more = async () => expect((await put(lesson, statementOf(lesson.opened) as JsonObject)).status).toBe(204)
    await more()
    expect(await verbsSaid(lesson)).not.toContain('satisfied')
    // Nor in the next session, which is not there to be looked at.
    await world.core.launches.end(world.operator, lesson.opened.launch.id)
    const next = await begun({ actor: lesson.opened.launch.actor as JsonObject })
    expect(await verbsSaid(lesson)).not.toContain('satisfied')
    world.clock.pass(10_000)
    expect((await say(next, 'passed')).status).toBe(204)
    expect((await verbsSaid(lesson)).slice(-2)).toEqual(['passed', 'satisfied'])
  })

  it('that is finished is launched to review: content that does as it did is not refused', async () => {
    const who = someone()
    const first = await begun(who)
    for (const verb of ['completed', 'passed'] as const) expect((await say(first, verb)).status).toBe(204)
    expect((await say(first, 'terminated', 3)).status).toBe(204)

    const opened = await world.launch('cmi5', who)
    const entered = await world.enter(opened)
    expect(entered.launch.mode).toBe('review')
    const again: Lesson = { ...(await keyIn(world, entered)), opened: { ...opened, launch: entered.launch } }
    expect((await world.core.launches.get(world.operator, opened.launch.id)).mode).toBe('review')
    expect((await state(again, 'GET', 'LMS.LaunchData')).json.launchMode).toBe('Review')
    expect((await said(again)).at(-1)).toMatchObject({
      context: { extensions: { [contextExtensions.launchMode]: 'Review' } },
    })
    expect((await say(again, 'initialized', 4)).status).toBe(204)
    expect(rulesIn(await say(again, 'completed', 5))).toContain('cmi5/10.2.2 /verb/id')
    // Its page opened once more.
    expect((await world.enter(opened)).launch).toMatchObject({ mode: 'review' })
    const words = ['launched', 'initialized', 'completed', 'passed', 'satisfied', 'terminated']
    expect(await verbsSaid(again)).toEqual([...words, 'launched', 'initialized', 'abandoned', 'launched'])
  })

  it('whose page is opened again once it is finished goes on to review', async () => {
    const lesson = await begun()
    for (const verb of ['completed', 'passed'] as const) expect((await say(lesson, verb)).status).toBe(204)
    expect((await world.enter(lesson.opened)).launch.mode).toBe('review')
  })

  it('what is voided may be said again', async () => {
    const lesson = await begun()
    const completed = unitStatementOf(lesson.opened, 'completed')
    await put(lesson, completed)
    const voiding = {
      ...{ actor: learner('teacher'), verb: { id: 'http://adlnet.gov/expapi/verbs/voided' } },
      object: { objectType: 'StatementRef', id: completed['id'] },
    }
    expect((await world.xapi(all, 'POST', '/statements', { json: voiding })).status).toBe(200)
    world.clock.pass(10_000)
    expect((await say(lesson, 'completed')).status).toBe(204)
  })
})

describe('a session that is abandoned', () => {
  it('by a newer launch of the same registration, with the time that was spent', async () => {
    const who = someone()
    const first = await launched(who)
    world.clock.pass(90_000)
    expect((await say(first, 'initialized')).status).toBe(204)
    world.clock.pass(60_000)
    const second = await world.launch('cmi5', who)
    expect((await say(first, 'completed')).status).toBe(401)
    const abandoned = (await said(first)).at(-1)
    expect(abandoned).toMatchObject({
      verb: { id: 'https://w3id.org/xapi/adl/verbs/abandoned' },
      object: { id: first.opened.launch.activityId },
      result: { duration: 'PT90S' },
      context: { extensions: { [contextExtensions.sessionId]: first.opened.launch.id } },
    })
    await world.enter(second)
    expect(await verbsSaid(first)).toEqual(['launched', 'initialized', 'abandoned', 'launched'])
  })

  it('by who may end it, and by its idle time', async () => {
    const [ended, idle] = [await begun(), await begun()]
    await world.core.launches.end(world.operator, ended.opened.launch.id)
    expect((await verbsSaid(ended)).at(-1)).toBe('abandoned')
    world.clock.pass(7200_001)
    await world.core.launches.lapse()
    expect(await verbsSaid(idle)).toEqual(['launched', 'initialized', 'abandoned'])
    await world.core.launches.lapse()
    expect(await verbsSaid(idle)).toEqual(['launched', 'initialized', 'abandoned'])
  })

  it('by a node that died before it said so: the job does, once', async () => {
    const who = someone()
    const { opened } = await begun(who)
    const { organisationId, id } = opened.launch
    const at = world.clock.now()
    const actor = { kind: 'system', name: 'a node' } as const
    const event = { at, actor, action: 'launch.end', target: { noun: 'launch', id }, detail: null }
    await world.storage.launches.endLaunch(organisationId, id, { by: 'superseded', at }, event)
    expect(await verbsSaid({ opened })).toEqual(['launched', 'initialized'])
    for (let time = 0; time < 2; time++) await world.core.launches.lapse()
    expect(await verbsSaid({ opened })).toEqual(['launched', 'initialized', 'abandoned'])
  })

  it('by a newer launch while the store is away: it is said when that is back', async () => {
    const who = someone()
    const lesson = await begun(who)
    await whileAway('store', () => world.launch('cmi5', who))
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized'])
    await world.core.launches.lapse()
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'abandoned'])
  })

  it('is not what terminated while its learner opened it again', async () => {
    const who = someone()
    const lesson = await begun(who)
    const { statements } = world.storage
    const store = statements.store.bind(statements)
    const spy = vi.spyOn(statements, 'store').mockImplementationOnce(async (...args) => {
      await world.launch('cmi5', who)
      return store(...args)
    })
    expect((await say(lesson, 'terminated', 5)).status).toBe(204)
    spy.mockRestore()
    world.clock.pass(10_000)
    await world.core.launches.lapse()
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'terminated'])
  })

  it('and holds up no other, however many cannot be ended', async () => {
    const stuck = new Set<string>()
    const { launches } = world.storage
    const end = launches.endLaunch
    const spy = vi.spyOn(launches, 'endLaunch').mockImplementation(async (...args) => {
      if (stuck.has(args[1])) throw new DomainError('unavailable', 'away')
      return end(...args)
    })
    // More than the job takes at a time.
    for (let some = 0; some < 105; some++) stuck.add((await world.launch('tincan', someone())).launch.id)
    world.clock.pass(1)
    const last = await world.launch('tincan', someone())
    world.clock.pass(7200_001)
    await world.core.launches.lapse()
    spy.mockRestore()
    expect(await world.core.launches.get(world.operator, last.launch.id)).toMatchObject({ endedBy: 'idle' })
    expect(await world.core.launches.lapse()).toBe(105)
  })

  it('nothing is said of one that nobody was let into, or that terminated', async () => {
    const who = someone()
    const opened = await world.launch('cmi5', who)
    const lesson = await begun(who)
    await say(lesson, 'terminated')
    await world.launch('cmi5', who)
    expect(await verbsSaid({ opened })).toEqual(['launched', 'initialized', 'terminated'])
  })

  it('by who opens its page again once its key was fetched', async () => {
    const lesson = await begun()
    const again = await world.enter(lesson.opened)
    expect(again.launch.id).not.toBe(lesson.opened.launch.id)
    expect(await verbsSaid(lesson)).toEqual(['launched', 'initialized', 'abandoned', 'launched'])
    await expect(world.enter(lesson.opened, otherBrowser)).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('the documents of a launch', () => {
  it('LMS.LaunchData is there, and stays as it is', async () => {
    const lesson = await begun()
    const { json } = await state(lesson, 'GET', 'LMS.LaunchData')
    expect(json).toEqual({
      contextTemplate: {
        contextActivities: {
          grouping: [
            { objectType: 'Activity', id: 'https://content.example.org/cmi5' },
            { objectType: 'Activity', id: lesson.opened.launch.activityId },
          ],
        },
        extensions: { [contextExtensions.sessionId]: lesson.opened.launch.id },
      },
      launchMode: 'Normal',
      moveOn: 'CompletedAndPassed',
      masteryScore: 0.8,
      launchParameters: 'level=2',
      returnURL: `${world.core.baseUrl}/launch/closed`,
    })
    expect((await state(lesson, 'PUT', 'bookmark', { page: 3 })).status).toBe(204)
    for (const [method, id] of [
      ['PUT', 'LMS.LaunchData'],
      ['POST', 'LMS.LaunchData'],
      ['DELETE', 'LMS.LaunchData'],
      ['DELETE', undefined],
    ] as const) {
      const answer = await state(lesson, method, id, method === 'DELETE' ? undefined : { masteryScore: 0 })
      expect([method, id, answer.status]).toEqual([method, id, 403])
      expect(rulesIn(answer)).toEqual(['cmi5/10.2.1 ?stateId'])
    }
    expect((await state(lesson, 'GET', 'LMS.LaunchData')).json).toEqual(json)
    expect((await state(lesson, 'DELETE', 'bookmark')).status).toBe(204)
  })

  it('is that of the latest session', async () => {
    const who = someone()
    await begun(who)
    const second = await begun({ ...who, mode: 'review' })
    const { json } = await state(second, 'GET', 'LMS.LaunchData')
    expect(json.launchMode).toBe('Review')
    expect(json.contextTemplate.extensions[contextExtensions.sessionId]).toBe(second.opened.launch.id)
  })

  it('preferences begin with the language of the launch, and are the learner’s from then on', async () => {
    const who = someone()
    const about = `?profileId=cmi5LearnerPreferences&agent=${encodeURIComponent(JSON.stringify(who.actor))}`
    const nobody = await launched(who)
    expect((await world.xapi(nobody, 'GET', `/agents/profile${about}`)).status).toBe(404)
    const lesson = await launched({ ...who, language: 'nb-NO' })
    const found = await world.xapi(lesson, 'GET', `/agents/profile${about}`)
    expect(found.json).toEqual({ languagePreference: 'nb-NO' })
    const json = { languagePreference: 'en-GB', audioPreference: 'off' }
    const headers = { 'If-Match': found.headers.get('ETag') ?? '' }
    expect((await world.xapi(lesson, 'PUT', `/agents/profile${about}`, { json, headers })).status).toBe(204)
    const later = await launched({ ...who, language: 'nb-NO' })
    expect((await world.xapi(later, 'GET', `/agents/profile${about}`)).json).toEqual(json)
  })
})

describe('a session of Tin Can', () => {
  it('finds what the platform said in a State document, where it said anything', async () => {
    const data = { timeZone: 'Europe/Oslo' }
    const lesson = await world.keyOf('tincan', { ...someone(), language: 'nb-NO', data })
    expect((await state(lesson, 'GET', platformDataId)).json).toEqual({ language: 'nb-NO', data })
    expect((await state(await world.keyOf('tincan', someone()), 'GET', platformDataId)).status).toBe(404)
  })

  const terminated = { verb: { id: 'http://adlnet.gov/expapi/verbs/terminated' } }

  it('ends with terminated about its own activity, and knows no other rule of cmi5', async () => {
    const lesson = await world.keyOf('tincan', someone())
    const part = { object: { id: `${lesson.opened.launch.activityId}/part` } }
    const post = (json: unknown) => world.xapi(lesson, 'POST', '/statements', { json })
    expect((await post(statementOf(lesson.opened, { ...terminated, ...part }))).status).toBe(200)
    expect((await post([statementOf(lesson.opened), statementOf(lesson.opened, terminated)])).status).toBe(200)
    expect((await post(statementOf(lesson.opened))).status).toBe(401)
    expect(await verbsSaid(lesson)).toEqual(['terminated', 'experienced', 'terminated'])
  })

  it('ends later where that could not be at once, and owes nothing when what was sent was refused', async () => {
    const [said, refused] = [await world.keyOf('tincan', someone()), await world.keyOf('tincan', someone())]
    const post = (lesson: Lesson, json: unknown) => world.xapi(lesson, 'POST', '/statements', { json })
    const owes = async ({ opened: { launch } }: Lesson) =>
      (await world.storage.launches.findLaunch(launch.organisationId, launch.id))?.owes
    await whileAway('end', async () =>
      expect((await post(said, statementOf(said.opened, terminated))).status).toBe(200),
    )
    const { json } = await world.xapi(all, 'GET', `/statements?registration=${said.opened.launch.registration}`)
    const taken = statementOf(refused.opened, { ...terminated, id: json.statements[0].id })
    expect((await post(refused, taken)).status).toBe(409)
    expect([await owes(said), await owes(refused)]).toEqual(['end', null])
    // Whoever stored it is about to end it.
    expect(await world.core.launches.lapse()).toBe(0)
    world.clock.pass(10_000)
    expect(await world.core.launches.lapse()).toBe(1)
    expect((await post(said, statementOf(said.opened))).status).toBe(401)
    expect((await post(refused, statementOf(refused.opened))).status).toBe(200)
  })

  it('does not end with what was refused', async () => {
    const lesson = await world.keyOf('tincan', someone())
    const post = (json: unknown) => world.xapi(lesson, 'POST', '/statements', { json })
    expect((await post([statementOf(lesson.opened, terminated), { verb: 1 }])).status).toBe(400)
    expect((await post(statementOf(lesson.opened))).status).toBe(200)
  })
})
