// The value that stands in a store while a copy into it is not done, with how far it is. Nobody opens such a store but to go on.

import { DomainError } from '../../core/errors.ts'

/** The name of the platform value. */
export const copyMark = 'copy'

/** Throws `unavailable` when there is one. */
export function refuseUnfinished(mark: string | undefined): void {
  if (mark === undefined) return
  throw new DomainError(
    'unavailable',
    'What is here is an unfinished copy of another store: give the same claviger copy or restore again, and it goes on to the end.',
  )
}
