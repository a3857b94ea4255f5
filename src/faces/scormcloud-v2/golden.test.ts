// golden/ holds one exchange for each answer, byte for byte but for the headers every face sends. Read it like the
// documentation of the API. UPDATE_GOLDEN=1 writes it anew; look at the difference before committing it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exchangeText, goldenFolder, unshown } from '../../../test/support/golden.ts'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, Login, World } from '../../../test/support/scormcloud.ts'
import { endpoints } from './index.ts'

const golden = goldenFolder(new URL('golden/', import.meta.url))
/** Sent by http.ts on every answer of every face, or by the runtime. */
const common = new Set([
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'x-content-type-options',
  'x-request-id',
])

type Who = 'application' | 'management' | 'token' | 'nobody'

interface Exchange {
  readonly file: string
  readonly as: Who
  readonly method: string
  /** `{name}` stands for what an exchange before it kept. */
  readonly path: string
  readonly json?: unknown
  readonly form?: string
  /** Of the answer, for later ones. */
  readonly keep?: (json: any) => Readonly<Record<string, string>>
}

let world: World
/** `app` from the start. */
const kept = new Map<string, string>()

beforeAll(async () => {
  world = await openWorld()
  kept.set('app', world.application.record.id)
})
afterAll(() => world.close())

const apps = '/appManagement/applications'
const keys = '/appManagement/{app}/credentials'
const settings = '/appManagement/configuration'
const xapi = '/xapi/credentials'
const pipes = '/xapi/statementPipes'
const issue = '/appManagement/token'
const issueForm = '/oauth/authenticate/application/token'
const credential = {
  ...{ name: 'Course 7', secret: 'pa55-w0rd-pa55-w0rd', isEnabled: true, info: 'for the forum' },
  auth: { xapiCredentialAuthType: 'BASICAUTH' },
  permissionsLevel: { xapiCredentialPermissionsLevel: 'DEFAULT' },
}
const get = { as: 'application', method: 'GET' } as const
const post = { as: 'application', method: 'POST' } as const
const put = { as: 'application', method: 'PUT' } as const
const remove = { as: 'application', method: 'DELETE' } as const
const manager = { as: 'management' } as const
const part = '?learningStandard=SCORM_12&singleSco=true'

