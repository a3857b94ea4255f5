// A SCORM Cloud user's view of a running Claviger: a realm with an application, its key and the key that manages applications, a
// neighbour, requests to both of the vendor's APIs through the whole app, and the audit events each of them caused.

import { createApp } from '../../src/app.ts'
import type { HttpApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Core } from '../../src/core/core.ts'
import type { OrganisationId } from '../../src/core/ids.ts'
import type { Caller } from '../../src/core/principal.ts'
import type { ApplicationRecord, Storage } from '../../src/core/storage.ts'
import { answerOf, countingIds } from './ask.ts'
import type { Answer, Ask, Login } from './ask.ts'
import { openCore } from './core.ts'
import type { FakeClock, OpenCoreOptions } from './core.ts'
import { signCall } from './v1-signer.ts'

export type { Answer, Ask, Login } from './ask.ts'

/** What stands inside `<rsp>`; the error's number where it failed. */
export interface V1Answer extends Answer {
  readonly inside: string
  readonly error: number | undefined
}

/** An application, and its id with its first secret. */
export interface Application {
  readonly record: ApplicationRecord
  readonly login: Login
}

export interface World {
  readonly core: Core
  /** For what a test must see beneath the core. */
  readonly storage: Storage
  readonly app: HttpApp
  readonly clock: FakeClock
  /** Everything the app logged, as one text. */
  log(): string
  /** The realm's first application, `First`. */
  readonly application: Application
  /** The id and secret of application management. */
  readonly management: Login
  /** 1 */
  readonly organisation: OrganisationId
  /** 2 */
  readonly neighbour: OrganisationId
  /** The operator of the first organisation, or of another one. */
  operator(organisation?: OrganisationId): Caller
  addApplication(name: string, organisation?: OrganisationId): Promise<Application>
  /** A path below `/api/v2`, or an absolute one. */
  v2(method: string, path: string, ask?: Ask): Promise<Answer>
  /** A call of the first API, of this method of `rustici`, signed by the first application unless by another. */
  v1(method: string, parameters?: Readonly<Record<string, string>>, as?: Login): Promise<V1Answer>
  /** Any path, as it is. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** `action target-id` of each event since the last call. */
  events(organisation?: OrganisationId): Promise<string[]>
  close(): Promise<void>
}

/** `env`: settings beside the defaults; `parts`: what the core is to be made of. */
export async function openWorld(
  env: Readonly<Record<string, string>> = {},
  parts: Partial<OpenCoreOptions> = {},
): Promise<World> {
  const logged: string[] = []
  const write = (fields: object, message: string): void => void logged.push(JSON.stringify([fields, message]))
  const log = { debug: write, info: write, warn: write, error: write }
  const opened = await openCore({ ids: countingIds(), log, ...parts })
  const { core, storage, clock, directory, organisationId, close } = opened
  const neighbour = await opened.addOrganisation('Second')
  const config = loadConfig({ CLAVIGER_DATA: directory, CLAVIGER_LOG_LEVEL: 'silent', ...env })
  const { app } = await createApp(config, { core, log })
  const operator = (id: OrganisationId = organisationId): Caller => core.signIn.operator(id, 'test')
  const addApplication: World['addApplication'] = async (name, organisation) => {
    const record = await core.applications.create(operator(organisation), { name })
    const { secret } = await core.applications.addSecret(operator(organisation), record.id, { name: 'First' })
    return { record, login: { key: record.id, secret } }
  }
  const seen = new Map<OrganisationId, number>()
  const events = async (id: OrganisationId = organisationId): Promise<string[]> => {
    const page = await core.audit.list(operator(id), { after: seen.get(id) ?? 0, limit: 1000 })
    seen.set(id, page.events.at(-1)?.number ?? seen.get(id) ?? 0)
    return page.events.map(({ action, target }) => `${action} ${target.id}`)
  }
  const application = await addApplication('First')
  const { key, secret } = await core.applications.createManagementKey(operator(), { name: 'Management' })
  await events()
  return {
    ...{ core, storage, app, clock, operator, addApplication, events, close, application },
    log: () => logged.join('\n'),
    management: { key, secret },
    organisation: organisationId,
    neighbour: neighbour.organisationId,
    v1: async (method, parameters = {}, as = application.login) => {
      const named = { method: `rustici.${method}`, ...parameters }
      const query = signCall({ ...as, time: clock.now() }, Object.entries(named))
      return v1AnswerOf(await answerOf(app, 'GET', `/api?${query}`, {}))
    },
    v2: (method, path, ask = {}) => answerOf(app, method, path.startsWith('/api/') ? path : `/api/v2${path}`, ask),
    ask: (method, path, ask = {}) => answerOf(app, method, path, ask),
  }
}

/** Of any answer of the first API, which has one shape. */
export function v1AnswerOf(answer: Answer): V1Answer {
  const shape = /^<\?xml version="1\.0" encoding="utf-8" \?><rsp stat="(ok|fail)">(.*)<\/rsp>$/s.exec(answer.text)
  if (shape === null || answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`)
  const [, stat, inside = ''] = shape
  const error = stat === 'fail' ? Number(/^<err code="(\d+)" msg="[^"]+"\/>$/.exec(inside)?.[1]) : undefined
  return { ...answer, inside, error }
}
