// What two stores answered to one request, compared as its resource demands: status, headers that mean something, content.

import { createHash } from 'node:crypto'
import { boundaryOf, readParts } from '../core/multipart-reader.ts'
import { isDomainError } from '../core/errors.ts'
import type { OutboundAnswer } from '../core/outbound.ts'
import { difference, harmless, leftRight, shown } from './difference.ts'
import type { Difference } from './difference.ts'
import type { Answer } from './side.ts'
import type { Statement } from './statements.ts'
import { differingPlaces } from './values.ts'

export type Resource = 'statements' | 'about' | 'document' | 'ids' | 'person' | 'activity'

/** Of a path relative to the endpoint. */
export function resourceOf(path: string): Resource {
  const { pathname, searchParams } = new URL(path, 'http://relative.invalid')
  const name = pathname.slice(1)
  if (name === 'statements' || name === 'about') return name
  if (name === 'agents') return 'person'
  if (name === 'activities') return 'activity'
  return searchParams.has('stateId') || searchParams.has('profileId') ? 'document' : 'ids'
}

/** Undefined: both answered alike as far as the status tells, and with content to compare. */
export function compareStatus(left: Answer, right: Answer): readonly Difference[] | undefined {
  if (left.status === undefined || right.status === undefined) {
    const [one, other] = [left, right].map((answer) => (answer.status === undefined ? answer.reason : undefined))
    if (one !== undefined && other !== undefined) return [difference('neither of them was reached', `${one} ${other}`)]
    return [difference(`${one === undefined ? 'right' : 'left'} was not reached`, one ?? other)]
  }
  if (left.status !== right.status) {
    const detail = [left, right].map((answer) => saidBy(answer as OutboundAnswer)).join('; ')
    return [difference(`status: left ${left.status}, right ${right.status}`, detail)]
  }
  // What fails on both alike is equal: whoever sent it is refused as before.
  return isContent(left.status) ? undefined : []
}

