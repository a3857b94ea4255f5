// What a store of statements elsewhere answers to a GET, read: a page of statements, the attachments of one. All of it is hostile.

import { boundaryOf, readParts } from '../core/multipart-reader.ts'
import type { OutboundAnswer } from '../core/outbound.ts'
import type { Nameless, OutgoingPart, ReadPage, ReadStatement } from '../core/remote-lrs.ts'
import { listAttachments } from '../core/xapi/attachment.ts'
import type { Statement } from '../core/xapi/statement.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** However few were asked for: a server may go on with more at a time than the first page had. */
const mostStatements = 10_000
/** Both are kept. */
const longestMore = 4_000
const longestTime = 40

/** Undefined when it is none. */
export function readPage({ body, headers }: OutboundAnswer): ReadPage | undefined {
  try {
    return pageOf(JSON.parse(Buffer.from(body).toString()), headers)
  } catch {
    // No JSON.
    return undefined
  }
}

/** One statement; undefined when it is none. */
export function readSingle({ body }: OutboundAnswer): ReadStatement | undefined {
  try {
    const read = readStatement(JSON.parse(Buffer.from(body).toString()))
    return 'reason' in read ? undefined : read
  } catch {
    return undefined
  }
}

function pageOf(page: unknown, headers: OutboundAnswer['headers']): ReadPage | undefined {
  const { statements, more } = (page ?? {}) as { readonly statements?: unknown; readonly more?: unknown }
  if (!Array.isArray(statements) || statements.length > mostStatements) return undefined
  if (typeof more === 'string' && more.length > longestMore) return undefined
  const read = statements.map(readStatement)
  return {
    kind: 'page',
    statements: read.filter((one) => 'id' in one),
    nameless: read.filter((one) => 'reason' in one),
    more: typeof more === 'string' && more !== '' ? more : undefined,
    consistentThrough: headers.get('x-experience-api-consistent-through'),
  }
}

function readStatement(value: unknown): ReadStatement | Nameless {
  const statement = (value ?? {}) as Statement & { readonly id?: unknown; readonly stored?: unknown; version?: unknown }
  const { id, stored, version } = statement
  if (typeof id !== 'string' || !uuid.test(id)) return { record: value, reason: 'This has no id.' }
  if (typeof stored !== 'string' || stored.length > longestTime || !(Date.parse(stored) >= 0)) {
    return { record: value, reason: 'This has no stored time.' }
  }
  const text = textOf(value)
  if (text === undefined) return { record: value, reason: 'This is nested too deeply to be written again.' }
  const sha2s = sha2sOf(statement)
  const family = typeof version === 'string' && version.startsWith('2.') ? '2.0' : '1.0'
  return { id: id.toLowerCase(), text, stored, version: family, sha2s: [...new Set(sha2s)] }
}

function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What only its store has. Nobody has checked the statement: whether it is one says the target. */
function sha2sOf(statement: Statement): readonly string[] {
  try {
    const own = listAttachments(statement).filter(({ hasFileUrl, isSignature }) => isSignature || !hasFileUrl)
    return own.map(({ sha2 }) => sha2)
  } catch {
    return []
  }
}

/** Those of `sha2s` that came along; whether that is enough says the target. Throws `invalid` for a body that is not well-formed. */
export async function readPartsOf(
  { body, headers }: OutboundAnswer,
  sha2s: readonly string[],
): Promise<readonly OutgoingPart[]> {
  const boundary = boundaryOf(headers.get('content-type') ?? '')
  if (boundary === undefined) return []
  const parts = new Map<string, OutgoingPart>()
  for await (const { headers: of, bytes } of readParts(inOnePiece(body), boundary)) {
    const sha2 = of.get('x-experience-api-hash')?.trim().toLowerCase()
    if (sha2 === undefined || !sha2s.includes(sha2)) continue
    const pieces: Uint8Array[] = []
    for await (const piece of bytes()) pieces.push(piece)
    const content = Buffer.concat(pieces)
    const contentType = of.get('content-type') ?? 'application/octet-stream'
    parts.set(sha2, { sha2, contentType, length: content.length, bytes: () => inOnePiece(content) })
  }
  return [...parts.values()]
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
