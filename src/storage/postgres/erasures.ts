// The erasure half of the port on PostgreSQL: each step is one transaction under the lock of its Lrs, so that on whatever node
// nobody stores there meanwhile, and two nodes that do the same job do each step of it after the other.

import { DomainError } from '../../core/errors.ts'
import { Eraser } from '../erasure/eraser.ts'
import { ErasureReader } from '../erasure/reader.ts'
import { erasureSql } from './erasure-sql.ts'
import { launchesPhase } from '../erasure/launches.ts'
import { isErased } from '../erasure/erased-ids.ts'
import { lockClass } from './locks.ts'
import { lockDocuments } from './document-writer.ts'
import type { Database, Transaction } from './database.ts'
import type { DirectoryChanges } from './directory-changes.ts'
import type { Documents } from './documents.ts'
import type { ErasureStep, ErasureStore } from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Statements } from './statements.ts'
import type { Stepped } from '../erasure/eraser.ts'

type Jobs = Pick<ErasureStore, 'create' | 'finish' | 'find' | 'list'>
type Args<Method extends keyof ErasureStore> = Parameters<ErasureStore[Method]>

interface Parts {
  readonly database: Database
  readonly changes: DirectoryChanges
  readonly jobs: Jobs
  readonly statements: Statements
  readonly documents: Documents
}

/** Whose deleted rows may tell of a person. */
const tables = [
  'statement',
  'posting',
  'term',
  'description',
  'document',
  'inheritance',
  'reference',
  'waiting_void',
  'attachment',
  'launch',
  'session',
  'erasure',
]

export class Erasures implements ErasureStore {
  readonly #database: Database
  readonly #changes: DirectoryChanges
  readonly #statements: Statements
  readonly #documents: Documents
  readonly create: ErasureStore['create']
  readonly finish: ErasureStore['finish']
  readonly find: ErasureStore['find']
  readonly list: ErasureStore['list']

  constructor({ database, changes, jobs, statements, documents }: Parts) {
    this.#database = database
    this.#changes = changes
    this.#statements = statements
    this.#documents = documents
    this.create = jobs.create
    this.finish = jobs.finish
    this.find = jobs.find
    this.list = jobs.list
  }

  count(...args: Args<'count'>): ReturnType<ErasureStore['count']> {
    return this.#read((reader) => reader.count(...args))
  }

  findAlike(...args: Args<'findAlike'>): ReturnType<ErasureStore['findAlike']> {
    return this.#read((reader) => reader.findAlike(...args))
  }

  #read<T>(work: (reader: ErasureReader) => Promise<T>): Promise<T> {
    return this.#database.transact('read', (transaction) => work(new ErasureReader(erasureSql(transaction))))
  }

  isErased(...args: Args<'isErased'>): Promise<boolean> {
    return this.#database.transact('read', (transaction) => isErased(erasureSql(transaction), ...args))
  }

  async latest(lrsId: LrsId): ReturnType<ErasureStore['latest']> {
    const [last = 0] = await this.#statements.listLatest([lrsId])
    // An import may hold the other back.
    const through = Math.max(last, await this.#statements.consistentThrough(lrsId))
    return { through, changedThrough: await this.#documents.latest(lrsId) }
  }

  async step(...args: Args<'step'>): Promise<ErasureStep> {
    const [organisationId, , lrsId, , position] = args
    // Some of its sessions may be gone.
    const concerned = position?.phase === launchesPhase ? [organisationId] : []
    const { step, by } = await this.#database.transact('write', async (transaction) => {
      await transaction.query('select pg_advisory_xact_lock($1, $2)', [lockClass.lrs, lrsId])
      // A merge under way would write anew what it had read before it was removed.
      if (position?.phase === 'documents' || position?.phase === 'person') await lockDocuments(transaction, lrsId)
      const stepped = await new Eraser(erasureSql(transaction)).step(...args)
      await forget(transaction, lrsId, stepped)
      const noted = concerned.length === 0 ? 0n : await this.#changes.note(transaction, concerned)
      return { step: stepped.step, by: noted }
    })
    this.#changes.tell(concerned, by)
    return step
  }

  countBlobs(...args: Args<'countBlobs'>): Promise<void> {
    return this.#database.transact('write', (transaction) => new Eraser(erasureSql(transaction)).countBlobs(...args))
  }

  /**
   * A table a call, and no longer than a statement may take. Vacuum ends what a deleted row is, in tables and indexes, and lets
   * its room be used again; until it is, the bytes lie there, and nothing short of writing every table anew under a lock
   * changes that (docs/decisions/0020). So the end of it is `unsupported`.
   */
  async scrub(after = 0): ReturnType<ErasureStore['scrub']> {
    const table = tables[after]
    if (table === undefined) {
      throw new DomainError(
        'unsupported',
        'PostgreSQL overwrites the room of deleted rows when it needs it, not before.',
      )
    }
    await this.#vacuum(table)
    return { next: after + 1 }
  }

  /** What a timeout or somebody else's lock leaves undone is autovacuum's. */
  async #vacuum(table: string): Promise<void> {
    try {
      await this.#database.query(`vacuum (skip_locked) ${table}`)
    } catch (error) {
      if (codeOf(error) !== queryCanceled) throw error
    }
  }
}

// Where there is no row yet, nodes remember under epoch 0.
const raiseEpoch = `insert into lrs_state (lrs_id, last_term, last_seq, epoch, statements)
  select $1, coalesce((select max(id) from term where lrs_id = $1), 0),
    coalesce((select max(seq) from statement where lrs_id = $1), 0), 1,
    (select count(*) from statement where lrs_id = $1)
  on conflict (lrs_id) do update set epoch = lrs_state.epoch + 1`

/** What any node remembers of the Lrs counts for one epoch of it. */
async function forget(transaction: Transaction, lrsId: LrsId, { forgotten, descriptions }: Stepped): Promise<void> {
  if (forgotten.terms.length === 0 && descriptions === 0 && !forgotten.hasNewSalt) return
  await transaction.query(raiseEpoch, [lrsId])
}

const queryCanceled = '57014'

/** Of the driver's error behind the domain's. */
function codeOf(error: unknown): unknown {
  const cause = error instanceof DomainError ? error.cause : error
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}
