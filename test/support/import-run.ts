// Runs an importer on a core of a test: its report, and what was rejected.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Core } from '../../src/core/core.ts'
import { runImport } from '../../src/importing/import.ts'
import type { Importer, ImportReport, ImportStage } from '../../src/importing/import.ts'

export interface Ran {
  readonly report: ImportReport
  readonly rejected: readonly Rejected[]
  /** The file, as it is. */
  readonly text: string
}

export interface RunOptions {
  readonly isDryRun?: boolean
  readonly signal?: AbortSignal
  /** Another file than every run of the import has. */
  readonly rejects?: string
  onStage?(stage: ImportStage): void
}

const directory = mkdtempSync(join(tmpdir(), 'claviger-import-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

/** A line of the rejects. */
export interface Rejected {
  readonly kind: string
  readonly file: string
  readonly line: number
  readonly id?: string
  readonly reason: string
  readonly record: unknown
}

export async function runOn(
  core: Core,
  importer: Importer | Promise<Importer>,
  options: RunOptions = {},
): Promise<Ran> {
  let path = ''
  const report = await runImport(await importer, {
    ...{ core, operator: { operator: 'test' }, isDryRun: options.isDryRun === true },
    signal: options.signal ?? new AbortController().signal,
    // Who goes on with an import goes on with its file.
    rejectsPath: (id) => (path = join(directory, options.rejects ?? id)),
    onStage: (stage) => options.onStage?.(stage),
  })
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const lines = text.split('\n').filter((line) => line !== '')
  return { report, text, rejected: lines.map((line) => JSON.parse(line) as Rejected) }
}
