// Communication 1.1: whatever can be got can be headed, with the same status and headers and without a body. And every
// resource understands the alternate request syntax.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let client: Client
const one = statement()
const agent = JSON.stringify(one['actor'])
const activityId = 'http://example.org/activities/one'
const state = { activityId, agent, stateId: 'one' }

beforeAll(async () => {
  stage = await openStage()
  client = clientOf(stage.app, await stage.as('xapi'), '1.0.3')
  await client.post(one)
  await client.send('PUT', `activities/state?${new URLSearchParams(state).toString()}`, { body: { a: 1 } })
})
afterAll(() => stage.close())

const resources: readonly (readonly [path: string, params: Readonly<Record<string, string>>, status: number])[] = [
  ['statements', {}, 200],
  ['statements', { statementId: one.id }, 200],
  ['statements', { statementId: one.id, attachments: 'true' }, 200],
  ['statements', { statementId: activityId }, 400],
  ['activities', { activityId }, 200],
  ['agents', { agent }, 200],
  ['activities/state', state, 200],
  ['activities/state', { activityId, agent }, 200],
  ['activities/profile', { activityId }, 200],
  ['activities/profile', { activityId, profileId: 'none' }, 404],
  ['agents/profile', { agent }, 200],
  ['about', {}, 200],
  ['nothing', {}, 404],
]

/** Without what differs from one request to the next. */
function headersOf(headers: Headers): Record<string, string> {
  const all = Object.fromEntries(headers)
  for (const name of ['x-request-id', 'x-experience-api-consistent-through', 'transfer-encoding']) delete all[name]
  // A boundary is drawn anew.
  if (all['content-type']?.startsWith('multipart/')) all['content-type'] = 'multipart'
  return all
}

describe.each(resources)('%s %j', (path, params, status) => {
  const url = `${path}?${new URLSearchParams(params).toString()}`

  it('XAPI-00125 XAPI-00126 HEAD is GET without a body', async () => {
    const got = await client.get(url)
    const head = await client.send('HEAD', url)
    expect([got.status, head.status, head.text]).toEqual([status, status, ''])
    if (status >= 400) expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(got.text)))
    const { 'content-length': length, ...headers } = headersOf(head.headers)
    const { 'content-length': _, ...expected } = headersOf(got.headers)
    expect(headers).toEqual(expected)
    if (length !== undefined) expect(length).toBe(String(Buffer.byteLength(got.text)))
  })

  it('XAPI-00336 GET in a form is GET', async () => {
    const got = await client.get(url)
    const body = new URLSearchParams({ ...params, 'X-Experience-API-Version': '1.0.3' }).toString()
    const answer = await client.send('POST', `${path}?method=GET`, {
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([answer.status, headersOf(answer.headers)]).toEqual([status, headersOf(got.headers)])
    if (status === 200 && answer.json !== undefined) expect(answer.json).toEqual(got.json)
  })
})
