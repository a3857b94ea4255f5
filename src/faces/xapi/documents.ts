// The document resources: State, Agent Profile and Activity Profile, unpacked and presented. The rules are core's.

import { DomainError, isDomainError, invalid } from '../../core/errors.ts'
import type { DocumentSubmission } from '../../core/documents.ts'
import type { SizeLimit } from '../../core/limits.ts'
import type { Preconditions, StoredDocument } from '../../core/storage.ts'
import { isMatch } from '../../core/xapi/document.ts'
import { parseDocumentQuery } from '../../core/xapi/document-query.ts'
import type { DocumentKind, DocumentTarget } from '../../core/xapi/document-query.ts'
import { refusal, shown } from '../../core/xapi/rule.ts'
import { demandsConditions } from '../../core/xapi/version.ts'
import { refuseEncoding, tooLarge, tooManyChunks } from '../http.ts'
import {
  admitCall,
  answer,
  answerJson,
  bodyStream,
  confirmCaller,
  orBreakOff,
  readContent,
  versionHeader,
} from './call.ts'
import type { AdmittedCall, Call } from './call.ts'
import { paramsOf } from './statements.ts'

export const documentMethods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const

export function documents(kind: DocumentKind): (call: Call) => Promise<Response> {
  return async (call) => {
    const admitted = await admitCall(call)
    switch (call.method) {
      case 'PUT':
        return storeDocument(admitted, kind, 'replace')
      case 'POST':
        return storeDocument(admitted, kind, 'merge')
      case 'DELETE':
        return deleteDocuments(admitted, kind)
      default:
        return getDocuments(admitted, kind)
    }
  }
}

async function storeDocument(
  call: AdmittedCall,
  kind: DocumentKind,
  how: DocumentSubmission['kind'],
): Promise<Response> {
  const { core, principal, lrsId, version } = call
  const target = parseDocumentQuery(kind, how === 'replace' ? 'PUT' : 'POST', paramsOf(call.params), version)
  const etag = await core.documents.store(principal, lrsId, target, {
    kind: how,
    version,
    contentType: contentTypeOf(call),
    content: {
      length: lengthOf(call),
      whole: (limit) => wholeOf(call, limit),
      pieces: (limit) => piecesOf(call, limit),
    },
    preconditions: preconditionsOf(call),
    demandsConditions: demandsConditions(call.header(versionHeader)),
  })
  return answer(call, 204, null, { ETag: quoted(etag) })
}

async function deleteDocuments(call: AdmittedCall, kind: DocumentKind): Promise<Response> {
  const { core, principal, lrsId, version } = call
  const target = parseDocumentQuery(kind, 'DELETE', paramsOf(call.params), version)
  await core.documents.delete(principal, lrsId, target, preconditionsOf(call))
  return answer(call, 204, null)
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

async function getDocuments(call: AdmittedCall, kind: DocumentKind): Promise<Response> {
  const target = parseDocumentQuery(kind, 'GET', paramsOf(call.params), call.version)
  return target.id === undefined ? listDocuments(call, target) : getDocument(call, target)
}

async function listDocuments(call: AdmittedCall, target: DocumentTarget): Promise<Response> {
  const { ids, updatedAt } = await call.core.documents.list(call.principal, call.lrsId, target)
  // Communication 2.2: that of the most recently modified one.
  return answerJson(call, JSON.stringify(ids), updatedAt === undefined ? {} : { 'Last-Modified': dateOf(updatedAt) })
}

async function getDocument(call: AdmittedCall, target: DocumentTarget): Promise<Response> {
  const document = await call.core.documents.get(call.principal, call.lrsId, target)
  const { etag, updatedAt, contentType, content } = document
  const { ifMatch, ifNoneMatch } = preconditionsOf(call)
  if (ifMatch !== undefined && !isMatch(ifMatch, etag)) {
    throw new DomainError('precondition_failed', 'The document has another ETag than If-Match names')
  }
  const validators = { ETag: quoted(etag), 'Last-Modified': dateOf(updatedAt) }
  if (ifNoneMatch !== undefined && isMatch(ifNoneMatch, etag)) return answer(call, 304, null, validators)
  // Opened for a HEAD, too: it says what a GET would.
  const body = await bodyOf(call, document)
  const length = content.kind === 'inline' ? content.bytes.byteLength : content.length
  const headers = {
    ...call.headers,
    ...validators,
    'Content-Type': contentType,
    'Content-Length': String(length),
    // Anybody's bytes under our name: a browser that opens them runs nothing.
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
  if (call.method !== 'HEAD') return new Response(body, { headers })
  if (body instanceof ReadableStream) await body.cancel()
  return new Response(null, { headers })
}

async function bodyOf(
  call: AdmittedCall,
  { content }: StoredDocument,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  if (content.kind === 'inline') return content.bytes as Uint8Array<ArrayBuffer>
  const { bytes, cancel } = await call.core.documents.open(call.lrsId, content)
  const pieces = bytes[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await orBreakOff(call, pieces.next())
      if (next.done) controller.close()
      else controller.enqueue(next.value)
    },
    cancel,
  })
}

