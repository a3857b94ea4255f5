// The alternate request syntax of 1.0.x (Communication 1.3, XAPI-00336): a POST that names the method in its query and holds
// headers, parameters and content in a form, for clients that can send nothing else. Turns it into the call it stands for.

import type { DomainError, Failure } from '../../core/errors.ts'
import type { SizeLimit } from '../../core/limits.ts'
import type { Principal } from '../../core/principal.ts'
import { cut, refusal, shown } from '../../core/xapi/rule.ts'
import { latestVersion } from '../../core/xapi/version.ts'
import type { AskedRequest } from '../face.ts'
import { readBytes, textOf } from '../http.ts'
import { SignedRequest, areSigned, isSigned, withoutSignature } from '../oauth.ts'
import type { Pair } from '../oauth.ts'
import { admit, likelyVersion, mediaTypeOf, versionHeader } from './call.ts'
import type { Call } from './call.ts'
import { placeOf, signIn } from './caller.ts'
import { unsignedBudget, unsignedForm } from './signed.ts'

/** Communication 1.3.s3.b6; Accept-Language besides, which these clients cannot send either and no parameter is called. */
const headerFields = new Map(
  [
    'Authorization',
    'X-Experience-API-Version',
    'Content-Type',
    'Content-Length',
    'If-Match',
    'If-None-Match',
    'Accept-Language',
  ].map((name) => [name.toLowerCase(), name]),
)

const methods: readonly string[] = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']

/** What may come before anybody signed in, where the credentials stand in the form. */
const unsignedLimit: SizeLimit = {
  most: unsignedForm,
  decidedBy: 'limit form',
  remedy: 'With Basic in the Authorization header of the request itself, a form may be longer.',
}

/** Percent-encoding makes three bytes of one. */
const mostExpansion = 3
const mostFields = 100
/** Characters of a field as it is sent, other than the content: a query string could not be longer either. */
const longestField = 64 * 1024
/** Of all that stand for headers: Node takes no longer ones either. */
const longestHeaders = 16 * 1024

/** `method` is no parameter of any resource: a request that has it means this syntax. */
export function isAlternate(params: URLSearchParams): boolean {
  return params.has('method')
}

/** The call that the form describes. Throws `invalid`, or what reading and signing in throw. */
export async function unpack(call: Call): Promise<Call> {
  const method = checkCarrier(call.method, call.params)
  // What cannot be a form cannot say another version either.
  if (!claimsForm(call)) {
    const { type } = mediaTypeOf(call)
    if (likelyVersion(call.header(versionHeader)) === '2.0') throw notInVersion2()
    throw failed('Content-Type:', `Expected application/x-www-form-urlencoded, got ${shown(type)}.`)
  }
  const admitted = await admitCarrier(call)
  const form = openForm(method, await readForm(call, admitted?.principal))
  const version = form.headers.get('x-experience-api-version') ?? call.header(versionHeader)
  if (version !== undefined) call.headers[versionHeader] = latestVersion[likelyVersion(version)]
  if (isVersion2(version)) throw notInVersion2()
  const signed = admitted ? undefined : signatureOf(call, form)
  if (!signed) refuseAmbientCredentials(call, form.headers)
  refuseOtherCredentials(call, form.headers)
  const { headers, content = '' } = form
  const params = signed ? withoutSignature(form.params) : form.params
  if (hasBody(method) && !headers.has('content-type') && call.c.req.path.endsWith('/statements')) {
    headers.set('content-type', 'application/json')
  }
  return {
    ...call,
    method,
    params,
    header: (sent) => {
      const name = sent.toLowerCase()
      return headers.get(name) ?? (ofCarrier.has(name) ? undefined : call.header(name))
    },
    content: Buffer.from(content),
    ...(admitted && { admitted }),
    ...(signed && { signed }),
  }
}

/**
 * What signs a form and its carrier: in the header of the request, in the header that the form brings, which then is all of the
 * form that is not signed, or in fields of its own (RFC 5849 section 3.5.2). The form is signed whatever its media type.
 */
