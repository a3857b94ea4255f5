// Addresses that an operator names for an import. Knows nothing of what is asked there.

import { DomainError } from '../core/errors.ts'

/** What it is called everywhere from then on: without slashes at its end. Throws `invalid` where nobody will ever be asked at it. */
export function endpointOf(url: string, door: { problemWith(url: string): string | undefined }): string {
  const problem = door.problemWith(url)
  if (problem !== undefined) throw new DomainError('invalid', `Nobody is asked at this address: ${problem}.`)
  const { origin, pathname, search } = new URL(url)
  if (search !== '') throw new DomainError('invalid', 'The address has a query: give it without one.')
  return origin + pathname.replace(/\/+$/, '')
}
