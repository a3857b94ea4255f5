// Drives the program's HTTP interface in this process, as one credential after another, on a store of its own.

import { randomUUID } from 'node:crypto'
import { enabledFaces, routeFaces } from '../../src/app.ts'
import type { Delivery, HttpApp } from '../../src/app.ts'
import type { Core, Log } from '../../src/core/core.ts'
import type { NewCredentialInput } from '../../src/core/credential.ts'
import type { OrganisationId } from '../../src/core/ids.ts'
import type { CredentialRecord, Storage } from '../../src/core/storage.ts'
import { openCore, presetRights } from './core.ts'
import type { FakeClock } from './core.ts'

export interface Stage {
  readonly app: HttpApp
  readonly core: Core
  readonly storage: Storage
  /** The data directory. */
  readonly directory: string
  /** Stands still until it is moved. */
  readonly clock: FakeClock
  /** Of the first organisation. */
  readonly organisationId: OrganisationId
  /** What was logged as an error. */
  readonly logged: object[]
  addOrganisation(): Promise<OrganisationId>
  /** A credential of the first organisation unless another is named, and a client that signs in as it. */
  as(preset: string, input?: Partial<NewCredentialInput>, organisationId?: OrganisationId): Promise<Client>
  /** A client that signs in as a new session of the credential. */
  sessionOf(client: Client): Promise<Client>
  close(): Promise<void>
}

export interface StageOptions {
  readonly batch?: number
  readonly bodyBytes?: number
  readonly documentBytes?: number
  readonly trustedProxies?: readonly string[]
  readonly xapiDowngrade?: 'as-stored' | 'strip'
  wrapStorage?(storage: Storage): Storage
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined when the body is not JSON. */
  readonly json: any
}

export interface Client {
  readonly key: string
  readonly secret: string
  readonly credential: CredentialRecord
  /** `path` is absolute, or relative to /xapi when it starts with a resource name. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(body: unknown, headers?: Record<string, string>): Promise<Answer>
  put(id: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Ids of all statements a query shows, following `more`. */
  idsOf(query?: string): Promise<string[]>
}

export interface SendOptions {
  /** An object becomes JSON; text goes as it is. */
  readonly body?: unknown
  /** Null removes one that is sent by default. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly delivery?: Delivery
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const logged: object[] = []
  const log: Log = { info() {}, warn() {}, error: (fields) => void logged.push(fields) }
  const limits = {
    batch: options.batch ?? 2000,
    bodyBytes: options.bodyBytes ?? 4_000_000,
    documentBytes: options.documentBytes ?? 10_000_000,
    xapiRatePerMinute: undefined,
  }
  const opened = await openCore({ limits, log, ...(options.wrapStorage && { wrap: options.wrapStorage }) })
  const { core, organisationId: first } = opened
  const routing = { trustedProxies: options.trustedProxies ?? [], log }
  const { xapiDowngrade = 'as-stored' } = options
  const app = routeFaces(core, enabledFaces({ faces: { watershed: true, scormcloudV2: true }, xapiDowngrade }), routing)
  return {
    app,
    core,
    storage: opened.storage,
    directory: opened.directory,
    clock: opened.clock,
    organisationId: first,
    logged,
    addOrganisation: async () => (await opened.addOrganisation()).organisationId,
    as: async (preset, input = {}, organisationId = first) => {
      const caller = core.signIn.operator(organisationId, 'test')
      const rights = presetRights(preset)
      return clientOf(app, await core.credentials.create(caller, { name: preset, rights, ...input }))
    },
    sessionOf: async ({ credential }) => {
      const caller = core.signIn.operator(credential.organisationId, 'test')
      const { key, secret } = await core.sessions.create(caller, credential.id)
      return clientOf(app, { key, secret, credential })
    },
    close: opened.close,
  }
}

export interface SignIn {
  readonly key: string
  readonly secret: string
  readonly credential: CredentialRecord
}

export function clientOf(app: HttpApp, { key, secret, credential }: SignIn, version = '2.0.0'): Client {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const send: Client['send'] = async (method, path, { body, headers = {}, delivery } = {}) => {
    const all: Record<string, string | null> = {
      authorization,
      'x-experience-api-version': version,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...lowerCase(headers),
    }
    const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
    const init: RequestInit = { method, headers: sent }
    if (body !== undefined) init.body = bodyOf(body)
    const url = path.startsWith('/') ? path : `/xapi/${path}`
    return answerOf(await app.request(url, init, delivery ?? { peer: nextAddress() }))
  }
  const get: Client['get'] = (path, headers) => send('GET', path, headers ? { headers } : {})
  return {
    key,
    secret,
    credential,
    send,
    get,
    post: (body, headers) => send('POST', 'statements', { body, ...(headers && { headers }) }),
    put: (id, body, headers) => send('PUT', `statements?statementId=${id}`, { body, ...(headers && { headers }) }),
    idsOf: async (query = '') => {
      const ids: string[] = []
      const seen = new Set<string>()
      let path = `statements${query === '' ? '' : `?${query}`}`
      while (path !== '') {
        // A link that leads nowhere new would be followed for ever: nothing in this process yields to a test's timeout.
        if (seen.has(path)) throw new Error(`"more" came back to ${path}`)
        seen.add(path)
        const { status, json, text } = await get(path)
        if (status !== 200) throw new Error(`${status} ${text}`)
        ids.push(...json.statements.map((statement: { id: string }) => statement.id))
        path = json.more
      }
      return ids
    },
  }
}

let requests = 0

/** Each request from another address, so that failed sign-ins by the dozen are not refused as too many. */
function nextAddress(): string {
  requests += 1
  return `10.${(requests >> 16) & 255}.${(requests >> 8) & 255}.${requests & 255}`
}

function lowerCase(headers: Readonly<Record<string, string | null>>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function bodyOf(body: unknown): NonNullable<RequestInit['body']> {
  return typeof body === 'string' || body instanceof Uint8Array
    ? (body as Uint8Array<ArrayBuffer> | string)
    : JSON.stringify(body)
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: response.status, headers: response.headers, text, json }
}

export const voided = 'http://adlnet.gov/expapi/verbs/voided'

/** A valid statement with an id of its own; members replace the defaults, undefined ones remove them. */
export function statement(members: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  const all = {
    id: randomUUID(),
    actor: { mbox: 'mailto:learner@example.org' },
    verb: { id: 'http://example.org/verbs/did', display: { en: 'did', de: 'tat' } },
    object: { id: 'http://example.org/activities/one' },
    ...members,
  }
  return JSON.parse(JSON.stringify(all)) as Record<string, unknown> & { id: string }
}

export function reference(id: string): { objectType: 'StatementRef'; id: string } {
  return { objectType: 'StatementRef', id }
}

export function voiding(id: string, members: Record<string, unknown> = {}): Record<string, unknown> & { id: string } {
  return statement({ verb: { id: voided }, object: reference(id), ...members })
}
