// Random valid statements with every optional member of the data model, for property tests and for fuzzing.

import fc from 'fast-check'
import type { XapiVersion } from '../../src/core/xapi/version.ts'

type Json = fc.Arbitrary<Record<string, unknown>>

/** Every member of `model` optional, but for `required`. */
function some<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, required: (keyof T & string)[]): Json {
  return fc.record(model as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: required as never[] }) as Json
}

const slug = fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/)
const words = fc.string({ maxLength: 20, unit: 'grapheme' })
const iri = fc.oneof(
  slug.map((part) => `https://example.com/${part}`),
  slug.map((part) => `urn:uuid:${part}`),
  slug.map((part) => `http://例え.jp/ä/${part}?a=1&b[]=%20#${part}`),
)
const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
)
const languageTag = fc.constantFrom(
  'en',
  'en-US',
  'de',
  'zh-Hans-CN',
  'sr-Latn-RS',
  'es-419',
  'cmn',
  'de-CH-1901',
  'x-a',
)
const languageMap = fc.dictionary(languageTag, words, { maxKeys: 3 })
const extensions = fc.dictionary(iri, fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>, { maxKeys: 3 })

const identifier = fc.oneof(
  slug.map((name) => ({ mbox: `mailto:${name}@Example.com` })),
  fc.stringMatching(/^[0-9a-fA-F]{40}$/).map((hash) => ({ mbox_sha1sum: hash })),
  iri.map((openid) => ({ openid })),
  fc.record({ account: fc.record({ homePage: iri, name: fc.string({ maxLength: 12, unit: 'grapheme-ascii' }) }) }),
) as Json

function merged(...parts: Json[]): Json {
  return fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as Record<string, unknown>)
}

const typedAgent = merged(fc.constant({ objectType: 'Agent' }), some({ name: words }, []), identifier)
const agent = fc.oneof(typedAgent, merged(some({ name: words }, []), identifier))
const members = fc.array(agent, { maxLength: 3 })
const isGroup = fc.constant({ objectType: 'Group' })
const anonymousGroup = merged(
  isGroup,
  some({ name: words, member: fc.array(agent, { minLength: 1, maxLength: 3 }) }, ['member']),
)
const identifiedGroup = merged(isGroup, some({ name: words, member: members }, []), identifier)
const group = fc.oneof(anonymousGroup, identifiedGroup)
const actor = fc.oneof(agent, group)
const authority = fc.oneof(
  agent,
  fc.tuple(slug, agent).map(([name, person]) => ({
    objectType: 'Group',
    member: [{ account: { homePage: 'https://example.com/token', name } }, person],
  })),
)

const interactionTypes = [
  ...['true-false', 'choice', 'fill-in', 'long-fill-in', 'matching', 'performance', 'sequencing', 'likert', 'numeric'],
  'other',
]
const components = fc.uniqueArray(some({ id: words, description: languageMap }, ['id']), {
  maxLength: 3,
  selector: (component) => component['id'],
})
const description = { name: languageMap, description: languageMap, type: iri, moreInfo: iri, extensions }
const interaction = some(
  {
    ...description,
    interactionType: fc.constantFrom(...interactionTypes),
    correctResponsesPattern: fc.array(words, { maxLength: 2 }),
    choices: components,
    scale: components,
    source: components,
    target: components,
    steps: components,
  },
  ['interactionType'],
)
const definition = fc.oneof(some(description, []), interaction)
const activity = some({ objectType: fc.constant('Activity'), id: iri, definition }, ['id'])
const statementRef = fc.record({ objectType: fc.constant('StatementRef'), id: uuid }) as Json

const verb = some({ id: iri, display: languageMap }, ['id'])

const double = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const score = fc.oneof(
  some({ scaled: fc.double({ min: -1, max: 1, noNaN: true }), raw: double }, []),
  fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)).map(([low, middle, high]) => {
    return { min: low, raw: low + middle, max: low + middle + high + 1 }
  }),
)
const duration = fc.constantFrom(
  'PT1H12M3.25S',
  'P4W',
  'P3Y1M29DT4H35M59.14S',
  'PT0.12567S',
  'PT16559,1S',
  'P1D',
  'P0.5Y',
)
const result = some(
  { score, success: fc.boolean(), completion: fc.boolean(), response: words, duration, extensions },
  [],
)

