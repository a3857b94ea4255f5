// Stores batches of one Lrs in one transaction under its lock, in two messages: begin, lock and look up all that can matter;
// decide in memory; write everything and commit. Remembers dictionary ids and descriptions for as long as nothing was removed.

import { DomainError, isDomainError } from '../../core/errors.ts'
import { ByTerm } from './by-term.ts'
import { DescriptionCache } from '../statements/description-cache.ts'
import { FreeTimes, lowOf } from '../statements/free-times.ts'
import { GatheredTables, Unread, UnreadTime } from './gathered-tables.ts'
import { LRUCache } from 'lru-cache'
import { Storing } from '../statements/storing.ts'
import { dictionaryTerm } from '../posting.ts'
import { findTermIds, lookupOf, questionOf, readLooked, readReferrers, readTaken } from './statement-lookup.ts'
import { lockClass } from './locks.ts'
import { notePart, requireOpen } from '../directory/import.ts'
import { writeChanges } from './statement-changes.ts'
import type { BatchOutcome, ImportOutcome, StatementBatch } from '../../core/storage.ts'
import type { Database, Transaction } from './database.ts'
import type { ListedPart } from '../statements/listed-part.ts'
import type { ImportPart } from '../directory/import.ts'
import type { Looked, LookupRow, Question } from './statement-lookup.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Named } from './by-term.ts'
import type { PostingTerm } from '../posting.ts'
import type { Remembered } from './gathered-tables.ts'
import type { Speaker } from '../statements/description-cache.ts'

/** About 20 MB at the usual length of identifiers. */
const cachedTerms = 100_000
/** Longer values are looked up each time rather than held. */
const longestCached = 1_000

/** Batches of one Lrs on their way in. */
interface Prepared {
  readonly batches: readonly StatementBatch[]
  /** Dictionary values, each once. */
  readonly values: readonly Named[]
  /** Of which `recalled` is. */
  readonly epoch: number
  readonly recalled: ByTerm<PostingTerm>
  readonly question: Question
}

interface Stored<Outcome> {
  readonly outcomes: readonly Outcome[]
  readonly epoch: number
  /** Learnt from the database, or given now. */
  readonly learnt: ByTerm<PostingTerm>
  readonly said: GatheredTables['said']
}

/** What is to be done with what was looked up: without a change in the database, so that it may be done anew. */
interface Work<Outcome> {
  /** In the transaction, before it. */
  begin?(transaction: Transaction, looked: Looked): Promise<void>
  store(storing: Storing, looked: Looked): readonly Outcome[]
  /** After it, before anything of it is written. */
  end?(transaction: Transaction, outcomes: readonly Outcome[]): Promise<void>
}

export class StatementWriter {
  readonly #database: Database
  /** By Lrs, epoch and name: what is remembered of another epoch is never asked for. */
  readonly #terms = new LRUCache<string, PostingTerm>({ max: cachedTerms })
  readonly #descriptions = new DescriptionCache()
  /** As last seen. */
  readonly #epochs = new LRUCache<LrsId, number>({ max: 50_000 })
  readonly #times = new FreeTimes()

  constructor(database: Database) {
    this.#database = database
  }

  /** `givenMicros`: the clock of a test. */
  store(prepared: Prepared, givenMicros: number | null): Promise<readonly BatchOutcome[]> {
    return this.#transact(prepared, givenMicros, {
      store: (storing, { floor }) => storing.store(prepared.batches.map((batch) => ({ ...batch, floor }))),
    })
  }

  /** `prepared`: of the same statements. */
  import(
    prepared: Prepared,
    part: Omit<ImportPart, 'low'>,
    { statements, earliest }: ListedPart,
  ): Promise<readonly ImportOutcome[]> {
    const { lrsId } = part
    return this.#transact(prepared, null, {
      begin: async (transaction, { taken }) => {
        await requireOpen(transaction.kysely, part)
        const wanted = new Set(statements.map(({ storedAt }) => storedAt))
        await readTaken(transaction, lrsId, { taken, before: [...wanted].map((at) => this.#times.from(lrsId, at)) })
      },
      store: (storing) => storing.import(lrsId, statements, this.#times),
      end: ({ kysely }, outcomes) => notePart(kysely, { ...part, low: lowOf(earliest) }, 'statements', outcomes),
    })
  }

  async #transact<Outcome>(
    prepared: Prepared,
    givenMicros: number | null,
    work: Work<Outcome>,
  ): Promise<readonly Outcome[]> {
    const { question } = prepared
    const stored = await this.#database
      .transactUpon<LookupRow, Stored<Outcome>>(
        { statements: opening(question.lrsId), question: lookupOf(question, givenMicros) },
        (transaction, rows) => this.#storeIn(transaction, prepared, rows, work),
      )
      .catch(asDefect)
    this.#remember(question.lrsId, stored)
    return stored.outcomes
  }

  /** What can be done before it is their turn to store. */
  prepare(lrsId: LrsId, batches: readonly StatementBatch[]): Prepared {
    const values = valuesOf(batches)
    const epoch = this.#epochs.get(lrsId) ?? 0
    const recalled = this.#recall(lrsId, epoch, values)
    const unknown = values.filter((named) => recalled.get(named) === undefined)
    return { batches, values, epoch, recalled, question: questionOf(lrsId, batches, unknown) }
  }

  async #storeIn<Outcome>(
    transaction: Transaction,
    prepared: Prepared,
    rows: readonly LookupRow[],
    work: Work<Outcome>,
  ): Promise<Stored<Outcome>> {
    const { question } = prepared
    const { lrsId } = question
    const looked = await readLooked(transaction, question, rows)
    const { epoch } = looked
    const learnt = await learnTerms(transaction, prepared, looked)
    await work.begin?.(transaction, looked)
    const remembered = this.#remembered(epoch, epoch === prepared.epoch ? [prepared.recalled, learnt] : [learnt])
    const { tables, outcomes } = await decide(transaction, lrsId, { looked, remembered, work })
    await work.end?.(transaction, outcomes)
    if (!tables.isEmpty) await writeChanges(transaction, lrsId, { tables, epoch })
    for (const term of tables.terms) learnt.set(term, dictionaryTerm(term.id))
    return { outcomes, epoch, learnt, said: tables.said }
  }

  #recall(lrsId: LrsId, epoch: number, values: readonly Named[]): ByTerm<PostingTerm> {
    const recalled = new ByTerm<PostingTerm>()
    for (const named of values) {
      const term = this.#terms.get(cacheName(lrsId, epoch, named))
      if (term !== undefined) recalled.set(named, term)
    }
    return recalled
  }

  #remembered(epoch: number, [terms, others]: readonly ByTerm<PostingTerm>[]): Remembered {
    return {
      termOf: (named) => terms?.get(named) ?? others?.get(named),
      isKnown: (batch, description, at) => this.#descriptions.isKnown(speakerOf(batch, epoch), description, at),
    }
  }

  /** Only after the commit. */
  #remember(lrsId: LrsId, { epoch, learnt, said }: Stored<unknown>): void {
    this.#epochs.set(lrsId, epoch)
    for (const [named, term] of learnt) {
      if (named.value.length <= longestCached) this.#terms.set(cacheName(lrsId, epoch, named), term)
    }
    for (const { batch, description, at } of said) this.#descriptions.learn(speakerOf(batch, epoch), description, at)
  }
}

