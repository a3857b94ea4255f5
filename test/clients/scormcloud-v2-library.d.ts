// The part of the client that the tests use; the package ships no types.

declare module '@rusticisoftware/scormcloud-api-v2-client-javascript' {
  interface Pair {
    username?: string | undefined
    password?: string | undefined
  }
  class ApiClient {
    basePath: string
    readonly authentications: { APP_NORMAL: Pair; APP_MANAGEMENT: Pair; OAUTH: { accessToken?: string } }
  }
  interface Response {
    readonly status: number
    readonly text: string
    readonly headers: Readonly<Record<string, string>>
  }
  /** Arguments of the operation, and at the end who is called back. */
  type Operation = (...args: unknown[]) => void
  export type Done = (
    error: (Error & { readonly status: number; readonly response?: Response }) | null,
    data: unknown,
    response: Response,
  ) => void
  interface Library {
    readonly ApiClient: typeof ApiClient
    /** APIs, by their names. */
    readonly [api: `${string}Api`]: new (client: ApiClient) => Readonly<Record<string, Operation>>
    /** Models, by theirs. */
    readonly [model: `${string}Schema`]: { constructFromObject(members: object): unknown }
  }
  const library: Library
  export default library
}
