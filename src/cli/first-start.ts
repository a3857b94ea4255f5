// The first start on an empty data directory: organisation 1, its Lrs and a credential with every right.

import type { LrsId, OrganisationId } from '../core/ids.ts'
import { everyRight } from '../core/rights.ts'
import type { Config } from '../config.ts'
import { callerIn, operator } from './context.ts'
import type { Opened } from './context.ts'

export interface FirstCredential {
  readonly key: string
  readonly secret: string
}

/**
 * What was made; undefined on every later start, and on all but one of the nodes that start together. Finishes a first start that
 * was cut off between its two steps.
 */
export async function firstStart(opened: Opened, config: Config): Promise<FirstCredential | undefined> {
  const held = await opened.core.leases.holdNext('first start', () => startAlone(opened, config))
  return held?.result
}

async function startAlone(opened: Opened, config: Config): Promise<FirstCredential | undefined> {
  const { core } = opened
  const { items, total } = await core.organisations.list(operator, { offset: 0, limit: 1 })
  if (total > 1) return undefined
  const organisation =
    items[0] ??
    (
      await core.organisations.create(operator, {
        name: 'Default',
        id: 1 as OrganisationId,
        lrs: { name: 'Default', id: 1 as LrsId },
      })
    ).organisation
  const caller = callerIn(opened, organisation.id)
  if (items[0]) {
    // Anything in the log after the organisation's creation means that somebody has taken over since.
    const { events } = await core.audit.list(caller, { limit: 2 })
    const { total: credentials } = await core.credentials.list(caller, {}, { offset: 0, limit: 0 })
    if (events.length > 1 || credentials > 0) return undefined
  }
  const { key, secret } = await core.credentials.create(caller, {
    name: 'First credential',
    rights: everyRight,
    ...config.bootstrap,
  })
  return { key, secret }
}
