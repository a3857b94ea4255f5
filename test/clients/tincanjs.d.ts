// The part of npm tincanjs 0.50 that the tests use; the package ships no types.
declare module 'tincanjs' {
  type Callback<T> = (error: unknown, result: T) => void
  interface Xhr {
    readonly status: number
    readonly responseText: string
  }
  class Statement {
    constructor(json: unknown, settings?: { doStamp?: boolean })
    readonly originalJSON: string | null
    asVersion(version: string): Record<string, unknown>
  }
  interface StatementsResult {
    readonly statements: Statement[]
    readonly more: string | null
  }
  class LRS {
    constructor(config: { endpoint: string; username: string; password: string; version?: string; allowFail?: boolean })
    saveStatement(statement: Statement, config: { callback: Callback<Xhr> }): void
    saveStatements(statements: Statement[], config: { callback: Callback<Xhr> }): void
    retrieveStatement(id: string, config: { callback: Callback<Statement | Xhr> }): void
    retrieveVoidedStatement(id: string, config: { callback: Callback<Statement | Xhr> }): void
    queryStatements(config: { params: Record<string, unknown>; callback: Callback<StatementsResult | Xhr> }): void
    moreStatements(config: { url: string; callback: Callback<StatementsResult | Xhr> }): void
  }
  class Agent {
    constructor(json: unknown)
  }
  class TinCan {
    static LRS: typeof LRS
    static Statement: typeof Statement
    static Agent: typeof Agent
    constructor(config: { recordStores: unknown[] })
    voidStatement(
      id: string,
      callback: (results: { err: unknown; xhr: Xhr }[], statement: Statement) => void,
      options: { actor: Agent },
    ): void
  }
  export default TinCan
}
