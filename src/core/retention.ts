// How long an Lrs keeps statements, counted in days since they were stored; without a rule for ever. What is older goes in the
// way of `Erasures`. Documents are present state and have no age; what was voided stays voided while it lasts.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkWhole, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { Erasures } from './erasure.ts'
import type { LrsId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, ErasureCounts, LrsRecord, Storage } from './storage.ts'

const dayMs = 86_400_000
/** A hundred years. */
const mostDays = 36_500
const pageSize = 200

export class Retention {
  readonly #storage: Storage
  readonly #erasures: Erasures
  readonly #clock: Clock

  constructor({ storage, erasures, clock }: { storage: Storage; erasures: Erasures; clock: Clock }) {
    this.#storage = storage
    this.#erasures = erasures
    this.#clock = clock
  }

  /** From the next run on; null keeps everything. */
  async set(caller: Caller, lrsId: LrsId, days: number | null): Promise<LrsRecord> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'delete', bound: { kind: 'lrs', id: lrsId } })
    if (days !== null) refuse(checkDays(days))
    const detail = { days }
    const event = eventBy(caller, this.#clock, 'lrs.retention', { noun: 'lrs', id: lrsId }, detail)
    const patch = { retentionDays: days, at: event.at }
    return this.#storage.directory.updateLrs(caller.organisationId, lrsId, patch, event)
  }

  /** What would go today. */
  async preview(caller: Caller, lrsId: LrsId, days: number): Promise<Partial<ErasureCounts>> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'read', bound: { kind: 'lrs', id: lrsId } })
    refuse(checkDays(days))
    const all = await this.#storage.directory.listLrs(caller.organisationId)
    if (!all.some(({ id }) => id === lrsId)) throw new DomainError('not_found', `There is no Lrs ${lrsId}.`)
    return this.#erasures.countOlder(lrsId, this.#through(days))
  }

  /** Every rule of every organisation; how many statements went. */
  async apply(signal?: AbortSignal): Promise<number> {
    let removed = 0
    for (let offset = 0, total = 1; offset < total; offset += pageSize) {
      const page = await this.#storage.platform.listOrganisations({ offset, limit: pageSize })
      for (const { id: organisationId } of page.items) {
        for (const { id, retentionDays } of await this.#storage.directory.listLrs(organisationId)) {
          if (retentionDays === undefined) continue
          signal?.throwIfAborted()
          const receipt = await this.#erasures.removeOlder(organisationId, id, this.#through(retentionDays))
          removed += receipt?.counts.statements ?? 0
        }
      }
      total = page.total
    }
    return removed
  }

  /** Microseconds. Whole days (UTC), so that there is one job a day however often this is asked. */
  #through(days: number): number {
    return (Math.floor(this.#clock.now() / dayMs) - days) * dayMs * 1000 - 1
  }
}

function checkDays(days: number) {
  return checkWhole(days, { min: 1, max: mostDays, pointer: '/days', noun: 'Retention in days' })
}