function signatureOf({ c, header }: Call, { headers, params, fields }: Form): SignedRequest | undefined {
  const sent = { method: 'POST', url: c.req.raw.url }
  const outside = header('Authorization')
  if (outside !== undefined) return new SignedRequest({ ...sent, authorization: outside, form: fields })
  const authorization = headers.get('authorization')
  if (authorization === undefined) return areSigned(params) ? new SignedRequest({ ...sent, form: fields }) : undefined
  if (!isSigned(authorization)) return undefined
  const form = fields.filter(([name]) => name.toLowerCase() !== 'authorization')
  return new SignedRequest({ ...sent, authorization, form })
}

/** The request that a form describes, for who asks what it would meet. Throws as `unpack` does. */
export function askedInForm(asked: AskedRequest): AskedRequest {
  const method = checkCarrier(asked.method, asked.query)
  const { headers, params, content } = openForm(method, (asked.body ?? '').replaceAll('+', ' '))
  const version = headers.get('x-experience-api-version') ?? asked.version
  if (isVersion2(version)) throw notInVersion2()
  return { ...asked, method, query: params, version, body: content }
}

/** Of these the form's own are meant, or none. */
const ofCarrier: ReadonlySet<string> = new Set(['content-type', 'content-length'])

function isVersion2(version: string | undefined): boolean {
  return version !== undefined && /^\s*2\.0/.test(version)
}

function hasBody(method: string): boolean {
  return method === 'PUT' || method === 'POST'
}

/** What the request stands for; throws where it stands for nothing. */
function checkCarrier(carrier: string, query: URLSearchParams): string {
  if (carrier !== 'POST') throw failed('?method', `Only a POST stands for another method, not a ${cut(carrier)}.`)
  const failures: Failure[] = []
  for (const name of new Set(query.keys())) {
    if (name === 'method') continue
    const message = 'Beside "method" the query has no parameters: write them into the form (Communication 1.3.s3.b13).'
    failures.push({ pointer: `?${cut(name)}`, rule, message })
  }
  // 1.0.2 shows it in lower case, too.
  const [named = '', ...others] = query.getAll('method')
  const method = named.toUpperCase()
  if (others.length > 0 || !methods.includes(method)) {
    const found = others.length > 0 ? 'it is given more than once' : `got ${shown(named)}`
    failures.push({
      pointer: '?method',
      rule,
      message: `Expected one of ${methods.join(', ')}; ${found}.`,
    })
  }
  if (failures.length > 0) throw refusal(failures)
  return method
}

const rule = 'XAPI-00336'

function failed(pointer: string, message: string, ruleId = rule): DomainError {
  return refusal([{ pointer, rule: ruleId, message }])
}

function notInVersion2(): DomainError {
  const message = 'xAPI 2.0 has no alternate request syntax: send the request itself, or speak 1.0.x.'
  return failed('?method', message, 'claviger/alternate-syntax')
}

/** The carrier’s media type is a form's, or none: the clients in need of this cannot choose it. */
function claimsForm(call: Call): boolean {
  return ['application/x-www-form-urlencoded', 'text/plain', ''].includes(mediaTypeOf(call).type)
}

// Who signs in by a header does so first and may send as much as ever. Credentials in the form are known only once it is read.
async function readForm(call: Call, principal: Principal | undefined): Promise<string> {
  if (!mediaTypeOf(call).isUtf8) {
    throw failed(
      'Content-Type:',
      'A form is UTF-8 (Communication 1.4); no other charset is accepted.',
      'claviger/utf-8',
    )
  }
  const bytes = await readFormBytes(call, principal)
  // Among the bytes, where it costs nothing: a string of millions of + takes seconds.
  for (let index = 0; index < bytes.length; index++) if (bytes[index] === plus) bytes[index] = space
  return textOf(bytes, bytes.length)
}

const plus = 0x2b
const space = 0x20

/** Nobody has anything read that may not come at all: rate, address and origin are settled before. */
async function admitCarrier(call: Call): Promise<Call['admitted']> {
  const authorization = call.header('Authorization')
  // What is signed is the form, too.
  if (authorization === undefined || isSigned(authorization)) return undefined
  const place = await placeOf(call)
  const since = call.core.signIn.changes
  const principal = await signIn(call, place)
  // A form has no other version.
  await admit(call, principal, '1.0')
  return { principal, since, place }
}

