// How much is under way in this process, and what is refused before it is too much: requests without an answer, bytes of bodies,
// bytes of answers that clients have yet to take. Everything that waits for something is counted here or in core. Knows no face.

import { overloaded } from '../core/errors.ts'

export interface LoadBounds {
  /** Requests that have no answer yet; half of them may be receiving a body, so that slow senders leave room. */
  readonly requests: number
  /** Bytes of bodies, from their first chunk until their request has its answer. */
  readonly bodyBytes: number
  /** Bytes of larger answers, until the client has taken them. */
  readonly answerBytes: number
}

/** Made once: where it happens is no news, and to find that out takes longer than all else that a refusal costs here. */
const tooManyRequests = overloaded('Too many requests are under way')

const tooManyBodies = 'Too many request bodies are being received at once'
const tooManyAnswers = 'Too many large answers are waiting for their clients'

/** Most bodies and answers are smaller. */
export const smallSize = 64 * 1024

/** Bytes that many hold together. */
export class ByteBudget {
  readonly most: number
  readonly #message: string
  #held = 0

  constructor(most: number, message = tooManyBodies) {
    this.most = most
    this.#message = message
  }

  get held(): number {
    return this.#held
  }

  /** Throws `unavailable`. Large ones leave a quarter to the small ones, which most are. */
  take(bytes: number, isSmall: boolean): void {
    if (this.#held + bytes > (isSmall ? this.most : this.most * 0.75)) throw overloaded(this.#message)
    this.#held += bytes
  }

  /** Another large one would hardly find room. */
  get isHalfFull(): boolean {
    return this.#held > this.most / 2
  }

  /** What is in memory already, whatever the bound. */
  add(bytes: number): void {
    this.#held += bytes
  }

  give(bytes: number): void {
    this.#held -= bytes
  }
}

/** A body that is arriving, or an answer that is being taken. */
export interface Moving {
  /** Bytes so far. */
  readonly length: number
  /** Ends it: its place is needed. */
  abort(error: Error): void
}

/** Whoever sends or takes less makes room, after a moment, when there is none. */
const fairRate = 64 * 1024
const fairMs = 2_000

interface Seen {
  readonly at: number
  readonly length: number
}

export class Load {
  readonly bounds: LoadBounds
  readonly bodies: ByteBudget
  readonly answers: ByteBudget
  #requests = 0
  readonly #receiving = new Map<Moving, number>()
  /** With what had been taken when somebody last looked. */
  readonly #delivering = new Map<Moving, Seen>()

  constructor(bounds: LoadBounds) {
    this.bounds = bounds
    this.bodies = new ByteBudget(bounds.bodyBytes)
    this.answers = new ByteBudget(bounds.answerBytes, tooManyAnswers)
  }

  get requests(): number {
    return this.#requests
  }

  get receiving(): number {
    return this.#receiving.size
  }

  /** A request that begins. Throws `unavailable`. */
  enter(): Stay {
    if (this.#requests >= this.bounds.requests) throw tooManyRequests
    this.#requests += 1
    return new Stay(this, () => (this.#requests -= 1))
  }

  /**
   * A body that begins; call what it returns at its end. Where there is no room, the slowest of those that are slow is ended for it,
   * so that a few clients that hardly send do not keep everybody else out. Throws `unavailable`.
   */
  receive(arriving: Moving, now = performance.now()): () => void {
    if (this.#receiving.size >= this.bounds.requests / 2) this.#makeRoom(now)
    this.#receiving.set(arriving, now)
    return () => void this.#receiving.delete(arriving)
  }

  /** A larger answer that its client begins to take; call what it returns at its end. */
  deliver(answer: Moving, now = performance.now()): () => void {
    this.#delivering.set(answer, { at: now, length: answer.length })
    return () => void this.#delivering.delete(answer)
  }

  /**
   * Before an answer is made of which nobody knows how large it will be. Where there is little room, the slowest of those that are
   * slow to take theirs is ended, so that a few clients that take nothing do not keep everybody else from reading. Throws
   * `unavailable`.
   */
  demandAnswerRoom(now = performance.now()): void {
    if (!this.answers.isHalfFull) return
    const slowest = this.#findSlowTaker(now)
    if (slowest === undefined) throw overloaded(tooManyAnswers)
    this.#delivering.delete(slowest)
    slowest.abort(overloaded(tooManyAnswers))
  }

  /** By what they took lately: the kernel takes the first megabytes of each, however slow the client. */
  #findSlowTaker(now: number): Moving | undefined {
    let slowest: Moving | undefined
    let least = fairRate
    for (const [answer, { at, length }] of this.#delivering) {
      if (now - at < fairMs) continue
      const rate = ((answer.length - length) / (now - at)) * 1000
      if (rate >= fairRate) this.#delivering.set(answer, { at: now, length: answer.length })
      else if (rate < least) [slowest, least] = [answer, rate]
    }
    return slowest
  }

  #makeRoom(now: number): void {
    let slowest: Moving | undefined
    let least = fairRate
    for (const [arriving, since] of this.#receiving) {
      // In the order they began: all that follow are younger.
      if (now - since < fairMs) break
      const rate = (arriving.length / (now - since)) * 1000
      if (rate < least) [slowest, least] = [arriving, rate]
    }
    if (slowest === undefined) throw overloaded(tooManyBodies)
    this.#receiving.delete(slowest)
    slowest.abort(overloaded(tooManyBodies))
  }
}

/** What one request takes of the load. */
export class Stay {
  readonly load: Load
  readonly #leave: () => void
  #bodyBytes = 0
  #answerBytes = 0

  constructor(load: Load, leave: () => void) {
    this.load = load
    this.#leave = leave
  }

  get holdsAnswer(): boolean {
    return this.#answerBytes > 0
  }

  /** A body that was read stays in memory, as text or in parts, until there is an answer. */
  keepBody(bytes: number): void {
    this.load.bodies.add(bytes)
    this.#bodyBytes += bytes
  }

  /** Before an answer is sent. Throws `unavailable`. */
  holdAnswer(bytes: number): void {
    if (bytes <= smallSize) return
    this.load.answers.take(bytes, false)
    this.#answerBytes += bytes
  }

  /** There is an answer. */
  leave(): void {
    this.#leave()
    if (this.#bodyBytes > 0) this.load.bodies.give(this.#bodyBytes)
  }

  /** The client has it, or has gone. */
  end(): void {
    this.load.answers.give(this.#answerBytes)
    this.#answerBytes = 0
  }
}
