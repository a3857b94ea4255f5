// Damages a data directory from outside, as a disk or a careless copy does.

import { readdirSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

/** The file of every blob, by its name, the hash. Beside them lies whose they are. */
export function blobFiles(directory: string): Map<string, string> {
  const blobs = join(directory, 'blobs')
  const files = readdirSync(blobs, { recursive: true, withFileTypes: true }).filter(
    ({ name, parentPath }) => /^[0-9a-f]{56,}$/.test(name) && parentPath !== join(blobs, 'arriving'),
  )
  return new Map(files.map(({ name, parentPath }) => [name, join(parentPath, name)]))
}

export function loseBlobs(directory: string): void {
  for (const file of blobFiles(directory).values()) rmSync(file)
}

export function cutBlobs(directory: string): void {
  for (const file of blobFiles(directory).values()) truncateSync(file, 10)
}
