// Taking all that an Lrs holds elsewhere: `ExportStore`.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTenant, owners, statement, store as put } from './samples.ts'
import { engines } from './engines.ts'
import { isDeepStrictEqual } from 'node:util'
import type { CredentialId, LrsId } from '../../src/core/ids.ts'
import type {
  DocumentKey,
  DocumentPosition,
  ExportedDocument,
  ExportedStatement,
  PreparedStatement,
  StatementBatch,
} from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

const { ann, bob } = owners
const shared = 0 as CredentialId
const mostText = 1_000_000
const through = Number.MAX_SAFE_INTEGER
const idOf = ({ body }: ExportedStatement) => (JSON.parse(body) as { id: string }).id
const idsOf = (statements: readonly PreparedStatement[]) => statements.map(({ id }) => id)

/** Names its target as a stored statement does. */
function voiding(target: string): PreparedStatement {
  const one = statement({ refersTo: target, isVoiding: true })
  return { ...one, openBody: `{"id":"${one.id}","object":{"objectType":"StatementRef","id":"${target}"}` }
}

describe.each(engines)('what is taken elsewhere, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (lrsId = (await createTenant(store.storage)).lrsId))

  const save = (statements: readonly PreparedStatement[], part: Partial<StatementBatch> = {}) =>
    put(store.storage, lrsId, statements, part)
  type Part = Parameters<Store['storage']['exports']['listStatements']>[1]
  const list = (part: Partial<Part> = {}) =>
    store.storage.exports.listStatements(lrsId, {
      ...{ after: 0, through, isAscending: true, limit: 1_000, mostText },
      ...part,
    })
  const known = async () => new Map((await list()).map((row) => [idOf(row), row]))

  describe('statements', () => {
    it('come with owner, claims and whether they are voided', async () => {
      const attachments = [
        { sha2: 'ab'.repeat(32), contentType: 'text/plain' },
        { sha2: 'cd'.repeat(32), contentType: 'image/png' },
      ]
      const [plain, gone] = [statement({ attachments }), statement()]
      const voider = voiding(gone.id)
      const [one] = await save([plain])
      const [two, three] = await save([gone, voider], { owner: bob })
      const rows = await list()
      expect(rows.map(idOf)).toEqual([plain.id, gone.id, voider.id])
      expect(rows.map((row) => row.seq)).toEqual([one, two, three])
      expect(rows.map((row) => row.owner)).toEqual([ann, bob, bob])
      expect(rows.map((row) => row.isVoided)).toEqual([false, true, false])
      expect(rows.map((row) => row.attachments)).toEqual([attachments, [], []])
      const found = await store.storage.statements.find(lrsId, gone.id, { isVoided: true })
      expect(rows[1]?.body).toBe(found.statement?.body)
    })

    it('come in parts by number, by length, by stored time, from either end', async () => {
      const all = Array.from({ length: 7 }, () => statement())
      const ids = idsOf(all)
      const seqs = await save(all)
      const part = async (bounds: Partial<Part>) => (await list(bounds)).map(idOf)
      expect(await part({ limit: 3 })).toEqual(ids.slice(0, 3))
      expect(await part({ after: seqs[2]!, limit: 3 })).toEqual(ids.slice(3, 6))
      expect(await part({ after: seqs[1]!, through: seqs[4]! })).toEqual(ids.slice(2, 5))
      expect(await part({ isAscending: false, limit: 3 })).toEqual(ids.slice(4).reverse())
      expect(await part({ isAscending: false, after: seqs[0]!, through: seqs[2]! })).toEqual([ids[2], ids[1]])
      expect(await part({ mostText: 1 })).toEqual([ids[0]])
      expect(await part({ mostText: 1, isAscending: false })).toEqual([ids[6]])
      const { length } = (await list({ limit: 1 }))[0]!.body
      expect(await part({ mostText: Math.floor(length * 2.5) })).toEqual(ids.slice(0, 2))
      expect(await part({ after: seqs[6]! })).toEqual([])
    })

    it('are those of the Lrs', async () => {
      await save([statement()])
      lrsId = (await createTenant(store.storage)).lrsId
      expect(await list()).toEqual([])
    })

    describe('that void', () => {
      const reachOf = async (voider: PreparedStatement) => (await known()).get(voider.id)?.voidReach

      it.each([
        ['of its own', ann, 'any', 'mine'],
        ['of its own, by reach mine', ann, 'mine', 'mine'],
        ["of another's", bob, 'any', 'any'],
        ["of another's, by reach mine", bob, 'mine', undefined],
        ['by none', ann, undefined, undefined],
      ] as const)('what was there, %s', async (_, owner, voidReach, expected) => {
        const target = statement()
        await save([target])
        const voider = voiding(target.id)
        await save([voider], { owner, voidReach })
        expect(await reachOf(voider)).toBe(expected)
        expect((await known()).get(target.id)).toMatchObject({ isVoided: expected !== undefined, voidReach: undefined })
      })

      it.each([
        ['any', 'any'],
        ['mine', 'mine'],
        [undefined, undefined],
      ] as const)('what has not come, by %s', async (voidReach, expected) => {
        const target = statement()
        const voider = voiding(target.id)
        await save([voider], { owner: bob, voidReach })
        expect(await reachOf(voider)).toBe(expected)
        await save([target])
        const isVoided = voidReach === 'any'
        expect(await reachOf(voider)).toBe(isVoided ? 'any' : undefined)
        expect((await known()).get(target.id)).toMatchObject({ isVoided })
      })

      it('what itself voids have no effect', async () => {
        const first = voiding(statement().id)
        const second = voiding(first.id)
        await save([first, second])
        expect(await reachOf(second)).toBeUndefined()
        expect(await reachOf(first)).toBe('any')
      })
    })
  })

  describe('documents', () => {
    const agent = '{"mbox":"mailto:a@example.com"}'
    const activityId = 'https://example.com/a'
    const change = (key: DocumentKey, owner: CredentialId, content: Uint8Array, sha2?: string) =>
      store.storage.documents.change(
        lrsId,
        key,
        { owner, reach: owner === shared ? 'any' : 'mine' },
        {
          kind: 'replace',
          content: sha2 === undefined ? { kind: 'inline', bytes: content } : { kind: 'blob', sha2, length: 70_000 },
          contentType: 'text/plain',
          etag: 'ab'.repeat(20),
        },
        { preconditions: {}, mostBytes: 1_000_000 },
      )
    const all = async (limit: number, mostBytes = 1_000_000) => {
      const documents: ExportedDocument[] = []
      for (let after: DocumentPosition | undefined; ;) {
        const part = await store.storage.exports.listDocuments(lrsId, { after, limit, mostBytes })
        expect(part.documents.length).toBeLessThanOrEqual(limit)
        documents.push(...part.documents)
        after = part.next
        if (after === undefined) return documents
      }
    }

    it('come with key, owner, content and what else they have, however they are parted', async () => {
      const registration = '6f2b2d5a-0c1e-4b6f-9a8d-0123456789ab'
      const long = 'x'.repeat(5_000)
      const keys: readonly (readonly [DocumentKey, CredentialId])[] = [
        [{ kind: 'state', activityId, agent, id: 'bookmark' }, shared],
        [{ kind: 'state', activityId, agent, id: 'bookmark' }, bob],
        [{ kind: 'state', activityId, agent, registration, id: 'bookmark' }, shared],
        [{ kind: 'state', activityId, agent, registration, id: long }, shared],
        [{ kind: 'agent-profile', agent, id: 'é 漢 😀' }, shared],
        [{ kind: 'activity-profile', activityId, id: 'bookmark' }, ann],
      ]
      for (const [key, owner] of keys) await change(key, owner, Buffer.from(JSON.stringify([key, owner])))
      await change({ kind: 'activity-profile', activityId, id: 'long' }, shared, Buffer.alloc(0), 'ab'.repeat(32))
      await change({ kind: 'activity-profile', activityId, id: 'empty' }, shared, Buffer.alloc(0))
      const whole = await all(100)
      expect(whole).toHaveLength(keys.length + 2)
      for (const [key, owner] of keys) {
        const found = whole.find((one) => one.owner === owner && isDeepStrictEqual(one.key, key))
        const access = { owner, reach: owner === shared ? 'any' : 'mine' } as const
        const { contentType, etag, updatedAt } = (await store.storage.documents.find(lrsId, key, access))!
        expect(found).toMatchObject({ contentType, etag, updatedAt })
        const bytes = found?.content.kind === 'inline' ? found.content.bytes : []
        expect(Buffer.from(bytes).toString()).toBe(JSON.stringify([key, owner]))
      }
      expect(whole.find(({ key }) => key.id === 'long')?.content).toEqual({
        ...{ kind: 'blob', sha2: 'ab'.repeat(32), length: 70_000 },
      })
      expect(await all(1)).toEqual(whole)
      expect(await all(3)).toEqual(whole)
      expect(await all(100, 1)).toEqual(whole)
      const { documents } = await store.storage.exports.listDocuments(lrsId, { limit: 100, mostBytes: 1 })
      expect(documents.length).toBeLessThan(whole.length)
    })

    it('are those of the Lrs', async () => {
      await change({ kind: 'agent-profile', agent, id: 'one' }, shared, Buffer.from('x'))
      lrsId = (await createTenant(store.storage)).lrsId
      expect(await all(10)).toEqual([])
    })
  })
})
