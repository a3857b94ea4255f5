// What must not come twice: nonces of signed requests. Remembered by all nodes and across restarts, until it is too late to
// come again anyway. Knows nothing of how they are signed.

import { createHash } from 'node:crypto'
import type { OrganisationId } from './ids.ts'
import type { Clock, PlatformStore, Storage } from './storage.ts'

export class Replays {
  readonly #platform: PlatformStore
  readonly #clock: Clock

  constructor({ storage, clock }: { readonly storage: Storage; readonly clock: Clock }) {
    this.#platform = storage.platform
    this.#clock = clock
  }

  /** Whether nobody came with it before, on whichever node; from now on somebody did. `until`: Unix milliseconds. */
  async isFirst(organisationId: OrganisationId, presented: readonly string[], until: number): Promise<boolean> {
    const note = { name: nameOf(organisationId, presented), value: '', until }
    const [before] = await this.#platform.remember([note], this.#clock.now())
    return before === undefined
  }

  /** Whether `isFirst` was asked about it before. */
  async wasThere(organisationId: OrganisationId, presented: readonly string[]): Promise<boolean> {
    const [before] = await this.#platform.recall([nameOf(organisationId, presented)], this.#clock.now())
    return before !== undefined
  }
}

function nameOf(organisationId: OrganisationId, presented: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify([organisationId, ...presented]))
  return `nonce ${digest.digest('base64url')}`
}
