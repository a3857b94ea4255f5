// A Learning Locker as mongoexport writes it, of any size, each thing a fixed function of its number: with every variant of facts 4 in
// it, and what must become of each. Knows nothing of the importer.

import { createHash } from 'node:crypto'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface SetSize {
  readonly statements: number
  readonly clients: number
}

export const organisationCount = 4
export const storesEach = 3

const hex = (kind: string, number: number): string =>
  `5a${kind}${number.toString(16).padStart(20, '0')}`.padEnd(24, '0').slice(0, 24)
export const organisationOid = (number: number): string => hex('01', number)
/** Store `number` belongs to organisation `number % organisationCount`. */
export const storeOid = (number: number): string => hex('02', number)
export const clientOid = (number: number): string => hex('03', number)
export const goneClientOid = (number: number): string => hex('04', number % 7)
const rowOid = (number: number): string => hex('05', number)
const goneStore = hex('06', 1)
const storeCount = organisationCount * storesEach

function scatter(number: number, range: number): number {
  return Number((BigInt(number + 1) * 2_654_435_761n) % BigInt(range))
}

function uuid(number: number, kind = '8'): string {
  return `6f1b3c52-90aa-4d11-${kind}f00-${number.toString(16).padStart(12, '0')}`
}

// ---------------------------------------------------------------------------------------------------------------------
// Extended JSON, as each version of the tools writes it

type Dialect = 'v1' | 'relaxed' | 'canonical'
const dialectOf = (number: number): Dialect => (['v1', 'relaxed', 'relaxed', 'canonical'] as const)[number % 4]!
const oid = (text: string): object => ({ $oid: text })

function date(ms: number, dialect: Dialect): object {
  const iso = new Date(ms).toISOString()
  if (dialect === 'canonical') return { $date: { $numberLong: String(ms) } }
  return { $date: dialect === 'v1' ? iso.replace('Z', '+0000') : iso }
}

/** Canonical: every number in a wrapper. */
function inDialect(value: unknown, dialect: Dialect): unknown {
  if (dialect !== 'canonical') return value
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { $numberInt: String(value) } : { $numberDouble: String(value) }
  }
  if (Array.isArray(value)) return value.map((item) => inDialect(item, dialect))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inDialect(member, dialect)]))
}

// ---------------------------------------------------------------------------------------------------------------------
// Organisations, stores, clients

const begun = Date.UTC(2019, 0, 1)

function organisationRow(number: number): object {
  const dialect = dialectOf(number)
  const dates = { createdAt: date(begun, dialect), updatedAt: date(begun + 1000, dialect) }
  const expiration = number === 2 ? { expiration: date(Date.UTC(2099, 0, 1), dialect) } : { expiration: null }
  return {
    _id: oid(organisationOid(number)),
    name: `Organisation ${number}`,
    ...expiration,
    settings: {},
    ...dates,
    __v: 0,
  }
}

function storeRow(number: number): object {
  const dialect = dialectOf(number)
  return {
    _id: oid(storeOid(number)),
    organisation: oid(organisationOid(number % organisationCount)),
    title: `Store ${number}`,
    ...(number % 3 === 0 && { description: `What number ${number} is for` }),
    statementCount: inDialect(17, dialect),
    ...{ createdAt: date(begun, dialect), updatedAt: date(begun, dialect), __v: inDialect(0, dialect) },
  }
}

const scopeSets: readonly (readonly string[])[] = [
  ['xapi/all'],
  ['all'],
  ['statements/write', 'statements/read/mine'],
  ['statements/read'],
  ['statements/write', 'state', 'profile'],
  ['xapi/read'],
  ['xapi/all', 'statements/delete'],
]

export type ClientFate = 'works' | 'disabled' | 'rejected'

export interface SetClient {
  readonly number: number
  readonly oid: string
  readonly organisation: number
  /** Undefined: none, or one that is gone. */
  readonly store: number | undefined
  readonly key: string
  readonly secret: string
  readonly scopes: readonly string[]
  readonly title: string | undefined
  readonly authority: object | undefined
  readonly fate: ClientFate
}

