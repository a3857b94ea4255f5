// The use cases of credentials: creating, changing, revealing and removing one. Whether that may be, and what it comes to, is
// decided in credential-decision.ts; every change is audited in the transaction that makes it. Many at once: credential-bulk.ts.

import type { Decision } from './access.ts'
import type { AgentIdentity } from './authority.ts'
import { CredentialDecisions, whileClaiming } from './credential-decision.ts'
import type { Asking, Decided, DecidedSecret, NewRotation } from './credential-decision.ts'
import { DomainError, isDomainError } from './errors.ts'
import { failureLimits } from './failure-limit.ts'
import type { FailureLimit, FailureLimits } from './failure-limit.ts'
import { demand, explainGrant, explainLook, explainReveal } from './grant.ts'
import type { CredentialId, LrsId, Oid, SecretId } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import { describeRights, managementWarning } from './presets.ts'
import type { Described } from './presets.ts'
import type { Caller } from './principal.ts'
import { mayManage } from './rights.ts'
import type { ManagementAction, Rights } from './rights.ts'
import { checkKey, currentSecret, isLive, openSecrets, weakness } from './secret.ts'
import type { ClearSecret, NewSecret } from './secret.ts'
import { inSlices } from './slices.ts'
import type { Sliceable } from './slices.ts'
import type {
  Clock,
  CredentialKind,
  CredentialRecord,
  DirectoryStore,
  Ids,
  Json,
  Listed,
  OauthSigning,
  OidOrder,
  OrganisationRecord,
  SecretRecord,
  Slice,
  Storage,
} from './storage.ts'
import type { Vault } from './vault.ts'

export interface NewCredentialInput {
  readonly name: string
  readonly rights: Rights
  /** `client` unless given. */
  readonly kind?: CredentialKind
  /** Generated unless given. */
  readonly key?: string
  /** Generated unless given. */
  readonly secret?: string
  /** True unless given. */
  readonly isEnabled?: boolean
  readonly pins?: Pins
  readonly limits?: Limits
  /** The organisation's default Lrs unless given; of a client there may be none. */
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  /** Signs its requests; null unless given. */
  readonly oauth?: OauthSigning | null
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds; null = never. */
  readonly expiresAt?: number | null
  /** Unix milliseconds; now unless given. */
  readonly createdAt?: number
  /** Operators only, as what follows, so that all of it survives a move. */
  readonly updatedAt?: number
  readonly id?: CredentialId
  readonly oid?: Oid
  readonly allowDuplicateKey?: boolean
}

/** Only what is present changes; a present value replaces that field whole. */
export interface CredentialChange {
  readonly name?: string
  readonly key?: string
  /** Replaces the current secret (see `currentSecret`); the same value changes nothing. */
  readonly secret?: string
  readonly isEnabled?: boolean
  readonly rights?: Rights
  readonly pins?: Pins
  readonly limits?: Limits
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  readonly oauth?: OauthSigning | null
  readonly words?: Readonly<Record<string, Json>>
  readonly expiresAt?: number | null
  /** Unix milliseconds. */
  readonly createdAt?: number
  /** Operators only. */
  readonly allowDuplicateKey?: boolean
}

/** A change, or how to make it from the credential as it stands when its turn comes: nothing changes in between. */
export type ChangeFrom = CredentialChange | ((before: CredentialRecord) => CredentialChange)

export interface IssuedCredential {
  readonly credential: CredentialRecord
  readonly key: string
  /** The one secret, in clear. */
  readonly secret: string
}

export interface RevealedCredential {
  readonly credential: CredentialRecord
  /** Oldest first, as `credential.secrets`; none where the caller may look but not act as the credential. */
  readonly secrets: readonly ClearSecret[]
  /** The one to show where a protocol knows a single secret; undefined when there is none to show. */
  readonly secret: string | undefined
}

export interface CredentialFilter {
  readonly kind?: CredentialKind
  readonly key?: string
  /** One of these, at most 1,000. */
  readonly oids?: readonly Oid[]
  readonly ids?: readonly CredentialId[]
  readonly keys?: readonly string[]
  /** Its first Lrs is one of these, at most 100. */
  readonly homes?: readonly LrsId[]
  /** With a greater id: pages that go by it miss none while others are removed. */
  readonly after?: CredentialId
  /** In this order instead of that of ids. */
  readonly byOid?: OidOrder
}

export interface Rotation {
  readonly credential: CredentialRecord
  readonly secretId: SecretId
  /** The new secret, in clear. */
  readonly secret: string
}

