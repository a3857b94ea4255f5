// The use cases of callbacks: whom an application asks about users nobody here knows, and who they are once it has answered. What
// a verified user stores belongs to the application's own credential. Ledger S1.11 to S1.19; decided in docs/decisions/0024.

import type { Applications } from './application.ts'
import { eventBy } from './audit.ts'
import { derivedAuthority } from './authority.ts'
import { CallbackVerdicts } from './callback-verdict.ts'
import type { Asked, CallbackPermission, CallbackProtocol } from './callback-verdict.ts'
import { checkShape, maxTextLength, refuse } from './check.ts'
import type { Log } from './core.ts'
import { DomainError, isDomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import type { ApplicationId } from './ids.ts'
import { hasExpired, organisationExpired } from './organisation.ts'
import type { Outbound } from './outbound.ts'
import { pinsSchema } from './pins.ts'
import type { Pins } from './pins.ts'
import { getPreset } from './presets.ts'
import type { Caller, Principal } from './principal.ts'
import type { Rights } from './rights.ts'
import { isLive } from './secret.ts'
import { notAccepted } from './sign-in.ts'
import type { Elsewhere } from './sign-in.ts'
import type { ApplicationPatch, ApplicationRecord, Clock, Json, OrganisationRecord, Storage } from './storage.ts'
import type { UsageMeter } from './usage.ts'
import type { KeyHolder, Vault } from './vault.ts'

export interface CallbackInput {
  readonly url: string
  /** Of the accounts whose names are user names; null: the application's own. Absent: as before. */
  readonly homePage?: string | null
  /** A user name that is an e-mail address is the user's mbox. Absent: as before. */
  readonly usesMbox?: boolean
}

export interface Callback {
  readonly url: string
  /** The one that counts, given or not. */
  readonly homePage: string
  readonly usesMbox: boolean
}

export interface CallbackTrial extends Asked {
  readonly callback: Callback
  /** What the user would be. */
  readonly user?: { readonly rights: Rights; readonly pins: Pins }
}

/** What was presented on one of the application's paths. */
export interface PresentedUser {
  readonly key: string
  readonly secret: string
  readonly address?: string | undefined
}

export interface CallbacksParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly applications: Applications
  readonly usage: UsageMeter
  readonly outbound: Outbound
  /** Nobody is asked without one. */
  readonly protocol?: CallbackProtocol | undefined
  readonly baseUrl: string
  readonly log?: Log | undefined
}

/** As it is sealed. */
type Sealed = Omit<Callback, 'homePage'> & { readonly homePage?: string }

const longestUrl = 2000
const longestPassword = 1000
const rule = 'claviger/callback'

export class Callbacks {
  readonly #parts: CallbacksParts
  readonly #verdicts: CallbackVerdicts | undefined

  constructor(parts: CallbacksParts) {
    this.#parts = parts
    const { protocol } = parts
    this.#verdicts = protocol && new CallbackVerdicts({ ...parts, protocol })
  }

