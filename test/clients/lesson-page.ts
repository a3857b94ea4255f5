// What runs in the page of a lesson beside an unmodified library: content as its authors write it, called from the test.

import { type Json, Refused } from './client.ts'
import { bookmark, type Lesson, type LessonLibrary, type ReadLaunch } from './lesson.ts'

/** What the libraries' scripts leave behind; only the one that the page loaded is there. */
interface PageGlobals {
  readonly TinCan: new (config: { url: string }) => TinCan
  readonly ADL: { readonly XAPIWrapper: Adl }
  readonly XAPI: XapiClass
  readonly Cmi5: (new () => XapiCmi5) & (new (address: string) => RusticiCmi5)
  readonly location: { readonly href: string }
}

const passed = { id: 'http://adlnet.gov/expapi/verbs/passed', display: { en: 'passed' } }
const terminated = { id: 'http://adlnet.gov/expapi/verbs/terminated', display: { en: 'terminated' } }

interface Xhr {
  readonly status: number
  readonly responseText: string
}

interface TinCan {
  readonly actor: { asVersion(version: string): Json }
  readonly activity: { readonly id: string }
  readonly registration: string
  readonly recordStores: readonly { readonly endpoint: string; readonly auth: string }[]
  sendStatement(statement: Json, callback: (results: readonly { err: unknown; xhr: Xhr }[]) => void): void
  getState(id: string, config: { callback(error: unknown, found: Xhr | { contents: Json } | null): void }): void
  setState(id: string, content: Json, config: { contentType: string; callback(error: unknown, xhr: Xhr): void }): void
}

/** npm tincanjs: the address is handed to it; what it sends is completed with learner, activity and registration. */
function tincanjs({ TinCan, location }: PageGlobals): Lesson {
  const tincan = new TinCan({ url: location.href })
  const send = (statement: Json): Promise<void> =>
    new Promise((resolve, reject) => {
      tincan.sendStatement(statement, ([result]) => {
        if (result?.err === null) resolve()
        else reject(new Refused(Number(result?.err), result?.xhr.responseText ?? 'no record store'))
      })
    })
  return {
    begin: () => {
      const [store] = tincan.recordStores
      return Promise.resolve({
        endpoint: store!.endpoint,
        authorization: store!.auth,
        actor: tincan.actor.asVersion('1.0.2'),
        activityId: tincan.activity.id,
        registration: tincan.registration,
      })
    },
    resume: () =>
      new Promise((resolve, reject) => {
        const callback = (error: unknown, found: Xhr | { contents: Json } | null): void => {
          if (error !== null) reject(new Refused(Number(error), (found as Xhr).responseText))
          else resolve(found && (found as { contents: Json }).contents)
        }
        tincan.getState(bookmark, { callback })
      }),
    save: (state) =>
      new Promise((resolve, reject) => {
        const callback = (error: unknown, xhr: Xhr): void => {
          if (error === null) resolve()
          else reject(new Refused(Number(error), xhr.responseText))
        }
        tincan.setState(bookmark, state, { contentType: 'application/json', callback })
      }),
    score: (scaled) => send({ verb: passed, result: { score: { scaled }, success: true } }),
    close: () => send({ verb: terminated }),
  }
}

interface Adl {
  readonly lrs: { endpoint: string; auth: string; actor: string; activity_id: string; registration: string }
  changeConfig(config: { strictCallbacks: boolean }): void
  sendStatement(statement: Json, callback: AdlCallback): void
  getState(activityId: string, agent: Json, id: string, registration: string, since: null, callback: AdlCallback): void
  sendState(
    activityId: string,
    agent: Json,
    id: string,
    registration: string,
    state: Json,
    match: null,
    noneMatch: null,
    callback: AdlCallback,
  ): void
}
type AdlCallback = (error: unknown, xhr: Xhr, body: unknown) => void

