// Pipes at work, from the use cases to a store elsewhere over real HTTP: what arrives there, in which order, how often, and what the
// pipe says when it does not.

import { createHash, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Principal } from '../src/core/principal.ts'
import type { LrsId, PipeId } from '../src/core/ids.ts'
import type { NewPipeInput, Pipe } from '../src/core/pipe.ts'
import { createCore } from '../src/core/core.ts'
import { baseUrl, openCore } from './support/core.ts'
import type { OpenCore, OpenCoreOptions } from './support/core.ts'
import { startTarget, testRemoteLrs } from './support/target.ts'
import type { Posted, Target } from './support/target.ts'

const voided = 'http://adlnet.gov/expapi/verbs/voided'
const timing = { lookEveryMs: 20, pollEveryMs: 50, turnMs: 5_000, restMs: 100 }
const soon = { timeout: 10_000, interval: 10 }
const user = { user: 'forwarder', password: 'pass:word & more' }

interface World extends OpenCore {
  readonly target: Target
  readonly writer: Principal
  readonly logged: { message: string; fields: object }[]
  pipe(input?: Partial<NewPipeInput>): Promise<Pipe>
  store(...statements: object[]): Promise<readonly string[]>
  find(id: PipeId): Promise<Pipe>
}

async function openWorld(options: OpenCoreOptions = {}): Promise<World> {
  const target = await startTarget()
  const logged: World['logged'] = []
  const note = (fields: object, message: string): void => void logged.push({ message, fields })
  const log = { info: note, warn: note, error: note }
  const world = await openCore({ remoteLrs: testRemoteLrs(), forwardingTiming: timing, log, ...options })
  onTestFinished(() => world.close())
  const writer = await world.signIn(await world.issue('xapi'))
  return {
    ...{ ...world, target, writer, logged },
    pipe: (input = {}) =>
      world.core.pipes.create(world.operator, {
        source: { lrsId: world.lrsId },
        target: { url: target.url, ...user },
        ...input,
      }),
    store: (...statements) => storeIn(world, writer, world.lrsId, statements),
    find: (id) => world.core.pipes.get(world.operator, id),
  }
}

async function storeIn({ core }: OpenCore, writer: Principal, lrsId: LrsId, statements: readonly object[]) {
  const text = JSON.stringify(statements)
  return (await core.statements.store(writer, lrsId, { text, version: '2.0' })).ids
}

function statement(part: object = {}) {
  return { id: randomUUID(), actor: { mbox: 'mailto:a@b.c' }, verb: { id: 'urn:v' }, object: { id: 'urn:o' }, ...part }
}
const some = (count: number) => Array.from({ length: count }, () => statement())
const idsOf = (posts: readonly Posted[]) => posts.map(({ statements }) => statements.map(({ id }) => id))
const arrived = (target: Target, ids: readonly string[]) => vi.waitFor(() => expect(target.ids).toEqual(ids), soon)

afterEach(() => void vi.restoreAllMocks())