export interface SecretChange {
  readonly name?: string
  readonly isEnabled?: boolean
  readonly expiresAt?: number | null
}

/** As `ChangeFrom`. */
export type SecretChangeFrom = SecretChange | ((before: SecretRecord) => SecretChange)

export interface DescribedCredential extends Described {
  readonly credential: CredentialRecord
  readonly warnings: readonly string[]
}

const pageSize = 1000
/** Of a change that other nodes were faster than; one of them gets through each time. */
const mostTries = 50

/** Of a refused pair. */
export const guessLimits: FailureLimits = { perKey: failureLimits.perKey, perAddress: Infinity }

export interface CredentialsParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** By `guessLimits`. */
  readonly guesses: FailureLimit
}

export class Credentials {
  readonly #directory: DirectoryStore
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #decisions: CredentialDecisions
  readonly #turns = new Map<CredentialId, Promise<unknown>>()
  /** By key and organisation: a refused pair tells that it is somebody's, so it is guessed as slowly as at sign-in. */
  readonly #guesses: FailureLimit

  constructor({ storage, vault, clock, ids, guesses }: CredentialsParts) {
    this.#guesses = guesses
    this.#directory = storage.directory
    this.#vault = vault
    this.#clock = clock
    this.#decisions = new CredentialDecisions({ directory: storage.directory, vault, clock, ids })
  }

  /** `conflict` when the organisation has the key, another one the key with this secret, or a chosen id is taken. */
  async create(caller: Caller, input: NewCredentialInput): Promise<IssuedCredential> {
    const decided = await this.#decisions.create(this.#asking(caller), input)
    const credential = await this.#write(caller, decided)
    return { credential, key: credential.key, secret: decided.secret }
  }

  /** `not_found` for another tenant's. Needs management of credentials, unless it is the caller's own. */
  async get(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return caller.credentialId === id ? this.#find(caller, id) : this.#look(caller, id)
  }

  /** The first of a key that the caller's management covers for `action`, whether or not it may list others. */
  async findByKey(
    caller: Caller,
    action: ManagementAction,
    filter: Required<Pick<CredentialFilter, 'kind' | 'key'>>,
  ): Promise<CredentialRecord | undefined> {
    demand(explainLook(caller, action))
    // Nobody has one that may not be made.
    if (checkKey(filter.key).length > 0) return undefined
    const slice = { offset: 0, limit: pageSize }
    const narrowed = { ...filter, ...withinBounds(caller) }
    const { items } = await this.#directory.listCredentials(caller.organisationId, narrowed, slice)
    return items.find((record) => explainLook(caller, action, record).allowed)
  }

  /** By id. A caller whose management is bound sees only what lies inside. */
  async list(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<CredentialRecord>> {
    demand(explainLook(caller, 'read'))
    if (mayManage(caller, 'credentials', 'read'))
      return this.#directory.listCredentials(caller.organisationId, filter, slice)
    const all: CredentialRecord[] = []
    const narrowed = { ...filter, ...withinBounds(caller) }
    for (;;) {
      const next = { offset: all.length, limit: pageSize }
      const page = await this.#directory.listCredentials(caller.organisationId, narrowed, next)
      all.push(...page.items)
      if (page.items.length === 0 || all.length >= page.total) break
    }
    const visible = all.filter((record) => explainLook(caller, 'read', record).allowed)
    return { items: visible.slice(slice.offset, slice.offset + slice.limit), total: visible.length }
  }

  /** As `get`, with secrets in clear; needs management that may write, also for the caller's own. */
  async reveal(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    const credential = await this.#look(caller, id)
    demand(explainReveal(caller, credential))
    return this.#revealed(caller, await this.#organisation(caller), credential)
  }

  /** As `list`, with secrets in clear where the caller may learn them. */
  async listRevealed(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<RevealedCredential>> {
    const { items, total } = await this.list(caller, filter, slice)
    return { items: await this.revealEach(caller, items), total }
  }

  /** Some of what `list` answered to the same caller, with secrets in clear where the caller may learn them. */
  async revealEach(caller: Caller, credentials: readonly CredentialRecord[]): Promise<readonly RevealedCredential[]> {
    const reveal = await this.revealer(caller)
    // Ten thousand take a quarter of a second.
    return inSlices(revealing(reveal, credentials))
  }

  /** As `revealEach`, for who finds out one by one whose secrets are looked at. */
  async revealer(caller: Caller): Promise<(credential: CredentialRecord) => RevealedCredential> {
    const organisation = await this.#organisation(caller)
    return (credential) => this.#revealed(caller, organisation, credential)
  }

  /** An accepted update counts as an edit even when it changes nothing. Pins stay unless the change names them. */
  update(caller: Caller, id: CredentialId, change: ChangeFrom): Promise<CredentialRecord> {
    return this.#edit(caller, id, change, 'credential.update')
  }

  enable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return this.#edit(caller, id, { isEnabled: true }, 'credential.enable')
  }

  /** Takes effect on the very next request, for its sessions and tokens too. */
  disable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return this.#edit(caller, id, { isEnabled: false }, 'credential.disable')
  }