/** Variants come every 50 clients. */
export function clientOf(number: number): SetClient {
  const variant = number % 50
  const organisation = number % organisationCount
  // Of the organisation, but for one that has the store of its neighbour.
  const own = organisation + organisationCount * (Math.floor(number / organisationCount) % storesEach)
  const store = variant === 5 || variant === 6 ? undefined : variant === 9 ? (own + 1) % storeCount : own
  const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')
  const key = variant === 12 ? `broken:${number}` : sha1(`key ${variant === 7 ? number - organisationCount : number}`)
  const fate = variant === 12 ? 'rejected' : variant === 3 ? 'disabled' : 'works'
  return {
    ...{ number, oid: clientOid(number), organisation, store, key, secret: sha1(`secret ${number}`), fate },
    scopes: variant === 10 ? ['all/read'] : variant === 13 ? [] : scopeSets[number % scopeSets.length]!,
    title: variant === 11 ? undefined : `Client ${number}`,
    authority:
      variant === 2
        ? undefined
        : { objectType: 'Agent', name: `Client ${number}`, mbox: `mailto:client-${number}@lms.example.org` },
  }
}

function clientRow(number: number): object {
  const client = clientOf(number)
  const variant = number % 50
  const dialect = dialectOf(number)
  const { authority, scopes, title, store, key, secret } = client
  const lrs = variant === 6 ? { lrs_id: oid(goneStore) } : store === undefined ? {} : { lrs_id: oid(storeOid(store)) }
  const dates =
    variant === 8
      ? { created_at: date(begun + number, dialect), updated_at: date(begun + number, dialect) }
      : { createdAt: date(begun + number, dialect), updatedAt: date(begun + number, dialect) }
  return {
    _id: oid(client.oid),
    ...dates,
    organisation: oid(organisationOid(client.organisation)),
    ...lrs,
    ...(title !== undefined && { title }),
    ...(variant !== 13 && { scopes }),
    ...(variant !== 4 && { isTrusted: variant !== 3 }),
    ...(authority !== undefined && { authority: variant === 1 ? authority : JSON.stringify(authority) }),
    api: { basic_key: key, basic_secret: secret },
    __v: inDialect(0, dialect),
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Statements

export type StatementFate = 'stored' | 'there' | 'rejected'

export interface SetStatement {
  readonly number: number
  readonly fate: StatementFate
  readonly id: string
  /** Which pair it is of: that of the Lrs here. */
  readonly organisation: number
  readonly store: number
  /** Number of its client; undefined: a client that is gone, or none. */
  readonly client: number | undefined
  readonly isVoided: boolean
  /** As xAPI gives it back, but for an authority that was missing. */
  readonly statement: Readonly<Record<string, unknown>>
  /** Line of the file. */
  readonly row: Buffer
}

/** Variants come every 1,000 statements. */
const cycle = 1_000
const voidedVerb = 'http://adlnet.gov/expapi/verbs/voided'
export const attachmentOf = (number: number): Buffer => Buffer.from(`attachment of ${number} `.repeat(20))
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const writers = new Map<number, readonly number[]>()

/** Clients that stored statements: those with a store of their own. */
function writersOf(clients: number): readonly number[] {
  let known = writers.get(clients)
  if (known === undefined) {
    const all = Array.from({ length: clients }, (_, number) => number)
    known = all.filter((number) => ![5, 6, 9, 12].includes(number % 50))
    writers.set(clients, known)
  }
  return known
}

const ends = Date.UTC(2024, 0, 1)

/** Older ones first, about one every 150 seconds; some at the same millisecond. */
function storedMs(number: number): number {
  return begun + (number % cycle === 13 ? number - 1 : number) * Math.floor((ends - begun) / 1_100_000)
}

export function statementOf(number: number, { clients }: Pick<SetSize, 'clients'>): SetStatement {
  const variant = number % cycle
  if (variant === 7) return { ...again(statementOf(number - 4, { clients })), number, fate: 'there' }
  if (variant === 8) return conflicting(statementOf(number - 8, { clients }), number)
  const all = writersOf(clients)
  const mixed = variant === 12 && clients > 59
  const client = mixed ? clientOf(59) : clientOf(all[scatter(number, all.length)]!)
  const place = { organisation: client.organisation, store: client.store ?? 0 }
  const isGone = variant === 6 || variant === 21
  const stored = storedText(number)
  const base = baseStatement(number, client, stored)
  const shaped = shapes[variant]?.(base, number) ?? base
  const { authority, ...nameless } = shaped
  void authority
  const sent = variant === 1 ? nameless : shaped
  const isVoided = variant === 5 || (variant >= 500 && variant < 502)
  const given = { number, id: uuid(number), client: isGone ? undefined : client.number, isVoided, ...place }
  const row = rowOf({ ...given, variant, sent, clientOid: variant === 6 ? goneClientOid(number) : client.oid })
  const fate = rejected.has(variant) ? 'rejected' : 'stored'
  return { ...given, fate, statement: asGivenBack(sent), row }
}

const rejected: ReadonlySet<number> = new Set([8, 9, 10, 11, 22, 25])

function again(one: SetStatement): SetStatement {
  return one
}

function conflicting(one: SetStatement, number: number): SetStatement {
  const text = one.row.toString().replace('"scaled":', '"scaled": -').replaceAll(': -', ':-')
  return { ...one, number, fate: 'rejected', row: Buffer.from(text) }
}

function storedText(number: number): string {
  const iso = new Date(storedMs(number)).toISOString()
  return number % cycle === 14 ? iso.replace('Z', '417Z') : number % cycle === 25 ? iso.replace(/^\d+/, '2190') : iso
}

function baseStatement(number: number, client: SetClient, stored: string): Record<string, unknown> {
  const verb = number % 2 === 0 ? 'answered' : 'experienced'
  return {
    id: uuid(number),
    actor: {
      objectType: 'Agent',
      account: { homePage: 'https://campus.example.org/learners', name: `learner-${scatter(number, 20_011)}` },
    },
    verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { 'en-US': verb } },
    object: {
      objectType: 'Activity',
      id: `https://content.example.org/courses/fire-safety/items/${scatter(number, 997)}`,
      definition: {
        type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
        name: { 'en-US': `Question ${scatter(number, 997)}` },
        description: { 'en-US': 'Which class of extinguisher may be used on an electrical fire in a server room?' },
      },
    },
    result: {
      score: { scaled: (number % 100) / 100 + 0.001, raw: number % 100, min: 0, max: 100 },
      ...{ success: true, completion: true, response: 'carbon-dioxide', duration: 'PT1M23S' },
    },
    context: {
      registration: uuid(scatter(number, 39_989), '9'),
      platform: 'Example Campus',
      language: 'en-US',
      contextActivities: {
        parent: [
          {
            objectType: 'Activity',
            id: 'https://content.example.org/courses/fire-safety',
            definition: { name: { 'en-US': 'Fire safety' } },
          },
        ],
      },
    },
    authority: client.authority ?? { objectType: 'Agent', name: 'New Client', mbox: 'mailto:hello@learninglocker.net' },
    stored,
    timestamp: stored,
    version: '1.0.0',
  }
}

type Shape = (statement: Record<string, unknown>, number: number) => Record<string, unknown>
const dotted = { 'https://ext.example.org/a.b': { 'c.d': 1.5, e: [1, { 'f&46;g': true }] } }

const shapes: Readonly<Record<number, Shape>> = {
  3: (statement) => ({
    ...statement,
    result: { ...(statement['result'] as object), extensions: dotted },
    context: { ...(statement['context'] as object), extensions: dotted },
  }),
  4: (statement, number) => voiding(statement, number - 4 + 500),
  10: (statement) => ({ ...statement, actor: { objectType: 'Agent', name: 'nobody in particular' } }),
  14: (statement) => without(statement, 'timestamp'),
  15: (statement, number) => ({
    ...withoutPlatform(statement),
    object: { objectType: 'StatementRef', id: uuid(number - 15) },
  }),
  16: (statement) => {
    const { id: _id, stored: _stored, version: _version, authority: _authority, ...event } = statement
    const object = { ...(statement['object'] as object), definition: { extensions: dotted } }
    return { ...withoutPlatform(statement), object: { ...event, object, objectType: 'SubStatement' } }
  },
  17: (statement) => ({
    ...statement,
    actor: {
      objectType: 'Group',
      name: 'Fire brigade',
      member: [{ mbox: 'mailto:ann@example.org' }, statement['actor']],
    },
  }),
  18: (statement, number) => ({ ...statement, attachments: [attachmentFor(number)] }),
  24: (statement, number) => ({ ...statement, attachments: [attachmentFor(number)] }),
  // Waits for a target that comes later, and one that came before.
  502: (statement, number) => voiding(statement, number - 502 + 501),
}

function without(statement: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(statement).filter(([other]) => other !== name))
}

