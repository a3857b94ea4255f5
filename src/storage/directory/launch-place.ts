// Which registrations belong to launches from one place. Runs inside a transaction of the engine.

import { chainOf } from './launch-record.ts'
import type { Db } from './change.ts'
import type { LaunchStore } from '../../core/storage.ts'

/** By their chains, which begin with the registration and end in key and activity. */
export async function listRegistrations(
  db: Db,
  ...[organisationId, place, registrations]: Parameters<LaunchStore['listRegistrations']>
): Promise<readonly string[]> {
  const { credentialId, activityId, resource } = place
  if (registrations.length === 0) return []
  const chains = registrations.map((registration) => chainOf(credentialId, { registration, activityId }))
  const rows = await db
    .selectFrom('launch')
    .select('registration')
    .distinct()
    .where('organisation_id', '=', organisationId)
    .where('chain', 'in', chains)
    .where('resource', resource === null ? 'is' : '=', resource)
    .execute()
  return rows.map(({ registration }) => registration)
}
