// A row of states, activityProfiles or agentProfiles (facts 4), as the document it stands for. Knows nothing of where it goes.

import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import { isJsonType } from '../../core/xapi/document.ts'
import type { DocumentKind } from '../../core/xapi/document-query.ts'
import type { CollectionName } from './collections.ts'
import type { DocumentInput } from '../document-parts.ts'
import { timeOfOid } from './directory-documents.ts'
import { oidOf, plain, timeOf } from './extended-json.ts'
import type { Members, OnRounded } from './extended-json.ts'
import { openFile } from './files.ts'
import type { DocumentFolder, StoredFiles } from './files.ts'

interface Kind {
  readonly collection: CollectionName
  readonly kind: DocumentKind
  readonly folder: DocumentFolder
}

export const documentKinds: readonly Kind[] = [
  { collection: 'states', kind: 'state', folder: 'state' },
  { collection: 'activityProfiles', kind: 'activity-profile', folder: 'activityProfiles' },
  { collection: 'agentProfiles', kind: 'agent-profile', folder: 'agentProfiles' },
]

export type ReadDocument = Omit<DocumentInput, 'owner' | 'number' | 'place'>

/** Which organisation's and store's it is. */
export function belongingOf(document: Members): {
  readonly organisation: Oid | undefined
  readonly store: Oid | undefined
} {
  // Elsewhere the field is called lrs_id.
  const store = oidOf(document['lrs']) ?? oidOf(document['lrs_id'])
  return { organisation: oidOf(document['organisation']) as Oid | undefined, store: store as Oid | undefined }
}

export async function readDocument(
  document: Members,
  { kind, folder }: Kind,
  { files, onRounded }: { readonly files: StoredFiles | undefined; readonly onRounded: OnRounded },
): Promise<ReadDocument> {
  const { activityId, registration, etag } = document
  const oid = oidOf(document['_id'])
  if (oid === undefined) throw new DomainError('invalid', 'Its _id is no ObjectId.')
  const id = document[kind === 'state' ? 'stateId' : 'profileId']
  if (typeof id !== 'string')
    throw new DomainError('invalid', `It has no ${kind === 'state' ? 'stateId' : 'profileId'}.`)
  const updatedAt = timeOf(document['updatedAt']) ?? timeOfOid(oid)
  return {
    ...{ kind, id, updatedAt: updatedAt * 1000, contentType: contentTypeOf(document) },
    ...(typeof activityId === 'string' && { activityId }),
    ...(kind !== 'activity-profile' && { agent: plain(document['agent'] ?? null, onRounded) }),
    ...(typeof registration === 'string' && { registration }),
    ...(typeof etag === 'string' && etag !== '' && { etag }),
    content: contentIn(document, onRounded) ?? (await contentFrom(document, oid, { folder, files })),
  }
}

function contentTypeOf({ contentType }: Members): string {
  return typeof contentType === 'string' && contentType !== '' ? contentType : 'application/octet-stream'
}

/** JSON, and text that was sent as JSON and is none, is in the row; undefined where the bytes are in a file. */
function contentIn(document: Members, onRounded: OnRounded): Uint8Array | undefined {
  const { content } = document
  const isJson = isJsonType(contentTypeOf(document))
  if (typeof content === 'string' && !isJson) return Buffer.from(content)
  if (content === undefined || (content === null && !isJson)) return undefined
  return Buffer.from(JSON.stringify(plain(content, onRounded)))
}

async function contentFrom(
  document: Members,
  oid: string,
  { folder, files }: { readonly folder: DocumentFolder; readonly files: StoredFiles | undefined },
): Promise<DocumentInput['content']> {
  const ending = document['extension']
  const name = typeof ending === 'string' ? `${oid}.${ending}` : oid
  if (files === undefined)
    throw new DomainError('invalid', `Its bytes are in the file ${name}: say where with --attachments.`)
  const path = await files.findDocument(folder, belongingOf(document).store ?? '', { oid, ending })
  if (path === undefined)
    throw new DomainError('invalid', `Its bytes, the file ${name}, are not in the folder of attachments.`)
  return { open: () => openFile(path) }
}
