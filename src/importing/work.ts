// What an importer works with, for one run of it: counting, rejecting, storing, remembering how far it is. How it is used is said in
// import.ts.

import type { Core } from '../core/core.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import { nextSlice } from '../core/slices.ts'
import type { ImportRecord, Json, OrganisationRecord } from '../core/storage.ts'
import { DocumentParts } from './document-parts.ts'
import type { ExistingOrganisation, ImportSettings, ImportStage } from './import.ts'
import { Positions, StoreQueue } from './parts.ts'
import type { Destination, StoreCounts } from './parts.ts'
import type { Place, Rejects } from './rejects.ts'
import { StatementParts } from './statement-parts.ts'
import { Tally } from './tally.ts'
import type { Kind, KindCounts } from './tally.ts'

/** How long others wait at most. */
const sliceMs = 5
const mostWarnings = 100

export class ImportWork {
  readonly core: Core
  readonly operator: PlatformOperator
  readonly isDryRun: boolean
  /** Aborted when the import is to stop; `pace` throws then. */
  readonly signal: AbortSignal
  readonly tally: Tally
  readonly statements: StatementParts
  readonly documents: DocumentParts
  /** What the importer gave to `checkpoint` last; null at the beginning. */
  readonly saved: Json
  readonly #record: ImportRecord
  #begun: Progress
  readonly #rejects: Rejects
  readonly #queue = new StoreQueue()
  readonly #positions: Positions
  readonly #warnings: Map<string, Warned>
  readonly #announced: Map<Kind, readonly string[]>
  readonly #existing: Map<OrganisationId, ExistingOrganisation>
  readonly #destinations = new Map<LrsId, Destination>()
  readonly #onStage: (stage: ImportStage) => void
  #sliceEnd = 0

