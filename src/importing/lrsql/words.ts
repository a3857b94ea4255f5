// SQL LRS's scopes of credentials (src/main/lrsql/util/auth.clj): which rights each stands for. Knows no database.

import { getPreset } from '../../core/presets.ts'
import type { Rights, XapiRight } from '../../core/rights.ts'
import { xapiRights } from '../../core/rights.ts'

type XapiRights = Rights['xapi']

const profiles: XapiRights = { 'profile/read': 'any', 'profile/write': 'any' }

/** Of those that mean something there. Any one of them is enough for what it lets through. */
const scopeRights: ReadonlyMap<string, XapiRights> = new Map(
  Object.entries({
    all: getPreset('xapi').rights.xapi,
    'all/read': getPreset('read-only').rights.xapi,
    state: getPreset('state').rights.xapi,
    'statements/read': getPreset('statements-read').rights.xapi,
    'statements/read/mine': getPreset('statements-read-mine').rights.xapi,
    'statements/write': getPreset('statements-write').rights.xapi,
  }),
)

/** One right here is for both kinds of profiles, so either of these alone would have to become wider. */
const profileScopes = ['activities_profile', 'agents_profile'] as const

export interface ReadScopes {
  readonly rights: Rights
  /** What is lost or not meant by anything, in words. */
  readonly warnings: readonly string[]
}

/** Never wider than what they let through there. A scope that its database knows and its program does not is worth nothing there, either. */
export function readScopes(scopes: readonly string[]): ReadScopes {
  const hasBoth = profileScopes.every((scope) => scopes.includes(scope))
  const parts = scopes.map((scope) => scopeRights.get(scope)).filter((part) => part !== undefined)
  const granted = [...parts, ...(hasBoth ? [profiles] : [])]
  const xapi: Partial<Record<XapiRight, 'any' | 'mine'>> = {}
  for (const right of xapiRights) {
    const reaches = granted.map((part) => part[right])
    if (reaches.includes('any')) xapi[right] = 'any'
    else if (reaches.includes('mine')) xapi[right] = 'mine'
  }
  return { rights: { xapi, management: [] }, warnings: scopes.flatMap((scope) => warningOf(scope, scopes, xapi)) }
}

function warningOf(scope: string, scopes: readonly string[], xapi: XapiRights): readonly string[] {
  if (scopeRights.has(scope)) return []
  const isProfile = profileScopes.some((one) => one === scope)
  if (!isProfile) return [`The scope ${JSON.stringify(scope)} means nothing in SQL LRS and is left out`]
  const isCovered = xapi['profile/write'] !== undefined
  if (isCovered || profileScopes.every((one) => scopes.includes(one))) return []
  return [
    `The scope ${scope} alone is left out, for a right to profiles is one to both kinds, of activities and of agents`,
  ]
}
