// Statements of a store elsewhere, read through xAPI and handed on: with their attachments, and those that were voided, which no page
// has, with the statement that voids them. Knows no vendor.

import { DomainError, isDomainError } from '../core/errors.ts'
import type { Nameless, OutgoingPart, ReadStatement, RemoteLrs } from '../core/remote-lrs.ts'
import type { Reach } from '../core/rights.ts'
import type { Json } from '../core/storage.ts'
import { listAttachments } from '../core/xapi/attachment.ts'
import type { Statement } from '../core/xapi/statement.ts'
import type { Owners } from './owners.ts'
import type { Destination } from './parts.ts'
import type { Patience } from './patience.ts'
import { Walk } from './remote-walk.ts'
import type { WalkPosition } from './remote-walk.ts'
import type { AttachmentSource } from './statement-parts.ts'
import { voidedBy } from './voiding.ts'
import type { ImportWork } from './work.ts'

/** JSON. */
export type RemotePosition = { readonly number: number; readonly walk: WalkPosition }

export interface RemoteReading {
  readonly remote: RemoteLrs
  readonly patience: Patience
  /** Its address, for the rejects and whoever watches. */
  readonly address: string
  readonly to: Destination
  readonly owners: Owners
  /** Only what was stored after this. */
  readonly since?: string | undefined
  /** Where an earlier run was. */
  readonly from?: RemotePosition | undefined
  /** Number of the last one before all of these. */
  readonly numberedFrom?: number
}

/** Resolves with the number of the last. `save` makes a checkpoint that has this position. */
export async function importRemote(
  work: ImportWork,
  reading: RemoteReading,
  save: (position: RemotePosition) => Promise<void>,
): Promise<number> {
  const { remote, patience, since, from, to } = reading
  work.touch(to)
  const walk = new Walk({ remote, patience, since, from: from?.walk })
  const handing = new Handing(work, reading, from?.number ?? reading.numberedFrom ?? 0)
  for (let page = await walk.next(); page !== undefined; page = await walk.next()) {
    for (const one of page.statements) {
      await work.pace()
      await handing.add(one)
    }
    for (const one of page.nameless) {
      await work.pace()
      handing.reject(one)
    }
    work.show({ title: `statements of ${reading.address}`, done: handing.number })
    await save({ number: handing.number, walk: walk.position })
  }
  return handing.number
}

class Handing {
  number: number
  readonly #work: ImportWork
  readonly #reading: RemoteReading
  /** Of the statement whose attachments were asked for last: they are stored one statement after the other. */
  #parts: { readonly id: string; readonly read: Promise<readonly OutgoingPart[]> } | undefined
  #isToldOfVoided = false

  constructor(work: ImportWork, reading: RemoteReading, number: number) {
    this.#work = work
    this.#reading = reading
    this.number = number
  }

  async add(one: ReadStatement): Promise<void> {
    const statement = JSON.parse(one.text) as Statement
    const target = voidedBy(statement)
    const voidReach = target === undefined ? undefined : await this.#addVoided(target)
    await this.#hand(one, statement, voidReach)
  }

  reject({ record, reason }: Nameless): void {
    this.number++
    this.#work.reject('statements', { file: this.#reading.address, line: this.number, record: () => record }, reason)
  }

  /** What the statement that voids it has an effect on: anything, but where it had none there. */
  async #addVoided(id: string): Promise<Reach | undefined> {
    const target = await this.#find(id, true)
    if (target === 'hidden') return 'any'
    if (target === undefined) return (await this.#find(id, false)) === undefined ? 'any' : undefined
    await this.#hand(target, JSON.parse(target.text) as Statement, undefined)
    return 'any'
  }

  async #find(id: string, isVoided: boolean): Promise<ReadStatement | 'hidden' | undefined> {
    const { remote, patience, address } = this.#reading
    const found = await patience.ask(() => remote.find(id, { isVoided }, patience.signal))
    if (found.kind === 'found') return found.statement
    if (!this.#isToldOfVoided) this.#work.warn(`Voided statements of ${address} are left out: ${found.reason}`)
    this.#isToldOfVoided = true
    return 'hidden'
  }

  async #hand(one: ReadStatement, statement: Statement, voidReach: Reach | undefined): Promise<void> {
    const { owners, to, address } = this.#reading
    const { id: owner, authority, defineReach } = await owners.of(statement)
    this.number++
    await this.#work.statements.add(to, {
      ...{ statement, owner, authority, defineReach, voidReach, isVoided: one.isVoided === true },
      ...{ number: this.number, attachments: this.#attachmentsOf(one, statement) },
      place: { file: address, line: this.number, id: one.id, record: () => statement },
    })
  }

  #attachmentsOf(one: ReadStatement, statement: Statement): readonly AttachmentSource[] {
    if (one.sha2s.length === 0) return []
    const described = listAttachments(statement).filter(({ sha2 }) => one.sha2s.includes(sha2))
    const once = new Map(described.map((attachment) => [attachment.sha2, attachment]))
    return [...once.values()].map(({ sha2, contentType }) => ({ sha2, contentType, open: () => this.#open(one, sha2) }))
  }

  async *#open(one: ReadStatement, sha2: string): AsyncGenerator<Uint8Array> {
    if (this.#parts?.id !== one.id) this.#parts = { id: one.id, read: this.#readParts(one) }
    const parts = await this.#parts.read
    const part = parts.find((candidate) => candidate.sha2 === sha2)
    if (part === undefined)
      throw new DomainError('invalid', `${this.#reading.address} has no data of attachment ${sha2}.`)
    yield* part.bytes()
  }

  async #readParts(one: ReadStatement): Promise<readonly OutgoingPart[]> {
    const { remote, patience } = this.#reading
    try {
      const read = await patience.ask(() => remote.readParts(one, patience.signal))
      if (read.kind === 'parts') return read.parts
      throw new DomainError('invalid', read.reason)
    } catch (error) {
      // A stop, which must not look like damage.
      if (isDomainError(error)) throw error
      throw new DomainError('unavailable', 'The data of an attachment was not read to its end.', { cause: error })
    }
  }
}

/** What `save` was given, as it comes back. */
export function remotePositionIn(saved: Json | undefined): RemotePosition | undefined {
  const { number, walk } = (saved ?? {}) as Partial<RemotePosition>
  return number === undefined || walk === undefined ? undefined : { number, walk }
}
