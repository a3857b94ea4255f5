// Statements of an import on their way to the writer, as bytes from the moment they are added: thousands wait at once, and as
// objects each would be copied and traced by the collector again and again until it is stored.

import type {
  AttachmentClaim,
  Description,
  ImportedStatement,
  StatementPart,
  Term,
  TermKind,
} from '../../core/storage.ts'
import type { CredentialId } from '../../core/ids.ts'
import type { Reach } from '../../core/rights.ts'

/** What a statement says of an activity or an agent, and who says it. */
export interface Said extends Pick<ImportedStatement, 'owner' | 'defineReach' | 'timestamp'> {
  /** Index of the statement. */
  readonly at: number
  readonly description: Description
}

/** What crosses the thread boundary. */
export interface PackedStatements {
  /** UTF-8: of each statement a head, then its open body. */
  readonly chunks: readonly Uint8Array[]
  /** Of each in which chunk it is; there, where it begins, where its head ends, and where its open body does. */
  readonly marks: readonly number[]
  /** Index of the statement; then kind, value and text. */
  readonly said: readonly (readonly [number, Description['kind'], string, string])[]
  readonly claims: readonly (readonly [number, AttachmentClaim])[]
}

/** As JSON: half of the cost of cloning as many small values. Absent: null. */
type Head = readonly [
  id: string,
  timestamp: number,
  refersTo: string | null,
  isVoiding: boolean,
  owner: number,
  storedAt: number,
  storedText: string,
  isVoided: boolean,
  voidReach: Reach | null,
  defineReach: Reach | null,
  /** Kind, value and isRelated of each. */
  terms: readonly (string | boolean)[],
]

/** Of the first chunk and of the largest: each is twice the one before. Little is empty, also of thousands of parts, and nothing is copied to grow. */
const [firstBytes, mostBytes] = [4 * 1024, 128 * 1024]
const marksEach = 4

export class PackedPart implements StatementPart {
  /** Microseconds: when the first of them was stored. */
  earliest = Infinity
  readonly said: Said[] = []
  readonly #chunks: Buffer[] = []
  /** In the last chunk. */
  #end = 0
  readonly #marks: number[] = []
  readonly #claims = new Map<number, readonly AttachmentClaim[]>()

  get length(): number {
    return this.#marks.length / marksEach
  }

  add(statement: ImportedStatement): void {
    const { openBody, attachments, descriptions, owner, defineReach, timestamp, storedAt } = statement
    const at = this.length
    this.#write(JSON.stringify(headOf(statement)), openBody)
    this.earliest = Math.min(this.earliest, storedAt)
    for (const description of descriptions) this.said.push({ at, description, owner, defineReach, timestamp })
    if (attachments.length > 0) this.#claims.set(at, attachments)
  }

