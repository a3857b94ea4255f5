// The writer's half of what statements say of activities and agents: one row for each distinct text of an owner, with the
// earliest time it was said. Collected during a transaction, written at its end. Knows no statement.

import { LRUCache } from 'lru-cache'
import { hash } from 'node:crypto'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Handle } from './handle.ts'

/** Of an owner about one subject; a few more stay until the next trim, which reads them all. */
const most = 1_000
const untrimmed = 250

/** One thing said. */
export interface Saying {
  readonly lrsId: LrsId
  /** Dictionary id of the activity or agent. */
  readonly subject: number
  readonly owner: CredentialId
  readonly text: string
  readonly isShared: boolean
  /** Microseconds. */
  readonly at: number
}

interface Known {
  readonly is_shared: number
  readonly first_at: number
}

export class Descriptions {
  readonly #find
  readonly #insert
  readonly #update
  readonly #count
  readonly #trim
  /** Rows per Lrs, subject and owner; those of this transaction included. */
  readonly #counts = new LRUCache<string, number>({ max: 10_000 })
  #sayings: Saying[] = []

  constructor(handle: Handle) {
    const key = 'lrs_id = ? and subject = ? and owner = ?'
    this.#find = handle.prepare<[number, number, number, Buffer], Known>(
      `select is_shared, first_at from description where ${key} and sha256 = ?`,
    )
    this.#insert = handle.prepare(
      'insert into description (lrs_id, subject, owner, sha256, is_shared, first_at, text) values (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#update = handle.prepare(`update description set is_shared = ?, first_at = ? where ${key} and sha256 = ?`)
    this.#count = handle
      .prepare<[number, number, number], number>(`select count(*) from description where ${key}`)
      .pluck()
    this.#trim = handle.prepare(
      `delete from description where ${key} and sha256 not in
       (select sha256 from description where ${key} order by first_at desc, text limit ${most})`,
    )
  }

  say(saying: Saying): void {
    this.#sayings.push(saying)
  }

  /** Before the commit. */
  flush(): void {
    // In key order: one page after the other.
    const sayings = this.#sayings.sort(byKey)
    this.#sayings = []
    for (const saying of sayings) this.#write(saying)
  }

  #write(saying: Saying): void {
    const { lrsId, subject, owner, text, isShared, at } = saying
    const count = this.#countOf(saying)
    const digest = hash('sha256', text, 'buffer')
    const known = count === 0 ? undefined : this.#find.get(lrsId, subject, owner, digest)
    const shared = isShared ? 1 : 0
    if (known === undefined) {
      this.#insert.run(lrsId, subject, owner, digest, shared, at, text)
      this.#grow(saying, count + 1)
    } else if (shared > known.is_shared || at < known.first_at) {
      const [isAnyShared, firstAt] = [Math.max(shared, known.is_shared), Math.min(at, known.first_at)]
      this.#update.run(isAnyShared, firstAt, lrsId, subject, owner, digest)
    }
  }

  #countOf(saying: Saying): number {
    const name = nameOf(saying)
    const known = this.#counts.get(name)
    if (known !== undefined) return known
    const count = this.#count.get(saying.lrsId, saying.subject, saying.owner) ?? 0
    this.#counts.set(name, count)
    return count
  }

  #grow(saying: Saying, count: number): void {
    const { lrsId, subject, owner } = saying
    const isTooMany = count > most + untrimmed
    if (isTooMany) this.#trim.run(lrsId, subject, owner, lrsId, subject, owner)
    this.#counts.set(nameOf(saying), isTooMany ? most : count)
  }

  /** What is counted holds no longer after a rollback, nor after rows were deleted elsewhere. */
  forget(): void {
    this.#sayings = []
    this.#counts.clear()
  }
}

function nameOf({ lrsId, subject, owner }: Saying): string {
  return `${lrsId} ${subject} ${owner}`
}

function byKey(a: Saying, b: Saying): number {
  return a.lrsId - b.lrsId || a.subject - b.subject || a.owner - b.owner
}
