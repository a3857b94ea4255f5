// What a store elsewhere is sent, and what is made of its answers, one by one.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { startTarget, testRemoteLrs } from '../../test/support/target.ts'
import type { Target } from '../../test/support/target.ts'
import type { OutgoingStatement, ReadStatement } from '../core/remote-lrs.ts'
import type { XapiVersion } from '../core/xapi/version.ts'

let target: Target
beforeEach(async () => void (target = await startTarget()))

const { signal } = new AbortController()
const voided = { isVoided: true }
const nobody = { user: '', password: '' }
const open = (url = target.url) => testRemoteLrs().open({ url, ...nobody })

function outgoing(version: XapiVersion = '1.0', part: object = {}): OutgoingStatement {
  const id = randomUUID()
  return { id, text: JSON.stringify({ id, ...part }), version, parts: [] }
}

describe('the version header', () => {
  it.each<[XapiVersion, readonly string[], string]>([
    ['1.0', ['1.0.3', '2.0.0'], '1.0.3'],
    ['2.0', ['1.0.3', '2.0.0'], '2.0.0'],
    ['2.0', ['0.95', '1.0.0', '1.0.3'], '1.0.3'],
    ['1.0', ['2.0.0'], '2.0.0'],
    ['2.0', [], '2.0.0'],
    ['1.0', ['nonsense'], '1.0.3'],
  ])('of statements of %s to a store that says it speaks %j is %s', async (family, versions, expected) => {
    target.versions = versions
    expect(await open().deliver([outgoing(family)], signal)).toEqual({ kind: 'delivered', alreadyThere: 0 })
    expect(target.posts[0]?.headers['x-experience-api-version']).toBe(expected)
  })
})

it('a slash behind the address makes no difference, and nobody signs in where nobody is named', async () => {
  await open(`${target.url}//`).deliver([outgoing()], signal)
  expect(target.posts[0]?.headers.authorization).toBeUndefined()
  expect(target.ids).toHaveLength(1)
})

it('the text goes as it is, numbers and escapes included', async () => {
  const id = randomUUID()
  const text = `{"id":"${id}","n":1.0,"big":12345678901234567890,"s":"\\u00e9 😀"}`
  await open().deliver([{ id, text, version: '1.0', parts: [] }], signal)
  expect(target.posts[0]?.text).toBe(`[${text}]`)
})

it.each<[number, string | undefined, string]>([
  [200, '[]', 'refused'],
  [200, 'null', 'refused'],
  [200, '[{"toString":1}]', 'refused'],
  [204, '', 'delivered'],
  [201, '', 'refused'],
  [301, '', 'refused'],
  [400, 'x', 'fewer'],
  [401, '', 'refused'],
  [403, '', 'refused'],
  [404, '', 'refused'],
  [408, '', 'later'],
  [410, '', 'refused'],
  [412, '', 'fewer'],
  [413, '', 'fewer'],
  [415, '', 'fewer'],
  [422, '', 'fewer'],
  [425, '', 'later'],
  [429, '', 'later'],
  [500, '', 'later'],
  [501, '', 'later'],
  [503, '', 'later'],
  [599, '', 'later'],
])('an answer of %i %j to a POST is %s', async (status, body, kind) => {
  target.answering = () => ({ status, ...(body !== undefined && { body }) })
  expect(await open().deliver([outgoing()], signal)).toMatchObject({ kind })
})

it('an answer to a POST that is nested deeply is refused', async () => {
  target.answering = () => ({ status: 200, body: '['.repeat(50_000) + ']'.repeat(50_000) })
  expect(await open().deliver([outgoing()], signal)).toMatchObject({ kind: 'refused' })
})

it('versions that are no text are none', async () => {
  target.versions = [{ toString: 1 } as unknown as string, '1.0.3']
  expect(await open().deliver([outgoing('2.0')], signal)).toMatchObject({ kind: 'delivered' })
  expect(target.posts[0]?.headers['x-experience-api-version']).toBe('1.0.3')
})

