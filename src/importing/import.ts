// What an importer is, and how one is run: begun or gone on with, shown, stopped, ended with a report. Knows no product, no file
// format, and not where it runs.
//
// How to write one (src/importing/<vendor>/):
// 1. An `Importer` names its `source` (what is read, without secrets: the same source goes on where it stopped) and `run`s.
// 2. `run` numbers what it reads, 1, 2, 3 …, in an order that is the same each time, and hands it on: `work.statements.add`,
//    `work.documents.add`. Those check it, gather it by Lrs, and store it in parts, each in one transaction with how far the import
//    is in that Lrs. `add` waits where storing is slower than reading. What the rules or the store refuse, they count and write to the
//    rejects file themselves.
// 3. What else is read is counted by hand, each thing once: `work.tally.count('clients', 'stored')` or `'there'`, or
//    `work.reject('clients', …)`: so the report reconciles. An interruption must not make `there` of what was `stored`: what is not there is
//    announced before it is stored (`work.announce`). `work.touch` names each Lrs the import is about, for the totals at its end.
// 4. Every few thousand things, and at the end of each kind, `await work.checkpoint(saved)`: everything handed on is stored then, and
//    `saved` (JSON of the importer's own: which file, which number, a cursor) is what `work.saved` is after an interruption. From
//    there the importer begins again, with the same numbers; what was stored behind it is neither stored nor counted twice.
// 5. In every loop: `await work.pace()`. It lets requests be answered, and throws where the import is to stop (the command's client is
//    gone, Ctrl-C, the server stops). Nobody catches that. A wait of its own (HTTP) takes `work.signal`.
// 6. `work.isDryRun`: it reads and checks all the same; `add`, `reject` and `checkpoint` know that nothing is stored. What an importer
//    stores by itself (organisations, Lrs, keys) it leaves out then, and counts as `checked`.
// The command is thin: `src/cli/commands/import-run.ts` says how.

