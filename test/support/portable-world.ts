// An installation with something of everything that an export takes along, and all that it says of itself: to be compared with what
// an import made of it elsewhere. In scripts as well as in tests: knows no test runner.

import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { enabledFaces, routeFaces } from '../../src/app.ts'
import type { HttpApp } from '../../src/app.ts'
import type { Core } from '../../src/core/core.ts'
import type { NewCredentialInput } from '../../src/core/credential.ts'
import type { CredentialId, LrsId, OrganisationId } from '../../src/core/ids.ts'
import { findPreset } from '../../src/core/presets.ts'
import { noRights } from '../../src/core/rights.ts'
import { formatStored } from '../../src/core/xapi/time.ts'
import { boundary, dataPart, hashOf, multipartBody, statementsPart } from './multipart.ts'
import { statementArbitrary } from './statement-arbitrary.ts'

export const operator = { operator: 'test' } as const
const limits = { batch: 2000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
export const worldOptions = { baseUrl: 'https://lrs.example.org', limits } as const

export interface Pair {
  readonly key: string
  readonly secret: string
}

export interface World {
  readonly organisationIds: readonly OrganisationId[]
  readonly lrsIds: readonly LrsId[]
  /** Everything that signs in on xAPI's paths, sessions left out: they stay behind. */
  readonly pairs: readonly Pair[]
  /** Of each Lrs, what may be asked for by its id. */
  readonly statementIds: readonly string[]
}

const activityId = 'https://example.com/course'
const ann = { mbox: 'mailto:ann@example.com' }
const bob = { objectType: 'Agent', account: { homePage: 'https://school.example.com', name: 'bob b' } }
const registration = '6f2b2d5a-0c1e-4b6f-9a8d-0123456789ab'
const voided = { id: 'http://adlnet.gov/expapi/verbs/voided' }

/** `statements`: random ones besides, for each key that writes. */
export async function fillWorld(core: Core, statements: number): Promise<World> {
  const filling = new Filling(core)
  const { organisation, lrs } = await core.organisations.create(operator, { name: 'First, "quoted" 漢字' })
  await filling.organisation(organisation.id, lrs.id, statements)
  const second = await core.organisations.create(operator, { name: 'Second' })
  await filling.second(second.organisation.id, second.lrs.id)
  return filling.world()
}

class Filling {
  readonly #core: Core
  readonly #app: HttpApp
  readonly #pairs: Pair[] = []
  readonly #organisationIds: OrganisationId[] = []
  readonly #lrsIds: LrsId[] = []
  readonly #statementIds: string[] = []

  constructor(core: Core) {
    this.#core = core
    this.#app = appOf(core)
  }

  world(): World {
    const [organisationIds, lrsIds] = [this.#organisationIds, this.#lrsIds]
    return { organisationIds, lrsIds, pairs: this.#pairs, statementIds: this.#statementIds }
  }

  async organisation(organisationId: OrganisationId, lrsId: LrsId, count: number): Promise<void> {
    const core = this.#core
    const caller = core.signIn.operator(organisationId, 'test')
    this.#organisationIds.push(organisationId)
    const archive = await core.lrs.create(caller, {
      name: 'Archive',
      description: 'Two\nlines',
      words: { face: { a: 1 } },
    })
    const gone = await core.lrs.create(caller, { name: 'Gone' })
    this.#lrsIds.push(lrsId, archive.id, gone.id)
    await core.retention.set(caller, archive.id, 4_000)

    const whole = await this.#issue(organisationId, 'xapi', { name: 'Whole', lrsIds: [lrsId, archive.id, gone.id] })
    const isolated = await this.#issue(organisationId, 'isolated', { name: 'Isolated' })
    const other = await this.#issue(organisationId, 'isolated', { name: 'Other', key: 'shared:key'.replace(':', '-') })
    const global = await this.#issue(organisationId, 'global', {
      name: '=cmd()',
      words: { face: { access: 'global' } },
    })
    await this.#issue(organisationId, 'read-only', { name: 'Reader', limits: { ratePerMinute: 1_000_000 } })
    await this.#issue(organisationId, 'read-mine', { name: 'Reads none' })
    const authority = { objectType: 'Agent', name: 'Fixed', mbox: 'mailto:fixed@example.com' }
    const pinned = await this.#issue(organisationId, 'actor', { name: 'Ann', pins: { actor: [ann] }, authority })
    await this.#issue(organisationId, 'xapi', {
      name: 'One course',
      pins: { activity: activityId },
      lrsIds: [archive.id],
    })
    await this.#issue(organisationId, 'xapi', { name: 'Ends', expiresAt: core.clock.now() + 1_000_000_000 })
    await this.#issue(organisationId, 'xapi', { name: 'Disabled', isEnabled: false })
    await this.#issue(organisationId, 'management', { name: 'Manager', kind: 'management' })
    await this.#issue(organisationId, 'xapi', { name: 'No Lrs', lrsIds: [] })
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    await this.#issue(organisationId, 'xapi', { name: 'Signs', oauth: { publicKey: pem } })
    await this.#issue(organisationId, 'xapi', { name: 'Signs with its secret', oauth: {} })
    const bound = { kind: 'lrs', id: archive.id } as const
    const management = [{ area: 'data', actions: ['read', 'write'], bound }] as const
    await core.credentials.create(caller, {
      name: 'Archivist',
      rights: { xapi: {}, management },
      lrsIds: [archive.id],
      kind: 'management',
    })
    await core.credentials.create(caller, { name: 'Again', rights: noRights, key: other.key, allowDuplicateKey: true })

    const { secret } = await core.credentials.rotate(caller, isolated.id, { overlapSeconds: 864_000 })
    this.#pairs.push({ key: isolated.key, secret })
    await core.credentials.addSecret(caller, isolated.id, { name: 'third', isEnabled: false, expiresAt: 4e12 })
    await core.credentials.update(caller, global.id, { name: '=cmd() again' })
    await core.sessions.create(caller, whole.id)

    await this.#statements(whole, isolated, other)
    await this.#random([whole, isolated, global], count)
    await this.#documents(whole, isolated)
    await this.#send(whole, 'PUT', `activities/state?${stateOf(ann)}&stateId=own`, { own: true })
    await this.#tell(pinned, { actor: ann })
    const removed = await this.#issue(organisationId, 'xapi', { name: 'Removed' })
    await this.#tell(removed, { object: { id: activityId, definition: { name: { en: 'By one who is gone' } } } })
    await core.credentials.remove(caller, removed.id)
    this.#pairs.splice(
      this.#pairs.findIndex(({ key }) => key === removed.key),
      1,
    )
    await this.#imported(organisationId, archive.id, whole.id)

    await this.#applications(organisationId)
    const endpoint = { url: 'https://elsewhere.example.org/xapi', user: 'u', password: 'p:p' }
    const pipe = await core.pipes.create(caller, { source: { lrsId }, target: endpoint })
    await core.pipes.pause(caller, pipe.id)
    const remote = { endpoint: { ...endpoint, url: 'https://old.example.org/xapi' } }
    await core.pipes.pause(caller, (await core.pipes.create(caller, { source: remote, target: endpoint })).id)
    await core.lrs.remove(caller, gone.id)
    const change = {
      expiresAt: core.clock.now() + 9_000_000_000,
      words: { face: { b: [1] } },
      switches: { 'face.a': 2 },
    }
    await core.organisations.update(caller, change)
  }

  /** Has a key that the first has, too, and an application's Lrs as its default. */
  async second(organisationId: OrganisationId, lrsId: LrsId): Promise<void> {
    const core = this.#core
    const caller = core.signIn.operator(organisationId, 'test')
    this.#organisationIds.push(organisationId)
    this.#lrsIds.push(lrsId)
    const one = await this.#issue(organisationId, 'xapi', { name: 'Theirs', key: 'shared-key' })
    await this.#tell(one, { actor: ann })
    const { id, liveLrsId } = await core.applications.create(caller, { name: 'Only' })
    await core.applications.addSecret(caller, id, {})
    await core.organisations.update(caller, { defaultLrsId: liveLrsId })
    this.#lrsIds.push(liveLrsId)
  }

  async #applications(organisationId: OrganisationId): Promise<void> {
    const core = this.#core
    const caller = core.signIn.operator(organisationId, 'test')
    const application = await core.applications.create(caller, { name: 'Courses' })
    const { id } = application
    await core.applications.addSecret(caller, id, { name: 'one' })
    await core.applications.addSecret(caller, id, { name: 'two', isEnabled: false })
    await core.settings.put(caller, id, { level: '', values: { a: 'value', b: 'pass\nword' } })
    await core.settings.put(caller, id, { level: 'video/true', values: { a: '' } })
    const { sandboxLrsId, liveLrsId } = application
    const key = await this.#issue(organisationId, 'xapi', { name: 'In it', lrsIds: [sandboxLrsId, liveLrsId] })
    await this.#tell(key, { actor: bob })
    this.#lrsIds.push(liveLrsId, sandboxLrsId)
    const target = { url: 'https://third.example.org/xapi', user: 'u', password: '' }
    await core.pipes.pause(caller, (await core.pipes.create(caller, { applicationId: id, target })).id)
    await core.applications.update(caller, id, { isDeletable: false, name: 'Courses, all' })
    const closed = await core.applications.create(caller, { name: 'Closed' })
    await core.settings.put(caller, closed.id, { level: '', values: { a: 'b' }, isOpen: false })
    this.#lrsIds.push(closed.liveLrsId, closed.sandboxLrsId)
  }

  async #issue(
    organisationId: OrganisationId,
    preset: string,
    input: Partial<NewCredentialInput>,
  ): Promise<Pair & { readonly id: CredentialId }> {
    const caller = this.#core.signIn.operator(organisationId, 'test')
    const { rights } = findPreset(preset)!
    const { credential, key, secret } = await this.#core.credentials.create(caller, { name: preset, rights, ...input })
    this.#pairs.push({ key, secret })
    return { id: credential.id, key, secret }
  }

  async #send(pair: Pair, method: string, path: string, body: unknown, headers: Record<string, string> = {}) {
    const isBytes = body instanceof Uint8Array || typeof body === 'string'
    const init = {
      method,
      headers: { ...headersOf(pair), 'content-type': 'application/json', ...headers },
      body: (isBytes ? body : JSON.stringify(body)) as string,
    }
    const response = await this.#app.request(`/xapi/${path}`, init, { peer: '10.0.0.1' })
    const text = await response.text()
    if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text
  }

  async #tell(pair: Pair, part: object, id: string = randomUUID()): Promise<string> {
    const statement = { id, actor: bob, verb: { id: 'https://example.com/did' }, object: { id: activityId }, ...part }
    await this.#send(pair, 'PUT', `statements?statementId=${id}`, statement)
    this.#statementIds.push(id)
    return id
  }

  #refer(pair: Pair, id: string, part: object = {}): Promise<string> {
    return this.#tell(pair, { object: { objectType: 'StatementRef', id }, ...part })
  }

  /** Voided and voiding, before and after, by whoever may and may not; references; attachments. */
  async #statements(whole: Pair, isolated: Pair, other: Pair): Promise<void> {
    const definition = { name: { 'de-DE': 'Kurs', en: '=1+1' }, type: 'https://example.com/type' }
    for (const pair of [whole, isolated, other]) {
      const context = {
        registration,
        contextActivities: { parent: [{ id: activityId }], grouping: [{ id: `${activityId}/g` }] },
      }
      await this.#tell(pair, { object: { id: activityId, definition }, context, timestamp: '2020-01-01T00:00:00Z' })
      const result = {
        score: { scaled: -0.5, raw: 1.0, min: 0, max: 2 },
        success: true,
        response: '@a,"b"\n',
        duration: 'PT1S',
      }
      await this.#tell(pair, { result, version: '1.0.3', actor: { ...ann, name: '+ann' } })
      await this.#refer(pair, await this.#tell(pair, { actor: ann }), { verb: voided })
      await this.#refer(pair, await this.#tell(pair, { actor: ann }))
      const later = randomUUID()
      await this.#refer(pair, later, { verb: voided })
      await this.#refer(pair, later)
      await this.#tell(pair, { actor: ann }, later)
      await this.#refer(pair, randomUUID(), { verb: voided })
    }
    const others = await this.#tell(other, { actor: ann })
    await this.#refer(isolated, others, { verb: voided })
    await this.#refer(whole, await this.#tell(isolated, { actor: ann }), { verb: voided })
    const awaited = randomUUID()
    await this.#refer(isolated, awaited, { verb: voided })
    await this.#attached(other, awaited, ['same bytes', 'x'.repeat(200_000)])
    await this.#attached(whole, randomUUID(), ['same bytes'])
  }

  async #attached(pair: Pair, id: string, contents: readonly string[]): Promise<void> {
    const attachments = contents.map((content) => ({
      ...{ usageType: 'https://example.com/u', display: { en: 'file' }, contentType: 'text/plain' },
      ...{ length: content.length, sha2: hashOf(content) },
    }))
    const statement = {
      id,
      actor: ann,
      verb: { id: 'https://example.com/sent' },
      object: { id: activityId },
      attachments,
    }
    const body = multipartBody([statementsPart(statement), ...contents.map((content) => dataPart(content))])
    await this.#send(pair, 'POST', 'statements', body, { 'content-type': `multipart/mixed; boundary=${boundary}` })
    this.#statementIds.push(id)
  }

  async #random(pairs: readonly Pair[], count: number): Promise<void> {
    for (const [seed, pair] of pairs.entries()) {
      const all = fc.sample(statementArbitrary('1.0'), { seed, numRuns: count })
      for (let from = 0; from < count; from += 200) {
        const some = all.slice(from, from + 200).map(({ id: _id, authority: _authority, ...own }) => own)
        // One that names an attachment brings no bytes, and is refused with all others.
        await this.#send(pair, 'POST', 'statements', some).catch(async () => {
          for (const one of some) await this.#send(pair, 'POST', 'statements', one).catch(() => {})
        })
      }
    }
  }

  async #documents(whole: Pair, isolated: Pair): Promise<void> {
    const long = JSON.stringify({ long: 'é'.repeat(60_000), n: 1.5 })
    for (const pair of [whole, isolated]) {
      const put = (path: string, body: unknown, headers = {}) =>
        this.#send(pair, 'PUT', path, body, { 'if-none-match': '*', ...headers })
      const state = `activities/state?${stateOf(bob)}`
      await put(`${state}&stateId=bookmark`, { page: 3, 'dotted.name': 1 })
      await put(`${state}&stateId=bookmark&registration=${registration}`, '{"page": 1.0}')
      await this.#send(pair, 'POST', `${state}&stateId=bookmark`, { more: ['漢', null] })
      await put(`${state}&stateId=${encodeURIComponent('id with é 😀')}`, Buffer.from([0, 255, 1]), {
        'content-type': 'image/x',
      })
      await put(`${state}&stateId=empty`, '', { 'content-type': 'text/plain' })
      await put(`${state}&stateId=long`, 'y'.repeat(100_000), { 'content-type': 'text/plain; charset=utf-8' })
      await put(`${state}&stateId=long-json`, long)
      await put(`activities/profile?activityId=${encodeURIComponent(activityId)}&profileId=p`, { of: 'activity' })
      await put(`agents/profile?agent=${encodeURIComponent(JSON.stringify(bob))}&profileId=p`, { of: 'bob' })
    }
  }

  /** Several of one stored time: what lists them goes by something else. */
  async #imported(organisationId: OrganisationId, lrsId: LrsId, owner: CredentialId): Promise<void> {
    const { imports } = this.#core
    const { id: importId } = await imports.begin(operator, 'elsewhere', null)
    const authority = { objectType: 'Agent', mbox: 'mailto:old@example.com' }
    const stored = '2019-05-06T07:08:09.123Z'
    const statements = imports.newPart()
    for (let at = 0; at < 5; at++) {
      const id = randomUUID()
      this.#statementIds.push(id)
      const statement = {
        id,
        actor: ann,
        verb: { id: 'https://example.com/v' },
        object: { id: `${activityId}/${at}` },
        stored,
        authority,
      }
      const origin = { owner, authority, voidReach: undefined, defineReach: 'any' } as const
      statements.add(imports.prepareStatement(statement, { ...origin, isVoided: at === 2 }))
    }
    await imports.storeStatements(operator, { importId, lrsId, progress: null, statements })
    await imports.finish(operator, importId, { report: null, into: [organisationId] })
  }
}

