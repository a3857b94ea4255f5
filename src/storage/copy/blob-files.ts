// The blobs of a directory that nobody serves from: a data directory at rest, a backup. Reads without writing anything there, for
// a backup may lie where nobody can; what is written goes the way that a server's bytes go.

import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobDirectory } from '../blobs/directory.ts'
import { ifThere } from '../blobs/on-disk.ts'
import { isBlobName } from '../blobs/place.ts'
import type { OwnedFiles } from './side.ts'

export function blobFiles(path: string): OwnedFiles {
  // Shared: whoever else receives there is left alone.
  const directory = new BlobDirectory({ path, clock: { now: () => Date.now() }, isShared: true })
  return {
    name: directory.name,
    async open({ lrsId, sha2 }) {
      if (!isBlobName(sha2)) return undefined
      const file = await ifThere(open(join(path, String(lrsId), sha2.slice(0, 2), sha2), 'r'))
      if (file === undefined) return undefined
      const { size } = await file.stat()
      const bytes = file.createReadStream()
      return { length: size, bytes, cancel: () => void bytes.destroy() }
    },
    receive: (bytes) => directory.receive(bytes),
    findOwner: () => directory.findOwner(),
    setOwner: (id, before) => directory.setOwner(id, before),
    isEmpty: () => directory.isEmpty(),
  }
}
