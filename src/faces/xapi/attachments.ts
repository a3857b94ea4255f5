// Statements and the data of their attachments in one body, multipart/mixed (Communication 1.5.2): taken apart on the way in,
// put together on the way out. What must come along and what may be seen is core's to say.

import type { SentAttachment, SentAttachments } from '../../core/attachments.ts'
import type { DomainError } from '../../core/errors.ts'
import type { SizeLimit } from '../../core/limits.ts'
import type { AttachmentClaim, StoredStatement } from '../../core/storage.ts'
import { listAttachments } from '../../core/xapi/attachment.ts'
import { isMediaType } from '../../core/xapi/media-type.ts'
import { refusal, shown } from '../../core/xapi/rule.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import {
  bodyBudgetOf,
  holdAnswer,
  holdBytes,
  parseMediaType,
  refuseEncoding,
  respond,
  streamText,
  tooLarge,
} from '../http.ts'
import type { ByteBudget } from '../load.ts'
import { bodyStream, streamOf } from './call.ts'
import type { AdmittedCall } from './call.ts'
import { confirmCaller } from './caller.ts'
import { boundaryOf, readParts } from '../../core/multipart-reader.ts'
import type { Part } from '../../core/multipart-reader.ts'
import { writeParts } from '../../core/multipart-writer.ts'
import type { PartToWrite } from '../../core/multipart-writer.ts'

/** Boundaries, headers of parts and what surrounds them. */
const roomForFraming = 1024 * 1024

/** While their attachments arrive, statements are held as text, as values and as what will be stored. */
const formsHeld = 4

export interface MultipartStatements {
  readonly text: string
  readonly attachments: SentAttachments
}

/** Reads the statements and hands over what follows them as it comes; holds their bytes until `use` is done. */
export async function withStatementsAndParts<T>(
  call: AdmittedCall,
  use: (sent: MultipartStatements) => Promise<T>,
): Promise<T> {
  const { core, principal } = call
  const bodyLimit = core.limits.bodyLimit(principal)
  const limits = core.limits.attachmentLimits(principal)
  refuseEncoding(call.c)
  const boundary = boundaryOf(call.header('Content-Type') ?? '')
  if (boundary === undefined) {
    throw failed(
      'Content-Type:',
      'XAPI-00130',
      'multipart/mixed needs a parameter "boundary" (RFC 2046 section 5.1.1).',
    )
  }
  const most = bodyLimit.most + limits.together.most + roomForFraming
  if (Number(call.header('Content-Length') ?? 0) > most) throw tooLarge({ ...limits.together, most })
  const parts = readParts(bodyStream(call), boundary)
  const bodies = bodyBudgetOf(call.c)
  let release = (): void => {}
  try {
    const text = await readStatementsPart(parts, bodyLimit, bodies)
    release = holdBytes(text.length * formsHeld, bodies)
    return await use({ text, attachments: { parts: sentAttachments(call, parts), ...limits } })
  } finally {
    release()
    await parts.return(undefined)
  }
}

async function readStatementsPart(parts: AsyncGenerator<Part>, limit: SizeLimit, bodies: ByteBudget): Promise<string> {
  const first = await parts.next()
  if (first.done) throw failed('', 'XAPI-00133', 'The body has no part: the first one holds the statements.')
  const { type, isUtf8 } = parseMediaType(first.value.headers.get('content-type'))
  if (type !== 'application/json') {
    const message = `The first part is application/json and holds the statements; it is ${shown(type)}.`
    throw failed('Content-Type:', 'XAPI-00134', message)
  }
  if (!isUtf8) {
    throw failed(
      'Content-Type:',
      'claviger/utf-8',
      'JSON is UTF-8 (RFC 8259 section 8.1); another charset is not accepted.',
    )
  }
  return streamText(first.value.bytes(), limit, bodies)
}