/** Adds to each long JSON document of the first keys: what it answers, and what is there then. */
export async function mergeLong(core: Core, { pairs }: World): Promise<readonly (readonly [number, string])[]> {
  const app = appOf(core)
  const path = `/xapi/activities/state?${stateOf(bob)}&stateId=long-json`
  const answers: (readonly [number, string])[] = []
  for (const pair of pairs.slice(0, 2)) {
    const headers = { ...headersOf(pair), 'content-type': 'application/json' }
    const { status } = await app.request(path, { method: 'POST', headers, body: '{"n":2}' }, { peer: '10.0.0.1' })
    const found = await app.request(path, { headers }, { peer: '10.0.0.1' })
    answers.push([status, hashOf(await found.text())])
  }
  return answers
}

function stateOf(agent: object): string {
  return `activityId=${encodeURIComponent(activityId)}&agent=${encodeURIComponent(JSON.stringify(agent))}`
}

function headersOf({ key, secret }: Pair, version = '2.0.0'): Record<string, string> {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  return { authorization, 'x-experience-api-version': version }
}

function appOf(core: Core): HttpApp {
  const log = { info() {}, warn() {}, error() {} }
  return routeFaces(core, enabledFaces({ faces: {} }), { trustedProxies: [], log })
}

// ---------------------------------------------------------------------------------------------------------------------
// What it says of itself

