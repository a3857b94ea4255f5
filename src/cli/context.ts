// What every command works with: configuration, streams, and the opened data directory; and how a command line's words
// for an organisation, an Lrs or a credential are resolved. Knows nothing of where it runs (server, or this process).

import type { App, Integrity, OnChecked, Remote } from '../app.ts'
import type { Config } from '../config.ts'
import type { CopyProgress, Manifest } from '../copying.ts'
import { mostApplications } from '../core/application.ts'
import { isDomainError } from '../core/errors.ts'
import type { CredentialFilter } from '../core/credential.ts'
import type { CredentialId, OrganisationId } from '../core/ids.ts'
import { maxId } from '../core/ids.ts'
import type { Caller } from '../core/principal.ts'
import type { ApplicationRecord, CredentialRecord, LrsRecord, OrganisationRecord } from '../core/storage.ts'
import { PlainError, UsageError } from './outcome.ts'
import type { Streams } from './socket.ts'

/** An open data directory, in the server or in this process. */
export interface Opened extends Pick<App, 'core' | 'faces' | 'remote'> {
  /** `file`: in the data directory; `configuration`: given by a setting. */
  readonly masterKeySource: 'file' | 'configuration'
  /** Makes a new master key and puts everything under it; returns how many organisations. */
  rotateMasterKey(): Promise<number>
  /** What is wrong with the database, and with the files it refers to. */
  checkIntegrity(onChecked?: OnChecked): Promise<Integrity>
  /** A backup of all of it in a directory of its own, whoever is served meanwhile. */
  backUp(options: BackupRequest): Promise<Manifest>
}

/** What is asked of a backup. */
export interface BackupRequest {
  readonly to: string
  readonly withMasterKey: boolean
  onProgress(progress: CopyProgress): void
}

export interface CommandContext {
  /** Of the server, when one runs. */
  readonly config: Config
  readonly streams: Streams
  /** What was piped in, for the commands that read it. */
  readonly stdin?: string | undefined
  /** Where it was typed: paths are from there. */
  readonly directory?: string | undefined
  /** Output is looked at, so long lines are cut to be legible. */
  readonly isTerminal?: boolean | undefined
  /** A server runs it, so that what it makes is answered for. */
  readonly isServed?: boolean
  /** Opens on first need, so that help and mistakes need no data directory. */
  open(): Promise<Opened>
  /** Where a command runs alone: for what asks others and needs no data. */
  remote?(): Remote
  /** What is still to do is waiting, however long: other commands need not wait as well. */
  letOthersPass?(): void
  /**
   * For what takes long and may be gone on with: aborted when whoever typed it is gone, or presses Ctrl-C, or the server stops. A command
   * that does not ask is finished all the same, or ends with its process.
   */
  untilStopped?(): AbortSignal
}

/** Options every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly organisation?: string
}

/** Who acts, in the audit log. */
const operatorName = 'command line'
export const operator = { operator: operatorName } as const

export function callerIn(opened: Opened, organisationId: OrganisationId): Caller {
  return opened.core.signIn.operator(organisationId, operatorName)
}

/** All organisations, a page at a time. */
export async function* everyOrganisation(opened: Opened): AsyncGenerator<OrganisationRecord> {
  const limit = 200
  for (let offset = 0; ; offset += limit) {
    const page = await opened.core.organisations.list(operator, { offset, limit })
    yield* page.items
    if (offset + limit >= page.total) return
  }
}

/** The organisation `--organisation` names, or the only one there is. */
export async function chooseOrganisation(opened: Opened, options: GlobalOptions): Promise<OrganisationRecord> {
  if (options.organisation !== undefined) return getOrganisation(opened, options.organisation, '--organisation')
  const { items, total } = await opened.core.organisations.list(operator, { offset: 0, limit: 5 })
  if (total === 1 && items[0]) return items[0]
  if (total === 0) throw new PlainError('there is no organisation yet: claviger organisation create NAME')
  const some = items.map(({ id, name }) => `${id} (${name})`).join(', ')
  throw new UsageError(`there are ${total} organisations: say which with --organisation ID, such as ${some}`)
}

/** The organisation given, or all of them. */
export async function* organisationsOf(opened: Opened, options: GlobalOptions): AsyncGenerator<OrganisationRecord> {
  if (options.organisation === undefined) yield* everyOrganisation(opened)
  else yield await chooseOrganisation(opened, options)
}

/** For who looks in one organisation after the other. */
export function unlessAbsent(error: unknown): undefined {
  if (isDomainError(error) && error.code === 'not_found') return undefined
  throw error
}

/** The one with this id; `what` names the option or argument that holds it. */
export async function getOrganisation(opened: Opened, text: string, what: string): Promise<OrganisationRecord> {
  const id = Number(text)
  if (!/^\d+$/.test(text) || id < 1 || id > maxId) {
    throw new UsageError(`${what} takes an id, a whole number, not ${JSON.stringify(text)}`)
  }
  try {
    return await opened.core.organisations.get(callerIn(opened, id as OrganisationId))
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'not_found') throw error
    throw new PlainError(`there is no organisation ${id} (${what}); claviger organisation list shows them`)
  }
}

