// Who may hand out what. Management of credentials includes granting every right within its bound, to oneself too; the
// delegated form (`within`) grants and reaches only what is no stronger than itself. Knows nothing of storage.

import type { Decision } from './access.ts'
import { boundText, explain, refusalOf } from './access.ts'
import type { CredentialId, LrsId } from './ids.ts'
import { areLimitsWithin } from './limits.ts'
import type { Limits } from './limits.ts'
import { arePinsWithin } from './pins.ts'
import type { Pins } from './pins.ts'
import type { Caller } from './principal.ts'
import { isBoundWithin, missingFrom } from './rights.ts'
import type { Bound, ManagementAction, ManagementGrant, Reach, Rights, XapiRight } from './rights.ts'
import type { CredentialKind } from './storage.ts'

/** All that makes a key worth having. */
export interface Worth {
  readonly kind: CredentialKind
  readonly rights: Rights
  readonly lrsIds: readonly LrsId[]
  readonly pins: Pins
  readonly limits: Limits
}

/** Whether the caller's management of credentials covers handing out, or taking hold of, a credential of this worth. */
export function explainGrant(caller: Caller, action: ManagementAction, worth: Worth): Decision {
  return firstFitting(caller, action, (grant) => {
    return outsideBound(grant.bound, worth) ?? (grant.within === true ? beyondOwn(caller, worth) : undefined)
  })
}

/** Whether the caller may see a credential of this worth, its secrets aside; of any credential when none is given. */
export function explainLook(caller: Caller, action: ManagementAction, worth?: Worth): Decision {
  return firstFitting(caller, action, (grant) => (worth === undefined ? undefined : outsideBound(grant.bound, worth)))
}

/**
 * Whether the caller may learn the secrets of a credential of this worth: whoever knows a secret acts as its holder, so it
 * takes the management that may make such a key, not the one that may look at it.
 */
export function explainReveal(caller: Caller, worth: Worth & { readonly id: CredentialId }): Decision {
  return explainGrant(caller, 'write', worthToOthers(worth, worth.id, caller))
}

/** Naming what is stamped on statements is a right of its own, which delegated management cannot grant without having it. */
export function explainAuthority(caller: Caller): Decision {
  return firstFitting(caller, 'write', (grant) => {
    if (grant.within !== true || caller.rights.xapi['authority/set'] !== undefined) return undefined
    return 'Delegated management cannot set an authority without the right authority/set.'
  })
}

/**
 * The latest end of what the caller makes or prolongs, so that it does not outlast the caller: for sessions and delegated
 * management always, for a token when the key is its own. Other management may give itself everything in its bound (S2.13),
 * through a token too. Infinity: no end. Unix milliseconds.
 */
export function latestEnd(caller: Caller, worth: Worth & { readonly id?: CredentialId }): number {
  const { notAfter = Infinity, sessionId, signedInBy, credentialId } = caller
  const isOwnByToken = signedInBy === 'bearer' && worth.id === credentialId
  return sessionId !== undefined || isOwnByToken || isDelegated(caller, worth) ? notAfter : Infinity
}

/** The end to give: the latest one where none is asked for. Throws `forbidden` for a later one; null = never. */
export function endWithin(latest: number, asked: number | null | undefined): number | null {
  if (asked !== undefined) demand(explainEnd(latest, asked))
  const end = Math.min(asked ?? Infinity, latest)
  return end === Infinity ? null : end
}

/** Whether something may end then that ended at `before` until now: always when that is no later. */
export function explainEnd(latest: number, end: number | null, before: number | null = 0): Decision {
  const decidedBy = 'end of the caller'
  if ((end ?? Infinity) <= Math.max(latest, before ?? Infinity)) return { allowed: true, decidedBy, reason: '' }
  const reason = `What this caller makes or prolongs ends with it, at ${new Date(latest).toISOString()}.`
  return { allowed: false, decidedBy, reason, remedy: 'Ask a key that ends later.' }
}

function isDelegated(caller: Caller, worth: Worth): boolean {
  return !caller.rights.management.some(({ area, actions, bound, within }) => {
    const covers = area === 'credentials' && actions.includes('write') && outsideBound(bound, worth) === undefined
    return covers && within !== true
  })
}

/** Throws `forbidden` unless allowed. */
export function demand({ allowed, reason, remedy, decidedBy }: Decision): void {
  if (allowed) return
  throw refusalOf({ reason, remedy, decidedBy })
}

/**
 * The worth of someone else's credential to whoever learns its secret: what is its own is not the learner's own, so reach
 * mine counts as any.
 */
export function worthToOthers(worth: Worth, owner: CredentialId, caller: Caller): Worth {
  if (owner === caller.credentialId) return worth
  const xapi = Object.keys(worth.rights.xapi).map((right) => [right as XapiRight, 'any' satisfies Reach])
  return { ...worth, rights: { ...worth.rights, xapi: Object.fromEntries(xapi) as Rights['xapi'] } }
}

function firstFitting(
  caller: Caller,
  action: ManagementAction,
  refusal: (grant: ManagementGrant) => string | undefined,
): Decision {
  const grants = caller.rights.management.filter(({ area, actions }) => {
    return area === 'credentials' && actions.includes(action)
  })
  if (grants.length === 0) return explain(caller, { kind: 'manage', area: 'credentials', action })
  const decidedBy = `manage/credentials/${action}`
  const refusals = grants.map(refusal)
  if (refusals.includes(undefined)) return { allowed: true, decidedBy, reason: `${decidedBy} covers it.` }
  const remedy = 'Ask a key whose management reaches further.'
  return { allowed: false, decidedBy, reason: refusals[0] ?? '', remedy }
}

// Nobody grants management beyond their own bound, nor reaches into an Lrs outside it, nor from inside an application its own key.
function outsideBound(bound: Bound, { kind, rights, lrsIds }: Worth): string | undefined {
  if (kind !== 'client' && bound.kind !== 'organisation')
    return 'The keys of applications, and those that manage them, are kept by whoever manages applications.'
  if (kind === 'client' && lrsIds.length === 0 && bound.kind !== 'organisation')
    return `A key without any Lrs is outside this key's management, which covers ${boundText(bound)}.`
  const lrsId = lrsIds.find((id) => !isBoundWithin({ kind: 'lrs', id }, bound))
  if (lrsId !== undefined) return `Lrs ${lrsId} is outside this key's management, which covers ${boundText(bound)}.`
  const wider = rights.management.find((grant) => !isBoundWithin(grant.bound, bound))
  if (wider === undefined) return undefined
  return `Management of ${boundText(wider.bound)} is beyond this key's own, which covers ${boundText(bound)}.`
}

function beyondOwn(caller: Caller, { rights, lrsIds, pins, limits }: Worth): string | undefined {
  const missing = missingFrom(rights, caller.rights)
  if (missing.length > 0) return `Delegated management cannot grant what it lacks: ${missing.join(', ')}.`
  const foreign = lrsIds.find((id) => caller.lrsIds?.includes(id) === false)
  if (foreign !== undefined) return `Delegated management cannot grant Lrs ${foreign}, which it does not reach itself.`
  if (!arePinsWithin(pins, caller.pins ?? {})) return 'Delegated management cannot grant less than its own pins.'
  if (!areLimitsWithin(limits, caller.limits ?? {}))
    return 'Delegated management cannot grant more than its own limits.'
  return undefined
}
