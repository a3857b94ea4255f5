// How far postings may be passed on inside one transaction, so that a planted tree of references cannot stop the writer.
// Budgets are counted apart per owner of the statements reached, so that nobody's references use up another's. No SQL.

import type { CredentialId, LrsId } from '../../core/ids.ts'

/** Statements of one owner that one arriving statement reaches, directly or through others. */
const mostByStatement = 2_000
/** Statements of one owner that all arriving statements of one owner reach in one transaction. */
const mostByOwner = 5_000
/** Statements of an Lrs that are reached in one transaction: keys of one tenant that work together stop nobody either. */
const mostByLrs = 30_000

/** Postings that what one owner stores inherits on arrival in one transaction. */
const mostOnArrival = 50_000
/** What is read, compared or written in about the time that one statement reached takes anyway. */
const textPerReach = 4_096
const offeredPerReach = 256
const gainedPerReach = 16

interface Visit {
  /** Length of the printed postings that were read. */
  readonly textLength: number
  readonly offered: number
  readonly gained: number
}

/** A statement counts as several when it has, is offered or gains very many postings. */
export function weightOf({ textLength, offered, gained }: Visit): number {
  const more = [textLength / textPerReach, offered / offeredPerReach, gained / gainedPerReach]
  return more.reduce((sum, part) => sum + Math.floor(part), 1)
}

interface Arriving {
  readonly lrsId: LrsId
  readonly owner: CredentialId
}

export class ReachBudget {
  /** By Lrs, and by Lrs and both owners. */
  readonly #spent = new Map<string, number>()
  /** By Lrs and owner. */
  readonly #onArrival = new Map<string, number>()
  /** By owner reached, for the statement that is arriving. */
  readonly #spentByStatement = new Map<CredentialId, number>()

  /** Another statement arrives. */
  next(): void {
    this.#spentByStatement.clear()
  }

  /** How many statements of `reached` may still be looked at. */
  left({ lrsId, owner }: Arriving, reached: CredentialId): number {
    return Math.min(
      mostByStatement - (this.#spentByStatement.get(reached) ?? 0),
      mostByOwner - (this.#spent.get(`${lrsId} ${owner} ${reached}`) ?? 0),
      this.leftInLrs(lrsId),
    )
  }

  leftInLrs(lrsId: LrsId): number {
    return mostByLrs - (this.#spent.get(`${lrsId}`) ?? 0)
  }

  spend({ lrsId, owner }: Arriving, reached: CredentialId, weight: number): void {
    this.#spentByStatement.set(reached, (this.#spentByStatement.get(reached) ?? 0) + weight)
    this.#add(`${lrsId} ${owner} ${reached}`, weight)
    this.#add(`${lrsId}`, weight)
  }

  /** For a look at who refers to a statement, whether any is reached or not. */
  spendInLrs(lrsId: LrsId): void {
    this.#add(`${lrsId}`, 1)
  }

  /** How many postings an arriving statement may inherit. */
  leftOnArrival({ lrsId, owner }: Arriving): number {
    return mostOnArrival - (this.#onArrival.get(`${lrsId} ${owner}`) ?? 0)
  }

  spendOnArrival({ lrsId, owner }: Arriving, postings: number): void {
    const name = `${lrsId} ${owner}`
    this.#onArrival.set(name, (this.#onArrival.get(name) ?? 0) + postings)
  }

  #add(name: string, weight: number): void {
    this.#spent.set(name, (this.#spent.get(name) ?? 0) + weight)
  }

  /** The transaction has ended. */
  reset(): void {
    this.#spent.clear()
    this.#onArrival.clear()
    this.#spentByStatement.clear()
  }
}
