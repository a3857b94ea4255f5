// From what was presented to a `Principal`. Warm sign-ins are answered from memory; a committed change of the directory
// takes effect on the very next one. Unknown keys and wrong secrets are told apart by nobody.

import { createHash, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { derivedAuthority } from './authority.ts'
import { maxTextLength } from './check.ts'
import { DirectoryChanges } from './directory-changes.ts'
import { DomainError } from './errors.ts'
import type { Attempt, FailureLimit } from './failure-limit.ts'
import type { Oid, OrganisationId, SecretId } from './ids.ts'
import type { Meter } from './meter.ts'
import { hasExpired, organisationExpired } from './organisation.ts'
import { combinePins } from './pins.ts'
import type { Caller, Principal, SignedInBy } from './principal.ts'
import { everyRight, intersect } from './rights.ts'
import type { Rights } from './rights.ts'
import { isLive, secretPlace } from './secret.ts'
import { findSecretOver, sessionPlace } from './session.ts'
import { SessionUses } from './session-use.ts'
import type { SessionUse } from './session-use.ts'
import type { Clock, CredentialRecord, SecretRecord, SignInCandidate, Storage } from './storage.ts'
import type { Tokens } from './token.ts'
import type { UsageMeter } from './usage.ts'
import type { KeyHolder, Place, Vault } from './vault.ts'

export interface BasicAttempt {
  readonly key: string
  readonly secret: string
  /** The organisation the path names; nobody else's credentials are looked at. */
  readonly within?: OrganisationId | undefined
  /** The client's address, for limiting failures and for the audit log. */
  readonly address?: string | undefined
  /** What the client says it is (User-Agent), for keys that are bound to where they were used first. Undefined: nobody's request. */
  readonly browser?: string | undefined
  readonly elsewhere?: Elsewhere | undefined
}

/** Whom to ask where no key of ours fits what was presented. */
export interface Elsewhere {
  /** Different wherever the same key and secret may be answered differently. */
  readonly name: string
  /**
   * Undefined: a guess, counted as one; what is thrown is none. A principal is remembered until its end. `mayAsk` false: too many
   * guesses came from the address, so only what is known already counts; no stranger is asked on behalf of a guesser.
   */
  find(mayAsk: boolean): Promise<Principal | undefined>
}

export interface SignedAttempt {
  readonly key: string
  readonly within?: OrganisationId | undefined
  readonly address?: string | undefined
  /** Which credentials sign in this way at all. */
  accepts(credential: CredentialRecord): boolean
  /** Whether the request was signed with this secret of this credential; in constant time. */
  fits(secret: string, credential: CredentialRecord): boolean
}

export interface BearerAttempt {
  readonly token: string
  readonly within?: OrganisationId | undefined
  readonly address?: string | undefined
}

export interface SignInParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly tokens: Tokens
  readonly usage: UsageMeter
  readonly failures: FailureLimit
  /** homePage of derived authorities. */
  readonly baseUrl: string
  readonly meter: Meter
}

/** Verified sign-ins in memory. */
const cachedSignIns = 20_000
/** Keys in memory whose requests are signed, each anew. */
const cachedSigners = 5_000
/** One message for every reason. */
export const notAccepted = 'The credentials were not accepted.'

export class SignIn {
  readonly #parts: SignInParts
  readonly #failures: FailureLimit
  readonly #processKey = randomBytes(32).toString('hex')
  readonly #cache = new LRUCache<string, Entry>({ max: cachedSignIns })
  readonly #flights = new Map<string, Flight>()
  readonly #signers = new LRUCache<string, Signers>({ max: cachedSigners })
  readonly #decoy: { readonly holder: KeyHolder; readonly place: Place; readonly sealed: string }
  readonly #changes: DirectoryChanges
  readonly #uses: SessionUses

  constructor(parts: SignInParts) {
    this.#parts = parts
    this.#failures = parts.failures
    this.#decoy = decoyOf(parts.vault)
    this.#changes = new DirectoryChanges(parts.storage)
    this.#uses = new SessionUses({ launches: parts.storage.launches, clock: parts.clock })
  }

