// Communication 2.4 and 2.5: Agents and Activities, put together from what statements say.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let signIn: Client

beforeAll(async () => {
  stage = await openStage()
  signIn = await stage.as('xapi')
})
afterAll(() => stage.close())

describe.each(['1.0.3', '2.0.0'])('under %s', (version) => {
  let client: Client
  beforeEach(() => {
    client = clientOf(stage.app, signIn, version)
  })

  describe('Agents', () => {
    const of = (agent: unknown) => client.get(`agents?agent=${encodeURIComponent(JSON.stringify(agent))}`)

    it.each([
      ['XAPI-00239 XAPI-00244', 'mbox', `mailto:${randomUUID()}@example.org`],
      ['XAPI-00240', 'mbox_sha1sum', 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'],
      ['XAPI-00241', 'openid', 'https://openid.example.org/me'],
      ['XAPI-00242', 'account', { homePage: 'https://example.org/', name: 'me' }],
    ])('%s XAPI-00246 XAPI-00247 an unknown Agent is a Person whose %s is an array', async (_, name, value) => {
      const { status, json } = await of({ [name]: value })
      expect([status, json]).toEqual([200, { objectType: 'Person', [name]: [value] }])
    })

    it('XAPI-00245 XAPI-00236 XAPI-00237 XAPI-00238 XAPI-00248 a known one is a Person with the names it was given', async () => {
      const mbox = `mailto:${randomUUID()}@example.org`
      await client.post([statement({ actor: { mbox, name: 'Ann' } }), statement({ actor: { mbox, name: 'Ann B.' } })])
      const { status, json } = await of({ mbox })
      expect([status, json.objectType, json.mbox, json.name.toSorted()]).toEqual([
        200,
        'Person',
        [mbox],
        ['Ann', 'Ann B.'],
      ])
    })

    it('XAPI-00243 agent is needed', async () => {
      const { status, json } = await client.get('agents')
      expect([status, json.failures[0].pointer]).toEqual([400, '?agent'])
    })

    it.each([
      {},
      { mbox: 'nobody' },
      { name: 'Ann' },
      'Ann',
      { mbox: 'mailto:a@example.org', openid: 'https://a.example' },
    ])('XAPI-00249 %j is no Agent', async (agent) => {
      const { status, json } = await of(agent)
      expect([status, json.failures[0].pointer]).toEqual([400, expect.stringMatching(/^\?agent/)])
    })

    it('XAPI-00125 XAPI-00126 HEAD answers as GET does, without the body', async () => {
      const path = `agents?agent=${encodeURIComponent('{"mbox":"mailto:a@example.org"}')}`
      const { status, text, headers } = await client.send('HEAD', path)
      expect([status, text, headers.get('content-type')]).toEqual([200, '', 'application/json'])
    })
  })

  describe('Activities', () => {
    const of = (id: string) => client.get(`activities?activityId=${encodeURIComponent(id)}`)
    const anActivity = () => `http://example.org/activities/${randomUUID()}`

    it('XAPI-00252 XAPI-00253 XAPI-00251 a known one is answered whole', async () => {
      const object = {
        objectType: 'Activity',
        id: anActivity(),
        definition: {
          name: { en: 'One' },
          description: { en: 'The first' },
          type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
          moreInfo: 'http://example.org/more',
          interactionType: 'choice',
          correctResponsesPattern: ['a'],
          choices: [{ id: 'a', description: { en: 'A' } }],
          extensions: { 'http://example.org/x': null },
        },
      }
      await client.post(statement({ object }))
      const { status, json } = await of(object.id)
      expect([status, json]).toEqual([200, object])
    })

    it('XAPI-00254 what two statements of one batch say of it is put together', async () => {
      const id = anActivity()
      const definition = { name: { 'en-US': 'Course' }, type: 'http://adlnet.gov/expapi/activities/course' }
      const more = { name: { 'fr-FR': 'Cours' }, moreInfo: 'http://example.org/more' }
      await client.post([statement({ object: { id, definition } }), statement({ object: { id, definition: more } })])
      expect((await of(id)).json.definition).toEqual({
        ...definition,
        ...more,
        name: { 'en-US': 'Course', 'fr-FR': 'Cours' },
      })
    })

    it('XAPI-00254 the order of arrival makes no difference', async () => {
      const texts = [
        ['2026-01-01T00:00:00Z', { name: { en: 'Old', de: 'Alt' } }],
        ['2026-01-02T00:00:00Z', { name: { en: 'New' }, type: 'http://example.org/types/a' }],
        ['2025-12-31T00:00:00Z', { type: 'http://example.org/types/b', moreInfo: 'http://example.org/m' }],
      ] as const
      const results: unknown[] = []
      for (const order of [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0],
        [0, 2, 1],
      ]) {
        const id = anActivity()
        for (const index of order) {
          const [timestamp, definition] = texts[index]!
          expect((await client.post(statement({ timestamp, object: { id, definition } }))).status).toBe(200)
        }
        results.push((await of(id)).json.definition)
      }
      expect(results).toEqual(results.map(() => results[0]))
    })

    it('XAPI-00251 an unknown one is answered by its id', async () => {
      const id = anActivity()
      const { status, json } = await of(id)
      expect([status, json.id]).toEqual([200, id])
    })

    it('XAPI-00250 activityId is needed', async () => {
      const { status, json } = await client.get('activities')
      expect([status, json.failures[0].pointer]).toEqual([400, '?activityId'])
    })

    it('XAPI-00125 XAPI-00126 HEAD answers as GET does, without the body', async () => {
      const { status, text } = await client.send('HEAD', `activities?activityId=${encodeURIComponent(anActivity())}`)
      expect([status, text]).toEqual([200, ''])
    })
  })
})