  /** Removes it with its secrets and sessions, never its statements; returns what was removed. */
  async remove(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    const removed = await this.#change(caller, 'delete', id, (asking, found) => this.#decisions.remove(asking, found))
    return this.#revealed(caller, await this.#organisation(caller), removed.credential)
  }

  /**
   * A new secret in place of all others: they expire `overlapSeconds` from now, or when they would have anyway if that is
   * earlier. 0 = they are worth nothing from now on. Secrets that expired before are dropped.
   */
  async rotate(caller: Caller, id: CredentialId, input: NewRotation): Promise<Rotation> {
    return rotated(
      await this.#change(caller, 'write', id, (asking, found) => this.#decisions.rotate(asking, found, input)),
    )
  }

  /** One more secret beside the others. */
  async addSecret(caller: Caller, id: CredentialId, input: NewSecret): Promise<Rotation> {
    return rotated(
      await this.#change(caller, 'write', id, (asking, found) => this.#decisions.addSecret(asking, found, input)),
    )
  }

  async updateSecret(
    caller: Caller,
    id: CredentialId,
    secretId: SecretId,
    change: SecretChangeFrom,
  ): Promise<CredentialRecord> {
    const decide: Decide<Decided> = (asking, found) => this.#decisions.updateSecret(asking, found, secretId, change)
    return (await this.#change(caller, 'write', id, decide)).credential
  }

  /** Tokens signed with it die too. The last one may go: then nobody signs in until there is another. */
  async dropSecret(caller: Caller, id: CredentialId, secretId: SecretId): Promise<CredentialRecord> {
    const decide: Decide<Decided> = (asking, found) => this.#decisions.dropSecret(asking, found, secretId)
    return (await this.#change(caller, 'write', id, decide)).credential
  }

  /** What `update` or `remove` would decide before they look at the change itself. `not_found` for another tenant's. */
  async explain(
    caller: Caller,
    action: 'write' | 'delete',
    id: CredentialId,
  ): Promise<Decision & { readonly kind?: CredentialKind }> {
    const look = explainLook(caller, action)
    if (!look.allowed) return look
    const found = await this.#find(caller, id)
    return { ...explainGrant(caller, action, found), kind: found.kind }
  }

  /** What the key may and may not do, in words, with what is worth a second look. */
  async describe(caller: Caller, id: CredentialId): Promise<DescribedCredential> {
    const credential = await this.get(caller, id)
    const revealed = this.#revealed(caller, await this.#organisation(caller), credential)
    const described = describeRights(credential.rights, credential.pins, credential.limits)
    return { ...described, credential, warnings: warningsOf(revealed, this.#clock.now()) }
  }

  async #edit(caller: Caller, id: CredentialId, from: ChangeFrom, action: string): Promise<CredentialRecord> {
    const decide: Decide<Decided> = (asking, found) => this.#decisions.update(asking, found, from, action)
    return (await this.#change(caller, 'write', id, decide)).credential
  }

  #change<T extends Decided>(
    caller: Caller,
    action: ManagementAction,
    id: CredentialId,
    decide: Decide<T>,
  ): Promise<{ readonly credential: CredentialRecord; readonly decided: T }> {
    return this.#inTurn(id, async () => {
      demand(explainLook(caller, action))
      const decided = await decide(this.#asking(caller), await this.#find(caller, id))
      return { credential: await this.#write(caller, decided), decided }
    })
  }

  /** Imports, which are the operator's, bring many of one key along: nobody guesses there. */
  #write({ organisationId }: Caller, { write, claims }: Decided): Promise<CredentialRecord> {
    const store = (): Promise<CredentialRecord> => {
      const { event } = write
      if ('create' in write) return this.#directory.createCredential(organisationId, write.create, event)
      if ('delete' in write) return this.#directory.deleteCredential(organisationId, write.delete, event)
      return this.#directory.updateCredential(organisationId, write.update.id, write.update.patch, event)
    }
    const isImport = 'create' in write && write.create.allowDuplicateKey === true
    return claims !== undefined && !isImport ? whileClaiming(this.#guesses, organisationId, claims, store) : store()
  }

  #asking(caller: Caller): Asking {
    return { caller, organisation: () => this.#organisation(caller) }
  }

  // Changes read, decide and write; one at a time per credential, or a rotation could undo the disabling of a secret. Where
  // another node was faster the store refuses, and it is all done again from what there is now.
  #inTurn<T>(id: CredentialId, work: () => Promise<T>): Promise<T> {
    const again = async (): Promise<T> => {
      for (let tries = 1; ; tries++) {
        try {
          return await work()
        } catch (error) {
          const wasFaster = isDomainError(error) && error.detail.decidedBy === 'version'
          if (!wasFaster || tries >= mostTries) throw error
        }
      }
    }
    const before = this.#turns.get(id) ?? Promise.resolve()
    const turn = before.then(again, again)
    this.#turns.set(id, turn)
    const leave = (): void => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    }
    void turn.then(leave, leave)
    return turn
  }

  async #organisation(caller: Caller): Promise<OrganisationRecord> {
    const found = await this.#directory.findOrganisation(caller.organisationId)
    if (found === undefined) throw new DomainError('not_found', 'There is no such organisation.')
    return found
  }

