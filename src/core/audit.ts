// Who did what to which noun, when, from where. Append only, hash-chained per organisation from the first event on.

import { createHash } from 'node:crypto'
import { authorise } from './access.ts'
import type { OrganisationId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, DirectoryStore, Json, Storage } from './storage.ts'

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
export function canonicalJson(value: unknown): string {
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

const pageSize = 1000

export class Audit {
  readonly #directory: DirectoryStore
  readonly #clock: Clock

  constructor({ storage, clock }: { readonly storage: Storage; readonly clock: Clock }) {
    this.#directory = storage.directory
    this.#clock = clock
  }

  /** Ascending by number, those after `after`; at most 1,000. */
  async list(caller: Caller, options: { readonly after?: number; readonly limit?: number } = {}): Promise<AuditPage> {
    authorise(caller, { kind: 'manage', area: 'credentials', action: 'read' })
    const limit = Math.min(Math.max(options.limit ?? 100, 1), pageSize)
    const events = await this.#directory.listAudit(caller.organisationId, options.after ?? 0, limit)
    return { events, next: events.length < limit ? undefined : events.at(-1)?.number }
  }

  /** Walks the whole chain; the verification is itself recorded, unless it is only part of looking around. */
  async verify(caller: Caller, { isRecorded = true } = {}): Promise<AuditVerdict> {
    authorise(caller, { kind: 'manage', area: 'credentials', action: 'read' })
    const verdict = await this.#walk(caller.organisationId)
    if (!isRecorded) return verdict
    const detail: Json = { events: verdict.events, brokenAt: verdict.brokenAt ?? null }
    await this.#directory.appendAudit(
      caller.organisationId,
      eventBy(caller, this.#clock, 'audit.verify', { noun: 'audit', id: null }, detail),
    )
    return verdict
  }

  async #walk(organisationId: OrganisationId): Promise<AuditVerdict> {
    let head = firstPreviousHash
    let number = 0
    for (;;) {
      const events = await this.#directory.listAudit(organisationId, number, pageSize)
      for (const event of events) {
        if (!follows(event, organisationId, head, number + 1)) return { events: number, brokenAt: number + 1, head }
        head = event.hash
        number += 1
      }
      if (events.length < pageSize) return { events: number, head }
    }
  }
}

/** The event of something a caller did now. */
export function eventBy(
  caller: Caller,
  clock: Clock,
  action: string,
  target: NewAuditEvent['target'],
  detail: Json,
): NewAuditEvent {
  return { at: clock.now(), actor: actorOf(caller), action, target, detail }
}

/** Records in every organisation that its data key stands under a new master key. */
export async function recordKeyRotation(
  { platform, directory }: Storage,
  clock: Clock,
  actor: AuditActor,
): Promise<void> {
  for (let offset = 0, total = 1; offset < total; offset += pageSize) {
    const page = await platform.listOrganisations({ offset, limit: pageSize })
    for (const { id } of page.items) {
      const event = { actor, action: 'master-key.rotate', target: { noun: 'master-key', id: null }, detail: {} }
      await directory.appendAudit(id, { at: clock.now(), ...event })
    }
    total = page.total
  }
}

function actorOf({ name, address, credentialId, sessionId }: Caller): AuditActor {
  const from = address === undefined ? {} : { address }
  if (sessionId !== undefined) return { kind: 'session', id: sessionId, name, ...from }
  if (credentialId !== undefined) return { kind: 'credential', id: credentialId, name, ...from }
  return { kind: 'operator', name, ...from }
}

function follows(event: AuditEvent, organisationId: OrganisationId, previousHash: string, number: number): boolean {
  const { hash } = event
  return (
    event.number === number &&
    event.previousHash === previousHash &&
    chainHash(previousHash, { ...event, organisationId }, number) === hash
  )
}
