// A vendor's API of JSON over HTTP, read and never written: signs in with Basic, asks politely, and takes nothing it answers on trust.
// Knows no vendor.

import { DomainError } from '../core/errors.ts'
import { OutboundError, retryAfterMs } from '../core/outbound.ts'
import type { Outbound, OutboundAnswer } from '../core/outbound.ts'
import type { Later, Refused } from '../core/remote-lrs.ts'
import { isObject } from '../core/xapi/rule.ts'
import type { JsonObject } from '../core/xapi/rule.ts'
import type { Patience } from './patience.ts'

export interface Login {
  readonly key: string
  readonly secret: string
}

export interface JsonApiSettings {
  readonly outbound: Outbound
  readonly patience: Patience
  /** Paths are below it. */
  readonly url: string
  readonly login: Login
}

interface Answered {
  readonly kind: 'answered'
  readonly body: JsonObject
}

const timeoutMs = 60_000
/** A thousand entries of a list; what is longer would take long to read. */
const mostBytes = 4 * 1024 * 1024
/** Of what somebody says who refuses. */
const mostSaid = 200
const passing: ReadonlySet<number> = new Set([408, 423, 425, 429])

export class JsonApi {
  readonly #settings: JsonApiSettings

  constructor(settings: JsonApiSettings) {
    this.#settings = { ...settings, url: settings.url.replace(/\/+$/, '') }
  }

  /** The same for whoever else signs in. */
  as(login: Login): JsonApi {
    return new JsonApi({ ...this.#settings, login })
  }

  /** A JSON object. Throws `invalid` for any other answer, and `unavailable` where there is none. */
  async get(path: string): Promise<JsonObject> {
    const answer = await this.ask(path)
    if (answer.kind === 'answered') return answer.body
    throw new DomainError('invalid', answer.reason)
  }

  /** As `get`; a refusal is an answer. */
  async ask(path: string): Promise<Answered | Refused> {
    const answer = await this.#settings.patience.ask(() => this.#request(path))
    return answer.kind === 'later' ? { kind: 'refused', reason: answer.reason } : answer
  }

  async #request(path: string): Promise<Answered | Later | Refused> {
    const { outbound, url, login, patience } = this.#settings
    const pair = Buffer.from(`${login.key}:${login.secret}`).toString('base64')
    const headers = { Authorization: `Basic ${pair}`, Accept: 'application/json' }
    const { signal } = patience
    try {
      return this.#read(
        await outbound.request({ method: 'GET', url: url + path, headers, timeoutMs, mostBytes, signal }),
      )
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OutboundError)) throw error
      if (error.kind === 'refused-address') return { kind: 'refused', reason: error.message }
      return { kind: 'later', reason: error.message, ...(error.kind === 'too-large' && { isTooLong: true }) }
    }
  }

  #read(answer: OutboundAnswer): Answered | Later | Refused {
    const { status } = answer
    const afterMs = retryAfterMs(answer)
    if (status >= 500 || passing.has(status)) {
      return { kind: 'later', reason: this.#said(answer), ...(afterMs !== undefined && { afterMs }) }
    }
    if (status !== 200) return { kind: 'refused', reason: this.#said(answer) }
    const body = objectIn(answer)
    if (body !== undefined) return { kind: 'answered', body }
    return { kind: 'refused', reason: `${this.#settings.url} answers with something else than a JSON object` }
  }

  /** Where, which status, and what was said, without what we told. */
  #said({ status, body }: OutboundAnswer): string {
    const { url, login } = this.#settings
    const told = Buffer.from(body.subarray(0, 4096))
      .toString()
      .replaceAll(/[\p{C}\s]+/gu, ' ')
      .trim()
    const text = login.secret === '' ? told : told.replaceAll(login.secret, '…')
    return `${url} answered ${status}${text === '' ? '' : `: ${text.slice(0, mostSaid)}`}`
  }
}

function objectIn({ body }: OutboundAnswer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The objects of a list; anything else in it is nobody's. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Text that can be kept; undefined for anything else. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