describe('what is stored', () => {
  it('arrives in its order, voided and voiding statements as they are, what was there before the pipe first', async () => {
    const { target, store, pipe, find } = await openWorld()
    const [one, two] = some(2) as unknown as [{ id: string }, { id: string }]
    const before = await store(one, two)
    const { id } = await pipe()
    await arrived(target, before)
    const voiding = statement({ verb: { id: voided }, object: { objectType: 'StatementRef', id: two.id } })
    const after = await store(voiding, ...some(3))
    await arrived(target, [...before, ...after])
    expect(target.stored.get(two.id)).toMatchObject({ id: two.id, stored: expect.any(String), authority: {} })
    const [post] = target.posts
    expect(post?.headers['x-experience-api-version']).toBe('2.0.0')
    const basic = `Basic ${Buffer.from(`${user.user}:${user.password}`).toString('base64')}`
    expect(post?.headers.authorization).toBe(basic)
    await vi.waitFor(async () => {
      expect((await find(id)).progress).toMatchObject({ delivered: 6, alreadyThere: 0, failures: 0 })
    }, soon)
  })

  it('is left out as far as it was there already, where the pipe starts now', async () => {
    const { target, store, pipe } = await openWorld()
    await store(...some(3))
    await pipe({ startsNow: true })
    await arrived(target, await store(...some(2)))
  })

  it('is not sent when it was erased before it was its turn', async () => {
    const { target, store, pipe, find, core, operator, clock, lrsId } = await openWorld()
    await target.stop()
    const mbox = 'mailto:gone@example.org'
    const [first, gone, last] = await store(statement(), statement({ actor: { mbox } }), statement())
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(1), soon)
    await core.erasures.erasePerson(operator, { agents: [{ mbox }], lrsId })
    await target.start()
    clock.pass(5_000)
    await arrived(target, [first!, last!])
    expect(target.stored.has(gone!)).toBe(false)
  })

  it('goes in batches of one version of the data model, each under its own header', async () => {
    const { target, store, pipe, core, writer, lrsId } = await openWorld()
    const old = async () =>
      (await core.statements.store(writer, lrsId, { text: JSON.stringify(some(2)), version: '1.0' })).ids
    const ids = [...(await old()), ...(await store(...some(2))), ...(await old())]
    await pipe()
    await arrived(target, ids)
    expect(target.posts.map(({ headers }) => headers['x-experience-api-version'])).toEqual(['1.0.3', '2.0.0', '1.0.3'])
  })

  it('takes the bytes of its attachments along, once each, as multipart/mixed', async () => {
    const { target, pipe, core, writer, lrsId } = await openWorld()
    const bytes = Buffer.from('some bytes\r\n--and more')
    const sha2 = createHash('sha256').update(bytes).digest('hex')
    const attachment = {
      usageType: 'urn:u',
      display: { en: 'x' },
      contentType: 'text/plain',
      length: bytes.length,
      sha2,
    }
    const both = [statement({ attachments: [attachment] }), statement({ attachments: [attachment] })]
    const limit = { most: 1000, decidedBy: 'test', remedy: '' } as never
    async function* parts() {
      yield { sha2, bytes: () => inPieces(bytes) }
    }
    const sent = { parts: parts(), each: limit, together: limit }
    const text = JSON.stringify(both)
    const { ids } = await core.statements.store(writer, lrsId, { text, version: '2.0', attachments: sent })
    await pipe()
    await arrived(target, ids)
    expect(target.posts).toHaveLength(1)
    expect(target.posts[0]?.headers['content-type']).toMatch(/^multipart\/mixed; boundary=/)
    expect([...target.posts[0]!.parts]).toEqual([[sha2, bytes]])
  })
})

describe('attachments of many megabytes', () => {
  it('are sent as they are read, and arrive whole', async () => {
    const { target, pipe, core, writer, lrsId } = await openWorld()
    const bytes = Buffer.alloc(9 * 1024 * 1024, 'some bytes that are not all alike ')
    const sha2 = createHash('sha256').update(bytes).digest('hex')
    const attachment = {
      usageType: 'urn:u',
      display: { en: 'x' },
      contentType: 'text/plain',
      length: bytes.length,
      sha2,
    }
    const limit = { most: 1e8, decidedBy: 'test', remedy: '' } as never
    async function* parts() {
      yield { sha2, bytes: () => inPieces(bytes) }
    }
    const text = JSON.stringify([statement(), statement({ attachments: [attachment] }), statement()])
    const attachments = { parts: parts(), each: limit, together: limit }
    const { ids } = await core.statements.store(writer, lrsId, { text, version: '2.0', attachments })
    await pipe()
    await arrived(target, ids)
    expect(target.posts.map(({ headers }) => headers['content-length'] === undefined)).toEqual([false, true, false])
    expect(target.parts.get(sha2)?.equals(bytes)).toBe(true)
  })
})

