// One thing wrong with a valid statement, and where. What may stand where is written down here a second time, apart from
// the rules under test: a mistake in one of the two shows as a difference.

import type { XapiVersion } from '../../src/core/xapi/version.ts'

export interface Mutation {
  /** What was done to which kind of value: `bad format of iri`. */
  readonly name: string
  /** Pointer to what is wrong now; for what is missing, to the object that lacks it. */
  readonly place: string
  /** The broken statement as JSON. */
  readonly text: string
  /** Broken as JSON text, so that nothing else in the same body is looked at. */
  readonly isTextual: boolean
}

/** A number from 0 to 1, the same for the same seed. */
export type Random = () => number

type Path = readonly (string | number)[]
type JsonObject = Record<string, unknown>

// ---------------------------------------------------------------------------------------------------------------------
// The model: what each kind of object holds. `kind[]` is an array of it, `!` marks what must be there.

const agent = {
  objectType: 'word',
  name: 'text',
  mbox: 'mailto',
  mbox_sha1sum: 'sha1',
  openid: 'iri',
  account: 'account',
}
const group = { ...agent, member: 'agent[]' }
const event = {
  actor: 'actor!',
  verb: 'verb!',
  object: 'object!',
  result: 'result',
  context: 'context',
  timestamp: 'timestamp',
  attachments: 'attachment[]',
}

export const model: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  statement: { id: 'uuid', ...event, stored: 'timestamp', authority: 'authority', version: 'version' },
  subStatement: { objectType: 'word!', ...event },
  agent,
  group,
  /** Where nothing but a Group may stand, or where it would be something else without its objectType. */
  typedAgent: { ...agent, objectType: 'word!' },
  typedGroup: { ...group, objectType: 'word!' },
  account: { homePage: 'iri!', name: 'text!' },
  verb: { id: 'iri!', display: 'languageMap' },
  activity: { objectType: 'word', id: 'iri!', definition: 'definition' },
  definition: {
    name: 'languageMap',
    description: 'languageMap',
    type: 'iri',
    moreInfo: 'iri',
    extensions: 'extensions',
    interactionType: 'word',
    correctResponsesPattern: 'text[]',
    choices: 'component[]',
    scale: 'component[]',
    source: 'component[]',
    target: 'component[]',
    steps: 'component[]',
  },
  component: { id: 'text!', description: 'languageMap' },
  statementRef: { objectType: 'word!', id: 'uuid!' },
  result: {
    score: 'score',
    success: 'boolean',
    completion: 'boolean',
    response: 'text',
    duration: 'duration',
    extensions: 'extensions',
  },
  score: { scaled: 'scaled', raw: 'number', min: 'number', max: 'number' },
  context: {
    registration: 'uuid',
    instructor: 'actor',
    team: 'typedGroup',
    contextActivities: 'contextActivities',
    contextAgents: 'contextAgent[]',
    contextGroups: 'contextGroup[]',
    revision: 'text',
    platform: 'text',
    language: 'language',
    statement: 'statementRef',
    extensions: 'extensions',
  },
  contextActivities: {
    parent: 'activities',
    grouping: 'activities',
    category: 'activities',
    other: 'activities',
  },
  contextAgent: { objectType: 'word!', agent: 'agent!', relevantTypes: 'iri[]' },
  contextGroup: { objectType: 'word!', group: 'typedGroup!', relevantTypes: 'iri[]' },
  attachment: {
    usageType: 'iri!',
    display: 'languageMap!',
    description: 'languageMap',
    contentType: 'mediaType!',
    length: 'length!',
    sha2: 'sha2!',
    fileUrl: 'iri',
  },
}

/** Which of several kinds a value is. */
const unions: Readonly<Record<string, (value: unknown) => string>> = {
  actor: (value) => (typeOf(value) === 'Group' ? 'group' : 'agent'),
  authority: (value) => (typeOf(value) === 'Group' ? 'group' : 'agent'),
  activities: (value) => (Array.isArray(value) ? 'activity[]' : 'activity'),
  object: (value) => objectKinds[String(typeOf(value))] ?? 'activity',
}
const objectKinds: Readonly<Record<string, string>> = {
  Agent: 'typedAgent',
  Group: 'typedGroup',
  SubStatement: 'subStatement',
  StatementRef: 'statementRef',
}