/** npm xapiwrapper: has read the address by itself when it was loaded; completes statements, but names no place of a State. */
function xapiwrapper({ ADL: { XAPIWrapper: wrapper } }: PageGlobals): Lesson {
  // Without it no callback hears of a refusal.
  wrapper.changeConfig({ strictCallbacks: true })
  const { lrs } = wrapper
  const actor = JSON.parse(lrs.actor) as Json
  const object = { id: lrs.activity_id }
  const asked = (start: (callback: AdlCallback) => void): Promise<Xhr> =>
    new Promise((resolve, reject) => {
      start((error, xhr) => {
        if (error === null) resolve(xhr)
        else reject(new Refused(xhr.status, xhr.responseText))
      })
    })
  const send = async (statement: Json): Promise<void> => {
    await asked((callback) => wrapper.sendStatement(statement, callback))
  }
  return {
    begin: () =>
      Promise.resolve({
        endpoint: lrs.endpoint,
        authorization: lrs.auth,
        actor,
        activityId: lrs.activity_id,
        registration: lrs.registration,
      }),
    resume: async () => {
      const xhr = await asked((callback) =>
        wrapper.getState(lrs.activity_id, actor, bookmark, lrs.registration, null, callback),
      )
      return xhr.status === 404 ? null : (JSON.parse(xhr.responseText) as Json)
    },
    save: async (state) => {
      await asked((callback) =>
        wrapper.sendState(lrs.activity_id, actor, bookmark, lrs.registration, state, null, null, callback),
      )
    },
    score: (scaled) => send({ verb: passed, object, result: { score: { scaled }, success: true } }),
    close: () => send({ verb: terminated, object }),
  }
}

interface StatePlace {
  readonly agent: Json
  readonly activityId: string
  readonly registration: string
  readonly stateId: string
}
type Answer = Promise<{ readonly data: unknown }>
interface Xapi {
  getState(place: StatePlace): Answer
  setState(document: StatePlace & { state: Json; contentType: string }): Answer
  sendStatement(what: { statement: Json }): Answer
}
interface XapiClass {
  new (config: { endpoint: string; auth: string; adapter?: 'fetch' }): Xapi
  getTinCanLaunchData(): {
    endpoint: string
    auth: string
    actor: Json
    activity_id: string
    registration: string
  }
}

/** Over axios an error carries the response. */
async function answered<T>(request: Promise<T>): Promise<T> {
  try {
    return await request
  } catch (error) {
    const { response } = error as { response?: { status: number; data: unknown } }
    if (response === undefined) throw error
    throw new Refused(response.status, JSON.stringify(response.data))
  }
}

async function foundState(xapi: Xapi, place: StatePlace): Promise<Json | null> {
  try {
    return (await answered(xapi.getState(place))).data as Json
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null
    throw error
  }
}

/** npm @xapi/xapi: hands the address' values to the content, which says them again with everything. */
function xapi({ XAPI }: PageGlobals): Lesson {
  const { endpoint, auth, actor, activity_id: activityId, registration } = XAPI.getTinCanLaunchData()
  const xapi = new XAPI({ endpoint, auth })
  const place = { agent: actor, activityId, registration, stateId: bookmark }
  const send = async (statement: Json): Promise<void> => {
    const sent = { actor, object: { id: activityId }, context: { registration }, ...statement }
    await answered(xapi.sendStatement({ statement: sent }))
  }
  return {
    begin: () => Promise.resolve({ endpoint, authorization: auth, actor, activityId, registration }),
    resume: () => foundState(xapi, place),
    save: async (state) => {
      await answered(xapi.setState({ ...place, state, contentType: 'application/json' }))
    },
    score: (scaled) => send({ verb: passed, result: { score: { scaled }, success: true } }),
    close: () => send({ verb: terminated }),
  }
}

interface XapiCmi5 {
  readonly launchParameters: { endpoint: string; actor: Json; activityId: string; registration: string }
  readonly xapi: Xapi
  getAuthToken(): string
  initialize(): Promise<unknown>
  pass(scaled: number): Promise<unknown>
  terminate(): Promise<unknown>
}