// In order: what an exchange makes, a later one reads.
const exchanges: readonly Exchange[] = [
  { ...get, file: 'ping', path: '/ping' },
  { ...get, file: 'about', path: '/about' },
  { ...get, file: 'unauthorized', as: 'nobody', path: '/ping' },
  { ...get, file: 'unauthorized-wrong-kind', path: apps },

  {
    ...post,
    ...manager,
    file: 'application-create',
    path: apps,
    json: { name: 'Forum & Ünïcode' },
    keep: ({ id }) => ({ other: id }),
  },
  { ...post, ...manager, file: 'application-create-refused', path: apps, json: { name: 7 } },
  { ...post, ...manager, file: 'application-create-not-json', path: apps, form: '{"name":' },
  { ...get, ...manager, file: 'application-list-unpaged', path: apps },
  {
    ...get,
    ...manager,
    file: 'application-list',
    path: '/appManagement/applicationList?filterBy=app_name&filter=forum&includeTotalCount=true&includeCourseCount=true&includeRegistrationCount=true',
  },
  { ...get, ...manager, file: 'application-list-refused', path: '/appManagement/applicationList?since=yesterday' },
  { ...get, ...manager, file: 'application-list-more-refused', path: '/appManagement/applicationList?more=x&filter=y' },
  { ...get, ...manager, file: 'application-info', path: `${apps}/{other}` },
  {
    ...put,
    ...manager,
    file: 'application-update',
    path: `${apps}/{other}`,
    json: { name: 'Forum', allowDelete: false },
  },
  { ...remove, ...manager, file: 'application-delete-refused', path: `${apps}/{other}` },
  { ...put, ...manager, file: 'application-update-again', path: `${apps}/{other}`, json: { allowDelete: true } },
  { ...remove, ...manager, file: 'application-delete', path: `${apps}/{other}` },
  { ...get, ...manager, file: 'application-unknown', path: `${apps}/{other}` },

  {
    ...post,
    ...manager,
    file: 'secret-key-create',
    path: keys,
    json: { name: 'Second', active: true },
    keep: ({ id }) => ({ key: id }),
  },
  { ...put, ...manager, file: 'secret-key-update', path: `${keys}/{key}`, json: { active: false } },
  { ...get, ...manager, file: 'secret-key-list', path: keys },
  { ...remove, ...manager, file: 'secret-key-delete', path: `${keys}/{key}` },
  { ...remove, ...manager, file: 'secret-key-unknown', path: `${keys}/{key}` },

  {
    ...post,
    file: 'token-create',
    path: issue,
    json: { permissions: { scopes: ['read:ping'] }, expiry: '2026-01-02T03:06:05.000Z' },
    keep: ({ result }) => ({ token: result }),
  },
  {
    ...post,
    file: 'token-create-refused',
    path: issue,
    json: { permissions: { scopes: ['read:all'] }, expiry: '2026-01-02T03:06:05.000Z' },
  },
  {
    ...post,
    file: 'token-create-past',
    path: issue,
    json: { permissions: { scopes: ['read'] }, expiry: '2020-01-01T00:00:00Z' },
  },
  { ...post, file: 'token-form', path: issueForm, form: 'scope=read%3Aping+write%3Acourse&expiration=60' },
  { ...post, file: 'token-form-refused', path: issueForm, form: 'expiration=60' },
  { ...get, file: 'unauthorized-without-scope', as: 'token', path: '/about' },

  {
    ...post,
    file: 'settings-set',
    path: settings,
    json: { settings: [{ settingId: 'PlayerLaunchType', value: 'NEW_WINDOW', explicit: true }] },
  },
  {
    ...post,
    file: 'settings-set-for-a-standard',
    path: settings + part,
    json: { settings: [{ settingId: 'PlayerLaunchType', value: 'FRAMESET' }] },
  },
  {
    ...post,
    file: 'settings-set-refused',
    path: settings,
    json: { settings: [{ settingId: 'PlayerLaunchType', value: 'TAB' }] },
  },
  {
    ...post,
    file: 'settings-set-unknown',
    path: settings,
    json: { settings: [{ settingId: 'PlayerColour', value: 'red' }] },
  },
  { ...get, file: 'settings-get', path: settings },
  { ...get, file: 'settings-get-for-a-standard', path: `${settings}${part}&includeMetadata=true` },
  { ...get, file: 'settings-get-half-a-standard', path: `${settings}?singleSco=true` },
  { ...remove, file: 'settings-delete', path: `${settings}/PlayerLaunchType${part}` },

  { ...post, file: 'xapi-credential-create', path: xapi, json: credential, keep: ({ result }) => ({ made: result }) },
  {
    ...post,
    file: 'xapi-credential-create-refused',
    path: xapi,
    json: { ...credential, permissionsLevel: 'EVERYTHING' },
  },
  {
    ...put,
    file: 'xapi-credential-set',
    path: `${xapi}/chosen-key`,
    json: { ...credential, auth: 'OAUTH', permissionsLevel: 'ROOT' },
  },
  { ...put, file: 'xapi-credential-set-taken', path: `${xapi}/{app}`, json: credential },
  { ...get, file: 'xapi-credential-get', path: `${xapi}/{made}` },
  { ...get, file: 'xapi-credential-list', path: `${xapi}?includeTotalCount=true` },
  { ...remove, file: 'xapi-credential-delete', path: `${xapi}/chosen-key` },
  { ...get, file: 'xapi-credential-unknown', path: `${xapi}/chosen-key` },

  {
    ...post,
    file: 'pipe-create',
    path: pipes,
    json: { target: { url: 'https://lrs.example.com/xapi', userName: 'u', password: 'p' } },
    keep: ({ result }) => ({ pipe: result }),
  },
  { ...post, file: 'pipe-create-refused', path: pipes, json: {} },
  { ...get, file: 'pipe-list', path: pipes },
  { ...get, file: 'pipe-get', path: `${pipes}/{pipe}` },
  { ...put, file: 'pipe-set', path: `${pipes}/{pipe}`, json: { target: { url: 'https://lrs.example.com/other' } } },
  { ...remove, file: 'pipe-delete', path: `${pipes}/{pipe}` },
  { ...get, file: 'pipe-unknown', path: `${pipes}/{pipe}` },

  { ...get, file: 'not-offered', path: '/courses' },
  { ...get, file: 'not-found', path: '/xapiAccounts' },
  { ...put, file: 'method-not-allowed', path: '/ping' },
]

const filled = (path: string): string => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => kept.get(name) ?? '')

function loginOf(as: Who): Login | string | undefined {
  if (as === 'nobody') return undefined
  if (as === 'token') return kept.get('token') ?? ''
  return as === 'application' ? world.application.login : world.management
}

async function send({ as, method, path, json, form }: Exchange): Promise<Answer> {
  const login = loginOf(as)
  const body =
    form === undefined ? {} : { body: form, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
  return world.v2(method, filled(path), { ...(login && { as: login }), ...(json !== undefined && { json }), ...body })
}

// A token differs from run to run: its signature has a time in it.
const hidden = (text: string): string => text.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '…')

function inWords({ as, method, path, json, form }: Exchange, answer: Answer): string {
  const login = loginOf(as)
  const bearer = login === undefined ? [] : [`authorization: Bearer ${hidden(String(login))}`]
  const who = typeof login === 'object' ? [`authorization: Basic ${login.key}:${login.secret}`] : bearer
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
  const sent = form ?? (json === undefined ? '' : JSON.stringify(json))
  const head = [`${method} /api/v2${filled(path)}`, ...who, ...(sent === '' ? [] : [`content-type: ${type}`])]
  return exchangeText([...head, '', sent], { ...answer, text: hidden(answer.text) }, common)
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
