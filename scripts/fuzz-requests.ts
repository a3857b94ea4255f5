// Malformed requests, reproducibly: case `number` of a seed is always the same request. Pure: makes them, sends nothing.
// A case that `mustRefuse` breaks a rule whatever else it does; the others may be answered, but never with a 5xx.

import { randomUUID } from 'node:crypto'

export interface FuzzCase {
  /** The family it belongs to, for counting. */
  readonly name: string
  readonly mustRefuse: boolean
  /** The server may close the connection instead of answering. */
  readonly mayHangUp?: boolean
  readonly method: string
  readonly path: string
  /** Null removes one of the defaults (authorization, version, content type). */
  readonly headers: Readonly<Record<string, string | null>>
  readonly body?: Buffer | string
  /** Sent as it is on a connection of its own instead of all the above. */
  readonly raw?: Buffer
}

// ---------------------------------------------------------------------------------------------------------------------
// Chance

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** mulberry32 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join('')
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Valid statements to break

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const extension = { 'https://example.org/extension': { any: ['thing', 1, null, { deep: true }] } }
const account = { objectType: 'Agent', name: 'Anna', account: { homePage: 'https://campus.example.org', name: 'anna' } }
const mailbox = { objectType: 'Agent', mbox: 'mailto:bert@example.org' }
const group = {
  objectType: 'Group',
  name: 'Class 3b',
  member: [account, mailbox, { openid: 'https://id.example.org/c' }],
}
const verb = { id: 'http://adlnet.gov/expapi/verbs/answered', display: { 'en-US': 'answered', de: 'beantwortete' } }
const interaction = (interactionType: string, lists: Record<string, Json>): Json => ({
  objectType: 'Activity',
  id: 'https://content.example.org/quiz/1',
  definition: {
    type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
    name: { 'en-US': 'Question 1' },
    description: { 'en-US': 'Which one?' },
    moreInfo: 'https://content.example.org/quiz/1/about',
    interactionType,
    correctResponsesPattern: ['a[,]b'],
    extensions: extension,
    ...lists,
  },
})
const part = (id: string): Json => ({ id, description: { 'en-US': `Part ${id}` } })
const result = {
  score: { scaled: 0.5, raw: 5, min: 0, max: 10 },
  success: true,
  completion: false,
  response: 'a[,]b',
  duration: 'PT1H2M3.45S',
  extensions: extension,
}
const activity = (name: string): Json => ({ objectType: 'Activity', id: `https://content.example.org/${name}` })
const context = {
  registration: 'e2a6f1d2-6d53-4f0c-9f39-0d2b7f0a8c11',
  instructor: account,
  team: group,
  revision: '3',
  platform: 'Campus',
  language: 'en-GB',
  statement: { objectType: 'StatementRef', id: '7a3f6f0b-9d6d-4d93-8a55-96e6e1fd0c5e' },
  contextActivities: {
    parent: [activity('course')],
    grouping: [activity('year'), activity('school')],
    category: [activity('recipe')],
    other: [activity('other')],
  },
  extensions: extension,
}

const samples: readonly Json[] = [
  { actor: account, verb, object: interaction('choice', { choices: [part('a'), part('b')] }), result, context },
  {
    actor: group,
    verb,
    object: interaction('likert', { scale: [part('likert_0'), part('likert_1')] }),
    timestamp: '2026-03-04T05:06:07.890Z',
  },
  {
    actor: mailbox,
    verb,
    object: interaction('matching', { source: [part('1')], target: [part('2')] }),
    context: { contextActivities: { parent: [activity('course')] } },
  },
  { actor: { mbox_sha1sum: 'ebd31e95054c018b10727ccffd2ef2ec3a016ee9' }, verb, object: mailbox },
  {
    actor: account,
    verb,
    object: {
      objectType: 'SubStatement',
      actor: mailbox,
      verb,
      object: activity('plan'),
      result,
      timestamp: '2027-01-01T00:00:00Z',
    },
    authority: account,
    stored: '2026-01-01T00:00:00Z',
  },
  {
    actor: account,
    verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
    object: { objectType: 'StatementRef', id: '0a3f6f0b-9d6d-4d93-8a55-96e6e1fd0c5e' },
  },
]

