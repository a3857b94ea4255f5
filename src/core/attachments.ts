// The bytes of attachments: which a request must bring, may bring and has brought, and where they go. Bytes first, rows after:
// what a refused request leaves behind is swept. Whoever sends no bytes has no claim to them, whatever sha2 they know.
// Knows nothing of how the bytes travel.

import { DomainError, isDomainError } from './errors.ts'
import type { Failure } from './errors.ts'
import type { LrsId } from './ids.ts'
import { beyond } from './limits.ts'
import type { SizeLimit } from './limits.ts'
import type { AttachmentClaim, BlobHold, BlobStore } from './storage.ts'
import { listAttachments, withoutData, withoutSignature } from './xapi/attachment.ts'
import type { DescribedAttachment } from './xapi/attachment.ts'
import { capped, refusal } from './xapi/rule.ts'
import { maxSignatureLength, openSignature, signatureMismatch } from './xapi/signature.ts'
import type { Statement } from './xapi/statement.ts'

/** The bytes of one attachment, as its sender names them. */
export interface SentAttachment {
  /** Lower-case hex. */
  readonly sha2: string
  /** To be read before the next attachment is asked for. `length`: what a statement says it is. */
  bytes(length?: number): AsyncIterable<Uint8Array>
}

export interface SentAttachments {
  readonly parts: AsyncIterable<SentAttachment>
  /** Bytes of one. */
  readonly each: SizeLimit
  /** Bytes of all of them. */
  readonly together: SizeLimit
}

/** Each costs syncs to disk. */
export const maxSentAttachments = 1000

/** Where they go. The hold ends when the claims are stored, or will not be. */
export interface AttachmentPlace {
  readonly lrsId: LrsId
  readonly blobs: BlobStore
  readonly hold: BlobHold
}

/** A hold for as long as `work` puts bytes and writes the row that refers to them; longer, where that row may be there all the same. */
export async function whileHolding<T>(blobs: BlobStore, work: (hold: BlobHold) => Promise<T>): Promise<T> {
  const hold = blobs.hold()
  try {
    const result = await work(hold)
    hold.release()
    return result
  } catch (error) {
    // The connection may have been lost while the row was committed.
    if (isDomainError(error) && error.code === 'unavailable') hold.leave()
    else hold.release()
    throw error
  }
}

/** An attachment some statement of a request describes, and which statement. */
interface Described extends DescribedAttachment {
  readonly statement: Statement
}

/**
 * Stores what is sent and answers the claims of each statement, in order. Throws, at the first part that is wrong, `invalid` or
 * `too_large`; the rest is not read. `pointers`: where each statement stands in the request.
 */
export async function receiveAttachments(
  place: AttachmentPlace,
  statements: readonly Statement[],
  pointers: readonly string[],
  sent: SentAttachments,
): Promise<readonly (readonly AttachmentClaim[])[]> {
  const described = statements.map((statement, index) =>
    listAttachments(statement).map((one) => ({ ...one, statement, pointer: `${pointers[index]}${one.pointer}` })),
  )
  const all = described.flat()
  const wanted = new Map<string, Described[]>()
  for (const one of all) {
    const same = wanted.get(one.sha2)
    if (same) same.push(one)
    else wanted.set(one.sha2, [one])
  }
  const received = new Set<string>()
  let left = sent.together.most
  for await (const part of sent.parts) {
    const meant = wanted.get(part.sha2)
    if (meant === undefined)
      throw refusedPart('XAPI-00132', 'No statement of this request has an attachment with this sha2.')
    if (received.has(part.sha2))
      throw refusedPart('claviger/repeated-part', 'This attachment was sent already: send it once.')
    if (received.size === maxSentAttachments) {
      const detail = { decidedBy: 'limit attachments' }
      const message = `One request may carry the data of ${maxSentAttachments} attachments; send the others with another one`
      throw new DomainError('too_large', message, { detail })
    }
    left -= await storePart(place, part, meant, { each: sent.each, together: sent.together, left })
    received.add(part.sha2)
    await checkSignatures(place, part.sha2, meant)
  }
  refuseMissing(all, received)
  return described.map((list) => claimsOf(list, received))
}