describe('Retry-After', () => {
  const delivered = async (value: string) => {
    target.answering = () => ({ status: 503, headers: { 'Retry-After': value } })
    return open().deliver([outgoing()], signal)
  }
  it('may be seconds, a date, or nothing that anybody understands', async () => {
    expect(await delivered('7')).toMatchObject({ afterMs: 7_000 })
    const at = new Date(Date.now() + 60_000).toUTCString()
    const { afterMs = 0 } = (await delivered(at)) as { afterMs?: number }
    expect(afterMs).toBeGreaterThan(50_000)
    expect(afterMs).toBeLessThanOrEqual(60_000)
    expect(await delivered(new Date(0).toUTCString())).toMatchObject({ afterMs: 0 })
    expect(await delivered('soon')).not.toHaveProperty('afterMs')
  })
})

it('what cannot be reached at all is later; what must not be reached is refused, and nobody is asked', async () => {
  await target.stop()
  expect(await open().deliver([outgoing()], signal)).toMatchObject({ kind: 'later' })
  for (const url of ['https://169.254.169.254/xapi', 'https://10.0.0.1/xapi', 'http://[::1]/xapi']) {
    expect(await open(url).deliver([outgoing()], signal)).toMatchObject({ kind: 'refused' })
    expect(await open(url).read({ limit: 1 }, signal)).toMatchObject({ kind: 'refused' })
  }
  await target.start()
})

it('ends at once when it is told to', async () => {
  const stopping = new AbortController()
  target.answering = () => {
    stopping.abort(new Error('stop'))
    return 'lost'
  }
  await expect(open().deliver([outgoing()], stopping.signal)).rejects.toThrow('stop')
})

describe('a conflict', () => {
  it('over a statement that is voided there counts as there', async () => {
    target.answering = () => ({ status: 409 })
    target.reading = (query) => ({ status: query.has('voidedStatementId') ? 200 : 404, body: {} })
    expect(await open().deliver([outgoing()], signal)).toEqual({ kind: 'delivered', alreadyThere: 1 })
  })

  it('is later where the store fails to say what it has', async () => {
    target.answering = () => ({ status: 409 })
    target.reading = () => ({ status: 502, body: {} })
    expect(await open().deliver([outgoing(), outgoing()], signal)).toMatchObject({ kind: 'later' })
  })
})

