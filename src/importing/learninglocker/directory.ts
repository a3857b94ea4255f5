// Organisations, stores and clients, brought in with their ids; and for a document of theirs, where it belongs here and whose it is.

import { derivedAuthority } from '../../core/authority.ts'
import type { AgentIdentity } from '../../core/authority.ts'
import { refuse } from '../../core/check.ts'
import { checkFields } from '../../core/credential-check.ts'
import type { NewCredentialInput, RevealedCredential } from '../../core/credential.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from '../../core/ids.ts'
import type { NewLrsInput } from '../../core/lrs.ts'
import type { Caller } from '../../core/principal.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { rememberWords, rightsOf } from '../../faces/learninglocker/words.ts'
import { tellDifferences } from '../differences.ts'
import { enterExisting, findExisting, markedWords } from '../existing.ts'
import { becomeUsable, createUnusable, isUnusable, oidFor, unusableKey } from '../owners.ts'
import type { Destination } from '../parts.ts'
import type { Kind } from '../tally.ts'
import type { ImportWork } from '../work.ts'
import type { ClientDocument, OrganisationDocument, StoreDocument } from './directory-documents.ts'

/** Who stored something there, and what is stamped where nothing was. */
export interface Owner {
  readonly id: CredentialId
  readonly authority: AgentIdentity
  /** Made for a client that was not there; `changed`: by somebody here, since. */
  readonly standsIn?: 'unchanged' | 'changed'
}

interface KnownOrganisation {
  readonly id: OrganisationId
  readonly caller: Caller
  readonly lrs: Map<string, LrsId>
  readonly owners: Map<string, Owner>
}

/** Made at once: each waits for the disk. */
const atOnce = 16
const pageSize = 1000

export class Directory {
  readonly #work: ImportWork
  readonly #into: readonly OrganisationId[]
  readonly #organisations = new Map<string, KnownOrganisation>()
  readonly #stores = new Map<string, StoreDocument>()
  readonly #keys = new Map<string, number>()
  /** Of a dry run: what would be made has an id that nothing has, below 0. */
  #unmade = 0

  /** `into`: organisations that are here already, and that the operator lets it into. */
  constructor(work: ImportWork, into: readonly OrganisationId[]) {
    this.#work = work
    this.#into = into
  }

