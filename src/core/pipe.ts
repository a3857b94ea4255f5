// The use cases of pipes: what is forwarded from where to where, whoever manages forwarding of an application or of the organisation.
// What a pipe does is core/forwarding.ts.

import { authorise } from './access.ts'
import { boundOf } from './application.ts'
import type { Applications } from './application.ts'
import { eventBy } from './audit.ts'
import { checkText, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import type { ApplicationId, LrsId, OrganisationId, PipeId } from './ids.ts'
import { afterResumption, atTheBeginning, readProgress, toJson } from './pipe-progress.ts'
import type { PipeProgress } from './pipe-progress.ts'
import type { Caller } from './principal.ts'
import type { Endpoint } from './remote-lrs.ts'
import { mayManage } from './rights.ts'
import type { Bound, ManagementAction } from './rights.ts'
import type { Clock, DirectoryStore, Ids, Json, PipeRecord, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** An Lrs of ours, or a store elsewhere. `shown`: how whoever made the pipe named an Lrs of ours. */
export type SourceInput =
  | { readonly lrsId: LrsId; readonly shown?: Endpoint }
  | { readonly endpoint: Endpoint; readonly lrsId?: undefined }

export interface NewPipeInput {
  /** Whose it is; of no application unless given. */
  readonly applicationId?: ApplicationId
  /** The application's live Lrs unless given. */
  readonly source?: SourceInput
  readonly target: Endpoint
  /** Where the target is known to be an Lrs of ours. */
  readonly targetLrsId?: LrsId | undefined
  /** What is stored by now is left out; else everything goes. Of a local source only. */
  readonly startsNow?: boolean
}

export interface PipeChange {
  readonly source?: SourceInput
  readonly target?: Endpoint
  readonly targetLrsId?: LrsId | undefined
}

/** What depends on what there is. */
export type PipeChangeFrom = PipeChange | ((before: Pipe) => Promise<PipeChange>)

/** A pipe as its managers see it. Passwords are empty for who may not write. */
export interface Pipe {
  readonly id: PipeId
  readonly applicationId: ApplicationId | null
  /** Of a local source. */
  readonly lrsId: LrsId | null
  /** A store elsewhere, or how whoever made it named an Lrs of ours. */
  readonly source: Endpoint | undefined
  readonly target: Endpoint
  readonly pausedBecause: string | null
  readonly progress: PipeProgress
  readonly createdAt: number
  readonly updatedAt: number
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Of one application, or of an organisation's own. */
export const mostPipes = 100

export interface PipesParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly applications: Applications
  readonly clock: Clock
  readonly ids: Ids
  /** Why nobody will ever be reached at an address. */
  readonly problemWith: (url: string) => string | undefined
  /** Called when there may be something to do for a pipe that had nothing before. */
  readonly onChange: () => void
}

export class Pipes {
  readonly #parts: PipesParts
  readonly #directory: DirectoryStore

  constructor(parts: PipesParts) {
    this.#parts = parts
    this.#directory = parts.storage.directory
  }

  async create(caller: Caller, input: NewPipeInput): Promise<Pipe> {
    const { applicationId = null, target } = input
    const { source, bound } = await this.#sourceOf(caller, 'write', input)
    this.#check(target, source, input.targetLrsId)
    if ((await this.#directory.listPipes(caller.organisationId, applicationId)).length >= mostPipes) {
      throw new DomainError('invalid', `There are ${mostPipes} pipes already. Delete one first.`)
    }
    const { ids, clock, storage } = this.#parts
    const id = ids.uuid() as PipeId
    const startsAt = input.startsNow && source.lrsId ? await storage.statements.consistentThrough(source.lrsId) : 0
    const detail = { ...this.#namesOf(source, target), ...boundName(bound) }
    const record = await this.#directory.createPipe(
      caller.organisationId,
      {
        ...{ id, applicationId, pausedBecause: null, createdAt: clock.now() },
        ...(await this.#sealed(caller.organisationId, id, { source, target })),
        progress: toJson(startsAt > 0 ? { ...atTheBeginning, at: startsAt } : atTheBeginning),
      },
      eventBy(caller, clock, 'pipe.create', { noun: 'pipe', id }, detail),
    )
    this.#parts.onChange()
    return this.#open(record, true)
  }

  /** Oldest first: of an application, of none (null), or all of the organisation. */
  async list(caller: Caller, applicationId?: ApplicationId | null): Promise<readonly Pipe[]> {
    const bound = await this.#boundOf(caller, 'read', applicationId ?? null)
    const records = await this.#directory.listPipes(caller.organisationId, applicationId)
    const mayWrite = mayManage(caller, 'forwarding', 'write', bound)
    return Promise.all(records.map((record) => this.#open(record, mayWrite)))
  }

  async get(caller: Caller, id: PipeId): Promise<Pipe> {
    const { record, bound } = await this.#reach(caller, 'read', id)
    return this.#open(record, mayManage(caller, 'forwarding', 'write', bound))
  }

  /**
   * Whatever it was paused for, it runs again. From where it stands; from the beginning where source or target is another address,
   * for nothing says what is there.
   */
  async update(caller: Caller, id: PipeId, from: PipeChangeFrom): Promise<Pipe> {
    const { record } = await this.#reach(caller, 'write', id)
    const before = await this.#open(record, true)
    const change = typeof from === 'function' ? await from(before) : from
    const { applicationId } = record
    const given = { ...(applicationId && { applicationId }), ...(change.source && { source: change.source }) }
    const source = change.source ? (await this.#sourceOf(caller, 'write', given)).source : sourceOf(before)
    const target = change.target ?? before.target
    this.#check(target, source, change.targetLrsId)
    const isElsewhere = target.url !== before.target.url || placeOf(source) !== placeOf(sourceOf(before))
    const progress = isElsewhere ? atTheBeginning : afterResumption(before.progress)
    return this.#update(caller, id, {
      ...(await this.#sealed(caller.organisationId, id, { source, target })),
      ...{ pausedBecause: null, progress: toJson(progress) },
      ...{ action: 'pipe.update', detail: this.#namesOf(source, target) },
    })
  }

  async pause(caller: Caller, id: PipeId): Promise<Pipe> {
    const { record } = await this.#reach(caller, 'write', id)
    if (record.pausedBecause !== null) return this.#open(record, true)
    const pausedBecause = `Paused by ${caller.name}.`
    return this.#update(caller, id, { pausedBecause, action: 'pipe.pause', detail: null })
  }

  /** Goes on where it stands, at once: also where it waits for its next attempt. */
  async resume(caller: Caller, id: PipeId): Promise<Pipe> {
    const { record } = await this.#reach(caller, 'write', id)
    const progress = toJson(afterResumption(readProgress(record.progress)))
    return this.#update(caller, id, { pausedBecause: null, progress, action: 'pipe.resume', detail: null })
  }

  /** What is under way ends at its next step. */
  async remove(caller: Caller, id: PipeId): Promise<Pipe> {
    const { record } = await this.#reach(caller, 'delete', id)
    const pipe = await this.#open(record, false)
    const { target, source, lrsId } = pipe
    const detail = { target: target.url, source: source?.url ?? null, lrsId }
    const event = eventBy(caller, this.#parts.clock, 'pipe.delete', { noun: 'pipe', id }, detail)
    await this.#directory.deletePipe(caller.organisationId, id, event)
    return pipe
  }

  async #update(
    caller: Caller,
    id: PipeId,
    {
      action,
      detail,
      ...patch
    }: Partial<Pick<PipeRecord, 'lrsId' | 'source' | 'target' | 'pausedBecause' | 'progress'>> & {
      readonly action: string
      readonly detail: Json
    },
  ): Promise<Pipe> {
    const { clock, onChange } = this.#parts
    const event = eventBy(caller, clock, action, { noun: 'pipe', id }, detail)
    const at = clock.now()
    const record = await this.#directory.updatePipe(caller.organisationId, id, { ...patch, at }, event)
    onChange()
    return this.#open(record, true)
  }

  /** Another tenant's, and what the caller may not even read, is not there. */
  async #reach(
    caller: Caller,
    action: ManagementAction,
    id: PipeId,
  ): Promise<{ readonly record: PipeRecord; readonly bound: Bound }> {
    const record = uuid.test(id) ? await this.#directory.findPipe(caller.organisationId, id) : undefined
    if (record === undefined) throw noPipe(id)
    const application = record.applicationId
      ? await this.#directory.findApplication(caller.organisationId, record.applicationId)
      : undefined
    const bound: Bound = application ? boundOf(application) : ownBound(record.lrsId)
    const judged = application ? caller : outsideApplications(caller)
    const mayAnything = (['read', 'write', 'delete'] as const).some((one) =>
      mayManage(judged, 'forwarding', one, bound),
    )
    if (!mayAnything) throw noPipe(id)
    authorise(judged, { kind: 'manage', area: 'forwarding', action, bound })
    return { record, bound }
  }

  async #boundOf(caller: Caller, action: ManagementAction, applicationId: ApplicationId | null): Promise<Bound> {
    if (applicationId !== null) {
      return boundOf(await this.#parts.applications.manage(caller, 'forwarding', action, applicationId))
    }
    const bound = { kind: 'organisation' } as const
    authorise(caller, { kind: 'manage', area: 'forwarding', action, bound })
    return bound
  }

  /** What may be read: of an application its own two Lrs, of an organisation every one that the caller manages forwarding of. */
  async #sourceOf(
    caller: Caller,
    action: ManagementAction,
    { applicationId, source }: { readonly applicationId?: ApplicationId; readonly source?: SourceInput },
  ): Promise<{ readonly source: SourceInput; readonly bound: Bound }> {
    if (applicationId !== undefined) {
      const application = await this.#parts.applications.manage(caller, 'forwarding', action, applicationId)
      const { liveLrsId, sandboxLrsId } = application
      const chosen = source ?? { lrsId: liveLrsId }
      if (chosen.lrsId !== undefined && ![liveLrsId, sandboxLrsId].includes(chosen.lrsId)) {
        refuse([sourceFailure(`A pipe of application ${applicationId} reads from its own Lrs only.`)])
      }
      return { source: chosen, bound: boundOf(application) }
    }
    const bound = ownBound(source?.lrsId ?? null)
    authorise(outsideApplications(caller), { kind: 'manage', area: 'forwarding', action, bound })
    if (source === undefined) throw new DomainError('invalid', 'A pipe of no application says which Lrs it reads from.')
    return { source, bound }
  }

  #check(target: Endpoint, source: SourceInput, targetLrsId: LrsId | undefined): void {
    const failures = [...this.#checkEndpoint(target, '/target')]
    if (source.lrsId === undefined) {
      failures.push(...this.#checkEndpoint(source.endpoint, '/source'))
      if (source.endpoint.url === target.url) failures.push(loopFailure)
    } else if (source.lrsId === targetLrsId) failures.push(loopFailure)
    refuse(failures)
  }

  #checkEndpoint({ url, user, password }: Endpoint, pointer: string): readonly Failure[] {
    const failures: Failure[] = [
      ...checkText(url, { pointer: `${pointer}/url`, rule: 'claviger/url', noun: 'An address' }),
      ...checkText(user, { pointer: `${pointer}/user`, rule: 'claviger/user', noun: 'A user name' }),
      ...checkText(password, { pointer: `${pointer}/password`, rule: 'claviger/password', noun: 'A password' }),
    ]
    const problem = problemWithUrl(url) ?? this.#parts.problemWith(url)
    if (problem !== undefined) failures.push({ pointer: `${pointer}/url`, rule: 'claviger/url', message: problem })
    if (user.includes(':')) {
      const message = 'A user name has no colon: Basic authentication splits there.'
      failures.push({ pointer: `${pointer}/user`, rule: 'claviger/user', message })
    }
    return failures
  }

  async #sealed(
    organisationId: OrganisationId,
    id: PipeId,
    { source, target }: { readonly source: SourceInput; readonly target: Endpoint },
  ): Promise<Pick<PipeRecord, 'lrsId' | 'source' | 'target'>> {
    const holder = await this.#holder(organisationId)
    const named = source.lrsId === undefined ? source.endpoint : source.shown
    const sealed = sealEndpoints(id, { source: named, target }, (place, clear) => {
      return this.#parts.vault.seal(holder, place, clear)
    })
    return { lrsId: source.lrsId ?? null, ...sealed }
  }

  async #open(record: PipeRecord, withPasswords: boolean): Promise<Pipe> {
    const { vault } = this.#parts
    const holder = await this.#holder(record.organisationId)
    const { source, target } = openEndpoints(record, (place, sealed) => vault.open(holder, place, sealed))
    const shown = (endpoint: Endpoint): Endpoint => (withPasswords ? endpoint : { ...endpoint, password: '' })
    const { id, applicationId, lrsId, pausedBecause, createdAt, updatedAt } = record
    return {
      ...{ id, applicationId, lrsId, pausedBecause, createdAt, updatedAt },
      source: source && shown(source),
      target: shown(target),
      progress: readProgress(record.progress),
    }
  }

  async #holder(organisationId: OrganisationId) {
    const organisation = await this.#directory.findOrganisation(organisationId)
    if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return organisation
  }

  #namesOf(source: SourceInput, target: Endpoint): { readonly [name: string]: Json } {
    const from = source.lrsId === undefined ? { source: source.endpoint.url } : { lrsId: source.lrsId }
    return { ...from, target: target.url, targetUser: target.user }
  }
}

/** Source and target in clear, as `sealEndpoints` sealed them. */
export function openEndpoints(
  { id, source, target }: Pick<PipeRecord, 'id' | 'source' | 'target'>,
  open: (place: { readonly row: string; readonly column: string }, sealed: string) => string,
): { readonly source: Endpoint | undefined; readonly target: Endpoint } {
  const read = (sealed: string, column: string) => JSON.parse(open({ row: id, column }, sealed)) as Endpoint
  return {
    source: source === null ? undefined : read(source, 'pipe.source'),
    target: read(target, 'pipe.target'),
  }
}

export function sealEndpoints(
  id: PipeId,
  { source, target }: { readonly source: Endpoint | undefined; readonly target: Endpoint },
  seal: (place: { readonly row: string; readonly column: string }, clear: string) => string,
): Pick<PipeRecord, 'source' | 'target'> {
  const write = (endpoint: Endpoint, column: string) => seal({ row: id, column }, JSON.stringify(endpoint))
  return { source: source ? write(source, 'pipe.source') : null, target: write(target, 'pipe.target') }
}

function sourceOf({ lrsId, source }: Pipe): SourceInput {
  if (lrsId !== null) return { lrsId, ...(source && { shown: source }) }
  if (source === undefined) throw new DomainError('internal', 'A pipe has no source.')
  return { endpoint: source }
}

function placeOf(source: SourceInput): string {
  return source.lrsId === undefined ? source.endpoint.url : `Lrs ${source.lrsId}`
}

/** The caller without its management of single applications: a pipe of none is not theirs, though it may read from their Lrs. */
function outsideApplications(caller: Caller): Caller {
  const management = caller.rights.management.filter(({ bound }) => bound.kind !== 'application')
  return { ...caller, rights: { ...caller.rights, management } }
}

function ownBound(lrsId: LrsId | null): Bound {
  return lrsId === null ? { kind: 'organisation' } : { kind: 'lrs', id: lrsId }
}

function boundName(bound: Bound): { readonly application?: string } {
  return bound.kind === 'application' ? { application: bound.id } : {}
}

/** What would be sent along with every request, or stand in a log. */
function problemWithUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'An address is a URL such as https://lrs.example.org/xapi.'
  const { protocol, username, password, search, hash, pathname } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return 'An address begins with https:// or http://.'
  if (username !== '' || password !== '') return 'User name and password do not belong into the address.'
  if (search !== '' || hash !== '' || /[?#]/.test(text)) return 'An address has neither a query nor a fragment.'
  if (/\/statements\/*$/.test(pathname)) return 'An address ends before /statements.'
  return undefined
}

function sourceFailure(message: string): Failure {
  return { pointer: '/source', rule: 'claviger/pipe-source', message }
}

const loopFailure: Failure = {
  pointer: '/target',
  rule: 'claviger/pipe-loop',
  message: 'Source and target are the same place: nothing would ever come of it.',
}

function noPipe(id: string): DomainError {
  return new DomainError('not_found', `There is no pipe ${JSON.stringify(id.slice(0, 100))}.`)
}
