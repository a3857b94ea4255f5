// What doctor says of an organisation and its Lrs: what has ended, or ends soon; what is deleted and still takes room.

import { hasExpired } from '../../core/organisation.ts'
import type { Caller } from '../../core/principal.ts'
import type { OrganisationRecord } from '../../core/storage.ts'
import type { Opened } from '../context.ts'
import { counted, time } from '../outcome.ts'
import type { Finding } from './doctor.ts'

const dayMs = 86_400_000
const soonDays = 14

export async function checkOrganisation(
  opened: Opened,
  caller: Caller,
  organisation: OrganisationRecord,
): Promise<readonly Finding[]> {
  const check = `organisation ${organisation.id} (${organisation.name})`
  return [...checkEnd(organisation, opened.core.clock.now(), check), ...(await checkDeleted(opened, caller))]
}

function checkEnd(organisation: OrganisationRecord, now: number, check: string): readonly Finding[] {
  const { id, expiresAt } = organisation
  if (expiresAt === null || expiresAt - now >= soonDays * dayMs) return []
  const message = hasExpired(organisation, now)
    ? `ended ${time(expiresAt)}, and none of its keys is let in: claviger organisation update ${id} --no-expires`
    : `ends ${time(expiresAt)}: from then on none of its keys is let in`
  return [{ check, state: 'warning', message }]
}

async function checkDeleted({ core }: Opened, caller: Caller): Promise<readonly Finding[]> {
  const deleted = (await core.lrs.list(caller, { withDeleted: true })).filter(({ deletedAt }) => deletedAt !== null)
  const counts = await core.lrs.countStatements(
    caller,
    deleted.map(({ id }) => id),
  )
  return deleted.flatMap(({ id, name, deletedAt }, index): Finding[] => {
    const count = counts[index] ?? 0
    if (count === 0) return []
    const ways = `claviger lrs empty ${id} removes them, lrs restore ${id} brings it back`
    const message = `deleted ${time(deletedAt)}, and still holds ${counted(count, 'statement')}: ${ways}`
    return [{ check: `Lrs ${id} (${name})`, state: 'warning', message }]
  })
}
