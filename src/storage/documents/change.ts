// What becomes of a change, going by what stands there: the rules, the same for every engine. No SQL.

import { failedPrecondition, isJsonType } from '../../core/xapi/document.ts'
import type { DocumentChange, DocumentOutcome, DocumentStore, StoredDocument } from '../../core/storage.ts'

/** Per scope and owner, and characters of their ids, which a list answers all at once. Counting them is what a creation costs most. */
const mostDocuments = 10_000
const mostIdText = 1_000_000

/** Bytes of both documents together that are merged where everybody who writes waits for it. */
export const mostMergedAtOnce = 64 * 1024

export type ChangeOptions = Parameters<DocumentStore['change']>[4] & {
  /** The change was made from this one: what stands there now must say the same. */
  readonly madeFrom?: Pick<StoredDocument, 'contentType' | 'etag'>
  /** Merge whatever is there, however large, though others wait. */
  readonly mayBeLarge?: boolean
}

export type ChangeOutcome =
  | DocumentOutcome
  /** Too large to be merged while others wait: nothing was changed. */
  | { readonly kind: 'large' }
  /** Something else stands there than what the change was made from. */
  | { readonly kind: 'moved' }

export interface Existing {
  readonly owner: number
  readonly contentType: string
  readonly etag: string
  readonly updatedAt: number
  readonly length: number
}

/** Why nothing is changed, as far as that is known without the content. */
export function refusalOf(
  existing: Existing | undefined,
  change: DocumentChange,
  { preconditions, madeFrom, mayBeLarge = false }: ChangeOptions,
): ChangeOutcome | undefined {
  const failure = failedPrecondition(preconditions, existing?.etag)
  if (failure !== undefined) return { kind: failure }
  if (madeFrom !== undefined && !isSame(existing, madeFrom)) return { kind: 'moved' }
  return existing !== undefined && !mayBeLarge && isLargeMerge(existing, change) ? { kind: 'large' } : undefined
}

/** The same bytes of the same type, whenever they were written. */
function isSame(
  existing: Existing | undefined,
  { contentType, etag }: NonNullable<ChangeOptions['madeFrom']>,
): boolean {
  return existing?.etag === etag && existing.contentType === contentType
}

function isLargeMerge({ contentType, length }: Existing, change: DocumentChange): boolean {
  if (change.kind !== 'merge' || change.content.kind !== 'inline') return false
  const isOfTwoJson = isJsonType(change.contentType) && isJsonType(contentType)
  return isOfTwoJson && change.content.bytes.byteLength + length > mostMergedAtOnce
}

/** Whether an owner's documents in a scope leave no room for one more with this id. */
export function isFull({ documents, idText }: { readonly documents: number; readonly idText: number }, id: string) {
  return documents >= mostDocuments || idText + id.length > mostIdText
}
