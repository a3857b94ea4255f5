// Since when a key could have been used here: what is brought along keeps its age, and was used elsewhere before. The audit log says when it
// came. Changes nothing.

import type { AuditEvent } from '../core/audit.ts'
import type { Caller } from '../core/principal.ts'
import type { CredentialRecord } from '../core/storage.ts'
import type { Opened } from './context.ts'

export type Arrivals = (credential: Pick<CredentialRecord, 'id' | 'createdAt'>) => number

/** Of an organisation: the later of when a key was made and when it came. Reads the whole audit log, so ask once. */
export async function arrivalsIn(opened: Opened, caller: Caller): Promise<Arrivals> {
  const came = new Map<number, number>()
  for (let after: number | undefined = 0; after !== undefined;) {
    const { events, next } = await opened.core.audit.list(caller, { after, limit: 1000 })
    for (const event of events) {
      const id = broughtBy(event)
      if (id !== undefined) came.set(id, event.at)
    }
    after = next
  }
  return ({ id, createdAt }) => Math.max(createdAt, came.get(id) ?? 0)
}

/** Which key the event made. */
function broughtBy({ action, target, detail }: AuditEvent): number | undefined {
  if (action === 'credential.create' || action === 'credential.restore') return Number(target.id)
  return action === 'application.restore' ? Number((detail as { readonly key?: unknown }).key) : undefined
}
