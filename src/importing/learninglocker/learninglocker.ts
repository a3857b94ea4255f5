// What a Learning Locker has in MongoDB, brought in: organisations, stores, clients, statements with their attachments, documents. Reads
// what mongoexport or mongodump wrote, and the folder in which the product keeps bytes.

import { BSONError } from 'bson'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { CredentialId, OrganisationId } from '../../core/ids.ts'
import type { AttachmentClaim, Json } from '../../core/storage.ts'
import type { Importer } from '../import.ts'
import type { Place } from '../rejects.ts'
import type { AttachmentSource } from '../statement-parts.ts'
import type { Kind } from '../tally.ts'
import type { ImportWork } from '../work.ts'
import { findCollections, idOf, parseDocument } from './collections.ts'
import type { Collection, CollectionName, RawDocument, RawPlace } from './collections.ts'
import { Directory } from './directory.ts'
import { readClient, readOrganisation, readStore } from './directory-documents.ts'
import type { ClientDocument, OrganisationDocument, StoreDocument } from './directory-documents.ts'
import { belongingOf, documentKinds, readDocument } from './document-document.ts'
import { findRounded, isMembers } from './extended-json.ts'
import type { Members } from './extended-json.ts'
import { openFile, StoredFiles } from './files.ts'
import { readStatement } from './statement-document.ts'
import type { StatementDocument } from './statement-document.ts'

export interface LearningLockerSource {
  /** Absolute, both. */
  readonly directory: string
  /** The folder in which it keeps bytes: see files.ts. */
  readonly attachments?: string | undefined
  /** Organisations that are here already, and that the operator lets it into. */
  readonly intoExisting?: readonly OrganisationId[] | undefined
}

/** What was gone through when a checkpoint was made. */
interface Saved {
  readonly phase: Phase
  /** The last one of that phase's file. */
  readonly number: number
  /** Of each file, to see that it is still the same. */
  readonly stamps: Readonly<Record<string, string>>
}

type Phase = 'directory' | CollectionName

/** Between two checkpoints: so much is read again at most, some ten seconds. Before each the store runs dry. */
const checkpointEvery = 100_000
const showEvery = 500
/** Documents of all collections have one order. */
const numbersOfCollection = 1e12

export function learningLockerImporter(source: LearningLockerSource): Importer {
  return {
    source: `learninglocker ${source.directory}`,
    run: async (work) => new Run(work, source, await findCollections(source.directory)).run(),
  }
}

class Run {
  readonly #work: ImportWork
  readonly #collections: ReadonlyMap<CollectionName, Collection>
  readonly #directory: Directory
  readonly #files: StoredFiles | undefined
  readonly #stamps: Readonly<Record<string, string>>
  readonly #saved: Saved | undefined

  constructor(work: ImportWork, source: LearningLockerSource, collections: ReadonlyMap<CollectionName, Collection>) {
    this.#work = work
    this.#collections = collections
    this.#directory = new Directory(work, source.intoExisting ?? [])
    this.#files = source.attachments === undefined ? undefined : new StoredFiles(source.attachments)
    this.#stamps = Object.fromEntries([...collections.values()].map(({ name, stamp }) => [name, stamp]))
    this.#saved = (work.saved as unknown as Saved | null) ?? undefined
  }

  async run(): Promise<void> {
    this.#requireSameFiles()
    await this.#importDirectory()
    if (!this.#isPast('statements')) await this.#importStatements()
    for (const kind of documentKinds) {
      if (!this.#isPast(kind.collection)) await this.#importDocuments(kind)
    }
  }

  /** Numbers of another file would be those of other things. */
  #requireSameFiles(): void {
    for (const [name, stamp] of Object.entries(this.#saved?.stamps ?? {})) {
      if (this.#stamps[name] === stamp) continue
      const message = `${name} is another file than when this import was interrupted. Put the one from then back; or end it as it is, with claviger import abandon, and import anew: what is stored is found there.`
      throw new DomainError('conflict', message)
    }
  }

  #isPast(phase: Phase): boolean {
    return this.#saved !== undefined && phases.indexOf(this.#saved.phase) > phases.indexOf(phase)
  }

  /** What was gone through of it already. */
  #numberIn(phase: Phase): number {
    return this.#saved?.phase === phase ? this.#saved.number : 0
  }

  #checkpoint(phase: Phase, number: number): Promise<void> {
    return this.#work.checkpoint({ phase, number, stamps: this.#stamps } satisfies Saved as unknown as Json)
  }

