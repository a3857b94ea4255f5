// The files of one Lrs: statements, documents, and the bytes that both refer to, each once. Up to the mark, part by part.

import type { Core } from '../core/core.ts'
import type { PortableLrs } from '../core/exporting.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import type { Reach } from '../core/rights.ts'
import type { ExportedDocument, ExportedStatement, Json } from '../core/storage.ts'
import { agentOfTerm } from '../core/xapi/agent.ts'
import { formatStored, parseTimestamp } from '../core/xapi/time.ts'
import { csvHeader, csvLine } from './csv.ts'
import type { Place } from './csv.ts'
import type { ExportDirectory, ExportFile } from './directory.ts'
import { blobFile, lrsFile } from './format.ts'
import type { DocumentLine, LrsCounts, StatementLine } from './format.ts'

export interface LrsSettings {
  readonly core: Core
  readonly operator: PlatformOperator
  readonly directory: ExportDirectory
  readonly isGzip: boolean
  readonly withCsv: boolean
  readonly withBom: boolean
  /** Microseconds. */
  readonly since: number
  /** Of the key with an id, for the analysts. */
  nameOfKey(id: number): string | undefined
  pace(): Promise<void>
  onRead(what: 'statements' | 'documents', count: number): void
  warn(text: string): void
}

export async function writeLrs(
  settings: LrsSettings,
  { organisationId, lrs, through }: { organisationId: OrganisationId; lrs: PortableLrs; through: number },
  owners: Owners,
): Promise<LrsCounts> {
  const blobs = new Blobs(settings, lrs.id)
  const files = new Files(settings)
  try {
    const { statements, voided } = await writeStatements(
      settings,
      { lrsId: lrs.id, organisationId, through },
      { owners, blobs, files },
    )
    const documents = await writeDocuments(settings, lrs.id, { owners, blobs, files })
    await files.close()
    return {
      ...{ id: lrs.id, organisationId, name: lrs.name, through, throughTime: formatStored(through) },
      ...{ statements, voided, documents },
      ...{ blobs: blobs.count, blobBytes: blobs.bytes, lostBlobs: blobs.lost },
    }
  } catch (error) {
    await files.abandon()
    throw error
  }
}

interface Into {
  readonly owners: Owners
  readonly blobs: Blobs
  readonly files: Files
}

async function writeStatements(
  settings: LrsSettings,
  { through, ...place }: Place & { readonly through: number },
  { owners, blobs, files }: Into,
): Promise<{ readonly statements: number; readonly voided: number }> {
  const { core, operator, isGzip, withCsv, withBom, since, pace } = settings
  const { lrsId } = place
  const lines = await files.create(lrsFile(lrsId, 'statements.jsonl', isGzip))
  const table = withCsv ? await files.create(lrsFile(lrsId, 'statements.csv', isGzip)) : undefined
  await table?.write(csvHeader({ withBom }))
  let [statements, voided] = [0, 0]
  for await (const rows of core.exports.statements(operator, lrsId, { after: since, through })) {
    for (const row of rows) {
      await owners.see(settings, lrsId, row)
      if (row.isVoided) voided++
      for (const { sha2 } of row.attachments) await blobs.take(sha2)
      await lines.write(statementLine(row))
      await table?.write(csvLine(row, settings.nameOfKey(row.owner), place))
      await pace()
    }
    statements += rows.length
    settings.onRead('statements', rows.length)
  }
  return { statements, voided }
}

/** Looked at for each owner, until one tells. */
const mostAsked = 20

/** Whose statements and documents the Lrs of an organisation hold, and for whom counts what those say of activities. */
export class Owners {
  readonly ids = new Set<number>()
  readonly describing = new Map<number, Reach>()
  readonly #asked = new Map<number, number>()

  async see({ core, operator }: LrsSettings, lrsId: LrsId, row: ExportedStatement): Promise<void> {
    const { owner, body } = row
    this.ids.add(owner)
    const asked = this.#asked.get(owner) ?? 0
    if (this.describing.has(owner) || asked >= mostAsked || !body.includes('"definition"')) return
    this.#asked.set(owner, asked + 1)
    const reach = await core.exports.describes(operator, lrsId, row)
    if (reach !== undefined) this.describing.set(owner, reach)
  }
}