type Path = readonly (string | number)[]

/** Every place in a value, the root first; what extensions hold is left out, for there anything goes. */
function places(value: Json, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object' || path.at(-1) === 'extensions') return [path]
  const entries = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value)
  return [path, ...entries.flatMap(([name, item]) => places(item, [...path, name]))]
}

const samplePlaces = samples.map((sample) => places(sample))

function at(value: Json, path: Path): Json {
  let found = value
  for (const step of path) found = (found as Record<string | number, Json>)[step] as Json
  return found
}

/** A copy of the value with another one at the place. */
function withAt(value: Json, path: Path, replacement: Json): Json {
  if (path.length === 0) return replacement
  const copy = structuredClone(value)
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, Json>
  parent[path.at(-1)!] = replacement
  return copy
}

function withoutAt(value: Json, path: Path): Json {
  const copy = structuredClone(value) as Record<string, Json>
  const parent = at(copy, path.slice(0, -1))
  const name = path.at(-1)!
  if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else delete (parent as Record<string | number, Json>)[name]
  return copy
}

// ---------------------------------------------------------------------------------------------------------------------
// Breaking them

const longText = 'x'.repeat(70_000)
const wrongFor: Readonly<Record<string, readonly Json[]>> = {
  string: [null, 0, 1.5, true, {}, ['x'], [], { toString: 'x' }],
  number: ['5', null, true, {}, [], [5]],
  boolean: ['true', 'false', 1, 0, null, {}, []],
  object: [null, 0, -1, 'x', '', true, ['x']],
  array: [null, 0, 'x', true, {}, [null], [0], ['\u0000', 7]],
}

function kindOf(value: Json): string {
  return Array.isArray(value) ? 'array' : typeof value
}

/** 1.0.x takes a single activity in place of a list; an empty list is fine where a list is. */
function isListOrSingle(path: Path): boolean {
  return path.at(-2) === 'contextActivities'
}

function wrongType(chance: Chance): Json {
  for (let attempt = 0; attempt < 100; attempt++) {
    const index = chance.below(samples.length)
    const path = chance.pick(samplePlaces[index]!)
    // What the LRS sets itself is overwritten, not looked at, by some readings.
    if (path.length === 0 || path[0] === 'stored' || path[0] === 'authority') continue
    const old = at(samples[index]!, path)
    const wrong = chance.pick(wrongFor[kindOf(old)] ?? [null])
    if (isListOrSingle(path) && typeof wrong === 'object' && wrong !== null && Object.keys(wrong).length === 0) continue
    return withAt(samples[index]!, path, wrong)
  }
  return 0
}

const nastyTexts = [
  '',
  ' ',
  'x',
  'not an iri',
  'http://',
  '://x',
  'a\u0000b',
  'https://example.org/\u0000',
  '\ud800',
  'https://example.org/\udfff',
  'mailto:a\ud83d@example.org',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../../../etc/passwd',
  "' or 1=1; drop table statement; --",
  '%00%ff%c0%af',
  '{"$ne":null}',
  '${7*7}',
  '\u202e\u2066rtl',
  'https://example.org/𝒳',
  '0000-00-00T00:00:00Z',
  '2026-02-30T25:61:61Z',
  '+275760-09-13T00:00:00.000Z',
  'P1Y2M3W4DT5H',
  'PT' + '9'.repeat(400) + 'S',
  'en-US-x-',
  longText,
  'https://example.org/' + longText,
]
const prototypeKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
]
const unknownKeys = [
  ...prototypeKeys,
  'foo',
  'Actor',
  'ACTOR',
  'actor ',
  '',
  '\u0000',
  '\ud800',
  '$set',
  'a.b',
  '0',
  '-1',
  'id\u0000',
]
const placeholder = '@@KEY@@'

/** A member that no rule knows, which alone makes any statement malformed. */
function poisoned(statement: Json): Json {
  return { ...(statement as Record<string, Json>), malformed: true }
}