function cacheName(lrsId: LrsId, epoch: number, { kind, value }: Named): string {
  return `${lrsId} ${epoch} ${kind} ${value}`
}

/** Ids that differ in what they say are an outcome. A key that is taken in spite of the lock is nobody's but ours to put right. */
function asDefect(cause: unknown): never {
  if (!isDomainError(cause) || cause.code !== 'conflict') throw cause
  throw new DomainError('internal', 'The store failed.', { cause })
}

/**
 * Whoever else writes into the Lrs waits. Each seek must stay a seek, whatever the planner knows of tables that have just begun
 * to fill: there is no statement here that would be better off with anything else.
 */
function opening(lrsId: LrsId): string {
  return `select ${settings}, pg_advisory_xact_lock(${lockClass.lrs}, ${lrsId})`
}

const settings = Object.entries({
  // Less than a statement may take: whoever holds the Lrs for so long must not hold the connections of this node, too.
  lock_timeout: '3s',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
})
  .map(([name, value]) => `set_config('${name}', '${value}', true)`)
  .join(', ')

/** Without a change in the database, so that it may be done anew when it asked for more than was read. */
async function decide<Outcome>(
  transaction: Transaction,
  lrsId: LrsId,
  {
    looked,
    remembered,
    work,
  }: { readonly looked: Looked; readonly remembered: Remembered; readonly work: Work<Outcome> },
): Promise<{ readonly tables: GatheredTables; readonly outcomes: readonly Outcome[] }> {
  for (;;) {
    const tables = new GatheredTables(looked, remembered)
    try {
      return { tables, outcomes: work.store(new Storing(tables), looked) }
    } catch (error) {
      if (error instanceof Unread) await readReferrers(transaction, lrsId, { target: error.target, rows: looked })
      else if (error instanceof UnreadTime)
        await readTaken(transaction, lrsId, { taken: looked.taken, before: [error.seq] })
      else throw error
    }
  }
}

function valuesOf(batches: readonly StatementBatch[]): Named[] {
  const values: Named[] = []
  const known = new ByTerm<true>()
  const add = (named: Named): void => {
    if (named.kind === 'registration' || known.get(named)) return
    known.set(named, true)
    values.push(named)
  }
  for (const { statements } of batches) {
    for (const { terms, descriptions } of statements) {
      terms.forEach(add)
      descriptions.forEach(add)
    }
  }
  return values
}

/** Those that were asked for; what was remembered of another epoch is asked for again. */
async function learnTerms(
  transaction: Transaction,
  { values, epoch, question: { lrsId, unknown } }: Prepared,
  looked: Looked,
): Promise<ByTerm<PostingTerm>> {
  if (looked.epoch === epoch) return withIds(unknown, looked.termIds)
  return withIds(values, await findTermIds(transaction, lrsId, values))
}

function withIds(asked: readonly Named[], ids: readonly (number | undefined)[]): ByTerm<PostingTerm> {
  const terms = new ByTerm<PostingTerm>()
  for (const [index, named] of asked.entries()) {
    const id = ids[index]
    if (id !== undefined) terms.set(named, dictionaryTerm(id))
  }
  return terms
}

function speakerOf({ lrsId, owner, defineReach }: StatementBatch, epoch: number): Speaker {
  return { lrsId, owner, isShared: defineReach === 'any', epoch }
}
