// Statements on their way into the store: checked, gathered by Lrs, stored in parts with the bytes of their attachments. Knows
// nothing of where they come from.

import type { ImportBlobs, StatementOrigin } from '../core/importing.ts'
import { isDomainError } from '../core/errors.ts'
import type { AttachmentClaim, ImportedStatement, ImportOutcome } from '../core/storage.ts'
import { FrozenStatements } from './frozen-statements.ts'
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

interface Gathering extends Destination {
  /** Stored before an interruption: asked again, to learn what was refused. */
  readonly isAgain: boolean
  frozen: FrozenStatements
  entries: Entry[]
  text: number
}

/**
 * In one transaction. The trees of ids and terms are written in pages: the more at once, the more of them share one, and the fewer
 * wait for the disk; and the longer somebody waits who stores meanwhile (some 100 ms).
 */
const mostInPart = 1_000
/** Where nothing is being stored: those of many Lrs would all be full at once, and storing would wait for reading, then reading for storing. */
const leastInPart = 300
const mostTextInPart = 4 * 1024 * 1024
/** Gathered for all Lrs together, in characters. */
const mostGathered = 24 * 1024 * 1024

export class StatementParts {
  readonly #settings: PartsSettings
  readonly #gathering = new Map<string, Gathering>()
  #gathered = 0

  constructor(settings: PartsSettings) {
    this.#settings = settings
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
    await this.#gather(to, prepared, { number, place: { file, line, id }, attachments })
  }

  /** All that was added is stored when it resolves. */
  async flush(): Promise<void> {
    for (const gathering of this.#gathering.values()) await this.#push(gathering)
    await this.#settings.queue.settle()
  }

  async #gather(to: Destination, prepared: ImportedStatement, entry: Entry): Promise<void> {
    const isAgain = this.#settings.positions.isBehind(to.lrsId, 'statements', entry.number)
    const key = `${to.lrsId} ${isAgain}`
    let gathering = this.#gathering.get(key)
    if (gathering === undefined) {
      gathering = { ...to, isAgain, frozen: new FrozenStatements(), entries: [], text: 0 }
      this.#gathering.set(key, gathering)
    }
    gathering.frozen.add(prepared)
    gathering.entries.push(entry)
    const { length } = prepared.openBody
    gathering.text += length
    this.#gathered += length
    const count = gathering.entries.length
    const isFull = count >= mostInPart || gathering.text >= mostTextInPart
    const isWorth = count >= leastInPart && this.#settings.queue.isIdle
    if (isFull || isWorth) await this.#push(gathering)
    else if (this.#gathered >= mostGathered) await this.#push(this.#largest(gathering))
  }

  #largest(one: Gathering): Gathering {
    let largest = one
    for (const other of this.#gathering.values()) if (other.text > largest.text) largest = other
    return largest
  }

  async #push(gathering: Gathering): Promise<void> {
    const { frozen, entries, isAgain, organisationId, lrsId } = gathering
    if (entries.length === 0) return
    gathering.frozen = new FrozenStatements()
    gathering.entries = []
    this.#gathered -= gathering.text
    gathering.text = 0
    const part = { entries, statements: () => frozen.thaw() }
    const store = (): Promise<void> => this.#store({ organisationId, lrsId }, part, isAgain)
    await this.#settings.queue.push({ lrsId, store })
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
