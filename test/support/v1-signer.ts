// Signs calls of SCORM Cloud's first API as its clients do: written from the description of the algorithm, sharing nothing with
// the face that checks them.

import { createHash } from 'node:crypto'

export type Parameter = readonly [name: string, value: string]

/** Hex digits in lower case, of `secret` followed by names and values. */
export function v1Signature(secret: string, parameters: readonly Parameter[]): string {
  const byName: Record<string, string[]> = {}
  for (const [name, value] of parameters) {
    if (name === 'sig' || name === 'filedata') continue
    ;(byName[name] ??= []).push(value)
  }
  let text = secret
  const names = Object.keys(byName).sort((a, b) => (a.toUpperCase() < b.toUpperCase() ? -1 : 1))
  for (const name of names) {
    text += name
    for (const value of byName[name]!.sort()) text += value
  }
  return createHash('md5').update(Buffer.from(text, 'utf8')).digest('hex')
}

/** UTC, as `ts` wants it. */
export function v1Timestamp(time: number): string {
  const date = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getUTCFullYear(), two(date.getUTCMonth() + 1), two(date.getUTCDate())].join('')
  return day + two(date.getUTCHours()) + two(date.getUTCMinutes()) + two(date.getUTCSeconds())
}

export interface Signing {
  readonly key: string
  readonly secret: string
  readonly time: number
}

/** What is sent: the parameters with `appid`, `ts` and `sig`. */
export function signCall({ key, secret, time }: Signing, parameters: readonly Parameter[]): URLSearchParams {
  const all: Parameter[] = [...parameters, ['appid', key], ['ts', v1Timestamp(time)]]
  const query = new URLSearchParams()
  for (const [name, value] of all) query.append(name, value)
  query.append('sig', v1Signature(secret, all))
  return query
}