  /** Read each time, for the rest needs to know it; counted once. */
  async #importDirectory(): Promise<void> {
    const counts = this.#saved === undefined
    const organisations = await this.#readAll('organisations', 'organisations', counts, readOrganisation)
    const stores = await this.#readAll('lrs', 'lrs', counts, readStore)
    await this.#directory.addPlaces(organisations, stores, counts)
    await this.#directory.loadOwners()
    if (!counts) return
    const warn = (text: string, first: string): void => this.#work.warn(text, first)
    const clients = await this.#readAll('clients', 'clients', counts, (document, place) =>
      readClient(document, place, warn),
    )
    await this.#directory.addClients(clients)
    await this.#checkpoint('statements', 0)
  }

  async #readAll<T extends OrganisationDocument | StoreDocument | ClientDocument>(
    collection: CollectionName,
    kind: Kind,
    counts: boolean,
    read: (document: Members, place: Place) => T,
  ): Promise<readonly T[]> {
    const found = new Map<string, T>()
    await this.#each(collection, 0, async (raw, place) => {
      try {
        const document = read(parseDocument(raw), place)
        if (found.has(document.oid)) throw new DomainError('conflict', `Another one has the _id ${document.oid}.`)
        found.set(document.oid, document)
      } catch (error) {
        if (!isRefusal(error)) throw error
        if (counts) this.#work.reject(kind, place, error)
      }
    })
    return [...found.values()]
  }

  async #importStatements(): Promise<void> {
    await this.#each('statements', this.#numberIn('statements'), async (raw, place) => {
      const row = this.#attempt('statements', place, () => this.#readStatement(raw))
      if (row !== undefined) await this.#addStatement(raw.number, place, row)
      if (raw.number % checkpointEvery === 0) await this.#checkpoint('statements', raw.number)
    })
    await this.#checkpoint('states', 0)
  }

  #readStatement(raw: RawDocument): StatementDocument {
    const document = parseDocument(raw)
    const onRounded = (number: string): void => this.#warnOfRounding(number)
    if (raw.text !== undefined) findRounded(raw.text, onRounded)
    return readStatement(document, onRounded)
  }

  async #addStatement(number: number, place: RawPlace, row: StatementDocument): Promise<void> {
    const { statement, store, client, isVoided } = row
    const to = await this.#directory.findDestination(row.organisation, store)
    const organisation = row.organisation ?? this.#directory.organisationOf(store)
    const { id } = statement
    const at = typeof id === 'string' ? place.named(id) : place
    if (typeof to === 'string' || organisation === undefined) return this.#work.reject('statements', at, to)
    const owner = await this.#directory.findOwner(organisation, client)
    const attachments = await this.#attachmentsOf(statement, store ?? '')
    await this.#work.statements.add(to, {
      statement,
      number,
      place: at,
      attachments,
      isVoided,
      authority: owner.authority,
      owner: owner.id,
      // Any client could void any statement of its store (facts 1.3), and define activities.
      voidReach: 'any',
      defineReach: 'any',
    })
  }

  async #attachmentsOf(statement: Members, storeOid: string): Promise<readonly AttachmentSource[]> {
    if (this.#files === undefined) return none
    const described = attachmentsIn(statement)
    if (described.length === 0) return none
    const found = new Map<string, AttachmentSource>()
    for (const { sha2, contentType } of described) {
      const path = await this.#files.findAttachment(storeOid, sha2)
      if (path !== undefined) found.set(sha2, { sha2, contentType, open: () => openFile(path) })
      else
        this.#work.warn(
          'attachments without a file in the folder of attachments',
          this.#files.firstPathOf(storeOid, sha2),
        )
    }
    return [...found.values()]
  }

  async #importDocuments(kind: (typeof documentKinds)[number]): Promise<void> {
    const { collection } = kind
    const base = numbersOfCollection * phases.indexOf(collection)
    const options = { files: this.#files, onRounded: (number: string): void => this.#warnOfRounding(number) }
    await this.#each(collection, this.#numberIn(collection), async (raw, place) => {
      const document = this.#attempt('documents', place, () => parseDocument(raw))
      if (document === undefined) return
      const at = place.named(idOf(document))
      try {
        const { organisation, store } = belongingOf(document)
        const to = await this.#directory.findDestination(organisation, store)
        if (typeof to === 'string') return this.#work.reject('documents', at, to)
        const input = await readDocument(document, kind, options)
        // Everybody with the scope saw all of a store's (facts 1.3).
        await this.#work.documents.add(to, { ...input, owner: shared, number: base + raw.number, place: at })
      } catch (error) {
        if (!isRefusal(error)) throw error
        this.#work.reject('documents', at, error)
      }
      if (raw.number % checkpointEvery === 0) await this.#checkpoint(collection, raw.number)
    })
    const next = phases[phases.indexOf(collection) + 1]
    if (next !== undefined) await this.#checkpoint(next, 0)
  }

  /** Undefined where it is rejected. */
  #attempt<T>(kind: Kind, place: Place, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#work.reject(kind, place, error)
      return undefined
    }
  }

  /** All of a collection's, in turn; shows how far it is. */
  async #each(
    name: CollectionName,
    after: number,
    take: (raw: RawDocument, place: RawPlace) => Promise<void>,
  ): Promise<void> {
    const collection = this.#collections.get(name)
    if (collection === undefined) return
    const show = (done: number): void => this.#work.show({ title: collection.name, done, part: collection.part })
    for await (const raws of collection.documents(after)) {
      for (const raw of raws) {
        await this.#work.pace()
        await take(raw, collection.placeOf(raw))
        if (raw.number % showEvery === 0) show(raw.number)
      }
    }
  }

  #warnOfRounding(number: string): void {
    this.#work.warn('numbers beyond 2^53 are rounded, as in all JSON that JavaScript reads', number)
  }
}

const phases: readonly Phase[] = ['directory', 'statements', ...documentKinds.map(({ collection }) => collection)]

const none: readonly AttachmentSource[] = []
/** Owner of what everybody with the scope sees. */
const shared = 0 as CredentialId

/** Of the statement and of a SubStatement; what is none, the rules refuse later. */
function attachmentsIn(statement: Members): readonly AttachmentClaim[] {
  const { attachments, object } = statement
  const inside = isMembers(object) ? object['attachments'] : undefined
  if (attachments === undefined && inside === undefined) return []
  return [attachments, inside].flat().flatMap((one: unknown) => {
    const { sha2, contentType } = isMembers(one) ? one : {}
    const isOne = typeof sha2 === 'string' && /^[0-9a-f]{56,128}$/i.test(sha2) && typeof contentType === 'string'
    return isOne ? [{ sha2: sha2.toLowerCase(), contentType }] : []
  })
}

/** Of this one thing; anything else ends the import. */
function isRefusal(error: unknown): boolean {
  if (isDomainError(error)) return error.code !== 'unavailable' && error.code !== 'internal'
  // A document of BSON that is damaged; nesting without end.
  return error instanceof BSONError || error instanceof RangeError
}