async function readFormBytes(call: Call, principal: Principal | undefined): Promise<Buffer> {
  if (principal === undefined) return readBytes(call.c, unsignedLimit, unsignedBudget)
  const limit = call.core.limits.bodyLimit(principal)
  return readBytes(call.c, { ...limit, most: limit.most * mostExpansion + unsignedForm })
}

interface Form {
  /** As they were sent, decoded. */
  readonly fields: readonly Pair[]
  /** By name in lower case. */
  readonly headers: Map<string, string>
  readonly params: URLSearchParams
  readonly content?: string
}

function openForm(method: string, text: string): Form {
  const fields = parseForm(text)
  const headers = new Map<string, string>()
  const params = new URLSearchParams()
  let headerLength = 0
  for (const [name, value] of fields) {
    if (headerFields.has(name.toLowerCase())) headerLength += name.length + value.length
    if (headerLength > longestHeaders) {
      const message = `Headers in a form have at most ${longestHeaders} characters together, as they would outside.`
      throw failed('', message, 'claviger/field-length')
    }
    if (headerFields.has(name.toLowerCase())) headers.set(name.toLowerCase(), value)
    else if (name !== 'content') params.append(name, value)
  }
  // It tells the length of the content, which is known by now.
  headers.delete('content-length')
  const content = fields.find(([name]) => name === 'content')?.[1]
  if (!hasBody(method)) return { fields, headers, params }
  if (content !== undefined) return { fields, headers, params, content }
  throw failed('', `A ${method} brings its body in the form field "content" (Communication 1.3.s3.b4).`)
}

/** Names and values, each name once. A + is a space by now. */
function parseForm(text: string): [name: string, value: string][] {
  if (text.trim() === '') return []
  if (/^\s*[{[]/.test(text)) {
    throw failed('', 'Expected a form such as statementId=…&content=…, each value percent-encoded; got JSON.')
  }
  const parts = text.split('&', mostFields + 1)
  if (parts.length > mostFields) {
    throw failed('', `A form has at most ${mostFields} fields.`, 'claviger/too-many-parameters')
  }
  const seen = new Set<string>()
  return parts.map((part) => {
    const equals = part.indexOf('=')
    if (equals < 1) throw failed('', `Expected name=value between the & of a form, got ${shown(part)}.`)
    if (part.length > longestField && part.slice(0, equals) !== 'content') {
      const message = `A field other than "content" has at most ${longestField} characters.`
      throw failed('', message, 'claviger/field-length')
    }
    const name = decode(part.slice(0, equals), part)
    const known = headerFields.has(name.toLowerCase()) ? name.toLowerCase() : name
    if (seen.has(known)) throw failed(pointerOf(name), 'Give this field once.', 'claviger/repeated-parameter')
    seen.add(known)
    return [name, decode(part.slice(equals + 1), part)]
  })
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw failed('', `The field ${shown(part)} is not percent-encoded UTF-8.`, 'claviger/utf-8')
  }
}

function pointerOf(name: string): string {
  if (name === 'content') return ''
  const header = headerFields.get(name.toLowerCase())
  return header === undefined ? `?${cut(name)}` : `${header}:`
}

/** Two keys of one request: what one of them is admitted for would be done in the name of the other. */
function refuseOtherCredentials(call: Call, headers: ReadonlyMap<string, string>): void {
  const inHeader = call.header('Authorization')
  const inForm = headers.get('authorization')
  if (inHeader === undefined || inForm === undefined || inHeader.trim() === inForm.trim()) return
  const message = 'The form names other credentials than the header of the request: send them in one of the two.'
  throw failed('Authorization:', message, 'claviger/two-credentials')
}

/**
 * A form is what any page may send anywhere, with the credentials the browser remembers for this server. Whoever set a header
 * of their own, or knows the credentials, is no such page.
 */
function refuseAmbientCredentials(call: Call, headers: ReadonlyMap<string, string>): void {
  const site = call.header('Sec-Fetch-Site')
  const isForeign = call.header('Origin') !== undefined || site === 'cross-site' || site === 'same-site'
  if (!isForeign || headers.has('authorization') || call.header(versionHeader) !== undefined) return
  const message = 'From a web page, Authorization stands in the form, or X-Experience-API-Version in a header.'
  throw failed('Authorization:', message, 'claviger/ambient-credentials')
}