describe('reading', () => {
  const stored = '2026-01-01T00:00:00.000Z'
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  it.each<[string, unknown]>([
    ['no object', 7],
    ['null', null],
    ['no statements', {}],
    ['an endless more', { statements: [], more: `/xapi/${'x'.repeat(5_000)}` }],
    ['more than any page has', { statements: Array.from({ length: 10_001 }, () => ({ id: randomUUID(), stored })) }],
    ['text', 'hello'],
  ])('refuses %s', async (_, body) => {
    target.reading = () => ({ status: 200, body })
    expect(await open().read({ limit: 10 }, signal)).toMatchObject({ kind: 'refused' })
  })

  it.each<[string, unknown]>([
    ['without an id', { stored }],
    ['with an id that is none', { id: 'x', stored }],
    ['with a stored time with much behind it', { id: randomUUID(), stored: `${stored} (${'x'.repeat(99)})` }],
    ['without stored time', { id: randomUUID() }],
    ['stored before there were any', { id: randomUUID(), stored: '-271821-04-20T00:00:00Z' }],
    ['that is null', null],
    ['that is a list', [[]]],
  ])('sets apart one %s', async (_, odd) => {
    const other = { id: randomUUID(), stored }
    target.reading = () => ({ status: 200, body: { statements: [odd, other] } })
    expect(await open().read({ limit: 10 }, signal)).toMatchObject({
      ...{ kind: 'page', statements: [{ id: other.id }] },
      nameless: [{ record: odd, reason: expect.stringMatching(/^This has no/) }],
    })
  })

  it('sets apart one with nesting that nobody could write again', async () => {
    const body = `{"statements":[{"id":"${randomUUID()}","stored":"${stored}","x":${deep}}]}`
    target.reading = () => ({ status: 200, body })
    const page = await open().read({ limit: 10 }, signal)
    expect(page).toMatchObject({
      kind: 'page',
      statements: [],
      nameless: [{ reason: expect.stringMatching(/nested/) }],
    })
  })

  it('takes a version that is no text as none', async () => {
    const version = { toString: 1 }
    target.reading = () => ({ status: 200, body: { statements: [{ id: randomUUID(), stored, version }] } })
    expect(await open().read({ limit: 10 }, signal)).toMatchObject({ kind: 'page', statements: [{ version: '1.0' }] })
  })

  it('takes attachments that nobody could describe as none', async () => {
    const odd = [7, 'x', [null], [{ sha2: 5 }], { 0: 1 }]
    target.reading = () => ({
      status: 200,
      body: { statements: odd.map((attachments) => ({ id: randomUUID(), stored, attachments })) },
    })
    const page = await open().read({ limit: 10 }, signal)
    expect(page).toMatchObject({ kind: 'page', statements: odd.map(() => expect.anything()) })
  })

  it('asks for the attachments of one statement, and takes what it asked for', async () => {
    const sha2 = 'ab'.repeat(32)
    const part = (hash: string, text: string) =>
      `--b\r\nContent-Type: text/plain\r\nX-Experience-API-Hash: ${hash}\r\n\r\n${text}\r\n`
    const body = `--b\r\nContent-Type: application/json\r\n\r\n{}\r\n${part('cd'.repeat(32), 'no')}${part(sha2, 'yes')}--b--`
    target.reading = (_, request) => {
      expect(request.url).toContain('attachments=true')
      return { status: 200, body, headers: { 'Content-Type': 'multipart/mixed; boundary=b' } }
    }
    const one: ReadStatement = { id: randomUUID(), text: '{}', stored, version: '1.0', sha2s: [sha2] }
    const read = await open().readParts(one, signal)
    if (read.kind !== 'parts') throw new Error(read.reason)
    expect(read.parts).toMatchObject([{ sha2, contentType: 'text/plain', length: 3 }])
    for await (const piece of read.parts[0]!.bytes()) expect(String(piece)).toBe('yes')
  })

  it('finds one that was voided, with its attachments, and says when there is none', async () => {
    const id = randomUUID()
    const sha2 = 'ab'.repeat(32)
    const body = `--b\r\nContent-Type: text/plain\r\nX-Experience-API-Hash: ${sha2}\r\n\r\nyes\r\n--b--`
    target.reading = (query) => {
      if (query.get('voidedStatementId') !== id) return undefined
      if (!query.has('attachments')) return { status: 200, body: { id, stored } }
      return { status: 200, body, headers: { 'Content-Type': 'multipart/mixed; boundary=b' } }
    }
    const found = await open().find(id, voided, signal)
    if (found.kind !== 'found' || !found.statement) throw new Error('not found')
    expect(found.statement).toMatchObject({ id, stored, isVoided: true })
    const { statement } = found
    expect(await open().readParts({ ...statement, sha2s: [sha2] }, signal)).toMatchObject({ parts: [{ sha2 }] })
    for (const isVoided of [true, false]) {
      expect(await open().find(randomUUID(), { isVoided }, signal)).toEqual({ kind: 'found', statement: undefined })
    }
  })

  it.each([
    ['another statement', 200, { id: randomUUID(), stored: '2026-01-02T03:04:05Z' }, 'refused'],
    ['no statement', 200, '<html>', 'refused'],
    ['401', 401, '', 'refused'],
    ['503', 503, '', 'later'],
  ] as const)('%s for one that was voided is an answer of its own kind', async (_, status, body, kind) => {
    target.reading = () => ({ status, body })
    expect(await open().find(randomUUID(), voided, signal)).toMatchObject({ kind })
  })

  it('an answer longer than anybody reads says so', async () => {
    target.reading = () => ({ status: 200, body: `"${'x'.repeat(33 * 1024 * 1024)}"` })
    expect(await open().read({ limit: 1 }, signal)).toMatchObject({ kind: 'later', isTooLong: true })
  })
})
