// Communication 2.1 and Data 2.5: the Statement Resource, under 1.0.3 and 2.0.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, openStage, reference, statement, voiding } from '../support/xapi.ts'
import type { Answer, Client, Stage } from '../support/xapi.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

const verb = (name: string) => ({ id: `http://example.org/verbs/${name}` })
const idsIn = (answer: Answer): string[] => answer.json.statements.map(({ id }: { id: string }) => id)
const query = (params: Record<string, string | object>): string =>
  new URLSearchParams(
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  ).toString()

describe.each(['1.0.3', '2.0.0'])('under %s', (version) => {
  let client: Client

  // Each test its own organisation: a list holds exactly what the test stored.
  beforeEach(async () => {
    client = clientOf(stage.app, await stage.as('xapi', {}, await stage.addOrganisation()), version)
  })

  const list = (params: Record<string, string | object> = {}) => client.get(`statements?${query(params)}`)
  const one = (id: string, more = '') => client.get(`statements?statementId=${id}${more}`)
  const store = async (...statements: object[]) => {
    for (const each of statements) expect((await client.post(each)).status).toBe(200)
  }

  describe('storing', () => {
    it('XAPI-00139 XAPI-00145 XAPI-00143 PUT at statements is accepted and answers 204', async () => {
      const sent = statement()
      const { status, text } = await client.put(sent.id, { ...sent, id: undefined })
      expect([status, text]).toEqual([204, ''])
      expect((await one(sent.id)).json.id).toBe(sent.id)
    })

    it('XAPI-00144 PUT without statementId is refused, and nothing is stored', async () => {
      const sent = statement()
      const { status, json } = await client.send('PUT', 'statements', { body: sent })
      expect([status, json.failures[0].pointer]).toEqual([400, '?statementId'])
      expect((await one(sent.id)).status).toBe(404)
    })

    it('XAPI-00147 XAPI-00146 POST is accepted and answers the ids in order', async () => {
      const [first, second] = [statement(), statement({ id: undefined })]
      const { status, json } = await client.post([first, second])
      expect([status, json]).toEqual([200, [first.id, expect.stringMatching(/^[0-9a-f-]{36}$/)]])
      expect((await one(json[1])).status).toBe(200)
    })

    it.each(['PUT', 'POST'])(
      'XAPI-00142 XAPI-00323 another statement of the same id changes nothing: %s is 409',
      async (method) => {
        const sent = statement()
        await store(sent)
        const before = await one(sent.id)
        const other = statement({ id: sent.id, verb: verb('undid') })
        const answer = method === 'PUT' ? await client.put(sent.id, other) : await client.post(other)
        expect(answer.status).toBe(409)
        expect((await one(sent.id)).text).toBe(before.text)
      },
    )

    it('XAPI-00142 an equal one is acknowledged and changes nothing', async () => {
      const sent = statement()
      await store(sent)
      const before = await one(sent.id)
      expect((await client.post({ ...sent })).status).toBe(200)
      expect((await one(sent.id)).text).toBe(before.text)
      expect(idsIn(await list())).toEqual([sent.id])
    })

    it('XAPI-00326 a batch with one bad statement is refused as a whole', async () => {
      const good = statement()
      expect((await client.post([good, statement({ actor: 'me' })])).status).toBe(400)
      expect((await one(good.id)).status).toBe(404)
    })

    it('XAPI-00326 a batch with one conflicting statement is refused as a whole', async () => {
      const [good, there] = [statement(), statement()]
      await store(there)
      expect((await client.post([good, { ...there, verb: verb('undid') }])).status).toBe(409)
      expect(idsIn(await list())).toEqual([there.id])
    })
  })

  describe('one statement', () => {
    it('XAPI-00159 XAPI-00158 XAPI-00156 XAPI-00165 is answered by statementId, 200, as JSON', async () => {
      const sent = statement()
      await store(sent, statement())
      const { status, json, headers } = await one(sent.id)
      expect([status, json.id, headers.get('content-type')]).toEqual([200, sent.id, 'application/json'])
    })

    it('XAPI-00157 XAPI-00155 is answered by voidedStatementId when it is voided', async () => {
      const sent = statement()
      await store(sent, voiding(sent.id))
      const { status, json } = await list({ voidedStatementId: sent.id })
      expect([status, json.id]).toEqual([200, sent.id])
    })

    it('XAPI-00163 is seen in no other way when it is voided', async () => {
      const sent = statement({ verb: verb('seen') })
      const other = voiding(sent.id)
      await store(sent, other)
      expect((await one(sent.id)).status).toBe(404)
      expect(idsIn(await list())).toEqual([other.id])
      expect(idsIn(await list({ verb: verb('seen').id }))).toEqual([other.id])
    })
  })

  describe('a list', () => {
    it('XAPI-00149 XAPI-00113 XAPI-00110 XAPI-00109 of nothing is an empty array with no more', async () => {
      const { status, json } = await list({ verb: verb('never').id })
      expect([status, json]).toEqual([200, { statements: [], more: '' }])
    })

    it('XAPI-00154 XAPI-00110 XAPI-00113 without an id holds statements and more', async () => {
      await store(statement(), statement())
      const { status, json } = await list()
      expect([status, Object.keys(json).toSorted(), json.statements.length]).toEqual([200, ['more', 'statements'], 2])
    })

    it('XAPI-00108 XAPI-00109 XAPI-00111 XAPI-00114 XAPI-00173 continues behind more until all was seen', async () => {
      const sent = Array.from({ length: 5 }, () => statement())
      await store(...sent, statement({ verb: verb('other') }))
      let page = await list({ limit: '2', verb: 'http://example.org/verbs/did' })
      const pages = [page]
      while (page.json.more !== '') {
        page = await client.get(page.json.more)
        pages.push(page)
      }
      expect(pages.map(({ status, json }) => [status, Object.keys(json).toSorted()])).toEqual(
        pages.map(() => [200, ['more', 'statements']]),
      )
      expect(pages.map((each) => idsIn(each).length)).toEqual([2, 2, 1])
      expect(pages.flatMap(idsIn)).toEqual(sent.map(({ id }) => id).toReversed())
    })

    it('XAPI-00173 of limit 0 holds as many as there may be', async () => {
      await store(statement(), statement(), statement())
      expect(idsIn(await list({ limit: '0' }))).toHaveLength(3)
    })

    it('XAPI-00166 is newest first, and oldest first when ascending', async () => {
      const sent = [statement(), statement(), statement()]
      await store(...sent)
      const ids = sent.map(({ id }) => id)
      expect(idsIn(await list())).toEqual(ids.toReversed())
      expect(idsIn(await list({ ascending: 'false' }))).toEqual(ids.toReversed())
      expect(idsIn(await list({ ascending: 'true' }))).toEqual(ids)
    })

    it('XAPI-00175 XAPI-00174 since excludes its own time, until includes it', async () => {
      const sent = [statement(), statement(), statement()]
      await store(...sent)
      const [first, second, third] = sent.map(({ id }) => id)
      const { stored } = (await one(second!)).json
      expect(idsIn(await list({ since: stored }))).toEqual([third])
      expect(idsIn(await list({ until: stored }))).toEqual([second, first])
      expect(idsIn(await list({ since: stored, until: stored }))).toEqual([])
    })

    it('XAPI-00164 holds what matches every filter, and each filter counts', async () => {
      const all = {
        verb: verb('saw'),
        agent: { mbox: 'mailto:ann@example.org' },
        activity: { id: 'http://example.org/activities/two' },
        registration: randomUUID(),
      }
      const of = ({ verb: did, agent, activity, registration }: typeof all) =>
        statement({ verb: did, actor: agent, object: activity, context: { registration } })
      const others = {
        verb: verb('heard'),
        agent: { mbox: 'mailto:bob@example.org' },
        activity: { id: 'http://example.org/activities/three' },
        registration: randomUUID(),
      }
      const sent = of(all)
      const almost = Object.entries(others).map(([name, other]) => [name, of({ ...all, [name]: other })] as const)
      await store(sent, ...almost.map(([, each]) => each))
      const params = { verb: all.verb.id, agent: all.agent, activity: all.activity.id, registration: all.registration }
      expect(idsIn(await list(params))).toEqual([sent.id])
      for (const [name, { id }] of almost) {
        const without = Object.fromEntries(Object.entries(params).filter(([each]) => each !== name))
        expect(idsIn(await list(without))).toEqual([id, sent.id])
      }
    })

    it('XAPI-00162 shows what refers to a voided match, and by limit the newest of them', async () => {
      const seen = statement({ verb: verb('watched') })
      const about = statement({ object: reference(seen.id) })
      const aboutThat = statement({ object: reference(about.id) })
      const end = voiding(seen.id)
      await store(seen, about, aboutThat, end)
      const watched = verb('watched').id
      expect(idsIn(await list({ verb: watched }))).toEqual([end.id, aboutThat.id, about.id])
      expect(idsIn(await list({ verb: watched, limit: '1' }))).toEqual([end.id])
      expect(idsIn(await list({ verb: watched, ascending: 'true', limit: '1' }))).toEqual([about.id])
    })

    it('XAPI-00168 XAPI-00170 is exact without format: as received, plus what the server sets', async () => {
      const sent = statement({
        actor: { objectType: 'Agent', name: 'Ann', mbox: 'mailto:ann@example.org' },
        object: { id: 'http://example.org/a', definition: { name: { en: 'One', de: 'Eins' } } },
      })
      await store(sent)
      for (const format of [{}, { format: 'exact' }]) {
        const [found] = (await list(format)).json.statements
        expect(found).toMatchObject(sent)
        expect(
          Object.keys(found)
            .filter((name) => !(name in sent))
            .toSorted(),
        ).toEqual(['authority', 'stored', 'timestamp', 'version'])
      }
    })

    it('XAPI-00171 of format ids holds identifiers only, in SubStatements too', async () => {
      const actor = { objectType: 'Agent', name: 'Ann', mbox: 'mailto:ann@example.org' }
      const group = { objectType: 'Group', name: 'All', member: [actor] }
      const object = { objectType: 'Activity', id: 'http://example.org/a', definition: { name: { en: 'One' } } }
      const event = { actor, verb: { id: verb('did').id, display: { en: 'did' } }, context: { team: group } }
      await store(statement({ ...event, object: { objectType: 'SubStatement', ...event, object } }))
      const [found] = (await list({ format: 'ids' })).json.statements
      const ids = {
        actor: { objectType: 'Agent', mbox: 'mailto:ann@example.org' },
        verb: { id: verb('did').id },
        context: { team: { objectType: 'Group', member: [{ objectType: 'Agent', mbox: 'mailto:ann@example.org' }] } },
      }
      expect(found).toMatchObject(ids)
      expect(found.object).toEqual({ objectType: 'SubStatement', ...ids, object: { id: 'http://example.org/a' } })
    })

    it('XAPI-00169 XAPI-00172 of format canonical holds the language that is asked for', async () => {
      const name = { 'en-US': 'color', 'en-GB': 'colour', fr: 'couleur' }
      await store(statement({ object: { id: 'http://example.org/a', definition: { name } } }))
      const inLanguage = async (language?: string) => {
        const headers = language === undefined ? {} : { 'accept-language': language }
        return (await client.get('statements?format=canonical', headers)).json.statements[0].object.definition.name
      }
      expect(await inLanguage('en-GB, fr;q=0.5')).toEqual({ 'en-GB': 'colour' })
      expect(await inLanguage('fr')).toEqual({ fr: 'couleur' })
      expect(await inLanguage('de, fr;q=0.1')).toEqual({ fr: 'couleur' })
      expect(Object.keys(await inLanguage())).toHaveLength(1)
    })
  })

  describe('headers', () => {
    it.each([
      ['a list', 'statements', 200],
      ['an unknown statement', `statements?statementId=${randomUUID()}`, 404],
      ['a bad parameter', 'statements?limit=-1', 400],
      ['an unknown parameter', 'statements?foo=bar', 400],
    ])('XAPI-00153 XAPI-00160 Consistent-Through is a timestamp, for %s', async (_, path, status) => {
      const answer = await client.get(path)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-experience-api-consistent-through')).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}Z$/,
      )
    })

    it('XAPI-00153 Consistent-Through covers what was acknowledged', async () => {
      const sent = statement()
      await store(sent)
      const { headers } = await list()
      const { stored } = (await one(sent.id)).json
      expect(headers.get('x-experience-api-consistent-through')! >= stored.slice(0, 23)).toBe(true)
    })

    it('XAPI-00161 attachments=false answers plain JSON', async () => {
      const sent = statement()
      await store(sent)
      for (const answer of [await list({ attachments: 'false' }), await one(sent.id, '&attachments=false')]) {
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
      }
    })
  })

  it.each(['statementId', 'voidedStatementId', 'agent', 'verb', 'activity', 'registration', 'limit', 'format'])(
    'XAPI-00325 %s in another case is refused',
    async (name) => {
      for (const other of [name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)]) {
        const { status, json } = await list({ [other]: 'x' })
        expect([status, json.failures[0].rule]).toEqual([400, 'XAPI-00325'])
      }
    },
  )
})
