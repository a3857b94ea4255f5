// Copies a whole store into an empty one: rows in the order of their keys, then blobs, then a comparison of everything. What was
// done stands in the target with the rows themselves, so that a copy goes on wherever it was cut off. Knows no SQL.

import { createHash } from 'node:crypto'
import { compareKeys, Digester, isSameRow, keyFromJson, keyToJson } from './rows.ts'
import type { Digest, Row } from './rows.ts'
import { newStoreId, storeId, takePlace } from '../blobs/owner.ts'
import { copyMark } from './unfinished.ts'
import { tables } from './tables.ts'
import type { Table } from './tables.ts'
import { copyBlobs } from './blobs.ts'
import type { BlobReport } from './blobs.ts'
import { DomainError } from '../../core/errors.ts'
import { readPages } from './pages.ts'
import type { Changes, Side, Snapshot } from './side.ts'
import type { Sealed } from '../../core/storage.ts'

export interface CopyProgress {
  readonly phase: 'rows' | 'blobs' | 'comparing'
  /** The table, where it is about one. */
  readonly table?: string
  readonly done: number
  /** Undefined where nobody has counted. */
  readonly total: number | undefined
}

export interface CopyOptions {
  /** Throws unless the master key given is the one that the source's secrets are sealed with. */
  readonly checkKey: (check: Sealed) => void
  readonly onProgress?: (progress: CopyProgress) => void
  /** Leaves the copy unfinished, so that nobody opens it and a later run brings it up to date. */
  readonly isAhead?: boolean
  /** Somebody else copies them. */
  readonly withoutBlobs?: boolean
}

export interface TableReport extends Digest {
  readonly table: string
  /** The target's, where they differ. */
  readonly differs?: Digest
}

export interface CopyReport {
  readonly isFinished: boolean
  /** Whether it went on with what an earlier run had left. */
  readonly isResumed: boolean
  readonly tables: readonly TableReport[]
  readonly blobs: BlobReport
  /** The files stayed where they are, and are the target's from now on: the source can no more be served from. */
  readonly tookOver: boolean
}

/** How far a copy into a store is; as JSON its `copy` value. */
interface Mark {
  /** Tells the source from every other store. */
  readonly source: string
  /** The table that is being copied; null: all are. */
  readonly table: string | null
  /** The key of the last row copied of it. */
  readonly after?: readonly string[]
}

/** The copy's way of holding a conversation with both sides. */
interface Work {
  readonly from: Snapshot
  readonly to: Side
  readonly options: CopyOptions
}

const keyCheck = 'key-check'
const noBlobs: BlobReport = { blobs: 0, bytes: 0, lost: [], missing: [] }

/** A store is no copy of itself. */
export function sameStore(): DomainError {
  return new DomainError('invalid', 'What is copied from and what is copied to are both the same store.')
}

export async function copyStore(source: Side, target: Side, options: CopyOptions): Promise<CopyReport> {
  if (source.identity === target.identity) throw sameStore()
  return source.read(async (from) => {
    const fingerprint = await checkSource(source, from, options)
    const work: Work = { from, to: target, options }
    const owner = options.withoutBlobs ? undefined : await checkPlace(source, target, from)
    const { mark, isResumed } = await begin(target, fingerprint)
    const id = await target.read((to) => to.findValue(storeId))
    if (id === undefined) throw notAlone(target)
    // Before the first file comes there.
    if (!options.withoutBlobs && owner === 'nobody') await takePlace(target.blobs, { id, name: target.name })
    await copyTables(work, mark)
    // What a table that comes later had to be there for.
    await reconcile(
      work,
      tables.filter(({ late }) => late !== undefined),
    )
    let compared = await compareTables(work)
    const differing = compared.filter(({ differs }) => differs !== undefined).map(({ table }) => table)
    if (isResumed && differing.length > 0) {
      // The source went on since the earlier run.
      await reconcile(
        work,
        tables.filter(({ name }) => differing.includes(name)),
      )
      compared = await compareTables(work)
    }
    refuseDifferences(compared)
    const blobs = options.withoutBlobs ? noBlobs : await copyBlobs(source, target, from, options)
    const isFinished = options.isAhead !== true
    const tookOver = isFinished && owner === 'source'
    // First: cut off in between, the same copy goes on, and until it has come to its end neither store is served from.
    if (tookOver) await passPlace(target, id)
    await finish(work, { isAhead: !isFinished })
    return { isFinished, isResumed, tables: compared, blobs, tookOver }
  })
}

