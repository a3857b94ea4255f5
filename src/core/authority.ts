// The Agent that is stamped as authority on what a principal stores.

import type { Failure } from './errors.ts'
import { authority as authorityRule } from './xapi/agent.ts'
import { Check } from './xapi/rule.ts'

/** An xAPI Agent with exactly one identifier (or, for three-legged OAuth, a two-member anonymous Group). Plain JSON. */
export type AgentIdentity = Readonly<Record<string, unknown>>

export function checkAuthority(authority: AgentIdentity): readonly Failure[] {
  const failures: Failure[] = []
  authorityRule(authority, new Check({ version: '2.0', pointer: '/authority', failures }))
  return failures
}

/** Where none is fixed. The account stays when the name changes, so that what was stored before and after is found together (S2.9). */
export function derivedAuthority(
  baseUrl: string,
  { name, oid }: { readonly name: string; readonly oid: string },
): AgentIdentity {
  const account = { homePage: baseUrl, name: oid }
  return name === '' ? { objectType: 'Agent', account } : { objectType: 'Agent', name, account }
}
