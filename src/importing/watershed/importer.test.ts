// Our own face on a real socket is the service: what it has is brought in, and hostile answers are refused in words.

import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { openRemote, serveVendor } from '../../../test/support/vendor.ts'
import type { Vendor } from '../../../test/support/vendor.ts'
import { credentialOf, openWorld } from '../../../test/support/watershed.ts'
import type { Login, World } from '../../../test/support/watershed.ts'
import type { IssuedCredential } from '../../core/credential.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import { oidFor } from '../owners.ts'
import { watershedImporter } from './importer.ts'
import type { WatershedOptions } from './importer.ts'

const there = 4711 as OrganisationId
const bytes = Buffer.from('what was said')
const sha2 = createHash('sha256').update(bytes).digest('hex')

let source: World
let target: OpenCore
let vendor: Vendor
let remote: ReturnType<typeof openRemote>
let keys: Readonly<Record<'api' | 'app' | 'other', IssuedCredential>>
let operator: Caller
const ids = { app: randomUUID(), api: randomUUID(), voided: randomUUID(), voiding: randomUUID(), file: randomUUID() }

beforeAll(async () => {
  ;[source, target] = [await openWorld(), await openCore()]
  target.clock.pass(3_600_000)
  await source.core.organisations.create({ operator: 'test' }, { name: 'Acme', id: there })
  operator = source.operator(there)
  const make = (name: string, words: Parameters<typeof credentialOf>[0], isEnabled = true) =>
    source.core.credentials.create(operator, { ...credentialOf(words), name, isEnabled })
  keys = {
    api: await make('Administration', { lrsAccess: 'global', watershedApiAccess: 'enabled' }),
    app: await make('App', { lrsAccess: 'isolated' }),
    other: await make('Other', { lrsAccess: 'writeOnly' }, false),
  }
  await store(keys.app, aStatement({ id: ids.app }))
  await store(keys.api, aStatement({ id: ids.api }))
  await store(keys.app, aStatement({ id: ids.voided }))
  const object = { objectType: 'StatementRef', id: ids.voided }
  await store(keys.app, aStatement({ id: ids.voiding, verb: { id: 'http://adlnet.gov/expapi/verbs/voided' }, object }))
  const attachments = [
    { usageType: 'https://example.org/f', display: { en: 'f' }, contentType: 'text/plain', length: bytes.length, sha2 },
  ]
  await store(keys.app, aStatement({ id: ids.file, attachments }), true)
  vendor = await serveVendor(source.app)
  remote = openRemote()
})
afterAll(async () => {
  remote.close()
  await vendor.close()
  await Promise.all([source.close(), target.close()])
})
beforeEach(() => {
  vendor.answering = undefined
  vendor.asked.length = 0
  waits.length = 0
})

async function store(as: Login, statement: object, withFile = false): Promise<void> {
  const headers = { 'X-Experience-API-Version': '1.0.3' }
  const path = `/api/organizations/${there}/lrs/statements`
  const part = `--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ${sha2}\r\n\r\n${bytes}\r\n--b--`
  const body = `--b\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(statement)}\r\n${part}`
  const sent = withFile
    ? { as, body, headers: { ...headers, 'Content-Type': 'multipart/mixed; boundary=b' } }
    : { as, json: statement, headers }
  const { status, text } = await source.ask('POST', path, sent)
  if (status !== 200) throw new Error(text)
}

const waits: number[] = []
const importer = (options: Partial<WatershedOptions> = {}) =>
  watershedImporter({
    ...{ outbound: remote.outbound, door: remote.door, url: vendor.url, organisation: there, perMinute: 60_000 },
    ...{ login: { key: keys.api.key, secret: keys.api.secret }, withStatements: true },
    wait: async (ms) => void (ms > 5 && waits.push(ms)),
    ...options,
  })
const listed = async (organisation = there) => {
  const caller = target.core.signIn.operator(organisation, 'test')
  return (await target.core.credentials.list(caller, {}, { offset: 0, limit: 100 })).items
}