/** In the organisation given, or in whichever has it, deleted or not: an id is unique over all of them. */
export async function locateLrs(
  opened: Opened,
  options: GlobalOptions,
  id: number,
): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }> {
  for await (const organisation of organisationsOf(opened, options)) {
    const lrs = (await opened.core.lrs.list(callerIn(opened, organisation.id), { withDeleted: true })).find(
      (item) => item.id === id,
    )
    if (lrs) return { organisation, lrs }
  }
  throw new PlainError(`there is no Lrs ${id}; claviger lrs list shows them`)
}

/** The application with this id, which no two have; of the organisation given, if one is. */
export async function locateApplication(
  opened: Opened,
  options: GlobalOptions,
  id: string,
): Promise<ApplicationRecord> {
  const found = await opened.core.applications.find(id)
  const within = options.organisation === undefined ? undefined : await chooseOrganisation(opened, options)
  if (found !== undefined && (within === undefined || within.id === found.organisationId)) return found
  throw new PlainError(`there is no application ${id}; claviger application list shows them`)
}

/** All of an organisation, oldest first. */
export async function listApplications(opened: Opened, caller: Caller): Promise<readonly ApplicationRecord[]> {
  const query = { by: 'createdAt', isDescending: false, limit: mostApplications } as const
  return (await opened.core.applications.list(caller, query)).items
}

/** All keys of an organisation that the filter names. */
export async function listAll(
  opened: Opened,
  organisationId: OrganisationId,
  filter: CredentialFilter = {},
): Promise<CredentialRecord[]> {
  const all: CredentialRecord[] = []
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const page = await opened.core.credentials.list(callerIn(opened, organisationId), filter, { offset, limit })
    all.push(...page.items)
    if (offset + limit >= page.total) return all
  }
}

export interface Located {
  readonly caller: Caller
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
}

/**
 * The credential a command line names by id or key, in the organisation given or in whichever has it. A key may look like
 * an id: what could mean two is refused, and `id:2` or `key:2` says which.
 */
export async function locateCredential(opened: Opened, options: GlobalOptions, word: string): Promise<Located> {
  const { id, key } = wordsFor(word)
  const found: Located[] = []
  for await (const organisation of organisationsOf(opened, options)) {
    const caller = callerIn(opened, organisation.id)
    const byId = id === undefined ? undefined : await findById(opened, caller, id)
    const { items } =
      key === undefined ? { items: [] } : await opened.core.credentials.list(caller, { key }, { offset: 0, limit: 16 })
    const both = [...(byId ? [byId] : []), ...items.filter((item) => item.id !== byId?.id)]
    found.push(...both.map((credential) => ({ caller, organisation, credential })))
  }
  const [only, ...others] = found
  if (!only) throw await unlocated(opened, options, { word, key })
  if (others.length === 0) return only
  const ids = found.map(({ credential, organisation }) => `id:${credential.id} (${organisation.name})`).join(', ')
  const keyed = found.filter(({ credential }) => credential.key === key)
  if (keyed.length === found.length) throw new UsageError(`several credentials have the key ${key}: say which: ${ids}`)
  throw new UsageError(
    `${word} is the id of one credential and the key of another: say id:${id} or key:${key}, or which: ${ids}`,
  )
}

/** `id:2` and `#2` are ids, `key:2` is a key (no key holds a colon), anything else may be both. */
function wordsFor(word: string): { readonly id: string | undefined; readonly key: string | undefined } {
  if (word.startsWith('key:')) return { id: undefined, key: word.slice(4) }
  if (word.startsWith('id:')) return { id: word.slice(3), key: undefined }
  return { id: word.replace(/^#/, ''), key: word }
}

/** Why there is none; a session's key says whose it is. */
async function unlocated(
  opened: Opened,
  options: GlobalOptions,
  { word, key }: { readonly word: string; readonly key: string | undefined },
): Promise<PlainError> {
  const ids: OrganisationId[] = []
  for await (const { id } of organisationsOf(opened, options)) ids.push(id)
  for (const id of key === undefined ? [] : ids) {
    const session = await opened.core.sessions.findByKey(callerIn(opened, id), key ?? '')
    if (session === undefined) continue
    const { credentialId: parent } = session
    return new PlainError(
      `${word} is the key of session ${session.id} of credential ${parent}, not of a credential: ` +
        `claviger session list ${parent} shows what it may, claviger ask ${parent} what its credential may`,
    )
  }
  const known = `no credential has the id or key ${word}; claviger credential list shows them`
  for (const id of ids) {
    const asking = (await listApplications(opened, callerIn(opened, id))).find(({ callback }) => callback !== null)
    if (asking === undefined) continue
    return new PlainError(`${known}. A user of an application’s callback? claviger callback test ${asking.id} ${word}`)
  }
  return new PlainError(known)
}

async function findById(opened: Opened, caller: Caller, word: string): Promise<CredentialRecord | undefined> {
  const id = Number(word)
  if (!/^[1-9]\d{0,9}$/.test(word) || id > maxId) return undefined
  try {
    return await opened.core.credentials.get(caller, id as CredentialId)
  } catch (error) {
    if (isDomainError(error) && error.code === 'not_found') return undefined
    throw error
  }
}
