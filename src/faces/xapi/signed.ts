// Calls that are signed (OAuth 1.0a): which are, and what of them is read before anybody knows by whom. Signatures themselves
// are the matter of faces/oauth.ts.

import type { SizeLimit } from '../../core/limits.ts'
import { refusal } from '../../core/xapi/rule.ts'
import { ByteBudget } from '../load.ts'
import { parseMediaType, readBytes, textOf } from '../http.ts'
import { SignedRequest, areSigned, isSigned, withoutSignature } from '../oauth.ts'
import type { Pair } from '../oauth.ts'
import type { Call } from './call.ts'

/** What may come before anybody signed in: little, and of all of it together not much. */
export const unsignedForm = 256 * 1024
export const unsignedBudget = new ByteBudget(32 * 1024 * 1024)
const signedLimit: SizeLimit = {
  most: unsignedForm,
  decidedBy: 'limit form',
  remedy: 'A form is part of what is signed, and read before anybody knows by whom; send it as another type.',
}
const mostFields = 1000

/** Whether the credentials of the call are a signature, in the header or in the query. */
export function isSignedCall({ params }: Call, authorization: string | undefined): boolean {
  return authorization === undefined ? areSigned(params) : isSigned(authorization)
}

/** The call with its signature beside it, and not among its parameters. Reads the body where it is signed: where it is a form. */
export async function readSigned(call: Call): Promise<Call> {
  const { c, method, header } = call
  const hasBody = method === 'PUT' || method === 'POST'
  const isForm = hasBody && parseMediaType(header('Content-Type')).type === 'application/x-www-form-urlencoded'
  const content = isForm ? await readBytes(c, signedLimit, unsignedBudget) : undefined
  const authorization = header('Authorization')
  const form = content && fieldsOf(await textOf(content, signedLimit))
  const signed = new SignedRequest({ method, url: c.req.raw.url, authorization, form })
  if (!hasBody) signed.bodyCheck()?.end()
  const params = authorization === undefined ? withoutSignature(call.params) : call.params
  return { ...call, params, signed, ...(content && { content }) }
}

function fieldsOf(text: string): readonly Pair[] {
  if (text.split('&', mostFields + 1).length <= mostFields) return [...new URLSearchParams(text)]
  const message = `A form that is signed has at most ${mostFields} fields.`
  throw refusal([{ pointer: '', rule: 'claviger/too-many-parameters', message }])
}
