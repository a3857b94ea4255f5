// Any store, read through xAPI: our own on a real socket, and ones that answer what they should not.

import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { openRemote, serveVendor } from '../../../test/support/vendor.ts'
import type { Vendor } from '../../../test/support/vendor.ts'
import { openStage } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { StatementQuery } from '../../core/storage.ts'
import { xapiImporter } from './importer.ts'
import type { XapiOptions } from './importer.ts'

const bytes = Buffer.from('what was said')
const sha2 = createHash('sha256').update(bytes).digest('hex')
const voiding = { id: 'http://adlnet.gov/expapi/verbs/voided' }

let source: Stage
let target: OpenCore
let client: Client
let vendor: Vendor
let remote: ReturnType<typeof openRemote>

beforeAll(async () => {
  ;[source, target] = [await openStage(), await openCore()]
  target.clock.pass(3_600_000)
  client = await source.as('global')
  vendor = await serveVendor(source.app)
  remote = openRemote()
})
afterAll(async () => {
  remote.close()
  await vendor.close()
  await Promise.all([source.close(), target.close()])
})
const waits: number[] = []
beforeEach(() => {
  vendor.answering = undefined
  vendor.asked.length = 0
  waits.length = 0
})

type To = { readonly organisationId: OrganisationId; readonly lrsId: LrsId }
const into = async (): Promise<To> => {
  const { organisationId, lrsId } = await target.addOrganisation()
  return { organisationId, lrsId }
}
const importer = (to: To, options: Partial<XapiOptions> = {}) =>
  xapiImporter({
    ...{ door: remote.door, url: `${vendor.url}/xapi/`, key: client.key, secret: client.secret, to, perMinute: 60_000 },
    wait: async (ms) => void (ms > 5 && waits.push(ms)),
    ...options,
  })

const read = async ({ organisationId, lrsId }: To) => {
  const caller = target.core.signIn.operator(organisationId, 'test')
  const made = await target.core.credentials.create(caller, {
    name: 'Reader',
    rights: { xapi: { 'statements/read': 'any' }, management: [] },
  })
  const principal = await target.signIn(made)
  return {
    list: async () => {
      const found: Record<string, unknown>[] = []
      for (let cursor: StatementQuery['cursor'] | undefined; ;) {
        const query = { filters: [], isAscending: true, limit: 1_000, ...(cursor !== undefined && { cursor }) }
        const { statements, next } = await target.core.statements.list(principal, lrsId, query)
        found.push(...statements.map(({ body }) => JSON.parse(body) as Record<string, unknown>))
        if (next === undefined) return found
        cursor = next
      }
    },
    get: (id: string, isVoided = false) =>
      target.core.statements.get(principal, lrsId, id, { isVoided, withAttachments: true }),
  }
}

