// Statements on their way into the store: checked, gathered by Lrs, stored in parts with the bytes of their attachments. Knows
// nothing of where they come from.

import type { ImportBlobs, StatementOrigin } from '../core/importing.ts'
import { isDomainError } from '../core/errors.ts'
import type { AttachmentClaim, ImportedStatement, ImportOutcome } from '../core/storage.ts'
import { FrozenStatements } from './frozen-statements.ts'
import { Gatherings } from './gatherings.ts'
import type { Destination, PartsSettings } from './parts.ts'
import type { Place } from './rejects.ts'

/** The bytes of an attachment, where they are to be had. */
export interface AttachmentSource extends AttachmentClaim {
  open(): AsyncIterable<Uint8Array>
}

export interface StatementInput extends Omit<StatementOrigin, 'claims'> {
  readonly statement: unknown
  /** Its number in the order of the source. */
  readonly number: number
  readonly place: Place
  readonly attachments?: readonly AttachmentSource[]
}

/** Of a statement that waits to be stored. */
interface Entry {
  /** In the order of the source. */
  readonly number: number
  readonly place: Omit<Place, 'record'>
  readonly attachments: readonly AttachmentSource[]
}

/** Statements on their way into the store together. */
interface Part {
  readonly entries: readonly Entry[]
  /** The same, whole: they are not kept. */
  readonly statements: () => readonly ImportedStatement[]
}

/** Those that wait. */
class Waiting {
  readonly frozen = new FrozenStatements()
  readonly entries: Entry[] = []

  get length(): number {
    return this.entries.length
  }
}

/**
 * In one transaction. The trees of ids and terms are written in pages: the more at once, the more of them share one, and the fewer
 * wait for the disk; and the longer somebody waits who stores meanwhile (some 100 ms).
 */
const mostInPart = 1_000
const leastInPart = 300
const mostTextInPart = 4 * 1024 * 1024
/** Gathered for all Lrs together, in characters. */
const mostGathered = 24 * 1024 * 1024

export class StatementParts {
  readonly #settings: PartsSettings
  readonly #gatherings: Gatherings<Waiting>

