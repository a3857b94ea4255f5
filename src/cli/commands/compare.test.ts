// Both sides are this program; one of them is doctored on the way.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashOf } from '../../../test/support/multipart.ts'
import { dataPart, multipartBody, boundary, statementsPart } from '../../../test/support/multipart.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { openStage } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import { loadConfig } from '../../config.ts'
import type { OutboundAnswer, OutboundRequest } from '../../core/outbound.ts'
import { OutboundError } from '../../core/outbound.ts'
import type { CommandContext } from '../context.ts'
import { run } from '../run.ts'
import { runAlone } from '../run-alone.ts'

let stage: Stage
let client: Client
let directory: string
const ids: string[] = []
const attachment = 'attached bytes'
beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
  directory = mkdtempSync(join(tmpdir(), 'claviger-compare-'))
  const statements = Array.from({ length: 7 }, (_, at) => aStatement({ object: { id: `urn:a:${at}` } }))
  ids.push(...(await client.post(statements)).json)
  const sha2 = hashOf(attachment)
  const described = {
    usageType: 'urn:u',
    display: { en: 'A' },
    contentType: 'text/plain',
    length: attachment.length,
    sha2,
  }
  const body = multipartBody([
    statementsPart(aStatement({ attachments: [described] })),
    dataPart(attachment, { 'X-Experience-API-Hash': sha2 }),
  ])
  const sent = await client.send('POST', 'statements', {
    body,
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
  })
  ids.push(...sent.json)
  await client.send('PUT', `activities/state?${state}`, { body: { a: 1, b: 2 } })
})
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await stage.close()
})

const state = `activityId=urn:a&stateId=s&agent=${encodeURIComponent('{"mbox":"mailto:a@example.org"}')}`
const list = '/xapi/statements?limit=50'
const attached = '/xapi/statements?attachments=true&limit=1'

interface Doctor {
  status?(status: number, url: URL): number
  json?(json: any, url: URL): unknown
  headers?(headers: Map<string, string>, url: URL): void
  bytes?(bytes: Buffer): Buffer
  before?(request: OutboundRequest): void
}

/** Left is the server as it is, right what the doctor makes of it. */
async function compare(lines: readonly string[] | object, doctor: Doctor = {}, ...more: string[]) {
  const asked: OutboundRequest[] = []
  const request = async (sent: OutboundRequest): Promise<OutboundAnswer> => {
    asked.push(sent)
    const url = new URL(sent.url)
    const isRight = url.host === 'right.example'
    if (isRight) doctor.before?.(sent)
    const answer = await stage.app.request(
      url.pathname + url.search,
      { method: sent.method, headers: sent.headers ?? {} },
      { peer: '10.0.0.1' },
    )
    const headers = new Map(answer.headers)
    let body: Uint8Array = new Uint8Array(await answer.arrayBuffer())
    if (!isRight) return { status: answer.status, headers, body }
    if (doctor.json && headers.get('content-type')?.startsWith('application/json')) {
      body = Buffer.from(JSON.stringify(doctor.json(JSON.parse(Buffer.from(body).toString()), url)))
    }
    if (doctor.bytes) body = doctor.bytes(Buffer.from(body))
    doctor.headers?.(headers, url)
    return { status: doctor.status?.(answer.status, url) ?? answer.status, headers, body }
  }
  const outbound = {
    request,
    problemWith: (url: string) => (url.startsWith('https://') ? undefined : 'it is not https'),
  }
  const file = join(directory, Array.isArray(lines) ? 'requests.txt' : 'requests.har')
  writeFileSync(file, Array.isArray(lines) ? lines.join('\n') : JSON.stringify(lines))
  const printed = { out: '', err: '' }
  const context: CommandContext = {
    config: loadConfig({ CLAVIGER_DATA: '/nowhere', CLAVIGER_BASE_URL: 'https://lrs.example.org' }),
    streams: { out: (text) => void (printed.out += text), err: (text) => void (printed.err += text) },
    stdin: `${client.secret}\n`,
    open: () => Promise.reject(new Error('needs no data')),
    remote: () => ({ outbound }) as never,
  }
  const line = `compare --left https://left.example/xapi/ --right https://right.example/xapi --key ${client.key} --password-stdin`
  const code = await run([...line.split(' '), '--requests', file, '--rate', '10000', ...more], context)
  const text = printed.out + printed.err
  expect(text).not.toContain(client.secret)
  expect(text).not.toContain(Buffer.from(`${client.key}:${client.secret}`).toString('base64'))
  expect(new Set(asked.map(({ method }) => method))).toEqual(new Set(asked.length > 0 ? ['GET'] : []))
  const json = more.includes('--json') && printed.out !== '' ? JSON.parse(printed.out) : undefined
  return { code, ...printed, json, asked }
}