/** Compares two stores and changes neither. */
export async function compareStores(source: Side, target: Side, options: CopyOptions): Promise<CopyReport> {
  if (source.identity === target.identity) throw sameStore()
  return source.read(async (from) => {
    const fingerprint = await checkSource(source, from, options)
    return target.read(async (to) => {
      const check = await to.findValue(keyCheck)
      if (check === undefined || fingerprintOf(check) !== fingerprint) {
        throw new DomainError('conflict', `${target.name} is no copy of ${source.name}: its check value is another.`)
      }
      const compared = await compareSnapshots(from, to, options)
      const blobs = await copyBlobs(source, target, from, { ...options, isDry: true })
      const isFinished = (await to.findValue(copyMark)) === undefined
      return { isFinished, isResumed: false, tables: compared, blobs, tookOver: false }
    })
  })
}

/** What says which master key a store is sealed with; undefined where there is nothing. */
export function findKeyCheck(side: Side): Promise<Sealed | undefined> {
  return side.read((snapshot) => snapshot.findValue(keyCheck))
}

async function checkSource(source: Side, from: Snapshot, { checkKey }: CopyOptions): Promise<string> {
  if ((await from.findValue(copyMark)) !== undefined) {
    throw new DomainError('conflict', `${source.name} is itself an unfinished copy: finish that first.`)
  }
  const check = await from.findValue(keyCheck)
  if (check === undefined) throw new DomainError('not_found', `There is nothing in ${source.name} to copy.`)
  checkKey(check)
  return fingerprintOf(check)
}

/** The check value is random, made once, and every copy has it. */
function fingerprintOf(check: string): string {
  return createHash('sha256').update(check).digest('hex')
}

// ---------------------------------------------------------------------------------------------------------------------
// Where it stands

/** Refuses, with nothing written, a store that is neither empty nor the same copy. */
async function begin(target: Side, source: string): Promise<{ readonly mark: Mark; readonly isResumed: boolean }> {
  const first: Mark = { source, table: tables[0]?.name ?? null }
  let found: Mark | undefined
  await target.change(async (changes) => {
    found = await findMark(changes)
    if (found?.source === source) return
    if (found !== undefined) {
      throw new DomainError(
        'conflict',
        `${target.name} is an unfinished copy of another store, or of this one before its master key was rotated: copy into an empty one.`,
      )
    }
    const filled = await changes.listFilled()
    if (filled.length > 0) {
      throw new DomainError('conflict', `${target.name} is not empty (${filled.join(', ')}): nothing was changed.`)
    }
    await changes.setValue(copyMark, JSON.stringify(first))
    if ((await changes.findValue(storeId)) === undefined) await changes.setValue(storeId, newStoreId())
  })
  return { mark: found ?? first, isResumed: found !== undefined }
}

async function findMark(changes: Pick<Snapshot, 'findValue'>): Promise<Mark | undefined> {
  const text = await changes.findValue(copyMark)
  return text === undefined ? undefined : (JSON.parse(text) as Mark)
}

/** Moves the mark together with the rows; whoever finds it elsewhere is not alone. */
async function advance(
  { to }: Work,
  [before, after]: readonly [Mark, Mark],
  change: (changes: Changes) => Promise<void>,
): Promise<void> {
  await to.change(async (changes) => {
    if ((await changes.findValue(copyMark)) !== JSON.stringify(before)) throw notAlone(to)
    await change(changes)
    await changes.setValue(copyMark, JSON.stringify(after))
  })
}

function notAlone(to: Side): DomainError {
  return new DomainError('conflict', `Another process is copying into ${to.name}: this one has stopped.`)
}