describe('before anything is stored', () => {
  const refusedWith = async (options: Partial<WatershedOptions>, pattern: RegExp) => {
    const organisations = async () =>
      (await target.core.organisations.list({ operator: 'test' }, { offset: 0, limit: 9 })).total
    const before = [await organisations(), await target.events()]
    await expect(runOn(target.core, importer(options))).rejects.toThrow(pattern)
    expect([await organisations(), await target.events()]).toEqual(before)
  }

  it('an id that somebody has here is told', async () => {
    const first = source.operator(source.organisation)
    const words = credentialOf({ lrsAccess: 'global', watershedApiAccess: 'enabled' })
    const login = await source.core.credentials.create(first, { ...words, name: 'First' })
    await refusedWith(
      { organisation: source.organisation, login },
      /The id 1 is that of an organisation here, First\. --into 1/,
    )
    await refusedWith({ into: 77 as OrganisationId }, /There is no organisation 77 here/)
  })

  it('so is one that came from elsewhere with the oid that this import gives', async () => {
    const other = await openCore()
    try {
      const oid = oidFor(`watershed organization ${vendor.url}/api/organizations/${there} ${there}`)
      await other.core.organisations.create({ operator: 'test' }, { id: there, oid, name: 'Stranger' })
      await expect(runOn(other.core, importer())).rejects.toThrow(/is that of an organisation here, Stranger/)
    } finally {
      await other.close()
    }
  })

  it('a wrong secret, or an address that must not be asked, is told, and no secret with it', async () => {
    await refusedWith({ login: { key: keys.api.key, secret: 'wrong-wonder' } }, /^(?!.*wrong-wonder).*answered 401/)
    expect(() => importer({ url: 'http://169.254.169.254' })).toThrow(/Nobody is asked at this address/)
    expect(() => importer({ url: 'nowhere' })).toThrow(/Nobody is asked at this address/)
  })

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '<html>', /something else than a JSON object/],
    ['a list', [], /something else than a JSON object/],
    ['no results', { count: 1 }, /has no results/],
    ['results that are none', { count: 1, results: 'x' }, /has no results/],
    ['more than anybody reads', { results: [], x: 'x'.repeat(5 * 1024 * 1024) }, /longer|large|more than/i],
  ])('%s is refused', async (_, body, pattern) => {
    vendor.answering = (path) => (path.includes('activity-providers') ? { status: 200, body } : undefined)
    await refusedWith({}, pattern)
  })

  it('a service that never recovers is given up, and one that asks for time gets it', async () => {
    vendor.answering = () => ({ status: 500, body: '' })
    await refusedWith({}, /answered 500 \(asked 16 times\)\. The same command goes on/)
    expect(waits).toHaveLength(15)
    expect(Math.max(...waits)).toBe(60_000)
    vendor.answering = () =>
      vendor.asked.length > 2 ? undefined : { status: 429, body: '', headers: { 'Retry-After': '90' } }
    vendor.asked.length = 0
    waits.length = 0
    const { report } = await runOn(target.core, importer(), { isDryRun: true })
    expect(waits).toEqual([90_000, 90_000])
    expect(report.kinds).toMatchObject({
      organisations: { checked: 1 },
      clients: { checked: 3 },
      statements: { checked: 5 },
    })
  })
})

it('brings in the organisation with its id, keys and secrets, and the statements', async () => {
  const { report, rejected } = await runOn(target.core, importer({ name: 'Acme' }))
  expect(rejected).toEqual([])
  expect(report.kinds).toMatchObject({
    organisations: { read: 1, stored: 1 },
    clients: { read: 3, stored: 3 },
    statements: { read: 5, stored: 5 },
    attachments: { read: 1, stored: 1 },
  })
  expect(report.lrs).toMatchObject([{ organisationId: there, statements: 5 }])
  const [api, app, other] = await listed()
  expect(api).toMatchObject({ id: keys.api.credential.id, key: keys.api.key, isEnabled: true })
  expect(api?.words).toMatchObject({ watershed: { lrsAccess: 'global', watershedApiAccess: 'enabled' } })
  expect(other).toMatchObject({ name: 'Other', isEnabled: false })
  expect(app?.rights).toEqual(keys.app.credential.rights)
})