describe('a store of ours', () => {
  const ids: string[] = []
  const [voided, foreign, file] = [randomUUID(), randomUUID(), randomUUID()]
  let to: To

  beforeAll(async () => {
    to = await into()
    for (let batch = 0; batch < 3; batch++) {
      const some = Array.from({ length: 400 }, () => randomUUID())
      ids.push(...some)
      expect((await client.post(some.map((id) => aStatement({ id, result: { score: { raw: 1.5 } } })))).status).toBe(
        200,
      )
    }
    const ref = (id: string) => ({ objectType: 'StatementRef', id })
    await client.post([
      aStatement({ id: voided, authority: { mbox: 'mailto:lrs@example.org' } }),
      aStatement({ id: foreign }),
    ])
    await client.post(aStatement({ verb: voiding, object: ref(voided) }))
    // An isolated key's voiding of another's statement has no effect.
    const isolated = await source.as('isolated')
    await isolated.post(aStatement({ verb: voiding, object: ref(foreign) }))
    const attachments = [
      {
        usageType: 'https://example.org/f',
        display: { en: 'f' },
        contentType: 'text/plain',
        length: bytes.length,
        sha2,
      },
    ]
    const parts = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(aStatement({ id: file, attachments }))}\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ${sha2}\r\n\r\n${bytes}\r\n--b--`
    const sent = await client.send('POST', 'statements', {
      body: Buffer.from(parts),
      headers: { 'Content-Type': 'multipart/mixed; boundary=b' },
    } as never)
    expect([sent.status, sent.text]).toEqual([200, expect.anything()])
  })

  it('is brought in whole, stopped in between, with what was voided', async () => {
    const stop = new AbortController()
    const stopped = await runOn(target.core, importer(to), { signal: stop.signal, onStage: () => stop.abort() })
    expect(stopped.report).toMatchObject({ isFinished: false })
    const asked = vendor.asked.length
    const { report, rejected } = await runOn(target.core, importer(to))
    expect(rejected).toEqual([])
    expect(report).toMatchObject({ isFinished: true, isResumed: true })
    expect(report.kinds).toMatchObject({ statements: { read: 1205, stored: 1205 }, attachments: { stored: 1 } })
    expect(
      vendor.asked
        .slice(asked)
        .filter((one) => one.includes('ascending'))
        .every((one) => !one.includes('limit=500&since')),
    ).toBe(true)
    const theirs = await client.idsOf('ascending=true&limit=500')
    const { list, get } = await read(to)
    const ours = await list()
    expect(ours.map(({ id }) => id)).toEqual(theirs)
    const { json } = await client.get(`statements?statementId=${ids[0]}`)
    expect(ours[0]).toEqual(json)
    expect((await get(voided, true)).statement.body).toContain('mailto:lrs@example.org')
    expect((await get(foreign)).statement.body).toContain(foreign)
    expect((await get(file)).statement.attachments).toEqual([{ sha2, contentType: 'text/plain' }])
  })

  it('is known the second time; --since brings what is new', async () => {
    const again = await runOn(target.core, importer(to))
    expect(again.report.kinds.statements).toMatchObject({ read: 1205, there: 1205, stored: 0 })
    source.clock.pass(60_000)
    const since = new Date(source.clock.now() - 1_000).toISOString()
    await client.post(aStatement())
    const { report } = await runOn(target.core, importer(to, { since }))
    expect(report.kinds.statements).toMatchObject({ read: 1, stored: 1 })
  })

  it('all may be one key’s', async () => {
    const other = await into()
    const caller = target.core.signIn.operator(other.organisationId, 'test')
    const { credential } = await target.core.credentials.create(caller, {
      name: 'Owner',
      rights: { xapi: {}, management: [] },
    })
    await runOn(target.core, importer(other, { owner: credential }))
    const { items } = await target.core.credentials.list(caller, {}, { offset: 0, limit: 9 })
    expect(items.map(({ name }) => name)).toEqual(['Owner'])
  })

  it('a key that reads nothing there is told so, and its secret to nobody', async () => {
    const work = runOn(target.core, importer(to, { secret: 'wrong-wonder' }))
    await expect(work).rejects.toThrow(/^(?!.*wrong-wonder).*answered 401/)
    expect(() => importer(to, { url: 'http://10.0.0.1/xapi' })).toThrow(/Nobody is asked/)
    expect(() => importer(to, { url: `${vendor.url}/xapi?x=1` })).toThrow(/has a query/)
  })
})

describe('a store that is not what it should be', () => {
  let to: To
  beforeAll(async () => void (to = await into()))
  const stored = '2025-01-02T03:04:05.000Z'
  const one = (id: string = randomUUID(), changes: object = {}) =>
    aStatement({ id, stored, version: '1.0.0', ...changes })
  const pages = (answer: (query: URLSearchParams, count: number) => unknown, status = 200): void => {
    let count = 0
    vendor.answering = (path) => {
      if (path.includes('/about')) return { status: 200, body: { version: ['1.0.3'] } }
      const body = answer(new URL(path, vendor.url).searchParams, ++count)
      return body === undefined ? { status: 404, body: {} } : { status, body }
    }
  }

  it.each<[string, (count: number) => unknown, RegExp]>([
    ['no JSON', () => '<html>', /does not answer as a store of statements does/],
    ['no statements', () => ({ more: '' }), /does not answer as a store of statements does/],
    [
      'the same page again and again',
      () => ({ statements: [one('10000000-0000-4000-8000-000000000001')], more: `/xapi/statements?c=${randomUUID()}` }),
      /without end/,
    ],
    [
      'an address that leads to itself',
      () => ({ statements: [one()], more: '/xapi/statements?more=same' }),
      /without end/,
    ],
    ['empty pages without end', (count) => ({ statements: [], more: `/xapi/statements?c=${count}` }), /without end/],
    [
      'another server that goes on',
      () => ({ statements: [one()], more: 'http://elsewhere.example/' }),
      /another server goes on/,
    ],
  ])('%s', async (_, body, pattern) => {
    pages((__, count) => body(count))
    await expect(runOn(target.core, importer(to), { isDryRun: true })).rejects.toThrow(pattern)
  })

  it('asks for less where an answer is too long, down to one', async () => {
    const long = 'x'.repeat(33 * 1024 * 1024)
    const limits: string[] = []
    pages((query) => {
      const limit = query.get('limit') ?? ''
      limits.push(limit)
      return Number(limit) > 50 ? `"${long}"` : { statements: [one()], more: '' }
    })
    const { report } = await runOn(target.core, importer(to), { isDryRun: true })
    expect(report.kinds.statements).toMatchObject({ checked: 1 })
    expect(limits).toEqual(['500', '125', '32'])
  })

  it('begins a page anew whose address is gone, from what was stored last', async () => {
    const asked: string[] = []
    const [first, second] = [one(), one(randomUUID(), { stored: '2025-01-02T03:04:06.5Z' })]
    pages((query) => {
      asked.push(query.get('since') ?? query.get('gone') ?? '')
      if (query.has('gone')) return undefined
      return query.has('since')
        ? { statements: [second], more: '' }
        : { statements: [first, second], more: '/xapi/statements?gone=yes' }
    })
    const { report } = await runOn(target.core, importer(to), { isDryRun: true })
    expect(asked).toEqual(['', 'yes', '2025-01-02T03:04:06.499Z'])
    expect(report.kinds.statements).toMatchObject({ checked: 3 })
  })

  it('what breaks the rules is rejected, the rest is not; every request is polite', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()]
    let refusals = 0
    const answer = () => ({
      statements: [
        one(ids[0]),
        one(ids[1], { verb: { id: 'no iri' } }),
        one(ids[2], { stored: '2999-01-01T00:00:00Z' }),
      ],
      more: '',
    })
    pages(answer)
    const asPages = vendor.answering!
    vendor.answering = (path, request) =>
      ++refusals <= 2 ? { status: 503, body: '', headers: { 'Retry-After': '7' } } : asPages(path, request)
    const { report, rejected } = await runOn(target.core, importer(to))
    expect(report.kinds.statements).toMatchObject({ read: 3, stored: 1, rejected: 2 })
    expect(rejected.map(({ id }) => id)).toEqual([ids[1], ids[2]])
    expect(waits).toContain(7_000)
  })

  it('what has no id, or no stored time, keeps no other of its page out', async () => {
    const [first, nobody, second] = [one(), one(), one()]
    const { id: _, ...nameless } = aStatement({ stored }) as Record<string, unknown>
    const never = { ...nobody, stored: undefined }
    pages((query) =>
      query.has('next')
        ? { statements: [null], more: '' }
        : { statements: [first, nameless, never, second], more: '/xapi/statements?next=1' },
    )
    const { report, rejected } = await runOn(target.core, importer(to))
    expect(report).toMatchObject({ isFinished: true, kinds: { statements: { read: 5, stored: 2, rejected: 3 } } })
    expect(rejected).toMatchObject([
      { line: 3, reason: 'This has no id.', record: { stored } },
      { line: 4, reason: 'This has no stored time.', record: { verb: {} } },
      { line: 5, reason: 'This has no id.', record: null },
    ])
  })

  it('a voided statement that may not be read is left out, and said', async () => {
    const object = { objectType: 'StatementRef', id: randomUUID() }
    vendor.answering = (path) => {
      if (path.includes('/about')) return { status: 200, body: { version: ['1.0.3'] } }
      if (path.includes('voidedStatementId')) return { status: 403, body: {} }
      return { status: 200, body: { statements: [one(randomUUID(), { verb: voiding, object })], more: '' } }
    }
    const { report } = await runOn(target.core, importer(to))
    expect(report.kinds.statements).toMatchObject({ read: 1, stored: 1 })
    expect(report.warnings).toEqual([expect.stringMatching(/Voided statements of .* are left out/)])
  })

  it('an attachment whose data does not come is rejected, its statement is not', async () => {
    const attachments = [
      { usageType: 'https://example.org/f', display: { en: 'f' }, contentType: 'text/plain', length: 1, sha2 },
    ]
    pages((query) =>
      query.has('attachments') ? one() : { statements: [one(randomUUID(), { attachments })], more: '' },
    )
    const { report } = await runOn(target.core, importer(to, { since: stored }))
    expect(report.kinds).toMatchObject({ statements: { stored: 1 }, attachments: { rejected: 1 } })
  })
})