async function finish({ from, to }: Work, { isAhead }: { readonly isAhead: boolean }): Promise<void> {
  // A server that runs may have announced any time up to now without writing it down.
  const announced = Math.max(await from.announcedTime(), Date.now() * 1000)
  const last = new Map<Table, number>()
  for (const table of tables) if (table.identity !== undefined) last.set(table, await from.lastIdentity(table))
  await to.change(async (changes) => {
    if ((await changes.findValue(copyMark)) === undefined) throw notAlone(to)
    for (const [table, number] of last) await changes.raiseIdentity(table, number)
    await changes.derive()
    await changes.raiseAnnouncedTime(announced)
    if (!isAhead) await changes.setValue(copyMark, undefined)
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// Whose the files are

/** Whose the target's place is, before the copy. Refuses, with nothing written, one that is neither's. */
async function checkPlace(source: Side, target: Side, from: Snapshot): Promise<'target' | 'source' | 'nobody'> {
  const { blobs } = target
  const [owner, sourceId, id] = await Promise.all([
    blobs.findOwner(),
    from.findValue(storeId),
    target.read((to) => to.findValue(storeId)),
  ])
  if (owner === undefined) {
    // Files of a version before there were markers; or nobody's.
    if (source.blobs === blobs || source.blobs.name === blobs.name) return 'source'
    if (await blobs.isEmpty()) return 'nobody'
  } else if (owner === id) return 'target'
  else if (owner === sourceId) return 'source'
  const files = 'attachments and long documents of another store, which the copy would remove as left over'
  const instead = 'say with --to-blobs where those of the copy go, or give other CLAVIGER_DATA or CLAVIGER_S3_PREFIX'
  throw new DomainError('conflict', `${blobs.name} has ${files}: ${instead}. Nothing was changed.`)
}

async function passPlace({ blobs, name }: Side, id: string): Promise<void> {
  const before = await blobs.findOwner()
  if (before === undefined) await takePlace(blobs, { id, name })
  else if (before !== id) await blobs.setOwner(id, before)
}

// ---------------------------------------------------------------------------------------------------------------------
// Rows

async function copyTables(work: Work, mark: Mark): Promise<void> {
  let present = mark
  for (const [index, table] of tables.entries()) {
    if (present.table !== table.name) continue
    present = await copyTable(work, table, present)
    const next: Mark = { source: mark.source, table: tables[index + 1]?.name ?? null }
    await advance(work, [present, next], async () => {})
    present = next
  }
}

async function copyTable(work: Work, table: Table, mark: Mark): Promise<Mark> {
  const { from, options } = work
  const total = await from.countRows(table)
  let present = mark
  let done = 0
  const after = mark.after === undefined ? undefined : keyFromJson(table, mark.after)
  for await (const rows of readPages(from, table, after)) {
    const last = rows.at(-1)
    if (last === undefined) break
    const next: Mark = { source: mark.source, table: table.name, after: keyToJson(table, last) }
    await advance(work, [present, next], (changes) =>
      explained(table, () => changes.insert(table, withoutLate(table, rows))),
    )
    present = next
    done += rows.length
    options.onProgress?.({ phase: 'rows', table: table.name, done: Math.min(done, total), total })
  }
  return present
}

function withoutLate({ late = [] }: Table, rows: readonly Row[]): readonly Row[] {
  if (late.length === 0) return rows
  const empty = Object.fromEntries(late.map((column) => [column, null]))
  return rows.map((row) => ({ ...row, ...empty }))
}

async function explained<T>(table: Table, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DomainError && error.code === 'unavailable') throw error
    const root = error instanceof DomainError ? (error.cause ?? error) : error
    const words = root instanceof Error ? root.message : String(root)
    throw new DomainError('internal', `A row of ${table.name} cannot be stored there: ${words}`, { cause: error })
  }
}

/** Makes the target's tables what the source's are: what is not there goes first, for the new may need its place. */
async function reconcile(work: Work, some: readonly Table[]): Promise<void> {
  for (const table of some.toReversed()) {
    await changeByParts(work, listDifferences(work, table, 'extra'), (changes, rows) => changes.remove(table, rows))
  }
  for (const table of some) {
    await changeByParts(work, listDifferences(work, table, 'missing'), (changes, rows) =>
      explained(table, () => changes.put(table, rows)),
    )
  }
}

const mostChanged = 500

async function changeByParts(
  { to }: Work,
  rows: AsyncIterable<Row>,
  change: (changes: Changes, rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  let part: Row[] = []
  const flush = async (): Promise<void> => {
    const present = part
    part = []
    if (present.length === 0) return
    await to.change(async (changes) => {
      // Somebody else may have finished it, and others be at work there.
      if ((await changes.findValue(copyMark)) === undefined) throw notAlone(to)
      await change(changes, present)
    })
  }
  for await (const row of rows) {
    part.push(row)
    if (part.length >= mostChanged) await flush()
  }
  await flush()
}

/** `extra`: rows whose keys only the target has. `missing`: the source's, where the target has none like it. */
async function* listDifferences({ from, to }: Work, table: Table, kind: 'extra' | 'missing'): AsyncGenerator<Row> {
  const there = readOneByOne(to, table)
  let other = await there.next()
  for await (const rows of readPages(from, table)) {
    for (const row of rows) {
      while (!other.done && compareKeys(table, other.value, row) < 0) {
        if (kind === 'extra') yield other.value
        other = await there.next()
      }
      const isThere = !other.done && compareKeys(table, other.value, row) === 0
      if (kind === 'missing' && (other.done || !isThere || !isSameRow(table, other.value, row))) yield row
      if (isThere) other = await there.next()
    }
  }
  for (; !other.done; other = await there.next()) if (kind === 'extra') yield other.value
}

/** A page at a time and each of its own moment: what changes meanwhile lies behind. */
async function* readOneByOne(side: Side, table: Table): AsyncGenerator<Row, undefined> {
  const pages: Pick<Snapshot, 'listRows'> = {
    listRows: (...args) => side.read((snapshot) => snapshot.listRows(...args)),
  }
  for await (const rows of readPages(pages, table)) yield* rows
  return undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Comparing

function compareTables({ from, to, options }: Work): Promise<readonly TableReport[]> {
  return to.read((there) => compareSnapshots(from, there, options))
}

async function compareSnapshots(
  from: Snapshot,
  to: Snapshot,
  { onProgress }: CopyOptions,
): Promise<readonly TableReport[]> {
  const reports: TableReport[] = []
  for (const table of tables) {
    const total = await from.countRows(table)
    const onRows = (done: number): void =>
      onProgress?.({ phase: 'comparing', table: table.name, done: Math.min(done, total), total })
    const [one, other] = await Promise.all([digestOf(from, table, onRows), digestOf(to, table)])
    const isSame = one.rows === other.rows && one.checksum === other.checksum
    reports.push({ table: table.name, ...one, ...(!isSame && { differs: other }) })
  }
  return reports
}

async function digestOf(snapshot: Snapshot, table: Table, onRows?: (done: number) => void): Promise<Digest> {
  const digester = new Digester(table)
  let done = 0
  for await (const rows of readPages(snapshot, table)) {
    digester.add(rows)
    done += rows.length
    onRows?.(done)
  }
  return digester.end()
}

/** What all tables of a store come to. */
export async function digestsOf(
  snapshot: Snapshot,
  onProgress: CopyOptions['onProgress'] = () => {},
): Promise<readonly TableReport[]> {
  const reports: TableReport[] = []
  for (const table of tables) {
    const { name } = table
    const total = await snapshot.countRows(table)
    const onRows = (done: number): void => onProgress({ phase: 'comparing', table: name, done, total })
    reports.push({ table: name, ...(await digestOf(snapshot, table, onRows)) })
  }
  return reports
}

function refuseDifferences(compared: readonly TableReport[]): void {
  const differing = compared.filter(({ differs }) => differs !== undefined)
  if (differing.length === 0) return
  const words = differing.map(({ table, rows, differs }) => `${table} (${rows} rows, ${differs?.rows} there)`)
  throw new DomainError(
    'internal',
    `The copy is not like the source in ${words.join(', ')}. It stays unfinished; the same command compares and mends it.`,
  )
}
