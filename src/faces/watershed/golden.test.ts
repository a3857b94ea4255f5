// golden/ holds one exchange for each answer, byte for byte but for the headers every face sends. Read it like the
// documentation of the API. UPDATE_GOLDEN=1 writes it anew; look at the difference before committing it.

import { afterAll, beforeAll, describe, it } from 'vitest'
import { exchangeText, goldenFolder } from '../../../test/support/golden.ts'
import { openWorld } from '../../../test/support/watershed.ts'
import type { Answer, Ask, World } from '../../../test/support/watershed.ts'

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
  readonly method: string
  readonly path: string
  readonly ask?: Ask
}

let world: World

beforeAll(async () => {
  world = await openWorld()
  await world.credential({ watershedApiAccess: 'enabled' }, { name: 'LMS', key: 'admin-key', secret: 'admin-secret' })
  await world.credential({ lrsAccess: 'isolated' }, { name: 'Course', key: 'course-key', secret: 'course-secret' })
})
afterAll(() => world.close())

const admin = { key: 'admin-key', secret: 'admin-secret' }
const course = { key: 'course-key', secret: 'course-secret' }
const base = '/api/organizations/1/activity-providers'
const token = '/api/organizations/1/oauth2/token'
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const grant = 'grant_type=client_credentials&client_id=course-key&client_secret=course-secret'

// In order: what an exchange makes, a later one reads.
const exchanges: readonly Exchange[] = [
  { file: 'create', method: 'POST', path: base, ask: { as: admin, json: { name: 'Launch 4711' } } },
  {
    file: 'create-with-everything',
    method: 'POST',
    path: base,
    ask: {
      as: admin,
      json: {
        name: 'Reporting',
        key: 'reporting-key',
        secret: 'reporting-secret',
        active: true,
        lrsAccess: 'globalReadOnly',
        watershedApiAccess: 'disabled',
      },
    },
  },
  { file: 'create-duplicate-key', method: 'POST', path: base, ask: { as: admin, json: { key: 'course-key' } } },
  {
    file: 'create-refused',
    method: 'POST',
    path: base,
    ask: { as: admin, json: { name: 7, active: 'yes', lrsAccess: 'enabled' } },
  },
  {
    file: 'create-not-json',
    method: 'POST',
    path: base,
    ask: { as: admin, body: '{"name":', headers: { 'Content-Type': 'application/json' } },
  },
  { file: 'create-without-content-type', method: 'POST', path: base, ask: { as: admin, body: '{}' } },
  { file: 'list', method: 'GET', path: base, ask: { as: admin } },
  { file: 'list-by-key', method: 'GET', path: `${base}?key=course-key`, ask: { as: admin } },
  { file: 'list-page', method: 'GET', path: `${base}?_limit=1&_offset=3`, ask: { as: admin } },
  { file: 'list-refused', method: 'GET', path: `${base}?_limit=1001`, ask: { as: admin } },
  { file: 'read', method: 'GET', path: `${base}/2`, ask: { as: admin } },
  { file: 'read-self', method: 'GET', path: `${base}/self`, ask: { as: course } },
  { file: 'read-unknown', method: 'GET', path: `${base}/99999`, ask: { as: admin } },
  {
    file: 'edit',
    method: 'PUT',
    path: `${base}/3`,
    ask: { as: admin, json: { name: 'Launch 4712', lrsAccess: 'writeOnly' } },
  },
  { file: 'read-after-edit', method: 'GET', path: `${base}/3`, ask: { as: admin } },
  { file: 'unauthorized', method: 'GET', path: base },
  { file: 'unauthorized-without-api-access', method: 'GET', path: base, ask: { as: course } },
  { file: 'method-not-allowed', method: 'DELETE', path: base, ask: { as: admin } },
  {
    file: 'session-create',
    method: 'POST',
    path: `${base}/self/sessions`,
    ask: { as: course, json: { expireSeconds: 600, scope: 'xapi:all' } },
  },
  {
    file: 'session-create-beyond',
    method: 'POST',
    path: `${base}/self/sessions`,
    ask: { as: course, json: { scope: 'wsapi:all' } },
  },
  { file: 'session-list', method: 'GET', path: `${base}/self/sessions`, ask: { as: course } },
  { file: 'session-read', method: 'GET', path: `${base}/2/sessions/1`, ask: { as: admin } },
  { file: 'session-delete', method: 'DELETE', path: `${base}/self/sessions/1`, ask: { as: course } },
  {
    file: 'token',
    method: 'POST',
    path: token,
    ask: { body: `${grant}&scope=xapi:read,xapi:write&expire_seconds=60`, headers: form },
  },
  { file: 'token-refused', method: 'POST', path: token, ask: { body: `${grant}x`, headers: form } },
  { file: 'token-scope-beyond', method: 'POST', path: token, ask: { body: `${grant}&scope=wsapi:all`, headers: form } },
  { file: 'delete', method: 'DELETE', path: `${base}/3`, ask: { as: admin } },
  {
    file: 'xapi-invalid',
    method: 'POST',
    path: '/api/organizations/1/lrs/statements',
    ask: { as: course, json: { actor: {}, verb: { id: 'did' } }, headers: { 'X-Experience-API-Version': '1.0.3' } },
  },
  {
    file: 'xapi-without-lrs-access',
    method: 'GET',
    path: '/api/organizations/1/lrs/statements',
    ask: { as: admin, headers: { 'X-Experience-API-Version': '1.0.3' } },
  },
]

function inWords({ method, path, ask = {} }: Exchange, answer: Answer): string {
  const who = typeof ask.as === 'object' ? [`authorization: Basic ${ask.as.key}:${ask.as.secret}`] : []
  const type = ask.json === undefined ? [] : ['content-type: application/json']
  const sent = Object.entries(ask.headers ?? {}).map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  const body = ask.json === undefined ? (ask.body ?? '') : JSON.stringify(ask.json)
  // A token differs from run to run: its signature has a time in it.
  const text = answer.text.replace(/"access_token":"[^"]+"/, '"access_token":"…"')
  return exchangeText([`${method} ${path}`, ...who, ...type, ...sent, '', body], { ...answer, text }, common)
}

describe('golden', () => {
  it.each(exchanges)('$file', async (exchange) => {
    const answer = await world.ask(exchange.method, exchange.path, exchange.ask)
    const text = inWords(exchange, answer)
    golden.compare(exchange.file, text)
  })

  it('every file is one of them', () => {
    golden.compareNames(exchanges)
  })
})
