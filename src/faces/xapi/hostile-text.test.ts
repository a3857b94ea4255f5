// Text that a database may not take: U+0000, lone surrogates, identifiers longer than an index entry may be, in every place where
// somebody else's text reaches the store. Stored and found again or refused, never a failure of ours.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStage } from '../../../test/support/xapi.ts'
import { randomUUID } from 'node:crypto'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let client: Client
beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

type Json = { readonly [name: string]: unknown }
const ann = { mbox: 'mailto:ann@example.org' }
const verb = { id: 'https://example.org/did' }
const object = { id: 'https://example.org/it' }
const sha2 = 'ab'.repeat(32)

/** Code units that are no text everywhere. In JSON they arrive escaped, in a query as what a client makes of them. */
const hostile = ['a\0b', '\ud800', '\udc00x', '\uffff\ufffe', '\u{10ffff}', '\u202e\u200b', "';--\\", '%00', '\\u0000']
/** 8,000 characters that no compression makes short. */
const long = Array.from({ length: 250 }, () => randomUUID().replaceAll('-', '')).join('')

/** As a client sends it that has to write UTF-8. */
const sendable = (text: string): string => Buffer.from(text).toString()

const fine = (answer: Answer, what: unknown): void => {
  expect(answer.status, `${JSON.stringify(what)}: ${answer.text}`).toBeLessThan(500)
  expect(stage.logged).toEqual([])
}

/** A statement with the text in one place after the other. */
function statementsWith(text: string): readonly Json[] {
  const base = { actor: ann, verb, object }
  const account = { account: { homePage: `https://example.org/${text}`, name: 'a' } }
  return [
    { ...base, actor: { ...ann, name: text } },
    { ...base, actor: { mbox: `mailto:${text}@example.org` } },
    { ...base, actor: { openid: `https://example.org/${text}` } },
    { ...base, actor: { account: { homePage: 'https://example.org', name: text } } },
    { ...base, actor: account },
    { ...base, verb: { id: `https://example.org/${text}`, display: { en: text } } },
    { ...base, verb: { ...verb, display: { en: text } } },
    { ...base, verb: { ...verb, display: { [text]: 'x' } } },
    { ...base, object: { id: `urn:${text}`, definition: { name: { en: text } } } },
    { ...base, object: { ...object, definition: { name: { en: text }, description: { en: text } } } },
    { ...base, object: { ...object, definition: { extensions: { [`https://example.org/${text}`]: text } } } },
    { ...base, object: { ...object, definition: { extensions: { 'https://example.org/x': { [text]: text } } } } },
    { ...base, result: { response: text } },
    { ...base, context: { platform: text, language: text } },
    { ...base, context: { platform: text } },
    { ...base, context: { registration: text } },
    { ...base, context: { contextActivities: { parent: [{ id: `urn:${text}` }] } } },
    { ...base, context: { extensions: { 'https://example.org/x': text } } },
    { ...base, id: text },
    { ...base, [text]: 1 },
    { ...base, attachments: [describe({ contentType: text })] },
    { ...base, attachments: [describe({ contentType: `text/plain; a="${text}"` })] },
    { ...base, attachments: [describe({ display: { en: text } })] },
    { ...base, attachments: [describe({ fileUrl: `https://example.org/${text}` })] },
    { ...base, attachments: [describe({ sha2: text })] },
  ]
}

function describe(part: Json): Json {
  const fileUrl = 'https://example.org/file'
  return { usageType: 'urn:use', display: { en: 'x' }, contentType: 'a/b', length: 1, sha2, fileUrl, ...part }
}

it.each([...hostile, long])('in statements: %j', async (text) => {
  for (const one of statementsWith(text)) {
    const answer = await client.post(one)
    fine(answer, one)
    if (answer.status !== 200) continue
    const [id] = answer.json as string[]
    const stored = await client.get(`statements?statementId=${id}`)
    expect(stored.status).toBe(200)
    expect(stored.json).toMatchObject(one)
    fine(await client.get(`statements?statementId=${id}&attachments=true`), one)
  }
  expect((await client.get('statements?limit=50')).status).toBe(200)
})

