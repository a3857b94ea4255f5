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

/** Most bodies and answers are smaller. */
export const smallSize = 64 * 1024

/** Bytes that many hold together. */
export class ByteBudget {
  readonly most: number
  readonly #message: string
  #held = 0

  constructor(most: number, message = 'Too many request bodies are being received at once') {
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

  /** What is in memory already, whatever the bound. */
  add(bytes: number): void {
    this.#held += bytes
  }

  give(bytes: number): void {
    this.#held -= bytes
  }
}

export class Load {
  readonly bounds: LoadBounds
  readonly bodies: ByteBudget
  readonly answers: ByteBudget
  #requests = 0
  #receiving = 0

  constructor(bounds: LoadBounds) {
    this.bounds = bounds
    this.bodies = new ByteBudget(bounds.bodyBytes)
    this.answers = new ByteBudget(bounds.answerBytes, 'Too many large answers are waiting for their clients')
  }

  get requests(): number {
    return this.#requests
  }

  get receiving(): number {
    return this.#receiving
  }

  /** A request that begins. Throws `unavailable`. */
  enter(): Stay {
    if (this.#requests >= this.bounds.requests) throw overloaded('Too many requests are under way')
    this.#requests += 1
    return new Stay(this, () => (this.#requests -= 1))
  }

  /** A body that begins; call what it returns at its end. Throws `unavailable`. */
  receive(): () => void {
    if (this.#receiving >= this.bounds.requests / 2)
      throw overloaded('Too many request bodies are being received at once')
    this.#receiving += 1
    return () => void (this.#receiving -= 1)
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
