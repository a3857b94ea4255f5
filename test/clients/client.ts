// What the tests ask of any xAPI client, whichever library does it. The libraries are used as their users use them.

export interface ClientAccount {
  /** xAPI endpoint, with a trailing slash. */
  readonly endpoint: string
  readonly key: string
  readonly secret: string
}

export type Json = Record<string, unknown>

export interface Filter {
  readonly agent?: Json
  readonly verb?: string
  readonly activity?: string
  readonly registration?: string
  readonly related_agents?: boolean
  readonly related_activities?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit?: number
  readonly ascending?: boolean
  readonly format?: 'ids' | 'exact' | 'canonical'
}

export interface Page {
  readonly statements: readonly Json[]
  /** Empty at the end. */
  readonly more: string
}

/** Where documents are kept: State, Activity Profile or Agent Profile. */
export type DocumentPlace =
  | { readonly of: 'state'; readonly activityId: string; readonly agent: Json; readonly registration?: string }
  | { readonly of: 'activity'; readonly activityId: string }
  | { readonly of: 'agent'; readonly agent: Json }

/** An entity tag as the header has it, quoted; or only where there is no document yet. */
export type Precondition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' }

export interface FoundDocument {
  /** Parsed where it is JSON. */
  readonly content: unknown
  /** As the header had it. */
  readonly etag: string | null
}

export interface NewAttachment {
  readonly usageType: string
  readonly display: Readonly<Record<string, string>>
  readonly contentType: string
  /** Lower-case hex, of `content`. */
  readonly sha2: string
  readonly content: Uint8Array
}

export interface XapiClient {
  /** Stores one; with an id in it where the library chooses PUT for that. */
  store(statement: Json): Promise<void>
  storeAll(statements: readonly Json[]): Promise<readonly string[]>
  find(id: string): Promise<Json>
  findVoided(id: string): Promise<Json>
  query(filter: Filter): Promise<Page>
  more(url: string): Promise<Page>
  voidStatement(id: string, actor: Json): Promise<void>

  /** Stores one together with the bytes of its attachments, which the library describes in it. */
  storeWith(statement: Json, attachments: readonly NewAttachment[]): Promise<void>
  /** One statement and the bytes that came with it, in the order of its attachments. */
  findWith(id: string): Promise<{ readonly statement: Json; readonly contents: readonly Uint8Array[] }>

  /** As the library saves: by PUT, or where it knows no PUT of an object by POST. A string is plain text. */
  save(place: DocumentPlace, id: string, content: Json | string, precondition?: Precondition): Promise<void>
  /** POST: the members given are laid over those there. */
  merge(place: DocumentPlace, id: string, content: Json, precondition?: Precondition): Promise<void>
  findDocument(place: DocumentPlace, id: string): Promise<FoundDocument | undefined>
  listDocuments(place: DocumentPlace, since?: string): Promise<readonly string[]>
  remove(place: DocumentPlace, id: string): Promise<void>
  removeAllStates(place: DocumentPlace & { readonly of: 'state' }): Promise<void>

  findPerson(agent: Json): Promise<Json>
  findActivity(id: string): Promise<Json>
}

/** An answer other than success, as the library reported it. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(`${status} ${text}`)
    this.name = 'Refused'
    this.status = status
  }
}

/** What a library cannot do; its tests then leave that out. */
export type Lack =
  | 'storeWith'
  | 'storeBinary'
  | 'findWith'
  | 'findBinary'
  | 'removeAllStates'
  | 'findPerson'
  | 'microseconds'

/** One library in one setting. */
export interface ClientLibrary {
  readonly name: string
  /** What its statements are marked with by the server. */
  readonly statementVersion: string
  readonly lacks: readonly Lack[]
  connect(account: ClientAccount): XapiClient
}

/** The usageType of a signature (Data 2.6). */
export const signatureUsage = 'http://adlnet.gov/expapi/attachments/signature'

export async function statusOf(attempt: Promise<unknown>): Promise<number> {
  try {
    await attempt
    return 200
  } catch (error) {
    if (error instanceof Refused) return error.status
    throw error
  }
}
