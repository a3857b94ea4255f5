// The statements of an SQL LRS, in the order in which it stored them, with the bytes that came with them. What was voided there is
// voided here, and nothing else is.

import { isDomainError, DomainError } from '../../core/errors.ts'
import { listAttachments } from '../../core/xapi/attachment.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import type { AttachmentSource } from '../statement-parts.ts'
import { voidedBy } from '../voiding.ts'
import type { ImportWork } from '../work.ts'
import { partOf } from './position.ts'
import type { Reading, Saved } from './position.ts'
import { beginning } from './source.ts'
import type { LrsqlSource, SourceAttachment, SourceStatement } from './source.ts'

/** Between two checkpoints: so much is read again at most. Before each the store runs dry. */
const checkpointEvery = 50_000

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

interface Read {
  readonly row: SourceStatement
  readonly number: number
  /** Undefined where it is no JSON object. */
  readonly statement: Statement | undefined
  readonly id: string
}

/** Where the documents begin. */
export async function importStatements(work: ImportWork, reading: Reading, from: Saved): Promise<Saved> {
  const { source } = reading
  let saved = from
  let checkpointAt = from.statements + checkpointEvery
  for (let rows = await source.statements(saved.after); rows.length > 0; rows = await source.statements(saved.after)) {
    await addPart(work, reading, await readPart(work, rows, saved.statements))
    saved = { ...saved, statements: saved.statements + rows.length, after: rows.at(-1)?.position ?? saved.after }
    work.show({ title: 'statements', done: saved.statements, ...partOf(reading, saved) })
    if (saved.statements < checkpointAt) continue
    await work.checkpoint(saved)
    checkpointAt = saved.statements + checkpointEvery
  }
  const done: Saved = { ...saved, phase: 'documents', after: beginning }
  await work.checkpoint(done)
  return done
}

async function readPart(work: ImportWork, rows: readonly SourceStatement[], before: number): Promise<readonly Read[]> {
  const read: Read[] = []
  for (const [index, row] of rows.entries()) {
    await work.pace()
    const statement = objectIn(row.text)
    read.push({ row, number: before + index + 1, statement, id: String(statement?.['id']).toLowerCase() })
  }
  return read
}

async function addPart(work: ImportWork, { source, to, owners }: Reading, read: readonly Read[]): Promise<void> {
  const targets = read.flatMap(({ statement }) => (statement && voidedBy(statement)) ?? [])
  const standing = await source.standing(targets)
  const withData = read.filter(({ statement }) => statement !== undefined && listAttachments(statement).length > 0)
  const attachments = await source.attachmentsOf(withData.map(({ id }) => id).filter((id) => uuid.test(id)))
  for (const { row, number, statement, id } of read) {
    await work.pace()
    const place = { file: 'xapi_statement', line: number, id, record: () => statement ?? row.text }
    if (statement === undefined) {
      work.reject('statements', { ...place, id: row.position }, 'This is no JSON object.')
      continue
    }
    const { id: owner, authority, defineReach } = await owners.of(statement)
    const target = voidedBy(statement)
    // It takes effect on what comes later, too, but not on what stands there in spite of it.
    const voidReach = target === undefined || standing.has(target) ? undefined : 'any'
    const own = attachments.filter(({ statementId }) => statementId === id)
    await work.statements.add(to, {
      ...{ statement, number, place, owner, authority, defineReach, voidReach },
      ...{ isVoided: row.isVoided, attachments: attachmentsOf(source, statement, own) },
    })
  }
}

/** Those that the statement describes, each once; nobody could ask for another. */
function attachmentsOf(
  source: LrsqlSource,
  statement: Statement,
  rows: readonly SourceAttachment[],
): readonly AttachmentSource[] {
  if (rows.length === 0) return []
  const bySha2 = new Map(rows.map((row) => [row.sha2, row]))
  const described = new Map(listAttachments(statement).map(({ sha2, contentType }) => [sha2, contentType]))
  return [...described].flatMap(([sha2, contentType]) => {
    const row = bySha2.get(sha2)
    return row === undefined ? [] : [{ sha2, contentType, open: () => contentOf(source, row) }]
  })
}

async function* contentOf(source: LrsqlSource, row: SourceAttachment): AsyncGenerator<Uint8Array> {
  try {
    yield await source.contentOf(row)
  } catch (error) {
    // Of the database: nothing is wrong with the attachment.
    if (isDomainError(error)) throw error
    throw new DomainError('unavailable', 'The database does not answer any more.', { cause: error })
  }
}

function objectIn(text: string): Statement | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
