// The statements of a store elsewhere, page after page, oldest first. Goes on from a position of an earlier run, asks for less where
// an answer is too long, begins a page anew whose address is not known there any more, and sees when it is led in a circle.

import { DomainError } from '../core/errors.ts'
import type { ReadPage, ReadStatement, RemoteLrs } from '../core/remote-lrs.ts'
import type { Patience } from './patience.ts'

/** JSON. */
export type WalkPosition = {
  /** The address of the next page; null: there is none, or it is the first. */
  readonly more: string | null
  /** What comes next is stored after this; null: from the beginning. */
  readonly since: string | null
  /** Nothing comes next. */
  readonly isEnd: boolean
}

export interface WalkSettings {
  readonly remote: RemoteLrs
  readonly patience: Patience
  /** Only what was stored after this. */
  readonly since: string | undefined
  /** What `position` was after a page. */
  readonly from?: WalkPosition | undefined
}

const mostInPage = 500
/** One after the other. */
const mostEmptyPages = 100
const mostNewBeginnings = 3

export class Walk {
  readonly #remote: RemoteLrs
  readonly #patience: Patience
  readonly #first: string | undefined
  #more: string | undefined
  #since: string | undefined
  #limit = mostInPage
  #isEnded = false
  #lastStored = -Infinity
  #lastIds = ''
  #emptyPages = 0
  #newBeginnings = 0
  #beganAt: string | undefined

  constructor({ remote, patience, since, from }: WalkSettings) {
    this.#remote = remote
    this.#patience = patience
    this.#first = since
    this.#more = from?.more ?? undefined
    this.#since = from?.since ?? since
    this.#isEnded = from?.isEnd === true
  }

  get position(): WalkPosition {
    return { more: this.#more ?? null, since: this.#since ?? null, isEnd: this.#isEnded }
  }

  /** Undefined at the end. Throws `invalid` for what is no store of statements, `unavailable` where it does not answer. */
  async next(): Promise<Pick<ReadPage, 'statements' | 'nameless'> | undefined> {
    while (!this.#isEnded) {
      const page = await this.#read()
      if (page === undefined) continue
      this.#take(page)
      if (page.statements.length > 0 || page.nameless.length > 0) return page
    }
    return undefined
  }

  /** Undefined: to be asked again, from elsewhere or for less. */
  async #read(): Promise<ReadPage | undefined> {
    const from = { since: this.#since, more: this.#more, limit: this.#limit }
    const answer = await this.#patience.ask(() => this.#remote.read(from, this.#patience.signal))
    if (answer.kind === 'page') return answer
    const isTooLong = answer.kind === 'later'
    const canChange = isTooLong ? this.#limit > 1 : this.#more !== undefined
    if (!canChange || (!isTooLong && this.#beginnings() > mostNewBeginnings)) {
      throw new DomainError('invalid', answer.reason)
    }
    if (isTooLong) this.#limit = Math.ceil(this.#limit / 4)
    // Without the address of a page, from what was stored last.
    this.#more = undefined
    this.#lastIds = ''
    return undefined
  }

  /** At the same place, this one included. */
  #beginnings(): number {
    this.#newBeginnings = this.#beganAt === this.#since ? this.#newBeginnings + 1 : 1
    this.#beganAt = this.#since
    return this.#newBeginnings
  }

  #take({ statements, more }: ReadPage): void {
    const ids = statements.map(({ id }) => id).join()
    const isSame = more !== undefined && (more === this.#more || (ids !== '' && ids === this.#lastIds))
    this.#emptyPages = ids === '' ? this.#emptyPages + 1 : 0
    if (isSame || this.#emptyPages > mostEmptyPages) {
      throw new DomainError('invalid', 'The store leads from one page to the next without end.')
    }
    this.#lastIds = ids
    this.#more = more
    this.#isEnded = more === undefined
    this.#follow(statements)
  }

  /** Where to begin when the address of the next page is lost: only a store that keeps the order can be trusted with it. */
  #follow(statements: readonly ReadStatement[]): void {
    for (const { stored } of statements) {
      const at = Date.parse(stored)
      if (at < this.#lastStored) {
        this.#lastStored = Infinity
        this.#since = this.#first
        return
      }
      this.#lastStored = at
    }
    // One millisecond before: others may have been stored at the same moment.
    if (Number.isFinite(this.#lastStored)) this.#since = new Date(this.#lastStored - 1).toISOString()
  }
}
