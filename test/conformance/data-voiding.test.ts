// Data 2.3.2: voiding, whichever statement came first.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStage, statement, voiding } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

/** `plain`, `voided`, or `absent`. */
async function stateOf(id: string): Promise<string> {
  const plain = await client.get(`statements?statementId=${id}`)
  const asVoided = await client.get(`statements?voidedStatementId=${id}`)
  const statuses = `${plain.status} ${asVoided.status}`
  return { '200 404': 'plain', '404 200': 'voided', '404 404': 'absent' }[statuses] ?? statuses
}

describe('voiding', () => {
  it.each([
    ['after its target', (one: object, other: object) => [[one], [other]]],
    ['before its target', (one: object, other: object) => [[other], [one]]],
    ['with its target', (one: object, other: object) => [[one, other]]],
    ['with its target, ahead of it', (one: object, other: object) => [[other, one]]],
  ])('XAPI-00018 takes effect when it comes %s', async (_, order) => {
    const one = statement()
    const other = voiding(one.id)
    for (const batch of order(one, other)) expect((await client.post(batch)).status).toBe(200)
    expect([await stateOf(one.id), await stateOf(other.id)]).toEqual(['voided', 'plain'])
  })

  it.each([
    ['later', false],
    ['earlier', true],
  ])('XAPI-00016 does not void a voiding statement, %s', async (_, isEarlier) => {
    const one = statement()
    const first = voiding(one.id)
    const second = voiding(first.id)
    for (const each of isEarlier ? [second, first, one] : [one, first, second]) await client.post(each)
    expect([await stateOf(one.id), await stateOf(first.id), await stateOf(second.id)]).toEqual([
      'voided',
      'plain',
      'plain',
    ])
  })

  it('XAPI-00018 other verbs that refer to a statement leave it alone', async () => {
    const one = statement()
    await client.post([one, voiding(one.id, { verb: { id: 'http://example.org/verbs/voided' } })])
    expect(await stateOf(one.id)).toBe('plain')
  })

  it('XAPI2-14 XAPI-00018 of an unknown statement is accepted', async () => {
    const other = voiding(randomUUID())
    expect((await client.post(other)).status).toBe(200)
    expect(await stateOf(other.id)).toBe('plain')
  })
})