/** npm @xapi/cmi5: reads the address when it is made. */
function xapiCmi5({ Cmi5 }: PageGlobals): Lesson {
  const cmi5: XapiCmi5 = new Cmi5()
  const { endpoint, actor, activityId, registration } = cmi5.launchParameters
  const place = { agent: actor, activityId, registration, stateId: bookmark }
  return {
    begin: async () => {
      await answered(cmi5.initialize())
      return { endpoint, authorization: `Basic ${cmi5.getAuthToken()}`, actor, activityId, registration }
    },
    resume: () => foundState(cmi5.xapi, place),
    save: async (state) => {
      await answered(cmi5.xapi.setState({ ...place, state, contentType: 'application/json' }))
    },
    score: async (scaled) => {
      await answered(cmi5.pass(scaled))
    },
    close: async () => {
      await answered(cmi5.terminate())
    },
  }
}

interface RusticiCmi5 {
  start(): Promise<void>
  passed(score: { scaled: number }): Promise<unknown>
  terminate(): Promise<unknown>
  getEndpoint(): string
  getAuth(): string
  getActor(): Json
  getActivityId(): string
  getRegistration(): string
}

/** npm @rusticisoftware/cmi5: the address is handed to it; it knows no State, so that its users ask for that themselves. */
function rusticiCmi5({ Cmi5, location }: PageGlobals): Lesson {
  const cmi5: RusticiCmi5 = new Cmi5(location.href)
  const read = (): ReadLaunch => ({
    endpoint: cmi5.getEndpoint(),
    authorization: cmi5.getAuth(),
    actor: cmi5.getActor(),
    activityId: cmi5.getActivityId(),
    registration: cmi5.getRegistration(),
  })
  const state = async (init: { method?: string; body?: string }): Promise<Response> => {
    const { endpoint, authorization, actor, activityId, registration } = read()
    const place = { activityId, agent: JSON.stringify(actor), stateId: bookmark, registration }
    const headers = {
      'X-Experience-API-Version': '1.0.3',
      Authorization: authorization,
      'Content-Type': 'application/json',
    }
    const response = await fetch(`${endpoint}/activities/state?${new URLSearchParams(place)}`, { ...init, headers })
    if (!response.ok && response.status !== 404) throw new Refused(response.status, await response.text())
    return response
  }
  /** It says of a refusal only which status it had. */
  const asked = async (request: Promise<unknown>): Promise<void> => {
    try {
      await request
    } catch (error) {
      const status = /status code (\d{3})/.exec(String(error))?.[1]
      throw status === undefined ? error : new Refused(Number(status), String(error))
    }
  }
  return {
    begin: async () => {
      await asked(cmi5.start())
      return read()
    },
    resume: async () => {
      const response = await state({})
      return response.status === 404 ? null : ((await response.json()) as Json)
    },
    save: async (content) => {
      await state({ method: 'PUT', body: JSON.stringify(content) })
    },
    score: (scaled) => asked(cmi5.passed({ scaled })),
    close: () => asked(cmi5.terminate()),
  }
}

const lessons: Readonly<Record<LessonLibrary, (loaded: PageGlobals) => Lesson>> = {
  tincanjs,
  xapiwrapper,
  xapi,
  xapiCmi5,
  rusticiCmi5,
}

let lesson: Lesson | undefined

export type CallLesson = (
  name: LessonLibrary,
  method: keyof Lesson,
  parameters: readonly unknown[],
) => Promise<{ readonly value: unknown } | { readonly refused: { readonly status: number; readonly text: string } }>

/** The test calls it as `adapters.callLesson`, see lessons.ts. One lesson lives as long as its page. */
export const callLesson: CallLesson = async (name, method, parameters) => {
  lesson ??= lessons[name](globalThis as unknown as PageGlobals)
  try {
    return { value: await (lesson[method] as (...parameters: readonly unknown[]) => Promise<unknown>)(...parameters) }
  } catch (error) {
    if (error instanceof Refused) return { refused: { status: error.status, text: error.message.replace(/^\d+ /, '') } }
    throw error
  }
}
