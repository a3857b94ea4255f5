// The parameters of a call: those of the query and of a form in the body, together, as they were signed.
// Knows no method and nobody's key.

import type { Context } from 'hono'
import type { FaceEnv } from '../face.ts'
import { mediaTypeOf, readText } from '../http.ts'
import { CallError } from './errors.ts'
import type { ErrorNumber } from './errors.ts'

/** Values by name, in the order they were sent. */
export type Parameters = ReadonlyMap<string, readonly string[]>

const bodyLimitBytes = 64 * 1024
/** Of one body; as many as app.ts takes in a query. */
const mostParameters = 100

export async function readParameters(c: Context<FaceEnv>): Promise<Parameters> {
  const parameters = new Map<string, string[]>()
  for (const [name, value] of [...new URL(c.req.url).searchParams, ...(await readForm(c))]) {
    const values = parameters.get(name)
    if (values) values.push(value)
    else parameters.set(name, [value])
  }
  return parameters
}

// Java with `usePost` has everything in the body, .NET a part. A body of no length may claim to be anything: npm's
// scormcloud-api-wrapper calls it multipart.
async function readForm(c: Context<FaceEnv>): Promise<Iterable<[string, string]>> {
  if (c.req.method !== 'POST') return []
  const text = await readText(c, bodyLimitBytes)
  if (text === '') return []
  const { type } = mediaTypeOf(c)
  if (type !== '' && type !== 'application/x-www-form-urlencoded') {
    const message = 'A body must be application/x-www-form-urlencoded; send the parameters there, or in the query'
    throw new CallError(200, message)
  }
  if (text.split('&', mostParameters + 1).length > mostParameters) {
    throw new CallError(200, `The body has more than ${mostParameters} parameters`)
  }
  return new URLSearchParams(text)
}

/** The value of a parameter that may be given once; `number` is the error where it is given more often. */
export function single(parameters: Parameters, name: string, number: ErrorNumber = 205): string | undefined {
  const values = parameters.get(name) ?? []
  if (values.length > 1) throw new CallError(number, `The parameter ${name} must be given once`)
  return values[0]
}

/** 203 where it is missing, or empty. */
export function required(parameters: Parameters, name: string): string {
  const value = single(parameters, name)
  if (value) return value
  throw new CallError(203, `The parameter ${name} is missing`)
}