function nastyText(chance: Chance): Json {
  const index = chance.below(samples.length)
  const texts = samplePlaces[index]!.filter((path) => typeof at(samples[index]!, path) === 'string')
  return withAt(samples[index]!, chance.pick(texts), chance.pick(nastyTexts))
}

function isObject(value: Json): value is Record<string, Json> {
  return kindOf(value) === 'object' && value !== null
}

/** Language maps refuse it as a value that is no text, extensions as a key that is no IRI, everything else as unknown. */
function unknownMember(chance: Chance): string {
  const index = chance.below(samples.length)
  const objects = samplePlaces[index]!.filter((path) => isObject(at(samples[index]!, path)) && path[0] !== 'authority')
  const path = chance.pick(objects)
  const holder = at(samples[index]!, path) as Record<string, Json>
  const name = path.at(-1) === 'extensions' ? chance.pick(['', 'no-iri', ...prototypeKeys]) : chance.pick(unknownKeys)
  const changed = withAt(samples[index]!, path, { ...holder, [placeholder]: { polluted: true } })
  return JSON.stringify(changed).replace(JSON.stringify(placeholder), JSON.stringify(name))
}

const required: readonly (readonly [number, Path])[] = [
  [0, ['actor']],
  [0, ['verb']],
  [0, ['object']],
  [0, ['verb', 'id']],
  [0, ['object', 'id']],
  [0, ['actor', 'account', 'name']],
  [0, ['actor', 'account', 'homePage']],
  [0, ['actor', 'account']],
  [0, ['context', 'contextActivities', 'parent', 0, 'id']],
  [0, ['object', 'definition', 'choices', 0, 'id']],
  [0, ['context', 'statement', 'id']],
  [4, ['object', 'actor']],
  [4, ['object', 'verb']],
  [4, ['object', 'object']],
  [5, ['object', 'id']],
  [5, ['object', 'objectType']],
]

const brokenNumbers = [
  ...['1e400', '-1e400', '1e309', '9'.repeat(400), `0.${'0'.repeat(400)}1e800`, '01', '.5', '5.', '+1', '0x10'],
  ...['1_000', 'NaN', '-NaN', 'Infinity', '-Infinity', '1e', '--1', '1n', '2', '-1.0000001'],
]

/** In the place of `scaled`, which must lie between -1 and 1. */
function brokenNumber(chance: Chance): string {
  return JSON.stringify(samples[0]).replace('"scaled":0.5', `"scaled":${chance.pick(brokenNumbers)}`)
}

function nested(chance: Chance): string {
  const depth = chance.pick([140, 200, 1000, 5000, 50_000])
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ] as const)
  const end = chance.pick([close.repeat(depth), close.repeat(depth - 1), ''])
  const deep = `${open.repeat(depth)}1${end}`
  return chance.pick([
    deep,
    JSON.stringify(withAt(samples[0]!, ['context', 'extensions'], { 'https://a.example/x': placeholder })).replace(
      JSON.stringify(placeholder),
      deep,
    ),
    subStatements(chance.pick([3, 50, 2000])),
  ])
}

function subStatements(depth: number): string {
  const open =
    '{"objectType":"SubStatement","actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"http://a.example/v"},"object":'
  return `${open.repeat(depth).replace('"objectType":"SubStatement",', '')}{"id":"http://a.example/o"}${'}'.repeat(depth)}`
}

function duplicateMember(chance: Chance): string {
  const text = JSON.stringify(samples[0])
  const [name, value] = chance.pick([
    ['actor', account],
    ['id', 'https://content.example.org/twice'],
    ['verb', verb],
    ['scaled', 0.1],
    ['homePage', 'https://evil.example.org'],
  ] as const)
  return text.replace(`"${name}":`, `"${name}":${JSON.stringify(value)},"${name}":`)
}

function truncated(chance: Chance): string {
  const text = JSON.stringify(chance.pick(samples))
  return text.slice(0, chance.below(text.length))
}

const stray = ['\u0000', '\u0001', ',', ']', '}', '"', '\\', '/**/', 'undefined', "'", '\u2028,', '\n\t;', '\ufeff,']

