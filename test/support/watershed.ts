// A Watershed client's view of a running Claviger: two organisations, requests through the whole app, and the audit
// events each of them caused.

import { createApp } from '../../src/app.ts'
import type { HttpApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Core } from '../../src/core/core.ts'
import type { IssuedCredential, NewCredentialInput } from '../../src/core/credential.ts'
import type { OrganisationId } from '../../src/core/ids.ts'
import type { Caller } from '../../src/core/principal.ts'
import { rememberWords, rightsOf } from '../../src/faces/watershed/words.ts'
import type { Words } from '../../src/faces/watershed/words.ts'
import { answerOf, countingIds } from './ask.ts'
import type { Answer, Ask } from './ask.ts'
import { openCore } from './core.ts'
import type { FakeClock } from './core.ts'

export { authorization } from './ask.ts'
export type { Answer, Ask, Login } from './ask.ts'

export interface World {
  readonly core: Core
  readonly app: HttpApp
  readonly clock: FakeClock
  /** Everything the app logged, as one text. */
  log(): string
  /** A path below the first organisation's, or an absolute one. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** 1 */
  readonly organisation: OrganisationId
  /** 2 */
  readonly neighbour: OrganisationId
  /** The operator of the first organisation, or of another one. */
  operator(organisation?: OrganisationId): Caller
  /** A credential of the first organisation as the API would make it. */
  credential(words: Partial<Words>, more?: Partial<NewCredentialInput>): Promise<IssuedCredential>
  /** `action target-id` of each event since the last call. */
  events(organisation?: OrganisationId): Promise<string[]>
  close(): Promise<void>
}

export async function openWorld(): Promise<World> {
  const logged: string[] = []
  const write = (fields: object, message: string): void => void logged.push(JSON.stringify([fields, message]))
  const log = { info: write, warn: write, error: write }
  const opened = await openCore({ ids: countingIds(), log })
  const { core, clock, directory, organisationId, close } = opened
  const neighbour = await opened.addOrganisation('Second')
  const config = loadConfig({ CLAVIGER_DATA: directory, CLAVIGER_LOG_LEVEL: 'silent' })
  const { app } = await createApp(config, { core, log })
  const operator = (id: OrganisationId = organisationId): Caller => core.signIn.operator(id, 'test')
  const seen = new Map<OrganisationId, number>()
  const events = async (id: OrganisationId = organisationId): Promise<string[]> => {
    const page = await core.audit.list(operator(id), { after: seen.get(id) ?? 0, limit: 1000 })
    seen.set(id, page.events.at(-1)?.number ?? seen.get(id) ?? 0)
    return page.events.map(({ action, target }) => `${action} ${target.id}`)
  }
  return {
    ...{ core, app, clock, operator, events, close },
    log: () => logged.join('\n'),
    ask: (method, path, ask = {}) => answerOf(app, method, fullPath(organisationId, path), ask),
    organisation: organisationId,
    neighbour: neighbour.organisationId,
    credential: (words, more = {}) => core.credentials.create(operator(), { ...credentialOf(words), ...more }),
  }
}

export function credentialOf(words: Partial<Words>): Pick<NewCredentialInput, 'name' | 'rights' | 'words'> {
  const all: Words = { lrsAccess: 'disabled', watershedApiAccess: 'disabled', ...words }
  return { name: 'Test', rights: rightsOf(all), words: { watershed: rememberWords(all) } }
}

function fullPath(organisation: OrganisationId, path: string): string {
  return path.startsWith('/api/') ? path : `/api/organizations/${organisation}${path}`
}
