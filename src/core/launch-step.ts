// A step of a launch that runs, which nobody else's at the same time undoes: decided anew as often as somebody was faster.

import { DomainError } from './errors.ts'
import type { LaunchRecord, LaunchStore } from './storage.ts'

export type LaunchStep = Partial<Omit<Parameters<LaunchStore['advanceLaunch']>[2], 'from'>>

const mostTries = 20

/** `decide` sees the launch as it is. Undefined, and nothing is changed, where it answers so, or the launch is over. */
export async function advance(
  launches: LaunchStore,
  launch: LaunchRecord,
  decide: (launch: LaunchRecord) => LaunchStep | undefined | Promise<LaunchStep | undefined>,
): Promise<LaunchRecord | undefined> {
  const { organisationId, id } = launch
  let now: LaunchRecord | undefined = launch
  for (let tries = 0; tries < mostTries && now !== undefined && now.endedAt === null; tries++) {
    const step = await decide(now)
    if (step === undefined) return undefined
    const { progress, owes, version: from } = now
    const advanced = await launches.advanceLaunch(organisationId, id, { from, progress, owes, ...step })
    if (advanced !== undefined) return advanced
    now = await launches.findLaunch(organisationId, id)
  }
  if (now === undefined || now.endedAt !== null) return undefined
  throw new DomainError('unavailable', 'Too much happens to this launch at once; try again.')
}