export function isContent(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

function saidBy({ status, body }: OutboundAnswer): string {
  return status < 400 ? `${status}` : `${status} ${shown(Buffer.from(body.subarray(0, 300)).toString('utf8'))}`
}

const longestVersion = 20

export function compareHeaders(left: OutboundAnswer, right: OutboundAnswer, resource: Resource): readonly Difference[] {
  const pair = (name: string) => [left.headers.get(name), right.headers.get(name)] as const
  const [leftVersion, rightVersion] = pair('x-experience-api-version').map((text) => text?.slice(0, longestVersion))
  const isDocument = resource === 'document'
  const through = 'x-experience-api-consistent-through'
  return [
    ...(leftVersion?.split('.')[0] === rightVersion?.split('.')[0]
      ? leftVersion === rightVersion
        ? []
        : [harmless(`X-Experience-API-Version: ${leftRight(leftVersion, rightVersion)}`)]
      : [difference(`X-Experience-API-Version: ${leftRight(leftVersion, rightVersion)}`)]),
    ...(resource === 'statements' ? presence('X-Experience-API-Consistent-Through', ...pair(through)) : []),
    ...compareTypes(...pair('content-type')),
    ...(isDocument ? presence('ETag', ...pair('etag')) : []),
    ...(isDocument ? compareTags(...pair('etag')) : []),
    ...(isDocument ? presence('Last-Modified', ...pair('last-modified')) : []),
    ...(isDocument ? compareModified(...pair('last-modified')) : []),
  ]
}

/** Missing where it was is a difference; more than was there is none. */
function presence(name: string, left: string | undefined, right: string | undefined): readonly Difference[] {
  if ((left === undefined) === (right === undefined)) return []
  return right === undefined ? [difference(`${name} is missing on the right`)] : [harmless(`only right has ${name}`)]
}

function compareTypes(left: string | undefined, right: string | undefined): readonly Difference[] {
  const [one, other] = [mediaType(left), mediaType(right)]
  return one === other ? [] : [difference('Content-Type differs', leftRight(one, other))]
}

function mediaType(text = ''): string {
  return text.split(';')[0]!.trim().toLowerCase()
}

/** Opaque: each store makes its own. */
function compareTags(left: string | undefined, right: string | undefined): readonly Difference[] {
  if (left === undefined || right === undefined || left === right) return []
  return [harmless('entity tags differ: a client that kept one fetches the document anew before it changes it')]
}

function compareModified(left: string | undefined, right: string | undefined): readonly Difference[] {
  if (left === undefined || right === undefined || Date.parse(left) === Date.parse(right)) return []
  return [difference('Last-Modified is another time', leftRight(left, right))]
}

export interface Content {
  /** Undefined: it is no JSON. */
  readonly json: unknown
  /** Attachments by their hash, with that of their bytes. */
  readonly parts: ReadonlyMap<string, string>
  readonly sha2: string
}

const mostParts = 10_000

/** Of an answer with content; a multipart body is taken apart. */
export async function contentOf({ headers, body }: OutboundAnswer): Promise<Content> {
  const type = headers.get('content-type') ?? ''
  const boundary = mediaType(type) === 'multipart/mixed' ? boundaryOf(type) : undefined
  if (boundary === undefined) return { json: parsed(body), parts: new Map(), sha2: sha2Of(body) }
  const parts = new Map<string, string>()
  let json: unknown
  try {
    let count = 0
    for await (const part of readParts(once(body), boundary)) {
      const pieces: Uint8Array[] = []
      for await (const piece of part.bytes()) pieces.push(piece)
      const bytes = Buffer.concat(pieces)
      if (count === 0) json = parsed(bytes)
      else parts.set(part.headers.get('x-experience-api-hash') ?? `part ${count}`, sha2Of(bytes))
      if ((count += 1) > mostParts) break
    }
  } catch (error) {
    if (!isDomainError(error)) throw error
    json = undefined
  }
  return { json, parts, sha2: sha2Of(body) }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

function sha2Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function compareParts(left: Content['parts'], right: Content['parts']): readonly Difference[] {
  const [first] = [...left].filter(([hash]) => !right.has(hash))
  const [extra] = [...right].filter(([hash]) => !left.has(hash))
  const [changed] = [...left].filter(([hash, sha2]) => right.has(hash) && right.get(hash) !== sha2)
  return [
    ...(first ? [difference('attachments are missing on the right', first[0])] : []),
    ...(extra ? [difference('attachments are missing on the left', extra[0])] : []),
    ...(changed ? [difference('an attachment has other bytes', changed[0])] : []),
  ]
}

/** Of everything but statements. */
export function compareContent(resource: Resource, left: Content, right: Content): readonly Difference[] {
  if (left.sha2 === right.sha2) return []
  if (left.json === undefined || right.json === undefined) {
    return [difference('the content differs', `sha256: left ${left.sha2}, right ${right.sha2}`)]
  }
  if (resource === 'ids') return compareIds(left.json, right.json)
  const [one, other] = resource === 'person' ? [sorted(left.json), sorted(right.json)] : [left.json, right.json]
  return differingPlaces(one, other).map(({ path, left: was, right: is }) => {
    const detail = `${path}: ${leftRight(was, is)}`
    if (resource === 'about') return harmless('each says something else about itself', detail)
    if (resource === 'activity') return difference('the definition of an activity is merged differently', detail)
    if (resource === 'person') return difference('a person has other identifiers', detail)
    return difference('a document differs', detail)
  })
}

function compareIds(left: unknown, right: unknown): readonly Difference[] {
  if (!Array.isArray(left) || !Array.isArray(right)) return [difference('one of them answers no list of ids')]
  const [there, here] = [new Set<unknown>(left), new Set<unknown>(right)]
  const missing = left.filter((id) => !here.has(id))
  const extra = right.filter((id) => !there.has(id))
  return [
    ...(missing.length > 0
      ? [difference('documents are missing on the right', `${missing.length}, the first ${shown(missing[0])}`)]
      : []),
    ...(extra.length > 0
      ? [difference('documents are missing on the left', `${extra.length}, the first ${shown(extra[0])}`)]
      : []),
  ]
}

/** The lists of a Person have no order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => {
    return [
      name,
      Array.isArray(member) ? member.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : member,
    ]
  })
  return Object.fromEntries(members)
}

/** The statements of a page; undefined: it is none. */
export function pageOf(
  json: unknown,
): { readonly statements: readonly Statement[]; readonly more: string | undefined } | undefined {
  const { statements, more } = (json ?? {}) as { readonly statements?: unknown; readonly more?: unknown }
  if (!Array.isArray(statements) || !statements.every((one) => typeof one === 'object' && one !== null))
    return undefined
  return { statements: statements as Statement[], more: typeof more === 'string' && more !== '' ? more : undefined }
}