  constructor(settings: PartsSettings) {
    this.#settings = settings
    const { positions, queue } = settings
    this.#gatherings = new Gatherings({
      ...{ kind: 'statements', positions, queue },
      ...{ mostInPart, mostSizeInPart: mostTextInPart, leastInPart, mostSize: mostGathered },
      newBasket: () => new Waiting(),
      store: (to, { entries, frozen }, isAgain) =>
        this.#store(to, { entries, statements: () => frozen.thaw() }, isAgain),
    })
  }

  /** Resolves when there is room for more. What a rule refuses is counted and written to the rejects. */
  async add(to: Destination, { statement, number, place, attachments = [], ...origin }: StatementInput): Promise<void> {
    const { core, tally, isDryRun } = this.#settings
    let prepared: ImportedStatement
    try {
      prepared = core.imports.prepareStatement(statement, { ...origin, claims: attachments.map(claimOf) })
    } catch (error) {
      if (!isDomainError(error)) throw error
      this.#reject(place, error)
      return
    }
    if (isDryRun) {
      tally.count('statements', 'checked')
      if (attachments.length > 0) tally.count('attachments', 'checked', attachments.length)
      return
    }
    // What the source had beside the statement is not kept until it is stored.
    const { file, line, id } = place
    const entry = { number, place: { file, line, id }, attachments }
    await this.#gatherings.add(to, number, prepared.openBody.length, ({ frozen, entries }) => {
      frozen.add(prepared)
      entries.push(entry)
    })
  }

  /** All that was added is stored when it resolves. */
  flush(): Promise<void> {
    return this.#gatherings.flush()
  }

  async #store(to: Destination, part: Part, isAgain: boolean): Promise<void> {
    const { core, operator } = this.#settings
    if (part.entries.every(({ attachments }) => attachments.length === 0)) return this.#storeRows(to, part, isAgain)
    await core.imports.withBlobs(operator, to.lrsId, async (blobs) => {
      const whole: ImportedStatement[] = []
      for (const [index, statement] of part.statements().entries()) {
        whole.push(await this.#putAttachments(blobs, statement, part.entries[index]!))
      }
      await blobs.confirm()
      await this.#storeRows(to, { entries: part.entries, statements: () => whole }, isAgain)
    })
  }

  /** A statement whose attachment is damaged is stored without those bytes, as where nobody sent them. */
  async #putAttachments(
    blobs: ImportBlobs,
    statement: ImportedStatement,
    { place, attachments }: Entry,
  ): Promise<ImportedStatement> {
    const { tally } = this.#settings
    const put: AttachmentClaim[] = []
    for (const source of attachments) {
      try {
        await blobs.put(source.open(), { sha2: source.sha2 })
        put.push(claimOf(source))
        tally.count('attachments', 'stored')
      } catch (error) {
        if (isDomainError(error) && error.code !== 'invalid' && error.code !== 'too_large') throw error
        this.#settings.rejects.write(placeOf(place, statement), error, 'attachments')
        tally.count('attachments', 'rejected')
      }
    }
    return put.length === attachments.length ? statement : { ...statement, attachments: put }
  }

  async #storeRows(to: Destination, part: Part, isAgain: boolean): Promise<void> {
    const { core, operator, importId, positions } = this.#settings
    const progress = isAgain ? undefined : positions.advance(to.lrsId, 'statements', part.entries.at(-1)?.number ?? 0)
    try {
      const outcomes = await core.imports.storeStatements(operator, {
        ...{ importId, lrsId: to.lrsId, statements: part.statements() },
        ...(progress !== undefined && { progress }),
      })
      this.#account(part, outcomes, isAgain)
    } catch (error) {
      if (!isDomainError(error) || !refusals.has(error.code)) throw error
      await this.#storeHalves(to, part, isAgain, error)
    }
  }

  /** One that the store cannot hold keeps no other out. */
  async #storeHalves(to: Destination, part: Part, isAgain: boolean, error: unknown): Promise<void> {
    const { entries, statements } = part
    const [one] = entries
    if (entries.length === 1 && one) return this.#reject(placeOf(one.place, statements()[0]!), error)
    const middle = Math.ceil(entries.length / 2)
    const half = (from: number, to?: number): Part => ({
      entries: entries.slice(from, to),
      statements: () => statements().slice(from, to),
    })
    await this.#storeRows(to, half(0, middle), isAgain)
    await this.#storeRows(to, half(middle), isAgain)
  }

  #account({ entries, statements }: Part, outcomes: readonly ImportOutcome[], isAgain: boolean): void {
    const { positions, rejects } = this.#settings
    const isAnyRefused = outcomes.some((outcome) => refused[outcome] !== undefined)
    const whole = isAnyRefused ? statements() : []
    for (const [index, outcome] of outcomes.entries()) {
      const why = refused[outcome]
      if (why !== undefined) rejects.write(placeOf(entries[index]!.place, whole[index]!), why, 'statements')
      if (!isAgain) positions.counts.statements[outcome === 'stored' || outcome === 'there' ? outcome : 'refused']++
    }
  }

  #reject(place: Place, error: unknown): void {
    this.#settings.tally.count('statements', 'rejected')
    this.#settings.rejects.write(place, error, 'statements')
  }
}

function placeOf(place: Entry['place'], { openBody }: ImportedStatement): Place {
  return { ...place, record: () => JSON.parse(`${openBody}}`) as unknown }
}

/** What is wrong with what is stored, and not with the store. */
const refusals: ReadonlySet<string> = new Set(['invalid', 'too_large'])

const refused: Readonly<Partial<Record<ImportOutcome, string>>> = {
  conflict: 'Another statement with this id is in the Lrs.',
  erased: 'A statement with this id was erased for a person: it is not stored again.',
}

function claimOf({ sha2, contentType }: AttachmentClaim): AttachmentClaim {
  return { sha2, contentType }
}