  async #find(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    const found = await this.#directory.findCredential(caller.organisationId, id)
    if (found === undefined) throw new DomainError('not_found', `There is no key ${id}.`)
    return found
  }

  // Whoever manages nothing learns nothing of which ids exist.
  async #look(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    demand(explainLook(caller, 'read'))
    const found = await this.#find(caller, id)
    demand(explainLook(caller, 'read', found))
    return found
  }

  #revealed(caller: Caller, organisation: OrganisationRecord, credential: CredentialRecord): RevealedCredential {
    if (!explainReveal(caller, credential).allowed) return { credential, secrets: [], secret: undefined }
    const secrets = openSecrets(this.#vault, organisation, credential.secrets)
    return { credential, secrets, secret: currentSecret(secrets, this.#clock.now())?.value }
  }
}

function* revealing(
  reveal: (credential: CredentialRecord) => RevealedCredential,
  credentials: readonly CredentialRecord[],
): Sliceable<readonly RevealedCredential[]> {
  const revealed: RevealedCredential[] = []
  for (const credential of credentials) {
    revealed.push(reveal(credential))
    yield
  }
  return revealed
}

type Decide<T extends Decided> = (asking: Asking, found: CredentialRecord) => T | Promise<T>

function rotated({
  credential,
  decided: { secretId, secret },
}: {
  readonly credential: CredentialRecord
  readonly decided: DecidedSecret
}): Rotation {
  return { credential, secretId, secret }
}

/** So that nobody reads all of an organisation for the few keys of one application. */
function withinBounds({ rights }: Caller): { readonly lrsIds?: readonly (readonly LrsId[])[] } {
  const bounds = rights.management.filter(({ area }) => area === 'credentials').map(({ bound }) => bound)
  const covered = bounds.map((bound) =>
    bound.kind === 'lrs' ? [bound.id] : bound.kind === 'application' ? bound.lrsIds : undefined,
  )
  if (covered.some((lrsIds) => lrsIds === undefined || lrsIds.length > 2)) return {}
  return { lrsIds: covered.flatMap((lrsIds = []) => [...lrsIds.map((id) => [id]), ...pairsOf(lrsIds)]) }
}

function pairsOf([one, other]: readonly LrsId[]): readonly (readonly LrsId[])[] {
  return one === undefined || other === undefined
    ? []
    : [
        [one, other],
        [other, one],
      ]
}

function warningsOf({ credential, secrets }: RevealedCredential, now: number): readonly string[] {
  const { rights, key, expiresAt } = credential
  const weak = secrets.flatMap((secret) => {
    const why = weakness(secret.value, key)
    return why === undefined ? [] : [`Secret "${secret.name}": ${why}`]
  })
  const canStore = rights.xapi['statements/write'] !== undefined
  return [
    ...(rights.management.length > 0 ? [managementWarning(rights)] : []),
    ...(canStore && rights.xapi['statements/read'] === undefined ? ['It cannot read back what it stores.'] : []),
    ...(credential.lrsIds.length === 0 ? ['It has no Lrs: it reads and stores nothing.'] : []),
    ...(credential.isEnabled ? [] : ['It is disabled.']),
    ...(expiresAt !== null && expiresAt <= now ? ['It has expired.'] : []),
    ...(credential.secrets.some((secret) => isLive(secret, now)) ? [] : ['None of its secrets is usable.']),
    ...weak,
  ]
}