  async set(caller: Caller, id: ApplicationId, input: CallbackInput): Promise<Callback> {
    const application = await this.#parts.applications.manage(caller, 'settings', 'write', id)
    refuse([...this.#checkUrl(input.url), ...checkHomePage(input.homePage)])
    const organisation = await this.#organisation(application)
    const before = this.#open(organisation, application)
    const { url, homePage = before?.homePage, usesMbox = before?.usesMbox ?? false } = input
    const sealed: Sealed = { url, usesMbox, ...(typeof homePage === 'string' && { homePage }) }
    const callback = sealCallback(this.#parts.vault, organisation, id, sealed)
    // The host alone: what stands behind it may be a secret.
    const detail = { host: new URL(url).host, usesMbox, homePage: homePage ?? null }
    await this.#update(caller, id, { callback }, 'callback.set', detail)
    return this.#shown(application, sealed)
  }

  async get(caller: Caller, id: ApplicationId): Promise<Callback | undefined> {
    const application = await this.#parts.applications.manage(caller, 'settings', 'read', id)
    const sealed = this.#open(await this.#organisation(application), application)
    return sealed && this.#shown(application, sealed)
  }

  /** Nobody is asked any more; none set is as well. */
  async reset(caller: Caller, id: ApplicationId): Promise<void> {
    const { callback } = await this.#parts.applications.manage(caller, 'settings', 'write', id)
    if (callback === null) return
    await this.#update(caller, id, { callback: null }, 'callback.reset', {})
  }

  /** What was answered about any user counts no more, on every node. */
  async forget(caller: Caller, id: ApplicationId): Promise<void> {
    const application = await this.#parts.applications.manage(caller, 'settings', 'write', id)
    demandCallback(application)
    await this.#update(caller, id, { forgetsVerdicts: true }, 'callback.forget', {})
  }

  /** Asks about a user now, and says what was answered and how it was read. Signs nobody in, remembers nothing. */
  async test(
    caller: Caller,
    id: ApplicationId,
    { user, password }: { readonly user: string; readonly password: string },
  ): Promise<CallbackTrial> {
    const application = await this.#parts.applications.manage(caller, 'settings', 'write', id)
    const sealed = this.#open(await this.#organisation(application), application)
    if (sealed === undefined || this.#verdicts === undefined) throw noCallback(id)
    refuse(checkUser(user, password))
    const asked = await this.#verdicts.ask({ url: sealed.url, user, password })
    const callback = this.#shown(application, sealed)
    if (asked.verdict.kind !== 'verified') return { ...asked, callback }
    return { ...asked, callback, user: meaningOf(asked.verdict.permission, callback, user) }
  }

  /** Whom sign-in asks where no key of ours fits; undefined: nobody. */
  elsewhere(application: ApplicationRecord, presented: PresentedUser): Elsewhere | undefined {
    const verdicts = this.#verdicts
    if (application.callback === null || verdicts === undefined) return undefined
    return {
      name: `callback ${application.id} ${generationOf(application)}`,
      find: (mayAsk) => this.#find(application, presented, { verdicts, mayAsk }),
    }
  }

  async #find(
    application: ApplicationRecord,
    { key, secret, address }: PresentedUser,
    { verdicts, mayAsk }: { readonly verdicts: CallbackVerdicts; readonly mayAsk: boolean },
  ): Promise<Principal | undefined> {
    if (checkUser(key, secret).length > 0) return undefined
    const { platform } = this.#parts.storage
    const { id, organisationId, credentialId } = application
    const generation = generationOf(application)
    const candidates = await platform.findSignInCandidates(id, undefined, organisationId)
    const own = candidates.find(({ credential }) => credential.id === credentialId)
    if (own === undefined) return undefined
    const { organisation, credential } = own
    const refused = (refusal: string): void =>
      this.#parts.usage.countFor({ organisationId, credentialId, address }, { refusal })
    const sealed = this.#open(organisation, application)
    if (sealed === undefined) return undefined
    if (hasExpired(organisation, this.#parts.clock.now())) throw organisationExpired()
    if (!isLive(credential, this.#parts.clock.now())) {
      refused('disabled')
      throw wasNoGuess('application')
    }
    const question = { applicationId: id, generation, url: sealed.url, user: key, password: secret }
    const found = await verdicts.find(question, mayAsk).catch((error: unknown) => {
      if (isDomainError(error) && error.code === 'unavailable') refused('callback_busy')
      throw error
    })
    if (found?.permission === undefined) {
      refused(`callback_${found?.kind ?? 'unasked'}`)
      // Counted as guesses, an outage would lock its users out beyond its end.
      if (found?.kind === 'unreachable') throw wasNoGuess('callback')
      return undefined
    }
    return {
      ...{ organisationId, credentialId, name: key, key, kind: 'client', signedInBy: 'callback' },
      ...meaningOf(found.permission, this.#shown(application, sealed), key),
      limits: credential.limits,
      lrsIds: [application.liveLrsId, application.sandboxLrsId],
      closedLrsIds: organisation.closedLrsIds,
      defaultLrsId: organisation.defaultLrsId ?? application.liveLrsId,
      authority:
        credential.authority ?? derivedAuthority(this.#parts.baseUrl, { name: application.name, oid: credential.oid }),
      notAfter: Math.min(found.until, credential.expiresAt ?? Infinity),
      ...(organisation.expiresAt === null ? {} : { organisationExpiresAt: organisation.expiresAt }),
    }
  }

  #shown({ id }: ApplicationRecord, { url, homePage, usesMbox }: Sealed): Callback {
    return { url, usesMbox, homePage: homePage ?? `${this.#parts.baseUrl}/lrs/${id}` }
  }

  #open(holder: KeyHolder, application: ApplicationRecord): Sealed | undefined {
    return openCallback(this.#parts.vault, holder, application) as Sealed | undefined
  }

  async #organisation({ organisationId }: ApplicationRecord): Promise<OrganisationRecord> {
    const found = await this.#parts.storage.directory.findOrganisation(organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }

  async #update(
    caller: Caller,
    id: ApplicationId,
    patch: Omit<ApplicationPatch, 'at'>,
    action: string,
    detail: Json,
  ): Promise<void> {
    const { storage, clock } = this.#parts
    const event = eventBy(caller, clock, action, { noun: 'application', id }, detail)
    await storage.directory.updateApplication(caller.organisationId, id, { ...patch, at: clock.now() }, event)
  }

  #checkUrl(url: string): readonly Failure[] {
    const problem = urlProblem(url) ?? this.#parts.outbound.problemWith(url)
    return problem === undefined ? [] : [{ pointer: '/url', rule, message: `This is no callback: ${problem}.` }]
  }
}

/** Whom an application asks, as it is sealed but in clear; undefined: nobody. */
export function openCallback(
  vault: Vault,
  holder: KeyHolder,
  { id, callback }: Pick<ApplicationRecord, 'id' | 'callback'>,
): Json | undefined {
  return callback === null ? undefined : (JSON.parse(vault.open(holder, placeOf(id), callback)) as Json)
}

/** What `openCallback` gives. */
export function sealCallback(vault: Vault, holder: KeyHolder, id: ApplicationId, clear: Json): string {
  return vault.seal(holder, placeOf(id), JSON.stringify(clear))
}

function urlProblem(url: string): string | undefined {
  if (url.length > longestUrl) return `a URL has at most ${longestUrl} characters`
  // `URL` would take them out in silence, or escape them.
  if (/[\u0000-\u0020\u007f]|\p{Surrogate}/u.test(url)) return 'a URL has no spaces, line ends or control characters'
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') return 'the URL must begin with https://'
  return undefined
}

function checkHomePage(homePage: string | null | undefined): readonly Failure[] {
  if (typeof homePage !== 'string') return []
  if (/[\u0000-\u0020\u007f]|\p{Surrogate}/u.test(homePage)) {
    return [{ pointer: '/homePage', rule, message: 'The homePage of an account is an absolute URL.' }]
  }
  const failures = checkShape(pinsSchema, { actor: [{ accountName: 'any', homePage }] }, '')
  return failures.map(({ message }) => ({ pointer: '/homePage', rule, message }))
}

// Nobody is called so, or nobody should be: no endpoint is asked.
function checkUser(user: string, password: string): readonly Failure[] {
  const message = `A user name has 1 to ${maxTextLength} characters, no colon and no control characters; a password at most ${longestPassword}.`
  const isUser = user !== '' && user.length <= maxTextLength && !/[\u0000-\u001f\u007f:]|\p{Surrogate}/u.test(user)
  if (isUser && password.length <= longestPassword && !/\p{Surrogate}/u.test(password)) return []
  return [{ pointer: '/user', rule, message }]
}

/** S1.16 and S1.17: what is about themselves is what has them as its actor. */
function meaningOf(permission: CallbackPermission, { homePage, usesMbox }: Callback, user: string) {
  const rights = rightsOf[permission]
  if (permission !== 'own') return { rights, pins: {} }
  const isMbox = usesMbox && /^[^@\s]+@[^@\s]+$/.test(user)
  const pins: Pins = { actor: [isMbox ? { mbox: `mailto:${user}` } : { accountName: user, homePage }] }
  return { rights, pins }
}

const rightsOf: Readonly<Record<CallbackPermission, Rights>> = {
  own: getPreset('actor').rights,
  everything: getPreset('xapi').rights,
  reading: getPreset('read-only').rights,
}

/** Of the callback: an id that was given again, after its application was deleted, begins anew. */
function generationOf({ createdAt, callbackGeneration }: ApplicationRecord): string {
  return `${createdAt} ${callbackGeneration}`
}

function placeOf(id: ApplicationId) {
  return { row: id, column: 'application.callback' }
}

function demandCallback({ id, callback }: ApplicationRecord): void {
  if (callback === null) throw noCallback(id)
}

function noCallback(id: ApplicationId): DomainError {
  return new DomainError('not_found', `The application ${id} has no callback.`)
}

/** Refused, but nobody guessed: sign-in counts what it is told, not what is thrown. */
function wasNoGuess(decidedBy: string): DomainError {
  return new DomainError('unauthenticated', notAccepted, { detail: { decidedBy } })
}
