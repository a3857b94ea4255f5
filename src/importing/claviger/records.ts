// Statements and documents of one Lrs, from the lines of an export into the store. Who may own them is known by then.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid, isDomainError } from '../../core/errors.ts'
import type { DomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import { blobFile, lrsFile } from '../../exporting/format.ts'
import type { DocumentLine, StatementLine } from '../../exporting/format.ts'
import type { AttachmentSource } from '../statement-parts.ts'
import type { Destination } from '../parts.ts'
import type { ImportWork } from '../work.ts'
import { bytesOf, linesOf } from './files.ts'
import type { Line } from './files.ts'
import type { Owners } from './importer.ts'
import { readDocument, readStatement } from './lines.ts'

export interface Records {
  readonly work: ImportWork
  readonly directory: string
  readonly to: Destination
  readonly owners: Owners
  readonly isGzip: boolean
  /** Lines that an earlier run has dealt with. */
  readonly behind: number
  /** As many as there are. */
  readonly expected: number
  save(line: number): Promise<void>
}

/** Lines between two checkpoints. */
const saveEvery = 5_000

export async function importStatements(records: Records): Promise<void> {
  const { work, to, owners } = records
  const read = (line: Line, name: string): StatementLine => {
    const statement = readStatement(line.text, name)
    if (!owners.has(statement.owner)) throw strange(statement.owner)
    return statement
  }
  await eachLine(records, { kind: 'statements', read }, async (found, { number }, name) => {
    const { owner, at, voided = false, voidReach, claims = [], statement } = found
    await work.statements.add(to, {
      ...{ statement, number, owner: owner as CredentialId, isVoided: voided, voidReach },
      // Never needed: what is stored has one.
      authority: { objectType: 'Agent', account: { homePage: work.core.baseUrl, name: String(owner) } },
      ...{ defineReach: owners.get(owner), listedAt: at },
      attachments: await attachmentsOf(records, claims),
      place: { file: name, line: number, id: idOf(statement), record: () => statement },
    })
  })
}

/** What had been lost before it was exported is no claim here. */
async function attachmentsOf(
  { directory, to: { lrsId } }: Records,
  claims: NonNullable<StatementLine['claims']>,
): Promise<readonly AttachmentSource[]> {
  const sources: AttachmentSource[] = []
  for (const { sha2, contentType } of claims) {
    if (!(await isThere(join(directory, blobFile(lrsId, sha2))))) continue
    sources.push({ sha2, contentType, open: () => blobOf(directory, lrsId, sha2) })
  }
  return sources
}

export async function importDocuments(records: Records): Promise<void> {
  const { work, to, owners, directory } = records
  const read = (line: Line, name: string): DocumentLine => {
    const document = readDocument(line.text, name)
    if (document.owner !== 0 && !owners.has(document.owner)) throw strange(document.owner)
    return document
  }
  await eachLine(records, { kind: 'documents', read }, async (found, { number }, name) => {
    const { owner, kind, activityId, agent, registration, id, contentType, etag, updatedAt } = found
    await work.documents.add(to, {
      ...{ kind, id, owner: owner as CredentialId, contentType, etag, updatedAt, number },
      ...(activityId !== undefined && { activityId }),
      ...(agent !== undefined && { agent }),
      ...(registration !== undefined && { registration }),
      content: contentOf(found, directory, to.lrsId),
      place: { file: name, line: number, id, record: () => ({ ...found, text: undefined, base64: undefined }) },
    })
  })
}

function strange(owner: number): DomainError {
  return invalid(`The export has no key ${owner}, to which it should belong.`)
}

function contentOf({ text, base64, sha2 }: DocumentLine, directory: string, lrsId: LrsId) {
  if (sha2 !== undefined) return { open: () => blobOf(directory, lrsId, sha2) }
  return new Uint8Array(base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64'))
}

function blobOf(directory: string, lrsId: LrsId, sha2: string): AsyncIterable<Uint8Array> {
  const name = blobFile(lrsId, sha2)
  return bytesOf(join(directory, name), name)
}

/** A line that is none keeps no other out. */
async function eachLine<Read>(
  { work, directory, to, isGzip, behind, expected, save }: Records,
  { kind, read }: { readonly kind: 'statements' | 'documents'; read(line: Line, name: string): Read },
  add: (found: Read, line: Line, name: string) => Promise<void>,
): Promise<void> {
  const name = lrsFile(to.lrsId, `${kind}.jsonl`, isGzip)
  const show = (done: number): void => {
    work.show({ title: `${kind} of Lrs ${to.lrsId}`, done, part: done / Math.max(1, expected) })
  }
  show(behind)
  for await (const line of linesOf(join(directory, name), name)) {
    await work.pace()
    if (line.number <= behind) continue
    let found: Read | undefined
    try {
      found = read(line, name)
    } catch (error) {
      if (!isDomainError(error)) throw error
      work.reject(kind, { file: name, line: line.number, record: () => line.text.slice(0, 10_000) }, error)
    }
    if (found !== undefined) await add(found, line, name)
    if (line.number % 500 === 0) show(line.number)
    if (line.number % saveEvery === 0) await save(line.number)
  }
}

function idOf(statement: unknown): string | undefined {
  const { id } = (statement ?? {}) as { readonly id?: unknown }
  return typeof id === 'string' ? id : undefined
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
