// How tests speak to an API through the whole app: who asks, what is sent, what comes back. Knows no vendor.

import { createHash } from 'node:crypto'
import type { HttpApp } from '../../src/app.ts'
import type { Oid } from '../../src/core/ids.ts'
import type { Ids } from '../../src/core/storage.ts'

export interface Login {
  readonly key: string
  readonly secret: string
}

export interface Ask {
  /** Key and secret, or a bearer token. */
  readonly as?: Login | string
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when there is none, or none of JSON. */
  readonly json: any
}

export async function answerOf(app: HttpApp, method: string, path: string, ask: Ask): Promise<Answer> {
  const headers = new Headers(ask.as === undefined ? {} : { Authorization: authorization(ask.as) })
  if (ask.json !== undefined) headers.set('Content-Type', 'application/json')
  for (const [name, value] of Object.entries(ask.headers ?? {})) headers.set(name, value)
  const body = ask.json === undefined ? ask.body : JSON.stringify(ask.json)
  // Bytes and not text: fetch would give a text body a Content-Type of its own.
  const init = body === undefined ? { method, headers } : { method, headers, body: Buffer.from(body) }
  const response = await app.request(path, init)
  const text = await response.text()
  const isJson = response.headers.get('Content-Type')?.includes('json') === true && text !== ''
  const json = isJson ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, text, json }
}

export function authorization(as: Login | string): string {
  if (typeof as === 'string') return `Bearer ${as}`
  return `Basic ${Buffer.from(`${as.key}:${as.secret}`).toString('base64')}`
}

/** Identifiers that look random and are the same in each run. */
export function countingIds(): Ids {
  let count = 0
  const hex = (bytes: number): string => {
    const digits = createHash('sha512').update(`id ${++count}`).digest('hex')
    return digits.slice(0, bytes * 2)
  }
  const uuid = (version: number) => (): string =>
    hex(16).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-${version}$3-8$4-$5`)
  return { hex, oid: () => hex(12) as Oid, uuid: uuid(4), orderedUuid: uuid(7) }
}
