// Counts what an erasure would remove, and looks for whom it would miss, a bounded part per call. Each part sees a snapshot of
// its own: what comes and goes in between may be counted or not.

import { likenessTo } from '../../core/person.ts'
import { Mentions } from './mentions.ts'
import type { Alike } from '../../core/person.ts'
import type {
  AlikePart,
  AlikePosition,
  ErasureCounts,
  ErasurePosition,
  ErasureStore,
  ErasureTarget,
} from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'

type Counted = Awaited<ReturnType<ErasureStore['count']>>

/** Statements of one part: some milliseconds. */
const mostRows = 2_000
/** Dictionary values, or agents of documents, looked through in one part. */
const mostLookedThrough = 5_000

export class ErasureReader {
  readonly #mentions: Mentions
  readonly #attachmentsOf
  readonly #range
  readonly #attachmentsIn
  readonly #documentsOf
  readonly #documentsUntil
  readonly #descriptionsOf
  readonly #descriptions
  readonly #agents
  readonly #nextDocumentAgent

  constructor(handle: Handle) {
    const count = <Args extends unknown[]>(sql: string) => handle.prepare<Args, number>(sql).pluck()
    this.#mentions = new Mentions(handle)
    this.#attachmentsOf = count<[number, number]>('select count(*) from attachment where lrs_id = ? and seq = ?')
    this.#range = handle.prepare<[number, number, number, number], { readonly count: number; readonly last: number }>(
      `select count(*) as count, max(seq) as last from
       (select seq from statement where lrs_id = ? and seq > ? and seq <= ? order by seq limit ?)`,
    )
    this.#attachmentsIn = count<[number, number, number]>(
      'select count(*) from attachment where lrs_id = ? and seq > ? and seq <= ?',
    )
    this.#documentsOf = count<[number, string]>(
      'select count(*) from document where lrs_id = ? and agent in (select value from json_each(?)) and agent is not null',
    )
    this.#documentsUntil = count<[number, number]>('select count(*) from document where lrs_id = ? and updated_at <= ?')
    this.#descriptionsOf = count<[number, number]>('select count(*) from description where lrs_id = ? and subject = ?')
    this.#descriptions = count<[number]>('select count(*) from description where lrs_id = ?')
    this.#agents = handle.prepare<[number, number, number], { readonly id: number; readonly value: string | null }>(
      `select id, iif(kind = 'agent', value, null) as value from term where lrs_id = ? and id > ? order by id limit ?`,
    )
    this.#nextDocumentAgent = handle
      .prepare<[number, string], string>(
        'select agent from document where lrs_id = ? and agent > ? and agent is not null order by agent limit 1',
      )
      .pluck()
  }

  findAlike(lrsId: LrsId, agents: readonly string[], after: AlikePosition = { term: 0 }): AlikePart {
    const likeness = likenessTo(agents)
    const found: Alike[] = []
    const look = (agent: string): void => {
      const how = likeness(agent)
      if (how !== undefined) found.push({ agent, likeness: how })
    }
    if ('agent' in after) return { found, next: this.#throughDocuments(lrsId, after.agent, look) }
    let last = after.term
    let count = 0
    for (const { id, value } of this.#agents.iterate(lrsId, last, mostLookedThrough)) {
      if (value !== null) look(value)
      last = id
      count++
    }
    return { found, next: count < mostLookedThrough ? { agent: '' } : { term: last } }
  }

  /** From agent to agent: each may have any number of documents. */
  #throughDocuments(lrsId: LrsId, after: string, look: (agent: string) => void): AlikePosition | undefined {
    let agent = after
    for (let count = 0; count < mostLookedThrough; count++) {
      const next = this.#nextDocumentAgent.get(lrsId, agent)
      if (next === undefined) return undefined
      look(next)
      agent = next
    }
    return { agent }
  }

  count(lrsId: LrsId, target: ErasureTarget, { phase, at }: ErasurePosition = { phase: '', at: [] }): Counted {
    if (phase === 'rest') return { counts: this.#rest(lrsId, target), next: undefined }
    return target.kind === 'person' ? this.#mentioning(lrsId, target, at) : this.#stored(lrsId, target.through, at)
  }

  #mentioning(lrsId: LrsId, target: ErasureTarget & { kind: 'person' }, at: readonly number[]): Counted {
    const ids = this.#mentions.idsOf(lrsId, target.agents)
    const { found, next } = this.#mentions.after(
      lrsId,
      { ids, onlyDirect: target.onlyDirect },
      [at[0] ?? 0, at[1] ?? 0],
      mostRows,
    )
    const counts = {
      statements: found.length,
      elsewhere: found.filter(({ isElsewhere }) => isElsewhere).length,
      attachments: found.reduce((sum, { seq }) => sum + (this.#attachmentsOf.get(lrsId, seq) ?? 0), 0),
    }
    return { counts, next: next === undefined ? rest : { phase: 'statements', at: next } }
  }

  #stored(lrsId: LrsId, through: number, [after = 0]: readonly number[]): Counted {
    const most = 10 * mostRows
    const { count, last } = this.#range.get(lrsId, after, through, most) ?? { count: 0, last: after }
    if (count === 0) return { counts: { statements: 0, attachments: 0 }, next: rest }
    const attachments = this.#attachmentsIn.get(lrsId, after, last) ?? 0
    return {
      counts: { statements: count, attachments },
      next: count < most ? rest : { phase: 'statements', at: [last] },
    }
  }

  #rest(lrsId: LrsId, target: ErasureTarget): Partial<ErasureCounts> {
    if (target.kind === 'retention') return {}
    if (target.kind === 'empty') {
      const documents = this.#documentsUntil.get(lrsId, target.changedThrough ?? target.through) ?? 0
      return { documents, descriptions: this.#descriptions.get(lrsId) ?? 0 }
    }
    const ids = this.#mentions.idsOf(lrsId, target.agents).filter((id) => id !== undefined)
    const descriptions = ids.reduce((sum, id) => sum + (this.#descriptionsOf.get(lrsId, id) ?? 0), 0)
    return { documents: this.#documentsOf.get(lrsId, JSON.stringify(target.agents)) ?? 0, descriptions }
  }
}

const rest: ErasurePosition = { phase: 'rest', at: [] }
