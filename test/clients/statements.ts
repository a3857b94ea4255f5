// Statements, as every client stores and reads them.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ClientLibrary, type Filter, type Json, statusOf, type XapiClient } from './client.ts'
import { activity, answered, learner, statement } from './samples.ts'
import type { Setting } from './setting.ts'
import type { Key } from './watershed-keys.ts'

const idsOf = (statements: readonly Json[]) => statements.map(({ id }) => id)

export function describeStatements(library: ClientLibrary, setting: Setting): void {
  describe('statements', () => {
    let key: Key
    let client: XapiClient

    const connect = (key: Key): XapiClient => setting.connectTo(library, key)

    beforeEach(async () => {
      key = await setting.keys.create('isolated')
      client = connect(key)
    })

    it('stores one statement and reads it back by id', async () => {
      const sent = statement({ result: { score: { scaled: 0.5 }, success: true, duration: 'PT1M' } })
      await client.store(sent)
      expect(await client.find(String(sent['id']))).toMatchObject(sent)
      const [read] = (await client.query({})).statements
      expect(read).toMatchObject(sent)
      expect(read).toMatchObject({ version: library.statementVersion, authority: { objectType: 'Agent' } })
      expect(read?.['stored']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      expect(read?.['timestamp']).toBeDefined()
    })

    it('stores one without an id and finds it', async () => {
      const { id, ...sent } = statement({ actor: learner('nobody-else') })
      expect(id).toBeDefined()
      await client.store(sent)
      const { statements } = await client.query({ agent: learner('nobody-else') })
      expect(statements).toMatchObject([sent])
    })

    it('stores a batch and hands back its ids in order', async () => {
      const batch = [statement(), statement(), statement()]
      expect(await client.storeAll(batch)).toEqual(idsOf(batch))
      expect(idsOf((await client.query({})).statements)).toEqual(idsOf(batch).toReversed())
    })

    it('refuses a broken statement, stores nothing of its batch and says why', async () => {
      const broken = statement({ verb: { id: 'not an IRI' } })
      const attempt = client.storeAll([statement(), broken])
      await expect(attempt).rejects.toThrow(/verb/)
      expect(await statusOf(client.storeAll([statement(), broken]))).toBe(400)
      expect((await client.query({})).statements).toEqual([])
    })

    describe('reads back by', () => {
      const registration = randomUUID()
      const wanted = statement({
        actor: learner('berta'),
        verb: { id: answered, display: { 'en-US': 'answered' } },
        object: activity('quiz'),
        context: {
          registration,
          instructor: learner('teacher'),
          contextActivities: { parent: [activity('course')] },
        },
      })
      const first = statement()
      const last = statement()

      beforeEach(async () => {
        for (const one of [first, wanted, last]) {
          await client.storeAll([{ ...one, id: randomUUID() }])
          // For the library that asks in milliseconds.
          await setTimeout(2)
        }
      })

      const filters: [string, Filter][] = [
        ['agent', { agent: learner('berta') }],
        ['verb', { verb: answered }],
        ['activity', { activity: 'https://content.example.org/quiz' }],
        ['registration', { registration }],
        ['related agent', { agent: learner('teacher'), related_agents: true }],
        ['related activity', { activity: 'https://content.example.org/course', related_activities: true }],
        ['several at once', { agent: learner('berta'), verb: answered, registration }],
      ]
      it.each(filters)('%s', async (_, filter) => {
        const { statements, more } = await client.query(filter)
        expect(statements).toHaveLength(1)
        expect(statements[0]).toMatchObject({ actor: learner('berta'), context: { registration } })
        expect(more).toBe('')
      })

      it.each<[string, Filter]>([
        ['a related agent without being asked to', { agent: learner('teacher') }],
        ['a related activity without being asked to', { activity: 'https://content.example.org/course' }],
        ['two filters that never meet', { agent: learner('anna'), verb: answered }],
      ])('nothing: %s', async (_, filter) => {
        expect((await client.query(filter)).statements).toEqual([])
      })

      it('since and until, both ways round', async () => {
        const all = (await client.query({ ascending: true })).statements
        const stored = all.map((one) => String(one['stored']))
        expect(stored).toEqual(stored.toSorted())
        expect(all).toHaveLength(3)
        // Rounded up to what the library can say.
        const asked = (time = ''): string =>
          library.lacks.includes('microseconds') ? new Date(Date.parse(time) + 1).toISOString() : time
        const after = await client.query({ since: asked(stored[0]), ascending: true })
        expect(idsOf(after.statements)).toEqual(idsOf(all.slice(1)))
        const until = await client.query({ until: asked(stored[1]) })
        expect(idsOf(until.statements)).toEqual(idsOf(all.slice(0, 2)).toReversed())
      })

      it('format', async () => {
        const [ids] = (await client.query({ verb: answered, format: 'ids' })).statements
        expect(ids).toMatchObject({ actor: learner('berta'), object: { id: 'https://content.example.org/quiz' } })
        expect(ids?.['object']).not.toHaveProperty('definition')
        const [exact] = (await client.query({ verb: answered, format: 'exact' })).statements
        expect(exact).toMatchObject({ object: activity('quiz') })
        const [canonical] = (await client.query({ verb: answered, format: 'canonical' })).statements
        expect(
          Object.keys((canonical as { object: { definition: { name: object } } }).object.definition.name),
        ).toHaveLength(1)
      })
    })

    it('pages through 1,000 statements by more, each once, in order', async () => {
      const sent: unknown[] = []
      for (let batch = 0; batch < 10; batch++) {
        sent.push(...(await client.storeAll(Array.from({ length: 100 }, () => statement()))))
      }
      const found: unknown[] = []
      let page = await client.query({ ascending: true, limit: 90 })
      let pages = 1
      found.push(...idsOf(page.statements))
      while (page.more !== '' && pages < 50) {
        page = await client.more(page.more)
        found.push(...idsOf(page.statements))
        pages++
      }
      expect(found).toEqual(sent)
      expect(pages).toBe(12)
    })

    it('voids one', async () => {
      const [target, kept] = [statement(), statement()]
      await client.storeAll([target, kept])
      const id = String(target['id'])
      await client.voidStatement(id, learner('anna'))
      expect(await statusOf(client.find(id))).toBe(404)
      expect(await client.findVoided(id)).toMatchObject({ id })
      const { statements } = await client.query({ ascending: true })
      expect(idsOf(statements)).toContain(kept['id'])
      expect(idsOf(statements)).not.toContain(id)
      expect(statements).toHaveLength(2)
    })

    it('an isolated key sees only its own, a global key sees both', async () => {
      const global = connect(await setting.keys.create('global'))
      const other = connect(await setting.keys.create('isolated'))
      const shared = learner(randomUUID())
      const [own, foreign] = [statement({ actor: shared }), statement({ actor: shared })]
      await client.storeAll([own])
      await other.storeAll([foreign])
      expect(idsOf((await client.query({ agent: shared })).statements)).toEqual([own['id']])
      expect(idsOf((await other.query({ agent: shared })).statements)).toEqual([foreign['id']])
      expect(idsOf((await global.query({ agent: shared, ascending: true })).statements)).toEqual(idsOf([own, foreign]))
      expect(await statusOf(client.find(String(foreign['id'])))).toBe(404)
    })

    it('a disabled key is refused on its very next request, and works again when enabled', async () => {
      await client.storeAll([statement()])
      await setting.keys.edit(key.id, { active: false })
      expect(await statusOf(client.storeAll([statement()]))).toBe(401)
      expect(await statusOf(client.query({}))).toBe(401)
      await setting.keys.edit(key.id, { active: true })
      expect((await client.query({})).statements).toHaveLength(1)
    })

    it('a key whose access is switched to disabled is refused', async () => {
      await client.storeAll([statement()])
      await setting.keys.edit(key.id, { lrsAccess: 'disabled' })
      // Watershed answers 401 where xAPI would say 403.
      expect(await statusOf(client.query({}))).toBe(setting.endpointPath.startsWith('/api') ? 401 : 403)
    })
  })
}
