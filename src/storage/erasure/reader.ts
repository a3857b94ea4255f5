// Counts what an erasure would remove, and looks for whom it would miss, a bounded part per call. Each part sees a snapshot of
// its own: what comes and goes in between may be counted or not.

import { likenessTo } from '../../core/person.ts'
import { EraserLaunches } from './launches.ts'
import { Mentions } from './mentions.ts'
import { isOneOf, listOf } from './sql.ts'
import type { Alike } from '../../core/person.ts'
import type {
  AlikePart,
  AlikePosition,
  ErasureCounts,
  ErasurePosition,
  ErasureStore,
  ErasureTarget,
} from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Sql, Value } from './sql.ts'

type Counted = Awaited<ReturnType<ErasureStore['count']>>

/** Statements of one part: some milliseconds. */
const mostRows = 2_000
/** Dictionary values, or agents of documents, looked through in one part. */
const mostLookedThrough = 5_000

export class ErasureReader {
  readonly #sql: Sql
  readonly #mentions: Mentions
  readonly #launches: EraserLaunches
  readonly #text

  constructor(sql: Sql) {
    this.#sql = sql
    this.#mentions = new Mentions(sql)
    this.#launches = new EraserLaunches(sql)
    this.#text = textsFor(sql)
  }

  async findAlike(lrsId: LrsId, agents: readonly string[], after: AlikePosition = { term: 0 }): Promise<AlikePart> {
    const likeness = likenessTo(agents)
    const found: Alike[] = []
    const look = (agent: string): void => {
      const how = likeness(agent)
      if (how !== undefined) found.push({ agent, likeness: how })
    }
    if ('agent' in after) return { found, next: await this.#throughDocuments(lrsId, after.agent, look) }
    const rows = await this.#sql.all<{ readonly id: number; readonly value: string | null }>(this.#text.agents, [
      lrsId,
      after.term,
      mostLookedThrough,
    ])
    for (const { value } of rows) if (value !== null) look(value)
    const last = rows.at(-1)?.id ?? after.term
    return { found, next: rows.length < mostLookedThrough ? { agent: '' } : { term: last } }
  }

  /** From agent to agent: each may have any number of documents. */
  async #throughDocuments(
    lrsId: LrsId,
    after: string,
    look: (agent: string) => void,
  ): Promise<AlikePosition | undefined> {
    const key = this.#sql.dialect.agentKeyOf(after)
    const values = [lrsId, key, mostLookedThrough]
    const rows = await this.#sql.all<{ readonly agent: string }>(this.#text.documentAgents, values)
    for (const { agent } of rows) look(agent)
    const last = rows.at(-1)
    return last === undefined || rows.length < mostLookedThrough ? undefined : { agent: last.agent }
  }

  async count(
    lrsId: LrsId,
    target: ErasureTarget,
    { phase, at }: ErasurePosition = { phase: '', at: [] },
  ): Promise<Counted> {
    if (phase === 'rest') return { counts: await this.#rest(lrsId, target), next: undefined }
    if (target.kind === 'person') return this.#mentioning(lrsId, target, at)
    if (target.kind === 'statement') return this.#stored(lrsId, target.seq, [target.seq - 1])
    return this.#stored(lrsId, target.through, at)
  }

  async #mentioning(lrsId: LrsId, target: ErasureTarget & { kind: 'person' }, at: readonly number[]): Promise<Counted> {
    const ids = await this.#mentions.idsOf(lrsId, target.agents)
    const { found, next } = await this.#mentions.after(
      lrsId,
      { ids, onlyDirect: target.onlyDirect },
      [at[0] ?? 0, at[1] ?? 0],
      mostRows,
    )
    const seqs = listOf(found.map(({ seq }) => [seq]))
    const counts = {
      statements: found.length,
      elsewhere: found.filter(({ isElsewhere }) => isElsewhere).length,
      attachments: found.length === 0 ? 0 : await this.#one(this.#text.attachmentsOf, [lrsId, seqs]),
    }
    return { counts, next: next === undefined ? rest : { phase: 'statements', at: next } }
  }

  async #stored(lrsId: LrsId, through: number, [after = 0]: readonly number[]): Promise<Counted> {
    const most = 10 * mostRows
    const [row] = await this.#sql.all<{ readonly count: number; readonly last: number | null }>(this.#text.range, [
      lrsId,
      after,
      through,
      most,
    ])
    const { count = 0, last } = row ?? {}
    if (typeof last !== 'number') return { counts: { statements: 0, attachments: 0 }, next: rest }
    const attachments = await this.#one(this.#text.attachmentsIn, [lrsId, after, last])
    return {
      counts: { statements: count, attachments },
      next: count < most ? rest : { phase: 'statements', at: [last] },
    }
  }

  async #rest(lrsId: LrsId, target: ErasureTarget): Promise<Partial<ErasureCounts>> {
    if (target.kind === 'retention' || target.kind === 'statement') return {}
    if (target.kind === 'empty') {
      return {
        documents: await this.#one(this.#text.documentsUntil, [lrsId, target.changedThrough ?? target.through]),
        launches: await this.#launches.count(lrsId, target),
        descriptions: await this.#one(this.#text.descriptions, [lrsId]),
      }
    }
    const ids = (await this.#mentions.idsOf(lrsId, target.agents)).filter((id) => id !== undefined)
    const agents = listOf(target.agents.map((agent) => [agent]))
    return {
      documents: await this.#one(this.#text.documentsOf, [lrsId, agents]),
      launches: await this.#launches.count(lrsId, target),
      descriptions: await this.#one(this.#text.descriptionsOf, [lrsId, listOf(ids.map((id) => [id]))]),
    }
  }

  async #one(text: string, values: readonly Value[]): Promise<number> {
    const [row] = await this.#sql.all<{ readonly count: number }>(text, values)
    return row?.count ?? 0
  }
}

