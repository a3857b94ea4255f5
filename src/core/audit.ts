// Who did what to which noun, when, from where. Append only, hash-chained per organisation from the first event on.

import { createHash } from 'node:crypto'
import type { Json } from './storage.ts'
import type { OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'

export interface AuditActor {
  readonly kind: 'operator' | 'credential' | 'session' | 'system'
  /** Integer id of a credential or session. */
  readonly id?: number
  readonly name: string
  readonly address?: string
}

export interface NewAuditEvent {
  /** Unix milliseconds. */
  readonly at: number
  readonly actor: AuditActor
  /** noun.verb: `credential.create`, `secret.rotate`, `session.delete`, … */
  readonly action: string
  /** The noun acted on. `id` is null while the store has not given one: the adapter fills in the id of what it created. */
  readonly target: { readonly noun: string; readonly id: number | string | null }
  /** What changed, in words and values; never a secret. Members of a changed thing are named even when hidden. */
  readonly detail: Json
}

export interface AuditEvent extends NewAuditEvent {
  readonly organisationId: OrganisationId
  /** 1, 2, 3 … without a gap. */
  readonly number: number
  /** Hash of the event before this one; 64 zeros for the first. */
  readonly previousHash: string
  /** `chainHash` over this event and `previousHash`, lower-case hex. */
  readonly hash: string
}

/**
 * The chain's next link: SHA-256 over canonical JSON of the hash before, the number and everything in the event (with the
 * target's id as it was filled in), lower-case hex. Pure.
 */
export function chainHash(
  previousHash: string,
  event: NewAuditEvent & { readonly organisationId: OrganisationId },
  number: number,
): string {
  const { organisationId, at, actor, action, target, detail } = event
  const link = { previousHash, number, organisationId, at, actor, action, target, detail }
  return createHash('sha256').update(canonicalJson(link)).digest('hex')
}

/** `previousHash` of an organisation's first event. */
export const firstPreviousHash = '0'.repeat(64)

// Members sorted by code unit, undefined ones left out: what a store hands back hashes as what it was given.
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

export interface AuditPage {
  readonly events: readonly AuditEvent[]
  /** Pass as `after` for the next page; undefined at the end. */
  readonly next: number | undefined
}

export interface AuditVerdict {
  readonly events: number
  /** Number of the first event that does not follow from the one before. */
  readonly brokenAt?: number
  /** Hash of the last good event; keep it elsewhere to notice a cut-off tail. */
  readonly head: string
}

export class Audit {
  /** Ascending by number, those after `after`. */
  async list(caller: Caller, options: { readonly after?: number; readonly limit?: number }): Promise<AuditPage> {
    void [caller, options]
    throw new Error('not written yet')
  }

  async verify(caller: Caller): Promise<AuditVerdict> {
    void caller
    throw new Error('not written yet')
  }
}