function strayText(chance: Chance): string {
  const text = JSON.stringify(chance.pick(samples))
  return chance.pick([
    text + chance.pick(stray),
    chance.pick(stray) + text,
    text + text,
    `${text},`,
    `[${text}`,
    `[${text},]`,
  ])
}

/** RFC 8259: JSON between systems is UTF-8; replacing what is not would store something nobody sent. */
function notUtf8(chance: Chance): Buffer {
  const bytes = Buffer.from(JSON.stringify(samples[0]))
  const position = bytes.indexOf('Question 1')
  const wrong = chance.pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x82]])
  return Buffer.concat([bytes.subarray(0, position), Buffer.from(wrong), bytes.subarray(position)])
}

function badBatch(chance: Chance): string {
  const size = 1 + chance.below(40)
  const batch: Json[] = Array.from({ length: size }, () => samples[chance.below(4)]!)
  batch[chance.below(size)] = chance.pick<Json>([
    wrongType(chance),
    poisoned(samples[0]!),
    null,
    7,
    'x',
    [samples[0]!],
    {},
  ])
  return JSON.stringify(batch)
}

function repeatedIds(chance: Chance): string {
  const id = `${chance.hex(8)}-0000-4000-8000-${chance.hex(12)}`
  const twice = [id, chance.pick([id, id.toUpperCase()])]
  return JSON.stringify(twice.map((one) => ({ id: one, ...(samples[0] as object) })))
}

const badRoots = [
  'null',
  'true',
  '0',
  '"x"',
  '{}',
  '[[]]',
  '[null]',
  '[{}]',
  '',
  ' ',
  '\n',
  '{',
  '[',
  '"',
  'undefined',
  '-',
]

// ---------------------------------------------------------------------------------------------------------------------
// Requests

const statementsPaths = ['/xapi/statements', '/api/organizations/1/lrs/statements']
const badVersions = [
  '',
  '0.9',
  '0.95',
  '1.1',
  '1.1.0',
  '3.0.0',
  '2.1.0',
  'abc',
  '1.0.0.0',
  'v1.0.3',
  '1.0.3, 2.0.0',
  '٣',
  longText.slice(0, 5000),
]
const wrongTypes = [
  ...['text/plain', 'application/x-www-form-urlencoded', 'text/html; charset=utf-8', 'application/xml', 'image/png'],
  ...['multipart/mixed', 'multipart/mixed; boundary=', 'multipart/form-data; boundary=x', 'application/octet-stream'],
  ...['application/jsonp', 'json', ';', 'application/json-patch+json'],
]

type Maker = (chance: Chance) => Omit<FuzzCase, 'name' | 'mustRefuse'> & { readonly mustRefuse?: boolean }

const asciiOnly = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '')

/** A body that breaks a rule, by POST or PUT, in one of the two places, as 1.0.x or 2.0. */
function storing(make: (chance: Chance) => Json | Buffer | string): Maker {
  return (chance) => {
    const made = make(chance)
    const body = typeof made === 'string' || Buffer.isBuffer(made) ? made : JSON.stringify(made)
    const isPut = chance.below(4) === 0
    const id = `${chance.hex(8)}-${chance.hex(4)}-4${chance.hex(3)}-8${chance.hex(3)}-${chance.hex(12)}`
    return {
      method: isPut ? 'PUT' : 'POST',
      path: `${chance.pick(statementsPaths)}${isPut ? `?statementId=${id}` : ''}`,
      headers: { 'x-experience-api-version': chance.pick(['1.0.3', '1.0.0', '2.0.0']) },
      body,
      mayHangUp: body.length > 1_000_000,
    }
  }
}

const badHeader: Maker = (chance) => {
  const body = JSON.stringify(samples[chance.below(4)])
  const request = { method: 'POST', path: chance.pick(statementsPaths), body }
  const version = chance.pick([null, ...badVersions])
  const headers: Record<string, string | null> = chance.pick([
    { 'x-experience-api-version': version === null ? null : asciiOnly(version) },
    { 'content-type': chance.pick(wrongTypes) },
    { 'content-type': null },
  ])
  return { ...request, headers }
}

const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

