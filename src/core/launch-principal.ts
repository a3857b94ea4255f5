// In whose name the launcher itself stores what it says of a launch: the launch's parent, with the parent's own rights, although
// nobody signed in with its key.

import { derivedAuthority } from './authority.ts'
import type { Principal } from './principal.ts'
import type { DirectoryStore, LaunchRecord } from './storage.ts'

/** Undefined when the parent is gone. */
export async function findLauncher(
  directory: DirectoryStore,
  baseUrl: string,
  { organisationId, credentialId, lrsId }: LaunchRecord,
): Promise<Principal | undefined> {
  const organisation = await directory.findOrganisation(organisationId)
  const credential = await directory.findCredential(organisationId, credentialId)
  if (organisation === undefined || credential === undefined) return undefined
  const { name, key, kind, rights, pins, limits, lrsIds, authority } = credential
  return {
    ...{ organisationId, credentialId, name, key, kind, rights, pins, limits, lrsIds },
    signedInBy: 'basic',
    closedLrsIds: organisation.closedLrsIds,
    defaultLrsId: organisation.defaultLrsId ?? lrsId,
    authority: authority ?? derivedAuthority(baseUrl, credential),
  }
}
