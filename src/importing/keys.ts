// Keys on their way in: made with the key and secret they had, found again by a second import. Knows no vendor's words.

import { checkFields } from '../core/credential-check.ts'
import type { IssuedCredential, NewCredentialInput, RevealedCredential } from '../core/credential.ts'
import { DomainError, isDomainError } from '../core/errors.ts'
import type { CredentialId, Oid, OrganisationId } from '../core/ids.ts'
import { checkKey } from '../core/secret.ts'
import type { Caller } from '../core/principal.ts'
import { tellDifferences } from './differences.ts'
import type { Place } from './rejects.ts'
import type { ImportWork } from './work.ts'

export interface FoundKey extends Omit<NewCredentialInput, 'kind' | 'key' | 'secret' | 'oid' | 'allowDuplicateKey'> {
  readonly oid: Oid
  readonly key: string
  readonly secret: string
  readonly place: Place
}

/** Asked for in one go. */
const mostAtOnce = 500
/** Of credentials with one key. */
const mostAlike = 16

/**
 * The ids they have here; those that were rejected are left out. In a dry run there are none. `isAgain`: an earlier run has done and
 * counted it, and only the ids are wanted.
 */
export async function importKeys(
  work: ImportWork,
  organisationId: OrganisationId,
  keys: readonly FoundKey[],
  { isAgain = false }: { readonly isAgain?: boolean } = {},
): Promise<ReadonlyMap<FoundKey, CredentialId>> {
  const ids = new Map<FoundKey, CredentialId>()
  const caller = work.core.signIn.operator(organisationId, work.operator.operator)
  for (let from = 0; from < keys.length; from += mostAtOnce) {
    const some = keys.slice(from, from + mostAtOnce)
    if (work.isDryRun && isAgain) continue
    if (work.isDryRun) await checkKeys(work, some)
    else if (isAgain) await locateKeys(work, caller, some, ids)
    else await storeKeys(work, caller, some, ids)
  }
  return ids
}

async function checkKeys(work: ImportWork, keys: readonly FoundKey[]): Promise<void> {
  for (const { place, ...input } of keys) {
    await work.pace()
    const failures = checkFields(input)
    if (failures.length === 0) work.tally.count('clients', 'checked')
    else work.reject('clients', place, new DomainError('invalid', 'Not a key.', { detail: { failures } }))
  }
}

type Ids = Map<FoundKey, CredentialId>

async function storeKeys(work: ImportWork, caller: Caller, keys: readonly FoundKey[], ids: Ids): Promise<void> {
  const there = await listThere(work, caller, keys)
  const missing = keys.flatMap(({ oid }) => (there.has(oid) ? [] : [oid]))
  const own = await work.announce('clients', missing)
  const reveal = await work.core.credentials.revealer(caller)
  for (const key of keys) {
    await work.pace()
    const known = there.get(key.oid)
    const made = known === undefined ? await storeKey(work, caller, key) : { id: known.id, isNew: own.has(key.oid) }
    if (made === undefined) continue
    if (known !== undefined) tellDifferences(work, reveal(known), key)
    work.tally.count('clients', made.isNew ? 'stored' : 'there')
    ids.set(key, made.id)
  }
}

async function locateKeys(work: ImportWork, caller: Caller, keys: readonly FoundKey[], ids: Ids): Promise<void> {
  const there = await listThere(work, caller, keys)
  for (const key of keys) {
    await work.pace()
    const id = (there.get(key.oid) ?? (await findSame(work, caller, key)))?.id
    if (id !== undefined) ids.set(key, id)
  }
}

async function listThere({ core }: ImportWork, caller: Caller, keys: readonly FoundKey[]) {
  const oids = keys.map(({ oid }) => oid)
  const { items } = await core.credentials.list(caller, { oids }, { offset: 0, limit: mostAtOnce })
  return new Map(items.map((credential) => [credential.oid, credential]))
}

async function storeKey(
  work: ImportWork,
  caller: Caller,
  found: FoundKey,
): Promise<{ readonly id: CredentialId; readonly isNew: boolean } | undefined> {
  const { place, ...input } = found
  try {
    const { credential } = await createWithId(work, caller, { ...input, allowDuplicateKey: true })
    return { id: credential.id, isNew: true }
  } catch (error) {
    if (!isDomainError(error) || error.code === 'unavailable') throw error
    const same = await findSame(work, caller, found)
    if (same === undefined) work.reject('clients', place, error)
    else work.warn('Keys that were here before, with the same secret, may what they could', found.key)
    return same && { id: same.id, isNew: false }
  }
}

/** An id that somebody has is given up rather than the key. */
async function createWithId(work: ImportWork, caller: Caller, input: NewCredentialInput): Promise<IssuedCredential> {
  const { credentials } = work.core
  try {
    return await credentials.create(caller, input)
  } catch (error) {
    const { id, ...rest } = input
    const mayBeTaken = isDomainError(error) && error.code === 'conflict' && error.detail.decidedBy !== 'pair'
    if (id === undefined || !mayBeTaken) throw error
    const made = await credentials.create(caller, rest)
    work.warn('Ids of keys that are taken here are others now', `${id} is ${made.credential.id}`)
    return made
  }
}

/** One of this organisation that has been made by other means. */
async function findSame(
  { core: { credentials } }: ImportWork,
  caller: Caller,
  { key, secret }: FoundKey,
): Promise<RevealedCredential['credential'] | undefined> {
  if (checkKey(key).length > 0) return undefined
  const { items } = await credentials.listRevealed(caller, { key, kind: 'client' }, { offset: 0, limit: mostAlike })
  return items.find(({ secrets }) => secrets.some(({ value }) => value === secret))?.credential
}
