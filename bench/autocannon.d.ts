// The part of npm autocannon that bench/generator.ts and scripts/overload.ts use; the package ships no types.
declare module 'autocannon' {
  export interface Request {
    readonly method?: string
    readonly path?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly onResponse?: (status: number, body: string) => void
  }
  export interface Options {
    readonly url: string
    readonly connections: number
    readonly duration: number
    readonly requests: Request[]
    readonly headers?: Readonly<Record<string, string>>
    readonly timeout?: number
  }
  export interface Result {
    readonly duration: number
    readonly '2xx': number
    readonly non2xx: number
    readonly errors: number
    readonly timeouts: number
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number }
  }
  export interface Run extends PromiseLike<Result> {
    on(event: 'response', listener: (client: object, status: number, bytes: number, milliseconds: number) => void): void
  }
  export default function autocannon(options: Options): Run
}
