// Seals secrets at rest: AES-256-GCM under one data key per organisation, each wrapped by the master key.
// Knows nothing of what a secret is for; storage sees only what comes out of here.

import type { Oid } from './ids.ts'
import type { PlatformStore, Sealed } from './storage.ts'

/** What the vault needs to know of an organisation. */
export interface KeyHolder {
  readonly oid: Oid
  readonly wrappedKey: Sealed
}

/** Where a sealed value lives; it opens nowhere else. */
export interface Place {
  readonly row: string
  readonly column: string
}

export class Vault {
  constructor(masterKey: Buffer) {
    void masterKey
  }

  /** Throws `invalid` when the store was made with another master key. */
  async checkMasterKey(platform: PlatformStore): Promise<void> {
    void platform
    throw new Error('not written yet')
  }

  /** A fresh data key for a new organisation, wrapped. */
  newDataKey(oid: Oid): Sealed {
    void oid
    throw new Error('not written yet')
  }

  seal(holder: KeyHolder, place: Place, clear: string): Sealed {
    void [holder, place, clear]
    throw new Error('not written yet')
  }

  /** Throws `internal` when the value was changed, moved, or sealed for another organisation. */
  open(holder: KeyHolder, place: Place, sealed: Sealed): string {
    void [holder, place, sealed]
    throw new Error('not written yet')
  }
}

/** Rewraps every organisation's data key; the old key must be the right one. Returns how many. */
export async function rotateMasterKey(platform: PlatformStore, from: Buffer, to: Buffer): Promise<number> {
  void [platform, from, to]
  throw new Error('not written yet')
}