const activities = fc.oneof(activity, fc.array(activity, { maxLength: 2 })) as fc.Arbitrary<unknown>
const contextActivities = some(
  { parent: activities, grouping: activities, category: activities, other: activities },
  [],
)
const relevantTypes = fc.array(iri, { minLength: 1, maxLength: 2 })
const contextAgent = some({ objectType: fc.constant('contextAgent'), agent, relevantTypes }, ['objectType', 'agent'])
const contextGroup = some({ objectType: fc.constant('contextGroup'), group, relevantTypes }, ['objectType', 'group'])

function context(version: XapiVersion, isActivity: boolean): Json {
  return some(
    {
      registration: uuid,
      instructor: actor,
      team: group,
      contextActivities,
      language: languageTag,
      statement: statementRef,
      extensions,
      ...(isActivity && { revision: words, platform: words }),
      ...(version === '2.0' && {
        contextAgents: fc.array(contextAgent, { maxLength: 2 }),
        contextGroups: fc.array(contextGroup, { maxLength: 2 }),
      }),
    },
    [],
  )
}

const year = { min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }
const instant = fc.date(year).map((date) => date.toISOString())
const rfc3339 = fc
  .tuple(
    instant,
    fc.constantFrom('Z', '+05:30', '-08:00', '+00:00'),
    fc.constantFrom('', '.1', '.123456', '.123456789'),
  )
  .map(([text, offset, fraction]) => text.slice(0, 19) + fraction + offset)
const iso8601 = fc.oneof(
  rfc3339,
  instant.map((text) => text.slice(0, 16)),
  instant.map((text) => text.slice(0, 19).replaceAll(/[-:]/g, '') + '+0530'),
)

const attachment = some(
  {
    usageType: iri,
    display: languageMap,
    description: languageMap,
    contentType: fc.constantFrom('text/plain', 'text/plain; charset=ascii', 'application/vnd.example+json'),
    length: fc.nat(),
    sha2: fc.oneof(...[56, 64, 96, 128].map((length) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)))),
    fileUrl: iri,
  },
  ['usageType', 'display', 'contentType', 'length', 'sha2', 'fileUrl'],
)

/** What statements and SubStatements share. */
function event(version: XapiVersion, object: Json, isActivity: boolean): Json {
  return some(
    {
      actor,
      verb,
      object,
      result,
      context: context(version, isActivity),
      timestamp: version === '2.0' ? rfc3339 : iso8601,
      attachments: fc.array(attachment, { maxLength: 2 }),
    },
    ['actor', 'verb', 'object'],
  )
}

const objectOfOtherKind = fc.oneof(typedAgent, group, statementRef)

function anyEvent(version: XapiVersion): Json {
  return fc.oneof(event(version, activity, true), event(version, objectOfOtherKind, false))
}

function voiding(version: XapiVersion): Json {
  return merged(
    event(version, statementRef, false),
    fc.constant({ verb: { id: 'http://adlnet.gov/expapi/verbs/voided' } }),
  )
}

/** Valid under `version`: of every kind of object, with every optional member now and then. */
export function statementArbitrary(version: XapiVersion): Json {
  const subStatement = merged(fc.constant({ objectType: 'SubStatement' }), anyEvent(version))
  const body = fc.oneof(
    { weight: 6, arbitrary: anyEvent(version) },
    { weight: 2, arbitrary: event(version, subStatement, false) },
    { weight: 1, arbitrary: voiding(version) },
  )
  const versions = version === '1.0' ? ['1.0', '1.0.0', '1.0.3'] : ['1.0.9', '2.0.0', '2.0']
  const setByLrs = { id: uuid, stored: rfc3339, authority, version: fc.constantFrom(...versions) }
  return merged(some(setByLrs, []), body)
}

// ---------------------------------------------------------------------------------------------------------------------
// Places in a statement

export type Path = readonly (string | number)[]

/** Every place but the root and what lies inside extensions. */
export function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || path.at(-1) === 'extensions') return []
  const steps = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value)
  return steps.flatMap((step) => {
    const here = [...path, step]
    return [here, ...listPaths((value as Record<string | number, unknown>)[step], here)]
  })
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, step) => (part as Record<string | number, unknown>)[step], value)
}

/** A copy with another value at `path`. */
export function replaceAt<T>(value: T, path: Path, replacement: unknown): T {
  const copy = structuredClone(value)
  const last = path.at(-1)
  if (last === undefined) return replacement as T
  ;(valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>)[last] = replacement
  return copy
}
