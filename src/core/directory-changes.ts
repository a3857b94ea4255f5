// Which organisations changed since something was read: whether what is remembered still holds. Knows nothing of what that is.

import type { OrganisationId } from './ids.ts'
import type { Storage } from './storage.ts'

export class DirectoryChanges {
  readonly #nodes: Storage['nodes']
  readonly #unsubscribe: () => void
  #count = 0
  readonly #changedAt = new Map<OrganisationId, number>()
  /** The count when anything may have changed. */
  #allChangedAt = 0

  constructor(storage: Storage) {
    this.#nodes = storage.nodes
    this.#unsubscribe = storage.onDirectoryChange((organisationId) => {
      this.#count += 1
      if (organisationId === undefined) this.#allChangedAt = this.#count
      else this.#changedAt.set(organisationId, this.#count)
    })
  }

  /** Grows with every committed change of any organisation: read it before reading what is to be remembered. */
  get count(): number {
    return this.#count
  }

  /** Whether what was read at a count of `since` still holds; of every organisation together where none is named. */
  isCurrent(since: number, organisationId: OrganisationId | undefined): boolean {
    if (this.#allChangedAt > since || !this.#nodes.isInTouch()) return false
    return organisationId === undefined ? this.#count === since : (this.#changedAt.get(organisationId) ?? 0) <= since
  }

  close(): void {
    this.#unsubscribe()
  }
}