/** Values that miss the format of a kind. */
const misformed: Readonly<Record<string, readonly unknown[]>> = {
  iri: ['', 'example.com/x', 'no scheme', '://x', 'http://exa mple.com/', '/relative', 'http://example.com/<x>'],
  uuid: ['', 'not-a-uuid', '12345678-1234-4234-8234-12345678901', '12345678-1234-4234-8234-12345678901g', '{}'],
  timestamp: [
    ...['', 'yesterday', '2015-01-01', '2015-13-01T00:00:00Z', '2015-02-30T00:00:00Z', '2015-01-01T25:00:00Z'],
    ...['2015-01-01T00:00:00-00:00', '2015-01-01T00:00:00-0000', '2015-01-01T00:00:00-00', '1420070400'],
  ],
  duration: ['', 'P', 'PT', '1D', 'P4W1D', 'PT1.5H2M', 'P1S', 'pt1h', '3600'],
  language: ['', 'a', 'toolonglanguage', 'en_US', 'en-', '-en', 'en US'],
  mailto: ['', 'someone@example.com', 'mailto:', 'mailto:someone', 'mailto:some one@example.com', 'http://example.com'],
  sha1: ['', 'x'.repeat(40), 'a'.repeat(39), 'a'.repeat(41)],
  sha2: ['', 'a'.repeat(63), 'g'.repeat(64), 'a'.repeat(40)],
  mediaType: ['', 'text', 'text/', '/plain', 'text plain'],
  version: ['', '0.9', '0.95', '1', '1.1.0', '1.0.', '3.0.0', 'v1.0.0'],
  length: [-1, 1.5],
  scaled: [1.000001, -1.1, 100],
}
const misformedIn: Readonly<Record<XapiVersion, Readonly<Record<string, readonly unknown[]>>>> = {
  '1.0': { version: ['2.0', '2.0.0'] },
  '2.0': { timestamp: ['2015-01-01T00:00', '20150101T000000Z', '2015-01-01T00:00:00'] },
}

const jsonTypes: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  number: 'number',
  scaled: 'number',
  length: 'number',
  languageMap: 'object',
  extensions: 'object',
}
const samples: Readonly<Record<string, readonly unknown[]>> = {
  string: ['text', ''],
  number: [0, 5, -1.5],
  boolean: [true, false],
  object: [{}, { en: 'text' }],
  array: [[], ['text'], [{}]],
}

// ---------------------------------------------------------------------------------------------------------------------
// Places

export interface Place {
  readonly path: Path
  /** As the model says, `!` left out: a union is resolved. */
  readonly kind: string
  /** Before it was resolved. */
  readonly declared: string
  readonly value: unknown
}

/** Every place of a valid statement, the statement itself first; none inside extensions and language maps. */
export function listPlaces(value: unknown, declared = 'statement', path: Path = []): Place[] {
  const kind = unions[declared]?.(value) ?? declared
  const here = { path, kind, declared, value }
  if (kind.endsWith('[]')) {
    const items = (value as unknown[]).flatMap((item, index) => listPlaces(item, kind.slice(0, -2), [...path, index]))
    return [here, ...items]
  }
  const members = model[kind]
  if (members === undefined) return [here]
  const inside = Object.entries(value as JsonObject).flatMap(([name, member]) => {
    const of = members[name]
    if (of === undefined) throw new Error(`the model has no ${kind}.${name}`)
    return listPlaces(member, of.replace('!', ''), [...path, name])
  })
  return [here, ...inside]
}

// ---------------------------------------------------------------------------------------------------------------------
// Mutations

/** One at random: first the place, so that what occurs often is changed often; then the kind of change, then the change. */
export function mutate(statement: JsonObject, version: XapiVersion, random: Random): Mutation {
  const places = listPlaces(statement)
  for (;;) {
    const place = pick(places, random)
    const changes = place ? [...changesAt(place, version)] : []
    const name = pick([...new Set(changes.map((change) => change.name))], random)
    const change = pick(
      changes.filter((each) => each.name === name),
      random,
    )
    if (place && change) return apply(statement, place, change)
  }
}

interface Change {
  readonly name: string
  /** The value that stands at the place afterwards; undefined removes it. */
  readonly value: unknown
  /** Where it is wrong then, below the place. */
  readonly at?: Path
  /** The value's JSON, where no value has it: a name twice, a number too large. */
  readonly toText?: (text: string) => string
}

function* changesAt(place: Place, version: XapiVersion): Generator<Change> {
  const { kind, value, path } = place
  yield { name: 'null', value: null }
  const type = kind.endsWith('[]') ? 'array' : model[kind] ? 'object' : (jsonTypes[kind] ?? 'string')
  for (const [other, values] of Object.entries(samples)) {
    if (other === type || (other === 'array' && path.length === 0)) continue
    if (place.declared === 'activities' && (other === 'array' || other === 'object')) continue
    for (const sample of values) yield { name: 'wrong type', value: sample }
  }
  for (const bad of [...(misformed[kind] ?? []), ...(misformedIn[version][kind] ?? [])]) {
    yield { name: typeof bad === 'number' ? 'out of range' : 'bad format', value: bad }
  }
  if (kind === 'word') yield* wordChanges(String(value))
  if (jsonTypes[kind] === 'number') yield tooLarge
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return yield* listChanges(place)
  yield* nameChanges(value as JsonObject)
  if (model[kind]) yield* memberChanges(value as JsonObject, kind)
  if (kind === 'languageMap') yield* languageMapChanges(value as JsonObject)
  if (kind === 'extensions')
    for (const name of ['', 'no scheme', 'example.com/x']) yield added(value, name, 1, 'bad name')
  yield* (
    combinations[kind]?.(value as JsonObject, {
      version,
      isMember: path.at(-2) === 'member',
      declared: place.declared,
    }) ?? []
  )
}

