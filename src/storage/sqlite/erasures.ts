// The main side of the erasures: jobs are the directory's, removing is the writer's, counting the reader's. What this side knows
// of an Lrs from before is forgotten with every step.

import type { Clock, ErasureCounts, ErasurePosition, ErasureStep, ErasureStore } from '../../core/storage.ts'
import type { EngineClient } from './engine-client.ts'
import type { Statements } from './statements.ts'

type Jobs = Pick<ErasureStore, 'create' | 'finish' | 'find' | 'list'>

/** A blob that was put again longer ago than this was not put for a row that is still to come. */
const longestUploadMs = 3_600_000

interface Parts {
  readonly write: EngineClient['call']
  readonly read: EngineClient['call']
  readonly jobs: Jobs
  readonly statements: Statements
  readonly clock: Clock
}

export function erasuresOf({ write, read, jobs, statements, clock }: Parts): ErasureStore {
  return {
    ...jobs,
    count: (...args) =>
      read('erasures.count', args) as Promise<{
        readonly counts: Partial<ErasureCounts>
        readonly next: ErasurePosition | undefined
      }>,
    findAlike: (...args) => read('erasures.findAlike', args) as ReturnType<ErasureStore['findAlike']>,
    isErased: (...args) => read('erasures.isErased', args) as Promise<boolean>,
    async step(...args) {
      const [, , lrsId] = args
      const step = (await statements.whileRemoving(lrsId, () => write('erasures.step', args))) as ErasureStep
      const uploadedBefore = clock.now() - longestUploadMs
      const blobs = step.blobs.map((blob) => ({ ...blob, putBefore: Math.max(blob.putBefore, uploadedBefore) }))
      return { next: step.next, blobs }
    },
    forgetBlobs: (...args) => write('erasures.forgetBlobs', args) as Promise<void>,
    scrub: (after = 0) => write('erasures.scrub', [after]) as ReturnType<ErasureStore['scrub']>,
  }
}
