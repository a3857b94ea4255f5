// Large merges beside the writer: what it is asked, and what becomes of one whose document does not stand still.

import { expect, it } from 'vitest'
import { Documents } from './documents.ts'
import { entityTag } from '../../core/xapi/document.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { DocumentChange, DocumentKey } from '../../core/storage.ts'
import type { ChangeOutcome } from '../documents/change.ts'
import type { Options } from './document-writer.ts'

const lrsId = 7 as LrsId
const access = { owner: 1 as CredentialId, reach: 'any' } as const
const key: DocumentKey = { kind: 'activity-profile', activityId: 'https://example.org/a', id: 'one' }
const options = { preconditions: {}, mostBytes: 1_000_000 }
const bytesOf = (text: string) => Buffer.from(text)
const json = (text: string) => ({
  content: { kind: 'inline', bytes: bytesOf(text) } as const,
  contentType: 'application/json',
  etag: entityTag(bytesOf(text)),
})
const sent: DocumentChange = { kind: 'merge', ...json('{"b":2}') }

interface Asked {
  readonly change: DocumentChange
  readonly options: Options
}

/** A writer that finds everything large, and answers what is written by turns; the reader has a document that `stored` says. */
function open(answers: readonly ChangeOutcome['kind'][], stored: (reads: number) => string | undefined) {
  const asked: Asked[] = []
  let reads = 0
  const write = async (_: string, args: readonly unknown[]): Promise<unknown> => {
    asked.push({ change: args[3] as DocumentChange, options: args[4] as Options })
    return { kind: answers[asked.length - 1] ?? answers.at(-1), etag: 'x' }
  }
  const read = async (): Promise<unknown> => {
    const text = stored(reads++)
    return text === undefined ? undefined : { ...json(text), updatedAt: 1 }
  }
  return { asked, documents: new Documents({ write, read }, { now: () => 1 }) }
}

const written = ({ change }: Asked) =>
  change.kind !== 'delete' && change.content.kind === 'inline' ? String(Buffer.from(change.content.bytes)) : undefined

it('gives the writer the merged document, and what it was made from', async () => {
  const { asked, documents } = open(['large', 'done'], () => '{"a":1}')
  expect(await documents.change(lrsId, key, access, sent, options)).toMatchObject({ kind: 'done' })
  expect(asked).toHaveLength(2)
  expect(asked[1]?.change.kind).toBe('replace')
  expect(written(asked[1]!)).toBe('{"a":1,"b":2}')
  expect(asked[1]?.options.madeFrom).toEqual({ contentType: 'application/json', etag: json('{"a":1}').etag })
})

it('begins anew when the document has changed meanwhile, and where it has gone', async () => {
  const texts = ['{"a":1}', '{"a":2}', undefined]
  const { asked, documents } = open(['large', 'moved', 'moved', 'done'], (reads) => texts[reads])
  expect(await documents.change(lrsId, key, access, sent, options)).toMatchObject({ kind: 'done' })
  expect(asked.map(written)).toEqual(['{"b":2}', '{"a":1,"b":2}', '{"a":2,"b":2}', '{"b":2}'])
  expect(asked.map(({ change }) => change.kind)).toEqual(['merge', 'replace', 'replace', 'merge'])
})

it('says unavailable when it never stands still, and lets the next one of the Lrs go on', async () => {
  const { documents } = open(
    ['large', ...Array<'moved'>(10).fill('moved'), 'large', 'done'],
    (reads) => `{"a":${reads}}`,
  )
  await expect(documents.change(lrsId, key, access, sent, options)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await documents.change(lrsId, key, access, sent, options)).toMatchObject({ kind: 'done' })
})
