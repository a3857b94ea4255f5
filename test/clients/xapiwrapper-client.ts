// npm xapiwrapper, which exists in pages only: POST for statements and objects, PUT for text; version 1.0.1; XMLHttpRequest.

import {
  type ClientLibrary,
  type DocumentPlace,
  type FoundDocument,
  type Json,
  type NewAttachment,
  type Page,
  Refused,
  signatureUsage,
  type XapiClient,
} from './client.ts'

interface Xhr {
  readonly status: number
  readonly responseText: string
  getResponseHeader(name: string): string | null
}
type Callback = (error: unknown, xhr: Xhr, result: unknown) => void
type Method = (...argument: unknown[]) => unknown

/** The global that its script makes. */
export interface Adl {
  readonly XAPIWrapper: { readonly constructor: new (config: Json, verifyVersion: boolean) => Record<string, Method> }
  readonly verbs: Readonly<Record<string, Json>>
}

const endings = { state: 'State', activity: 'ActivityProfile', agent: 'AgentProfile' } as const

export function xapiwrapper(ADL: Adl): ClientLibrary {
  const connect: ClientLibrary['connect'] = ({ endpoint, key, secret }): XapiClient => {
    const Wrapper = ADL.XAPIWrapper.constructor
    // Without `strictCallbacks` no callback hears of a refusal.
    const wrapper = new Wrapper({ endpoint, user: key, password: secret, strictCallbacks: true }, false)

    /** The callback is the last parameter, and its place depends on the method. */
    const call = (method: string, parameters: readonly unknown[]): Promise<Xhr> =>
      new Promise((resolve, reject) => {
        const callback: Callback = (error, xhr) => {
          if (error === null) resolve(xhr)
          else reject(new Refused(xhr.status, xhr.responseText))
        }
        wrapper[method]?.(...parameters, callback)
      })
    const json = async <T>(method: string, parameters: readonly unknown[]): Promise<T> =>
      JSON.parse((await call(method, parameters)).responseText) as T
    const page = async (searched: unknown, more: string | null): Promise<Page> => {
      const result = await json<Partial<Page>>('getStatements', [searched, more])
      return { statements: result.statements ?? [], more: result.more ?? '' }
    }

    const save: XapiClient['save'] = async (place, id, content, precondition) => {
      // It puts the quotes on itself.
      const match = precondition && 'ifMatch' in precondition ? precondition.ifMatch.replaceAll('"', '') : null
      const noneMatch = precondition && 'ifNoneMatch' in precondition ? precondition.ifNoneMatch : null
      const registration = place.of === 'state' ? [place.registration] : []
      await call(`send${endings[place.of]}`, [...scope(place), id, ...registration, content, match, noneMatch])
    }
    const get = (place: DocumentPlace, id: string | null, since: string | null): Promise<Xhr> =>
      call(`get${endings[place.of]}`, [
        ...scope(place),
        id,
        ...(place.of === 'state' ? [place.registration] : []),
        since,
      ])

    return {
      store: (statement) => sendStatement(wrapper, statement),
      storeAll: (statements) => json('sendStatements', [structuredClone(statements)]),
      find: (statementId) => json('getStatements', [{ statementId }, null]),
      findVoided: (voidedStatementId) => json('getStatements', [{ voidedStatementId }, null]),
      query: ({ agent, ...filter }) =>
        page({ ...filter, ...(agent !== undefined && { agent: JSON.stringify(agent) }) }, null),
      more: (more) => page(null, more),
      voidStatement: (id, actor) =>
        sendStatement(wrapper, { actor, verb: ADL.verbs['voided'], object: { objectType: 'StatementRef', id } }),

      storeWith: (statement, attachments) => sendStatement(wrapper, statement, attachments),
      findWith: () => Promise.reject(new Error('xapiwrapper does not read multipart answers')),

      save,
      merge: save,
      findDocument: async (place, id): Promise<FoundDocument | undefined> => {
        const xhr = await get(place, id, null)
        if (xhr.status === 404) return undefined
        const isJson = xhr.getResponseHeader('Content-Type')?.startsWith('application/json')
        const content: unknown = isJson ? JSON.parse(xhr.responseText) : xhr.responseText
        return { content, etag: xhr.getResponseHeader('ETag') }
      },
      listDocuments: async (place, since) =>
        JSON.parse((await get(place, null, since ?? null)).responseText) as string[],
      remove: async (place, id) => {
        const registration = place.of === 'state' ? [place.registration] : []
        await call(`delete${endings[place.of]}`, [...scope(place), id, ...registration, null, null])
      },
      removeAllStates: () => Promise.reject(new Error('xapiwrapper always names a State')),

      findPerson: (agent) => json('getAgents', [agent]),
      findActivity: (id) => json('getActivities', [id]),
    }
  }

  // Times go through Date.
  return {
    name: 'xapiwrapper',
    statementVersion: '1.0.0',
    lacks: ['findWith', 'removeAllStates', 'microseconds'],
    connect,
  }
}

function scope(place: DocumentPlace): unknown[] {
  return [...('activityId' in place ? [place.activityId] : []), ...('agent' in place ? [place.agent] : [])]
}

/** Its callback hears of a refusal, too, but stands before the attachments. The statement is added to. */
function sendStatement(
  wrapper: Record<string, Method>,
  statement: Json,
  attachments: readonly NewAttachment[] = [],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, xhr) => {
      if (error === null) resolve()
      else reject(new Refused(xhr.status, xhr.responseText))
    }
    const sent = attachments.map(({ content, ...type }) =>
      type.usageType === signatureUsage
        ? // It describes signatures itself.
          { type: 'signature', value: new TextDecoder().decode(content) }
        : { type, value: Uint8Array.from(content).buffer },
    )
    wrapper['sendStatement']?.(structuredClone(statement), callback, sent)
  })
}
