// Statements on their way into the store: checked, gathered by Lrs, stored in parts with the bytes of their attachments. Knows
// nothing of where they come from.

import type { ImportBlobs, StatementOrigin } from '../core/importing.ts'
import { isDomainError } from '../core/errors.ts'
import type { AttachmentClaim, ImportedStatement, ImportOutcome } from '../core/storage.ts'
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

interface Gathered {
  readonly prepared: ImportedStatement
  readonly number: number
  readonly place: Place
  readonly attachments: readonly AttachmentSource[]
}

interface Gathering extends Destination {
  /** Stored before an interruption: asked again, to learn what was refused. */
  readonly isAgain: boolean
  statements: Gathered[]
  text: number
}

/** In one transaction. */
const mostInPart = 150
/** Where nothing is being stored: those of many Lrs would all be full at once, and storing would wait for reading, then reading for storing. */
const leastInPart = 60
const mostTextInPart = 4 * 1024 * 1024
/** Gathered for all Lrs together, in characters. */
const mostGathered = 6 * 1024 * 1024

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
    const record = (): unknown => JSON.parse(`${prepared.openBody}}`)
    await this.#gather(to, { prepared, number, place: { file, line, id, record }, attachments })
  }

  /** All that was added is stored when it resolves. */
  async flush(): Promise<void> {
    for (const gathering of this.#gathering.values()) await this.#push(gathering)
    await this.#settings.queue.settle()
  }

  async #gather(to: Destination, gathered: Gathered): Promise<void> {
    const isAgain = this.#settings.positions.isBehind(to.lrsId, 'statements', gathered.number)
    const key = `${to.lrsId} ${isAgain}`
    let gathering = this.#gathering.get(key)
    if (gathering === undefined) {
      gathering = { ...to, isAgain, statements: [], text: 0 }
      this.#gathering.set(key, gathering)
    }
    gathering.statements.push(gathered)
    const { length } = gathered.prepared.openBody
    gathering.text += length
    this.#gathered += length
    const isFull = gathering.statements.length >= mostInPart || gathering.text >= mostTextInPart
    const isWorth = gathering.statements.length >= leastInPart && this.#settings.queue.isIdle
    if (isFull || isWorth) await this.#push(gathering)
    else if (this.#gathered >= mostGathered) await this.#push(this.#largest(gathering))
  }

  #largest(one: Gathering): Gathering {
    let largest = one
    for (const other of this.#gathering.values()) if (other.text > largest.text) largest = other
    return largest
  }

  async #push(gathering: Gathering): Promise<void> {
    const { statements, isAgain, organisationId, lrsId } = gathering
    if (statements.length === 0) return
    gathering.statements = []
    this.#gathered -= gathering.text
    gathering.text = 0
    const store = (): Promise<void> => this.#store({ organisationId, lrsId }, statements, isAgain)
    await this.#settings.queue.push({ lrsId, store })
  }

  async #store(to: Destination, statements: readonly Gathered[], isAgain: boolean): Promise<void> {
    const { core, operator } = this.#settings
    if (statements.every(({ attachments }) => attachments.length === 0)) return this.#storeRows(to, statements, isAgain)
    await core.imports.withBlobs(operator, to.lrsId, async (blobs) => {
      const whole: Gathered[] = []
      for (const one of statements) whole.push(await this.#putAttachments(blobs, one))
      await blobs.confirm()
      await this.#storeRows(to, whole, isAgain)
    })
  }

  /** A statement whose attachment is damaged is stored without those bytes, as where nobody sent them. */
  async #putAttachments(blobs: ImportBlobs, one: Gathered): Promise<Gathered> {
    const { tally } = this.#settings
    const put: AttachmentClaim[] = []
    for (const source of one.attachments) {
      try {
        await blobs.put(source.open(), { sha2: source.sha2 })
        put.push(claimOf(source))
        tally.count('attachments', 'stored')
      } catch (error) {
        if (isDomainError(error) && error.code !== 'invalid' && error.code !== 'too_large') throw error
        this.#settings.rejects.write(one.place, error, 'attachments')
        tally.count('attachments', 'rejected')
      }
    }
    return put.length === one.attachments.length ? one : { ...one, prepared: { ...one.prepared, attachments: put } }
  }

  async #storeRows(to: Destination, statements: readonly Gathered[], isAgain: boolean): Promise<void> {
    const { core, operator, importId, positions } = this.#settings
    const progress = isAgain ? undefined : positions.advance(to.lrsId, 'statements', statements.at(-1)?.number ?? 0)
    try {
      const outcomes = await core.imports.storeStatements(operator, {
        ...{ importId, lrsId: to.lrsId, statements: statements.map(({ prepared }) => prepared) },
        ...(progress !== undefined && { progress }),
      })
      for (const [index, one] of statements.entries()) this.#account(one, outcomes[index]!, isAgain)
    } catch (error) {
      if (!isDomainError(error) || !refusals.has(error.code)) throw error
      await this.#storeHalves(to, statements, isAgain, error)
    }
  }

  /** One that the store cannot hold keeps no other out. */
  async #storeHalves(
    to: Destination,
    statements: readonly Gathered[],
    isAgain: boolean,
    error: unknown,
  ): Promise<void> {
    const [one] = statements
    if (statements.length === 1 && one) return this.#reject(one.place, error)
    const middle = Math.ceil(statements.length / 2)
    await this.#storeRows(to, statements.slice(0, middle), isAgain)
    await this.#storeRows(to, statements.slice(middle), isAgain)
  }

  #account({ place }: Gathered, outcome: ImportOutcome, isAgain: boolean): void {
    const { positions, rejects } = this.#settings
    const why = refused[outcome]
    if (why !== undefined) rejects.write(place, why, 'statements')
    if (!isAgain) positions.counts.statements[outcome === 'stored' || outcome === 'there' ? outcome : 'refused']++
  }

  #reject(place: Place, error: unknown): void {
    this.#settings.tally.count('statements', 'rejected')
    this.#settings.rejects.write(place, error, 'statements')
  }
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
