// Whose an imported statement is: the key that its authority names, or one that nobody can use, made for whatever else it names. So
// what a key reads as its own there it reads as its own here. Knows no vendor.

import { createHash } from 'node:crypto'
import { derivedAuthority } from '../core/authority.ts'
import type { AgentIdentity } from '../core/authority.ts'
import type { NewCredentialInput } from '../core/credential.ts'
import { DomainError } from '../core/errors.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from '../core/ids.ts'
import type { Caller } from '../core/principal.ts'
import type { Reach } from '../core/rights.ts'
import { newKey, newSecretValue } from '../core/secret.ts'
import type { CredentialRecord } from '../core/storage.ts'
import { agentTerm } from '../core/xapi/agent.ts'
import { isObject } from '../core/xapi/rule.ts'
import type { ImportWork } from './work.ts'

export interface Owner {
  readonly id: CredentialId
  /** Of a statement that names none. */
  readonly authority: AgentIdentity
  readonly defineReach: Reach | undefined
}

/** What an authority of a key may say. */
export interface Signs {
  /** Names of its account. */
  readonly accounts: readonly string[]
  /** Its own name; worth nothing where two keys have it. */
  readonly name?: string | undefined
  /** The whole of it. */
  readonly authority?: unknown
}

export interface OwnersSettings {
  readonly work: ImportWork
  readonly organisationId: OrganisationId
  readonly lrsIds: readonly LrsId[]
}

/** Of a dry run, where no key has an id. */
export const nobody = 0 as CredentialId
/** Keys made for those that nobody knows: a store that makes up another authority for each statement gets no more. */
const mostUnknown = 500

export class Owners {
  readonly #settings: OwnersSettings
  readonly #byAccount = new Map<string, Owner>()
  readonly #byName = new Map<string, Owner | undefined>()
  readonly #byTerm = new Map<string, Owner>()
  readonly #unknown = new Map<string, Owner>()
  #ofAll: Owner | undefined

  constructor(settings: OwnersSettings) {
    this.#settings = settings
  }

  add(owner: Owner, { accounts, name, authority }: Signs): void {
    for (const account of accounts) this.#byAccount.set(account, owner)
    if (name !== undefined) this.#byName.set(name, this.#byName.has(name) ? undefined : owner)
    const term = termOf(authority)
    if (term !== '') this.#byTerm.set(term, owner)
  }

  /** Whatever their authorities say. */
  setForAll(owner: Owner): void {
    this.#ofAll = owner
  }

  async of(statement: unknown): Promise<Owner> {
    if (this.#ofAll !== undefined) return this.#ofAll
    const authority = isObject(statement) ? statement['authority'] : undefined
    const term = termOf(authority)
    const { account, name } = isObject(authority) ? (authority as { account?: unknown; name?: unknown }) : {}
    const accountName = isObject(account) ? account['name'] : undefined
    return (
      this.#byTerm.get(term) ??
      (typeof accountName === 'string' ? this.#byAccount.get(accountName) : undefined) ??
      (typeof name === 'string' ? this.#byName.get(name) : undefined) ??
      this.#unknownOf(term)
    )
  }

  async #unknownOf(term: string): Promise<Owner> {
    const kept = this.#unknown.size < mostUnknown || this.#unknown.has(term) ? term : ''
    const known = this.#unknown.get(kept)
    if (known !== undefined) return known
    const owner = await this.#make(kept)
    this.#unknown.set(kept, owner)
    return owner
  }

  async #make(term: string): Promise<Owner> {
    const { work, organisationId, lrsIds } = this.#settings
    const oid = oidFor(`${organisationId} ${term}`)
    const authority = derivedAuthority(work.core.baseUrl, { name: nameFor(oid), oid })
    const id = work.isDryRun ? nobody : await createUnusable(work, { organisationId, lrsIds, oid })
    return { id, authority, defineReach: 'any' }
  }
}

/** A key that stands for one there is no more: disabled, without rights and without a secret. It is there already from an earlier run. */
export async function createUnusable(
  { core, operator }: Pick<ImportWork, 'core' | 'operator'>,
  { organisationId, lrsIds, oid }: Pick<OwnersSettings, 'organisationId' | 'lrsIds'> & { readonly oid: Oid },
): Promise<CredentialId> {
  const caller = core.signIn.operator(organisationId, operator.operator)
  const key = unusableKey(oid)
  const { items } = await core.credentials.list(caller, { key }, { offset: 0, limit: 16 })
  const found = items.find((item) => item.oid === oid)
  if (found !== undefined) return found.id
  const { credential } = await core.credentials.create(caller, {
    ...{ name: nameFor(oid), key, oid, lrsIds, isEnabled: false, rights: { xapi: {}, management: [] } },
  })
  for (const { id } of credential.secrets) await core.credentials.dropSecret(caller, credential.id, id)
  return credential.id
}

/** As `createUnusable` made it: what somebody has changed, or given a secret, is theirs. */
export function isUnusable(credential: CredentialRecord): boolean {
  const { oid, kind, name, key, isEnabled, secrets, rights, authority, oauth, expiresAt } = credential
  const isNamed = kind === 'client' && key === unusableKey(oid) && name === nameFor(oid)
  const isBarred =
    !isEnabled && secrets.length === 0 && Object.keys(rights.xapi).length + rights.management.length === 0
  return isNamed && isBarred && authority === null && oauth === null && expiresAt === null
}

/** The key that stood for one becomes it: what that stored is its own. Throws as creating one does, and where it was changed meanwhile. */
export function becomeUsable(
  { core }: Pick<ImportWork, 'core'>,
  caller: Caller,
  id: CredentialId,
  input: Omit<NewCredentialInput, 'kind' | 'id' | 'oid' | 'updatedAt'>,
): Promise<CredentialRecord> {
  const { key = newKey(core.ids), secret = newSecretValue(core.ids), isEnabled = true } = input
  return core.credentials.update(caller, id, (before) => {
    if (isUnusable(before)) return { ...input, key, secret, isEnabled }
    throw new DomainError('conflict', `Key ${id}, which stood for it, was changed meanwhile.`)
  })
}

export function unusableKey(oid: Oid): string {
  return `deleted-${oid}`
}

function nameFor(oid: Oid): string {
  return `Deleted client ${oid}`
}

/** The same each time, so that a second import finds what the first one made. */
export function oidFor(what: string): Oid {
  return createHash('sha256').update(`imported ${what}`).digest('hex').slice(0, 24) as Oid
}

/** Empty for none. A Group is who its members are. */
function termOf(authority: unknown): string {
  if (!isObject(authority)) return ''
  const members: unknown = authority['member']
  if (!Array.isArray(members)) return agentTerm(authority) ?? ''
  return members
    .map((member) => agentTerm(member) ?? '')
    .toSorted()
    .join(' & ')
}
