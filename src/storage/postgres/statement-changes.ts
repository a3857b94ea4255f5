// Writes what storing gathered, in one statement: arrays in, rows out. Under the lock of the Lrs.

import { byteaArray, int4Array, int8Array, textArray } from './binary-array.ts'
import { dictionaryId } from '../posting.ts'
import { hash } from 'node:crypto'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { GatheredTables, Said } from './gathered-tables.ts'
import type { PostingTerm } from '../posting.ts'
import type { Transaction } from './database.ts'

/** Descriptions of an owner about one subject; a few more stay until the next trim, which reads them all. */
const mostDescriptions = 1_000
const untrimmed = 250

/** Each takes arrays, `?` in order; one that has nothing to write is left out of the statement. */
const parts = {
  terms:
    'insert into term (lrs_id, id, kind, sha256, value) select $1, * from unnest(?::int4[], ?::text[], ?::bytea[], ?::text[])',
  statements: `insert into statement (lrs_id, seq, timestamp, owner, is_voided, is_voiding, id, terms, body) select $1, *
    from unnest(?::int8[], ?::int8[], ?::int4[], ?::int4[], ?::int4[], ?::bytea[], ?::text[], ?::text[])`,
  postings: 'insert into posting (lrs_id, term, seq) select $1, * from unnest(?::int8[], ?::int8[])',
  attachments: `insert into attachment (lrs_id, seq, sha2, content_type) select $1, *
    from unnest(?::int8[], ?::text[], ?::text[]) on conflict do nothing`,
  refs: `insert into reference (lrs_id, target_id, owner, source_seq) select $1, *
    from unnest(?::bytea[], ?::int4[], ?::int8[])`,
  inherited: `insert into inheritance (lrs_id, seq, terms) select $1, * from unnest(?::int8[], ?::text[])
    on conflict (lrs_id, seq) do update set terms = excluded.terms`,
  waits: `insert into waiting_void (lrs_id, target_id, owner) select $1, * from unnest(?::bytea[], ?::int4[])
    on conflict do nothing`,
  voided: 'update statement set is_voided = 1 where lrs_id = $1 and seq = any(?::int8[])',
  said: `insert into description as old (lrs_id, subject, owner, is_shared, first_at, sha256, text) select $1, *
    from unnest(?::int4[], ?::int4[], ?::int4[], ?::int8[], ?::bytea[], ?::text[])
    on conflict (lrs_id, subject, owner, sha256) do update
    set is_shared = greatest(old.is_shared, excluded.is_shared), first_at = least(old.first_at, excluded.first_at)
    where excluded.is_shared > old.is_shared or excluded.first_at < old.first_at
    returning subject, owner`,
} as const

type PartName = keyof typeof parts

interface Part {
  readonly name: PartName
  readonly arrays: readonly Buffer[]
}

const state = `insert into lrs_state (lrs_id, last_term, last_seq, epoch, statements) values ($1, $2, $3, $4, $5)
  on conflict (lrs_id) do update set last_term = excluded.last_term, last_seq = excluded.last_seq,
    statements = lrs_state.statements + excluded.statements`

// Of whom there are too many now. No part sees what another writes: these are as many as there were, and those just said.
const crowded = `
select subject, owner from (select subject, owner, count(*) as added from said group by subject, owner) s
where added + (select count(*) from (
  select from description d where d.lrs_id = $1 and d.subject = s.subject and d.owner = s.owner
  order by d.sha256 limit ${mostDescriptions + untrimmed + 1}) d) > ${mostDescriptions + untrimmed}`

const order = Object.keys(parts)

/** PostgreSQL reads no more than 63 characters of it. */
function preparedName(names: readonly PartName[]): string {
  return `statements-write-${names.map((name) => order.indexOf(name)).join('')}`
}

/** One statement with some of the parts. Mostly it is the same few. */
function textOf(names: readonly PartName[]): string {
  let places = 5
  const written = names.map((name) => `${name} as (${parts[name].replaceAll('?', () => `$${++places}`)})`)
  return `with ${[`state as (${state})`, ...written].join(', ')} ${names.includes('said') ? crowded : 'select where false'}`
}

const trim = `
delete from description d using unnest($2::int4[], $3::int4[]) t (subject, owner)
where d.lrs_id = $1 and d.subject = t.subject and d.owner = t.owner and d.sha256 not in (
  select sha256 from description k where k.lrs_id = $1 and k.subject = t.subject and k.owner = t.owner
  order by first_at desc, text limit ${mostDescriptions})`

interface Crowd {
  readonly subject: number
  readonly owner: number
}