async function* inPieces(bytes: Buffer) {
  yield bytes.subarray(0, 5)
  yield bytes.subarray(5)
}

describe('exactly once by id', () => {
  it('what arrived although the answer was lost is sent again, and counts', async () => {
    const { target, store, pipe, clock, find } = await openWorld()
    const ids = await store(...some(3))
    target.answering = () => 'lost'
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(1), soon)
    expect(target.ids).toEqual(ids)
    target.answering = () => undefined
    clock.pass(2_000)
    await vi.waitFor(async () => expect((await find(id)).progress.delivered).toBe(3), soon)
    expect(target.ids).toEqual(ids)
    expect(idsOf(target.posts)).toEqual([ids, ids])
  })

  it('where the target says conflict it is asked for each id, and only what it lacks is sent again', async () => {
    const { target, store, pipe, find } = await openWorld()
    const ids = await store(...some(4))
    for (const index of [1, 2]) {
      ;(target.stored as Map<string, object>).set(ids[index]!, { id: ids[index] })
    }
    const knows = ({ statements }: Posted) => statements.some(({ id }) => [ids[1], ids[2]].includes(String(id)))
    target.answering = (posted) => (knows(posted) ? { status: 409, body: 'conflict' } : undefined)
    const { id } = await pipe()
    await vi.waitFor(async () => {
      expect((await find(id)).progress).toMatchObject({ delivered: 4, alreadyThere: 2 })
    }, soon)
    expect(idsOf(target.posts)).toEqual([ids, [ids[0], ids[3]]])
    expect(target.ids).toEqual([ids[0], ids[3]])
  })

  it('a conflict about a statement that the target does not have is no success', async () => {
    const { target, store, pipe, find } = await openWorld()
    const ids = await store(...some(3))
    const isBad = ({ statements }: Posted) => statements.some(({ id }) => id === ids[1])
    target.answering = (posted) => (isBad(posted) ? { status: 409, body: 'no' } : undefined)
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).pausedBecause).toContain(`no statement ${ids[1]}`), soon)
    expect(target.ids).toEqual([ids[0]])
    expect((await find(id)).progress.delivered).toBe(1)
  })

  it('a target that nobody may read says of a single one that it has it', async () => {
    const { target, store, pipe, find } = await openWorld()
    const ids = await store(...some(2))
    target.reading = () => ({ status: 403, body: {} })
    target.answering = ({ statements }) => (statements.some(({ id }) => id === ids[0]) ? { status: 409 } : undefined)
    const { id } = await pipe()
    await vi.waitFor(async () => {
      expect((await find(id)).progress).toMatchObject({ delivered: 2, alreadyThere: 1 })
    }, soon)
    expect(target.ids).toEqual([ids[1]])
  })
})

