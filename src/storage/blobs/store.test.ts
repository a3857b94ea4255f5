// What a blob store asks of whom. What becomes of bytes is in test/contract/blobs.test.ts.

import { describe, expect, it, vi } from 'vitest'
import { DomainError } from '../../core/errors.ts'
import { MemoryHolds } from './holds.ts'
import type { BlobPlace } from './place.ts'
import { Blobs } from './store.ts'

const gone = (): Promise<never> => Promise.reject(new DomainError('unavailable', 'gone'))

function newBlobs(open: BlobPlace['open']) {
  const findReferenced = vi.fn<typeof gone>(gone)
  const place = { open } as Partial<BlobPlace> as BlobPlace
  return {
    blobs: new Blobs({ place, rows: { findReferenced, holds: new MemoryHolds() }, clock: Date }),
    findReferenced,
  }
}

describe('looking whether bytes can be reached', () => {
  it('asks the place alone: rows that cannot be asked are no failure of it', async () => {
    const { blobs, findReferenced } = newBlobs(async () => undefined)
    await expect(blobs.look()).resolves.toBeUndefined()
    expect(findReferenced).not.toHaveBeenCalled()
  })

  it('fails with the place', async () => {
    await expect(newBlobs(gone).blobs.look()).rejects.toThrow('gone')
  })
})
