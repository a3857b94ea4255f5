// The part of npm tincanjs 0.50 that the tests use; the package ships no types.
declare module 'tincanjs' {
  type Callback<T> = (error: unknown, result: T) => void
  interface Xhr {
    readonly status: number
    readonly responseText: string
  }
  interface Asked {
    callback: Callback<never>
    [setting: string]: unknown
  }
  class Statement {
    constructor(json: unknown, settings?: { doStamp?: boolean })
    readonly originalJSON: string | null
    asVersion(version: string): Record<string, unknown>
  }
  class LRS {
    constructor(config: { endpoint: string; username: string; password: string; version?: string; allowFail?: boolean })
    saveStatement(statement: Statement, config: Asked): void
    saveStatements(statements: Statement[], config: Asked): void
    retrieveStatement(id: string, config: Asked): void
    retrieveVoidedStatement(id: string, config: Asked): void
    queryStatements(config: Asked): void
    moreStatements(config: Asked & { url: string }): void
    saveState(id: string, content: unknown, config: Asked): void
    saveActivityProfile(id: string, content: unknown, config: Asked): void
    saveAgentProfile(id: string, content: unknown, config: Asked): void
    retrieveState(id: string, config: Asked): void
    retrieveActivityProfile(id: string, config: Asked): void
    retrieveAgentProfile(id: string, config: Asked): void
    retrieveStateIds(config: Asked): void
    retrieveActivityProfileIds(config: Asked): void
    retrieveAgentProfileIds(config: Asked): void
    dropState(id: string | null, config: Asked): void
    dropActivityProfile(id: string, config: Asked): void
    dropAgentProfile(id: string, config: Asked): void
    retrieveActivity(id: string, config: Asked): void
  }
  class Agent {
    constructor(json: unknown)
  }
  class Activity {
    constructor(json: unknown)
  }
  class TinCan {
    static LRS: typeof LRS
    static Statement: typeof Statement
    static Agent: typeof Agent
    static Activity: typeof Activity
    constructor(config: { recordStores: unknown[] })
    voidStatement(
      id: string,
      callback: (results: { err: unknown; xhr: Xhr }[], statement: Statement) => void,
      options: { actor: Agent },
    ): void
  }
  export default TinCan
}