const badAuthorization: Maker = (chance) => {
  const name = chance.hex(12)
  const token = (header: object) =>
    `Bearer ${[header, { sub: name }].map((json) => Buffer.from(JSON.stringify(json)).toString('base64url')).join('.')}.x`
  const authorization = chance.pick([
    ...[null, '', 'Basic', 'Basic ', 'Basic !!!!', 'Bearer', 'Bearer x', 'Digest a="b"', 'Negotiate YII=', ':'],
    ...[basicOf(name), basicOf(`${name}:`), basicOf(':'), basicOf(`:${name}`), basicOf(`${name}:\u0000`)],
    ...[basicOf(`\ud800${name}:x`), basicOf(`__proto__:constructor`), basicOf(`${name}:${longText.slice(0, 9000)}`)],
    ...[
      token({ alg: 'none' }),
      token({ alg: 'HS256', kid: '../../x' }),
      token({ alg: 'RS256', jku: 'http://127.0.0.1:1/' }),
    ],
    `Bearer ${'.'.repeat(chance.below(3000))}`,
  ])
  return {
    method: chance.pick(['POST', 'GET']),
    path: chance.pick([...statementsPaths, '/api/organizations/1/activity-providers']),
    headers: { authorization, 'x-forwarded-for': `203.0.${chance.below(256)}.${chance.below(256)}` },
    body: '{}',
  }
}

const junkValues = [
  ...[
    '',
    ' ',
    'x',
    'null',
    '-1',
    '0',
    '1e99',
    '99999999999999999999',
    'NaN',
    'true',
    'TRUE',
    '%',
    '%zz',
    '%00',
    '%ff',
    '%ed%a0%80',
  ],
  ...['[]', '{}', '{"mbox":1}', '{"mbox":"mailto:a@example.org","__proto__":{}}', '{"account":{}}', '"x"', '[[[['],
  ...[
    '2026-13-45T99:99:99Z',
    '1',
    'e2a6f1d2-6d53-4f0c-9f39',
    '%F0%9D%92%B3',
    "'--",
    'a'.repeat(6000),
    '['.repeat(3000),
  ],
]
const parameters = [
  ...[
    'statementId',
    'voidedStatementId',
    'agent',
    'verb',
    'activity',
    'registration',
    'related_activities',
    'related_agents',
  ],
  ...[
    'since',
    'until',
    'limit',
    'format',
    'attachments',
    'ascending',
    'cursor',
    'StatementId',
    'foo',
    '__proto__',
    'method',
  ],
]

function queryText(chance: Chance): string {
  const pairs = Array.from(
    { length: 1 + chance.below(4) },
    () => `${chance.pick(parameters)}=${chance.pick(junkValues)}`,
  )
  return pairs
    .join(chance.pick(['&', '&', '&', '&&', ';', '?']))
    .replaceAll(/[^\x21-\x7e]/g, (other) => encodeURIComponent(other))
    .replaceAll('#', '%23')
}

const badQuery: Maker = (chance) => ({
  method: chance.pick(['GET', 'GET', 'GET', 'HEAD']),
  path: `${chance.pick(statementsPaths)}?${queryText(chance)}`,
  headers: { 'accept-language': chance.pick([null, '*', ';;;', 'en-US;q=9', `${'a,'.repeat(500)}x`, '__proto__']) },
  mustRefuse: false,
})

/** PUT needs exactly one UUID, the same as in the body; POST takes no parameter. */
const badTarget: Maker = (chance) => {
  const id = randomUUIDOf(chance)
  const [method, query, own] = chance.pick<readonly [string, string, string?]>([
    ['PUT', ''],
    ['PUT', '?statementId='],
    ['PUT', '?statementId=x'],
    ['PUT', `?statementid=${id}`],
    ['PUT', `?statementId=${id}&statementId=${id}`],
    ['PUT', `?statementId=${id}&foo=1`],
    ['PUT', `?statementId=${id}`, randomUUIDOf(chance)],
    ['PUT', `?voidedStatementId=${id}`],
    ['POST', `?statementId=${id}`],
    ['POST', '?foo=bar'],
    ['POST', '?method=PUT'],
    ['POST', '?method=DELETE'],
  ])
  const statement = samples[0] as object
  const body = JSON.stringify(own === undefined ? statement : { id: own, ...statement })
  return { method, path: chance.pick(statementsPaths) + query, headers: {}, body }
}