const everything = [
  '/xapi/statements?limit=3',
  '/xapi/statements',
  '/xapi/statements?ascending=true&format=canonical',
  attached,
  `/xapi/activities/state?${state}`,
  '/xapi/activities/state?activityId=urn:a&agent=%7B%22mbox%22%3A%22mailto%3Aa%40example.org%22%7D',
  '/xapi/activities?activityId=urn:a:1',
  '/xapi/agents?agent=%7B%22mbox%22%3A%22mailto%3Asomeone%40example.com%22%7D',
  '/xapi/about',
  '/xapi/statements?limit=nonsense',
  `/xapi/statements?statementId=00000000-0000-4000-8000-000000000000`,
]

it('prints no secret that a side repeats when it refuses', async () => {
  let heard = ''
  const { out } = await compare(['/xapi/about'], {
    before: ({ headers }) => void (heard = headers?.['authorization'] ?? ''),
    status: () => 403,
    bytes: () => Buffer.from(`Nobody is ${heard}, nor ${client.secret}.`),
  })
  expect(heard).toMatch(/^Basic \w+/)
  expect(out).toContain('Nobody is Basic …, nor ….')
})

describe('what is alike', () => {
  it('is said to be, failures on both included', async () => {
    const all = [...everything, `/xapi/statements?statementId=${ids[0]}`, everything[0]!, 'POST /xapi/statements']
    const { code, json, asked } = await compare(all, {}, '--json')
    expect(json).toMatchObject({
      recorded: 13,
      compared: 12,
      equal: 12,
      differing: 0,
      groups: [],
      leftOut: { 'not a GET': 1 },
    })
    expect(code).toBe(0)
    expect(asked.every(({ headers }) => headers?.['x-experience-api-version'] === '1.0.3')).toBe(true)
  })

  it('reads a HAR file, and says in words what it did', async () => {
    const entry = { request: { method: 'GET', url: 'https://old.example/x/statements?limit=2', headers: [] } }
    const { code, out } = await compare({ log: { entries: [entry, entry] } })
    expect(out).toBe('1 different request (2 recorded) asked of both: 1 answered alike, 0 not.\n')
    expect(code).toBe(0)
  })
})

