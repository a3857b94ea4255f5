// Who did what to which noun, when, from where. Append only, hash-chained per organisation from the first event on.

import type { Json } from './storage.ts'
import type { OrganisationId } from './ids.ts'

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
