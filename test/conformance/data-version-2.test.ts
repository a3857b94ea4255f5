// IEEE 9274.1.1: what 2.0 changed of statements, and what 1.0.x still refuses of it.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth, someone } from '../support/statement.ts'
import { clientOf, openStage, statement } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

const group = { objectType: 'Group', mbox: 'mailto:group@example.org' }
const contextAgent = { objectType: 'contextAgent', agent: someone, relevantTypes: ['http://example.org/types/a'] }
const contextGroup = { objectType: 'contextGroup', group, relevantTypes: ['http://example.org/types/a'] }

describe('contextAgents and contextGroups', () => {
  const context = { contextAgents: [contextAgent], contextGroups: [contextGroup] }

  it.each(inBoth({ context }))('XAPI2-09 are accepted in %s, and refused under 1.0.3', (_, prefix, value) => {
    expect(brokenRules(value, '2.0')).toEqual([])
    expect(brokenRules(value, '1.0')).toEqual([
      `${prefix}/context/contextAgents XAPI-00010`,
      `${prefix}/context/contextGroups XAPI-00010`,
    ])
  })

  it.each([
    ['contextAgents', {}, ''],
    ['contextAgents', [{ ...contextAgent, objectType: 'Agent' }], '/0/objectType'],
    ['contextAgents', [{ agent: someone }], '/0'],
    ['contextAgents', [{ objectType: 'contextAgent' }], '/0'],
    ['contextAgents', [{ ...contextAgent, agent: group }], '/0/agent/objectType'],
    ['contextAgents', [{ ...contextAgent, agent: { mbox: 'nobody' } }], '/0/agent/mbox'],
    ['contextAgents', [{ ...contextAgent, relevantTypes: [] }], '/0/relevantTypes'],
    ['contextAgents', [{ ...contextAgent, relevantTypes: ['course'] }], '/0/relevantTypes/0'],
    ['contextGroups', [{ ...contextGroup, objectType: 'contextAgent' }], '/0/objectType'],
    ['contextGroups', [{ objectType: 'contextGroup' }], '/0'],
    ['contextGroups', [{ ...contextGroup, group: someone }], '/0/group'],
    ['contextGroups', [{ ...contextGroup, group: { objectType: 'Group' } }], '/0/group'],
    ['contextGroups', [{ ...contextGroup, relevantTypes: [] }], '/0/relevantTypes'],
  ])('XAPI2-09 %s cannot be %j', (name, value, pointer) => {
    for (const [, prefix, sent] of inBoth({ context: { [name]: value } })) {
      expect(brokenRules(sent, '2.0')[0]?.split(' ')[0]).toBe(`${prefix}/context/${name}${pointer}`)
    }
  })

  it('XAPI2-10 are found by related_agents only', async () => {
    const [agent, inGroup, itself] = [0, 1, 2].map(() => ({ mbox: `mailto:${randomUUID()}@example.org` }))
    const named = { objectType: 'Group', ...itself, member: [inGroup] }
    const one = statement({
      context: { contextAgents: [{ ...contextAgent, agent }], contextGroups: [{ ...contextGroup, group: named }] },
    })
    await client.post(one)
    for (const each of [agent, inGroup, itself]) {
      const query = `agent=${encodeURIComponent(JSON.stringify(each))}`
      expect(await client.idsOf(query)).toEqual([])
      expect(await client.idsOf(`${query}&related_agents=true`)).toEqual([one.id])
    }
  })
})

