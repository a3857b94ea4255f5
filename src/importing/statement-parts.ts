// Statements on their way into the store: checked, gathered by Lrs, stored in parts with the bytes of their attachments. Knows
// nothing of where they come from.

import type { ImportBlobs, StatementOrigin } from '../core/importing.ts'
import { isDomainError } from '../core/errors.ts'
import type { AttachmentClaim, ImportedStatement, ImportOutcome, StatementPart } from '../core/storage.ts'
import { Gatherings } from './gatherings.ts'
import type { Destination, PartsSettings } from './parts.ts'
import type { Place } from './rejects.ts'

/** The bytes of an attachment, where they are to be had. */
export interface AttachmentSource extends AttachmentClaim {
  open(): AsyncIterable<Uint8Array>
}

export interface StatementInput extends StatementOrigin {
  readonly statement: unknown
  /** Its number in the order of the source. */
  readonly number: number
  readonly place: Place
  readonly attachments?: readonly AttachmentSource[]
}

/** Where one that waits to be stored came from. */
interface Origin extends Omit<Place, 'record'> {
  /** In the order of the source. */
  readonly number: number
  readonly attachments: readonly AttachmentSource[]
}

/** Those that wait to be stored, and of each where it came from. */
interface Waiting {
  readonly statements: StatementPart
  readonly origins: readonly Origin[]
}

class Basket implements Waiting {
  readonly statements: StatementPart
  readonly origins: Origin[] = []

  constructor(statements: StatementPart) {
    this.statements = statements
  }

  get length(): number {
    return this.origins.length
  }
}

/**
 * In one transaction. The trees of ids and terms are written in pages: the more at once, the more of them share one, and the fewer
 * wait for the disk; and the longer somebody waits who stores meanwhile: some
 * hundred milliseconds.
 */
const mostInPart = 2_000
const leastInPart = 400
const mostTextInPart = 8 * 1024 * 1024
/** Gathered for all Lrs together, in characters: on SQLite about two bytes of memory each, on PostgreSQL three. */
const mostGathered = 8 * 1024 * 1024

export class StatementParts {
  readonly #settings: PartsSettings
  readonly #gatherings: Gatherings<Basket>

  constructor(settings: PartsSettings) {
    this.#settings = settings
    const { core, positions, queue } = settings
    this.#gatherings = new Gatherings({
      ...{ kind: 'statements', positions, queue },
      ...{ mostInPart, mostSizeInPart: mostTextInPart, leastInPart, mostSize: mostGathered },
      newBasket: () => new Basket(core.imports.newPart()),
      store: (to, part, isAgain) => this.#store(to, part, isAgain),
    })
  }

  /** Resolves when there is room for more. What a rule refuses is counted and written to the rejects. */
  async add(to: Destination, input: StatementInput): Promise<void> {
    const { core, tally, isDryRun } = this.#settings
    const { statement, number, place, attachments = none } = input
    let prepared: ImportedStatement
    try {
      prepared = core.imports.prepareStatement(statement, input)
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
    await this.#gatherings.add(to, number, prepared.openBody.length, ({ statements, origins }) => {
      statements.add(prepared)
      origins.push({ file, line, id, number, attachments })
    })
  }

  /** All that was added is stored when it resolves. */
  flush(): Promise<void> {
    return this.#gatherings.flush()
  }

  async #store(to: Destination, part: Waiting, isAgain: boolean): Promise<void> {
    const { core, operator } = this.#settings
    if (part.origins.every(({ attachments }) => attachments.length === 0)) return this.#storeRows(to, part, isAgain)
    await core.imports.withBlobs(operator, to.lrsId, async (blobs) => {
      for (const [at, { attachments }] of part.origins.entries()) {
        if (attachments.length > 0) part.statements.claim(at, await this.#putAttachments(blobs, part, at))
      }
      await blobs.confirm()
      await this.#storeRows(to, part, isAgain)
    })
  }

  /** Those that could be put: a statement whose attachment is damaged is stored without those bytes, as where nobody sent them. */
  async #putAttachments(blobs: ImportBlobs, part: Waiting, at: number): Promise<readonly AttachmentClaim[]> {
    const { tally } = this.#settings
    const put: AttachmentClaim[] = []
    for (const source of part.origins[at]?.attachments ?? []) {
      try {
        await blobs.put(source.open(), { sha2: source.sha2 })
        put.push(claimOf(source))
        tally.count('attachments', 'stored')
      } catch (error) {
        if (isDomainError(error) && error.code !== 'invalid' && error.code !== 'too_large') throw error
        this.#settings.rejects.write(placeOf(part, at), error, 'attachments')
        tally.count('attachments', 'rejected')
      }
    }
    return put
  }

  async #storeRows(to: Destination, part: Waiting, isAgain: boolean): Promise<void> {
    const { core, operator, importId, positions } = this.#settings
    const { statements, origins } = part
    const last = origins.at(-1)?.number ?? 0
    const position = isAgain ? undefined : positions.behind(to.lrsId, 'statements', last)
    try {
      const outcomes = await core.imports.storeStatements(operator, {
        ...{ importId, lrsId: to.lrsId, statements },
        ...(position !== undefined && { progress: { ...position } }),
      })
      if (position !== undefined) positions.advance(to.lrsId, position)
      for (const [at, outcome] of outcomes.entries()) this.#account(part, at, outcome, isAgain)
    } catch (error) {
      if (!isDomainError(error) || !refusals.has(error.code)) throw error
      await this.#storeHalves(to, part, isAgain, error)
    }
  }

  /** One that the store cannot hold keeps no other out. */
  async #storeHalves(to: Destination, part: Waiting, isAgain: boolean, error: unknown): Promise<void> {
    const { statements, origins } = part
    const { length } = origins
    if (length === 1) return this.#reject(placeOf(part, 0), error)
    const half = (start: number, end: number): Waiting => ({
      statements: statements.slice(start, end),
      origins: origins.slice(start, end),
    })
    const middle = Math.ceil(length / 2)
    await this.#storeRows(to, half(0, middle), isAgain)
    await this.#storeRows(to, half(middle, length), isAgain)
  }

  #account(part: Waiting, at: number, outcome: ImportOutcome, isAgain: boolean): void {
    const { positions, rejects } = this.#settings
    const why = refused[outcome]
    if (why !== undefined) rejects.write(placeOf(part, at), why, 'statements')
    if (!isAgain) positions.counts.statements[outcome === 'stored' || outcome === 'there' ? outcome : 'refused']++
  }

  #reject(place: Place, error: unknown): void {
    this.#settings.tally.count('statements', 'rejected')
    this.#settings.rejects.write(place, error, 'statements')
  }
}

function placeOf({ statements, origins }: Waiting, at: number): Place {
  const { file, line, id } = origins[at]!
  return { file, line, id, record: () => JSON.parse(`${statements.openBody(at)}}`) as unknown }
}

/** What is wrong with what is stored, and not with the store. */
const refusals: ReadonlySet<string> = new Set(['invalid', 'too_large'])

const refused: Readonly<Partial<Record<ImportOutcome, string>>> = {
  conflict: 'Another statement with this id is in the Lrs.',
  erased: 'A statement with this id was erased for a person: it is not stored again.',
}

const none: readonly AttachmentSource[] = []

function claimOf({ sha2, contentType }: AttachmentClaim): AttachmentClaim {
  return { sha2, contentType }
}
