// The storage as the core gets it from a server: the same port, with reads of statements kept in a queue of bounded length and
// every call timed and traced, as far as anybody wants that. Knows nothing of what is stored or who asks.

import { isDomainError } from './core/errors.ts'
import type { ErrorCode } from './core/errors.ts'
import type { Gate, GateBounds } from './core/gate.ts'
import type { Storage } from './core/storage.ts'

export type CallOutcome = 'done' | ErrorCode

export interface Watch {
  /** Through which reads that may answer much, or take long, have to pass. */
  readonly reads: Gate
  /** Called when it is the turn of a page; throws where there is no room for what it may answer. */
  readonly demandRoom?: () => void
  /** `operation`: `statements.store`. */
  readonly onCall?: ((operation: string, outcome: CallOutcome, seconds: number) => void) | undefined
  /** Runs the call within a span. */
  readonly trace?: (<T>(operation: string, call: () => Promise<T>) => Promise<T>) | undefined
}

/**
 * One page may have 16 million characters: only so many are in memory before they are answers, which are counted. Of the `requests`
 * under way a quarter may wait here, so that slow reads leave room for those that write. Of a database's `connections` pages have
 * three in ten: one less than all reads together, so that long pages keep nobody from a document.
 */
export function readBoundsWithin(requests: number, connections = Infinity): GateBounds {
  const atOnce = Math.max(1, Math.min(8, Math.floor(connections * 0.3)))
  return { atOnce, waiting: Math.min(500, Math.floor(requests / 4)), waitMs: 2_000 }
}

const gated: ReadonlySet<string> = new Set(['statements.find', 'statements.list', 'statements.listDescriptions'])

const halves: ReadonlySet<string | symbol> = new Set<keyof Storage>([
  'platform',
  'directory',
  'statements',
  'documents',
  'blobs',
  'erasures',
  'exports',
])

export function watchStorage(storage: Storage, watch: Watch): Storage {
  const seen = new Map<string | symbol, unknown>()
  return new Proxy(storage, {
    get(target, property) {
      if (!seen.has(property)) {
        const value: unknown = Reflect.get(target, property, target)
        const half = (): object => watchHalf(String(property), value as object, watch)
        const own = typeof value === 'function' ? (value.bind(target) as unknown) : value
        seen.set(property, halves.has(property) ? half() : own)
      }
      return seen.get(property)
    },
  })
}

type Call = (...args: unknown[]) => unknown

/** What is not called (`blobs.hold` is, and answers at once) stays as it is. */
function watchHalf<Half extends object>(name: string, half: Half, watch: Watch): Half {
  const calls = new Map<string | symbol, Call>()
  return new Proxy(half, {
    get(target, property) {
      const known = calls.get(property)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const call = watchCall(`${name}.${String(property)}`, value.bind(target) as Call, watch)
      calls.set(property, call)
      return call
    },
  })
}

function watchCall(operation: string, call: Call, { reads, demandRoom, onCall, trace }: Watch): Call {
  let watched = call as (...args: unknown[]) => Promise<unknown>
  if (onCall !== undefined) watched = timed(operation, watched, onCall)
  if (trace !== undefined) watched = traced(operation, watched, trace)
  if (!gated.has(operation)) return watched
  const inTurn = watched
  return (...args) =>
    reads.pass(async () => {
      if (operation === 'statements.list') demandRoom?.()
      return inTurn(...args)
    })
}

type AsyncCall = (...args: unknown[]) => Promise<unknown>

function timed(operation: string, call: AsyncCall, onCall: NonNullable<Watch['onCall']>): AsyncCall {
  return (...args) => {
    const start = performance.now()
    const end = (outcome: CallOutcome): void => onCall(operation, outcome, (performance.now() - start) / 1000)
    const answer: unknown = call(...args)
    if (!(answer instanceof Promise)) return answer as Promise<unknown>
    answer.then(
      () => end('done'),
      (error: unknown) => end(isDomainError(error) ? error.code : 'internal'),
    )
    return answer as Promise<unknown>
  }
}

function traced(operation: string, call: AsyncCall, trace: NonNullable<Watch['trace']>): AsyncCall {
  // The one that only counts, and answers at once.
  if (operation === 'blobs.hold') return call
  return (...args) => trace(operation, () => call(...args))
}