const inList = (change: (statements: any[]) => unknown) => ({
  json: (json: any) => (json.statements ? { ...json, statements: change(json.statements) } : json),
})
const scenes: readonly (readonly [string, string, Doctor, string, boolean])[] = [
  ['a status', list, { status: () => 403 }, 'status: left 200, right 403', true],
  [
    'fewer digits',
    list,
    inList((all) => all.map((one) => ({ ...one, stored: `${one.stored.slice(0, 23)}Z` }))),
    'stored: right has 3 digits of a second, left 6',
    false,
  ],
  ['missing statements', list, inList((all) => all.slice(3)), 'statements are missing on the right', true],
  ['a wrong order', list, inList((all) => all.toReversed()), 'the order differs among equal stored times', false],
  [
    'another authority',
    list,
    inList((all) => all.map((one) => ({ ...one, authority: { mbox: 'mailto:x@example.org' } }))),
    'the authority is another',
    true,
  ],
  [
    'a definition',
    list,
    inList((all) => all.map((one) => ({ ...one, object: { ...one.object, definition: { type: 'urn:t' } } }))),
    'definitions are told differently: one of them merges what it should tell as it was sent',
    true,
  ],
  [
    'a definition in canonical form',
    `${list}&format=canonical`,
    inList((all) => all.map((one) => ({ ...one, object: { ...one.object, definition: { type: 'urn:t' } } }))),
    'definitions are merged differently, which stores may',
    false,
  ],
  ['no list', list, { json: () => [] }, 'right: the answer is no list of statements', true],
  [
    'more that leads away',
    list,
    { json: (json: any) => ({ statements: json.statements.slice(0, 1), more: 'https://evil.example/' }) },
    'right: more leads to another server',
    true,
  ],
  [
    'no Consistent-Through',
    list,
    { headers: (headers) => void headers.delete('x-experience-api-consistent-through') },
    'X-Experience-API-Consistent-Through is missing on the right',
    true,
  ],
  [
    'bytes of an attachment',
    attached,
    { bytes: (bytes) => Buffer.from(bytes.toString('latin1').replace(attachment, 'attached BYTES'), 'latin1') },
    'an attachment has other bytes',
    true,
  ],
  [
    'an entity tag',
    everything[4]!,
    { headers: (headers) => void headers.set('etag', '"other"') },
    'entity tags differ: a client that kept one fetches the document anew before it changes it',
    false,
  ],
  [
    'no entity tag',
    everything[4]!,
    { headers: (headers) => void headers.delete('etag') },
    'ETag is missing on the right',
    true,
  ],
  ['a document', everything[4]!, { json: (json: any) => ({ ...json, b: 3 }) }, 'a document differs', true],
  ['the order of members', everything[4]!, { json: ({ a, b }: any) => ({ b, a }) }, '', false],
  ['bytes of a document', everything[4]!, { bytes: () => Buffer.from('no JSON') }, 'the content differs', true],
  [
    'a type',
    everything[4]!,
    { headers: (headers) => void headers.set('content-type', 'text/plain') },
    'Content-Type differs',
    true,
  ],
  ['ids', everything[5]!, { json: () => ['t'] }, 'documents are missing on the right', true],
  [
    'an activity',
    everything[6]!,
    { json: (json: any) => ({ ...json, definition: { type: 'urn:t' } }) },
    'the definition of an activity is merged differently',
    true,
  ],
  [
    'about',
    everything[8]!,
    { json: (json: any) => (json.version ? { version: ['1.0.3'] } : json) },
    'each says something else about itself',
    false,
  ],
  [
    'nobody there',
    list,
    {
      before: () => {
        throw new OutboundError('connect', 'right.example refused the connection.')
      },
    },
    'right was not reached',
    true,
  ],
]

it('fails where nobody was let in, and says how many were not', async () => {
  const refusedBy = (code: number) => ({ status: () => code })
  const nonsense = ['/xapi/statements?limit=nonsense', '/xapi/statements?limit=none']
  const none = await compare(nonsense)
  expect(none.code).toBe(1)
  expect(none.out).toContain('2 answered alike, 0 not. Refused on both sides alike: 2 with 400.')
  expect(none.err).toContain('no request was answered with content on both sides')
  const some = await compare([...nonsense, list], {}, '--json')
  expect(some.code).toBe(0)
  expect(some.json).toMatchObject({ equal: 3, answered: 1, refused: { 400: 2 } })
  expect(some.err).toContain('2 of 3 requests were refused on both sides')
  const wrong = await compare(['/xapi/about', list], {}, '--secret', 'not-the-secret-0123456789')
  expect(wrong.code).toBe(1)
  expect(wrong.err).toContain('401: are key and secret right?')
  expect((await compare(['/xapi/about'], refusedBy(403))).out).not.toContain('Refused on both')
})