const sentinel = 4242424242424242

const tooLarge: Change = {
  name: 'out of range',
  value: sentinel,
  toText: (text) => text.replace(String(sentinel), '1e400'),
}

function* wordChanges(word: string): Generator<Change> {
  yield { name: 'wrong word', value: 'Nonsense' }
  yield { name: 'wrong word', value: '' }
  yield { name: 'wrong case of a word', value: word.toUpperCase() }
  const turned = /^[a-z]/.test(word) ? word[0]!.toUpperCase() : word[0]!.toLowerCase()
  yield { name: 'wrong case of a word', value: turned + word.slice(1) }
}

function* listChanges({ kind, value, declared }: Place): Generator<Change> {
  if (!Array.isArray(value)) return
  for (const item of [null, 5, true, ['text'], ...(kind === 'text[]' ? [{}] : ['text'])]) {
    yield { name: 'wrong item', value: [...value, item], at: [value.length] }
  }
  const [first] = value as JsonObject[]
  if (kind === 'component[]' && first) yield { name: 'item twice', value: [...value, first], at: [value.length] }
  if (kind === 'agent[]') {
    const inner = { objectType: 'Group', mbox: 'mailto:group@example.com' }
    yield { name: 'Group as member', value: [...value, inner], at: [value.length, 'objectType'] }
  }
  if (declared === 'iri[]') yield { name: 'empty list', value: [] }
}

/** What holds for every object whatever its members are. */
function* nameChanges(value: JsonObject): Generator<Change> {
  const [name] = Object.keys(value)
  if (name === undefined) return
  const marked = { ...value, [`${sentinel}`]: value[name] }
  yield {
    name: 'name twice',
    value: marked,
    at: [name],
    toText: (text) => text.replace(JSON.stringify(`${sentinel}`), () => JSON.stringify(name)),
  }
}

function* memberChanges(value: JsonObject, kind: string): Generator<Change> {
  const members = model[kind] ?? {}
  for (const name of ['notThere', 'ID', '__proto__', 'constructor', ''])
    yield added(value, name, 'text', 'unknown name')
  for (const name of Object.keys(value)) {
    const other = name[0]!.toUpperCase() + name.slice(1)
    const renamed = Object.fromEntries(
      Object.entries(value).map(([each, member]) => [each === name ? other : each, member]),
    )
    yield { name: 'wrong case of a name', value: renamed, at: [other] }
    if (members[name]?.endsWith('!')) yield { name: 'missing member', value: without(value, name) }
  }
}

function* languageMapChanges(value: JsonObject): Generator<Change> {
  for (const tag of ['', 'a', 'en_US', 'toolonglanguage', 'en-']) yield added(value, tag, 'text', 'bad name')
  for (const text of [null, 5, true, {}, ['text']]) yield added(value, 'en', text, 'wrong type of text')
}

interface Where {
  readonly version: XapiVersion
  /** Listed by a Group. */
  readonly isMember: boolean
  readonly declared: string
}

const identifiers: Readonly<Record<string, unknown>> = {
  mbox: 'mailto:other@example.com',
  mbox_sha1sum: 'a'.repeat(40),
  openid: 'https://example.com/other',
  account: { homePage: 'https://example.com/', name: 'other' },
}

function* agentChanges(value: JsonObject): Generator<Change> {
  const [has] = Object.keys(identifiers).filter((name) => name in value)
  for (const name of Object.keys(identifiers)) {
    if (name !== has) yield { name: 'second identifier', value: { ...value, [name]: identifiers[name] } }
  }
  if (has !== undefined) yield { name: 'missing identifier', value: without(value, has) }
  yield added(value, 'member', [], 'misplaced member')
}