  /**
   * Throws `unauthenticated` (one message for every reason) or `rate_limited`. `decidedBy` tells whoever has the right secret what
   * of its key has ended or is switched off.
   */
  async basic(attempt: BasicAttempt): Promise<Principal> {
    const { key, secret, within, elsewhere } = attempt
    const name = this.#nameOf('basic', within, elsewhere?.name ?? '', key, secret)
    return this.#warm(name, attempt) ?? this.#cold(name, attempt, key, (entered) => this.#match(attempt, entered))
  }

  async bearer(attempt: BearerAttempt): Promise<Principal> {
    const { token, within } = attempt
    const name = this.#nameOf('bearer', within, token)
    return (
      this.#warm(name, attempt) ?? this.#cold(name, attempt, undefined, (entered) => this.#verify(attempt, entered))
    )
  }

  /**
   * By a signature made with one of the key's secrets. Throws as `basic`; `decidedBy` tells `key` from `signature`, for protocols
   * that answer the two differently, and both from what has ended or is switched off.
   */
  async signed(attempt: SignedAttempt): Promise<Principal> {
    const { key, address } = attempt
    const found = await this.#signersOf(attempt)
    const accepted = found.filter(({ credential, session }) => session === undefined && attempt.accepts(credential))
    const matches = accepted.flatMap((candidate) => this.#signing(candidate, attempt))
    const now = this.#parts.clock.now()
    const live = matches.find((match) => lapse(match, now, 'signed') === undefined)
    if (live === undefined) {
      const entered = await this.#failures.enter(key, address)
      const lapsed = matches.map((match) => ({ ...match, reason: lapse(match, now, 'signed') ?? 'disabled' }))
      for (const { candidate, secret, reason } of lapsed) this.#refused(candidate, secret, reason, address)
      if (lapsed.length > 0) await entered.wasNoGuess()
      else for (const candidate of accepted) this.#refused(candidate, undefined, 'wrong_signature', address)
      const decidedBy = lapsed[0]?.reason ?? (accepted.length === 0 ? 'key' : 'signature')
      throw entered.tooMany ?? notAcceptedFor(decidedBy)
    }
    // Counted beforehand, as guesses are elsewhere, the calls that are under way at once would be too many.
    await this.#failures.demandRoom(key, address)
    this.#demandUnexpired(live, address)
    const principal = this.#principalOf(live.candidate, { secret: live.secret, signedInBy: 'signed' })
    return address === undefined ? principal : { ...principal, address }
  }

  /** Grows with every committed change of any organisation: read it before signing in, for `isCurrent`. */
  get changes(): number {
    return this.#changes.count
  }

  /** Whether the sign-in that began at a count of `since` changes would still end in this principal: false means ask again. */
  isCurrent(principal: Principal, since: number): boolean {
    return this.#isCurrent({ principal, since })
  }

  /** The operator at the command line: every right in one organisation. */
  operator(organisationId: OrganisationId, name: string): Caller {
    return { organisationId, name, rights: everyRight }
  }

  close(): void {
    this.#changes.close()
    this.#cache.clear()
  }

  // One hash that begins with a key of this process: what was presented is not kept, and its hash says nothing elsewhere.
  // Nobody sees it, so the simple construction does what an HMAC would at several times the cost.
  #nameOf(way: SignedInBy, within: OrganisationId | undefined, ...presented: readonly string[]): string {
    const text = [this.#processKey, way, within ?? '', ...presented.map((part) => `${part.length}:${part}`)].join('\n')
    return hash('sha256', text, 'base64')
  }

  #warm(name: string, from: Origin): Principal | undefined {
    const entry = this.#cache.get(name)
    if (entry === undefined) return undefined
    if (this.#isCurrent(entry)) {
      this.#parts.meter.signedIn('memory')
      return this.#handOut(entry, from)
    }
    this.#cache.delete(name)
    return undefined
  }

  #isCurrent({ principal, since }: Pick<Entry, 'principal' | 'since'>): boolean {
    const { organisationId, notAfter = Infinity, organisationExpiresAt = Infinity } = principal
    if (!this.#changes.isCurrent(since, organisationId)) return false
    return this.#parts.clock.now() < Math.min(notAfter, organisationExpiresAt)
  }