function randomUUIDOf(chance: Chance): string {
  return `${chance.hex(8)}-${chance.hex(4)}-4${chance.hex(3)}-9${chance.hex(3)}-${chance.hex(12)}`
}

const paths = [
  ...[
    '/',
    '//',
    '/xapi',
    '/xapi/',
    '/xapi//statements',
    '/xapi/statements/',
    '/XAPI/statements',
    '/xapi/statements/%00',
  ],
  ...[
    '/xapi/statements/..%2f..%2fetc',
    '/xapi/%73tatements%2f',
    '/xapi/activities/state',
    '/xapi/agents',
    '/xapi/activities',
  ],
  ...[
    '/xapi/agents/profile',
    '/xapi/activities/profile',
    '/xapi/about',
    '/xapi/nothing',
    '/%',
    '/%zz',
    '/api',
    '/api/organizations',
  ],
  ...['/api/organizations/1', '/api/organizations/0/lrs/statements', '/api/organizations/-1/lrs/statements'],
  ...['/api/organizations/1e0/lrs/statements', '/api/organizations/99999999999999999999/lrs/statements'],
  ...[
    '/api/organizations/__proto__/lrs/statements',
    '/api/organizations/%00/activity-providers',
    '/healthz',
    '/readyz',
  ],
  ...[`/${'a/'.repeat(2000)}`, `/xapi/${'x'.repeat(9000)}`],
]

const strangePath: Maker = (chance) => ({
  method: chance.pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND']),
  path: chance.pick(paths) + chance.pick(['', '', `?${queryText(chance)}`]),
  headers: { origin: chance.pick([null, 'null', 'https://evil.example.org', 'x']) },
  body: chance.pick(['', '{', '{}', 'x=1&y=%']),
  mustRefuse: false,
})

const providers = '/api/organizations/1/activity-providers'
const badCredentials: readonly Json[] = [
  ...[null, 0, 'x', true, [], [{}], { name: 5 }, { name: null }, { key: 5 }, { key: '' }, { key: 'a:b' }],
  ...[
    { key: { $ne: null } },
    { secret: 5 },
    { secret: '' },
    { secret: [] },
    { active: 'true' },
    { active: 1 },
    { active: null },
  ],
  ...[
    { lrsAccess: 'enabled' },
    { lrsAccess: 'root' },
    { lrsAccess: 1 },
    { lrsAccess: ['global'] },
    { lrsAccess: '__proto__' },
  ],
  ...[
    { watershedApiAccess: true },
    { watershedApiAccess: 'yes' },
    { watershedApiAccess: null },
    { name: 'x'.repeat(300) },
  ],
  ...[{ key: 'x'.repeat(300) }, { key: '\u0000' }, { name: '\ud800' }],
]

const vendorRequest: Maker = (chance) => {
  const headers: Record<string, string | null> = { 'x-experience-api-version': null }
  return chance.pick<() => ReturnType<Maker>>([
    () => ({ method: 'POST', path: providers, headers, body: JSON.stringify(chance.pick(badCredentials)) }),
    () => ({
      method: 'POST',
      path: providers,
      headers,
      body: chance.pick(['{', '', '[', '{"name":"a"', '{"name":"a","name":"b"}']),
    }),
    () => ({
      method: 'POST',
      path: providers,
      headers: { ...headers, 'content-type': chance.pick(wrongTypes) },
      body: '{}',
    }),
    () => ({ method: 'PUT', path: `${providers}/1`, headers, body: JSON.stringify(chance.pick(badCredentials)) }),
    () => ({
      method: chance.pick(['GET', 'PUT', 'DELETE']),
      path: `${providers}/${chance.pick(['0', '-1', '1e0', 'x', '99999999', '%00', '__proto__', '1/x', '9'.repeat(30)])}`,
      headers,
      body: '{}',
    }),
    () => ({
      method: 'POST',
      path: `${providers}/self/sessions`,
      headers,
      body: JSON.stringify({ expireSeconds: chance.pick<Json>([-1, 0, 'x', 1.5, 1e300, [], {}, true]) }),
    }),
    () => ({ method: 'POST', path: `${providers}/self/sessions`, headers, body: `{"expireSeconds":1e400}` }),
    () => ({
      method: 'POST',
      path: `${providers}/self/sessions`,
      headers,
      body: JSON.stringify({ scope: chance.pick<Json>([5, 'x', 'xapi:root', {}, ['x']]) }),
    }),
    () => ({
      method: 'POST',
      path: '/api/organizations/1/oauth2/token',
      headers: {
        ...headers,
        authorization: null,
        'content-type': 'application/x-www-form-urlencoded',
        'x-forwarded-for': `198.51.100.${chance.below(256)}`,
      },
      body: chance.pick([
        '',
        'grant_type=password',
        `grant_type=client_credentials&client_id=${chance.hex(8)}&client_secret=x`,
        '%',
        'grant_type[]=x',
        '&&&==',
      ]),
    }),
  ])()
}

