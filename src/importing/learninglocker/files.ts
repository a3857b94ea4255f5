// The folder in which Learning Locker keeps bytes (FS_LOCAL_STORAGE_DIR of its xAPI service, `storage` beside that unless set): of attachments
// as statements/<store>/attachments/<hash>.<ending>, of documents by id (facts 4). What was copied may begin one folder higher, or be that of
// the statements alone. Takes plain files only: a link
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
  /** Of each folder: file by hash. */
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, string>>>()

  constructor(root: string) {
    this.#root = root
  }

  /** Undefined where it is not there. `lrsOid` and `sha2` are hex. */
  async findAttachment(lrsOid: string, sha2: string): Promise<string | undefined> {
    for (const folder of this.#attachmentFolders(lrsOid)) {
      const name = (await this.#namesIn(folder)).get(sha2)
      if (name !== undefined) return join(folder, name)
    }
    return undefined
  }

  /** Where it is looked for first, in words. */
  firstPathOf(lrsOid: string, sha2: string): string {
    return join(this.#attachmentFolders(lrsOid)[0], `${sha2}.*`)
  }

  /** As `<oid>.<extension>`. */
  async findDocument(
    kind: DocumentFolder,
    lrsOid: string,
    { oid, ending }: { readonly oid: string; readonly ending: unknown },
  ): Promise<string | undefined> {
    const [face, collection] = folders[kind]
    if (typeof ending !== 'string' || !extension.test(ending)) return undefined
    for (const base of this.#bases()) {
      const path = join(base, face, lrsOid, collection, `${oid}.${ending}`)
      if ((await lstat(path).catch(() => undefined))?.isFile() === true) return path
    }
    return undefined
  }

  #bases(): readonly [string, string] {
    return [this.#root, join(this.#root, 'storage')]
  }

  #attachmentFolders(lrsOid: string): readonly [string, ...string[]] {
    const [base, below] = this.#bases()
    const own = [lrsOid, 'attachments'] as const
    return [join(base, 'statements', ...own), join(below, 'statements', ...own), join(base, ...own)]
  }

  #namesIn(folder: string): Promise<ReadonlyMap<string, string>> {
    const known = this.#folders.get(folder) ?? byStem(folder)
    this.#folders.set(folder, known)
    return known
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