describe('times', () => {
  it.each([
    ['2015-11-18T12:17:00+05:30', '2015-11-18T06:47:00Z'],
    ['2015-11-18T12:17:00.123456-08:00', '2015-11-18T20:17:00.123456Z'],
    ['2015-12-31T23:59:59.9-01:00', '2016-01-01T00:59:59.9Z'],
    ['2015-11-18T12:17:00+00:00', '2015-11-18T12:17:00Z'],
    ['2015-11-18T12:17:00.000Z', '2015-11-18T12:17:00.000Z'],
  ])('XAPI2-11 %s is returned as %s', async (timestamp, utc) => {
    const one = statement({ timestamp })
    expect((await client.post(one)).status).toBe(200)
    expect((await client.get(`statements?statementId=${one.id}`)).json.timestamp).toBe(utc)
  })

  it.each(['2015-11-18T12:17', '20151118T121700Z', '2015-11-18T12:17:00', '2015-11-18T12:17:00-00:00', '2015-W47-3'])(
    'XAPI2-11 %s is no RFC 3339',
    (timestamp) => {
      for (const [, prefix, value] of inBoth({ timestamp })) {
        expect(brokenRules(value, '2.0')).toEqual([`${prefix}/timestamp XAPI-00123`])
      }
    },
  )

  it('XAPI2-12 a duration comes back as it came, and another beyond 0.01 s is the same statement', async () => {
    const one = statement({ result: { duration: 'PT4H35M59.148S' } })
    await client.post(one)
    expect((await client.post({ ...one, result: { duration: 'PT4H35M59.14S' } })).status).toBe(200)
    expect((await client.post({ ...one, result: { duration: 'PT4H35M59.15S' } })).status).toBe(409)
    expect((await client.get(`statements?statementId=${one.id}`)).json.result.duration).toBe('PT4H35M59.148S')
  })
})

describe('versions of statements', () => {
  it.each(['1.0', '1.0.0', '1.0.9', '2.0', '2.0.0'])(
    'XAPI2-13 a 2.0 request may carry %s, which stays',
    async (version) => {
      const one = statement({ version })
      expect((await client.post(one)).status).toBe(200)
      expect((await client.get(`statements?statementId=${one.id}`)).json.version).toBe(version)
    },
  )

  it.each(['0.9.9', '1.1.0', '2.1.0', '3.0.0', '2', ''])('XAPI2-13 no other: %j', (version) => {
    expect(brokenRules(aStatement({ version }), '2.0')).toEqual(['/version XAPI-00101'])
  })

  it.each(['2.0', '2.0.0'])('XAPI-00101 a 1.0.3 request cannot carry %s', (version) => {
    expect(brokenRules(aStatement({ version }), '1.0')).toEqual(['/version XAPI-00101'])
  })
})

describe('requests', () => {
  it('XAPI2-07 an id twice in a batch is refused, in any case of its letters, and nothing is stored', async () => {
    const one = statement()
    const { status, json } = await client.post([one, statement({ id: one.id.toUpperCase() })])
    expect([status, json.failures[0].pointer]).toEqual([400, expect.stringMatching(/^\/1/)])
    expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })

  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  it('XAPI2-02 the alternate request syntax is refused, by header or by form, and nothing is stored', async () => {
    const { id, ...content } = statement()
    const fields = new URLSearchParams({ statementId: id, content: JSON.stringify(content) })
    const byHeader = await client.send('POST', 'statements?method=PUT', { body: fields.toString(), headers: form })
    fields.set('X-Experience-API-Version', '2.0.0')
    const headers = { ...form, 'x-experience-api-version': null }
    const byForm = await client.send('POST', 'statements?method=PUT', { body: fields.toString(), headers })
    expect([byHeader.status, byForm.status]).toEqual([400, 400])
    expect((await client.get(`statements?statementId=${id}`)).status).toBe(404)
  })

  it('XAPI-00148 XAPI-00336 XAPI-00147 under 1.0.3 a POST that holds a GET answers like the GET', async () => {
    const one = statement()
    await client.post(one)
    const old = clientOf(stage.app, client, '1.0.3')
    const body = new URLSearchParams({ statementId: one.id }).toString()
    const { status, text } = await old.send('POST', 'statements?method=GET', { body, headers: form })
    expect([status, text]).toEqual([200, (await old.get(`statements?statementId=${one.id}`)).text])
  })
})