const rawRequest: Maker = (chance) => {
  const body = JSON.stringify(samples[0])
  const lines = [
    'POST /xapi/statements HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: close',
    'X-Experience-API-Version: 1.0.3',
    'Content-Type: application/json',
    'Authorization: @@AUTHORIZATION@@',
  ]
  const text = (more: readonly string[], content: string) => `${[...lines, ...more].join('\r\n')}\r\n\r\n${content}`
  const length = Buffer.byteLength(body)
  const raw = chance.pick([
    text([`Content-Length: ${length + 1 + chance.below(500)}`], body),
    text([`Content-Length: ${length}`], body.slice(0, chance.below(length))),
    text([`Content-Length: ${1 + chance.below(length - 2)}`], body),
    text(['Content-Length: -1'], body),
    text(['Content-Length: x'], body),
    text([`Content-Length: ${length}`, `Content-Length: ${length + 1}`], body),
    text([`Content-Length: ${length}`, 'Transfer-Encoding: chunked'], body),
    text(['Transfer-Encoding: chunked'], `${body.length.toString(16)}\r\n${body}`),
    text(['Transfer-Encoding: chunked'], `zz\r\n${body}\r\n0\r\n\r\n`),
    text(['Transfer-Encoding: chunked'], `ffffffffffffffff\r\n${body}`),
    text(['Transfer-Encoding: gzip, chunked', 'Content-Encoding: gzip'], '0\r\n\r\n'),
    text([`X-Long: ${'x'.repeat(40_000)}`, 'Content-Length: 0'], ''),
    text([...Array.from({ length: 3000 }, (_, index) => `X-${index}: y`), 'Content-Length: 0'], ''),
    text(['X-Nul: a\u0000b', `Content-Length: ${length}`], body),
    text(['No colon here', `Content-Length: ${length}`], body),
    text([' Folded: x', `Content-Length: ${length}`], body),
    text(['Expect: 200-maybe', `Content-Length: 0`], ''),
    `POST /xapi/statements\r\n\r\n${body}`,
    `POST /xapi/statements HTTP/9.9\r\nHost: x\r\n\r\n${body}`,
    `${body}\r\n\r\n`,
    'GET http://[::1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /xapi/statements HTTP/1.1\r\nConnection: close\r\n\r\n',
    'GET /xapi/statements HTTP/1.1\r\nHost: a b/c?d#e\r\nConnection: close\r\n\r\n',
    'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /xapi/statements HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\u0016\u0003\u0001\u0002\u0000\u0001',
  ])
  return { method: 'RAW', path: '', headers: {}, raw: Buffer.from(raw, 'latin1'), mayHangUp: true }
}

