// What a list of changes asks for that the store will refuse because somebody has it already, or the organisation has not: looked up before,
// so that all of it is told at once. The store decides all the same.

import type { BulkChange } from './credential-bulk.ts'
import type { Decided } from './credential-decision.ts'
import { DomainError } from './errors.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from './ids.ts'
import { mostCredentialWrites } from './storage.ts'
import type { CredentialRecord, DirectoryStore, Holder, NewCredential, PlatformStore } from './storage.ts'

type Known = Decided & { readonly before: CredentialRecord | undefined }

/** `findHolders` takes as many of each. */
const atOnce = 1_000

/** Keys that are somebody's in the organisation, or of a change before; and the organisation's Lrs. */
export class Taken {
  readonly #keys: Set<string>
  readonly #lrsIds: ReadonlySet<LrsId>

  private constructor(keys: Set<string>, lrsIds: ReadonlySet<LrsId>) {
    this.#keys = keys
    this.#lrsIds = lrsIds
  }

  static async read(
    directory: DirectoryStore,
    organisationId: OrganisationId,
    changes: readonly BulkChange[],
  ): Promise<Taken> {
    const wanted = [...new Set(changes.flatMap((change) => ('create' in change ? (change.create.key ?? []) : [])))]
    const keys = new Set<string>()
    const slice = { offset: 0, limit: mostCredentialWrites }
    for (let from = 0; from < wanted.length; from += atOnce) {
      const filter = { keys: wanted.slice(from, from + atOnce) }
      for (const { key } of (await directory.listCredentials(organisationId, filter, slice)).items) keys.add(key)
    }
    const lrs = await directory.listLrs(organisationId)
    return new Taken(keys, new Set(lrs.map(({ id }) => id)))
  }

  /** Throws what is wrong with the change; otherwise it counts for those after it. */
  take(change: BulkChange, { write, before }: Known): void {
    const lrsIds = 'create' in write ? write.create.lrsIds : 'update' in write ? (write.update.patch.lrsIds ?? []) : []
    const foreign = lrsIds.filter((id) => !this.#lrsIds.has(id))
    if (foreign.length > 0) {
      const message = `The organisation has no Lrs ${foreign.join(', ')}.`
      throw refusing('invalid', [{ pointer: '/lrsIds', rule: 'claviger/lrs', message }])
    }
    if ('remove' in change && before !== undefined) this.#keys.delete(before.key)
    if (!('create' in write)) return
    const { key, allowDuplicateKey = false } = write.create
    if (this.#keys.has(key) && !allowDuplicateKey) {
      throw refusing('conflict', [conflict('/key', `${JSON.stringify(key)} is already in use in this organisation.`)])
    }
    this.#keys.add(key)
  }
}

/**
 * What somebody else on the platform has: ids, oids, keys with their secrets. For an operator's eyes: a tenant would learn ten thousand
 * guesses at once.
 */
export async function findTaken<T extends { readonly known: Known }>(
  platform: PlatformStore,
  organisationId: OrganisationId,
  decided: readonly T[],
): Promise<readonly { readonly of: T; readonly error: DomainError }[]> {
  const found: { readonly of: T; readonly error: DomainError }[] = []
  for (let from = 0; from < decided.length; from += atOnce) {
    const some = decided.slice(from, from + atOnce)
    const wanted = some.map(({ known }) => wantedBy(known))
    const holders = await platform.findHolders({
      ...{ organisations: [], lrs: [], applications: [], pipes: [] },
      credentials: wanted.map(({ id = nobody, oid }) => ({ id, ...(oid !== undefined && { oid }) })),
      pairs: wanted.flatMap(({ pairs }) => pairs),
    })
    const has = holdings(holders, organisationId)
    for (const [at, { id, oid, pairs }] of wanted.entries()) {
      const failures = [
        ...(id !== undefined && has.ids.has(id) ? [conflict('/id', `The id ${id} was given already.`)] : []),
        ...(oid !== undefined && has.oids.has(oid) ? [conflict('/oid', `The oid ${oid} is somebody's already.`)] : []),
      ]
      const isPair = pairs.some((pair) => has.pairs.has(pair))
      const message = 'Another organisation has, or had, this key with this secret.'
      const all = [...failures, ...(isPair ? [conflict('/secret', message)] : [])]
      if (all.length > 0) found.push({ of: some[at]!, error: refusing('conflict', all) })
    }
  }
  return found
}

/** No credential has this id. */
const nobody = 0 as CredentialId

function wantedBy({ write }: Known): Pick<NewCredential, 'id' | 'pairs'> & { readonly oid?: Oid } {
  if ('create' in write) return write.create
  return { pairs: ('update' in write ? write.update.patch.pairs : undefined) ?? [] }
}

function holdings(holders: readonly Holder[], organisationId: OrganisationId) {
  const credentials = holders.filter(({ noun }) => noun === 'credential')
  const foreign = holders.filter((one) => one.noun === 'pair' && one.organisationId !== organisationId)
  return {
    ids: new Set<number | string>(credentials.map(({ id }) => id)),
    oids: new Set(credentials.map(({ oid }) => oid)),
    pairs: new Set(foreign.map(({ id }) => id)),
  }
}

interface Wrong {
  readonly pointer: string
  readonly rule: string
  readonly message: string
}

function conflict(pointer: string, message: string): Wrong {
  return { pointer, rule: 'claviger/conflict', message }
}

function refusing(code: 'invalid' | 'conflict', failures: readonly Wrong[]): DomainError {
  return new DomainError(code, failures.map(({ message }) => message).join(' '), { detail: { failures } })
}