it('shows each key what it showed it there', async () => {
  const lrsId = (await target.core.lrs.list(target.core.signIn.operator(there, 'test')))[0]!.id
  const own = await target.signIn(keys.app, there)
  const get = (principal: typeof own, id: string, isVoided = false) =>
    target.core.statements.get(principal, lrsId, id, { isVoided, withAttachments: true })
  const { statement } = await get(own, ids.app)
  const { json } = await source.ask('GET', `/api/organizations/${there}/lrs/statements?statementId=${ids.app}`, {
    as: keys.app,
    headers: { 'X-Experience-API-Version': '1.0.3' },
  })
  expect(JSON.parse(statement.body)).toEqual(json)
  await expect(get(own, ids.api)).rejects.toThrow()
  await expect(get(own, ids.voided)).rejects.toThrow()
  expect((await get(own, ids.voided, true)).statement.body).toContain(ids.voided)
  expect((await get(own, ids.file)).statement.attachments).toEqual([{ sha2, contentType: 'text/plain' }])
  expect((await get(await target.signIn(keys.api, there), ids.api)).statement.body).toContain(ids.api)
})

it('finds everything there the second time, and what came since', async () => {
  await store(keys.app, aStatement({ id: randomUUID() }))
  const before = (await listed()).length
  const { report } = await runOn(target.core, importer())
  expect(report.kinds).toMatchObject({
    organisations: { there: 1, stored: 0 },
    clients: { there: 3, stored: 0 },
    statements: { read: 6, there: 5, stored: 1 },
  })
  expect(await listed()).toHaveLength(before)
})

it('keys without a secret, with words nobody knows or without an id are rejected one by one, and never told', async () => {
  const entry = {
    name: 'N',
    active: true,
    lrsAccess: 'isolated',
    watershedApiAccess: 'disabled',
    secret: 'a-hidden-wonder',
  }
  const results = [
    { ...entry, id: 901, key: 'k1', secret: undefined },
    { ...entry, id: 902, key: 'k2', lrsAccess: 'everything' },
    { ...entry, id: 903, key: 'k3', watershedApiAccess: 'toString' },
    { ...entry, id: 'x', key: 'k4' },
    { ...entry, id: 905, key: 'with:colon' },
    { ...entry, id: 906, key: 'k6\u0000' },
    { ...entry, id: 907, key: 'k7', name: 'n'.repeat(300) },
    { ...entry, id: 908, key: 'good' },
    { ...entry, id: 908, key: 'good again' },
    null,
    'text',
  ]
  const body = { count: 11, results }
  vendor.answering = (path) => (path.includes('activity-providers') ? { status: 200, body } : undefined)
  const { report, rejected, text } = await runOn(
    target.core,
    importer({ into: target.organisationId, withStatements: false }),
  )
  expect(report.kinds.clients).toMatchObject({ read: 9, stored: 1, rejected: 8 })
  expect(rejected.map(({ id }) => id)).toEqual(['901', '902', '903', 'x', '905', '906', '907', '908'])
  expect(text + JSON.stringify(report)).not.toContain('a-hidden-wonder')
  expect(JSON.stringify(await target.events())).not.toContain('a-hidden-wonder')
})

it('a list without end is left', async () => {
  let next = 0
  const entry = () => ({ id: ++next, key: `k${next}` })
  vendor.answering = (path) =>
    path.includes('activity-providers')
      ? { status: 200, body: { results: Array.from({ length: 1000 }, entry) } }
      : undefined
  await expect(runOn(target.core, importer(), { isDryRun: true })).rejects.toThrow(/does not end/)
})
