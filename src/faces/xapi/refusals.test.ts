// Every kind of refusal the face can give: each says what is wrong, which rule is broken, and where. Nothing is stored.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement, voiding } from '../../../test/support/xapi.ts'
import type { Answer, Client, SendOptions, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let full: Client
let version1: Client
const known = statement()

beforeAll(async () => {
  stage = await openStage({ batch: 20, bodyBytes: 50_000 })
  full = await stage.as('xapi')
  version1 = clientOf(stage.app, full, '1.0.3')
  await full.post(known)
})
afterAll(() => stage.close())

interface Refusal {
  readonly name: string
  /** Who sends it; the full-rights credential unless given. */
  readonly as?: () => Promise<Client> | Client
  /** Method and path. */
  readonly request: string
  readonly options?: () => SendOptions
  readonly status: number
  /** Pointer and rule of every failure. */
  readonly failures: readonly string[]
  /** Where the first failure lies. */
  readonly statement?: { readonly index: number; readonly id?: unknown }
  readonly decidedBy?: string
}

const body =
  (value: unknown, headers: Record<string, string | null> = {}) =>
  () => ({ body: value, headers })
const headers = (sent: Record<string, string | null>) => () => ({ headers: sent })
const pinned = { pins: { actor: [{ accountName: 'somebody else' }] } }
const id = '3f1c2a52-0f6f-4a6e-9d7b-111111111111'
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const bare = { as: () => version1 }
const activity = 'activityId=http://example.org/a'
const agent = `agent=${encodeURIComponent('{"mbox":"mailto:a@example.org"}')}`

const refusals: readonly Refusal[] = [
  // Paths and methods
  { name: 'an unknown path', request: 'GET nothing', status: 404, failures: [' claviger/not-found'] },
  { name: 'a path in another case', request: 'GET Statements', status: 404, failures: [' claviger/not-found'] },
  ...['statements', 'about', 'agents', 'activities', 'extensions/validate'].map((path) => ({
    name: `a method that ${path} does not offer`,
    request: `DELETE ${path}`,
    status: 405,
    failures: [' claviger/method'],
  })),

  // Who asks
  {
    name: 'no credentials',
    request: 'GET statements',
    options: headers({ authorization: null }),
    status: 401,
    failures: ['Authorization: XAPI-00334'],
  },
  {
    name: 'malformed credentials',
    request: 'GET statements',
    options: headers({ authorization: 'Basic: abc' }),
    status: 401,
    failures: ['Authorization: XAPI-00334'],
  },
  {
    name: 'wrong credentials',
    request: 'GET statements',
    options: headers({ authorization: 'Basic Zm9vOmJhcg==' }),
    status: 401,
    failures: ['Authorization: XAPI-00334'],
  },

  // Version
  {
    name: 'no version',
    request: 'GET statements',
    options: headers({ 'x-experience-api-version': null }),
    status: 400,
    failures: ['X-Experience-API-Version: XAPI-00331'],
  },
  {
    name: 'an unknown version',
    request: 'GET agents',
    options: headers({ 'x-experience-api-version': '0.95' }),
    status: 400,
    failures: ['X-Experience-API-Version: XAPI-00331'],
  },

  // Rights, pins and limits
  {
    name: 'no right to read',
    as: () => stage.as('write-only'),
    request: 'GET statements',
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'statements/read',
  },
  {
    name: 'no right to write',
    as: () => stage.as('read-only'),
    request: 'POST statements',
    options: body(statement()),
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'statements/write',
  },
  {
    name: 'no right to void',
    as: () => stage.as('write-only'),
    request: 'POST statements',
    options: body(voiding(id)),
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'statements/void',
  },
  {
    name: 'no right to agents',
    as: () => stage.as('write-only'),
    request: `GET agents?${agent}`,
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'agents/read',
  },
  {
    name: 'no right to activities',
    as: () => stage.as('write-only'),
    request: `GET activities?${activity}`,
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'activities/read',
  },
  {
    name: 'outside a pin',
    as: () => stage.as('xapi', pinned),
    request: 'POST statements',
    options: body(statement({ id })),
    status: 403,
    failures: ['/actor claviger/pin'],
    statement: { index: 0, id },
    decidedBy: 'pin actor',
  },
  {
    name: 'one of a batch outside a pin',
    as: () => stage.as('xapi', { pins: { activity: 'http://example.org/b' } }),
    request: 'POST statements',
    options: body([statement({ id })]),
    status: 403,
    failures: ['/0/object claviger/pin'],
    statement: { index: 0, id },
  },
  {
    name: 'an agent outside a pin',
    as: () => stage.as('xapi', pinned),
    request: `GET agents?${agent}`,
    status: 403,
    failures: ['?agent claviger/pin'],
    decidedBy: 'pin actor',
  },
  {
    name: 'a State outside a pin',
    as: () => stage.as('xapi', { pins: { activity: 'http://example.org/b' } }),
    request: `GET activities/state?${activity}&${agent}`,
    status: 403,
    failures: ['?activityId claviger/pin'],
    decidedBy: 'pin activity',
  },
  {
    name: 'an address that may not',
    as: () => stage.as('xapi', { limits: { addresses: ['192.0.2.1'] } }),
    request: 'GET statements',
    status: 403,
    failures: [' claviger/addresses'],
    decidedBy: 'limit addresses',
  },
  {
    name: 'an origin that may not',
    as: () => stage.as('xapi', { limits: { origins: ['https://a.example.org'] } }),
    request: 'GET statements',
    options: headers({ origin: 'https://b.example.org' }),
    status: 403,
    failures: ['Origin: claviger/origins'],
    decidedBy: 'limit origins',
  },
  {
    name: 'a version that may not',
    as: () => stage.as('xapi', { limits: { xapiVersions: ['1.0'] } }),
    request: 'GET statements',
    status: 403,
    failures: ['X-Experience-API-Version: claviger/versions'],
    decidedBy: 'limit xapiVersions',
  },
  {
    name: 'a quota used up',
    as: async () => used(await stage.as('xapi', { limits: { dailyQuota: 1 } })),
    request: 'GET statements',
    status: 429,
    failures: [' claviger/rate'],
    decidedBy: 'limit dailyQuota',
  },
  {
    name: 'too many a minute',
    as: async () => used(await stage.as('xapi', { limits: { ratePerMinute: 1 } })),
    request: 'GET statements',
    status: 429,
    failures: [' claviger/rate'],
    decidedBy: 'limit ratePerMinute',
  },

  // Parameters
  { name: 'an unknown parameter', request: 'GET statements?foo=1', status: 400, failures: ['?foo XAPI-00324'] },
  {
    name: 'a parameter in another case',
    request: 'GET statements?StatementId=1',
    status: 400,
    failures: ['?StatementId XAPI-00325'],
  },
  {
    name: 'malformed parameters, all of them',
    request: 'GET statements?verb=x&since=y&limit=-1',
    status: 400,
    failures: ['?verb XAPI-00012', '?since XAPI-00012', '?limit XAPI-00012'],
  },
  {
    name: 'a repeated parameter',
    request: 'GET statements?limit=1&limit=2',
    status: 400,
    failures: ['?limit claviger/repeated-parameter'],
  },
  {
    name: 'an id and a filter',
    request: `GET statements?statementId=${id}&limit=1`,
    status: 400,
    failures: ['?statementId XAPI-00151'],
  },
  {
    name: 'no statementId to PUT',
    request: 'PUT statements',
    options: body(statement()),
    status: 400,
    failures: ['?statementId XAPI-00145'],
  },
  {
    name: 'a malformed statementId',
    request: 'PUT statements?statementId=1',
    options: body(statement()),
    status: 400,
    failures: ['?statementId claviger/statement-id'],
  },
  {
    name: 'another id in the body',
    request: `PUT statements?statementId=${id}`,
    options: body(statement()),
    status: 400,
    failures: ['/id claviger/statement-id'],
  },
  {
    name: 'two statements to PUT',
    request: `PUT statements?statementId=${id}`,
    options: body([statement()]),
    status: 400,
    failures: [' claviger/one-statement'],
  },
  {
    name: 'a parameter of POST',
    request: `POST statements?statementId=${id}`,
    options: body(statement()),
    status: 400,
    failures: ['?statementId XAPI-00324'],
  },
  { name: 'no activityId', request: 'GET activities', status: 400, failures: ['?activityId XAPI-00250'] },
  { name: 'no agent', request: 'GET agents', status: 400, failures: ['?agent XAPI-00243'] },
  {
    name: 'more than a hundred parameters',
    request: `GET statements?${'limit=1&'.repeat(101)}`,
    status: 400,
    failures: [' claviger/too-many-parameters'],
  },

  // Bodies
  {
    name: 'no media type',
    request: 'POST statements',
    options: body('{}', { 'content-type': 'text/plain' }),
    status: 400,
    failures: ['Content-Type: XAPI-00127'],
  },
  {
    name: 'another charset',
    request: 'POST statements',
    options: body('{}', { 'content-type': 'application/json; charset=latin1' }),
    status: 400,
    failures: ['Content-Type: claviger/utf-8'],
  },
  {
    name: 'a compressed body',
    request: 'POST statements',
    options: body('{}', { 'content-encoding': 'gzip' }),
    status: 415,
    failures: ['Content-Encoding: claviger/content-encoding'],
  },
  {
    name: 'bytes that are no text',
    request: 'POST statements',
    options: body(new Uint8Array([0xff])),
    status: 400,
    failures: [' claviger/utf-8'],
  },
  { name: 'no JSON', request: 'POST statements', options: body('{"a"'), status: 400, failures: [' XAPI-00014'] },
  {
    name: 'a name twice',
    request: 'POST statements',
    options: body('{"actor":1,"actor":2}'),
    status: 400,
    failures: ['/actor XAPI-00021'],
    statement: { index: 0 },
  },
  {
    name: 'a name twice in the second of a batch',
    request: 'POST statements',
    options: body(`[{},{"id":"${id}","verb":{"id":"http://a/v","id":"x"}}]`),
    status: 400,
    failures: ['/1/verb/id XAPI-00021'],
    statement: { index: 1, id },
  },
  {
    name: 'an id twice, which might be either',
    request: 'POST statements',
    options: body(`[{},{"id":"${id}","id":"${known.id}"}]`),
    status: 400,
    failures: ['/1/id XAPI-00021'],
    statement: { index: 1 },
  },
  {
    name: 'no body',
    request: 'POST statements',
    options: body(' '),
    status: 400,
    failures: [' XAPI-00014'],
  },
  {
    name: 'neither statement nor array',
    request: 'POST statements',
    options: body('1'),
    status: 400,
    failures: [' XAPI-00006'],
  },
  {
    name: 'a broken statement',
    request: 'POST statements',
    options: body(statement({ id, actor: undefined })),
    status: 400,
    failures: [' XAPI-00003'],
    statement: { index: 0, id },
  },
  {
    name: 'the second of a batch',
    request: 'POST statements',
    options: body([statement(), statement({ id, verb: { id: 'x' } })]),
    status: 400,
    failures: ['/1/verb/id XAPI-00044'],
    statement: { index: 1, id },
  },
  {
    name: 'one id twice',
    request: 'POST statements',
    options: body([statement({ id }), statement({ id })]),
    status: 400,
    failures: ['/1 claviger/repeated-id'],
    statement: { index: 1, id },
  },
  {
    name: 'what 1.0.x does not know',
    ...bare,
    request: 'POST statements',
    options: body(statement({ context: { contextAgents: [] } })),
    status: 400,
    failures: ['/context/contextAgents XAPI-00010'],
  },
  {
    name: 'a body too large',
    request: 'POST statements',
    options: body(statement({ result: { response: 'x'.repeat(50_000) } })),
    status: 413,
    failures: [' XAPI-00328'],
    decidedBy: 'limit CLAVIGER_MAX_BODY',
  },
  {
    name: 'too many statements',
    request: 'POST statements',
    options: body(Array.from({ length: 21 }, () => statement())),
    status: 413,
    failures: [' claviger/batch'],
    decidedBy: 'limit CLAVIGER_MAX_BATCH',
  },

  // Documents
  {
    name: 'a PUT of a profile without a condition, since 1.0.3',
    as: () => version1,
    request: `PUT activities/profile?${activity}&profileId=x`,
    options: body({}),
    status: 400,
    failures: ['If-None-Match: XAPI-00287'],
  },
  {
    name: 'no such document',
    request: `GET activities/state?${activity}&${agent}&stateId=x`,
    status: 404,
    failures: ['?stateId claviger/not-found'],
  },
  {
    name: 'a condition that does not hold',
    request: `PUT activities/state?${activity}&${agent}&stateId=x`,
    options: body({}, { 'if-match': '"0"' }),
    status: 412,
    failures: ['If-Match: claviger/precondition'],
  },
  {
    name: 'no stateId',
    request: `PUT activities/state?${activity}&${agent}`,
    options: body({}),
    status: 400,
    failures: ['?stateId XAPI-00206'],
  },
  {
    name: 'no right to state',
    as: () => stage.as('write-only'),
    request: `GET activities/state?${activity}&${agent}`,
    status: 403,
    failures: ['Authorization: XAPI-00327'],
    decidedBy: 'state/read',
  },

  // The alternate request syntax
  {
    name: 'no form',
    ...bare,
    request: 'POST statements?method=PUT',
    options: body('{}'),
    status: 400,
    failures: ['Content-Type: XAPI-00336'],
  },
  {
    name: 'a form in 2.0',
    request: 'POST statements?method=PUT',
    options: body('content=1', form),
    status: 400,
    failures: ['?method claviger/alternate-syntax'],
  },
  {
    name: 'a broken statement in a form',
    ...bare,
    request: 'POST statements?method=POST',
    options: body('content={}', form),
    status: 400,
    failures: [' XAPI-00003', ' XAPI-00004', ' XAPI-00005'],
    statement: { index: 0 },
  },

  {
    name: 'a broken statement whose id is the parameter',
    request: `PUT statements?statementId=${id}`,
    options: body('{}'),
    status: 400,
    failures: [' XAPI-00003', ' XAPI-00004', ' XAPI-00005'],
    statement: { index: 0, id },
  },

  // What is stored already
  {
    name: 'no such profile',
    request: `GET agents/profile?${agent}&profileId=none`,
    status: 404,
    failures: ['?profileId claviger/not-found'],
  },
  {
    name: 'no such statement',
    request: `GET statements?statementId=${id}`,
    status: 404,
    failures: ['?statementId claviger/not-found'],
  },
  {
    name: 'no such voided statement',
    request: `GET statements?voidedStatementId=${id}`,
    status: 404,
    failures: ['?voidedStatementId claviger/not-found'],
  },
  {
    name: 'a conflict',
    request: 'POST statements',
    options: body([statement(), { ...known, result: { success: true } }]),
    status: 409,
    failures: ['/1/id claviger/conflict'],
    statement: { index: 1, id: known.id },
  },
  {
    name: 'a conflict of one',
    request: 'POST statements',
    options: body({ ...known, result: { success: true } }),
    status: 409,
    failures: ['/id claviger/conflict'],
    statement: { index: 0, id: known.id },
  },
  {
    name: 'a conflict of a PUT',
    request: `PUT statements?statementId=${known.id}`,
    options: body({ ...known, result: { success: true } }),
    status: 409,
    failures: ['?statementId claviger/conflict'],
    statement: { index: 0, id: known.id },
  },
]

async function used(client: Client): Promise<Client> {
  expect((await client.get('statements')).status).toBe(200)
  return client
}

describe('a refusal says which rule is broken, where, and what would be accepted', () => {
  it.each(refusals)('$status $name', async ({ as, request, options, status, failures, statement: lies, decidedBy }) => {
    const client = (await as?.()) ?? full
    const before = await full.idsOf('limit=0')
    const [method = '', path = ''] = request.split(' ')
    const answer: Answer = await client.send(method, path, options?.())
    const { json } = answer
    expect([
      answer.status,
      json.failures?.map(({ pointer, rule }: Record<string, string>) => `${pointer} ${rule}`),
    ]).toEqual([status, failures])
    for (const text of [json.message, ...json.failures.map(({ message }: Record<string, string>) => message)]) {
      expect(text).toMatch(/\w{2,} \w+/)
    }
    expect(json.requestId).toBe(answer.headers.get('x-request-id'))
    if (lies) expect(json.failures[0].statement).toEqual(lies)
    if (decidedBy !== undefined) expect(json.decidedBy).toBe(decidedBy)
    expect(await full.idsOf('limit=0')).toEqual(before)
  })

  it.each([
    ['{"actor":', 'This is not valid JSON: it ends too early.'],
    ['{"actor', 'This is not valid JSON: it ends too early.'],
    ['', 'The body is empty: send a statement or an array of statements.'],
    ['{"actor":1,"actor":2}', 'The member "actor" occurs twice in one object: send it once.'],
  ])('%j is told what is wrong with it', async (sent, message) => {
    const { json } = await full.send('POST', 'statements', { body: sent })
    expect(json.failures.map((failure: { message: string }) => failure.message)).toEqual([message])
  })

  const registration = '3f1c2a52-0f6f-4a6e-9d7b-222222222222'
  it.each([
    [
      { actor: [{ mbox: 'mailto:ann@example.org' }, { accountName: 'ann', homePage: 'https://lms.example.org' }] },
      'actor',
      'mailto:ann@example.org or the account "ann" of https://lms.example.org.',
    ],
    [
      { actor: ['a', 'b', 'c', 'd', 'e'].map((accountName) => ({ accountName })) },
      'actor',
      'one of 2 more identities.',
    ],
    [{ registration: { id: registration, mode: 'required' } }, 'registration', `${registration}.`],
    [{ activity: 'urn:course' }, 'activity', 'urn:course or one that begins with urn:course/.'],
  ] as const)('a pin says what lies inside it: %j', async (pins, pin, inside) => {
    const client = await stage.as('xapi', { pins })
    const from = '/0'
    const place = { actor: '/actor', registration: '/context/registration', activity: '/object' }[pin]
    const member = { actor: '"actor"', registration: '"context.registration"', activity: '"object"' }[pin]
    const { status, json } = await client.post([statement({ id })])
    expect([status, json.failures[0].pointer, json.message]).toEqual([
      403,
      from + place,
      `${from}${place}: ${json.failures[0].message}`,
    ])
    expect(json.failures[0].message).toMatch(new RegExp(`^This key is pinned to one ${pin}, .* Make ${member}`))
    expect(json.failures[0].message.endsWith(inside)).toBe(true)

    const parameter = { actor: 'agent', registration: 'registration', activity: 'activityId' }[pin]
    const refused = await client.get(`activities/state?${activity}&${agent}&stateId=x`)
    expect([refused.status, refused.json.failures[0].pointer]).toEqual([403, `?${parameter}`])
    expect(refused.json.message).toContain(`Make "${parameter}" `)
    expect(refused.json.message.endsWith(inside)).toBe(true)
  })

  it('where a registration may be missing, says so', async () => {
    const pins = { registration: { id: registration, mode: 'whenPresent' } } as const
    const client = await stage.as('xapi', { pins })
    const { json } = await client.post(statement({ context: { registration: id } }))
    expect(json.message).toContain(`${registration}, or leave it out.`)
  })

  it('rules are requirement ids or ours, every one', () => {
    const rules = refusals.flatMap(({ failures }) => failures.map((failure) => failure.slice(failure.indexOf(' ') + 1)))
    for (const rule of rules) expect(rule).toMatch(/^(XAPI-\d{5}|claviger\/[a-z\d-]+)$/)
  })

  it('a lent mount keeps its lender’s shape', async () => {
    const answer = await full.get(`/api/organizations/${stage.organisationId}/lrs/statements?foo=1`)
    expect(Object.keys(answer.json)).toEqual(['message', 'status'])
  })
})