/** Only for Activities. */
function withoutPlatform(statement: Record<string, unknown>): Record<string, unknown> {
  const { platform: _, ...context } = statement['context'] as Record<string, unknown>
  return { ...statement, context }
}

function voiding(statement: Record<string, unknown>, target: number): Record<string, unknown> {
  const { result: _, context: _context, ...rest } = statement
  return {
    ...rest,
    verb: { id: voidedVerb, display: { 'en-US': 'voided' } },
    object: { objectType: 'StatementRef', id: uuid(target) },
  }
}

function attachmentFor(number: number): object {
  const bytes = attachmentOf(number)
  return {
    usageType: 'https://example.org/usage/certificate',
    display: { en: 'Certificate' },
    contentType: 'text/plain',
    length: bytes.length,
    sha2: sha256(bytes),
  }
}

/** What the product itself, and Claviger, fill in. */
function asGivenBack(statement: Record<string, unknown>): Record<string, unknown> {
  return 'timestamp' in statement ? statement : { ...statement, timestamp: statement['stored'] }
}

interface RowInput {
  readonly number: number
  readonly variant: number
  readonly organisation: number
  readonly store: number
  readonly clientOid: string
  readonly isVoided: boolean
  readonly sent: Record<string, unknown>
}

function rowOf({ number, variant, organisation, store, clientOid: client, isVoided, sent }: RowInput): Buffer {
  const dialect = dialectOf(number)
  const isV1 = variant === 2
  const { stored: _, ...unstored } = sent
  const statement = variant === 20 ? unstored : isV1 ? withoutArrays(sent) : sent
  const encoded = [3, 16].includes(variant) ? withEncodedDots(statement) : statement
  const actor = JSON.stringify((sent['actor'] as { account?: unknown }).account ?? 'group')
  const clientPart = variant === 21 ? {} : isV1 ? { client_id: client } : { client: oid(client) }
  const lrs = oid(variant === 11 ? goneStore : storeOid(store))
  const row = {
    _id: oid(rowOid(number)),
    hasGeneratedId: false,
    organisation: oid(organisationOid(organisation)),
    ...(isV1 ? { lrs: { _id: oid(storeOid(store)), title: `Store ${store}` }, rev: '12', refs: [] } : { lrs_id: lrs }),
    ...clientPart,
    ...{ person: null, active: true, voided: isVoided },
    timestamp: date(storedMs(number), dialect),
    stored: date(storedMs(number), dialect),
    ...(!isV1 && { hash: createHash('sha1').update(String(number)).digest('hex') }),
    ...{ agents: [actor], relatedAgents: [actor], registrations: [], verbs: [(sent['verb'] as { id: string }).id] },
    ...{ activities: ['https://content.example.org/courses/fire-safety'], relatedActivities: [] },
    statement: inDialect(encoded, dialect),
    ...{
      metadata: { 'https://learninglocker&46;net/result-score': {} },
      completedQueues: [],
      processingQueues: [],
      __v: inDialect(0, dialect),
    },
  }
  const text = JSON.stringify(row)
  if (variant === 9) return Buffer.from(text.slice(0, -40))
  if (variant === 22)
    return Buffer.concat([Buffer.from(text.slice(0, 300)), Buffer.from([0xff]), Buffer.from(text.slice(300))])
  return Buffer.from(text)
}

