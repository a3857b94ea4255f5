// The algebra of postings, the same for every engine: which 63-bit term a value becomes, what a referring statement inherits,
// which variants a query reads. No SQL.

import { hash } from 'node:crypto'
import type { CredentialId } from '../core/ids.ts'

/**
 * A posting's term. The lowest two bits are the variant: 1 related, 2 foreign (inherited through another owner's statement).
 * Above them either a dictionary id; or 2^50 + the owner's id; or, marked by bit 62, 60 bits of a hash (then a bigint).
 */
export type PostingTerm = number | bigint

const relatedBit = 1
const foreignBit = 2

/** Ids of the dictionary stay below; owners begin here. Times four this is 2^52: a safe integer, variant included. */
const firstOwner = 2 ** 50

/** Variant 0, direct and own. */
export function dictionaryTerm(id: number): number {
  return id * 4
}

/** The dictionary id of a term that is neither an owner's nor a hash. */
export function dictionaryId(term: PostingTerm): number {
  return Math.floor(Number(term) / 4)
}

/** The dictionary ids among terms, each once. */
export function dictionaryIds(terms: readonly PostingTerm[]): number[] {
  const own = terms.filter((term) => typeof term === 'number' && term < firstOwner * 4)
  return [...new Set(own.map(dictionaryId))]
}

/** All variants of a dictionary id lie in this range, bounds included. */
export function variantRange(id: number): readonly [first: number, last: number] {
  return [id * 4, id * 4 + relatedBit + foreignBit]
}

export function ownerTerm(owner: CredentialId): number {
  return (firstOwner + owner) * 4
}

/** Registrations have too many values for a dictionary. */
export function registrationTerm(value: string): bigint {
  return (1n << 62n) | (BigInt(`0x${hash('sha256', value).slice(0, 15)}`) << 2n)
}

function withBits(term: PostingTerm, bits: number): PostingTerm {
  return typeof term === 'bigint' ? term | BigInt(bits) : term + (bits & ~variantOf(term))
}

function variantOf(term: PostingTerm): number {
  return typeof term === 'bigint' ? Number(term & 3n) : term % 4
}

export function asRelated(term: PostingTerm): PostingTerm {
  return withBits(term, relatedBit)
}

/**
 * What a statement that has `present` gains by referring to one that has `offered`. Foreign stays foreign. A posting is left
 * out where a stronger one (direct beats related, own beats foreign) is present. At most `room`.
 */
export function inherit(
  present: ReadonlySet<PostingTerm>,
  offered: readonly PostingTerm[],
  { isForeign, room }: { readonly isForeign: boolean; readonly room: number },
): PostingTerm[] {
  const gained = new Set<PostingTerm>()
  for (const offer of offered) {
    if (gained.size >= room) break
    const term = isForeign ? withBits(offer, foreignBit) : offer
    if (!stronger(term).some((other) => present.has(other) || gained.has(other))) gained.add(term)
  }
  return [...gained]
}

/** The term itself and those of the same value whose variant reaches every query this one reaches. */
function stronger(term: PostingTerm): PostingTerm[] {
  const variant = variantOf(term)
  return [0, 1, 2, 3].filter((other) => (other & ~variant) === 0).map((other) => shift(term, other - variant))
}

function shift(term: PostingTerm, by: number): PostingTerm {
  return typeof term === 'bigint' ? term + BigInt(by) : term + by
}

export interface Reading {
  readonly includeRelated: boolean
  readonly isOwnOnly: boolean
}

/** The bits that a variant may have which a query reads. */
export function readableBits({ includeRelated, isOwnOnly }: Reading): number {
  return (includeRelated ? relatedBit : 0) + (isOwnOnly ? 0 : foreignBit)
}

/** The variants of a value that a query reads. */
export function readable(term: PostingTerm, reading: Reading): PostingTerm[] {
  const bits = readableBits(reading)
  return [0, 1, 2, 3].filter((variant) => (variant & ~bits) === 0).map((variant) => shift(term, variant))
}

/** As the `terms` columns hold them. */
export function printTerms(terms: readonly PostingTerm[]): string {
  return terms.join(',')
}

export function parseTerms(text: string): PostingTerm[] {
  if (text === '') return []
  // Sixteen digits are below 2^54, where only numbers of ours are; hashes have nineteen.
  return text.split(',').map((digits) => (digits.length > 16 ? BigInt(digits) : Number(digits)))
}