const rest: ErasurePosition = { phase: 'rest', at: [] }

function textsFor({ dialect }: Sql) {
  const key = dialect.agentKey('agent')
  const keys = `select ${dialect.agentKey('one')} from ${dialect.list('$2', { one: 'text' })} as listed`
  const count = (from: string) => `select count(*) as count from ${from}`
  const nextKey = (after: string) =>
    `(select ${key} from document d where d.lrs_id = $1 and d.agent is not null and ${key} > ${after}
      order by ${key} limit 1)`
  return {
    agents: `select id, case when kind = 'agent' then value end as value from term
      where lrs_id = $1 and id > $2 order by id limit $3`,
    // From one agent straight to the next, however many documents each has.
    documentAgents: `with recursive walk (place) as (
        select ${nextKey('$2')} union all select ${nextKey('walk.place')} from walk where walk.place is not null)
      select (select d.agent from document d
              where d.lrs_id = $1 and d.agent is not null and ${key} = walk.place limit 1) as agent
      from walk where walk.place is not null limit $3`,
    range: `select count(*) as count, max(seq) as last from
      (select seq from statement where lrs_id = $1 and seq > $2 and seq <= $3 order by seq limit $4) as part`,
    attachmentsOf: count(`attachment where lrs_id = $1 and ${isOneOf(dialect, 'seq', '$2', 'integer')}`),
    attachmentsIn: count('attachment where lrs_id = $1 and seq > $2 and seq <= $3'),
    documentsOf: count(`document where lrs_id = $1 and agent is not null and ${dialect.isIn(key, keys)}`),
    documentsUntil: count('document where lrs_id = $1 and updated_at <= $2'),
    descriptions: count('description where lrs_id = $1'),
    descriptionsOf: count(`description where lrs_id = $1 and ${isOneOf(dialect, 'subject', '$2', 'integer')}`),
  }
}
