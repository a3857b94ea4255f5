// An organisation of Watershed brought in: its id, its credentials through the credentials API, its statements through xAPI.

import { derivedAuthority } from '../../core/authority.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Outbound } from '../../core/outbound.ts'
import type { RemoteLrsDoor } from '../../core/remote-lrs.ts'
import type { OrganisationRecord } from '../../core/storage.ts'
import { isOfSource, markedWords } from '../existing.ts'
import type { Importer } from '../import.ts'
import { JsonApi } from '../json-api.ts'
import type { Login } from '../json-api.ts'
import { importKeys } from '../keys.ts'
import type { FoundKey } from '../keys.ts'
import { nobody, Owners, oidFor } from '../owners.ts'
import type { Destination } from '../parts.ts'
import { Patience } from '../patience.ts'
import type { PatienceSettings } from '../patience.ts'
import { importRemote, remotePositionIn } from '../remote-statements.ts'
import { endpointOf } from '../remote-url.ts'
import type { ImportWork } from '../work.ts'
import { keyOf, listProviders, readProvider } from './credentials.ts'
import type { Provider } from './credentials.ts'

export interface WatershedOptions {
  readonly outbound: Outbound
  readonly door: RemoteLrsDoor
  /** Where the product is, without `/api`. */
  readonly url: string
  /** There, and here, too, unless `into` says else. */
  readonly organisation: OrganisationId
  /** A credential with API access. */
  readonly login: Login
  readonly name?: string | undefined
  /** One that is here already. */
  readonly into?: OrganisationId | undefined
  readonly withStatements: boolean
  readonly perMinute: number
  /** For tests. */
  readonly wait?: PatienceSettings['wait'] | undefined
}

/** Throws `invalid` for an address that nobody will ever be asked at. */
export function watershedImporter(options: WatershedOptions): Importer {
  const address = endpointOf(options.url, options.outbound)
  const { organisation, into } = options
  return {
    source: `watershed ${address} organization ${organisation}${into === undefined ? '' : ` into ${into}`}`.slice(
      0,
      500,
    ),
    run: (work) => new Reading(work, { ...options, url: `${address}/api/organizations/${organisation}` }).run(),
  }
}

class Reading {
  readonly #work: ImportWork
  readonly #options: WatershedOptions
  readonly #patience: Patience

  constructor(work: ImportWork, options: WatershedOptions) {
    const { perMinute, wait } = options
    this.#work = work
    this.#options = options
    this.#patience = new Patience({ signal: work.signal, perMinute, ...(wait && { wait }) })
  }

  async run(): Promise<void> {
    const { saved } = this.#work
    // Nothing is made before the API has answered: it may be the wrong key.
    const providers = await this.#readProviders({ isAgain: saved !== null })
    const to = await this.#organisation()
    if (to !== undefined) this.#work.touch(to)
    const owners = await this.#importKeys(providers, to, { isAgain: saved !== null })
    if (saved === null) await this.#work.checkpoint(begun)
    await this.#importStatements(providers, owners, to)
  }

  async #readProviders({ isAgain }: { readonly isAgain: boolean }): Promise<readonly Provider[]> {
    const { outbound, url, login } = this.#options
    const api = new JsonApi({ outbound, patience: this.#patience, url, login })
    const providers: Provider[] = []
    for await (const entry of listProviders(api)) {
      await this.#work.pace()
      const read = readProvider(entry)
      if (!('why' in read)) providers.push(read)
      else if (!isAgain) {
        const { secret: _, ...shown } = entry
        this.#work.reject('clients', { file: url, line: 0, id: String(entry['id']), record: () => shown }, read.why)
      }
    }
    this.#work.show({ title: 'credentials', done: providers.length })
    return providers
  }

  /** Undefined in a dry run, where it is still to be made. Throws `conflict` where somebody else has its id. */
  async #organisation(): Promise<Destination | undefined> {
    const { organisation: id, into } = this.#options
    const found = await this.#find(into ?? id)
    if (into !== undefined && found === undefined)
      throw new DomainError('not_found', `There is no organisation ${into} here.`)
    const isOwn = found?.oid === this.#oid() && isOfSource(found, this.#work)
    if (into === undefined && found !== undefined && !isOwn) {
      const remedy = `--into ${id} brings everything into that one; --into another id into another, whose address is another then.`
      throw new DomainError('conflict', `The id ${id} is that of an organisation here, ${found.name}. ${remedy}`)
    }
    await this.#count(found)
    if (found === undefined) return this.#make()
    if (found.defaultLrsId === null) throw new DomainError('invalid', `Organisation ${found.id} has no default Lrs.`)
    return { organisationId: found.id, lrsId: found.defaultLrsId }
  }