/** Named answers: the same of two installations that hold the same. Each key asks for every `share`th statement by its id. */
export async function tellWorld(core: Core, world: World, share = 4): Promise<ReadonlyMap<string, unknown>> {
  const told = new Map<string, unknown>()
  for (const id of world.organisationIds) await tellDirectory(core, id, told)
  for (const id of world.lrsIds) await tellLrs(core, id, told)
  const app = appOf(core)
  for (const [at, pair] of world.pairs.entries()) {
    const { statementIds } = world
    await tellXapi(app, pair, { statementIds, at, share }, (name, value) => told.set(`key ${at} ${name}`, value))
  }
  return told
}

async function tellDirectory(core: Core, id: OrganisationId, told: Map<string, unknown>): Promise<void> {
  const caller = core.signIn.operator(id, 'test')
  const { wrappedKey: _wrappedKey, words, ...organisation } = await core.organisations.get(caller)
  const { importedFrom: _hereAlone, ...portable } = words
  told.set(`organisation ${id}`, { ...organisation, words: portable })
  told.set(`Lrs of ${id}`, await core.lrs.list(caller, { withDeleted: true }))
  const { items } = await core.credentials.listRevealed(caller, {}, { offset: 0, limit: 1000 })
  for (const { credential, secrets } of items) {
    const generations = credential.secrets.map(({ generation }) => generation)
    told.set(`credential ${credential.id}`, { ...credential, secrets, generations })
  }
  const query = { by: 'createdAt', isDescending: false, limit: 1000 } as const
  for (const record of (await core.applications.list(caller, query)).items) {
    // Sealed anew, and counted anew.
    const { callback: _callback, callbackGeneration: _generation, ...application } = record
    const asked = await core.callbacks.get(caller, record.id)
    told.set(`application ${record.id}`, { application, asked, settings: await core.settings.list(caller, record.id) })
  }
  told.set(
    `pipes of ${id}`,
    (await core.pipes.list(caller)).map(({ pausedBecause: _why, ...pipe }) => pipe),
  )
}