function dateOf(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toUTCString()
}

// ---------------------------------------------------------------------------------------------------------------------
// Content

const longestContentType = 1000

/** RFC 9110 section 8.3: what comes without a type is bytes of any kind. */
function contentTypeOf(call: Call): string {
  const sent = call.header('Content-Type') ?? ''
  if (sent.length <= longestContentType) return sent === '' ? 'application/octet-stream' : sent
  const message = `A media type has at most ${longestContentType} characters.`
  throw refusal([{ pointer: 'Content-Type:', rule: 'claviger/content-type-length', message }])
}

/** Pieces smaller than this on average may be so many. */
const smallPiece = 256
const mostSmallPieces = 200_000

function lengthOf(call: Call): number | undefined {
  if (call.content !== undefined) return call.content.byteLength
  const declared = call.header('Content-Length')
  return declared === undefined ? undefined : Number(declared)
}

async function wholeOf(call: AdmittedCall, limit: SizeLimit): Promise<Uint8Array> {
  const content = await readContent(call, limit)
  await confirmCaller(call)
  return content
}

/** The body as it arrives, within its limit. */
async function* piecesOf(call: AdmittedCall, limit: SizeLimit): AsyncGenerator<Uint8Array, undefined> {
  refuseEncoding(call.c)
  const declared = Number(call.header('Content-Length') ?? 0) || 0
  if (declared > limit.most) throw tooLarge(limit)
  let length = 0
  let count = 0
  try {
    for await (const piece of bodyStream(call)) {
      length += piece.byteLength
      if (length > limit.most) throw tooLarge(limit)
      // Each costs, whatever it holds: the sizes are the sender's choice.
      if (++count > mostSmallPieces && length / count < smallPiece) throw tooManyChunks(mostSmallPieces)
      yield piece
    }
  } catch (error) {
    throw isDomainError(error) ? error : invalid('The request ended before its body did')
  }
  await confirmCaller(call)
}

// ---------------------------------------------------------------------------------------------------------------------
// Entity tags

function quoted(etag: string): string {
  return `"${etag}"`
}

function preconditionsOf(call: Call): Preconditions {
  const ifMatch = readTags(call, 'If-Match')
  const ifNoneMatch = readTags(call, 'If-None-Match')
  return { ...(ifMatch !== undefined && { ifMatch }), ...(ifNoneMatch !== undefined && { ifNoneMatch }) }
}

/** RFC 9110 section 8.8.3, several of them with commas between. Weakness is what proxies add that compress. */
const tag = /[\t ]*(?:(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)")?[\t ]*(?:,|$)/y
/** TinCanJS sends a hash it was given (`lastSHA1`) without quotes. */
const bareHash = /^[0-9a-f]{40}$/i

function readTags(call: Call, name: 'If-Match' | 'If-None-Match'): 'any' | readonly string[] | undefined {
  const sent = call.header(name)?.trim()
  if (sent === undefined) return undefined
  if (sent === '*') return 'any'
  if (bareHash.test(sent)) return [sent.toLowerCase()]
  const tags: string[] = []
  tag.lastIndex = 0
  while (tag.lastIndex < sent.length) {
    const match = tag.exec(sent)
    if (match === null) throw malformed(name, sent)
    if (match[1] !== undefined) tags.push(match[1])
  }
  if (tags.length === 0) throw malformed(name, sent)
  return tags
}

function malformed(name: string, sent: string): DomainError {
  const message = `Expected * or entity tags in quotes, such as "0a4d55a8d778e5022fab701977c5d840bbc486d0"; got ${shown(sent.replaceAll(/[^\x20-\x7e]/g, '?'))}.`
  return refusal([{ pointer: `${name}:`, rule: 'claviger/entity-tag', message }])
}
