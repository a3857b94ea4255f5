// Headers of documents: what comes in as one, from a form as well, must be able to go out as one; preconditions of any length
// are looked at once, and only of who may write.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'
import type { Call } from './call.ts'
import { preconditionsOf } from './preconditions.ts'

let stage: Stage
let client: Client
beforeAll(async () => {
  stage = await openStage()
  client = clientOf(stage.app, await stage.as('xapi'), '1.0.3')
})
afterAll(() => stage.close())

const named = { activityId: 'https://example.org/a', agent: '{"mbox":"mailto:ann@example.org"}', stateId: 'one' }
const path = `activities/state?${new URLSearchParams(named).toString()}`

function inForm(method: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ ...named, ...fields }).toString()
  return client.send('POST', `activities/state?method=${method}`, { body, headers })
}

const failuresOf = ({ status, json }: Answer): unknown => [
  status,
  json.failures.map(({ pointer, rule }: { pointer: string; rule: string }) => `${pointer} ${rule}`),
]

describe('a Content-Type that no header can hold', () => {
  it.each(['text/☃', 'text/plain;☃', 'a/b\r\nSet-Cookie: c', 'a/b;\0', 'a/b;\x7f', ' ', 'text'])(
    'is refused out of a form, and nothing stored: %j',
    async (type) => {
      const refused = await inForm('PUT', { content: 'x', 'Content-Type': type })
      expect(failuresOf(refused)).toEqual([400, ['Content-Type: claviger/content-type']])
      expect((await client.get(path)).status).toBe(404)
    },
  )

  it('is refused in a header', async () => {
    const headers = { 'content-type': 'text' }
    const refused = await client.send('PUT', path, { body: 'x', headers })
    expect(failuresOf(refused)).toEqual([400, ['Content-Type: claviger/content-type']])
  })
})

it('a 304 says the type, which may be another than its reader knows', async () => {
  await client.send('PUT', path, { body: 'x', headers: { 'content-type': 'text/plain' } })
  const tag = (await client.get(path)).headers.get('ETag') ?? ''
  await client.send('PUT', path, { body: 'x', headers: { 'content-type': 'text/html', 'if-match': tag } })
  const { status, headers } = await client.get(path, { 'if-none-match': tag })
  expect([status, headers.get('ETag'), headers.get('Content-Type')]).toEqual([304, tag, 'text/html'])
})

describe('preconditions', () => {
  const read = (text: string) =>
    preconditionsOf({ header: (name: string) => (name === 'If-Match' ? text : undefined) } as Call)

  it.each([
    ['"a"', ['a']],
    [' , W/"a" ,, "b,c" ,', ['a', 'b,c']],
    ['""', ['']],
  ])('read %s', (text, ifMatch) => expect(read(text)).toEqual({ ifMatch }))

  it.each(['a', '"a" "b"', '"a""b"', ',', '"a', 'w/"a"', '"a" W/', '*, "a"'])('refuse %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid' }))
  })

  // A pattern that tries every way to share the blanks among its parts would be at it for hours.
  it.each([
    `"a"${' '.repeat(1_000_000)}x`,
    `"a"${'\t ,'.repeat(500_000)}x`,
    '"'.repeat(1_000_001),
    'W/'.repeat(500_000),
  ])('are looked at once, whatever their length (%#)', (text) =>
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid' })),
  )

  it.each(['PUT', 'POST', 'DELETE'])('of a %s are read only of who may write', async (method) => {
    const reader = await stage.as('read-only')
    const headers = { 'if-match': 'malformed' }
    const body = method === 'DELETE' ? undefined : {}
    expect((await reader.send(method, path, { body, headers })).status).toBe(403)
    expect((await client.send(method, path, { body, headers })).status).toBe(400)
  })
})
