// npm tincanjs, in Node or in a page: PUT for a statement with an id, POST otherwise; version 1.0.2; XMLHttpRequest.
// A URL of 2,048 characters or more becomes the alternate request syntax, in a page only.

import {
  type ClientLibrary,
  type DocumentPlace,
  type Filter,
  type FoundDocument,
  type Json,
  type Page,
  type Precondition,
  Refused,
  type XapiClient,
} from './client.ts'
import type Module from 'tincanjs'

export type TinCan = typeof Module

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

/** The library asks for a profile to be new unless told what it replaces; State it just writes. */
function preconditionOf(precondition: Precondition | undefined): Json {
  if (precondition === undefined) return {}
  if ('ifMatch' in precondition) return { lastSHA1: precondition.ifMatch }
  return { requestHeaders: { 'If-None-Match': precondition.ifNoneMatch } }
}

const methods = {
  state: { save: 'saveState', find: 'retrieveState', list: 'retrieveStateIds', remove: 'dropState' },
  activity: {
    save: 'saveActivityProfile',
    find: 'retrieveActivityProfile',
    list: 'retrieveActivityProfileIds',
    remove: 'dropActivityProfile',
  },
  agent: {
    save: 'saveAgentProfile',
    find: 'retrieveAgentProfile',
    list: 'retrieveAgentProfileIds',
    remove: 'dropAgentProfile',
  },
} as const

export function tincanjs(TinCan: TinCan): ClientLibrary {
  /** The library adds to the object it is given, and an id unless told not to. */
  const made = (statement: Json) =>
    new TinCan.Statement(structuredClone(statement), { doStamp: statement['id'] !== undefined })

  const params = (filter: Filter) => ({ ...filter, ...(filter.agent && { agent: new TinCan.Agent(filter.agent) }) })

  const placed = (place: DocumentPlace): Json => ({
    ...('agent' in place && { agent: new TinCan.Agent(place.agent) }),
    ...('activityId' in place && { activity: new TinCan.Activity({ id: place.activityId }) }),
    ...('registration' in place && { registration: place.registration }),
  })

  const connect: ClientLibrary['connect'] = ({ endpoint, key, secret }): XapiClient => {
    const settings = { endpoint, username: key, password: secret, version, allowFail: false }
    const lrs = new TinCan.LRS(settings)

    const write = async (
      method: 'PUT' | 'POST',
      [place, id, content, precondition]: Parameters<XapiClient['save']>,
    ): Promise<void> => {
      await called<Xhr>((callback) =>
        lrs[methods[place.of].save](id, content, {
          ...placed(place),
          ...preconditionOf(precondition),
          contentType: typeof content === 'string' ? 'text/plain' : 'application/json',
          method,
          callback,
        }),
      )
    }

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

      storeWith: async (statement, attachments) => {
        const described = attachments.map(({ content, ...rest }) => ({
          ...rest,
          length: content.byteLength,
          content: Uint8Array.from(content).buffer,
        }))
        const one = new TinCan.Statement({ ...structuredClone(statement), attachments: described })
        await called<Xhr>((callback) => lrs.saveStatement(one, { callback }))
      },
      findWith: async (id) => {
        const one = await called<Read & { attachments: { content: ArrayBuffer }[] }>((callback) =>
          lrs.retrieveStatement(id, { params: { attachments: true }, callback }),
        )
        return { statement: original(one), contents: one.attachments.map(({ content }) => new Uint8Array(content)) }
      },

      save: (...document) => write('PUT', document),
      merge: (...document) => write('POST', document),
      findDocument: async (place, id): Promise<FoundDocument | undefined> => {
        const found = await called<{ contents: unknown; etag: string } | null>((callback) =>
          lrs[methods[place.of].find](id, { ...placed(place), callback }),
        )
        return found === null ? undefined : { content: found.contents, etag: found.etag }
      },
      listDocuments: (place, since) =>
        called<string[]>((callback) =>
          lrs[methods[place.of].list]({ ...placed(place), ...(since !== undefined && { since }), callback }),
        ),
      remove: async (place, id) => {
        await called<Xhr>((callback) => lrs[methods[place.of].remove](id, { ...placed(place), callback }))
      },
      removeAllStates: async (place) => {
        await called<Xhr>((callback) => lrs.dropState(null, { ...placed(place), callback }))
      },

      findPerson: () => Promise.reject(new Error('tincanjs knows no Persons')),
      findActivity: async (id) => {
        const activity = await called<Read>((callback) => lrs.retrieveActivity(id, { callback }))
        return activity.asVersion(version)
      },
    }
  }

  return { name: 'tincanjs', statementVersion: '1.0.0', lacks: ['findPerson'], connect }
}

/** Its build for Node makes a string of every body. */
export function tincanjsInNode(TinCan: TinCan): ClientLibrary {
  const library = tincanjs(TinCan)
  return { ...library, lacks: [...library.lacks, 'storeBinary'] }
}
