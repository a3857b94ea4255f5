// The parameters of the three document resources: every rule about names, values and what belongs together, and which
// documents they name.

import type { DocumentScope } from '../storage.ts'
import { agentTerm } from './agent.ts'
import { iri } from './iri.ts'
import { parseJson } from './json.ts'
import { agentParameter, checkParameters } from './parameters.ts'
import type { Params } from './parameters.ts'
import type { Subject } from './pin.ts'
import type { Rule } from './rule.ts'
import { format, maxIdentifierLength, refusal } from './rule.ts'
import { parseTimestamp, timestamp } from './time.ts'
import { uuid } from './uuid.ts'
import type { XapiVersion } from './version.ts'

export type DocumentKind = DocumentScope['kind']

/** What is asked for; HEAD asks as GET does. */
export type DocumentMethod = 'PUT' | 'POST' | 'GET' | 'DELETE'

/** Which documents a request names. */
export interface DocumentTarget {
  readonly scope: DocumentScope
  /** stateId or profileId; undefined: all of the scope. */
  readonly id: string | undefined
  /** Microseconds. */
  readonly since: number | undefined
  /** What pins judge. */
  readonly about: Subject
}

/** Requirement ids for PUT, POST, GET and DELETE, where the specification's suite has one of its own for each. */
type ByMethod = Readonly<Partial<Record<DocumentMethod, string>>>

interface Parameter {
  /** Given the requirement that a bad value breaks. */
  readonly rule: (broken: string) => Rule
  /** Per method; XAPI-00012 where nothing more specific says so. */
  readonly broken?: ByMethod
  /** Broken where it is missing; optional for the other methods. */
  readonly missing?: ByMethod
  /** The methods that have it at all; all of them unless given. */
  readonly only?: DocumentMethod
}

const unstorable = /[\0\p{Cs}]/u
const idText = `a string of 1 to ${maxIdentifierLength} characters without U+0000 and lone surrogates`
const documentId: Parameter['rule'] = (broken) =>
  format(idText, broken, (text) => text !== '' && text.length <= maxIdentifierLength && !unstorable.test(text))

const byMethod = (PUT: string, POST: string, GET: string, DELETE: string): ByMethod => ({ PUT, POST, GET, DELETE })
const since = (GET: string): Parameter => ({ rule: () => timestamp(GET, GET), only: 'GET' })

/** Communication 2.3, 2.6 and 2.7. */
const parameters: Readonly<Record<DocumentKind, Readonly<Record<string, Parameter>>>> = {
  state: {
    activityId: { rule: iri, missing: byMethod('XAPI-00210', 'XAPI-00209', 'XAPI-00208', 'XAPI-00207') },
    agent: {
      rule: agentParameter,
      broken: byMethod('XAPI-00199', 'XAPI-00198', 'XAPI-00197', 'XAPI-00196'),
      missing: byMethod('XAPI-00215', 'XAPI-00214', 'XAPI-00213', 'XAPI-00212'),
    },
    registration: { rule: uuid, broken: byMethod('XAPI-00203', 'XAPI-00202', 'XAPI-00201', 'XAPI-00200') },
    stateId: { rule: documentId, missing: { PUT: 'XAPI-00206', POST: 'XAPI-00211' } },
    since: since('XAPI-00204'),
  },
  'agent-profile': {
    agent: {
      rule: agentParameter,
      broken: byMethod('XAPI-00257', 'XAPI-00256', 'XAPI-00258', 'XAPI-00255'),
      missing: byMethod('XAPI-00264', 'XAPI-00263', 'XAPI-00261', 'XAPI-00262'),
    },
    profileId: { rule: documentId, missing: { PUT: 'XAPI-00267', POST: 'XAPI-00266', DELETE: 'XAPI-00265' } },
    since: since('XAPI-00260'),
  },
  'activity-profile': {
    activityId: { rule: iri, missing: byMethod('XAPI-00299', 'XAPI-00298', 'XAPI-00296', 'XAPI-00297') },
    profileId: { rule: documentId, missing: { PUT: 'XAPI-00302', POST: 'XAPI-00301', DELETE: 'XAPI-00300' } },
    since: since('XAPI-00295'),
  },
}

/** Throws `invalid` with all failures. */
export function parseDocumentQuery(
  kind: DocumentKind,
  method: DocumentMethod,
  params: Params,
  version: XapiVersion,
): DocumentTarget {
  const offered = Object.entries(parameters[kind]).filter(([, { only }]) => only === undefined || only === method)
  const rules = new Map(offered.map(([name, { rule, broken }]) => [name, rule(broken?.[method] ?? 'XAPI-00012')]))
  const missing = offered.map(([name, parameter]) => [name, parameter.missing?.[method]] as const)
  const required = Object.fromEntries(missing.filter((entry): entry is [string, string] => entry[1] !== undefined))
  const failures = checkParameters(params, { rules, required }, version)
  const idName = kind === 'state' ? 'stateId' : 'profileId'
  if (rules.has('since') && params.has('since') && params.has(idName)) {
    const message = `With ${idName} one document is asked for, whenever it changed: leave one of the two out.`
    failures.push({ pointer: '?since', rule: 'claviger/since-with-id', message })
  }
  if (failures.length > 0) throw refusal(failures)
  return toTarget(kind, (name) => params.get(name)?.[0], idName)
}

function toTarget(
  kind: DocumentKind,
  get: (name: string) => string | undefined,
  idName: 'stateId' | 'profileId',
): DocumentTarget {
  const given = get('agent')
  const agent = given === undefined ? undefined : parseJson(given)
  const since = get('since')
  const id = get(idName)
  const names = {
    activityId: get('activityId') ?? '',
    agent: agentTerm(agent) ?? '',
    registration: get('registration')?.toLowerCase(),
  }
  const which = { id, since: since === undefined ? undefined : parseTimestamp(since) }
  return { ...which, scope: scopeOf(kind, names), about: aboutOf(kind, { ...names, agent }, id) }
}

interface Names {
  readonly activityId: string
  readonly agent: string
  readonly registration: string | undefined
}

function scopeOf(kind: DocumentKind, { activityId, agent, registration }: Names): DocumentScope {
  switch (kind) {
    case 'state':
      return { kind, activityId, agent, ...(registration !== undefined && { registration }) }
    case 'agent-profile':
      return { kind, agent }
    case 'activity-profile':
      return { kind, activityId }
  }
}

/** All documents of a state scope without a registration are those of every registration. */
function aboutOf(
  kind: DocumentKind,
  { activityId, agent, registration }: Omit<Names, 'agent'> & { readonly agent: unknown },
  id: string | undefined,
): Subject {
  switch (kind) {
    case 'state':
      return { activityId, agent, registration: id === undefined ? (registration ?? null) : registration }
    case 'agent-profile':
      return { agent }
    case 'activity-profile':
      return { activityId }
  }
}