/** Weird but perhaps valid: nothing is promised but an answer, and that the program lives. */
const perhapsValid: Maker = (chance) => {
  const key = chance.pick(prototypeKeys)
  const body = chance.pick<() => string>([
    () => JSON.stringify(nastyText(chance)),
    () => `\ufeff${JSON.stringify(samples[0])}`,
    () => JSON.stringify(withAt(samples[0]!, ['result', 'response'], chance.pick(nastyTexts))),
    () =>
      JSON.stringify(
        withAt(samples[0]!, ['context', 'extensions'], { 'https://a.example/x': chance.pick(nastyTexts) }),
      ),
    () => JSON.stringify(samples[0]).replace('"any":', `"${key}":{"polluted":true},"any":`),
    () => JSON.stringify(samples[0]).replace('"en-US":"answered"', `"${key}":"answered"`),
    () =>
      JSON.stringify(samples[0]).replace(
        '"raw":5',
        `"raw":${chance.pick(['1e-400', '5e-324', '-0', '1.7976931348623157e308', '5.0000000000000000000000001'])}`,
      ),
    () => JSON.stringify(withAt(samples[0]!, ['actor', 'name'], chance.pick(nastyTexts))),
    () =>
      JSON.stringify(
        withAt(
          samples[0]!,
          ['object', 'definition', 'name'],
          Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`en-x-l${index}`, 'y'])),
        ),
      ),
  ])()
  return {
    method: 'POST',
    path: chance.pick(statementsPaths),
    headers: { 'content-encoding': chance.pick([null, null, null, 'identity', 'gzip']) },
    body,
    mustRefuse: false,
  }
}

/** Families with their share. */
const families: readonly (readonly [string, number, Maker])[] = [
  ['wrong type', 24, storing(wrongType)],
  ['nasty text and an unknown member', 12, storing((chance) => poisoned(nastyText(chance)))],
  ['unknown or prototype member', 10, storing(unknownMember)],
  ['missing member', 4, storing((chance) => missing(chance))],
  ['broken number', 5, storing(brokenNumber)],
  ['nesting', 1, storing(nested)],
  ['duplicate member', 3, storing(duplicateMember)],
  ['truncated', 6, storing(truncated)],
  ['stray text', 4, storing(strayText)],
  ['not UTF-8', 2, storing(notUtf8)],
  ['bad root', 2, storing((chance) => chance.pick(badRoots))],
  ['bad batch', 5, storing(badBatch)],
  ['repeated ids', 1, (chance) => ({ ...storing(repeatedIds)(chance), method: 'POST', path: statementsPaths[0]! })],
  ['bad version or content type', 4, badHeader],
  ['bad target', 3, badTarget],
  ['bad authorization', 3, badAuthorization],
  ['bad query', 7, badQuery],
  ['strange path or method', 2, strangePath],
  ['credentials API', 1, vendorRequest],
  ['broken HTTP', 1, rawRequest],
]
const totalShare = families.reduce((sum, [, share]) => sum + share, 0)

function missing(chance: Chance): Json {
  const [index, path] = chance.pick(required)
  return withoutAt(samples[index]!, path)
}

/** Two in ten thousand are too big. */
const tooBig: Maker = (chance) => ({
  ...storing(() => JSON.stringify(Array.from({ length: 12_000 }, () => samples[0]!)))(chance),
  method: 'POST',
  path: statementsPaths[0]!,
  mayHangUp: true,
})

function made(name: string, maker: Maker, chance: Chance): FuzzCase {
  const request = maker(chance)
  const isLongHead = request.path.length > 12_000
  return { name, ...request, mustRefuse: request.mustRefuse ?? true, ...(isLongHead && { mayHangUp: true }) }
}

export function malformedCase(seed: number, number: number): FuzzCase {
  const chance = new Chance(Math.imul(seed, 0x9e3779b1) ^ number)
  if (number % 5000 === 2500) return made('too big', tooBig, chance)
  let ticket = chance.below(totalShare)
  for (const [name, share, maker] of families) {
    ticket -= share
    if (ticket < 0) return made(name, maker, chance)
  }
  throw new Error('shares do not add up')
}

export function perhapsValidCase(seed: number, number: number): FuzzCase {
  return made('perhaps valid', perhapsValid, new Chance(Math.imul(seed, 0x85ebca6b) ^ number))
}

/** Three statements that are there before and must be all that is there after. */
export function baseline(): string {
  return JSON.stringify([0, 1, 2].map((index) => ({ id: randomUUID(), ...(samples[index] as object) })))
}