describe('what the target refuses', () => {
  it('for its length comes again in halves, and all of it arrives in order', async () => {
    const { target, store, pipe, find } = await openWorld()
    const ids = await store(...some(37))
    target.answering = ({ statements }) => (statements.length > 5 ? { status: 413 } : undefined)
    const { id } = await pipe()
    await arrived(target, ids)
    expect((await find(id)).pausedBecause).toBeNull()
    expect(Math.max(...idsOf(target.posts).map((one) => one.length))).toBe(37)
  })

  it('of itself pauses the pipe before that statement, which is named; the rest follows when it is taken', async () => {
    const { target, store, pipe, find, core, operator, logged } = await openWorld()
    const ids = await store(...some(9))
    const isBad = ({ statements }: Posted) => statements.some(({ id }) => id === ids[5])
    target.answering = (posted) => (isBad(posted) ? { status: 400, body: 'no such verb here' } : undefined)
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).pausedBecause).not.toBeNull(), soon)
    const { pausedBecause } = await find(id)
    expect(pausedBecause).toBe(`${target.url} answered 400: no such verb here (statement ${ids[5]})`)
    expect(target.ids).toEqual(ids.slice(0, 5))
    expect(logged.map(({ message }) => message)).toContainEqual(expect.stringContaining('paused'))
    target.answering = () => undefined
    await core.pipes.resume(operator, id)
    await arrived(target, ids)
  })

  it.each([401, 403, 404, 405, 302])(
    'with %i pauses at once, and says what was said without the password',
    async (status) => {
      const { target, store, pipe, find, events } = await openWorld()
      await store(...some(5))
      const pair = Buffer.from(`${user.user}:${user.password}`).toString('base64')
      target.answering = () => ({ status, body: `<p>You,\n ${user.password} ${pair}</p>${'x'.repeat(5000)}` })
      const { id } = await pipe()
      await vi.waitFor(async () => expect((await find(id)).pausedBecause).not.toBeNull(), soon)
      const { pausedBecause, progress } = await find(id)
      expect(pausedBecause).toMatch(new RegExp(`^${target.url} answered ${status}: <p>You, … …</p>x+…$`))
      expect(pausedBecause!.length).toBeLessThan(500)
      expect(progress).toMatchObject({ delivered: 0, failures: 1 })
      expect(target.posts).toHaveLength(1)
      expect(JSON.stringify(await events())).not.toContain('pass:word')
    },
  )

  it('with text that no database keeps is shown without it', async () => {
    const { target, store, pipe, find } = await openWorld()
    await store(...some(1))
    target.answering = () => ({ status: 401, body: `a\0b ${'😀'.repeat(400)}` })
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).pausedBecause).toMatch(/answered 401: a b (😀)+ ?…$/u), soon)
  })

  it('as it is no store of statements: a web page that says 200 swallows nothing', async () => {
    const { target, store, pipe, find } = await openWorld()
    await store(...some(2))
    target.answering = () => ({ status: 200, body: '<html>Welcome</html>' })
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).pausedBecause).toContain('does not answer as a store'), soon)
    expect((await find(id)).progress.delivered).toBe(0)
  })

  it('for its authority is sent without, from then on', async () => {
    const { target, store, pipe } = await openWorld()
    const ids = await store(...some(2))
    const isOurs = ({ statements }: Posted) => statements.some(({ authority }) => authority !== undefined)
    target.answering = (posted) => (isOurs(posted) ? { status: 400, body: 'authority must not be set' } : undefined)
    await pipe()
    await arrived(target, ids)
    await arrived(target, [...ids, ...(await store(...some(1)))])
    expect(target.posts.map(isOurs)).toEqual([true, false, false])
    expect(target.stored.get(ids[0]!)).not.toHaveProperty('stored')
  })
})

describe('what passes by itself', () => {
  it.each([500, 502, 503, 429, 408])('%i is tried again, later each time, and then all arrives', async (status) => {
    const { target, store, pipe, find, clock, logged } = await openWorld()
    const ids = await store(...some(3))
    target.answering = () => ({ status, body: 'not now' })
    const { id } = await pipe()
    const waits: number[] = []
    for (let failures = 1; failures <= 4; failures++) {
      await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(failures), soon)
      const { retryAt = 0, failure } = (await find(id)).progress
      expect(failure).toBe(`${target.url} answered ${status}: not now`)
      waits.push(retryAt - clock.now())
      expect(target.posts).toHaveLength(failures)
      clock.pass(retryAt - clock.now())
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(500 * 2 ** index)
      expect(wait).toBeLessThanOrEqual(1_000 * 2 ** index)
    }
    await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(5), soon)
    target.answering = () => undefined
    clock.pass(60_000)
    await arrived(target, ids)
    await vi.waitFor(async () => expect((await find(id)).progress).toMatchObject({ failures: 0, delivered: 3 }), soon)
    expect((await find(id)).progress.retryAt).toBeUndefined()
    expect(logged.map(({ message }) => message)).toContainEqual(expect.stringContaining('forwards again'))
  })

  it('Retry-After is respected', async () => {
    const { target, store, pipe, find, clock } = await openWorld()
    await store(...some(1))
    target.answering = () => ({ status: 503, headers: { 'Retry-After': '120' } })
    const { id } = await pipe()
    await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(1), soon)
    expect((await find(id)).progress.retryAt).toBe(clock.now() + 120_000)
  })

  it('a target that is away and comes back gets everything once', async () => {
    const { target, store, pipe, find, clock } = await openWorld()
    const { id } = await pipe()
    const ids = [...(await store(...some(3)))]
    await arrived(target, ids)
    await target.stop()
    ids.push(...(await store(...some(3))))
    await vi.waitFor(async () => expect((await find(id)).progress.failures).toBe(1), soon)
    await target.start()
    clock.pass(2_000)
    await arrived(target, ids)
  })
})