  /** Each organisation with its first store as its default. `counts`: whether this is the time to count them. */
  async addPlaces(
    organisations: readonly OrganisationDocument[],
    stores: readonly StoreDocument[],
    counts: boolean,
  ): Promise<void> {
    for (const store of stores) this.#stores.set(store.oid, store)
    const named = new Set<string>(organisations.map(({ oid }) => oid))
    const existing = await findExisting(this.#work, ({ oid }) => named.has(oid))
    await enterExisting(this.#work, existing, this.#into)
    for (const { oid, id } of existing) await this.#know(oid, id)
    const isAbsent = ({ organisation, oid }: StoreDocument) => !this.#organisations.get(organisation)?.lrs.has(oid)
    const absentStores = stores.filter(isAbsent).map(({ oid }) => oid)
    const absent = organisations.filter(({ oid }) => !this.#organisations.has(oid)).map(({ oid }) => oid)
    const own = counts && (await this.#work.announce('organisations', absent))
    const ownStores = counts && (await this.#work.announce('lrs', absentStores))
    for (const one of existing) if (own && !own.has(one.oid)) this.#work.tellExisting(one)
    for (const organisation of organisations) {
      await this.#taking('organisations', organisation, own, () => this.#addOrganisation(organisation, stores))
    }
    for (const store of stores) await this.#taking('lrs', store, ownStores, () => this.#addStore(store))
  }

  /** The keys that are there: to be called before anything else asks for an owner. */
  async loadOwners(): Promise<void> {
    for (const organisation of this.#organisations.values()) await this.#listOwners(organisation)
  }

  async addClients(clients: readonly ClientDocument[]): Promise<void> {
    const isThere = ({ organisation, oid }: ClientDocument): boolean => {
      const owner = this.#organisations.get(organisation)?.owners.get(oid)
      return owner !== undefined && owner.standsIn === undefined
    }
    const absent = clients.filter((client) => !isThere(client)).map(({ oid }) => oid)
    const own = await this.#work.announce('clients', absent)
    this.#countKeys(clients)
    for (let from = 0; from < clients.length; from += atOnce) {
      await this.#work.pace()
      const some = clients.slice(from, from + atOnce)
      const there = some.filter(isThere)
      // Nothing goes on behind the back of whoever goes on with the import.
      const taken = await Promise.allSettled(some.map((client) => this.#takeClient(client, own)))
      for (const one of taken) if (one.status === 'rejected') throw one.reason
      await this.#compare(there)
      this.#work.show({ title: 'clients', done: from + some.length, part: (from + some.length) / clients.length })
    }
  }

  /** Where what an organisation has in a store belongs here; words where that is nowhere. */
  async findDestination(
    organisationOid: string | undefined,
    storeOid: string | undefined,
  ): Promise<Destination | string> {
    if (storeOid === undefined) return 'It is of no store (lrs_id).'
    const store = this.#stores.get(storeOid)
    const of = organisationOid ?? store?.organisation
    const organisation = of === undefined ? undefined : this.#organisations.get(of)
    if (organisation === undefined) return `Its organisation ${of ?? ''} is not among those imported.`
    const lrsId = organisation.lrs.get(storeOid) ?? organisation.lrs.get(oidFor(`${of} ${storeOid}`))
    if (lrsId !== undefined) return { organisationId: organisation.id, lrsId }
    if (store === undefined) return `Its store ${storeOid} is gone: nobody could read it there either.`
    return { organisationId: organisation.id, lrsId: await this.#createShared(organisation, of!, store) }
  }

  /** Of a client that is gone a key is made that nobody can use, so that what it stored stays apart. */
  async findOwner(organisationOid: string, clientOid: string | undefined): Promise<Owner> {
    const organisation = this.#organisationOf(organisationOid)
    const oid = (clientOid ?? oidFor(`${organisationOid} no client`)) as Oid
    const known = organisation.owners.get(oid)
    if (known !== undefined) return known
    this.#work.warn('what clients stored that are gone belongs to disabled keys, “Deleted client <id>”', oid)
    const id = await this.#createUnusable(organisation, oid, oidFor(`${organisationOid} ${oid}`))
    const authority = derivedAuthority(this.#work.core.baseUrl, { name: '', oid })
    const owner = { id, authority, standsIn: 'unchanged' } as const
    organisation.owners.set(oid, owner)
    return owner
  }

  /** A client of another organisation may have the id: then another one. */
  async #createUnusable(organisation: KnownOrganisation, ...[oid, other]: readonly [Oid, Oid]): Promise<CredentialId> {
    if (this.#work.isDryRun) return --this.#unmade as CredentialId
    const { id: organisationId, owners } = organisation
    const known = owners.get(other)
    if (known !== undefined) return known.id
    try {
      return await createUnusable(this.#work, { organisationId, lrsIds: [], oid })
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'conflict') throw error
      return createUnusable(this.#work, { organisationId, lrsIds: [], oid: other })
    }
  }

  organisationOf(storeOid: string | undefined): string | undefined {
    return storeOid === undefined ? undefined : this.#stores.get(storeOid)?.organisation
  }

  /** Those that were here before. */
  async #compare(clients: readonly ClientDocument[]): Promise<void> {
    const { core } = this.#work
    for (const [oid, { caller }] of this.#organisations) {
      const theirs = clients.filter(({ organisation }) => organisation === oid)
      if (theirs.length === 0) continue
      const oids = theirs.map((client) => client.oid)
      const { items } = await core.credentials.listRevealed(caller, { oids }, { offset: 0, limit: atOnce })
      const here = new Map<string, RevealedCredential>(items.map((one) => [one.credential.oid, one]))
      for (const client of theirs) {
        const { title: name, key, secret, isTrusted: isEnabled, scopes } = client
        const found = here.get(client.oid)
        const there = { name, isEnabled, rights: rightsOf(scopes), ...(key && { key }), ...(secret && { secret }) }
        if (found !== undefined) tellDifferences(this.#work, found, there)
      }
    }
  }

  #takeClient(client: ClientDocument, own: ReadonlySet<string>): Promise<void> {
    return this.#taking('clients', client, own, async () => {
      await this.#addClient(client)
      if (own.has(client.oid)) this.#work.countKeys(this.#organisationOf(client.organisation).id)
    })
  }

  async #addClient(client: ClientDocument): Promise<void> {
    const organisation = this.#organisationOf(client.organisation)
    const known = organisation.owners.get(client.oid)
    if (known?.standsIn === 'changed') {
      const message = `An import that did not have this client made key ${known.id} of its id, which owns what it stored and was changed here since.`
      throw new DomainError('conflict', message)
    }
    if (known !== undefined && known.standsIn === undefined) return
    const { oid, title, key, secret, authority, isTrusted, scopes, createdAt, updatedAt, store } = client
    const place = store === undefined ? undefined : await this.findDestination(client.organisation, store)
    const lrsIds = place === undefined || typeof place === 'string' ? [] : [place.lrsId]
    if (lrsIds.length === 0)
      this.#work.warn('clients whose store is not there sign in, and may do nothing, as before', oid)
    if (key === undefined || secret === undefined)
      this.#work.warn('clients without a key or a secret were given new ones', oid)
    if ((this.#keys.get(key ?? '') ?? 0) > 1)
      this.#work.warn('several clients have one key: the secret tells them apart', key)
    const input = {
      ...{ oid, name: title, isEnabled: isTrusted, rights: rightsOf(scopes), words: rememberWords({}, scopes) },
      ...{ authority, lrsIds, createdAt, updatedAt, allowDuplicateKey: true },
      ...(key !== undefined && { key }),
      ...(secret !== undefined && { secret }),
    }
    organisation.owners.set(oid, await this.#create(organisation, input, known))
  }

  /** In the place of what `standIn` an import made that did not have it. */
  async #create({ caller }: KnownOrganisation, input: NewCredentialInput, standIn: Owner | undefined): Promise<Owner> {
    const { core, isDryRun } = this.#work
    if (isDryRun) {
      refuse(checkFields(input))
      const { name, oid = '', authority } = input
      const id = --this.#unmade as CredentialId
      return { id, authority: authority ?? derivedAuthority(core.baseUrl, { name, oid }) }
    }
    if (standIn !== undefined) {
      const { oid: _oid, updatedAt: _updatedAt, ...change } = input
      return ownerOf(await becomeUsable(this.#work, caller, standIn.id, change), core.baseUrl)
    }
    const { credential } = await core.credentials.create(caller, input)
    return ownerOf(credential, core.baseUrl)
  }

  async #addOrganisation(organisation: OrganisationDocument, stores: readonly StoreDocument[]): Promise<void> {
    const { core, operator, isDryRun } = this.#work
    const { oid, name, expiresAt, kept, createdAt, updatedAt } = organisation
    if (this.#organisations.has(oid)) return
    if (isDryRun) return this.#know(oid, --this.#unmade as OrganisationId)
    const first = stores.find((store) => store.organisation === oid)
    const made = await core.organisations.create(operator, {
      ...{ oid, name, expiresAt, createdAt, updatedAt, words: markedWords({ learninglocker: kept }, this.#work) },
      ...(first && { lrs: lrsInput(first) }),
    })
    await this.#know(oid, made.organisation.id)
  }

  async #know(oid: string, id: OrganisationId): Promise<void> {
    const caller = this.#work.core.signIn.operator(id, this.#work.operator.operator)
    const lrs = new Map((await this.#work.core.lrs.list(caller)).map((one) => [one.oid as string, one.id]))
    // Also what no store of the source stands for, and nothing comes into any more.
    for (const lrsId of lrs.values())
      if (this.#work.hasStoredInto(lrsId)) this.#work.touch({ organisationId: id, lrsId })
    this.#organisations.set(oid, { id, caller, lrs, owners: new Map() })
  }

  async #addStore(store: StoreDocument): Promise<void> {
    const organisation = this.#organisationOf(store.organisation)
    const lrsId = organisation.lrs.get(store.oid) ?? (await this.#createLrs(organisation, store))
    organisation.lrs.set(store.oid, lrsId)
    this.#work.touch({ organisationId: organisation.id, lrsId })
  }

  async #createLrs({ caller }: KnownOrganisation, store: StoreDocument): Promise<LrsId> {
    if (this.#work.isDryRun) return --this.#unmade as LrsId
    return (await this.#work.core.lrs.create(caller, lrsInput(store))).id
  }

  /** The product takes a client of one organisation with the store of another, and keeps what it stores apart (facts 1.3). */
  async #createShared(organisation: KnownOrganisation, organisationOid: string, store: StoreDocument): Promise<LrsId> {
    const oid = oidFor(`${organisationOid} ${store.oid}`)
    const title = `${store.title} (of another organisation)`.slice(0, 255)
    this.#work.warn('stores that another organisation uses, too: it has an Lrs of its own for that now', store.title)
    const lrsId = await this.#createLrs(organisation, { ...store, oid, title })
    organisation.lrs.set(oid, lrsId)
    this.#work.touch({ organisationId: organisation.id, lrsId })
    return lrsId
  }

  /** Counts it as what it comes to, unless an earlier run has (`own` false). */
  async #taking(
    kind: Kind,
    { oid, place }: Pick<OrganisationDocument, 'oid' | 'place'>,
    own: ReadonlySet<string> | false,
    take: () => Promise<void>,
  ): Promise<void> {
    await this.#work.pace()
    try {
      await take()
      const fate = this.#work.isDryRun ? 'checked' : own && own.has(oid) ? 'stored' : 'there'
      if (own) this.#work.tally.count(kind, fate)
    } catch (error) {
      if (!isDomainError(error) || error.code === 'unavailable' || error.code === 'internal') throw error
      if (own) this.#work.reject(kind, place, error)
    }
  }

  #organisationOf(oid: string): KnownOrganisation {
    const found = this.#organisations.get(oid)
    if (found !== undefined) return found
    throw new DomainError('invalid', `Its organisation ${oid} is not among those imported.`)
  }

  #countKeys(clients: readonly ClientDocument[]): void {
    for (const { key } of clients) if (key !== undefined) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1)
  }

  async #listOwners({ caller, owners }: KnownOrganisation): Promise<void> {
    const { core } = this.#work
    for (let offset = 0; ; offset += pageSize) {
      const { items, total } = await core.credentials.list(caller, {}, { offset, limit: pageSize })
      for (const credential of items) owners.set(credential.oid, ownerOf(credential, core.baseUrl))
      await this.#work.pace()
      if (offset + pageSize >= total) return
    }
  }
}

function ownerOf(credential: CredentialRecord, baseUrl: string): Owner {
  const authority = credential.authority ?? derivedAuthority(baseUrl, credential)
  if (credential.key !== unusableKey(credential.oid)) return { id: credential.id, authority }
  return { id: credential.id, authority, standsIn: isUnusable(credential) ? 'unchanged' : 'changed' }
}

function lrsInput({
  oid,
  title,
  description,
  owner,
  createdAt,
  updatedAt,
}: StoreDocument): Partial<NewLrsInput> & { name: string } {
  const words = owner === undefined ? {} : { words: { learninglocker: { owner_id: owner } } }
  return { oid, name: title, description, createdAt, updatedAt, ...words }
}
