// Documents: the rules of `DocumentStore` one by one.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTenant, owners } from './samples.ts'
import { engines } from './engines.ts'
import { entityTag } from '../../src/core/xapi/document.ts'
import type {
  Clock,
  DocumentAccess,
  DocumentChange,
  DocumentKey,
  DocumentOutcome,
  DocumentScope,
  Preconditions,
} from '../../src/core/storage.ts'
import type { LrsId } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'

const { ann, bob } = owners
const any = (owner = ann): DocumentAccess => ({ owner, reach: 'any' })
const mine = (owner = ann): DocumentAccess => ({ owner, reach: 'mine' })

const activityId = 'https://example.org/course'
const agent = 'mbox mailto:ann@example.org'
const [first, second] = ['c0ffee00-0000-4000-8000-000000000001', 'c0ffee00-0000-4000-8000-000000000002']
const state = (registration?: string): DocumentScope => ({
  kind: 'state',
  activityId,
  agent,
  ...(registration !== undefined && { registration }),
})
const scopes: readonly [string, DocumentScope][] = [
  ['state', state()],
  ['state in a registration', state(first)],
  ['agent profile', { kind: 'agent-profile', agent }],
  ['activity profile', { kind: 'activity-profile', activityId }],
]
const at = (id = 'one', scope: DocumentScope = state()): DocumentKey => ({ ...scope, id })

type Kind = 'replace' | 'merge'

function content(kind: Kind, text: string | Uint8Array, contentType = 'application/json'): DocumentChange {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return { kind, content: { kind: 'inline', bytes }, contentType, etag: entityTag(bytes) }
}
const tagOf = (text: string): string => entityTag(Buffer.from(text))

interface Part {
  readonly access?: DocumentAccess
  readonly preconditions?: Preconditions
  readonly mostBytes?: number
  readonly in?: LrsId
}

