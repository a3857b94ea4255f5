// npm @xapi/xapi: POST for everything; over axios with 1.0.3, its default, and over fetch with 2.0.0.

import module from '@xapi/xapi'
import { type ClientLibrary, type Json, type Page, Refused, type XapiClient } from './client.ts'

const XAPI = module.default

interface Answer {
  readonly data: unknown
}

const statuses: Readonly<Record<string, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
}

/** Over axios the error carries the response; over fetch only its text: with a `status` or, natively, a `code`. */
async function data<T>(request: Promise<Answer>): Promise<T> {
  try {
    return (await request).data as T
  } catch (error) {
    const { response, message } = error as { response?: { status: number; data: unknown }; message: string }
    if (response !== undefined) throw new Refused(response.status, JSON.stringify(response.data))
    const { status, code } = JSON.parse(message) as { status?: number; code?: string }
    throw new Refused(status ?? statuses[code ?? ''] ?? 0, message)
  }
}

interface Result {
  readonly statements: readonly Json[]
  readonly more?: string
}

async function page(request: Promise<Answer>): Promise<Page> {
  const result = await data<Result>(request)
  return { statements: result.statements, more: result.more ?? '' }
}

/** The library's own types are narrower than what its users write; what it sends is the argument as it is. */
function connectWith(settings: { version?: '2.0.0'; adapter: 'axios' | 'fetch' }): ClientLibrary['connect'] {
  return ({ endpoint, key, secret }): XapiClient => {
    const xapi = new XAPI({
      endpoint,
      auth: XAPI.toBasicAuth(key, secret),
      ...settings,
    } as unknown as ConstructorParameters<typeof XAPI>[0])
    return {
      store: async (statement) => {
        await data(xapi.sendStatement({ statement } as unknown as Parameters<typeof xapi.sendStatement>[0]))
      },
      storeAll: (statements) =>
        data(xapi.sendStatements({ statements } as unknown as Parameters<typeof xapi.sendStatements>[0])),
      find: (statementId) => data(xapi.getStatement({ statementId })),
      findVoided: (voidedStatementId) => data(xapi.getVoidedStatement({ voidedStatementId })),
      query: (filter) => page(xapi.getStatements(filter as Parameters<typeof xapi.getStatements>[0])),
      more: (more) => page(xapi.getMoreStatements({ more })),
      voidStatement: async (statementId, actor) => {
        const argument = { statementId, actor } as unknown as Parameters<typeof xapi.voidStatement>[0]
        await data(xapi.voidStatement(argument))
      },
    }
  }
}

export const xapiOverAxios: ClientLibrary = {
  name: '@xapi/xapi over axios, 1.0.3',
  statementVersion: '1.0.0',
  connect: connectWith({ adapter: 'axios' }),
}

export const xapiOverFetch: ClientLibrary = {
  name: '@xapi/xapi over fetch, 2.0.0',
  statementVersion: '2.0.0',
  connect: connectWith({ version: '2.0.0', adapter: 'fetch' }),
}