/** The statement last, as the text that is stored. */
function statementLine({ seq, owner, isVoided, voidReach, attachments, body }: ExportedStatement): string {
  const [, stored = ''] = /"stored":"([^"\\]{1,64})"\}$/.exec(body.slice(-100)) ?? []
  const beside: Omit<StatementLine, 'statement'> = {
    owner,
    ...(parseTimestamp(stored) !== seq && { at: seq }),
    ...(isVoided && { voided: true }),
    ...(voidReach !== undefined && { voidReach }),
    ...(attachments.length > 0 && { claims: attachments }),
  }
  return `${JSON.stringify(beside).slice(0, -1)},"statement":${body}}\n`
}

async function writeDocuments(settings: LrsSettings, lrsId: LrsId, { owners, blobs, files }: Into): Promise<number> {
  const { core, operator, isGzip, since, pace } = settings
  const lines = await files.create(lrsFile(lrsId, 'documents.jsonl', isGzip))
  let count = 0
  for await (const documents of core.exports.documents(operator, lrsId)) {
    for (const document of documents) {
      if (document.updatedAt <= since) continue
      owners.ids.add(document.owner)
      const { content } = document
      if (content.kind === 'blob') await blobs.take(content.sha2)
      await lines.write(`${JSON.stringify(documentLine(document))}\n`)
      count++
      await pace()
    }
    settings.onRead('documents', documents.length)
  }
  return count
}

function documentLine({ key, owner, content, contentType, etag, updatedAt }: ExportedDocument): DocumentLine {
  const { kind, id } = key
  return {
    kind,
    ...(key.kind !== 'agent-profile' && { activityId: key.activityId }),
    ...(key.kind !== 'activity-profile' && { agent: agentOfTerm(key.agent) as Json }),
    ...(key.kind === 'state' && key.registration !== undefined && { registration: key.registration }),
    ...{ id, owner, contentType, etag, updatedAt, updated: formatStored(updatedAt) },
    ...(content.kind === 'blob' ? { length: content.length, sha2: content.sha2 } : inline(content.bytes)),
  }
}

/** As text where it is any: what reads it back has the same bytes. */
function inline(content: Uint8Array): Pick<DocumentLine, 'length' | 'text' | 'base64'> {
  const bytes = Buffer.from(content)
  const text = bytes.toString()
  const isText = Buffer.from(text).equals(bytes)
  return { length: bytes.length, ...(isText ? { text } : { base64: bytes.toString('base64') }) }
}

/** The bytes of an Lrs, each file once. */
class Blobs {
  count = 0
  bytes = 0
  lost = 0
  readonly #settings: LrsSettings
  readonly #lrsId: LrsId

  constructor(settings: LrsSettings, lrsId: LrsId) {
    this.#settings = settings
    this.#lrsId = lrsId
  }

  async take(sha2: string): Promise<void> {
    const { core, operator, directory, pace } = this.#settings
    const name = blobFile(this.#lrsId, sha2)
    if (await directory.has(name)) return
    let found: Awaited<ReturnType<typeof core.exports.openBlob>>
    try {
      found = await core.exports.openBlob(operator, this.#lrsId, sha2)
    } catch (error) {
      this.#lose(sha2, error)
      return
    }
    // What refers to it is gone as well by now.
    if (found === undefined) return
    const file = await directory.create(name)
    try {
      for await (const piece of found.bytes) {
        await file.write(piece)
        await pace()
      }
      await file.close()
    } catch (error) {
      found.cancel()
      await file.abandon()
      throw error
    }
    this.count++
    this.bytes += found.length
  }

  /** Damage that was there before: everything else is taken along all the same. */
  #lose(sha2: string, error: unknown): void {
    const { code } = error as { readonly code?: unknown }
    if (code !== 'internal') throw error
    this.lost++
    this.#settings.warn(`Lrs ${this.#lrsId} refers to ${sha2}, and its bytes are lost: claviger doctor says more.`)
  }
}

/** Closed together, whatever happens. */
class Files {
  readonly #settings: LrsSettings
  readonly #open: ExportFile[] = []

  constructor(settings: LrsSettings) {
    this.#settings = settings
  }

  async create(name: string): Promise<ExportFile> {
    const file = await this.#settings.directory.create(name)
    this.#open.push(file)
    return file
  }

  async close(): Promise<void> {
    for (const file of this.#open) await file.close()
  }

  async abandon(): Promise<void> {
    for (const file of this.#open) await file.abandon()
  }
}
