// The JSON of this API: what a request may hold, and what a launch looks like in an answer. Knows nothing of Hono or who is asking.

import { z } from 'zod'
import { invalid } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import type { CredentialId, LaunchId, Oid, PlatformId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import type { NewLaunchInput } from '../../core/launch-plan.ts'
import { launchModes } from '../../core/storage.ts'
import type { Json, LaunchFilter, LaunchRecord } from '../../core/storage.ts'
import { agentTerm } from '../../core/xapi/agent.ts'
import { parseJson } from '../../core/xapi/json.ts'
import type { JsonObject } from '../../core/xapi/rule.ts'

const rule = 'claviger/management'

// ---------------------------------------------------------------------------------------------------------------------
// In

const text = (what: string) => z.string(`must be ${what}`)
const flag = z.boolean('must be true or false')
const credentialRule = `must be the id of a credential, a whole number from 1 to ${maxId}`

/** Shapes; what is right about a value, core says. */
const launchInput = z.strictObject(
  {
    content: text('the id of a content, 24 hex digits'),
    credential: z.int(credentialRule).min(1, credentialRule).max(maxId, credentialRule).optional(),
    actor: z.record(z.string(), z.unknown(), 'must be an Agent, a JSON object'),
    resource: text('a text').optional(),
    activityId: text('an IRI').optional(),
    registration: text('a UUID').optional(),
    mode: z.enum(launchModes, `must be one of ${launchModes.join(', ')}`).default('normal'),
    readsOthers: flag.default(false),
    language: text('a language tag').optional(),
    data: z.unknown().optional(),
  },
  'must be a JSON object',
)

export interface LaunchRequest {
  readonly contentId: string
  /** The caller's own unless given. */
  readonly credentialId: CredentialId | undefined
  readonly input: Omit<NewLaunchInput, 'content'>
}

export function readLaunch(body: unknown): LaunchRequest {
  const parsed = launchInput.safeParse(body)
  if (!parsed.success) throw invalid('The launch was refused', parsed.error.issues.flatMap(toFailures))
  const { content, credential, actor, data = null, registration, ...rest } = parsed.data
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return {
    contentId: content,
    credentialId: credential as CredentialId | undefined,
    input: {
      ...(given as Pick<NewLaunchInput, 'mode'>),
      ...(registration !== undefined && { registration: registration.toLowerCase() }),
      ...{ actor: actor as JsonObject, data: data as Json },
    },
  }
}

/** A misspelled name is one failure each, with its own place. */
function toFailures(issue: z.core.$ZodIssue): readonly Failure[] {
  const place = (path: readonly PropertyKey[]) => path.map((part) => `/${escapePart(String(part))}`).join('')
  if (issue.code !== 'unrecognized_keys') return [{ pointer: place(issue.path), rule, message: issue.message }]
  return issue.keys.map((key) => ({ pointer: place([...issue.path, key]), rule, message: 'is not known here' }))
}

function escapePart(part: string): string {
  return part.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}

export interface LaunchListRequest {
  readonly filter: LaunchFilter
  readonly before: number | undefined
  readonly limit: number
}

const longestPage = 500
const usualPage = 100

export function readLaunchList(query: URLSearchParams): LaunchListRequest {
  const failures: Failure[] = []
  const read = <Value>(name: string, parse: (value: string) => Value | undefined, expected: string) => {
    const values = query.getAll(name)
    const value = values.length === 1 ? parse(values[0] ?? '') : undefined
    if (values.length > 0 && value === undefined) failures.push({ pointer: `?${name}`, rule, message: expected })
    return value
  }
  const found = {
    platformId: read(
      'platform',
      (value) => matching(value, platformPattern) as PlatformId | undefined,
      'must be the id of a platform',
    ),
    contentId: read(
      'content',
      (value) => matching(value, /^[0-9a-f]{24}$/) as Oid | undefined,
      'must be the id of a content',
    ),
    registration: read('registration', (value) => matching(value.toLowerCase(), uuid), 'must be a UUID'),
    actorKey: read('actor', actorIn, 'must be an Agent as JSON, as actors of statements are'),
    isRunning: read('running', booleanIn, 'must be true or false'),
  }
  const before = read(
    'before',
    (value) => numberIn(value, Number.MAX_SAFE_INTEGER),
    'must be `next` of the part before',
  )
  const limit = read(
    'limit',
    (value) => numberIn(value, longestPage),
    `must be a whole number from 1 to ${longestPage}`,
  )
  const unknown = [...new Set(query.keys())].filter((name) => !parameters.includes(name))
  const message = `is none of ${parameters.join(', ')}`
  failures.push(...unknown.map((name) => ({ pointer: `?${name.slice(0, 100)}`, rule, message })))
  if (failures.length > 0) throw invalid('The list was refused', failures)
  const filter = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
  return { filter, before, limit: limit ?? usualPage }
}

const parameters: readonly string[] = ['platform', 'content', 'registration', 'actor', 'running', 'before', 'limit']
const platformPattern = /^[a-z0-9][a-z0-9-]{1,62}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function matching(value: string, pattern: RegExp): string | undefined {
  return pattern.test(value) ? value : undefined
}

function numberIn(value: string, most: number): number | undefined {
  return /^[1-9]\d{0,15}$/.test(value) && Number(value) <= most ? Number(value) : undefined
}

function booleanIn(value: string): boolean | undefined {
  return value === 'true' || value === 'false' ? value === 'true' : undefined
}

function actorIn(value: string): string | undefined {
  try {
    return agentTerm(parseJson(value))
  } catch {
    return undefined
  }
}

/** Undefined for what cannot be the id of one. */
export function readLaunchId(segment: string): LaunchId | undefined {
  return matching(segment.toLowerCase(), uuid) as LaunchId | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Out

/** Never a key, nor what is kept sealed: those reach the content alone. */
export function presentLaunch(launch: LaunchRecord): { readonly [name: string]: Json } {
  const { createdAt, expiresAt, endedAt, endedBy } = launch
  return {
    id: launch.id,
    platform: launch.platformId,
    content: launch.contentId,
    resource: launch.resource,
    credential: launch.credentialId,
    lrs: launch.lrsId,
    style: launch.style,
    mode: launch.mode,
    actor: launch.actor,
    activityId: launch.activityId,
    registration: launch.registration,
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
    endedAt: endedAt === null ? null : time(endedAt),
    endedBy,
  }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
