// What a launch stored: for `launch show`, and for `launch demo`, which waits for more.

import { progressOf } from '../../core/cmi5/unit.ts'
import { contextExtensions, unitVerbs } from '../../core/cmi5/vocabulary.ts'
import type { UnitVerb } from '../../core/cmi5/vocabulary.ts'
import type { LaunchId, Seq } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { LaunchRecord } from '../../core/storage.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import type { Opened } from '../context.ts'
import { oneLine } from '../outcome.ts'

export interface StatementPart {
  /** Oldest first. */
  readonly statements: readonly Statement[]
  /** Where the next part begins. */
  readonly cursor: Seq | undefined
}

/** The store's clock may be ahead (decision 0016). */
const slackMs = 100

/** At most 100, behind `cursor`. `principal`: the key of the launch, who owns them. */
export async function readStatements(
  { core }: Opened,
  principal: Principal,
  { id, lrsId, registration, createdAt, endedAt }: LaunchRecord,
  cursor?: Seq,
): Promise<StatementPart> {
  const pins = { registration: { id: registration, mode: 'required' } } as const
  const query = {
    ...{ filters: [], since: createdAt * 1000 - 1, isAscending: true, limit: 100 },
    // What comes later is of a launch that took its place.
    ...(endedAt !== null && { until: (endedAt + slackMs) * 1000 }),
  }
  const page = await core.statements.list({ ...principal, pins }, lrsId, { ...query, ...(cursor && { cursor }) })
  const statements = page.statements.map(({ body }) => JSON.parse(body) as Statement)
  return {
    statements: statements.filter((statement) => !isOfAnother(statement, id)),
    cursor: page.statements.at(-1)?.seq ?? cursor,
  }
}

/** Of a launch before, which this one ended (cmi5 section 9.3.6). */
function isOfAnother({ context }: Statement, id: LaunchId): boolean {
  const session = (context as { extensions?: Record<string, unknown> } | undefined)?.extensions?.[
    contextExtensions.sessionId
  ]
  return session !== undefined && session !== id
}

/** `12:03:04  passed  A lesson on keys  score 100 %` */
export function lineOf({ stored, verb, object, result }: Statement): string {
  const at = String(stored).slice(11, 19)
  const { id = '', definition } = object as { id?: string; definition?: { name?: Record<string, string> } }
  const name = Object.values(definition?.name ?? {})[0] ?? id
  const { score, success } = (result ?? {}) as { score?: { scaled?: number }; success?: boolean }
  const scaled = score?.scaled === undefined ? [] : [`score ${Math.round(score.scaled * 100)} %`]
  const word = Object.values((verb as { display?: Record<string, string> }).display ?? {})[0]
  const verbId = (verb as { id: string }).id
  const words = [at, word ?? verbId.slice(verbId.lastIndexOf('/') + 1), name, ...scaled]
  return oneLine([...words, ...(success === undefined ? [] : [success ? 'success' : 'no success'])].join('  '))
}

const verbs = Object.keys(unitVerbs) as readonly UnitVerb[]

/** `initialized, completed, terminated; satisfied`: what it said so far, and what its registration has come to. */
export function saidIn(launch: LaunchRecord): string | undefined {
  const { session, registration } = progressOf(launch)
  const at = (verb: UnitVerb): number => session[verb]?.at ?? Infinity
  const said = verbs.filter((verb) => session[verb] !== undefined).toSorted((one, other) => at(one) - at(other))
  const before = verbs.filter((verb) => session[verb] === undefined && verb in registration)
  const parts = [
    said.join(', '),
    before.length === 0 ? '' : `${before.join(', ')} in a launch before`,
    registration.isSatisfied ? 'satisfied' : '',
  ]
  return parts.filter((part) => part !== '').join('; ') || undefined
}
