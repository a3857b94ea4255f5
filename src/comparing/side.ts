// One of the two stores: asked with GET and nothing else, not too often, again where it asks for patience. Its secret goes into one header
// and nowhere else.

import { setTimeout as sleep } from 'node:timers/promises'
import { OutboundError, retryAfterMs } from '../core/outbound.ts'
import type { Outbound, OutboundAnswer } from '../core/outbound.ts'

export interface SideSettings {
  /** Of xAPI, without a slash at its end. */
  readonly endpoint: string
  readonly key: string
  readonly secret: string
  /** Where a recorded request names none. */
  readonly version: string
  /** Requests a second, at most. */
  readonly rate: number
}

export interface Unreached {
  readonly status: undefined
  /** For people; names the host at most. */
  readonly reason: string
}

export type Answer = OutboundAnswer | Unreached

const timeoutMs = 60_000
/** Of one answer; it is compared in memory. */
const mostBytes = 8 * 1024 * 1024
const mostTries = 4
const longestWaitMs = 30_000

export class Side {
  readonly #outbound: Outbound
  readonly #settings: SideSettings
  readonly #authorization: string
  readonly #signal: AbortSignal
  #nextAt = 0

  constructor(outbound: Outbound, settings: SideSettings, signal: AbortSignal) {
    this.#outbound = outbound
    this.#settings = settings
    this.#signal = signal
    const { key, secret } = settings
    this.#authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  }

  /** `path`: what follows the endpoint. Rejects with the signal's reason only. */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#ask(`${this.#settings.endpoint}/${path}`, headers)
  }

  /** `more` of a list. Undefined: it leads elsewhere, and nobody follows it there with a key. */
  async getMore(more: string, headers: Readonly<Record<string, string>>): Promise<Answer | undefined> {
    const { endpoint } = this.#settings
    if (!URL.canParse(more, `${endpoint}/`)) return undefined
    const url = new URL(more, `${endpoint}/`)
    return url.origin === new URL(endpoint).origin ? this.#ask(url.href, headers) : undefined
  }

  async #ask(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      await this.#turn()
      const answer = await this.#askOnce(url, headers)
      const isPatience = answer.status === 429 || answer.status === 503
      if (!isPatience || tries === mostTries) return answer
      await sleep(Math.min(retryAfterMs(answer) ?? 1000 * tries, longestWaitMs), undefined, { signal: this.#signal })
    }
  }

  async #askOnce(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      const answer = await this.#outbound.request({
        method: 'GET',
        url,
        headers: {
          'x-experience-api-version': this.#settings.version,
          ...headers,
          authorization: this.#authorization,
        },
        ...{ timeoutMs, mostBytes, signal: this.#signal },
      })
      return answer.status < 400 ? answer : { ...answer, body: this.#withoutSecret(answer.body) }
    } catch (error) {
      this.#signal.throwIfAborted()
      if (error instanceof OutboundError) return { status: undefined, reason: error.message }
      throw error
    }
  }

  /** Who refuses may repeat what it was sent, and what it says is shown. */
  #withoutSecret(body: Uint8Array): Uint8Array {
    const told = Buffer.from(body).toString('utf8')
    const pair = this.#authorization.slice('Basic '.length)
    return Buffer.from([pair, this.#settings.secret].reduce((text, one) => text.replaceAll(one, '…'), told))
  }

  async #turn(): Promise<void> {
    const now = performance.now()
    const at = Math.max(now, this.#nextAt)
    this.#nextAt = at + 1000 / this.#settings.rate
    if (at > now) await sleep(at - now, undefined, { signal: this.#signal })
    this.#signal.throwIfAborted()
  }
}
