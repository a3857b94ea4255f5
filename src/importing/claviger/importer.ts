// Puts back what `claviger export` took along: organisations, Lrs, applications, keys and pipes first, with the ids they had, then
// statements and documents Lrs by Lrs. Everything is looked at before anything is written.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DomainError, invalid, isDomainError } from '../../core/errors.ts'
import type { PortableCredential, PortableLrs } from '../../core/exporting.ts'
import type { CredentialId, LrsId, OrganisationId } from '../../core/ids.ts'
import { mostPortables } from '../../core/restoring.ts'
import type { Portables } from '../../core/restoring.ts'
import type { Reach } from '../../core/rights.ts'
import { organisationFile } from '../../exporting/format.ts'
import type { LrsCounts, Manifest, OrganisationCounts, OrganisationPart } from '../../exporting/format.ts'
import { Sealer } from '../../exporting/sealing.ts'
import { enterExisting, findExisting, markedWords } from '../existing.ts'
import type { Importer } from '../import.ts'
import type { Place } from '../rejects.ts'
import type { ImportWork } from '../work.ts'
import { checkFiles, linesOf, readManifest } from './files.ts'
import type { Line } from './files.ts'
import { readApplication, readCredential, readOrganisation, readPipe } from './lines.ts'
import type { ReadOrganisation } from './lines.ts'
import { importDocuments, importStatements } from './records.ts'

export interface ClavigerSource {
  /** Of the export. */
  readonly directory: string
  readonly passphrase: string | undefined
  /** Keys come without their secrets, though there are some. */
  readonly withoutSecrets: boolean
  /** Organisations that are here already, and that the operator lets it into. */
  readonly intoExisting?: readonly OrganisationId[] | undefined
}

/** How far an earlier run came. */
interface Saved {
  /** Organisations and keys are there. */
  readonly isFurnished: true
  /** Places in the manifest's list of Lrs, and in a file of one. */
  readonly lrs: number
  readonly file: 'statements' | 'documents'
  readonly line: number
}

/** What statements and documents of an organisation may name as their owner, and what theirs say counts for whom. */
export type Owners = ReadonlyMap<number, Reach | undefined>

const mostConflictsTold = 20

export async function clavigerImporter(source: ClavigerSource): Promise<Importer> {
  const manifest = await readManifest(source.directory)
  const sealer = await openSealer(manifest, source)
  return {
    source: `claviger ${source.directory} ${manifest.id}`.slice(-500),
    run: (work) => new Run(work, source, manifest, sealer).run(),
  }
}

async function openSealer({ sealing }: Manifest, source: ClavigerSource): Promise<Sealer | undefined> {
  const { passphrase, withoutSecrets } = source
  if (sealing === null || withoutSecrets) return undefined
  if (passphrase !== undefined) return Sealer.open(sealing, passphrase)
  throw invalid(
    'The secrets of this export are sealed: give the passphrase (--passphrase-stdin or --passphrase-file), or --without-secrets to make the keys without them.',
  )
}

class Run {
  readonly #work: ImportWork
  readonly #directory: string
  readonly #into: readonly OrganisationId[]
  readonly #manifest: Manifest
  readonly #sealer: Sealer | undefined
  readonly #saved: Saved | undefined
  /** That were here already. */
  readonly #entered = new Set<OrganisationId>()
  /** Keys that this import brought into those. */
  #ownKeys: ReadonlySet<string> = new Set()

  constructor(work: ImportWork, source: ClavigerSource, manifest: Manifest, sealer: Sealer | undefined) {
    this.#work = work
    this.#directory = source.directory
    this.#into = source.intoExisting ?? []
    this.#manifest = manifest
    this.#sealer = sealer
    this.#saved = (work.saved as unknown as Saved | null) ?? undefined
  }

