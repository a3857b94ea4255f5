// A Learning Locker user's view of a running Claviger: an organisation with a store, a client with the scope all, a neighbour,
// requests through the whole app, and the audit events each of them caused.

import { createApp } from '../../src/app.ts'
import type { HttpApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Core } from '../../src/core/core.ts'
import type { NewCredentialInput } from '../../src/core/credential.ts'
import type { LrsId, OrganisationId } from '../../src/core/ids.ts'
import type { Caller } from '../../src/core/principal.ts'
import type { CredentialRecord, LrsRecord, OrganisationRecord, Storage } from '../../src/core/storage.ts'
import { rememberWords, rightsOf } from '../../src/faces/learninglocker/words.ts'
import type { Scope } from '../../src/faces/learninglocker/words.ts'
import { answerOf, countingIds } from './ask.ts'
import type { Answer, Ask, Login } from './ask.ts'
import { openCore } from './core.ts'
import type { FakeClock, OpenCoreOptions } from './core.ts'

export { authorization } from './ask.ts'
export type { Answer, Ask, Login } from './ask.ts'

/** A client, and what it signs in with. */
export interface Client {
  readonly record: CredentialRecord
  readonly login: Login
}

export interface Tenant {
  readonly organisation: OrganisationRecord
  /** Its default Lrs. */
  readonly lrs: LrsRecord
}

export interface World extends Tenant {
  readonly core: Core
  /** For what a test must see beneath the core. */
  readonly storage: Storage
  readonly app: HttpApp
  readonly clock: FakeClock
  /** Everything the app logged, as one text. */
  log(): string
  readonly neighbour: Tenant
  /** A client of the first organisation with the scope `all`, who asks unless somebody else does. */
  readonly admin: Client
  /** The operator of the first organisation, or of another one. */
  operator(organisation?: OrganisationId): Caller
  /** A client of the first organisation, or of another one, as the API would make it. */
  client(scopes: readonly Scope[], more?: Partial<NewCredentialInput>, organisation?: OrganisationId): Promise<Client>
  /** Any path, as it is; `as: null`: nobody's. */
  ask(method: string, path: string, ask?: AskAs): Promise<Answer>
  /** Statements stored with this login in its Lrs; their ids. */
  store(login: Login, statements: readonly object[]): Promise<readonly string[]>
  /** `action target-id` of each event since the last call. */
  events(organisation?: OrganisationId): Promise<string[]>
  close(): Promise<void>
}

export type AskAs = Omit<Ask, 'as'> & { readonly as?: Login | string | null }

/** `env`: settings beside the defaults; `parts`: what the core is to be made of. */
export async function openWorld(
  env: Readonly<Record<string, string>> = {},
  parts: Partial<OpenCoreOptions> = {},
): Promise<World> {
  const logged: string[] = []
  const write = (fields: object, message: string): void => void logged.push(JSON.stringify([fields, message]))
  const log = { debug: write, info: write, warn: write, error: write }
  const opened = await openCore({ ids: countingIds(), log, ...parts })
  const { core, storage, clock, directory, organisationId, lrsId, close } = opened
  const another = await opened.addOrganisation('Second')
  const config = loadConfig({ CLAVIGER_DATA: directory, CLAVIGER_LOG_LEVEL: 'silent', ...env })
  const { app } = await createApp(config, { core, log })
  const operator = (id: OrganisationId = organisationId): Caller => core.signIn.operator(id, 'test')
  const tenantOf = async (id: OrganisationId, lrs: LrsId): Promise<Tenant> => {
    const caller = operator(id)
    return { organisation: await core.organisations.get(caller), lrs: await core.lrs.get(caller, lrs) }
  }
  const client: World['client'] = async (scopes, more = {}, organisation) => {
    const rights = rightsOf(scopes)
    const input = { name: scopes.join(' '), rights, words: rememberWords({}, scopes), ...more }
    const { credential, key, secret } = await core.credentials.create(operator(organisation), input)
    return { record: credential, login: { key, secret } }
  }
  const seen = new Map<OrganisationId, number>()
  const events = async (id: OrganisationId = organisationId): Promise<string[]> => {
    const page = await core.audit.list(operator(id), { after: seen.get(id) ?? 0, limit: 1000 })
    seen.set(id, page.events.at(-1)?.number ?? seen.get(id) ?? 0)
    return page.events.map(({ action, target }) => `${action} ${target.id}`)
  }
  const admin = await client(['all'], { name: 'Admin' })
  await events()
  return {
    ...(await tenantOf(organisationId, lrsId)),
    ...{ core, storage, app, clock, operator, client, events, close, admin },
    log: () => logged.join('\n'),
    neighbour: await tenantOf(another.organisationId, another.lrsId),
    ask: (method, path, { as = admin.login, ...rest } = {}) =>
      answerOf(app, method, path, as === null ? rest : { as, ...rest }),
    store: async (login, statements) => {
      const headers = { 'X-Experience-API-Version': '1.0.3' }
      const answer = await answerOf(app, 'POST', '/xapi/statements', { as: login, json: statements, headers })
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`)
      return answer.json
    },
  }
}
