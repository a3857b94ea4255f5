// The reading half of the engine: one connection, calls one after the other, each in a snapshot of its own.

import { DocumentReader } from './document-reader.ts'
import { DomainError } from '../../core/errors.ts'
import { ErasureReader } from '../erasure/reader.ts'
import { ExportReader } from '../exports.ts'
import { StatementReader } from './statement-reader.ts'
import { erasureSql } from './erasure-sql.ts'
import { isErased } from '../erasure/erased-ids.ts'
import { listReferenced } from '../blobs/references.ts'
import { directory, erasures, imports, launches, platform, singleReads } from '../directory/index.ts'
import { toMessage } from './driver-error.ts'
import type { Answer, Call, Engine } from './engine.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Connection } from './connection.ts'
import type { FindRead, PageRead } from './statement-reader.ts'
import type { Db } from '../directory/index.ts'
import type { Sql } from '../erasure/sql.ts'
import type { ExportedStatement, KnownDescription, StoredStatement } from '../../core/storage.ts'

type Operation = (db: Db, ...args: never[]) => Promise<unknown>

const halves = new Map<string, object>(Object.entries({ platform, directory, launches, erasures, imports }))

/** A method of the directory halves by name, own members only. */
export function operationOf(method: string): Operation {
  const [half = '', name = ''] = method.split('.')
  const operations = (halves.get(half) ?? {}) as Readonly<Record<string, unknown>>
  if (!Object.hasOwn(operations, name)) throw new DomainError('internal', `The store has no operation ${method}.`)
  return operations[name] as Operation
}

/** Characters of statements after which answers leave before the next call is read: bounds memory. */
const mostText = 8 * 1024 * 1024

export class Reader implements Engine {
  readonly #connection: Connection
  readonly #statements: StatementReader
  readonly #documents: DocumentReader
  readonly #erasable: ErasureReader
  readonly #erasureSql: Sql
  readonly #exports: ExportReader
  readonly #begin
  readonly #commit

  constructor(connection: Connection) {
    this.#connection = connection
    this.#statements = new StatementReader(connection.handle)
    this.#documents = new DocumentReader(connection.handle)
    this.#erasureSql = erasureSql(connection.handle)
    this.#erasable = new ErasureReader(this.#erasureSql)
    this.#exports = new ExportReader(this.#erasureSql)
    this.#begin = connection.handle.prepare('begin')
    this.#commit = connection.handle.prepare('commit')
  }

  async run(calls: readonly Call[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    let text = 0
    for (const { id, method, args } of calls) {
      try {
        const value = await this.#read(method, args)
        answers.push({ id, value })
        text += textOf(method, value)
      } catch (error) {
        answers.push({ id, error: toMessage(error) })
      }
      if (text > mostText) break
    }
    return answers
  }

  #read(method: string, args: readonly unknown[]): unknown {
    const statements = this.#statements
    const documents = this.#documents
    switch (method) {
      case 'statements.list':
        return statements.list(...(args as Parameters<StatementReader['list']>))
      case 'statements.find':
        return statements.find(...(args as Parameters<StatementReader['find']>))
      case 'statements.follow':
        return statements.follow(...(args as Parameters<StatementReader['follow']>))
      case 'statements.listLatest':
        return statements.listLatest(...(args as Parameters<StatementReader['listLatest']>))
      case 'statements.count':
        return statements.count(...(args as Parameters<StatementReader['count']>))
      case 'statements.listDescriptions':
        return statements.listDescriptions(...(args as Parameters<StatementReader['listDescriptions']>))
      case 'statements.last':
        return statements.last(...(args as Parameters<StatementReader['last']>))
      case 'documents.find':
        return documents.find(...(args as Parameters<DocumentReader['find']>))
      case 'documents.listIds':
        return documents.listIds(...(args as Parameters<DocumentReader['listIds']>))
      case 'documents.latest':
        return documents.latest(...(args as Parameters<DocumentReader['latest']>))
      case 'blobs.listReferenced':
        return listReferenced(this.#connection.handle, ...(args as [LrsId, readonly string[]]))
      case 'erasures.count':
        return this.#erasable.count(...(args as Parameters<ErasureReader['count']>))
      case 'erasures.findAlike':
        return this.#erasable.findAlike(...(args as Parameters<ErasureReader['findAlike']>))
      case 'erasures.isErased':
        return isErased(this.#erasureSql, ...(args as [LrsId, string]))
      case 'exports.listStatements':
        return this.#snapshot(() =>
          this.#exports.listStatements(...(args as Parameters<ExportReader['listStatements']>)),
        )
      case 'exports.listDocuments':
        return this.#snapshot(() => this.#exports.listDocuments(...(args as Parameters<ExportReader['listDocuments']>)))
      default:
        return this.#readDirectory(method, args)
    }
  }

  #readDirectory(method: string, args: readonly unknown[]): Promise<unknown> {
    const read = () => operationOf(method)(this.#connection.kysely, ...(args as never[]))
    return singleReads.has(method) ? read() : this.#snapshot(read)
  }

  async #snapshot<T>(read: () => Promise<T>): Promise<T> {
    this.#begin.run()
    try {
      return await read()
    } finally {
      this.#commit.run()
    }
  }

  tend(): void {}

  close(): void {
    this.#connection.close()
  }
}

function textOf(method: string, value: unknown): number {
  if (method === 'statements.listDescriptions') {
    return (value as readonly KnownDescription[]).reduce((sum, { text }) => sum + text.length, 0)
  }
  if (method === 'statements.find') return (value as FindRead).statement?.body.length ?? 0
  if (method === 'exports.listStatements') return lengthsOf(value as readonly ExportedStatement[])
  if (method === 'exports.listDocuments') {
    const { documents } = value as Awaited<ReturnType<ExportReader['listDocuments']>>
    return documents.reduce((sum, document) => sum + lengthOf(document), 0)
  }
  if (method === 'documents.find') return lengthOf(value as ReturnType<DocumentReader['find']>)
  if (method !== 'statements.list' && method !== 'statements.follow') return 0
  return lengthsOf((value as PageRead).rows)
}

function lengthsOf(rows: readonly StoredStatement[]): number {
  return rows.reduce((sum, { body }) => sum + body.length, 0)
}

function lengthOf(document: ReturnType<DocumentReader['find']>): number {
  return document?.content.kind === 'inline' ? document.content.bytes.byteLength : 0
}
