// golden/ holds one exchange for each kind of answer, byte for byte but for the headers every answer has. Read it like the
// documentation of the API. UPDATE_GOLDEN=1 writes it anew; look at the difference before committing it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exchangeText, goldenFolder, unshown } from '../../../test/support/golden.ts'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, Login, World } from '../../../test/support/learninglocker.ts'
import { endpoints } from './index.ts'

const golden = goldenFolder(new URL('golden/', import.meta.url))
/** On every answer of this face or of every face, or by the runtime. */
const common = new Set([
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'cache-control',
  'expires',
  'pragma',
  'x-content-type-options',
  'x-request-id',
])

type Who = 'admin' | 'xapi' | 'nobody'

interface Exchange {
  readonly file: string
  /** `admin` unless given: a client with the scopes `all` and `statements/delete`. */
  readonly as?: Who
  readonly method: string
  /** `{name}` stands for what an exchange before it kept. */
  readonly path: string
  readonly json?: unknown
  /** Sent as it is, of this type or of none. */
  readonly text?: string
  readonly type?: string
  /** Of the answer, for later ones. */
  readonly keep?: (json: any) => Readonly<Record<string, string>>
}

let world: World
let logins: Readonly<Record<Exclude<Who, 'nobody'>, Login>>
/** `organisation` and `store` from the start. */
const kept = new Map<string, string>()
const cursor = (key: object): string => Buffer.from(JSON.stringify(key)).toString('base64')

beforeAll(async () => {
  world = await openWorld()
  const admin = await world.client(['all', 'statements/delete'], { name: 'Admin' })
  const xapi = await world.client(['xapi/all'], { name: 'xAPI' })
  logins = { admin: admin.login, xapi: xapi.login }
  kept.set('organisation', world.organisation.oid).set('store', world.lrs.oid)
})
afterAll(() => world.close())

