// Statement batches as one flat array of strings and numbers: what crosses a thread boundary cheapest. A graph of small
// objects (a term each) costs several times as much to clone.

import type {
  AttachmentClaim,
  BatchOutcome,
  Description,
  PreparedStatement,
  Term,
  TermKind,
} from '../../core/storage.ts'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'
import type { Reach } from '../../core/rights.ts'
import type { TimedBatch } from '../statements/storing.ts'

export type Packed = readonly (string | number)[]

const absent = ''

/** `newsOf` picks the descriptions that have to be sent; `at` is the statement's index. */
export function packBatches(
  batches: readonly TimedBatch[],
  newsOf: (batch: TimedBatch, at: number) => readonly Description[],
): Packed {
  const out: (string | number)[] = []
  for (const batch of batches) {
    const { lrsId, owner, readReach, voidReach, defineReach, floor, statements } = batch
    out.push(lrsId, owner, readReach ?? absent, voidReach ?? absent, defineReach ?? absent, floor, statements.length)
    statements.forEach((statement, at) => packStatement(out, statement, newsOf(batch, at)))
  }
  return out
}

function packStatement(
  out: (string | number)[],
  statement: PreparedStatement,
  descriptions: readonly Description[],
): void {
  const { id, timestamp, openBody, terms, refersTo, isVoiding, attachments } = statement
  out.push(id, timestamp ?? absent, openBody, refersTo ?? absent, isVoiding ? 1 : 0)
  out.push(terms.length, descriptions.length, attachments.length)
  for (const { kind, value, isRelated } of terms) out.push(kind, value, isRelated ? 1 : 0)
  for (const { kind, value, text } of descriptions) out.push(kind, value, text)
  for (const { sha2, contentType } of attachments) out.push(sha2, contentType)
}

export function unpackBatches(packed: Packed): TimedBatch[] {
  const batches: TimedBatch[] = []
  let at = 0
  const next = () => packed[at++]
  while (at < packed.length) {
    const lrsId = next() as LrsId
    const owner = next() as CredentialId
    const readReach = (next() || undefined) as Reach | undefined
    const voidReach = (next() || undefined) as Reach | undefined
    const defineReach = (next() || undefined) as Reach | undefined
    const floor = next() as number
    const statements: PreparedStatement[] = []
    for (let left = next() as number; left > 0; left--) statements.push(unpackStatement(next))
    batches.push({ lrsId, owner, readReach, voidReach, defineReach, floor, statements })
  }
  return batches
}

function unpackStatement(next: () => string | number | undefined): PreparedStatement {
  const id = next() as string
  const timestamp = next()
  const openBody = next() as string
  const refersTo = next()
  const isVoiding = next() === 1
  const [termCount, descriptionCount, attachmentCount] = [next() as number, next() as number, next() as number]
  const terms: Term[] = []
  for (let left = termCount; left > 0; left--) {
    terms.push({ kind: next() as TermKind, value: next() as string, isRelated: next() === 1 })
  }
  const descriptions: Description[] = []
  for (let left = descriptionCount; left > 0; left--) {
    descriptions.push({ kind: next() as Description['kind'], value: next() as string, text: next() as string })
  }
  const attachments: AttachmentClaim[] = []
  for (let left = attachmentCount; left > 0; left--) {
    attachments.push({ sha2: next() as string, contentType: next() as string })
  }
  return {
    id,
    timestamp: timestamp === absent ? undefined : (timestamp as number),
    openBody,
    terms,
    refersTo: refersTo === absent ? undefined : (refersTo as string),
    isVoiding,
    descriptions,
    attachments,
  }
}

/** Per batch -1 and the index of the conflict, or the count and then per statement its seq, negative when it was there. */
export function packOutcomes(outcomes: readonly BatchOutcome[]): readonly number[] {
  const out: number[] = []
  for (const outcome of outcomes) {
    if (outcome.kind === 'conflict') out.push(-1, outcome.index)
    else out.push(outcome.statements.length, ...outcome.statements.map(({ seq, wasThere }) => (wasThere ? -seq : seq)))
  }
  return out
}

export function unpackOutcomes(packed: readonly number[]): BatchOutcome[] {
  const outcomes: BatchOutcome[] = []
  for (let at = 0; at < packed.length;) {
    const count = packed[at++] ?? 0
    if (count < 0) {
      outcomes.push({ kind: 'conflict', index: packed[at++] ?? 0 })
      continue
    }
    const seqs = packed.slice(at, at + count)
    outcomes.push({
      kind: 'stored',
      statements: seqs.map((seq) => ({ seq: Math.abs(seq) as Seq, wasThere: seq < 0 })),
    })
    at += count
  }
  return outcomes
}