async function* sentAttachments(
  call: AdmittedCall,
  parts: AsyncGenerator<Part>,
): AsyncGenerator<SentAttachment, undefined> {
  let number = 1
  for await (const { headers, bytes } of parts) {
    number += 1
    const encoding = headers.get('content-transfer-encoding')
    const sha2 = headers.get('x-experience-api-hash')
    if (sha2 === undefined) {
      const message = `Part ${number} needs this header: the sha2 of the attachment whose data it is. Statements are all in the first part.`
      throw failed('X-Experience-API-Hash:', 'XAPI-00132', message)
    }
    if (encoding?.toLowerCase() !== 'binary') {
      const got = encoding === undefined ? 'it is missing' : `got ${shown(encoding)}`
      throw failed('Content-Transfer-Encoding:', 'XAPI-00135', `Part ${number} must be binary; ${got}.`)
    }
    yield { sha2: sha2.toLowerCase(), bytes }
  }
  await confirmCaller(call)
}

function failed(pointer: string, rule: string, message: string): DomainError {
  return refusal([{ pointer, rule, message }])
}

// ---------------------------------------------------------------------------------------------------------------------
// Out

/**
 * `body` and behind it the data of the statements' attachments, as far as their sender sent it, each once. A page without any
 * is multipart, too: whoever asks for attachments reads nothing else.
 */
export async function answerWithAttachments(
  call: AdmittedCall,
  { body, statements }: { readonly body: string; readonly statements: readonly StoredStatement[] },
  headers: Record<string, string>,
): Promise<Response> {
  const claims = claimsOf(statements)
  holdAnswer(call.c, body.length)
  // Before the first byte leaves: a whole body without a part would say that its sender never sent it.
  await call.core.statements.requireAttachments(call.lrsId, claims)
  // Nobody can have put it into an attachment beforehand.
  const boundary = `claviger-${call.core.ids.hex(16)}`
  Object.assign(call.headers, headers, { 'Content-Type': `multipart/mixed; boundary=${boundary}` })
  const stream = call.method === 'HEAD' ? null : streamOf(call, writeParts(boundary, partsOf(call, body, claims)))
  return respond(stream, { headers: call.headers })
}

async function* partsOf(call: AdmittedCall, body: string, claims: readonly NamedClaim[]): AsyncGenerator<PartToWrite> {
  yield { headers: { 'Content-Type': 'application/json' }, bytes: [Buffer.from(body)] }
  for (const claim of claims) {
    const blob = await call.core.statements.openAttachment(call.lrsId, claim)
    // Erased since the page was read: lost ones throw.
    if (blob === undefined) continue
    try {
      yield {
        headers: {
          'Content-Type': isMediaType(claim.contentType) ? claim.contentType : 'application/octet-stream',
          'Content-Transfer-Encoding': 'binary',
          'X-Experience-API-Hash': claim.spelledSha2,
        },
        bytes: blob.bytes,
      }
    } finally {
      blob.cancel()
    }
  }
}

/** A claim, and how a statement that has it writes its hash: clients compare texts. */
interface NamedClaim extends AttachmentClaim {
  readonly spelledSha2: string
}

function claimsOf(statements: readonly StoredStatement[]): readonly NamedClaim[] {
  const claims = new Map<string, NamedClaim>()
  for (const { attachments = [], body } of statements) {
    for (const claim of asListed(attachments, body)) if (!claims.has(claim.sha2)) claims.set(claim.sha2, claim)
  }
  return [...claims.values()]
}

/** In the statement's order: @xapi/xapi drops the headers of parts, and only their order tells which is which. */
function asListed(claims: readonly AttachmentClaim[], body: string): readonly NamedClaim[] {
  if (claims.length === 0) return []
  const listed = listAttachments(JSON.parse(body) as Statement)
  const placeOf = ({ sha2 }: AttachmentClaim): number => listed.findIndex((one) => one.sha2 === sha2)
  return claims
    .toSorted((one, other) => placeOf(one) - placeOf(other))
    .map((claim) => ({ ...claim, spelledSha2: listed[placeOf(claim)]?.spelledSha2 ?? claim.sha2 }))
}