  #write(head: string, openBody: string): void {
    const chunk = this.#room(Buffer.byteLength(head) + Buffer.byteLength(openBody))
    const start = this.#end
    const middle = start + chunk.write(head, start)
    this.#end = middle + chunk.write(openBody, middle)
    this.#marks.push(this.#chunks.length - 1, start, middle, this.#end)
  }

  #room(bytes: number): Buffer {
    const last = this.#chunks.at(-1)
    if (last !== undefined && last.length - this.#end >= bytes) return last
    const usual = Math.min(mostBytes, firstBytes * 2 ** this.#chunks.length)
    const next = Buffer.allocUnsafeSlow(Math.max(bytes, usual))
    this.#chunks.push(next)
    this.#end = 0
    return next
  }

  openBody(at: number): string {
    return openBodyAt(this.#chunks, this.#marks, at)
  }

  claim(at: number, attachments: readonly AttachmentClaim[]): void {
    this.#claims.set(at, attachments)
  }

  slice(start: number, end: number): PackedPart {
    const part = new PackedPart()
    for (const statement of unpack(this.packed(this.said)).slice(start, end)) part.add(statement)
    return part
  }

  /** With those of `said` that have to be. */
  packed(said: readonly Said[]): PackedStatements {
    return {
      chunks: this.#chunks,
      marks: this.#marks,
      said: said.map(({ at, description: { kind, value, text } }) => [at, kind, value, text]),
      claims: [...this.#claims].flatMap(([at, claims]) => claims.map((claim) => [at, claim] as const)),
    }
  }
}

function headOf(statement: ImportedStatement): Head {
  const { id, timestamp, refersTo = null, isVoiding, owner, storedAt, storedText, isVoided, terms } = statement
  const { voidReach = null, defineReach = null } = statement
  const flat: (string | boolean)[] = []
  for (const { kind, value, isRelated } of terms) flat.push(kind, value, isRelated)
  return [id, timestamp, refersTo, isVoiding, owner, storedAt, storedText, isVoided, voidReach, defineReach, flat]
}

function openBodyAt(chunks: readonly Buffer[], marks: readonly number[], at: number): string {
  const first = at * marksEach
  return chunks[marks[first]!]!.toString('utf8', marks[first + 2], marks[first + 3])
}

/** The open body of each is made when it is asked for. */
export function unpack({ chunks: sent, marks, said, claims }: PackedStatements): ImportedStatement[] {
  const chunks = sent.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))
  const descriptions = byIndex(said, ([, kind, value, text]): Description => ({ kind, value, text }))
  const attachments = byIndex(claims, ([, claim]) => claim)
  const statements: ImportedStatement[] = []
  for (let at = 0, mark = 0; mark < marks.length; at++, mark += marksEach) {
    const head = JSON.parse(chunks[marks[mark]!]!.toString('utf8', marks[mark + 1], marks[mark + 2])) as Head
    const rest = { descriptions: descriptions.get(at) ?? none, attachments: attachments.get(at) ?? none }
    statements.push(new Unpacked(head, rest, () => openBodyAt(chunks, marks, at)))
  }
  return statements
}

class Unpacked implements ImportedStatement {
  readonly id: string
  readonly timestamp: number
  readonly refersTo: string | undefined
  readonly isVoiding: boolean
  readonly owner: CredentialId
  readonly storedAt: number
  readonly storedText: string
  readonly isVoided: boolean
  readonly voidReach: Reach | undefined
  readonly defineReach: Reach | undefined
  readonly terms: readonly Term[]
  readonly descriptions: readonly Description[]
  readonly attachments: readonly AttachmentClaim[]
  readonly #readOpenBody: () => string

  constructor(
    [id, timestamp, refersTo, isVoiding, owner, storedAt, storedText, isVoided, voidReach, defineReach, terms]: Head,
    { descriptions, attachments }: Pick<ImportedStatement, 'descriptions' | 'attachments'>,
    readOpenBody: () => string,
  ) {
    this.id = id
    this.timestamp = timestamp
    this.refersTo = refersTo ?? undefined
    this.isVoiding = isVoiding
    this.owner = owner as CredentialId
    this.storedAt = storedAt
    this.storedText = storedText
    this.isVoided = isVoided
    this.voidReach = voidReach ?? undefined
    this.defineReach = defineReach ?? undefined
    this.terms = termsFrom(terms)
    this.descriptions = descriptions
    this.attachments = attachments
    this.#readOpenBody = readOpenBody
  }

  get openBody(): string {
    return this.#readOpenBody()
  }
}

const none: readonly never[] = []

function termsFrom(flat: Head[10]): readonly Term[] {
  const terms: Term[] = []
  for (let next = 0; next < flat.length; next += 3) {
    terms.push({ kind: flat[next] as TermKind, value: flat[next + 1] as string, isRelated: flat[next + 2] === true })
  }
  return terms
}

function byIndex<Row extends readonly [number, ...unknown[]], T>(
  rows: readonly Row[],
  valueOf: (row: Row) => T,
): ReadonlyMap<number, readonly T[]> {
  const found = new Map<number, T[]>()
  for (const row of rows) {
    const known = found.get(row[0])
    if (known === undefined) found.set(row[0], [valueOf(row)])
    else known.push(valueOf(row))
  }
  return found
}
