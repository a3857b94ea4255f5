// npm tincanjs: PUT for a statement with an id, POST otherwise; version 1.0.2; XMLHttpRequest from xhr2.

import TinCan from 'tincanjs'
import { type ClientLibrary, type Filter, type Json, type Page, Refused, type XapiClient } from './client.ts'

const version = '1.0.2'

type Callback<T> = (error: unknown, result: T) => void
interface Xhr {
  readonly status: number
  readonly responseText: string
}

/** The library hands its callback a status as the error and the request as the result. */
function called<T>(start: (callback: Callback<T | Xhr>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result as T)
      else reject(new Refused(Number(error), (result as Xhr).responseText))
    })
  })
}

/** The library adds to the object it is given, and an id unless told not to. */
function made(statement: Json): InstanceType<typeof TinCan.Statement> {
  return new TinCan.Statement(structuredClone(statement), { doStamp: statement['id'] !== undefined })
}

interface Read {
  /** Kept of what a list answered, not of what a request by id did. */
  readonly originalJSON: string | null
  asVersion(version: string): Record<string, unknown>
}

function original(statement: Read): Json {
  return statement.originalJSON === null ? statement.asVersion(version) : (JSON.parse(statement.originalJSON) as Json)
}

interface Result {
  readonly statements: Read[]
  readonly more: string | null
}

function page(result: Result): Page {
  return { statements: result.statements.map(original), more: result.more ?? '' }
}

function params(filter: Filter): Record<string, unknown> {
  return { ...filter, ...(filter.agent && { agent: new TinCan.Agent(filter.agent) }) }
}

export const tincanjs: ClientLibrary = {
  name: 'tincanjs',
  statementVersion: '1.0.0',
  connect({ endpoint, key, secret }): XapiClient {
    const settings = { endpoint, username: key, password: secret, version, allowFail: false }
    const lrs = new TinCan.LRS(settings)
    return {
      store: async (statement) => {
        await called<Xhr>((callback) => lrs.saveStatement(made(statement), { callback }))
      },
      storeAll: async (statements) => {
        const list = statements.map(made)
        const xhr = await called<Xhr>((callback) => lrs.saveStatements(list, { callback }))
        return JSON.parse(xhr.responseText) as string[]
      },
      find: async (id) => original(await called<Read>((callback) => lrs.retrieveStatement(id, { callback }))),
      findVoided: async (id) =>
        original(await called<Read>((callback) => lrs.retrieveVoidedStatement(id, { callback }))),
      query: async (filter) =>
        page(await called<Result>((callback) => lrs.queryStatements({ params: params(filter), callback }))),
      more: async (url) => page(await called<Result>((callback) => lrs.moreStatements({ url, callback }))),
      voidStatement: (id, actor) =>
        new Promise((resolve, reject) => {
          const done = (results: { err: unknown; xhr: Xhr }[]): void => {
            const failed = results.find((result) => result.err !== null)
            if (failed === undefined) resolve()
            else reject(new Refused(Number(failed.err), failed.xhr.responseText))
          }
          new TinCan({ recordStores: [settings] }).voidStatement(id, done, { actor: new TinCan.Agent(actor) })
        }),
    }
  },
}