describe('what differs', () => {
  it.each(scenes)('%s', async (_, path, doctor, what, matters) => {
    // About alone is no comparison.
    const { code, json } = await compare(path.endsWith('/about') ? [path, list] : [path], doctor, '--json')
    expect(code).toBe(matters ? 1 : 0)
    expect(json.differing).toBe(matters ? 1 : 0)
    if (what === '') return expect(json.groups).toEqual([])
    expect(json.groups).toContainEqual(expect.objectContaining({ what, matters }))
    expect(json.groups[0].examples[0].request).toContain(path.slice(6, 20))
  })

  it('is gathered: the same of many requests is said once, with the first ones', async () => {
    const paths = Array.from({ length: 20 }, (_, at) => `/xapi/statements?limit=${at + 1}`)
    const { code, out } = await compare(
      paths,
      inList((all) => all.slice(1)),
    )
    expect(code).toBe(1)
    expect(out).toContain('20 different requests (20 recorded) asked of both: ')
    expect(out.match(/statements are missing on the right/g)).toHaveLength(1)
    expect(out).toContain('the first')
  })
})

describe('how it asks', () => {
  it('follows more to a bound, and takes what lies behind it for nothing', async () => {
    // Right gives one statement a page; how far it is, its link says.
    const paged: Doctor = {
      json: (json: any, url) => {
        const at = url.hash === '' ? 0 : Number(url.hash.slice(1))
        const rest = json.statements.slice(at, at + 1)
        return { statements: rest, more: at < 7 ? `${url.pathname}${url.search}#${at + 1}` : '' }
      },
    }
    for (const [pages, asked] of [
      ['3', 4],
      ['20', 9],
    ] as const) {
      const { json, asked: all } = await compare(['/xapi/statements'], paged, '--json', '--pages', pages)
      expect(json).toMatchObject({ differing: 0, groups: [] })
      expect(all).toHaveLength(asked)
    }
    // Of what was asked for, no more.
    expect((await compare(['/xapi/statements?limit=2'], paged, '--json')).asked).toHaveLength(3)
  })

  it('waits where it is asked to, and gives up after a while', async () => {
    let refused = 0
    const once = {
      status: (status: number) => (refused++ === 0 ? 429 : status),
      headers: (headers: Map<string, string>) => void headers.set('retry-after', '0'),
    }
    expect((await compare([list], once, '--json')).json).toMatchObject({ differing: 0 })
    const ever = { status: () => 503, headers: once.headers }
    const { json, asked } = await compare([list], ever, '--json')
    expect(json.groups).toMatchObject([{ what: 'status: left 200, right 503' }])
    expect(asked).toHaveLength(5)
  })

  it.each([
    [['--left', 'http://left.example'], 'it is not https'],
    [['--right', 'https://right.example/xapi?a=b'], 'has a query'],
    [['--concurrency', '0'], '--concurrency'],
    [['--rate', 'fast'], '--rate'],
    [['--xapi-version', 'new'], '--xapi-version'],
    [['--left-key', 'a:b'], 'no colon'],
    [['--requests', '/nowhere.txt'], '/nowhere.txt'],
  ])('refuses %j', async (more, says) => {
    const { code, err, asked } = await compare([list], {}, ...more)
    expect(code).toBe(2)
    expect(err).toContain(says)
    expect(asked).toEqual([])
  })

  it('runs where it is typed, by the settings there and without data', async () => {
    const printed = { out: '', err: '' }
    const streams = {
      out: (text: string) => void (printed.out += text),
      err: (text: string) => void (printed.err += text),
    }
    const config = loadConfig({ CLAVIGER_DATA: join(directory, 'nowhere'), CLAVIGER_OUTBOUND_ALLOW: 'localhost' })
    const line =
      'compare --left http://localhost:1/xapi --right https://localhost:1/xapi --key a --secret chosen-secret-1 --requests none'
    const code = await runAlone({ argv: line.split(' '), directory }, config, streams)
    expect([code, printed.out]).toEqual([2, ''])
    expect(printed.err).toContain('lists localhost for https alone')
    expect(printed.err).toContain('http://localhost')
  })

  it('refuses a file without any request', async () => {
    const { code, err, asked } = await compare(['POST /xapi/statements'])
    expect([code, asked]).toEqual([2, []])
    expect(err).toContain('1 (not a GET)')
    expect((await compare({ log: 1 })).err).toContain('no HAR file')
  })
})
