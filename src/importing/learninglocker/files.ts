// The folder in which Learning Locker keeps bytes: of attachments by hash, of documents by id (facts 4). Takes plain files only: a link
// in somebody else's folder would bring in what lies elsewhere, and a pipe would never end. Knows nothing of what they are.

import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** An extension is part of a path: nothing that leads elsewhere. */
const extension = /^[a-z0-9][a-z0-9+_-]{0,31}$/i

export type DocumentFolder = 'state' | 'activityProfiles' | 'agentProfiles'
const folders: Readonly<Record<DocumentFolder, readonly [string, string]>> = {
  state: ['state', 'states'],
  activityProfiles: ['activities', 'activityProfiles'],
  agentProfiles: ['agents', 'agentProfiles'],
}

export class StoredFiles {
  readonly #root: string
  /** Of each store: file by hash. */
  readonly #attachments = new Map<string, Promise<ReadonlyMap<string, string>>>()

  constructor(root: string) {
    this.#root = root
  }

  /** Undefined where it is not there. `lrsOid` and `sha2` are hex. */
  async findAttachment(lrsOid: string, sha2: string): Promise<string | undefined> {
    const directory = join(this.#root, 'statements', lrsOid, 'attachments')
    let known = this.#attachments.get(lrsOid)
    if (known === undefined) {
      known = byStem(directory)
      this.#attachments.set(lrsOid, known)
    }
    const name = (await known).get(sha2)
    return name === undefined ? undefined : join(directory, name)
  }

  /** As `<oid>.<extension>`. */
  async findDocument(
    kind: DocumentFolder,
    lrsOid: string,
    { oid, ending }: { readonly oid: string; readonly ending: unknown },
  ): Promise<string | undefined> {
    const [face, collection] = folders[kind]
    if (typeof ending !== 'string' || !extension.test(ending)) return undefined
    const path = join(this.#root, face, lrsOid, collection, `${oid}.${ending}`)
    return (await lstat(path).catch(() => undefined))?.isFile() === true ? path : undefined
  }
}

export function openFile(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path) as AsyncIterable<Uint8Array>
}

async function byStem(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  return new Map(files.map(({ name }) => [name.replace(/\..*$/, '').toLowerCase(), name]))
}
