// Stateless bearer tokens: signed with a key derived from the organisation's data key and one secret's generation, never
// with a secret its holder knows. Worth what the credential is worth at the time of use, or less.

import { SignJWT, decodeJwt, jwtVerify } from 'jose'
import { z } from 'zod'
import { checkShape, checkWhole, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import { maxId } from './ids.ts'
import type { OrganisationId, SecretId } from './ids.ts'
import type { Principal } from './principal.ts'
import { missingFrom, rightsSchema } from './rights.ts'
import type { Rights } from './rights.ts'
import type {
  Clock,
  CredentialRecord,
  DirectoryStore,
  Ids,
  OrganisationRecord,
  SecretRecord,
  Storage,
} from './storage.ts'
import type { Vault } from './vault.ts'

export const tokenSeconds = { min: 1, max: 86_400, default: 3600 } as const
/** How far off an absolute end may be: ten years, by when its secret should long have been another. */
export const longestTokenMs = 3653 * 86_400_000
/** Words of a face, all of them: a token travels in a header. */
const longestScopes = 4_000

export interface NewTokenInput {
  /** A mask; all of the principal's rights, present and future, unless given. `forbidden` when wider than them. */
  readonly rights?: Rights
  /** Words of the face that issues it, for the same face to judge by; shown to nobody else. */
  readonly scopes?: readonly string[]
  /** 1 second to a day; an hour unless given. */
  readonly expireSeconds?: number
  /** Instead: Unix milliseconds, after now and within `longestTokenMs`; the second it falls into is the last. */
  readonly expiresAt?: number
}

export interface IssuedToken {
  readonly token: string
  /** Unix milliseconds. */
  readonly expiresAt: number
  readonly expireSeconds: number
}

/** What a genuine token names, read fresh. Whether its credential may still sign in is for sign-in to say. */
export interface VerifiedToken {
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
  readonly secret: SecretRecord
  readonly mask: Rights | undefined
  readonly scopes: readonly string[] | undefined
  readonly expiresAt: number
}

const algorithm = 'HS256'
const issuer = 'claviger'
const maxTokenLength = 16_384

/** Only these members count; the rest of a token is ignored. */
const claimsSchema = z.object({
  /** Organisation. */
  org: z.int().min(1).max(maxId),
  /** Credential. */
  sub: z.string().regex(/^[1-9][0-9]{0,9}$/),
  /** The secret it stands and falls with. */
  sid: z.uuid(),
  exp: z.int(),
  rights: rightsSchema.exactOptional(),
  scopes: z.array(z.string()).exactOptional(),
})

export class Tokens {
  readonly #directory: DirectoryStore
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, vault, clock, ids }: { storage: Storage; vault: Vault; clock: Clock; ids: Ids }) {
    this.#directory = storage.directory
    this.#vault = vault
    this.#clock = clock
    this.#ids = ids
  }

  /** For a principal that signed in with one of its credential's secrets; sessions and tokens get none. */
  async issue(principal: Principal, input: NewTokenInput = {}): Promise<IssuedToken> {
    const { rights, scopes } = input
    const now = this.#clock.now()
    refuse([
      ...checkLife(input, now),
      ...(rights === undefined ? [] : checkShape(rightsSchema, rights, '/rights')),
      ...(scopes === undefined ? [] : checkScopes(scopes)),
    ])
    const secretId = secretOf(principal)
    if (rights !== undefined) refuseWider(rights, principal.rights)
    const found = await this.#find(principal.organisationId, secretId)
    if (found === undefined) throw new DomainError('unauthenticated', 'The secret is no longer valid.')
    const issuedAt = Math.floor(now / 1000)
    const exp = endOf(input, issuedAt)
    const claims = {
      org: principal.organisationId,
      sid: secretId,
      ...(rights && { rights }),
      ...(scopes && { scopes }),
    }
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: secretId })
      .setIssuer(issuer)
      .setSubject(String(principal.credentialId))
      .setJti(this.#ids.uuid())
      .setIssuedAt(issuedAt)
      .setExpirationTime(exp)
      .sign(this.#vault.tokenKey(found.organisation, found.secret))
    return { token, expiresAt: exp * 1000, expireSeconds: exp - issuedAt }
  }

  /** Undefined for anything but a token of ours that still stands. */
  async verify(token: string): Promise<VerifiedToken | undefined> {
    const claims = readClaims(token)
    if (claims === undefined) return undefined
    const found = await this.#find(claims.org as OrganisationId, claims.sid as SecretId)
    if (found === undefined || String(found.credential.id) !== claims.sub) return undefined
    const key = this.#vault.tokenKey(found.organisation, found.secret)
    if (!(await this.#isGenuine(token, key, claims.sid))) return undefined
    return { ...found, mask: claims.rights as Rights | undefined, scopes: claims.scopes, expiresAt: claims.exp * 1000 }
  }

  // The algorithm is pinned here; what the token's header asks for decides nothing.
  async #isGenuine(token: string, key: Uint8Array, kid: string): Promise<boolean> {
    const currentDate = new Date(this.#clock.now())
    try {
      const verified = await jwtVerify(token, key, { algorithms: [algorithm], issuer, typ: 'JWT', currentDate })
      return verified.protectedHeader.kid === kid
    } catch {
      return false
    }
  }

  async #find(organisationId: OrganisationId, secretId: SecretId) {
    const [organisation, credential] = await Promise.all([
      this.#directory.findOrganisation(organisationId),
      this.#directory.findCredentialBySecret(organisationId, secretId),
    ])
    const secret = credential?.secrets.find(({ id }) => id === secretId)
    if (organisation === undefined || credential === undefined || secret === undefined) return undefined
    return { organisation, credential, secret }
  }
}

function checkLife(
  { expireSeconds = tokenSeconds.default, expiresAt }: NewTokenInput,
  now: number,
): readonly Failure[] {
  if (expiresAt === undefined) {
    return checkWhole(expireSeconds, { ...tokenSeconds, pointer: '/expireSeconds', noun: 'expireSeconds' })
  }
  if (Number.isInteger(expiresAt) && expiresAt > now && expiresAt <= now + longestTokenMs) return []
  const latest = new Date(now + longestTokenMs).toISOString()
  const message = `A token ends after now (${new Date(now).toISOString()}) and no later than ${latest}.`
  return [{ pointer: '/expiresAt', rule: 'claviger/range', message }]
}

/** Unix seconds, as tokens have them. */
function endOf({ expireSeconds = tokenSeconds.default, expiresAt }: NewTokenInput, issuedAt: number): number {
  return expiresAt === undefined ? issuedAt + expireSeconds : Math.ceil(expiresAt / 1000)
}

function checkScopes(scopes: readonly string[]): readonly Failure[] {
  if (JSON.stringify(scopes).length <= longestScopes) return []
  const message = `The scopes of a token take at most ${longestScopes} characters.`
  return [{ pointer: '/scopes', rule: 'claviger/scopes', message }]
}

// Unverified: only good for finding the key that verifies the same bytes.
function readClaims(token: string): z.infer<typeof claimsSchema> | undefined {
  if (token.length > maxTokenLength) return undefined
  try {
    return claimsSchema.safeParse(decodeJwt(token)).data
  } catch {
    return undefined
  }
}

function secretOf({ signedInBy, sessionId, secretId }: Principal): SecretId {
  if (signedInBy === 'basic' && sessionId === undefined && secretId !== undefined) return secretId
  throw new DomainError('forbidden', 'Tokens are issued to a key and its secret, not to a session or another token.', {
    detail: { decidedBy: sessionId === undefined ? 'token' : 'session' },
  })
}

function refuseWider(rights: Rights, held: Rights): void {
  const missing = missingFrom(rights, held)
  if (missing.length === 0) return
  throw new DomainError('forbidden', `A token is never wider than its key, which lacks ${missing.join(', ')}.`, {
    detail: { decidedBy: missing[0] ?? 'token' },
  })
}