const v2 = '/api/v2'
const oid = '59c2371616bc715f83c34506'
const filter = (value: unknown): string => encodeURIComponent(JSON.stringify(value))
const authority = { objectType: 'Agent', account: { homePage: 'https://lms.example', name: 'course-7' } }
const statement = {
  id: '7d0b2d5c-4a0f-4f0c-8a51-0f5d1c2e9a11',
  actor: { objectType: 'Agent', mbox: 'mailto:learner@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
  object: { id: 'https://lms.example/course/7' },
  timestamp: '2026-01-02T03:00:00.000Z',
}
const get = { method: 'GET' } as const
const post = { method: 'POST' } as const
const patch = { method: 'PATCH' } as const
const put = { method: 'PUT' } as const
const remove = { method: 'DELETE' } as const

// In order: what an exchange makes, a later one reads.
const exchanges: readonly Exchange[] = [
  {
    ...post,
    file: 'client-create',
    path: `${v2}/client`,
    json: {
      ...{ title: 'Course 7', lrs_id: '{store}', scopes: ['xapi/all'] },
      authority: JSON.stringify(authority),
    },
    keep: ({ _id: id }) => ({ client: id }),
  },
  { ...post, file: 'client-create-many', path: `${v2}/client`, json: [{ title: 'One' }, { title: 'Two' }] },
  {
    ...post,
    file: 'client-create-refused',
    path: `${v2}/client`,
    json: { isTrusted: 'maybe', lrs_id: oid, scopes: ['all', 'xapi'], authority: { mbox_sha1: 'x' } },
  },
  {
    ...post,
    file: 'client-create-taken',
    path: `${v2}/client`,
    json: { api: { basic_key: '{adminKey}' } },
  },
  { ...post, file: 'client-create-without-type', as: 'nobody', path: `${v2}/client`, text: '{}' },
  { ...post, file: 'client-create-wrong-type', as: 'nobody', path: `${v2}/client`, text: '{}', type: 'text/plain' },
  { ...post, file: 'client-create-not-json', path: `${v2}/client`, text: '{"title":', type: 'application/json' },
  { ...get, file: 'client-list', path: `${v2}/client?query=${filter({ title: '~course' })}` },
  { ...get, file: 'client-list-select', path: `${v2}/client?select=title,scopes&sort=-title&limit=2` },
  { ...get, file: 'client-list-distinct', path: `${v2}/client?distinct=scopes` },
  { ...get, file: 'client-list-not-json', path: `${v2}/client?query=title` },
  { ...get, file: 'client-list-refused', path: `${v2}/client?query=${filter({ $where: 'true' })}` },
  { ...get, file: 'client-count', path: `${v2}/client/count` },
  { ...get, file: 'client-read', path: `${v2}/client/{client}` },
  { ...get, file: 'client-read-populated', path: `${v2}/client/{client}?select=title,lrs_id&populate=lrs_id` },
  { ...get, file: 'client-unknown', path: `${v2}/client/${oid}` },
  { ...get, file: 'client-no-id', path: `${v2}/client/course-7` },
  { ...patch, file: 'client-patch', path: `${v2}/client/{client}`, json: { api: { basic_secret: 'chosen' } } },
  { ...put, file: 'client-put-rotates', path: `${v2}/client/{client}`, json: { api: { basic_secret: '' } } },
  { ...post, file: 'client-post-merges', path: `${v2}/client/{client}`, json: { scopes: ['all/read', 'state'] } },
  { ...get, file: 'client-connection', path: `/api/connection/client?first=1&sort=${filter({ title: 1, _id: 1 })}` },
  { ...get, file: 'client-connection-refused', path: '/api/connection/client?after=nothing' },
  { ...get, file: 'client-indexes', path: '/api/indexes/client' },
  { ...remove, file: 'client-delete', path: `${v2}/client/{client}` },
  { ...remove, file: 'client-delete-all', path: `${v2}/client` },
  { ...get, file: 'unauthorized', as: 'nobody', path: `${v2}/client` },
  { ...get, file: 'forbidden', as: 'xapi', path: `${v2}/client` },

  { ...post, file: 'lrs-create', path: `${v2}/lrs`, json: { title: 'Second' }, keep: ({ _id: id }) => ({ lrs: id }) },
  { ...get, file: 'lrs-list', path: `${v2}/lrs` },
  { ...get, file: 'lrs-count', path: `${v2}/lrs/count` },
  { ...get, file: 'lrs-read', path: `${v2}/lrs/{lrs}` },
  { ...patch, file: 'lrs-patch', path: `${v2}/lrs/{lrs}`, json: { description: 'For the course' } },
  { ...put, file: 'lrs-put', path: `${v2}/lrs/{lrs}`, json: { description: null } },
  { ...post, file: 'lrs-post-merges', path: `${v2}/lrs/{lrs}`, json: {} },
  { ...get, file: 'lrs-connection', path: '/api/connection/lrs?first=1' },
  { ...get, file: 'lrs-indexes', path: '/api/indexes/lrs' },
  { ...remove, file: 'lrs-delete', path: `${v2}/lrs/{lrs}` },
  { ...remove, file: 'lrs-delete-default', path: `${v2}/lrs/{store}` },
  { ...remove, file: 'lrs-delete-all', path: `${v2}/lrs` },

  { ...get, file: 'organisation-list', path: `${v2}/organisation` },
  { ...get, file: 'organisation-count', path: `${v2}/organisation/count` },
  { ...get, file: 'organisation-read', path: `${v2}/organisation/{organisation}` },
  { ...patch, file: 'organisation-patch', path: `${v2}/organisation/{organisation}`, json: { name: 'Renamed' } },
  { ...put, file: 'organisation-put', path: `${v2}/organisation/{organisation}`, json: { timezone: 'Europe/Berlin' } },
  { ...post, file: 'organisation-post-merges', path: `${v2}/organisation/{organisation}`, json: {} },
  { ...get, file: 'organisation-connection', path: '/api/connection/organisation' },
  { ...get, file: 'organisation-indexes', path: '/api/indexes/organisation' },
  { ...post, file: 'organisation-create', path: `${v2}/organisation`, json: { name: 'Mine' } },
  { ...remove, file: 'organisation-delete', path: `${v2}/organisation/{organisation}` },
  { ...remove, file: 'organisation-delete-all', path: `${v2}/organisation` },

  { ...put, file: 'xapi-put', as: 'xapi', path: `/data/xAPI/statements?statementId=${statement.id}`, json: statement },
  {
    ...get,
    file: 'xapi-not-found',
    as: 'xapi',
    path: '/data/xAPI/statements?statementId=7d0b2d5c-4a0f-4f0c-8a51-0f5d1c2e9a12',
  },
  { ...get, file: 'xapi-unauthorized', as: 'nobody', path: '/data/xAPI/statements' },
  {
    ...get,
    file: 'statement-list',
    path: `${v2}/statement?query=${filter({ 'statement.id': statement.id })}`,
    keep: ([{ _id: id }]) => ({ statement: id }),
  },
  { ...get, file: 'statement-count', path: `${v2}/statement/count` },
  { ...get, file: 'statement-read', path: `${v2}/statement/{statement}?select=statement.verb` },
  { ...get, file: 'statement-list-select', path: `${v2}/statement?sort=-timestamp&limit=1&select=verbs,voided` },
  { ...get, file: 'statement-list-distinct', path: `${v2}/statement?distinct=statement.verb.id` },
  { ...get, file: 'statement-list-refused', path: `${v2}/statement?query=${filter({ $and: [{ $where: '1' }] })}` },
  { ...get, file: 'statement-no-id', path: `${v2}/statement/nothing` },
  { ...get, file: 'statement-connection', path: `/api/connection/statement?project=${filter({ verbs: 1 })}` },
  {
    ...get,
    file: 'statement-connection-before',
    path: `/api/connection/statement?sort=${filter({ timestamp: -1 })}&before=${cursor({ timestamp: '2026-01-01T00:00:00.000Z' })}`,
  },
  {
    ...get,
    file: 'statement-connection-refused',
    path: `/api/connection/statement?filter=${filter({ agents: { $size: 1 } })}`,
  },
  { ...get, file: 'statement-indexes', path: '/api/indexes/statement' },
  { ...remove, file: 'statement-delete', path: `${v2}/statement/{statement}` },
  { ...remove, file: 'statement-unknown', path: `${v2}/statement/{statement}` },
  { ...post, file: 'method-not-allowed', path: `${v2}/statement`, json: {} },

  { ...get, file: 'client-info', as: 'xapi', path: '/api/auth/client/info' },
  {
    ...post,
    file: 'token',
    as: 'nobody',
    path: '/api/oauth2/token',
    json: { grant_type: 'client_credentials', client_id: '{xapiKey}', client_secret: '{xapiSecret}' },
  },
  {
    ...post,
    file: 'token-refused',
    as: 'nobody',
    path: '/api/oauth2/token',
    json: { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
  },
  { ...get, file: 'token-get', as: 'nobody', path: '/api/oauth2/token' },
  { ...get, file: 'not-found', path: `${v2}/client/a/b` },
]

function filled(text: string): string {
  const { admin, xapi } = logins
  const known = new Map([...kept, ['adminKey', admin.key], ['xapiKey', xapi.key], ['xapiSecret', xapi.secret]])
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => known.get(name) ?? whole)
}

function sentBy({ json, text }: Exchange): string | undefined {
  return json === undefined ? text : filled(JSON.stringify(json))
}

function headersOf({ json, type, path }: Exchange): Record<string, string> {
  const media = json === undefined ? type : 'application/json'
  return {
    ...(media !== undefined && { 'content-type': media }),
    ...(path.startsWith('/data/') && { 'x-experience-api-version': '1.0.3' }),
  }
}

function send(exchange: Exchange): Promise<Answer> {
  const { as = 'admin', method, path } = exchange
  const body = sentBy(exchange)
  return world.ask(method, filled(path), {
    as: as === 'nobody' ? null : logins[as],
    headers: headersOf(exchange),
    ...(body !== undefined && { body }),
  })
}

// Ids of requests and tokens differ from run to run; of the latter the signature, which has a time in it.
const hidden = (text: string): string =>
  text.replaceAll(/"errorId":"[^"]+"/g, '"errorId":"…"').replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '…')

function inWords(exchange: Exchange, answer: Answer): string {
  const { as = 'admin', method, path } = exchange
  const who = as === 'nobody' ? [] : [`authorization: Basic ${logins[as].key}:${logins[as].secret}`]
  const sent = Object.entries(headersOf(exchange)).map(([name, value]) => `${name}: ${value}`)
  const head = [`${method} ${filled(path)}`, ...who, ...sent]
  return exchangeText([...head, '', sentBy(exchange) ?? ''], { ...answer, text: hidden(answer.text) }, common)
}

describe('golden', () => {
  it.each(exchanges)('$file', async (exchange) => {
    const answer = await send(exchange)
    for (const [name, value] of Object.entries(exchange.keep?.(answer.json) ?? {})) kept.set(name, value)
    const text = inWords(exchange, answer)
    golden.compare(exchange.file, text)
  })

  it('every file is one of them', () => {
    golden.compareNames(exchanges)
  })

  it('every operation is among them', () => {
    expect(unshown(endpoints, exchanges)).toEqual([])
  })
})
