// Lists in files, CSV or JSON, as people and spreadsheets write them: read row by row within bounds, and written for nobody
// else's eyes. Knows nothing of what the columns mean.

import { createReadStream } from 'node:fs'
import { open, readFile, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify/sync'
import { nextSlice } from '../core/slices.ts'
import { UsageError } from './outcome.ts'

export interface Row {
  /** As who looks at the file counts: the line of a CSV file, the place in a JSON array from 1. */
  readonly number: number
  /** In a message: `row 3`, or `item 3` of a JSON array. */
  readonly called: string
  readonly cells: Readonly<Record<string, unknown>>
}

export interface RowBounds {
  /** The option or argument that named the file. */
  readonly what: string
  readonly most: number
}

const mostBytes = { csv: 64 * 1024 * 1024, json: 8 * 1024 * 1024 }
const longestRecord = 256 * 1024

/** The rows of a `.csv` or `.json` file; cells of a CSV file are text. Throws `UsageError` for what cannot be read. */
export async function readRows(
  file: string,
  directory: string | undefined,
  bounds: RowBounds,
): Promise<readonly Row[]> {
  const path = resolve(directory ?? '.', file)
  const isJson = extname(path).toLowerCase() === '.json'
  try {
    const { size } = await stat(path)
    const most = isJson ? mostBytes.json : mostBytes.csv
    if (size > most) throw new UsageError(`${bounds.what} ${file}: it has ${size} bytes, at most ${most} are read`)
    return await (isJson ? readJson(path, bounds) : readCsv(path, bounds))
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${bounds.what} ${file}: ${(error as Error).message}`)
  }
}

async function readJson(path: string, bounds: RowBounds): Promise<readonly Row[]> {
  const value: unknown = JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''))
  if (!Array.isArray(value)) throw new UsageError(`${bounds.what}: the file holds no JSON array of objects`)
  demandFew(value.length, bounds)
  return value.map((cells: unknown, at) => {
    if (typeof cells === 'object' && cells !== null && !Array.isArray(cells)) {
      return { number: at + 1, called: `item ${at + 1}`, cells: cells as Record<string, unknown> }
    }
    throw new UsageError(`${bounds.what}: item ${at + 1} is no object`)
  })
}

async function readCsv(path: string, bounds: RowBounds): Promise<readonly Row[]> {
  const delimiter = await delimiterOf(path)
  const parser = createReadStream(path).pipe(
    parse({
      ...{ bom: true, delimiter, info: true, skip_empty_lines: true, max_record_size: longestRecord },
      columns: (header: readonly string[]) => columnsOf(header, bounds),
    }),
  )
  const rows: Row[] = []
  for await (const { record, info } of parser as AsyncIterable<{
    readonly record: Record<string, string>
    readonly info: { readonly lines: number }
  }>) {
    const cells = Object.fromEntries(Object.entries(record).map(([name, cell]) => [name, unescaped(cell)]))
    rows.push({ number: info.lines, called: `row ${info.lines}`, cells })
    demandFew(rows.length, bounds)
    if (rows.length % 500 === 0) await nextSlice()
  }
  return rows
}

function columnsOf(header: readonly string[], { what }: RowBounds): string[] {
  const names = header.map((name) => name.trim().toLowerCase())
  const again = names.find((name, at) => names.indexOf(name) < at)
  if (again !== undefined) throw new UsageError(`${what}: the column ${JSON.stringify(again)} is there twice`)
  return names
}

/** Spreadsheets write what their country is used to. */
async function delimiterOf(path: string): Promise<string> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16_384), 0, 16_384, 0)
    const [head = ''] = buffer.toString('utf8', 0, bytesRead).split(/\r?\n/)
    const count = (text: string): number => head.split(text).length
    return [',', ';', '\t'].reduce((best, text) => (count(text) > count(best) ? text : best))
  } finally {
    await handle.close()
  }
}

function demandFew(count: number, { what, most }: RowBounds): void {
  if (count > most) throw new UsageError(`${what}: more than ${most} rows; do it in parts`)
}

/**
 * A spreadsheet takes a cell that begins so for a formula, and names come from strangers: such a cell gets an apostrophe, and one
 * that has apostrophes before such a character one more, so that reading takes away what writing added and nothing else.
 */
const formula = /^'*[=+\-@\t\r]/

function unescaped(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell
}

export function csvOf(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string {
  const written = rows.map((row) => columns.map((name) => cellOf(row[name])))
  return stringify([columns, ...written] as string[][])
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'string' ? value : typeof value === 'object' ? listOf(value) : String(value)
  return formula.test(text) ? `'${text}` : text
}

/** Words with spaces between them, where that is unmistakable; else JSON. */
function listOf(value: object): string {
  const isPlain = Array.isArray(value) && value.length > 0 && value.every((one) => /^[^\s[{"]+$/.test(String(one)))
  return isPlain ? value.join(' ') : JSON.stringify(value)
}

/** A file that only its owner reads, made before the work whose result it is to hold, so that this is not lost for want of it. */
export class PrivateFile {
  readonly path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Throws `UsageError` where there is one already. */
  static async create(file: string, directory: string | undefined, what: string): Promise<PrivateFile> {
    const path = resolve(directory ?? '.', file)
    try {
      return new PrivateFile(path, await open(path, 'wx', 0o600))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new UsageError(`${what} ${file}: ${code === 'EEXIST' ? 'it exists already; name a new file' : message}`)
    }
  }

  /** By its ending: JSON, or CSV of these columns. */
  async write(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const isJson = extname(this.path).toLowerCase() === '.json'
    await this.#handle.writeFile(isJson ? `${JSON.stringify(rows, undefined, 2)}\n` : csvOf(columns, rows))
    await this.#handle.sync()
    await this.#handle.close()
  }

  /** Where there is nothing to write after all. */
  async discard(): Promise<void> {
    await this.#handle.close()
    await rm(this.path, { force: true })
  }
}
