// npm @xapi/xapi, in Node or in a page: POST for every statement; over axios with 1.0.3, its default, or over fetch with 2.0.0.

import type module from '@xapi/xapi'
import {
  type ClientLibrary,
  type DocumentPlace,
  type Json,
  type Lack,
  type NewAttachment,
  type Page,
  type Precondition,
  Refused,
  type XapiClient,
} from './client.ts'

export type Xapi = typeof module.default

interface Answer {
  readonly data: unknown
  readonly headers?: unknown
}

const statuses: Readonly<Record<string, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
}

/** Over axios the error carries the response; over fetch only its text: with a `status` or, natively, a `code`. */
async function answered(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request
  } catch (error) {
    const { response, message } = error as { response?: { status: number; data: unknown }; message: string }
    if (response !== undefined) throw new Refused(response.status, JSON.stringify(response.data))
    const { status, code } = JSON.parse(message) as { status?: number; code?: string }
    throw new Refused(status ?? statuses[code ?? ''] ?? 0, message)
  }
}

async function data<T>(request: Promise<Answer>): Promise<T> {
  return (await answered(request)).data as T
}

interface Result {
  readonly statements: readonly Json[]
  readonly more?: string
}

async function page(request: Promise<Answer>): Promise<Page> {
  const result = await data<Result>(request)
  return { statements: result.statements, more: result.more ?? '' }
}

function preconditionOf(precondition: Precondition | undefined): Json {
  if (precondition === undefined) return {}
  if ('ifMatch' in precondition) return { etag: precondition.ifMatch, matchHeader: 'If-Match' }
  return { etag: precondition.ifNoneMatch, matchHeader: 'If-None-Match' }
}

/** The library's words for the three kinds of document: its methods end so, its parameters are called so. */
const words = {
  state: { ending: 'State', id: 'stateId', content: 'state' },
  activity: { ending: 'ActivityProfile', id: 'profileId', content: 'profile' },
  agent: { ending: 'AgentProfile', id: 'profileId', content: 'profile' },
} as const

function described({ content, ...rest }: NewAttachment): Json {
  return { ...rest, length: content.byteLength }
}

/** The library's own types are narrower than what its users write; what it sends is the argument as it is. */
type Loose = Record<string, (argument: unknown) => Promise<Answer>>

function connectWith(
  XAPI: Xapi,
  settings: { version?: '2.0.0'; adapter: 'axios' | 'fetch' },
): ClientLibrary['connect'] {
  return ({ endpoint, key, secret }): XapiClient => {
    const xapi = new XAPI({
      endpoint,
      auth: XAPI.toBasicAuth(key, secret),
      ...settings,
    } as unknown as ConstructorParameters<Xapi>[0]) as unknown as Loose
    const call = (method: string, argument: unknown): Promise<Answer> => {
      const known = xapi[method]
      if (known === undefined) throw new Error(`the library has no ${method}`)
      return known.call(xapi, argument)
    }
    const onDocument = (verb: string, place: DocumentPlace, id: string, more: Json = {}): Promise<Answer> => {
      const { of, ...where } = place
      return answered(call(verb + words[of].ending, { ...where, [words[of].id]: id, ...more }))
    }

    return {
      store: async (statement) => {
        await data(call('sendStatement', { statement }))
      },
      storeAll: (statements) => data(call('sendStatements', { statements })),
      find: (statementId) => data(call('getStatement', { statementId })),
      findVoided: (voidedStatementId) => data(call('getVoidedStatement', { voidedStatementId })),
      query: (filter) => page(call('getStatements', filter)),
      more: (more) => page(call('getMoreStatements', { more })),
      voidStatement: async (statementId, actor) => {
        await data(call('voidStatement', { statementId, actor }))
      },

      storeWith: async (statement, attachments) => {
        await data(
          call('sendStatement', {
            statement: { ...statement, attachments: attachments.map(described) },
            attachments: attachments.map(({ content }) => Uint8Array.from(content).buffer),
          }),
        )
      },
      findWith: async (statementId) => {
        const [statement, ...texts] = await data<[Json, ...string[]]>(
          call('getStatement', { statementId, attachments: true }),
        )
        return { statement, contents: texts.map((text) => new TextEncoder().encode(text)) }
      },

      save: async (place, id, content, precondition) => {
        await onDocument('set', place, id, {
          [words[place.of].content]: content,
          contentType: typeof content === 'string' ? 'text/plain' : 'application/json',
          ...preconditionOf(precondition),
        })
      },
      merge: async (place, id, content, precondition) => {
        await onDocument('create', place, id, {
          [words[place.of].content]: content,
          ...preconditionOf(precondition),
        })
      },
      findDocument: async (place, id) => {
        try {
          const { data: content, headers } = await onDocument('get', place, id)
          return { content, etag: (headers as { etag?: string }).etag ?? null }
        } catch (error) {
          if (error instanceof Refused && error.status === 404) return undefined
          throw error
        }
      },
      listDocuments: ({ of, ...where }, since) =>
        data(call(`get${words[of].ending}s`, { ...where, ...(since !== undefined && { since }) })),
      remove: async (place, id) => {
        await onDocument('delete', place, id)
      },
      removeAllStates: async (place) => {
        const { of, ...where } = place
        await data(call(`delete${words[of].ending}s`, where))
      },

      findPerson: (agent) => data(call('getAgent', { agent })),
      findActivity: (activityId) => data(call('getActivity', { activityId })),
    }
  }
}

// It reads attachments as text.
const lacks: readonly Lack[] = ['findBinary']

export function xapiOverAxios(XAPI: Xapi): ClientLibrary {
  const connect = connectWith(XAPI, { adapter: 'axios' })
  return { name: '@xapi/xapi over axios, 1.0.3', statementVersion: '1.0.0', lacks, connect }
}

/** In Node axios replaces the Content-Type of what it takes for a file, and with it the boundary of the parts. */
export function xapiOverAxiosInNode(XAPI: Xapi): ClientLibrary {
  return { ...xapiOverAxios(XAPI), lacks: [...lacks, 'storeWith'] }
}

export function xapiOverFetch(XAPI: Xapi): ClientLibrary {
  const connect = connectWith(XAPI, { version: '2.0.0', adapter: 'fetch' })
  return { name: '@xapi/xapi over fetch, 2.0.0', statementVersion: '2.0.0', lacks, connect }
}
