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

export interface XapiClient {
  /** Stores one; with an id in it where the library chooses PUT for that. */
  store(statement: Json): Promise<void>
  storeAll(statements: readonly Json[]): Promise<readonly string[]>
  find(id: string): Promise<Json>
  findVoided(id: string): Promise<Json>
  query(filter: Filter): Promise<Page>
  more(url: string): Promise<Page>
  voidStatement(id: string, actor: Json): Promise<void>
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

/** One library in one setting. */
export interface ClientLibrary {
  readonly name: string
  /** What its statements are marked with by the server. */
  readonly statementVersion: string
  connect(account: ClientAccount): XapiClient
}

export async function statusOf(attempt: Promise<unknown>): Promise<number> {
  try {
    await attempt
    return 200
  } catch (error) {
    if (error instanceof Refused) return error.status
    throw error
  }
}