const names = ['agent', 'verb', 'activity', 'registration', 'statementId', 'since', 'until', 'limit', 'cursor', 'more']
it.each([...hostile, long])('in queries: %j', async (text) => {
  const agent = (part: Json) => `agent=${encodeURIComponent(JSON.stringify(part))}`
  const iri = encodeURIComponent(`https://example.org/${sendable(text)}`)
  const values = [encodeURIComponent(sendable(text)), iri, '%00', '%ED%A0%80', '%ff']
  for (const value of values) {
    for (const name of names) fine(await client.get(`statements?${name}=${value}`), [name, value])
    for (const name of ['activityId', 'agent']) {
      for (const path of ['activities', 'agents', 'activities/state', 'activities/profile', 'agents/profile']) {
        fine(await client.get(`${path}?${name}=${value}`), [path, name, value])
      }
    }
  }
  for (const part of [
    { mbox: `mailto:${text}@example.org` },
    { account: { homePage: 'https://example.org', name: text } },
    { ...ann, name: text },
  ]) {
    fine(await client.get(`statements?${agent(part)}`), part)
    fine(await client.get(`agents?${agent(part)}`), part)
    fine(await client.get(`agents/profile?${agent(part)}`), part)
  }
})

it.each([...hostile, long])('in documents: %j', async (text) => {
  const written = encodeURIComponent(sendable(text))
  const agentOf = (part: Json) => encodeURIComponent(JSON.stringify(part))
  const places = [written, '%00', 'a%00b', '%ED%A0%80', '%ff'].flatMap((value) => [
    `activities/profile?activityId=https://example.org/a&profileId=${value}`,
    `activities/profile?activityId=https://example.org/${value}&profileId=one`,
    `activities/state?activityId=https://example.org/a&agent=${agentOf(ann)}&stateId=${value}`,
    `activities/state?activityId=https://example.org/a&agent=${agentOf(ann)}&stateId=one&registration=${value}`,
  ])
  for (const part of [{ account: { homePage: 'https://example.org', name: text } }, { mbox: `mailto:${text}@a.org` }]) {
    places.push(`agents/profile?agent=${agentOf(part)}&profileId=one`)
  }
  for (const path of places) {
    const put = await client.send('PUT', path, { body: '{"a":"\\u0000\\ud800"}', headers: { 'If-None-Match': '*' } })
    fine(put, path)
    const found = await client.get(path)
    fine(found, path)
    if (put.status !== 204) continue
    expect(found.text).toBe('{"a":"\\u0000\\ud800"}')
    fine(await client.send('POST', path, { body: `{"b":${JSON.stringify(text)}}` }), path)
    const { etag } = Object.fromEntries((await client.get(path)).headers) as { etag: string }
    const merged = await client.send('DELETE', path, { headers: { 'If-Match': etag } })
    expect(merged.status).toBe(204)
  }
  for (const type of [`text/${text}`, `text/plain; a=${text}`, 'text/plain; a="\xff"', 'text/plain;\x80']) {
    const path = 'agents/profile?agent=' + agentOf(ann) + '&profileId=type'
    const sent = client.send('PUT', path, { body: 'x', headers: { 'content-type': type, 'If-None-Match': '*' } })
    // Some are no header at all.
    const answer = await sent.catch(() => undefined)
    if (answer === undefined) continue
    fine(answer, type)
    fine(await client.get(path), type)
    fine(await client.send('DELETE', path), type)
  }
})

it('finds what has an identifier of 8,000 characters by it, and its documents', async () => {
  const iri = `https://example.org/found/${long}`.slice(0, 8_192)
  const actor = { account: { homePage: iri, name: long } }
  const sent = { actor, verb: { id: iri }, object: { id: iri, definition: { name: { en: 'long' } } } }
  const { json } = await client.post(sent)
  const [id] = json as string[]
  const agent = encodeURIComponent(JSON.stringify(actor))
  for (const query of [`agent=${agent}`, `verb=${iri}`, `activity=${iri}`, `agent=${agent}&verb=${iri}`]) {
    expect(await client.idsOf(query), query.slice(0, 20)).toEqual([id])
  }
  expect((await client.get(`activities?activityId=${iri}`)).json.definition.name).toEqual({ en: 'long' })
  const scope = `activities/state?activityId=${iri}&agent=${agent}`
  const ids = ['x', 'y'].map((end) => long.slice(0, 8_000 - 1) + end)
  for (const stateId of ids)
    expect((await client.send('PUT', `${scope}&stateId=${stateId}`, { body: '1' })).status).toBe(204)
  expect((await client.get(scope)).json).toEqual(ids)
  expect((await client.get(`${scope}&stateId=${ids[1]}`)).text).toBe('1')
})