describe.each(engines)('documents, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  let now = 1_700_000_000_000
  const clock: Clock = { now: () => now }
  beforeAll(async () => void (store = await engine.open(clock)))
  afterAll(() => store.end())
  beforeEach(async () => {
    now += 1_000
    lrsId = (await createTenant(store.storage)).lrsId
  })

  const change = (key: DocumentKey, to: DocumentChange, part: Part = {}): Promise<DocumentOutcome> => {
    const { access = any(), preconditions = {}, mostBytes = 100_000 } = part
    return store.storage.documents.change(part.in ?? lrsId, key, access, to, { preconditions, mostBytes })
  }
  const put = (key: DocumentKey, text: string, part?: Part) => change(key, content('replace', text), part)
  const post = (key: DocumentKey, text: string, part?: Part) => change(key, content('merge', text), part)
  const remove = (key: DocumentKey, part?: Part) => change(key, { kind: 'delete' }, part)
  const find = (key: DocumentKey, access = any()) => store.storage.documents.find(lrsId, key, access)
  const read = async (key: DocumentKey, access = any()): Promise<string | undefined> => {
    const found = await find(key, access)
    if (found === undefined) return undefined
    if (found.content.kind !== 'inline') throw new Error('not inline')
    return Buffer.from(found.content.bytes).toString()
  }
  const ids = async (scope: DocumentScope, access = any(), since?: number) =>
    (await store.storage.documents.listIds(lrsId, scope, access, since)).ids
  const done = (text: string): DocumentOutcome => ({ kind: 'done', etag: tagOf(text) })

  describe('one document', () => {
    it.each(scopes)('of a %s is kept, found, replaced and deleted', async (_, scope) => {
      const key = at('one', scope)
      expect(await find(key)).toBeUndefined()
      expect(await put(key, '{"a":1}')).toEqual(done('{"a":1}'))
      expect(await find(key)).toMatchObject({ contentType: 'application/json', etag: tagOf('{"a":1}') })
      expect(await read(key)).toBe('{"a":1}')
      expect(await change(key, content('replace', 'text', 'text/plain; charset=utf-8'))).toEqual(done('text'))
      expect(await find(key)).toMatchObject({ contentType: 'text/plain; charset=utf-8', etag: tagOf('text') })
      expect(await read(key)).toBe('text')
      expect(await remove(key)).toEqual({ kind: 'done', etag: undefined })
      expect(await find(key)).toBeUndefined()
      expect(await remove(key)).toEqual({ kind: 'done', etag: undefined })
    })

    it.each([new Uint8Array(), Uint8Array.of(0, 255, 128, 10), new Uint8Array(1_000_000).fill(7)])(
      'keeps any bytes',
      async (bytes) => {
        // Out of a larger buffer, as bodies are.
        const larger = new Uint8Array(bytes.length + 100)
        larger.set(bytes, 50)
        await change(at(), content('replace', larger.subarray(50, 50 + bytes.length), 'application/octet-stream'))
        const found = await find(at())
        if (found?.content.kind !== 'inline') throw new Error('not inline')
        expect(Buffer.compare(found.content.bytes, bytes)).toBe(0)
      },
    )

    it('may refer to bytes in the blob store, and back', async () => {
      const [sha2, etag] = ['ab'.repeat(32), tagOf('x')]
      const blob = { kind: 'blob', sha2, length: 70_000_000_000 } as const
      const to: DocumentChange = { kind: 'replace', content: blob, contentType: 'video/mp4', etag }
      expect(await change(at(), to)).toEqual({ kind: 'done', etag })
      expect(await find(at())).toMatchObject({ content: blob, contentType: 'video/mp4', etag })
      await put(at(), 'short')
      expect(await read(at())).toBe('short')
    })

    it('is there after a restart', async () => {
      await put(at(), 'kept')
      await store.restart()
      expect(await read(at())).toBe('kept')
    })

    it('is another by each part of its key', async () => {
      const keys: DocumentKey[] = [
        ...scopes.map(([, scope]) => at('one', scope)),
        at('two'),
        at('ONE'),
        at(''),
        at('one', state(second)),
        at('one', { kind: 'state', activityId: `${activityId}/`, agent }),
        at('one', { kind: 'state', activityId, agent: `${agent}a` }),
        at('one', { kind: 'agent-profile', agent: activityId }),
        at('one', { kind: 'activity-profile', activityId: agent }),
      ]
      for (const [index, key] of keys.entries()) await put(key, String(index))
      expect(await Promise.all(keys.map((key) => read(key)))).toEqual(keys.map((_, index) => String(index)))
    })

    it('changes strictly later each time, also when the clock stands still or goes back', async () => {
      const times: number[] = []
      for (const step of [0, 0, 5, -10_000, 0, 20_000]) {
        now += step
        await put(at(), String(times.length))
        times.push((await find(at()))?.updatedAt ?? 0)
      }
      expect(times.every((time, index) => index === 0 || time > times[index - 1]!)).toBe(true)
      expect(times.at(-1)).toBe(now * 1000)
    })
  })

  describe('a merge', () => {
    it('creates where there is nothing, whatever it is', async () => {
      expect(await post(at(), '[1]')).toEqual(done('[1]'))
      expect(await change(at('two'), content('merge', 'text', 'text/plain'))).toEqual(done('text'))
      expect(await find(at('two'))).toMatchObject({ contentType: 'text/plain' })
    })

    it('replaces members one level deep', async () => {
      await put(at(), '{"x":"foo","y":{"deep":1}}')
      const merged = '{"x":"bash","y":{"other":2},"z":3}'
      expect(await post(at(), '{"x":"bash","y":{"other":2},"z":3}')).toEqual(done(merged))
      expect(await read(at())).toBe(merged)
      expect((await find(at()))?.etag).toBe(tagOf(merged))
    })

    it('keeps names that mean something to JavaScript, and numbers it would round', async () => {
      await put(at(), '{"__proto__":{"a":1},"n":12345678901234567890}')
      await post(at(), '{"constructor":1,"toString":null}')
      expect(await read(at())).toBe('{"__proto__":{"a":1},"n":12345678901234567890,"constructor":1,"toString":null}')
    })

    it.each([
      ['{"a":1}', 'application/json', '{"b":2}', 'text/plain', false, 'type'],
      ['{"a":1}', 'application/json', '[1]', 'application/json', false, 'object'],
      ['{"a":1}', 'application/json', '{"b":2', 'application/json', false, 'object'],
      ['{"a":1}', 'text/plain', '{"b":2}', 'application/json', true, 'type'],
      ['{"a":1}', 'text/plain', '[1]', 'application/json', true, 'type'],
      ['[1]', 'application/json', '{"b":2}', 'application/json', true, 'object'],
      ['{"a"', 'application/json', '{"b":2}', 'application/json', true, 'object'],
      ['', 'application/json', '{"b":2}', 'application/json', true, 'object'],
    ])('of %s (%s) with %s (%s) changes nothing', async (there, thereType, sent, sentType, stored, lacks) => {
      await change(at(), content('replace', there, thereType))
      const before = await find(at())
      const outcome = await change(at(), content('merge', sent, sentType))
      expect(outcome).toEqual({ kind: 'not_mergeable', stored, lacks })
      expect(await find(at())).toEqual(before)
    })

    it('does not reach into the blob store', async () => {
      const blob: DocumentChange = {
        kind: 'replace',
        content: { kind: 'blob', sha2: 'ab'.repeat(32), length: 3 },
        contentType: 'application/json',
        etag: tagOf(''),
      }
      await put(at('text'), '{}')
      const refused = { kind: 'not_mergeable', lacks: 'object' }
      expect(await change(at('text'), { ...blob, kind: 'merge' })).toEqual({ ...refused, stored: false })
      await change(at(), blob)
      expect(await post(at(), '{}')).toEqual({ ...refused, stored: true })
    })

    it('is refused when the result would be too long', async () => {
      await put(at(), '{"a":"xxxx"}')
      expect(await post(at(), '{"b":"xxxx"}', { mostBytes: 22 })).toEqual({ kind: 'too_large' })
      expect(await read(at())).toBe('{"a":"xxxx"}')
      expect((await post(at(), '{"b":"xxxx"}', { mostBytes: 23 })).kind).toBe('done')
    })

    it('loses no member of 32 at once', async () => {
      const names = Array.from({ length: 32 }, (_, index) => `key${index}`)
      const outcomes = await Promise.all(names.map((name) => post(at(), `{"${name}":1}`)))
      expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true)
      expect(Object.keys(JSON.parse((await read(at())) ?? '') as object).toSorted()).toEqual(names.toSorted())
    })
  })

  describe('a merge of large documents', () => {
    const filled = (text: string) => `${text.slice(0, -1)},"filler":"${'x'.repeat(70_000)}"}`

    it('loses no member of 32 at once, nor of small changes between them', async () => {
      await put(at(), filled('{"first":1}'))
      const names = Array.from({ length: 32 }, (_, index) => `key${index}`)
      const outcomes = await Promise.all(
        names.map((name, index) => post(at(), index % 2 === 0 ? `{"${name}":1}` : filled(`{"${name}":1}`))),
      )
      expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true)
      const members = Object.keys(JSON.parse((await read(at())) ?? '') as object)
      expect(members.toSorted()).toEqual(['filler', 'first', ...names].toSorted())
    })

    it('answers the tag of what is then there', async () => {
      await put(at(), filled('{"a":1}'))
      expect(await post(at(), '{"a":2,"b":3}')).toEqual(done(`${filled('{"a":2}').slice(0, -1)},"b":3}`))
      expect((await find(at()))?.etag).toBe(tagOf((await read(at())) ?? ''))
    })

    it('is refused as a small one is', async () => {
      await put(at(), filled('{"a":1}'))
      const before = await find(at())
      expect((await post(at(), '{"b":2}', { mostBytes: 70_010 })).kind).toBe('too_large')
      expect((await post(at(), '{"b":2}', { preconditions: { ifMatch: [tagOf('x')] } })).kind).toBe(
        'precondition_failed',
      )
      expect(await post(at(), '[2]')).toEqual({ kind: 'not_mergeable', stored: false, lacks: 'object' })
      expect(await change(at(), content('merge', '{"b":2}', 'text/plain'))).toMatchObject({ lacks: 'type' })
      expect(await find(at())).toEqual(before)
      await put(at('list'), `["${'x'.repeat(70_000)}"]`)
      expect(await post(at('list'), '{"b":2}')).toEqual({ kind: 'not_mergeable', stored: true, lacks: 'object' })
    })

    it('lets one of many through that expect the same document', async () => {
      const text = filled('{"a":1}')
      await put(at(), text)
      const preconditions = { ifMatch: [tagOf(text)] }
      const outcomes = await Promise.all(['b', 'c', 'd'].map((name) => post(at(), `{"${name}":1}`, { preconditions })))
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual([
        'done',
        'precondition_failed',
        'precondition_failed',
      ])
    })

    it('goes into what another change put there meanwhile, or begins anew where that deleted it', async () => {
      for (let round = 0; round < 5; round++) {
        const id = String(round)
        await put(at(id), filled('{"a":1}'))
        const [merged] = await Promise.all([post(at(id), filled('{"b":2}')), put(at(id), filled('{"c":3}'))])
        expect(merged.kind).toBe('done')
        expect(Object.keys(JSON.parse((await read(at(id))) ?? '') as object)).toContain('c')
        await Promise.all([post(at(id), filled('{"d":4}')), remove(at(id))])
        expect([undefined, filled('{"d":4}')]).toContain(await read(at(id)))
      }
    })
  })

  describe('preconditions', () => {
    const one = tagOf('one')
    const cases: readonly [Preconditions, present: string, absent: string][] = [
      [{}, 'done', 'done'],
      [{ ifMatch: [one] }, 'done', 'precondition_failed'],
      [{ ifMatch: [tagOf('x'), one] }, 'done', 'precondition_failed'],
      [{ ifMatch: [tagOf('x')] }, 'precondition_failed', 'precondition_failed'],
      [{ ifMatch: 'any' }, 'done', 'precondition_failed'],
      [{ ifNoneMatch: 'any' }, 'precondition_failed', 'done'],
      [{ ifNoneMatch: [one] }, 'precondition_failed', 'done'],
      [{ ifNoneMatch: [tagOf('x')] }, 'done', 'done'],
      [{ mustBeConditional: true }, 'exists', 'done'],
      [{ mustBeConditional: true, ifMatch: [one] }, 'done', 'precondition_failed'],
    ]
    const changes: readonly [string, DocumentChange][] = [
      ['replace', content('replace', '{"b":2}')],
      ['merge', content('merge', '{"b":2}')],
      ['delete', { kind: 'delete' }],
    ]
    it.each(cases.flatMap((row) => changes.map(([name, to]) => [name, ...row, to] as const)))(
      '%s with %j: %s, without a document %s',
      async (_, preconditions, present, absent, to) => {
        await change(at(), { ...content('replace', '{"a":1}'), etag: one } as DocumentChange)
        const before = await find(at())
        expect((await change(at(), to, { preconditions })).kind).toBe(present)
        if (present !== 'done') expect(await find(at())).toEqual(before)
        expect((await change(at('none'), to, { preconditions })).kind).toBe(absent)
        if (absent !== 'done') expect(await find(at('none'))).toBeUndefined()
      },
    )

    it('let one of two changes through that name the same document', async () => {
      await put(at(), 'one')
      const preconditions = { ifMatch: [one] }
      const outcomes = await Promise.all(['two', 'three'].map((text) => put(at(), text, { preconditions })))
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['done', 'precondition_failed'])
    })

    it('let one of many creations through', async () => {
      const preconditions = { ifNoneMatch: 'any' } as const
      const texts = Array.from({ length: 10 }, (_, index) => String(index))
      const outcomes = await Promise.all(texts.map((text) => put(at(), text, { preconditions })))
      expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    })
  })

  describe('owners', () => {
    it('with reach mine see and change their own only', async () => {
      await put(at(), 'shared')
      expect(await find(at(), mine())).toBeUndefined()
      await put(at(), 'ann', { access: mine() })
      await put(at(), 'bob', { access: mine(bob) })
      expect(await read(at(), mine())).toBe('ann')
      expect(await read(at(), mine(bob))).toBe('bob')
      expect(await read(at())).toBe('shared')
      await remove(at(), { access: mine() })
      expect(await find(at(), mine())).toBeUndefined()
      expect(await read(at(), mine(bob))).toBe('bob')
      expect(await read(at())).toBe('shared')
    })

    it('with reach any see the shared document before their own, nobody else’s, and write where they find one', async () => {
      await put(at(), '{"own":1}', { access: mine() })
      expect(await find(at(), any(bob))).toBeUndefined()
      // Their own is found, so it is the one that changes: a changed reach hides nothing.
      await post(at(), '{"more":2}')
      expect(await read(at(), mine())).toBe('{"own":1,"more":2}')
      expect(await find(at(), any(bob))).toBeUndefined()
      // Bob finds none and creates the shared one, which then goes first for all.
      await put(at(), 'shared', { access: any(bob), preconditions: { ifNoneMatch: 'any' } })
      expect(await read(at())).toBe('shared')
      expect(await read(at(), mine())).toBe('{"own":1,"more":2}')
    })

    it('with reach any see none after they deleted it', async () => {
      await put(at(), 'own', { access: mine() })
      await put(at(), 'shared', { access: any(bob) })
      await put(at(), 'bob', { access: mine(bob) })
      await remove(at())
      expect(await find(at())).toBeUndefined()
      expect(await find(at(), mine())).toBeUndefined()
      expect(await read(at(), mine(bob))).toBe('bob')
    })

    it('list and delete all by the same rule', async () => {
      await put(at('shared'), 's')
      await put(at('both'), 's')
      for (const id of ['ann', 'both']) await put(at(id), 'a', { access: mine() })
      await put(at('bob'), 'b', { access: mine(bob) })
      expect(await ids(state())).toEqual(['ann', 'both', 'shared'])
      expect(await ids(state(), mine())).toEqual(['ann', 'both'])
      expect(await ids(state(), any(bob))).toEqual(['bob', 'both', 'shared'])
      expect(await store.storage.documents.deleteAll(lrsId, state(), mine(bob))).toBe(1)
      expect(await ids(state(), any(bob))).toEqual(['both', 'shared'])
      await put(at('bob'), 'b', { access: mine(bob) })
      expect(await store.storage.documents.deleteAll(lrsId, state(), any())).toBe(4)
      expect(await ids(state())).toEqual([])
      expect(await ids(state(), mine(bob))).toEqual(['bob'])
    })

    it('do not hear of a change to their own that a shared one hides', async () => {
      await put(at(), 'shared')
      const since = (await find(at()))?.updatedAt ?? 0
      now += 1000
      await put(at(), 'own', { access: mine() })
      expect(await ids(state(), any(), since)).toEqual([])
      expect(await ids(state(), mine(), since)).toEqual(['one'])
    })
  })

  describe('a scope', () => {
    it('of a state without registration covers them all; with one, that one only', async () => {
      await put(at('none'), 'x')
      for (const id of ['first', 'both']) await put(at(id, state(first)), 'x')
      for (const id of ['second', 'both']) await put(at(id, state(second)), 'x')
      expect(await ids(state())).toEqual(['both', 'first', 'none', 'second'])
      expect(await ids(state(first))).toEqual(['both', 'first'])
      expect(await store.storage.documents.deleteAll(lrsId, state(first), any())).toBe(2)
      expect(await ids(state())).toEqual(['both', 'none', 'second'])
      expect(await store.storage.documents.deleteAll(lrsId, state(), any())).toBe(3)
      expect(await ids(state())).toEqual([])
    })

    it('lists by id, what changed after `since` and the time of the latest', async () => {
      const times: number[] = []
      for (const id of ['b', 'a', 'c']) {
        now += 10
        await put(at(id), 'x')
        times.push((await find(at(id)))?.updatedAt ?? 0)
      }
      const list = (since?: number) => store.storage.documents.listIds(lrsId, state(), any(), since)
      expect(await list()).toEqual({ ids: ['a', 'b', 'c'], updatedAt: times[2] })
      expect(await list(times[0])).toEqual({ ids: ['a', 'c'], updatedAt: times[2] })
      expect(await list(times[0]! - 1)).toEqual({ ids: ['a', 'b', 'c'], updatedAt: times[2] })
      expect(await list(times[2])).toEqual({ ids: [], updatedAt: undefined })
      now += 10
      await post(at('b'), 'x')
      expect((await list(times[2])).ids).toEqual([])
      await put(at('b'), 'y')
      expect((await list(times[2])).ids).toEqual(['b'])
    })

    it.each(scopes)('of one kind (%s) knows nothing of the others', async (_, scope) => {
      const others = scopes.filter(([, other]) => other.kind !== scope.kind)
      for (const [, other] of others) await put(at('other', other), 'x')
      await put(at('own', scope), 'x')
      expect(await ids(scope)).toEqual(['own'])
      expect(await store.storage.documents.deleteAll(lrsId, scope, any())).toBe(1)
      for (const [, other] of others) expect(await ids(other)).toEqual(['other'])
    })

    it('is full at a million characters of ids', async () => {
      const long = 'x'.repeat(8000)
      const keys = Array.from({ length: 124 }, (_, index) => at(`${index + 100}${long}`))
      expect((await Promise.all(keys.map((key) => put(key, 'x')))).every(({ kind }) => kind === 'done')).toBe(true)
      expect(await put(at(`more${long}`), 'x')).toEqual({ kind: 'full' })
      expect((await put(at('more'), 'x')).kind).toBe('done')
    })

    it('is full at ten thousand of one owner, whatever their registrations', async () => {
      const key = (index: number) => at(String(index), state(index % 2 === 0 ? first : undefined))
      const access = mine()
      for (let from = 0; from < 10_000; from += 1000) {
        await Promise.all(Array.from({ length: 1000 }, (_, index) => put(key(from + index), 'x', { access })))
      }
      expect(await put(at('more'), 'x', { access })).toEqual({ kind: 'full' })
      expect(await post(at('more', state(second)), 'x', { access })).toEqual({ kind: 'full' })
      expect(await find(at('more'), access)).toBeUndefined()
      expect((await put(key(7), 'y', { access })).kind).toBe('done')
      expect((await put(at('more'), 'x', { access: mine(bob) })).kind).toBe('done')
      expect(await ids(state(), access)).toHaveLength(10_000)
      await remove(key(7), { access })
      expect((await put(at('more'), 'x', { access })).kind).toBe('done')
    }, 180_000)
  })
})