import { setFlagsFromString } from 'node:v8'
import type { Core } from '../core/core.ts'
import { DomainError } from '../core/errors.ts'
import type { LrsId, Oid, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import type { ImportRecord, Json } from '../core/storage.ts'
import { Rejects } from './rejects.ts'
import type { KindCounts } from './tally.ts'
import type { Kind } from './tally.ts'
import { ImportWork } from './work.ts'

export interface Importer {
  /** What is imported, to find the unfinished import of it again; at most 500 characters, no secret. */
  readonly source: string
  run(work: ImportWork): Promise<void>
}

/** How far it is, for whoever watches. */
export interface ImportStage {
  /** `statements`, `clients of client.json`. */
  readonly title: string
  /** Things read. */
  readonly done: number
  /** How much of it all that is, from 0 to 1; undefined where nobody knows. */
  readonly part?: number
}

export interface ImportSettings {
  readonly core: Core
  readonly operator: PlatformOperator
  readonly isDryRun: boolean
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal
  /** Where what is rejected is written, by the id of the import. Made with the first line. */
  rejectsPath(id: string): string
  onStage(stage: ImportStage): void
}

export interface ImportReport {
  readonly id: string
  readonly source: string
  readonly isDryRun: boolean
  /** An earlier run was interrupted, and this one went on. */
  readonly isResumed: boolean
  /** False: it was stopped, and goes on with the same command. */
  readonly isFinished: boolean
  readonly kinds: Readonly<Partial<Record<Kind, KindCounts>>>
  /** Organisations that were here before it. */
  readonly existing: readonly ExistingOrganisation[]
  /** The Lrs written to, and what they hold now. */
  readonly lrs: readonly LrsTotal[]
  readonly warnings: readonly string[]
  /** The file; undefined where nothing was rejected. */
  readonly rejects: string | undefined
  /** Of this run. */
  readonly seconds: number
}

export interface ExistingOrganisation {
  readonly organisationId: OrganisationId
  readonly oid: Oid
  readonly name: string
  /** That came into it; of a dry run, that would. */
  readonly keys: number
}

export interface LrsTotal {
  readonly organisationId: OrganisationId
  /** Of the organisation; reports of before have none. */
  readonly name?: string
  readonly lrsId: LrsId
  readonly statements: number
}

/** Throws what the importer throws, but for a stop, which is reported. What was stored stays, whatever happens. */
export async function runImport(importer: Importer, settings: ImportSettings): Promise<ImportReport> {
  const { core, operator, isDryRun } = settings
  if (isDryRun) {
    return inLittleMemory(() => attempt(importer, settings, { record: dryRun(importer), isResumed: false }))
  }
  const begun = core.clock.now()
  const known = await core.imports.begin(operator, importer.source, null)
  return alone(settings, known, async (signal) => {
    // Whoever had it until now has gone on since.
    const record = await core.imports.get(operator, known.id)
    if (record.finishedAt !== null) {
      const message = `Another command ended this import meanwhile: claviger import report ${record.id}.`
      throw new DomainError('conflict', message)
    }
    const isResumed = record.startedAt < begun || record.lrs.length > 0 || record.progress !== null
    return inLittleMemory(() => attempt(importer, { ...settings, signal }, { record, isResumed }))
  })
}

/** Ends one that is not finished as it is: what it stored stays, and its Lrs are as any other then. */
export async function abandonImport(
  { core, operator }: Pick<ImportSettings, 'core' | 'operator'>,
  id: Oid,
): Promise<void> {
  const record = await core.imports.get(operator, id)
  if (record.finishedAt !== null) throw new DomainError('conflict', `Import ${id} is finished.`)
  const held = await core.leases.hold(`import ${id}`, async () => {
    const { source, lrs } = record
    const report = { id, source, isAbandoned: true, stored: lrs.map(({ lrsId, counts }) => ({ lrsId, ...counts })) }
    await core.imports.finish(operator, id, { report: JSON.parse(JSON.stringify(report)) as Json, into: [] })
  })
  if (held === undefined) throw new DomainError('conflict', `Import ${id} is under way: stop it first.`)
}

let running = 0

/**
 * Reading and storing as fast as possible leaves so much behind that V8 would let the process grow by hundreds of megabytes before it
 * cleans up; this way it grows by tens, and collects more often. All threads share the flag.
 */
async function inLittleMemory<T>(work: () => Promise<T>): Promise<T> {
  if (running++ === 0) setFlagsFromString('--heap-growing-percent=25')
  try {
    return await work()
  } finally {
    // 0: as V8 thinks best.
    if (--running === 0) setFlagsFromString('--heap-growing-percent=0')
  }
}

/** One at a time: a lease, for nodes may share the store. One that was killed a moment ago still has it. */
async function alone(
  { core, signal, onStage }: ImportSettings,
  { id, source }: ImportRecord,
  work: (signal: AbortSignal) => Promise<ImportReport>,
): Promise<ImportReport> {
  const until = performance.now() + core.leases.timing.ttlMs + 5_000
  for (;;) {
    const held = await core.leases.hold(`import ${id}`, (lost) => work(AbortSignal.any([signal, lost])))
    if (held !== undefined) return held.result
    signal.throwIfAborted()
    if (performance.now() > until) {
      throw new DomainError('conflict', `An import of ${source} is under way already; claviger import list shows it.`)
    }
    onStage({ title: 'waiting for whoever imported this last', done: 0 })
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function attempt(
  importer: Importer,
  settings: ImportSettings,
  { record, isResumed }: { readonly record: ImportRecord; readonly isResumed: boolean },
): Promise<ImportReport> {
  const { core, operator, isDryRun, signal } = settings
  const startedAt = performance.now()
  const rejects = new Rejects(settings.rejectsPath(isDryRun ? 'dry-run' : record.id))
  const work = new ImportWork(settings, record, rejects)
  await work.open()
  let isFinished = false
  try {
    await importer.run(work)
    await work.flush()
    isFinished = true
  } catch (error) {
    await work.settle()
    if (!signal.aborted) throw error
  } finally {
    await rejects.close()
  }
  const lrs = isDryRun ? [] : await totalsOf(settings, work)
  const report: ImportReport = {
    ...{ id: record.id, source: importer.source, isDryRun, isResumed, isFinished, lrs, existing: work.existing },
    ...{ kinds: work.counts(), warnings: work.warnings, rejects: rejects.length > 0 ? rejects.path : undefined },
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
  }
  if (isFinished && !isDryRun) {
    const into = [...new Set(work.lrs.map(({ organisationId }) => organisationId))]
    await core.imports.finish(operator, record.id, { report: JSON.parse(JSON.stringify(report)) as Json, into })
  }
  return report
}

/** What they hold now, whoever stored it. */
async function totalsOf({ core, operator }: ImportSettings, { lrs }: ImportWork): Promise<readonly LrsTotal[]> {
  const totals: LrsTotal[] = []
  for (const one of lrs) {
    const caller = core.signIn.operator(one.organisationId, operator.operator)
    const [statements = 0] = await core.lrs.countStatements(caller, [one.lrsId])
    const { name } = await core.organisations.get(caller)
    totals.push({ ...one, name, statements })
  }
  return totals
}

function dryRun({ source }: Importer): ImportRecord {
  const id = '0'.repeat(24) as ImportRecord['id']
  return { id, source, startedAt: 0, progress: null, lrs: [], report: null, finishedAt: null }
}
