// What launched content does, whichever library does it for it: it reads who is learning what from its address, takes up where
// the learner left off, stores a score and says that it is over.

import type { Json } from './client.ts'

export interface Lesson {
  /** Before it nothing is asked of the server. Resolves to what the library took from the address. */
  begin(): Promise<ReadLaunch>
  /** What was saved for this registration; null where nothing was. */
  resume(): Promise<Json | null>
  save(state: Json): Promise<void>
  /** `scaled`: 0 to 1. Resolves once it is stored. */
  score(scaled: number): Promise<void>
  /** The learner closes the lesson. */
  close(): Promise<void>
}

/** Each as the library keeps it. */
export interface ReadLaunch {
  readonly endpoint: string
  readonly authorization: string
  readonly actor: Json
  readonly activityId: string
  readonly registration: string
}

export type LessonLibrary = 'tincanjs' | 'xapiwrapper' | 'xapi' | 'xapiCmi5' | 'rusticiCmi5'

/** How an address has to look for the library to read it. */
export const styles = {
  tincanjs: 'tincan',
  xapiwrapper: 'tincan',
  xapi: 'tincan',
  xapiCmi5: 'cmi5',
  rusticiCmi5: 'cmi5',
} as const satisfies Record<LessonLibrary, 'tincan' | 'cmi5'>

/** The script that a lesson's page loads, unmodified, as a path below `node_modules`. */
export const scripts: Readonly<Record<LessonLibrary, string>> = {
  tincanjs: 'tincanjs/build/tincan-min.js',
  xapiwrapper: 'xapiwrapper/dist/xapiwrapper.min.js',
  xapi: '@xapi/xapi/dist/XAPI.umd.js',
  xapiCmi5: '@xapi/cmi5/dist/Cmi5.umd.js',
  rusticiCmi5: '@rusticisoftware/cmi5/dist/cmi5.js',
}

/** The State document of a lesson. */
export const bookmark = 'bookmark'