async function storePart(
  { lrsId, blobs, hold }: AttachmentPlace,
  part: SentAttachment,
  meant: readonly Described[],
  { each, together, left }: { readonly each: SizeLimit; readonly together: SizeLimit; readonly left: number },
): Promise<number> {
  const isShort = meant.some(({ isSignature }) => isSignature) && maxSignatureLength < each.most
  const limit = isShort ? ofSignatures : each
  // What the sender's side throws is to be told apart from what the store says of the bytes.
  let lost: unknown
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* part.bytes(meant[0]?.length)
    } catch (error) {
      lost = error
      throw error
    }
  }
  try {
    const { length } = await blobs.put(lrsId, watched(), {
      sha2: part.sha2,
      mostBytes: Math.min(limit.most, left),
      hold,
    })
    return length
  } catch (error) {
    if (lost !== undefined || !(error instanceof DomainError)) throw error
    if (error.code === 'invalid') {
      const rule = 'claviger/attachment-hash'
      const message = `${error.message}: what was sent is not what the statement describes.`
      throw refusal(capped(meant.map(({ pointer }) => ({ pointer: `${pointer}/sha2`, rule, message }))))
    }
    if (error.code === 'too_large') throw left < limit.most ? tooLargeTogether(together) : tooLarge(limit)
    throw error
  }
}

/** Ours: they are read whole. */
const ofSignatures: SizeLimit = {
  most: maxSignatureLength,
  decidedBy: 'limit signature',
  remedy: 'No setting raises this for a signature.',
}

function tooLarge(limit: SizeLimit): DomainError {
  return beyond(limit, `${limit === ofSignatures ? 'A signature' : 'An attachment'} may have ${limit.most} bytes`)
}

function tooLargeTogether(limit: SizeLimit): DomainError {
  return beyond(limit, `The attachments of one request may have ${limit.most} bytes together`)
}

/** Reads them back: as long as a slow sender takes, nothing of a signature is held. */
async function checkSignatures(
  { lrsId, blobs }: AttachmentPlace,
  sha2: string,
  meant: readonly Described[],
): Promise<void> {
  const signed = meant.filter(({ isSignature }) => isSignature)
  if (signed.length === 0) return
  const blob = await blobs.open(lrsId, sha2)
  const pieces: Uint8Array[] = []
  for await (const piece of blob?.bytes ?? []) pieces.push(piece)
  const signature = await openSignature(Buffer.concat(pieces))
  const failures = signed.flatMap(({ pointer, statement }): Failure[] => {
    const failure = signature.kind === 'broken' ? signature.failure : signatureMismatch(signature, statement)
    return failure === undefined ? [] : [{ pointer, ...failure }]
  })
  if (failures.length > 0) throw refusal(capped(failures))
}

function refuseMissing(all: readonly Described[], received: ReadonlySet<string>): void {
  const failures = all.flatMap(({ pointer, sha2, hasFileUrl, isSignature }): Failure[] => {
    if (received.has(sha2)) return []
    if (isSignature) return [{ pointer, rule: 'XAPI-00115', message: withoutSignature }]
    return hasFileUrl ? [] : [{ pointer, rule: 'XAPI-00129', message: withoutData }]
  })
  if (failures.length > 0) throw refusal(capped(failures))
}

function claimsOf(described: readonly Described[], received: ReadonlySet<string>): readonly AttachmentClaim[] {
  const claims = new Map<string, AttachmentClaim>()
  for (const { sha2, contentType } of described) {
    if (received.has(sha2) && !claims.has(sha2)) claims.set(sha2, { sha2, contentType })
  }
  return [...claims.values()]
}

function refusedPart(rule: string, message: string): DomainError {
  return refusal([{ pointer: 'X-Experience-API-Hash:', rule, message }])
}