  // The same thing presented many times at once is verified once, unless something changed since that began.
  async #cold(
    name: string,
    from: Origin,
    key: string | undefined,
    find: (entered: Attempt) => Promise<Found | undefined>,
  ): Promise<Principal> {
    const flightName = `${name} ${from.address ?? ''}`
    const since = this.#changes.count
    const under = this.#flights.get(flightName)
    if (under?.since === since) return this.#handOut(await under.entry, from)
    const entry = this.#land(name, since, from.address, key, find)
    const flight = { since, entry }
    this.#flights.set(flightName, flight)
    try {
      return this.#handOut(await entry, from)
    } finally {
      if (this.#flights.get(flightName) === flight) this.#flights.delete(flightName)
    }
  }

  async #land(
    name: string,
    since: number,
    address: string | undefined,
    key: string | undefined,
    find: (entered: Attempt) => Promise<Found | undefined>,
  ): Promise<Entry> {
    const entered = await this.#failures.enter(key, address)
    const found = await find(entered).catch(async (error: unknown) => {
      // The store was out of reach: counted as guesses, an outage would lock everybody out beyond its end.
      await entered.wasNoGuess()
      throw error
    })
    if (found === undefined) {
      throw entered.tooMany ?? new DomainError('unauthenticated', notAccepted)
    }
    await entered.wasNoGuess()
    this.#parts.meter.signedIn('store')
    const entry: Entry = { ...found, since, last: found.principal }
    // A change that was committed while we read may have ended what we just verified: then the next one reads again.
    const isSettled = found.use === undefined || this.#uses.isSettled(found.use)
    if (isSettled && this.#isCurrent(entry)) this.#cache.set(name, entry)
    return entry
  }

  // Whoever shares an entry was verified, but not where from.
  #handOut(entry: Entry, { address, browser }: Origin): Principal {
    const { principal, use } = entry
    if (use === undefined) return at(entry, address)
    if (!this.#uses.mayUse(use, browser)) {
      const { organisationId, credentialId } = principal
      this.#parts.usage.countFor({ organisationId, credentialId, secretId: undefined, address }, { refusal: 'bound' })
      throw notAcceptedFor('bound')
    }
    this.#uses.extend(use)
    return at(entry, address)
  }

  async #match(attempt: BasicAttempt, entered: Attempt): Promise<Found | undefined> {
    const { key, secret, within, address, elsewhere } = attempt
    // No key is empty or this long; the query is made all the same.
    const wanted = key.length > maxTextLength ? '' : key
    const pair = this.#parts.vault.pairOf(wanted, secret)
    const bring = this.#uses.bringing()
    const found = await this.#parts.storage.platform.findSignInCandidates(wanted, pair, within)
    const candidates = await Promise.all(found.map(bring))
    const matches = this.#matching(candidates, secret)
    if (matches.length === 0) {
      const other = await elsewhere?.find(entered.tooMany === undefined)
      if (other !== undefined) return { principal: other }
      for (const candidate of candidates) this.#refused(candidate, undefined, 'wrong_secret', address)
      return undefined
    }
    const now = this.#parts.clock.now()
    const live = matches.find((match) => lapse(match, now, 'basic') === undefined)
    if (live !== undefined) {
      this.#demandUnexpired(live, address)
      const use = await this.#uses.begin(live.candidate.session, attempt.browser)
      const principal = this.#principalOf(live.candidate, { secret: live.secret, signedInBy: 'basic' })
      return { principal, ...(use && { use }) }
    }
    const lapsed = matches.map((match) => ({ ...match, reason: lapse(match, now, 'basic') ?? 'disabled' }))
    for (const { candidate, secret: found, reason } of lapsed) this.#refused(candidate, found, reason, address)
    await entered.wasNoGuess()
    throw entered.tooMany ?? notAcceptedFor(lapsed[0]?.reason)
  }

  // Of all organisations where the path names none: the signature decides, as no pair can.
  async #signersOf({ key, within }: SignedAttempt): Promise<readonly SignInCandidate[]> {
    const wanted = key.length > maxTextLength ? '' : key
    const name = `${within ?? ''} ${wanted}`
    const known = this.#signers.get(name)
    if (known !== undefined && this.#changes.isCurrent(known.since, within)) return known.candidates
    const since = this.#changes.count
    const candidates = await this.#parts.storage.platform.findSignInCandidates(wanted, undefined, within)
    this.#signers.set(name, { since, candidates })
    return candidates
  }

  #signing(candidate: SignInCandidate, { fits }: SignedAttempt): readonly Match[] {
    const { credential, organisation } = candidate
    return credential.secrets.flatMap((secret) => {
      const clear = this.#open(organisation, secretPlace(secret.id), secret.sealed)
      return clear !== undefined && fits(clear, credential) ? [{ candidate, secret }] : []
    })
  }

  // Every secret that counts is compared, none is skipped once one has matched. All are of one organisation: the one that
  // holds the pair (0009), or that of the session, whose key no other has.
  #matching(candidates: readonly SignInCandidate[], presented: string): readonly Match[] {
    const matches: Match[] = []
    let compared = 0
    for (const candidate of candidates) {
      for (const { place, sealed, secret } of sealedOf(candidate)) {
        compared += 1
        if (this.#fits(candidate.organisation, place, sealed, presented)) matches.push({ candidate, secret })
      }
    }
    const { holder, place, sealed } = this.#decoy
    if (compared === 0) this.#fits(holder, place, sealed, presented)
    return matches
  }

  // A value that does not open fits nothing: one damaged row must not lock out the others that share its key.
  #fits(holder: KeyHolder, place: Place, sealed: string, presented: string): boolean {
    const clear = this.#open(holder, place, sealed)
    return clear !== undefined && timingSafeEqual(sha256(clear), sha256(presented))
  }

  #open(holder: KeyHolder, place: Place, sealed: string): string | undefined {
    try {
      return this.#parts.vault.open(holder, place, sealed)
    } catch {
      return undefined
    }
  }

  async #verify({ token, within, address }: BearerAttempt, entered: Attempt): Promise<Found | undefined> {
    const verified = await this.#parts.tokens.verify(token)
    if (verified === undefined) return undefined
    const { organisation, credential, secret, mask, scopes, expiresAt } = verified
    if (within !== undefined && organisation.id !== within) return undefined
    const candidate = { organisation, credential, holdsPair: false }
    const reason = lapse({ candidate, secret }, this.#parts.clock.now(), 'bearer')
    if (reason === undefined) {
      this.#demandUnexpired({ candidate, secret }, address)
      return { principal: this.#principalOf(candidate, { secret, signedInBy: 'bearer', mask, scopes, expiresAt }) }
    }
    this.#refused(candidate, secret, reason, address)
    await entered.wasNoGuess()
    throw entered.tooMany ?? notAcceptedFor(reason)
  }

  /** Only whoever has the right secret is told. */
  #demandUnexpired({ candidate, secret }: Match, address: string | undefined): void {
    if (!hasExpired(candidate.organisation, this.#parts.clock.now())) return
    this.#refused(candidate, secret, 'organisation_expired', address)
    throw organisationExpired()
  }

  #principalOf({ organisation, credential, session }: SignInCandidate, how: How): Principal {
    const pins = combinePins(credential.pins, session?.pins ?? {})
    const narrowed = [session?.rights, how.mask].reduce<Rights>(
      (rights, mask) => (mask === undefined ? rights : intersect(rights, mask)),
      credential.rights,
    )
    const over = session && findSecretOver(session, credential, this.#parts.clock.now())
    const ends = [credential.expiresAt, session?.expiresAt, over?.expiresAt, how.secret?.expiresAt, how.expiresAt]
    const notAfter = Math.min(...ends.map((end) => end ?? Infinity))
    return {
      organisationId: organisation.id,
      credentialId: credential.id,
      name: credential.name,
      key: session?.key ?? credential.key,
      kind: credential.kind,
      signedInBy: how.signedInBy,
      // Pins that have come to contradict each other let nothing pass.
      rights: pins === undefined ? { ...narrowed, xapi: {} } : narrowed,
      pins: pins ?? credential.pins,
      limits: credential.limits,
      lrsIds: credential.lrsIds,
      closedLrsIds: organisation.closedLrsIds,
      defaultLrsId: organisation.defaultLrsId ?? firstLrs(credential),
      authority: credential.authority ?? derivedAuthority(this.#parts.baseUrl, credential),
      ...(session === undefined ? {} : { sessionId: session.id }),
      ...(session?.launch && { launch: session.launch }),
      ...(how.secret === undefined ? {} : { secretId: how.secret.id }),
      ...(how.scopes === undefined ? {} : { scopes: how.scopes }),
      ...(notAfter === Infinity ? {} : { notAfter }),
      ...(organisation.expiresAt === null ? {} : { organisationExpiresAt: organisation.expiresAt }),
    }
  }

  #refused(
    { organisation, credential }: SignInCandidate,
    secret: SecretRecord | undefined,
    refusal: string,
    address: string | undefined,
  ): void {
    const counting = { organisationId: organisation.id, credentialId: credential.id, secretId: secret?.id, address }
    this.#parts.usage.countFor(counting, { refusal })
  }
}

/** Where a request comes from. */
type Origin = Pick<BasicAttempt, 'address' | 'browser'>

interface Found {
  readonly principal: Principal
  /** Of the session of a launch. */
  readonly use?: SessionUse
}

interface Entry extends Found {
  /** The count of changes before the first read. */
  readonly since: number
  /** As handed out last: most clients stay at one address. */
  last: Principal
}

/** Whoever may have signed as one key. */
interface Signers {
  /** The count of changes before the read. */
  readonly since: number
  readonly candidates: readonly SignInCandidate[]
}

interface Flight {
  readonly since: number
  readonly entry: Promise<Entry>
}

interface Match {
  readonly candidate: SignInCandidate
  /** Undefined for a session's. */
  readonly secret: SecretRecord | undefined
}

interface How {
  readonly signedInBy: SignedInBy
  readonly secret: SecretRecord | undefined
  readonly mask?: Rights | undefined
  readonly scopes?: readonly string[] | undefined
  readonly expiresAt?: number
}

function at(entry: Entry, address: string | undefined): Principal {
  if (entry.last.address !== address) {
    entry.last = address === undefined ? entry.principal : { ...entry.principal, address }
  }
  return entry.last
}

function sealedOf({ credential, session, holdsPair }: SignInCandidate) {
  if (session !== undefined) return [{ place: sessionPlace(session.oid), sealed: session.sealed, secret: undefined }]
  if (!holdsPair) return []
  return credential.secrets.map((secret) => ({ place: secretPlace(secret.id), sealed: secret.sealed, secret }))
}

/** `decidedBy`: for faces whose vendor tells why the right secret was refused; the others answer all alike. */
function notAcceptedFor(decidedBy = 'disabled'): DomainError {
  return new DomainError('unauthenticated', notAccepted, { detail: { decidedBy } })
}

/** Why the right secret is not enough: `disabled`, `expired`. */
function lapse(
  { candidate: { credential, session }, secret }: Match,
  now: number,
  signedInBy: SignedInBy,
): string | undefined {
  if (!credential.isEnabled) return 'disabled'
  if (credential.oauth !== null && signedInBy === 'basic' && session === undefined) return 'signs_requests'
  if (!isLive(credential, now)) return 'expired'
  if (session !== undefined) {
    if (session.expiresAt <= now) return 'session_expired'
    if (findSecretOver(session, credential, now) === undefined) return 'session_secret_ended'
  }
  if (secret === undefined || isLive(secret, now)) return undefined
  return secret.isEnabled ? 'secret_expired' : 'secret_disabled'
}

function firstLrs({ lrsIds, name }: CredentialRecord) {
  const [first] = lrsIds
  if (first === undefined) throw new DomainError('internal', `The credential ${name} has no Lrs.`)
  return first
}

/** Opened where a key is unknown, so that it takes the work of one that is known. */
function decoyOf(vault: Vault) {
  const holder = { oid: '0'.repeat(24) as Oid, wrappedKey: vault.newDataKey('0'.repeat(24) as Oid) }
  const place = secretPlace('decoy' as SecretId)
  return { holder, place, sealed: vault.seal(holder, place, randomBytes(20).toString('hex')) }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
