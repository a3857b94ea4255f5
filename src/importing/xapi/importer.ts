// The statements of any store, read through xAPI: all that a key there may read, oldest first. Documents cannot be listed through xAPI.

import { derivedAuthority } from '../../core/authority.ts'
import type { RemoteLrsDoor } from '../../core/remote-lrs.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import type { Importer } from '../import.ts'
import { nobody, Owners } from '../owners.ts'
import type { Destination } from '../parts.ts'
import { Patience } from '../patience.ts'
import type { PatienceSettings } from '../patience.ts'
import { importRemote, remotePositionIn } from '../remote-statements.ts'
import { endpointOf } from '../remote-url.ts'

export interface XapiOptions {
  readonly door: RemoteLrsDoor
  /** Without `/statements`. */
  readonly url: string
  readonly key: string
  readonly secret: string
  readonly to: Destination
  /** Whose all of them are; else as their authorities tell them apart. */
  readonly owner?: Pick<CredentialRecord, 'id' | 'oid' | 'name' | 'authority'> | undefined
  /** ISO 8601: only what was stored after it. */
  readonly since?: string | undefined
  readonly perMinute: number
  /** For tests. */
  readonly wait?: PatienceSettings['wait'] | undefined
}

/** Throws `invalid` for an address that nobody will ever be asked at. */
export function xapiImporter({ door, to, since, perMinute, wait, ...options }: XapiOptions): Importer {
  const { key, secret, owner } = options
  const address = endpointOf(options.url, door)
  const part = since === undefined ? '' : ` since ${since}`
  return {
    source: `xapi ${address} as ${key}${part} into Lrs ${to.lrsId}`.slice(0, 500),
    run: async (work) => {
      const patience = new Patience({ signal: work.signal, perMinute, ...(wait && { wait }) })
      const remote = door.open({ url: address, user: key, password: secret })
      const owners = new Owners({ work, organisationId: to.organisationId, lrsIds: [to.lrsId] })
      if (owner !== undefined) {
        const authority = owner.authority ?? derivedAuthority(work.core.baseUrl, owner)
        owners.setForAll({ id: work.isDryRun ? nobody : owner.id, authority, defineReach: 'any' })
      }
      const from = remotePositionIn(work.saved ?? undefined)
      await importRemote(work, { remote, patience, address, to, owners, since, from }, (position) =>
        work.checkpoint(position),
      )
    },
  }
}