  async run(): Promise<void> {
    const { organisations, lrs, warnings, sealing } = this.#manifest
    for (const warning of warnings) this.#work.warn(`When it was exported: ${warning}`)
    if (sealing === null)
      this.#work.warn('The export has no secrets: nobody signs in with its keys until they get new ones.')
    else if (this.#sealer === undefined)
      this.#work.warn('Keys are without their secrets: nobody signs in with them until they get new ones.')
    if (this.#saved === undefined) await this.#check()
    await this.#enter()
    const owners = new Map<number, Owners>()
    for (const organisation of organisations) {
      if (this.#saved === undefined) await this.#furnish(organisation)
      owners.set(organisation.id, await this.#ownersOf(organisation))
    }
    if (this.#saved === undefined) await this.#checkpoint(0, 'statements', 0)
    for (const [at, one] of lrs.entries()) await this.#fill(at, one, owners.get(one.organisationId) ?? new Map())
    for (const { id } of organisations) await this.#complete(id)
  }

  /** Nothing is written unless all of it is whole and everything it brings is free here. */
  async #check(): Promise<void> {
    const { bytes: all } = this.#manifest.files
    await checkFiles(this.#directory, this.#manifest, async (bytes) => {
      this.#work.show({ title: 'checking the export', done: bytes, part: all === 0 ? 1 : bytes / all })
      await this.#work.pace()
    })
    const conflicts: string[] = []
    for (const { id } of this.#manifest.organisations) {
      for await (const portables of this.#portablesOf(id)) {
        const { core, operator } = this.#work
        conflicts.push(...(await core.restores.findConflicts(operator, id as OrganisationId, portables)))
        if (conflicts.length > mostConflictsTold) break
      }
    }
    if (conflicts.length === 0) return
    const told = conflicts.slice(0, mostConflictsTold).join(' ')
    const more = conflicts.length > mostConflictsTold ? ' And more.' : ''
    const message = `Nothing was imported: what the export brings is taken here. ${told}${more}`
    throw new DomainError('conflict', message)
  }

  /** Each time: what lies there may be another export since, of the same id. */
  async #enter(): Promise<void> {
    const { organisations, lrs } = this.#manifest
    const ids = new Set<number>(organisations.map(({ id }) => id))
    const strange = lrs.find(({ organisationId }) => !ids.has(organisationId))
    if (strange !== undefined) {
      const { id, organisationId } = strange
      throw invalid(`Lrs ${id} of the export is of organisation ${organisationId}, which is not in it.`)
    }
    const existing = await findExisting(this.#work, ({ id }) => ids.has(id))
    await enterExisting(this.#work, existing, this.#into)
    if (this.#saved !== undefined) return
    const there = new Set<number>(existing.map(({ id }) => id))
    const absent = [...ids].filter((id) => !there.has(id))
    const own = await this.#work.announce('organisations', absent.map(String))
    for (const one of existing) {
      this.#entered.add(one.id)
      if (!own.has(String(one.id))) this.#work.tellExisting(one)
    }
  }

  async *#portablesOf(organisationId: number): AsyncGenerator<Portables> {
    const { organisation, lrs, gone } = await this.#read(organisationId)
    yield { organisation, lrs: [] }
    for (const some of inParts(lrs)) yield { lrs: some }
    for (const some of inParts(gone)) yield { gone: some as readonly CredentialId[] }
    for await (const credentials of this.#credentialsOf(organisationId, organisation.oid)) {
      yield { credentials: credentialsIn(credentials) }
    }
    for await (const { application } of this.#applicationsOf(organisationId, organisation.oid)) {
      yield { applications: [application] }
    }
    const pipes = await this.#pipesOf(organisationId, organisation.oid)
    for (const some of inParts(pipes)) yield { pipes: some }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Organisations, Lrs, applications, keys

  /** An organisation that is there stays as it is, and gets what it lacks. */
  async #furnish(counts: OrganisationCounts): Promise<void> {
    const { core, operator, isDryRun, tally } = this.#work
    const id = counts.id as OrganisationId
    this.#work.show({ title: `keys of organisation ${id}`, done: 0 })
    const read = await this.#read(id)
    const { organisation, lrs } = read
    const taken = new Set<number>()
    for await (const { application } of this.#applicationsOf(id, organisation.oid)) {
      taken.add(application.liveLrsId).add(application.sandboxLrsId)
    }
    const free = lrs.filter((one) => !taken.has(one.id))
    const first = free.find((one) => one.id === organisation.defaultLrsId) ?? free[0]
    if (first === undefined) throw invalid(`Organisation ${id} of the export has no Lrs of its own.`)
    if (this.#entered.has(id)) await this.#announceKeys(id, organisation.oid)
    if (isDryRun) {
      tally.count('organisations', 'checked')
      tally.count('lrs', 'checked', lrs.length)
    } else {
      const origin = { export: this.#manifest.id, auditHead: counts.auditHead, auditEvents: counts.auditEvents }
      const marked = { ...organisation, words: markedWords(organisation.words, this.#work) }
      const outcome = await core.restores.organisation(operator, marked, first, origin)
      if (outcome === 'there' && !this.#entered.has(id)) throw madeMeanwhile(id)
      tally.count('organisations', outcome)
      for (const one of free) {
        const made = await core.restores.lrs(operator, id, one)
        tally.count('lrs', one === first ? outcome : made)
      }
    }
    await this.#furnishApplications(id, read)
    for await (const some of this.#credentialsOf(id, organisation.oid)) await this.#furnishCredentials(id, some)
    if (isDryRun) return
    for (const some of inParts(read.gone)) await core.restores.gone(operator, id, some as readonly CredentialId[])
  }

  /** Those that are not there yet: an interruption must not hide that they came. */
  async #announceKeys(id: OrganisationId, oid: string): Promise<void> {
    const { core, operator } = this.#work
    const there = new Set<number>()
    for await (const some of core.exports.credentials(operator, id)) for (const one of some) there.add(one.id)
    for await (const one of core.exports.applications(operator, id)) there.add(one.credential.id)
    const absent: string[] = []
    const add = ({ id: key }: PortableCredential): void => void (there.has(key) || absent.push(String(key)))
    for await (const some of this.#credentialsOf(id, oid)) credentialsIn(some).forEach(add)
    for await (const { application } of this.#applicationsOf(id, oid)) add(application.credential)
    this.#ownKeys = await this.#work.announce('clients', absent)
  }

  #countKeys(id: OrganisationId, credentials: readonly PortableCredential[]): void {
    this.#work.countKeys(id, credentials.filter((one) => this.#ownKeys.has(String(one.id))).length)
  }

  async #furnishApplications(id: OrganisationId, { organisation, lrs }: ReadOrganisation): Promise<void> {
    const { core, operator, isDryRun, tally } = this.#work
    for await (const { application, line } of this.#applicationsOf(id, organisation.oid)) {
      const [live, sandbox] = [application.liveLrsId, application.sandboxLrsId].map((lrsId) => byId(lrs, lrsId))
      if (live === undefined || sandbox === undefined) {
        this.#work.reject(
          'applications',
          this.#placeOf(id, 'applications.jsonl', line),
          'Its Lrs are not in the export.',
        )
        continue
      }
      if (isDryRun) {
        tally.count('applications', 'checked')
        this.#countKeys(id, [application.credential])
        continue
      }
      const isOpen = live.deletedAt !== null || !organisation.closedLrsIds.includes(live.id)
      const outcome = await core.restores.application(operator, id, application, { live, sandbox, isOpen })
      tally.count('applications', outcome)
      this.#countKeys(id, [application.credential])
      tally.count('lrs', outcome, 2)
      await this.#work.pace()
    }
  }

  /** One that is refused keeps no other out. */
  async #furnishCredentials(id: OrganisationId, read: readonly ReadCredential[]): Promise<void> {
    const { core, operator, isDryRun, tally } = this.#work
    await this.#work.pace()
    let left = read
    if (isDryRun) {
      tally.count('clients', 'checked', read.length)
      return this.#countKeys(id, credentialsIn(left))
    }
    while (left.length > 0) {
      try {
        const outcomes = await core.restores.credentials(operator, id, credentialsIn(left))
        for (const outcome of outcomes) tally.count('clients', outcome)
        return this.#countKeys(id, credentialsIn(left))
      } catch (error) {
        const index = isDomainError(error) ? error.detail.index : undefined
        const refused = index === undefined ? undefined : left[index]
        if (refused === undefined) throw error
        this.#work.reject('clients', this.#placeOf(id, 'credentials.jsonl', refused.line), error)
        // What it stored comes all the same: nobody else may get its id, and read that as their own.
        await core.restores.gone(operator, id, [refused.credential.id])
        left = left.filter((one) => one !== refused)
      }
    }
  }

  /** What statements say of activities counts by today's right of their key, or by what it once was. */
  async #ownersOf({ id }: OrganisationCounts): Promise<Owners> {
    const { organisation, gone, describing } = await this.#read(id)
    const owners = new Map<number, Reach | undefined>(gone.map((one) => [one, describing[one]]))
    const add = ({ id: owner, rights }: PortableCredential): void => {
      owners.set(owner, rights.xapi.define ?? describing[owner])
    }
    for await (const some of this.#credentialsOf(id, organisation.oid)) for (const one of some) add(one.credential)
    for await (const { application } of this.#applicationsOf(id, organisation.oid)) add(application.credential)
    return owners
  }

  /** What can only be said once the rest is there; pipes last, for they wait. */
  async #complete(organisationId: number): Promise<void> {
    const { core, operator, isDryRun, tally } = this.#work
    const id = organisationId as OrganisationId
    const { organisation, lrs } = await this.#read(id)
    const pipes = await this.#pipesOf(id, organisation.oid)
    if (isDryRun) return pipes.length === 0 ? undefined : tally.count('pipes', 'checked', pipes.length)
    for (const pipe of pipes) tally.count('pipes', await core.restores.pipe(operator, id, pipe))
    if (pipes.length > 0) this.#work.warn('Pipes are paused: claviger pipe resume, when nobody else forwards the same.')
    await core.restores.complete(operator, organisation, lrs)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Statements and documents

  async #fill(at: number, counts: LrsCounts, owners: Owners): Promise<void> {
    const to = { organisationId: counts.organisationId as OrganisationId, lrsId: counts.id as LrsId }
    const { lrs, file, line } = this.#saved ?? { lrs: 0, file: 'statements' as const, line: 0 }
    if (at < lrs) return this.#work.touch(to)
    if (!this.#work.isDryRun && !(await this.#has(to))) {
      this.#work.warn(`Lrs ${counts.id} is not here: what it held was left out.`)
      return
    }
    this.#work.touch(to)
    const isHere = this.#saved !== undefined && at === lrs
    const parts = { work: this.#work, directory: this.#directory, to, owners, isGzip: this.#manifest.isGzip }
    if (!isHere || file === 'statements') {
      const behind = isHere ? line : 0
      const save = (done: number): Promise<void> => this.#checkpoint(at, 'statements', done)
      await importStatements({ ...parts, behind, save, expected: counts.statements })
      await this.#checkpoint(at, 'documents', 0)
    }
    const behind = isHere && file === 'documents' ? line : 0
    const save = (done: number): Promise<void> => this.#checkpoint(at, 'documents', done)
    await importDocuments({ ...parts, behind, save, expected: counts.documents })
    await this.#checkpoint(at + 1, 'statements', 0)
  }

  /** Rows are never put where no Lrs of the organisation is. */
  async #has({ organisationId, lrsId }: { organisationId: OrganisationId; lrsId: LrsId }): Promise<boolean> {
    const { core, operator } = this.#work
    const { lrs } = await core.exports.organisation(operator, organisationId)
    return lrs.some(({ id }) => id === lrsId)
  }

  async #checkpoint(lrs: number, file: Saved['file'], line: number): Promise<void> {
    await this.#work.checkpoint({ isFurnished: true, lrs, file, line })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The files of an organisation

  async #read(organisationId: number): Promise<ReadOrganisation> {
    const name = organisationFile(organisationId, 'organisation.json')
    for await (const { text } of linesOf(join(this.#directory, name), name)) {
      const read = readOrganisation(text, name)
      if (read.organisation.id === organisationId) return read
      break
    }
    throw invalid(`${name} is not of organisation ${organisationId}.`)
  }

  async *#credentialsOf(organisationId: number, oid: string): AsyncGenerator<readonly ReadCredential[]> {
    let some: ReadCredential[] = []
    for await (const [line, name] of this.#linesOf(organisationId, 'credentials.jsonl')) {
      some.push({ credential: readCredential(line.text, name, oid, this.#sealer), line })
      await this.#work.pace()
      if (some.length < mostPortables) continue
      yield some
      some = []
    }
    if (some.length > 0) yield some
  }

  async *#applicationsOf(organisationId: number, oid: string) {
    for await (const [line, name] of this.#linesOf(organisationId, 'applications.jsonl')) {
      yield { application: readApplication(line.text, name, oid, this.#sealer), line }
    }
  }

  async #pipesOf(organisationId: number, oid: string) {
    const pipes = []
    for await (const [{ text }, name] of this.#linesOf(organisationId, 'pipes.jsonl')) {
      pipes.push(readPipe(text, name, oid, this.#sealer))
    }
    return pipes
  }

  /** None where the file is not there: an export of one Lrs has no applications. */
  async *#linesOf(organisationId: number, part: OrganisationPart): AsyncGenerator<readonly [Line, string]> {
    const name = organisationFile(organisationId, part)
    const path = join(this.#directory, name)
    const isThere = await stat(path).then(
      () => true,
      () => false,
    )
    if (!isThere) return
    for await (const line of linesOf(path, name)) yield [line, `${name}, line ${line.number},`]
  }

  #placeOf(organisationId: number, part: OrganisationPart, { number, text }: Line): Place {
    return { file: organisationFile(organisationId, part), line: number, record: () => withoutSecrets(text) }
  }
}

interface ReadCredential {
  readonly credential: PortableCredential
  readonly line: Line
}

/** Sealed or not, they have no business among what was rejected. */
function withoutSecrets(text: string): unknown {
  const { secrets: _secrets, ...rest } = JSON.parse(text) as Record<string, unknown>
  return rest
}

function credentialsIn(read: readonly ReadCredential[]): readonly PortableCredential[] {
  return read.map(({ credential }) => credential)
}

function madeMeanwhile(id: OrganisationId): DomainError {
  return new DomainError('conflict', `Somebody made organisation ${id} here while it was imported: begin again.`)
}

function byId(lrs: readonly PortableLrs[], id: number): PortableLrs | undefined {
  return lrs.find((one) => one.id === id)
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += mostPortables) yield all.slice(from, from + mostPortables)
}