function* groupChanges(value: JsonObject, { declared }: Where): Generator<Change> {
  const has = Object.keys(identifiers).filter((name) => name in value)
  if (has.length === 0) {
    yield { name: 'missing members', value: without(value, 'member') }
    yield { name: 'empty list', value: { ...value, member: [] }, at: ['member'] }
  }
  for (const name of Object.keys(identifiers)) {
    if (has.length === 1 && !has.includes(name))
      yield { name: 'second identifier', value: { ...value, [name]: identifiers[name] } }
    if (declared === 'authority') yield added(value, name, identifiers[name], 'identifier of an authority')
  }
  if (declared !== 'authority') return
  const members = value['member'] as unknown[]
  yield { name: 'members of an authority', value: { ...value, member: members.slice(0, 1) }, at: ['member'] }
  yield { name: 'members of an authority', value: { ...value, member: [...members, ...members] }, at: ['member'] }
}

function* eventChanges(value: JsonObject, { version }: Where): Generator<Change> {
  const { object, verb, context } = value
  const isActivity = (typeOf(object) ?? 'Activity') === 'Activity'
  for (const name of isActivity ? [] : ['revision', 'platform']) {
    const changed = { ...(context as JsonObject | undefined), [name]: 'text' }
    yield { name: 'misplaced member', value: { ...value, context: changed }, at: ['context', name] }
  }
  if ((verb as JsonObject)['id'] === 'http://adlnet.gov/expapi/verbs/voided') {
    yield { name: 'object of a voiding', value: { ...value, object: { id: 'https://example.com/a' } }, at: ['object'] }
  }
  for (const name of version === '1.0' ? ['contextAgents', 'contextGroups'] : []) {
    const changed = { ...(context as JsonObject | undefined), [name]: [] }
    yield { name: 'misplaced member', value: { ...value, context: changed }, at: ['context', name] }
  }
}

const combinations: Readonly<Record<string, (value: JsonObject, where: Where) => Generator<Change>>> = {
  agent: function* (value, where) {
    yield* agentChanges(value)
    if (where.isMember) yield { name: 'Group as member', value: { ...value, objectType: 'Group' }, at: ['objectType'] }
  },
  typedAgent: agentChanges,
  group: groupChanges,
  typedGroup: groupChanges,
  statement: eventChanges,
  subStatement: function* (value, where) {
    yield* eventChanges(value, where)
    yield added(value, 'id', '12345678-1234-4234-8234-123456789012', 'misplaced member')
    yield added(value, 'stored', '2015-01-01T00:00:00Z', 'misplaced member')
    yield added(value, 'version', '1.0.0', 'misplaced member')
    yield added(value, 'authority', { mbox: identifiers['mbox'] }, 'misplaced member')
    const { actor, verb } = value
    const inner = { objectType: 'SubStatement', actor, verb, object: { id: 'https://example.com/a' } }
    yield { name: 'SubStatement in another', value: { ...value, object: inner }, at: ['object'] }
  },
  definition: function* (value) {
    if (value['interactionType'] === undefined) {
      yield { name: 'missing interactionType', value: { ...value, choices: [] } }
      yield { name: 'missing interactionType', value: { ...value, correctResponsesPattern: [] } }
    }
  },
  score: function* (value) {
    yield { name: 'out of range', value: { ...without(value, 'raw'), min: 1, max: 1 }, at: ['min'] }
    yield { name: 'out of range', value: { ...without(value, 'raw'), min: 2, max: 1 }, at: ['min'] }
    yield { name: 'out of range', value: { ...value, raw: 3, min: 4, max: 5 }, at: ['raw'] }
    yield { name: 'out of range', value: { ...value, raw: 6, min: 4, max: 5 }, at: ['raw'] }
  },
  attachment: function* (value) {
    yield { name: 'no data', value: without(value, 'fileUrl') }
  },
}

function added(value: object, name: string, member: unknown, what: string): Change {
  // Not by a literal: __proto__ must become a member.
  const copy = Object.fromEntries([...Object.entries(value).filter(([each]) => each !== name), [name, member]])
  return { name: what, value: copy, at: [name] }
}

function without(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name))
}

function apply(statement: JsonObject, { path, kind }: Place, change: Change): Mutation {
  const broken = replaceAt(statement, path, change.value)
  const text = JSON.stringify(broken)
  return {
    name: `${change.name}: ${kind}`,
    place: pointer([...path, ...(change.at ?? [])]),
    text: change.toText?.(text) ?? text,
    isTextual: change.toText !== undefined,
  }
}

/** Copies only what lies on the way. */
function replaceAt(value: unknown, [step, ...rest]: Path, replacement: unknown): unknown {
  if (step === undefined) return replacement
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === step ? replaceAt(item, rest, replacement) : item))
  const members = Object.entries(value as JsonObject)
  return Object.fromEntries(
    members.map(([name, member]) => [name, name === step ? replaceAt(member, rest, replacement) : member]),
  )
}

function pointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function typeOf(value: unknown): unknown {
  return (value as JsonObject)['objectType']
}

function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)]
}
