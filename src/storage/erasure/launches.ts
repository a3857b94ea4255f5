// Removes launches of a person, or of an Lrs that is emptied, with their tickets and sessions: who is erased is nobody whom a
// session could act for. The same for every engine.

import { actorHash } from '../directory/launch-record.ts'
import { isOneOf, listOf } from './sql.ts'
import { add, mostRows } from './work.ts'
import type { ErasurePosition, ErasureTarget } from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Sql, Value } from './sql.ts'
import type { Work } from './work.ts'

export const launchesPhase = 'launches'

interface Row {
  readonly number: number
  readonly session_id: number | null
}

export class EraserLaunches {
  readonly #sql: Sql
  readonly #text

  constructor(sql: Sql) {
    this.#sql = sql
    this.#text = textsFor(sql)
  }

  /** Of ages and single statements none: what was launched is no statement. */
  async count(lrsId: LrsId, target: ErasureTarget): Promise<number> {
    const which = this.#whichOf(target)
    if (which === undefined) return 0
    const [row] = await this.#sql.all<{ readonly count: number }>(which.count, [lrsId, which.value])
    return row?.count ?? 0
  }

  async hasAny({ lrsId, target }: Work): Promise<boolean> {
    return (await this.#some(lrsId, target, 1)).length > 0
  }

  async remove({ lrsId, target, counts }: Work): Promise<ErasurePosition | undefined> {
    const rows = await this.#some(lrsId, target, mostRows)
    if (rows.length === 0) return undefined
    const sessions = rows.flatMap(({ session_id: id }) => (id === null ? [] : [[id]]))
    // In the order in which a launch that ends takes its session with it (PostgreSQL). Tickets go by foreign key.
    add(counts, 'launches', await this.#sql.run(this.#text.remove, [listOf(rows.map(({ number }) => [number]))]))
    if (sessions.length > 0) await this.#sql.run(this.#text.removeSessions, [listOf(sessions)])
    return rows.length < mostRows ? undefined : { phase: launchesPhase, at: [] }
  }

  async #some(lrsId: LrsId, target: ErasureTarget, most: number): Promise<readonly Row[]> {
    const which = this.#whichOf(target)
    return which === undefined ? [] : this.#sql.all<Row>(which.find, [lrsId, which.value, most])
  }

  #whichOf(target: ErasureTarget): (Texts & { readonly value: Value }) | undefined {
    const { ofActors, begunUntil } = this.#text
    if (target.kind === 'person') {
      return { ...ofActors, value: listOf(target.agents.map((agent) => [actorHash(agent)])) }
    }
    if (target.kind !== 'empty') return undefined
    return { ...begunUntil, value: Math.floor((target.changedThrough ?? target.through) / 1_000) }
  }
}

interface Texts {
  readonly find: string
  readonly count: string
}

function textsFor({ dialect }: Sql) {
  const texts = (condition: string): Texts => ({
    find: `select number, session_id from launch where ${condition} limit $3`,
    count: `select count(*) as count from launch where ${condition}`,
  })
  return {
    // The index is of organisation and actor.
    ofActors: texts(`home_lrs_id = $1 and organisation_id = (select organisation_id from lrs where id = $1)
      and ${isOneOf(dialect, 'actor_hash', '$2', 'text')}`),
    begunUntil: texts('home_lrs_id = $1 and created_at <= $2'),
    remove: `delete from launch where ${isOneOf(dialect, 'number', '$1', 'integer')}`,
    removeSessions: `delete from session where ${isOneOf(dialect, 'id', '$1', 'integer')}`,
  }
}