describe('whoever manages it', () => {
  it('pauses and resumes: nothing is sent meanwhile, then all', async () => {
    const { target, store, pipe, core, operator } = await openWorld()
    const { id } = await pipe()
    const first = await store(...some(1))
    await arrived(target, first)
    expect(await core.pipes.pause(operator, id)).toMatchObject({ pausedBecause: 'Paused by test.' })
    const second = await store(...some(2))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(target.ids).toEqual(first)
    await core.pipes.resume(operator, id)
    await arrived(target, [...first, ...second])
  })

  it('deletes it: a batch under way is the last one', async () => {
    const { target, store, pipe, core, operator } = await openWorld()
    const { id } = await pipe()
    let isAsked = false
    target.answering = () => {
      isAsked = true
      return undefined
    }
    await store(...some(1))
    await vi.waitFor(() => expect(isAsked).toBe(true), soon)
    await core.pipes.remove(operator, id)
    const posts = target.posts.length
    await store(...some(1))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(target.posts).toHaveLength(posts)
    await expect(core.pipes.get(operator, id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('gives it another target: that one gets everything from the beginning; another password does not', async () => {
    const { target, store, pipe, core, operator, find } = await openWorld()
    const other = await startTarget()
    const { id } = await pipe()
    const ids = await store(...some(3))
    await arrived(target, ids)
    await vi.waitFor(async () => expect((await find(id)).progress.delivered).toBe(3), soon)
    await core.pipes.update(operator, id, { target: { url: target.url, user: 'x', password: 'y' } })
    const more = await store(...some(1))
    await arrived(target, [...ids, ...more])
    expect(target.posts).toHaveLength(2)
    await core.pipes.update(operator, id, { target: { url: other.url, user: 'x', password: 'y' } })
    await arrived(other, [...ids, ...more])
  })
})

describe('closing', () => {
  it('ends while a target hangs, and what it did not acknowledge is sent by the next', async () => {
    const { target, store, pipe, core, place, clock, masterKey } = await openWorld()
    let isAsked = false
    const { url } = target
    const silent = createServer(() => (isAsked = true))
    await target.stop()
    await new Promise<void>((resolve) => silent.listen(Number(new URL(url).port), '127.0.0.1', resolve))
    onTestFinished(() => silent.closeAllConnections())
    const ids = await store(...some(3))
    await pipe()
    await vi.waitFor(() => expect(isAsked).toBe(true), soon)
    await core.close()
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
    await target.start()
    const storage = await place.open({ clock })
    const next = await createCore({
      ...{ storage, clock, masterKey, baseUrl, remoteLrs: testRemoteLrs(), forwardingTiming: timing },
      limits: { batch: 1, bodyBytes: 1, documentBytes: 1, xapiRatePerMinute: undefined },
    })
    onTestFinished(() => next.close())
    await arrived(target, ids)
  })
})

describe('a pipe from elsewhere', () => {
  const remoteOf = (target: Target) => ({ source: { endpoint: { url: target.url, ...user } } })
  const stamped = (index: number) => ({
    ...statement(),
    version: '1.0.0',
    stored: new Date(Date.parse('2026-01-01T00:00:00Z') + index * 1000).toISOString(),
  })

  /** A source that answers with pages of two and `more`. */
  async function startSource(all: ReturnType<typeof stamped>[]) {
    const source = await startTarget()
    source.reading = (query) => {
      const [from, start] = [query.get('since'), Number(query.get('from') ?? 0)]
      const since = from ?? query.get('after')
      const rows = all.filter(({ stored }) => since === null || stored > since)
      const page = rows.slice(start, start + 2)
      const after = since === null ? '' : `&after=${since}`
      const more = rows.length > start + 2 ? `/xapi/statements?from=${start + 2}${after}` : ''
      return { status: 200, body: { statements: page, more } }
    }
    return source
  }

  it('brings all of it in order, once, page by page, and what comes later', async () => {
    const { target, pipe, find } = await openWorld()
    const all = Array.from({ length: 7 }, (_, index) => stamped(index))
    const source = await startSource(all)
    const { id } = await pipe(remoteOf(source))
    await arrived(
      target,
      all.map((one) => one.id),
    )
    all.push(stamped(7), stamped(8))
    await arrived(
      target,
      all.map((one) => one.id),
    )
    const sent = idsOf(target.posts).flat()
    expect(new Set(sent).size).toBe(sent.length)
    await vi.waitFor(async () => expect((await find(id)).progress.delivered).toBe(9), soon)
    expect(source.asked[0]).toBe('/xapi/statements?ascending=true&limit=200')
  })

  it('asks a page that leads to itself no more often than for what is new', async () => {
    const { target, pipe } = await openWorld()
    const one = stamped(1)
    const source = await startTarget()
    source.reading = (query) => {
      const statements = query.has('from') ? [one] : []
      return { status: 200, body: { statements, more: '/xapi/statements?from=1' } }
    }
    await pipe(remoteOf(source))
    await arrived(target, [one.id])
    const before = source.asked.length
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(source.asked.length - before).toBeLessThan(40)
  })

  it('survives what a source says of its clock', async () => {
    const { target, pipe, find } = await openWorld()
    const one = stamped(1)
    const source = await startTarget()
    const headers = { 'X-Experience-API-Consistent-Through': '-271821-04-20T00:00:00.000Z' }
    source.reading = () => ({ status: 200, body: { statements: [one], more: '' }, headers })
    const { id } = await pipe(remoteOf(source))
    await arrived(target, [one.id])
    expect((await find(id)).progress).toMatchObject({ failures: 0 })
  })

  it('tells the name of no other server', async () => {
    const { target, pipe, find } = await openWorld()
    const source = await startTarget()
    const evil = await startTarget()
    const one = stamped(1)
    source.reading = () => ({ status: 200, body: { statements: [one], more: `${evil.url}/statements` } })
    const { id } = await pipe(remoteOf(source))
    await vi.waitFor(async () => expect(target.ids).toHaveLength(1), soon)
    await vi.waitFor(async () => expect((await find(id)).pausedBecause).toContain('another server'), soon)
    expect(evil.asked).toEqual([])
  })

  it('leaves out nothing of a source: what has no id pauses it', async () => {
    const { target, pipe, find } = await openWorld()
    const source = await startTarget()
    const { id: _, ...nameless } = stamped(1)
    source.reading = () => ({ status: 200, body: { statements: [stamped(2), nameless], more: '' } })
    const { id } = await pipe(remoteOf(source))
    await vi.waitFor(async () => {
      expect((await find(id)).pausedBecause).toBe('Source: a page has what is no statement: This has no id.')
    }, soon)
    expect(target.ids).toEqual([])
  })

  it('says of a source that refuses that it is the source', async () => {
    const { pipe, find } = await openWorld()
    const source = await startTarget()
    source.reading = () => ({ status: 401, body: 'who?' })
    const { id } = await pipe(remoteOf(source))
    await vi.waitFor(async () => {
      expect((await find(id)).pausedBecause).toBe(`Source: ${source.url} answered 401: who?`)
    }, soon)
  })
})
