// golden/ holds one exchange for each answer, byte for byte but for the headers every face sends. Read it like the
// documentation of the API. UPDATE_GOLDEN=1 writes it anew; look at the difference before committing it.

import { afterAll, beforeAll, describe, it } from 'vitest'
import { exchangeText, goldenFolder } from '../../../test/support/golden.ts'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { World } from '../../../test/support/scormcloud.ts'
import { signCall } from '../../../test/support/v1-signer.ts'
import type { Parameter } from '../../../test/support/v1-signer.ts'

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

interface Exchange {
  readonly file: string
  /** Of `rustici`. */
  readonly method: string
  readonly parameters?: Readonly<Record<string, string>>
  /** The query as it is sent, from the one that is right. */
  readonly change?: (query: URLSearchParams) => void
  /** In a form instead of the query. */
  readonly isPosted?: boolean
  readonly isUnsigned?: boolean
}

let world: World
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())

const url = { lrsAuthCallbackUrl: 'https://lms.example.com/cb?x=1&y=2' }
const edit = 'lrsaccount.editActivityProvider'

// In order: what an exchange makes, a later one reads.
const exchanges: readonly Exchange[] = [
  { file: 'ping', method: 'debug.ping', isUnsigned: true },
  { file: 'auth-ping', method: 'debug.authPing' },
  { file: 'get-time', method: 'debug.getTime', isUnsigned: true },
  { file: 'list-empty', method: 'lrsaccount.listActivityProviders' },
  { file: 'create', method: 'lrsaccount.createActivityProvider' },
  { file: 'create-posted', method: 'lrsaccount.createActivityProvider', isPosted: true },
  { file: 'edit', method: edit, parameters: { label: 'forum_activity_provider' } },
  {
    file: 'edit-everything',
    method: edit,
    parameters: {
      ...{ isactive: 'false', authtype: 'oauth', label: 'Forum & <Ünïcode> ]]>' },
      ...{ allowedendpoints: 'APPID', permissionslevel: 'READ_ONLY' },
    },
  },
  { file: 'list', method: 'lrsaccount.listActivityProviders' },
  { file: 'edit-refused', method: edit, parameters: { permissionslevel: 'ROOT' } },
  { file: 'edit-unknown', method: edit, parameters: { accountkey: 'someone-else-s-key' } },
  { file: 'edit-without-key', method: edit, change: (query) => query.delete('accountkey') },
  { file: 'delete', method: 'lrsaccount.deleteActivityProvider' },
  { file: 'callback-get-none', method: 'lrsaccount.getAppLrsAuthCallbackUrl' },
  { file: 'callback-set', method: 'lrsaccount.setAppLrsAuthCallbackUrl', parameters: url },
  { file: 'callback-get', method: 'lrsaccount.getAppLrsAuthCallbackUrl' },
  {
    file: 'callback-set-refused',
    method: 'lrsaccount.setAppLrsAuthCallbackUrl',
    parameters: { lrsAuthCallbackUrl: 'http://lms.example.com/cb' },
  },
  { file: 'callback-reset', method: 'lrsaccount.resetAppLrsAuthCallbackUrl' },
  { file: 'refused-101', method: 'debug.authPing', change: (query) => query.delete('appid') },
  { file: 'refused-102', method: 'debug.authPing', change: (query) => query.set('appid', 'NOBODY0000') },
  { file: 'refused-103', method: 'debug.authPing', change: (query) => query.delete('sig') },
  { file: 'refused-104', method: 'debug.authPing', change: (query) => query.set('sig', '0'.repeat(32)) },
  { file: 'refused-105', method: 'debug.authPing', change: (query) => query.delete('ts') },
  { file: 'refused-106', method: 'debug.authPing', change: (query) => query.set('ts', 'yesterday') },
  { file: 'refused-107', method: 'debug.authPing', change: (query) => query.set('ts', '20240102030405') },
  { file: 'refused-200', method: 'debug.authPing', change: (query) => query.delete('method') },
  { file: 'refused-202', method: 'course.getCourseList' },
  { file: 'refused-204', method: 'debug.ping', isUnsigned: true, parameters: { format: 'json' } },
]

function queryOf({ method, parameters, change, isUnsigned }: Exchange): URLSearchParams {
  const named: Record<string, string> = { method: `rustici.${method}` }
  if (/edit|delete/.test(method)) named['accountkey'] = names[0]![0]
  const all = Object.entries({ ...named, ...parameters }) as Parameter[]
  const query = isUnsigned
    ? new URLSearchParams(Object.fromEntries(all))
    : signCall({ ...world.application.login, time: world.clock.now() }, all)
  change?.(query)
  return query
}

/** Those of the reference, for what is made by chance. */
const names: [made: string, name: string][] = []

function withNames(text: string): string {
  const signed = text
    .replaceAll(/sig=(?!0{32})[0-9a-f]{32}/g, 'sig=…')
    .replaceAll(world.application.login.key, 'MYAPPID')
  return names.reduce((named, [made, name]) => named.replaceAll(made, name), signed)
}

function takeNames(text: string, key: string, secret: string): void {
  const [, made = ''] = /<accountKey><!\[CDATA\[(.*?)\]\]>/.exec(text) ?? []
  const [, madeSecret = ''] = /<accountSecret><!\[CDATA\[(.*?)\]\]>/.exec(text) ?? []
  names.push([made, key], [madeSecret, secret])
}

const form = 'application/x-www-form-urlencoded'

describe('golden', () => {
  it.each(exchanges)('$file', async (exchange) => {
    const query = String(queryOf(exchange))
    const answer = exchange.isPosted
      ? await world.ask('POST', '/api', { body: query, headers: { 'Content-Type': form } })
      : await world.ask('GET', `/api?${query}`)
    if (exchange.file === 'create') takeNames(answer.text, 'f7-gZ_OUp1WcLClbufY', 'S63a-yahvGI8K8-Fe80')
    if (exchange.file === 'create-posted') takeNames(answer.text, 'zlK9B-o3fYt_EQ6x1Sw', 'HHUlpVoOJnk_qCeUu-s')
    const request = exchange.isPosted ? ['POST /api', `content-type: ${form}`, '', query] : [`GET /api?${query}`]
    const text = withNames(exchangeText(request, answer, common))
    golden.compare(exchange.file, text)
  })

  it('every file is one of them', () => {
    golden.compareNames(exchanges)
  })
})