  constructor(settings: ImportSettings, record: ImportRecord, rejects: Rejects) {
    const { core, operator, isDryRun, signal } = settings
    this.#begun = progressOf(record)
    const { saved, tally, warnings, announced, existing } = this.#begun
    this.core = core
    this.operator = operator
    this.isDryRun = isDryRun
    this.signal = signal
    this.saved = saved
    this.tally = new Tally(tally)
    this.#record = record
    this.#rejects = rejects
    this.#positions = new Positions(record.lrs)
    this.#warnings = new Map(warnings.map((one) => [one.text, { ...one }]))
    this.#announced = new Map(Object.entries(announced) as [Kind, readonly string[]][])
    this.#existing = new Map(existing.map((one) => [one.organisationId, one]))
    this.#onStage = (stage) => settings.onStage(stage)
    const parts = {
      ...{ core, operator, isDryRun, rejects, importId: record.id },
      ...{ tally: this.tally, queue: this.#queue, positions: this.#positions },
    }
    this.statements = new StatementParts(parts)
    this.documents = new DocumentParts(parts)
  }

  /** Before anything else. */
  async open(): Promise<void> {
    const { rejects } = this.#begun
    if (!(await this.#rejects.open(rejects))) return
    const { path } = this.#rejects
    this.warn(
      `What was rejected before (${rejects.lines}) is not in ${path}: this is another file than the one it was written to.`,
    )
    // At once: the new file is shorter.
    await this.#begin({ ...this.#begun, rejects: { bytes: 0, lines: 0 }, warnings: this.#warned() })
  }

  get source(): string {
    return this.#record.source
  }

  get warnings(): readonly string[] {
    return [...this.#warnings.values()].map(({ text, first, next = [], others }) => {
      if (first === undefined) return text
      const told = `${text}: ${[first, ...next].join('; ')}`
      return others === 0 ? told : `${told} and ${others} more`
    })
  }

  /**
   * Said once in the report, however often it happens; with the `first` it happened to, or as many as are to be `shown`, and how many
   * others.
   */
  warn(text: string, first?: string, { shown = 1 }: { readonly shown?: number } = {}): void {
    const known = this.#warnings.get(text)
    const next = known?.next ?? []
    if (known !== undefined && first !== undefined && next.length + 1 < shown) known.next = [...next, first]
    else if (known !== undefined) known.others++
    else if (this.#warnings.size < mostWarnings) this.#warnings.set(text, { text, first, others: 0 })
  }

  /** Counts it, and writes it to the rejects; `why` is what was thrown, or words. */
  reject(kind: Kind, place: Place, why: unknown): void {
    this.tally.count(kind, 'rejected')
    this.#rejects.write(place, why, kind)
  }

  show(stage: ImportStage): void {
    this.#onStage(stage)
  }

  /** Lets others have their turn, now and then. Throws where the import is to stop. */
  async pace(): Promise<void> {
    this.signal.throwIfAborted()
    if (this.#rejects.isFull) await this.#rejects.flush()
    if (performance.now() < this.#sliceEnd) return
    await nextSlice()
    this.#sliceEnd = performance.now() + sliceMs
  }

  /** Before it was interrupted. */
  hasStoredInto(lrsId: LrsId): boolean {
    return this.#record.lrs.some((one) => one.lrsId === lrsId)
  }

  /** That the Lrs is one of the import, though nothing may come into it. */
  touch(destination: Destination): void {
    this.#destinations.set(destination.lrsId, destination)
  }

  /**
   * Before the importer itself stores things of a kind: those that are not there. Resolves with all that are this import's own, also
   * where it was interrupted between storing and the next checkpoint: `stored` are they, the others `there`.
   */
  async announce(kind: Kind, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const own = new Set([...(this.#announced.get(kind) ?? []), ...ids])
    this.#announced.set(kind, [...own])
    // As of the last checkpoint, but for this.
    if (!this.isDryRun) await this.#save({ ...this.#begun, announced: Object.fromEntries(this.#announced) })
    return own
  }

  /** Everything handed on is stored when it resolves, and that it is. */
  async checkpoint(saved: Json): Promise<void> {
    await this.flush()
    const rejects = await this.#rejects.flush()
    this.#announced.clear()
    await this.#begin({
      saved,
      tally: this.tally.toJson(),
      rejects,
      warnings: this.#warned(),
      announced: {},
      existing: this.existing,
    })
  }

  async flush(): Promise<void> {
    await this.statements.flush()
    await this.documents.flush()
  }

  /** What is being stored comes to its end; what was only gathered is read again by whoever goes on. */
  async settle(): Promise<void> {
    await this.#queue.settle().catch(() => {})
  }

  counts(): Readonly<Partial<Record<Kind, KindCounts>>> {
    const { statements, documents } = this.#positions.counts
    const counted = this.tally.counts()
    return {
      ...counted,
      ...withStored('statements', counted, statements),
      ...withStored('documents', counted, documents),
    }
  }

  /** That it was here before: for the report. */
  tellExisting({ id, oid, name }: OrganisationRecord): void {
    this.#existing.set(id, { organisationId: id, oid, name, keys: 0 })
  }

  /** That so many keys came into it: told where it was here before. */
  countKeys(organisationId: OrganisationId, by = 1): void {
    const known = this.#existing.get(organisationId)
    if (known !== undefined) this.#existing.set(organisationId, { ...known, keys: known.keys + by })
  }

  get existing(): readonly ExistingOrganisation[] {
    return [...this.#existing.values()]
  }

  /** The Lrs it is about. */
  get lrs(): readonly Destination[] {
    return [...this.#destinations.values()]
  }

  #warned(): readonly Warned[] {
    return [...this.#warnings.values()].map((one) => ({ ...one }))
  }

  /** From here it goes on after an interruption. */
  async #begin(progress: Progress): Promise<void> {
    this.#begun = progress
    if (!this.isDryRun) await this.#save(progress)
  }

  async #save(progress: Progress): Promise<void> {
    await this.core.imports.save(this.operator, this.#record.id, progress as unknown as Json)
  }
}

interface Warned {
  readonly text: string
  readonly first?: string | undefined
  next?: readonly string[]
  others: number
}

interface Progress {
  readonly saved: Json
  readonly tally: Json
  readonly rejects: { readonly bytes: number; readonly lines: number }
  readonly warnings: readonly Warned[]
  readonly announced: Readonly<Record<string, readonly string[]>>
  readonly existing: readonly ExistingOrganisation[]
}

function progressOf({ progress }: ImportRecord): Progress {
  const begun: Progress = {
    ...{ saved: null, tally: {}, rejects: { bytes: 0, lines: 0 } },
    ...{ warnings: [], announced: {}, existing: [] },
  }
  return { ...begun, ...(progress as unknown as Partial<Progress> | null) }
}

/** The tally has what the rules refused; the store what became of the rest. */
function withStored(
  kind: 'statements' | 'documents',
  counted: Readonly<Partial<Record<Kind, KindCounts>>>,
  { stored, there, refused }: StoreCounts,
): Readonly<Partial<Record<Kind, KindCounts>>> {
  const { rejected = 0, checked = 0 } = counted[kind] ?? {}
  const read = rejected + checked + stored + there + refused
  return read === 0 ? {} : { [kind]: { read, stored, there, rejected: rejected + refused, checked } }
}
