// What holds for any statement that goes in and comes out over HTTP.

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseTimestamp } from '../src/core/xapi/time.ts'
import { statementArbitrary } from './support/statement-arbitrary.ts'
import { randomFrom, shuffled } from './support/statement-shuffle.ts'
import { clientOf, openStage } from './support/xapi.ts'
import type { Client, Stage } from './support/xapi.ts'

type JsonObject = Record<string, any>

let stage: Stage
let signIn: Client

beforeAll(async () => {
  stage = await openStage()
  signIn = await stage.as('xapi')
})
afterAll(() => stage.close())

/** As JSON carries it: no -0, no undefined. */
function asJson(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}

/** What the specification lets an LRS change within what was sent; everything else must come back as it went. */
function asReturned(sent: JsonObject, version: string): JsonObject {
  const event = (value: JsonObject): JsonObject => {
    const { timestamp, context, object } = value
    const lists = (kinds: JsonObject) =>
      Object.fromEntries(Object.entries(kinds).map(([kind, one]) => [kind, [one].flat()]))
    const kinds = context?.contextActivities
    return {
      ...value,
      ...(timestamp !== undefined && version === '2.0.0' && { timestamp: expect.stringMatching(/Z$/) }),
      ...(kinds && { context: { ...context, contextActivities: lists(kinds) } }),
      ...(object?.objectType === 'SubStatement' && { object: event(object) }),
    }
  }
  return {
    ...event(sent),
    ...(sent['timestamp'] === undefined && { timestamp: expect.stringMatching(/Z$/) }),
    id: sent['id']?.toLowerCase() ?? expect.any(String),
    stored: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$/),
    authority: expect.objectContaining({ objectType: 'Agent', account: expect.anything() }),
    version: sent['version'] ?? (version === '2.0.0' ? '2.0.0' : '1.0.0'),
  }
}

describe.each(['1.0.3', '2.0.0'])('any statement under %s', (version) => {
  const statements = statementArbitrary(version === '1.0.3' ? '1.0' : '2.0').map(asJson)
  const client = () => clientOf(stage.app, signIn, version)

  it('comes back by exact as it went, with what the LRS sets', async () => {
    const sample = fc.array(statements, { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(sample, async (batch) => {
        const sent = batch.map(
          (one) => ({ ...one, ...('id' in one && { id: randomUUID().toUpperCase() }) }) as JsonObject,
        )
        const { status, json: ids, text } = await client().post(sent)
        expect([status, text]).toEqual([200, expect.any(String)])
        for (const [index, one] of sent.entries()) {
          const plain = await client().get(`statements?format=exact&statementId=${ids[index]}`)
          const found =
            plain.status === 200 ? plain : await client().get(`statements?format=exact&voidedStatementId=${ids[index]}`)
          expect(found.json).toEqual(asReturned(one, version))
          const { timestamp } = one
          if (timestamp !== undefined) expect(parseTimestamp(found.json.timestamp)).toBe(parseTimestamp(timestamp))
        }
      }),
      { numRuns: 25 },
    )
  })

  it('is acknowledged again in any order of members, and stored once', async () => {
    await fc.assert(
      fc.asyncProperty(statements, fc.nat(), async (one, seed) => {
        const own = clientOf(stage.app, await stage.as('xapi', {}, signIn.credential.organisationId), version)
        const sent: JsonObject = { ...one, id: randomUUID() }
        const again = shuffled(sent, randomFrom(seed))
        const answers = [await own.post(sent), await own.post(again), await own.put(sent['id'], again)]
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 204])
        expect(answers[1]?.json).toEqual([sent['id']])
        const found = await own.get(`statements?statementId=${sent['id']}`)
        expect(found.json).toEqual(asReturned(sent, version))
        const { json } = await own.get(`statements?since=${before(found.json.stored)}&until=${found.json.stored}`)
        expect(json.statements.map(({ id }: JsonObject) => id)).toEqual([sent['id']])
        // Nothing was stored behind it either.
        expect((await own.get(`statements?since=${found.json.stored}`)).json.statements).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})

/** One microsecond earlier. */
function before(stored: string): string {
  const [whole = '', digits = ''] = /^(.*\.)(\d{6})Z$/.exec(stored)?.slice(1) ?? []
  return digits === '000000' ? stored : `${whole}${String(Number(digits) - 1).padStart(6, '0')}Z`
}
