// What tells a backup from a data directory. Nobody opens anything in a backup for writing, or it could not be restored any more.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError } from '../../core/errors.ts'

/** The file that makes a directory a backup. */
export const manifestFile = 'backup.json'

export function isBackup(directory: string): boolean {
  return existsSync(join(directory, manifestFile))
}

/** Throws `unavailable`; before anything there is touched. */
export function refuseBackup(directory: string): void {
  if (!isBackup(directory)) return
  throw new DomainError(
    'unavailable',
    `${directory} is a backup, which stays as it is: claviger restore --from it into a directory of its own, or delete ${join(directory, manifestFile)} to make it a data directory, which is no backup any more. Nothing was changed.`,
  )
}