async function tellLrs(core: Core, lrsId: LrsId, told: Map<string, unknown>): Promise<void> {
  const through = Number.MAX_SAFE_INTEGER
  let count = 0
  for await (const rows of core.exports.statements(operator, lrsId, { after: 0, through })) {
    for (const row of rows) told.set(`statement ${lrsId} ${formatStored(row.seq)}`, row)
    count += rows.length
  }
  told.set(`count of ${lrsId}`, count)
  for await (const documents of core.exports.documents(operator, lrsId)) {
    for (const { key, content, ...document } of documents) {
      const bytes = content.kind === 'inline' ? Buffer.from(content.bytes) : await blob(core, lrsId, content.sha2)
      const name = `document ${lrsId} ${document.owner} ${JSON.stringify(key)}`
      told.set(name, { ...document, length: bytes.length, sha256: hashOf(bytes) })
    }
  }
}

async function blob(core: Core, lrsId: LrsId, sha2: string): Promise<Buffer> {
  const found = await core.exports.openBlob(operator, lrsId, sha2)
  const pieces: Uint8Array[] = []
  for await (const piece of found?.bytes ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function tellXapi(
  app: HttpApp,
  pair: Pair,
  { statementIds, at, share }: Pick<World, 'statementIds'> & { readonly at: number; readonly share: number },
  tell: (name: string, value: unknown) => void,
): Promise<void> {
  let isRefused = false
  const get = async (path: string, version?: string): Promise<string> => {
    const response = await app.request(path, { headers: headersOf(pair, version) }, { peer: '10.0.0.1' })
    const kept = ['etag', 'last-modified', 'content-type', 'link'].map((name) => [name, response.headers.get(name)])
    const body = Buffer.from(await response.arrayBuffer())
    const text = body.toString()
    // Another one in each answer.
    const contentType = response.headers.get('content-type') ?? ''
    const [, parted] = /boundary="?([^";]+)/.exec(contentType) ?? []
    const plain = parted === undefined ? text : text.replaceAll(parted, 'boundary')
    const shown = parted === undefined ? kept : kept.filter(([name]) => name !== 'content-type')
    const problem = response.status >= 400 ? '' : createHash('sha256').update(plain).digest('hex')
    isRefused = response.status === 401 || response.status === 403
    tell(`${path} ${version ?? ''}`, { status: response.status, shown, length: body.length, problem })
    return text
  }
  const follow = async (query: string): Promise<void> => {
    let path = `/xapi/statements?${query}`
    for (let page = 0; path !== '' && page < 1000; page++) {
      const text = await get(path)
      path = text.startsWith('{') ? String((JSON.parse(text) as { more?: string }).more ?? '') : ''
    }
  }
  await follow('limit=500')
  // Such a key is refused whatever it asks for, or nearly.
  if (isRefused) return void (await get('/xapi/about'))
  await follow('limit=50&ascending=true&format=canonical')
  await follow(`limit=500&agent=${encodeURIComponent(JSON.stringify(ann))}&related_agents=true`)
  await follow(`limit=500&activity=${encodeURIComponent(activityId)}&related_activities=true`)
  await follow(`limit=500&registration=${registration}&since=2020-01-01T00:00:00Z`)
  await follow('limit=500&since=2019-05-06T07:08:09.122Z&until=2019-05-06T07:08:09.123Z')
  await get('/xapi/statements?limit=20&attachments=true')
  for (const id of statementIds.filter((_, index) => index % share === at % share)) {
    await get(`/xapi/statements?statementId=${id}`)
    await get(`/xapi/statements?voidedStatementId=${id}`)
  }
  await get(`/xapi/activities?activityId=${encodeURIComponent(activityId)}`)
  for (const agent of [ann, bob]) {
    const named = `agent=${encodeURIComponent(JSON.stringify(agent))}`
    await get(`/xapi/agents?${named}`)
    await get(`/xapi/agents/profile?${named}`)
    await get(`/xapi/agents/profile?${named}&profileId=p`)
    await get(`/xapi/activities/state?${stateOf(agent)}`, '1.0.3')
    for (const stateId of ['bookmark', 'id with é 😀', 'empty', 'long', 'long-json', 'own']) {
      await get(`/xapi/activities/state?${stateOf(agent)}&stateId=${encodeURIComponent(stateId)}`)
    }
    await get(`/xapi/activities/state?${stateOf(agent)}&stateId=bookmark&registration=${registration}`)
  }
  await get(`/xapi/activities/profile?activityId=${encodeURIComponent(activityId)}`)
  await get(`/xapi/activities/profile?activityId=${encodeURIComponent(activityId)}&profileId=p`)
}

/** What the two say differently, by name. */
export function differences(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): readonly string[] {
  const names = new Set([...one.keys(), ...other.keys()])
  return [...names].filter((name) => canonical(one.get(name)) !== canonical(other.get(name)))
}

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