  async #make(): Promise<Destination | undefined> {
    const { core, operator, isDryRun } = this.#work
    const { organisation: id, name = `Watershed organization ${id}` } = this.#options
    if (isDryRun) return undefined
    const made = await core.organisations.create(operator, {
      id,
      name,
      oid: this.#oid(),
      words: markedWords({}, this.#work),
    })
    return { organisationId: made.organisation.id, lrsId: made.lrs.id }
  }

  /** Once, however often the import is interrupted. */
  async #count(found: OrganisationRecord | undefined): Promise<void> {
    const { saved, tally, isDryRun } = this.#work
    if (saved !== null) return
    const own = await this.#work.announce('organisations', found === undefined ? [this.#oid()] : [])
    const isNew = found === undefined || own.has(found.oid)
    tally.count('organisations', isDryRun ? 'checked' : isNew ? 'stored' : 'there')
  }

  #oid() {
    const { url, organisation } = this.#options
    return oidFor(`watershed organization ${url} ${organisation}`)
  }

  async #find(id: OrganisationId): Promise<OrganisationRecord | undefined> {
    const { core, operator } = this.#work
    try {
      return await core.organisations.get(core.signIn.operator(id, operator.operator))
    } catch (error) {
      if (isDomainError(error) && error.code === 'not_found') return undefined
      throw error
    }
  }

  async #importKeys(
    providers: readonly Provider[],
    to: Destination | undefined,
    { isAgain }: { readonly isAgain: boolean },
  ): Promise<Owners> {
    const destination = to ?? unmade
    const { url } = this.#options
    const keys: FoundKey[] = []
    for (const provider of providers) {
      await this.#work.pace()
      keys.push(keyOf(provider, { ...destination, address: url }))
    }
    const ids = await importKeys(this.#work, destination.organisationId, keys, { isAgain })
    const owners = new Owners({
      work: this.#work,
      organisationId: destination.organisationId,
      lrsIds: [destination.lrsId],
    })
    for (const [index, { id, key, name }] of providers.entries()) {
      const found = keys[index] as FoundKey
      const owner = ids.get(found)
      if (owner === undefined && !this.#work.isDryRun) continue
      const authority = derivedAuthority(this.#work.core.baseUrl, found)
      owners.add(
        { id: owner ?? nobody, authority, defineReach: found.rights.xapi.define },
        { accounts: [key, String(id)], name },
      )
    }
    return owners
  }

  async #importStatements(providers: readonly Provider[], owners: Owners, to: Destination | undefined): Promise<void> {
    const { door, url, login, withStatements } = this.#options
    if (!withStatements) return
    const reader = readerOf(providers, login)
    if (reader === undefined) {
      this.#work.warn(
        'No credential reads all statements (lrsAccess global): none were read. Make one there and begin again.',
      )
      return
    }
    this.#work.warn('Documents (states, profiles) cannot be listed through xAPI: none were read.')
    const address = `${url}/lrs`
    const remote = door.open({ url: address, user: reader.key, password: reader.secret })
    const from = remotePositionIn(this.#work.saved ?? undefined)
    const reading = { remote, patience: this.#patience, address, to: to ?? unmade, owners, from }
    await importRemote(this.#work, reading, (position) => this.#work.checkpoint(position))
  }
}

/** JSON: keys are done. */
const begun = {}

/** Of a dry run. */
const unmade = { organisationId: 0, lrsId: 0 } as Destination

/** The one that was given, if it may read everything; else one of those it has shown. */
function readerOf(providers: readonly Provider[], login: Login): Login | undefined {
  const reading = providers.filter(({ isActive, words: { lrsAccess } }) => {
    return isActive && (lrsAccess === 'global' || lrsAccess === 'globalReadOnly')
  })
  return reading.find(({ key, secret }) => key === login.key && secret === login.secret) ?? reading[0]
}
