// The writer's dictionary: values to postings' terms, with a cache in front. Knows no statement.

import { LRUCache } from 'lru-cache'
import { hash } from 'node:crypto'
import { dictionaryTerm, registrationTerm } from '../posting.ts'
import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'
import type { PostingTerm } from '../posting.ts'
import type { TermKind } from '../../core/storage.ts'

/** About 20 MB at the usual length of identifiers. */
const cachedTerms = 100_000
/** Longer values are looked up each time rather than held. */
const longestCached = 1_000

export class Dictionary {
  readonly #find
  readonly #insert
  readonly #last
  readonly #cache = new LRUCache<string, number>({ max: cachedTerms })
  /** Highest id per Lrs; those of this transaction included. */
  readonly #lastIds = new LRUCache<LrsId, number>({ max: 10_000 })
  /** Cache keys that are in no committed transaction yet. */
  #fresh: string[] = []

  constructor(handle: Handle) {
    this.#find = handle
      .prepare<[number, string, Buffer], number>('select id from term where lrs_id = ? and kind = ? and sha256 = ?')
      .pluck()
    this.#insert = handle.prepare('insert into term (lrs_id, id, kind, sha256, value) values (?, ?, ?, ?, ?)')
    this.#last = handle.prepare<[number], number | null>('select max(id) from term where lrs_id = ?').pluck()
  }

  /** The term of a value that the dictionary has, direct and own; inserted when new. */
  termOf(lrsId: LrsId, kind: TermKind, value: string): PostingTerm {
    const name = nameOf(lrsId, kind, value)
    const cached = this.#cache.get(name)
    if (cached !== undefined) return cached
    const digest = hash('sha256', value, 'buffer')
    const term = dictionaryTerm(this.#find.get(lrsId, kind, digest) ?? this.#add(lrsId, kind, digest, value, name))
    if (value.length <= longestCached) this.#cache.set(name, term)
    return term
  }

  #add(lrsId: LrsId, kind: TermKind, digest: Buffer, value: string, name: string): number {
    const id = (this.#lastIds.get(lrsId) ?? this.#last.get(lrsId) ?? 0) + 1
    this.#insert.run(lrsId, id, kind, digest, value)
    this.#lastIds.set(lrsId, id)
    this.#fresh.push(name)
    return id
  }

  /** The value is gone from the table: what has it next gets an id of its own. */
  forget(lrsId: LrsId, kind: string, value: string): void {
    this.#cache.delete(nameOf(lrsId, kind, value))
  }

  committed(): void {
    this.#fresh = []
  }

  /** Forgets what the failed transaction had added. */
  rolledBack(): void {
    for (const name of this.#fresh) this.#cache.delete(name)
    this.#fresh = []
    this.#lastIds.clear()
  }
}

/** Joined, it is one flat string: a template would keep its pieces. */
function nameOf(lrsId: LrsId, kind: string, value: string): string {
  return [lrsId, kind, value].join('')
}

/** As a query looks a value up; undefined when no statement of the Lrs ever had it. */
export function prepareTermLookup(
  handle: Handle,
): (lrsId: LrsId, kind: TermKind, value: string) => PostingTerm | undefined {
  const find = handle
    .prepare<[number, string, Buffer], number>('select id from term where lrs_id = ? and kind = ? and sha256 = ?')
    .pluck()
  return (lrsId, kind, value) => {
    if (kind === 'registration') return registrationTerm(value)
    const id = find.get(lrsId, kind, hash('sha256', value, 'buffer'))
    return id === undefined ? undefined : dictionaryTerm(id)
  }
}
