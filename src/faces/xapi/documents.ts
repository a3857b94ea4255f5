// The document resources: State, Agent Profile and Activity Profile, unpacked and presented. The rules are core's.

import { DomainError, isDomainError, invalid } from '../../core/errors.ts'
import type { DocumentSubmission } from '../../core/documents.ts'
import type { SizeLimit } from '../../core/limits.ts'
import type { StoredDocument } from '../../core/storage.ts'
import { isMatch } from '../../core/xapi/document.ts'
import { parseDocumentQuery } from '../../core/xapi/document-query.ts'
import type { DocumentKind, DocumentTarget } from '../../core/xapi/document-query.ts'
import { isMediaType, maxMediaTypeLength } from '../../core/xapi/media-type.ts'
import { refusal, shown } from '../../core/xapi/rule.ts'
import { demandsConditions } from '../../core/xapi/version.ts'
import { refuseEncoding, respond, tooLarge } from '../http.ts'
import {
  admitCall,
  answer,
  answerJson,
  bodyStream,
  httpDate,
  paramsOf,
  readContent,
  streamOf,
  versionHeader,
} from './call.ts'
import type { AdmittedCall, Call } from './call.ts'
import { confirmCaller } from './caller.ts'
import { preconditionsOf, quoted } from './preconditions.ts'

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
    preconditions: () => preconditionsOf(call),
    demandsConditions: demandsConditions(call.header(versionHeader)),
  })
  return answer(call, 204, null, { ETag: quoted(etag) })
}

async function deleteDocuments(call: AdmittedCall, kind: DocumentKind): Promise<Response> {
  const { core, principal, lrsId, version } = call
  const target = parseDocumentQuery(kind, 'DELETE', paramsOf(call.params), version)
  await core.documents.delete(principal, lrsId, target, () => preconditionsOf(call))
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
  return answerJson(call, JSON.stringify(ids), updatedAt === undefined ? {} : { 'Last-Modified': httpDate(updatedAt) })
}

async function getDocument(call: AdmittedCall, target: DocumentTarget): Promise<Response> {
  const document = await call.core.documents.get(call.principal, call.lrsId, target)
  const { etag, updatedAt, contentType, content } = document
  const { ifMatch, ifNoneMatch } = preconditionsOf(call)
  if (ifMatch !== undefined && !isMatch(ifMatch, etag)) {
    throw new DomainError('precondition_failed', 'The document has another ETag than If-Match names')
  }
  // The tag is that of the bytes alone (Communication 3.1): a 304 says the type, too, which may be another one by now.
  const described = {
    ETag: quoted(etag),
    'Last-Modified': httpDate(updatedAt),
    'Content-Type': isMediaType(contentType) ? contentType : bytesOfAnyKind,
  }
  if (ifNoneMatch !== undefined && isMatch(ifNoneMatch, etag)) return answer(call, 304, null, described)
  // Opened for a HEAD, too: it says what a GET would.
  const body = await bodyOf(call, document)
  const length = content.kind === 'inline' ? content.bytes.byteLength : content.length
  const headers = {
    ...call.headers,
    ...described,
    'Content-Length': String(length),
    // Anybody's bytes under our name: a browser that opens them runs nothing.
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
  if (call.method !== 'HEAD') return respond(body, { headers })
  if (body instanceof ReadableStream) await body.cancel()
  return respond(null, { headers })
}

async function bodyOf(
  call: AdmittedCall,
  { content }: StoredDocument,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  if (content.kind === 'inline') return content.bytes as Uint8Array<ArrayBuffer>
  const { bytes, cancel } = await call.core.documents.open(call.lrsId, content)
  return streamOf(call, bytes, cancel)
}

// ---------------------------------------------------------------------------------------------------------------------
// Content

/** RFC 9110 section 8.3: what comes without a type is bytes of any kind. */
const bytesOfAnyKind = 'application/octet-stream'

function contentTypeOf(call: Call): string {
  const sent = call.header('Content-Type') ?? ''
  if (sent === '') return bytesOfAnyKind
  if (isMediaType(sent)) return sent
  const isLong = sent.length > maxMediaTypeLength
  const rule = isLong ? 'claviger/content-type-length' : 'claviger/content-type'
  const message = isLong
    ? `A media type has at most ${maxMediaTypeLength} characters.`
    : `Expected a media type such as text/plain; charset=utf-8, got ${shown(sent.replaceAll(/[^\x20-\x7e]/g, '?'))}.`
  throw refusal([{ pointer: 'Content-Type:', rule, message }])
}

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
  try {
    for await (const piece of bodyStream(call)) {
      length += piece.byteLength
      if (length > limit.most) throw tooLarge(limit)
      yield piece
    }
  } catch (error) {
    throw isDomainError(error) ? error : invalid('The request ended before its body did')
  }
  await confirmCaller(call)
}
