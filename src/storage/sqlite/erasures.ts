// The main side of the erasures: jobs are the directory's, removing is the writer's, counting the reader's. What this side knows
// of an Lrs from before is forgotten with every step.

import { launchesPhase } from '../erasure/launches.ts'
import type { ErasureCounts, ErasurePosition, ErasureStep, ErasureStore } from '../../core/storage.ts'
import type { Documents } from './documents.ts'
import type { EngineClient } from './engine-client.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Statements } from './statements.ts'

type Jobs = Pick<ErasureStore, 'create' | 'finish' | 'find' | 'list'>

interface Parts {
  readonly write: EngineClient['call']
  readonly read: EngineClient['call']
  readonly jobs: Jobs
  readonly statements: Statements
  readonly documents: Documents
  /** Some of the organisation's sessions may be gone. */
  readonly tell: (organisationId: OrganisationId) => void
}

export function erasuresOf({ write, read, jobs, statements, documents, tell }: Parts): ErasureStore {
  return {
    ...jobs,
    count: (...args) =>
      read('erasures.count', args) as Promise<{
        readonly counts: Partial<ErasureCounts>
        readonly next: ErasurePosition | undefined
      }>,
    findAlike: (...args) => read('erasures.findAlike', args) as ReturnType<ErasureStore['findAlike']>,
    isErased: (...args) => read('erasures.isErased', args) as Promise<boolean>,
    async latest(lrsId) {
      const [last = 0] = await statements.listLatest([lrsId])
      // An import may hold the other back.
      const through = Math.max(last, await statements.consistentThrough(lrsId))
      const changedThrough = await documents.latest(lrsId)
      documents.keepAfter(lrsId, changedThrough)
      return { through, changedThrough }
    },
    async step(...args) {
      const [organisationId, , lrsId, target, position] = args
      // Also where a job goes on in another process than began it.
      if (target.kind === 'empty') documents.keepAfter(lrsId, target.changedThrough ?? target.through)
      const step = await statements.whileRemoving(lrsId, () => write('erasures.step', args))
      if (position?.phase === launchesPhase) tell(organisationId)
      return step as ErasureStep
    },
    countBlobs: (...args) => write('erasures.countBlobs', args) as Promise<void>,
    scrub: (after = 0) => write('erasures.scrub', [after]) as ReturnType<ErasureStore['scrub']>,
  }
}