function withoutArrays(statement: Record<string, unknown>): Record<string, unknown> {
  const context = statement['context'] as { contextActivities: { parent: readonly unknown[] } }
  return { ...statement, context: { ...context, contextActivities: { parent: context.contextActivities.parent[0] } } }
}

/** Names inside extensions only; not through arrays. */
function withEncodedDots(value: unknown, isInside = false): Record<string, unknown> {
  const entries = Object.entries(value as object).map(([name, member]: [string, unknown]) => {
    const encoded = isInside ? name.replaceAll('.', '&46;') : name
    const isPlain = typeof member === 'object' && member !== null && !Array.isArray(member)
    return [encoded, isPlain ? withEncodedDots(member, isInside || name === 'extensions') : member]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

// ---------------------------------------------------------------------------------------------------------------------
// Documents

export const documentCount = 60

export interface SetDocument {
  readonly number: number
  readonly store: number
  readonly activityId: string
  readonly agent: object
  readonly stateId: string
  readonly etag: string
  readonly contentType: string
  readonly content: string
  readonly fate: 'stored' | 'rejected'
}

export function stateOf(number: number): SetDocument {
  const variant = number % 6
  const json = JSON.stringify({ page: number, 'a.b': [1, 2.5, null] })
  return {
    number,
    store: number % storeCount,
    activityId: `https://content.example.org/courses/${number}`,
    agent: { mbox: `mailto:learner-${number}@example.org` },
    stateId: 'bookmark',
    etag: createHash('sha1').update(`etag ${number}`).digest('hex'),
    contentType:
      variant === 1 ? 'text/plain' : variant >= 2 && variant <= 4 ? 'application/octet-stream' : 'application/json',
    content:
      variant === 1
        ? 'no JSON {'
        : variant === 2
          ? `bytes of ${number}`
          : variant === 3
            ? 'x'.repeat(100_000) + number
            : json,
    // Its bytes are gone.
    fate: variant === 4 ? 'rejected' : 'stored',
  }
}

function stateRow(number: number): object {
  const state = stateOf(number)
  const dialect = dialectOf(number)
  const isJson = state.contentType === 'application/json'
  const isInRow = isJson || state.contentType === 'text/plain'
  const { activityId, agent, stateId, etag, contentType } = state
  return {
    _id: oid(hex('07', number)),
    organisation: oid(organisationOid(state.store % organisationCount)),
    lrs: oid(storeOid(state.store)),
    ...{ activityId, agent, stateId, etag, contentType },
    ...(number % 2 === 0 && { registration: uuid(number, '9') }),
    content: isInRow ? (isJson ? inDialect(JSON.parse(state.content), dialect) : state.content) : null,
    ...{ extension: isJson ? 'json' : 'bin', isObjectContent: isJson, updatedAt: date(begun + number, dialect) },
  }
}

function profileRow(number: number, kind: 'activity' | 'agent'): object {
  const state = stateRow(number) as Record<string, unknown>
  const { stateId: _, registration: _registration, activityId, agent, ...rest } = state
  return { ...rest, profileId: 'preferences', ...(kind === 'activity' ? { activityId } : { agent }) }
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing it

/** The files, and beside them `storage`, the folder of bytes. Resolves with that. */
export async function writeSet(directory: string, size: SetSize, tell?: (done: number) => void): Promise<string> {
  mkdirSync(directory, { recursive: true })
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number)
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const put = (name: string, content: string | Buffer): void => writeFileSync(join(directory, name), content)
  put('organisations.json.gz', gzipSync(lines(numbers(organisationCount).map(organisationRow))))
  put('lrs.json', JSON.stringify(numbers(storeCount).map(storeRow), undefined, 2))
  put(
    'client.json',
    `[${numbers(size.clients)
      .map((number) => JSON.stringify(clientRow(number)))
      .join(',\n')}]\n`,
  )
  put('states.json', lines(numbers(documentCount).map(stateRow)))
  put('activityProfiles.json', lines(numbers(documentCount).map((number) => profileRow(number, 'activity'))))
  put('agentProfiles.jsonl', lines(numbers(documentCount).map((number) => profileRow(number, 'agent'))))
  const storage = join(directory, 'storage')
  writeDocumentFiles(storage)
  await writeStatements(join(directory, 'statements.json'), storage, size, tell)
  return storage
}

async function writeStatements(
  path: string,
  storage: string,
  { statements, clients }: SetSize,
  tell: (done: number) => void = () => {},
): Promise<void> {
  const file = createWriteStream(path, { highWaterMark: 1 << 20 })
  const newline = Buffer.from('\n')
  let gathered: Buffer[] = []
  for (let number = 0; number < statements; number++) {
    const { row, store } = statementOf(number, { clients })
    gathered.push(row, newline)
    const variant = number % cycle
    if (variant === 18 || variant === 24) putAttachment(storage, number, store)
    if (gathered.length < 1000 && number + 1 < statements) continue
    if (!file.write(Buffer.concat(gathered))) await once(file, 'drain')
    gathered = []
    tell(number + 1)
  }
  file.end()
  await once(file, 'close')
}

/** Of variant 24 damaged. */
function putAttachment(storage: string, number: number, store: number): void {
  const directory = join(storage, 'statements', storeOid(store), 'attachments')
  mkdirSync(directory, { recursive: true })
  const bytes = attachmentOf(number)
  const name = `${sha256(bytes)}.txt`
  writeFileSync(join(directory, name), number % cycle === 24 ? Buffer.from('something else') : bytes)
}

function writeDocumentFiles(storage: string): void {
  const folders = ['state/STORE/states', 'activities/STORE/activityProfiles', 'agents/STORE/agentProfiles']
  for (let number = 0; number < documentCount; number++) {
    const { store, content, fate, contentType } = stateOf(number)
    if (fate === 'rejected' || contentType !== 'application/octet-stream') continue
    for (const folder of folders) {
      const directory = join(storage, folder.replace('STORE', storeOid(store)))
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, `${hex('07', number)}.bin`), content)
    }
  }
}
