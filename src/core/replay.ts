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
    const digest = createHash('sha256').update(JSON.stringify([organisationId, ...presented]))
    const note = { name: `nonce ${digest.digest('base64url')}`, value: '', until }
    const [before] = await this.#platform.remember([note], this.#clock.now())
    return before === undefined
  }
}