/** Commits it as well where nothing is left to do. */
export async function writeChanges(
  transaction: Transaction,
  lrsId: LrsId,
  { tables, epoch }: { readonly tables: GatheredTables; readonly epoch: number },
): Promise<void> {
  const written = partsOf(tables)
  const names = written.map(({ name }) => name)
  const { lastTerm, highestSeq, arrived } = tables
  const values = [lrsId, lastTerm, highestSeq, epoch, arrived.length, ...written.flatMap(({ arrays }) => arrays)]
  if (!names.includes('said')) return transaction.commitWith(textOf(names), values, preparedName(names))
  const full = await transaction.query<Crowd>(textOf(names), values, preparedName(names))
  if (full.length === 0) return
  const [subjects, owners] = [full.map(({ subject }) => subject), full.map(({ owner }) => owner)]
  await transaction.query(trim, [lrsId, int4Array(subjects), int4Array(owners)], 'statements-trim')
  // Others remember what is gone now.
  await transaction.query('update lrs_state set epoch = epoch + 1 where lrs_id = $1', [lrsId], 'statements-epoch')
}

function partsOf(tables: GatheredTables): Part[] {
  const { arrived, claims, references, waits, said, terms } = tables
  const inherited = [...tables.inherited]
  const written: Part[] = []
  const add = (name: PartName, count: number, arrays: () => readonly Buffer[]): void => {
    if (count > 0) written.push({ name, arrays: arrays() })
  }
  add('terms', terms.length, () => [
    int4Array(terms.map(({ id }) => id)),
    textArray(terms.map(({ kind }) => kind)),
    byteaArray(terms.map(({ value }) => hash('sha256', value, 'buffer'))),
    textArray(terms.map(({ value }) => value)),
  ])
  add('statements', arrived.length, () => [
    int8Array(arrived.map(({ seq }) => seq)),
    int8Array(arrived.map(({ timestamp }) => timestamp)),
    int4Array(arrived.map(({ owner }) => owner)),
    int4Array(arrived.map(({ isVoided }) => (isVoided ? 1 : 0))),
    int4Array(arrived.map(({ isVoiding }) => (isVoiding ? 1 : 0))),
    byteaArray(arrived.map(({ id }) => id)),
    textArray(arrived.map(({ printed }) => printed)),
    textArray(arrived.map(({ body }) => body)),
  ])
  add('postings', tables.postedTerms.length, () => postingRows(tables))
  add('attachments', claims.length, () => [
    int8Array(claims.map(({ seq }) => seq)),
    textArray(claims.map(({ attachment }) => attachment.sha2)),
    textArray(claims.map(({ attachment }) => attachment.contentType)),
  ])
  add('refs', references.length, () => [
    byteaArray(references.map(({ target }) => target)),
    int4Array(references.map(({ owner }) => owner)),
    int8Array(references.map(({ seq }) => seq)),
  ])
  add('inherited', inherited.length, () => [
    int8Array(inherited.map(([seq]) => seq)),
    textArray(inherited.map(([, printed]) => printed)),
  ])
  add('waits', waits.length, () => [
    byteaArray(waits.map(({ target }) => target)),
    int4Array(waits.map(({ owner }) => owner)),
  ])
  add('voided', tables.voided.size, () => [int8Array([...tables.voided])])
  add('said', said.length, () => saidRows(said))
  return written
}

/** In the order of their key, each once: neighbours land on one page. */
function postingRows({ postedTerms, postedSeqs }: GatheredTables): [Buffer, Buffer] {
  const seqsOf = new Map<PostingTerm, number[]>()
  postedTerms.forEach((term, index) => {
    const seq = postedSeqs[index] as number
    const seqs = seqsOf.get(term)
    if (seqs === undefined) seqsOf.set(term, [seq])
    else seqs.push(seq)
  })
  const [terms, seqs]: [PostingTerm[], number[]] = [[], []]
  for (const term of [...seqsOf.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    for (const seq of new Set(seqsOf.get(term)?.sort((a, b) => a - b))) {
      terms.push(term)
      seqs.push(seq)
    }
  }
  return [int8Array(terms), int8Array(seqs)]
}

interface Merged {
  readonly subject: number
  readonly owner: CredentialId
  readonly text: string
  isShared: number
  at: number
}

/** One statement cannot change a row twice. */
function saidRows(said: readonly Said[]): Buffer[] {
  const merged = new Map<string, Merged>()
  for (const { batch, description, subject, at } of said) {
    const isShared = batch.defineReach === 'any' ? 1 : 0
    const one = { subject: dictionaryId(subject), owner: batch.owner, text: description.text, isShared, at }
    const name = `${one.subject} ${one.owner} ${one.text}`
    const before = merged.get(name)
    merged.set(name, before === undefined ? one : { ...one, ...widest(before, one) })
  }
  const rows = [...merged.values()]
  return [
    int4Array(rows.map(({ subject }) => subject)),
    int4Array(rows.map(({ owner }) => owner)),
    int4Array(rows.map(({ isShared }) => isShared)),
    int8Array(rows.map(({ at }) => at)),
    byteaArray(rows.map(({ text }) => hash('sha256', text, 'buffer'))),
    textArray(rows.map(({ text }) => text)),
  ]
}

function widest(a: Merged, b: Merged): Pick<Merged, 'isShared' | 'at'> {
  return { isShared: Math.max(a.isShared, b.isShared), at: Math.min(a.at, b.at) }
}
