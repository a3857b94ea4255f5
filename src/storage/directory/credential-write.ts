// One of several writes of credentials that are made together, and many of them walked piece by piece, so that whoever is refused is
// named by its place.

import { DomainError, isDomainError } from '../../core/errors.ts'
import type { CredentialId } from '../../core/ids.ts'
import type { CredentialPatch, CredentialWrite, NewCredential } from '../../core/storage.ts'

/** Without its event. */
export type Write = Omit<CredentialWrite, 'event'> &
  ({ readonly create: NewCredential } | { readonly update: Update } | { readonly delete: CredentialId })
interface Update {
  readonly id: CredentialId
  readonly patch: CredentialPatch
}

/** Rows of one statement: those of a credential take the most parameters, and SQLite allows 32,766. */
export const rowsAtOnce = 200

/** Of what is there already. */
export function idOf(write: Write): CredentialId | undefined {
  return 'delete' in write ? write.delete : 'update' in write ? write.update.id : undefined
}

export function* inPieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += rowsAtOnce) yield all.slice(from, from + rowsAtOnce)
}

/** What is thrown says of which write: the first that is refused. */
export function each<T>(
  all: readonly T[],
  look: (one: T, at: number) => void,
  indexOf = (_: T, at: number) => at,
): void {
  for (const [at, one] of all.entries()) {
    try {
      look(one, at)
    } catch (error) {
      throw indexed(error, indexOf(one, at))
    }
  }
}

export async function naming<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw indexed(error, index)
  }
}

function indexed(error: unknown, index: number): unknown {
  if (!isDomainError(error)) return error
  return new DomainError(error.code, error.message, { detail: { ...error.detail, index }, cause: error.cause })
}
