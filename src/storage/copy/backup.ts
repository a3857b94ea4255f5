// Backups: a data directory that anybody may serve from or copy from, with a file beside it that says what is in it. Complete, or
// not there under its name. Knows nothing of keys but the check value.

import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { blobFiles } from './blob-files.ts'
import { copyBlobs } from './blobs.ts'
import type { BlobReport } from './blobs.ts'
import { copyStore } from './copy.ts'
import type { CopyOptions, TableReport } from './copy.ts'
import { manifestFile } from './backup-directory.ts'
import { databaseFile, finishBackupFile, makeInside, openBackupDirectory } from './sqlite-side.ts'
import { DomainError } from '../../core/errors.ts'
import { copyDatabaseFile, interrupted } from './sqlite-backup.ts'
import { lockDirectory, lockFile } from '../sqlite/lock.ts'
import { migrations } from '../migrations/index.ts'
import { syncDirectory } from '../blobs/on-disk.ts'
import type { Blob } from '../blobs/place.ts'
import type { BlobFiles, Side } from './side.ts'

/** What `backup.json` says. */
export interface Manifest {
  readonly format: 1
  /** Of the program. */
  readonly version: string
  readonly schema: number
  /** What the store was at this time is in it; a little of what came later may be, too. */
  readonly begunAt: string
  readonly hasMasterKey: boolean
  readonly database: { readonly bytes: number; readonly sha256: string }
  readonly tables: readonly TableReport[]
  readonly blobs: { readonly count: number; readonly bytes: number; readonly lost: readonly Blob[] }
}

export interface BackupOptions extends CopyOptions {
  /** Of the program. */
  readonly version: string
  /** What `master.key` of the backup holds; without it the backup opens with a key that is kept elsewhere. */
  readonly masterKey?: string | undefined
  /** The process has to end. */
  readonly signal?: AbortSignal | undefined
}

/** What is copied anew on each try: rows as of one moment. */
type CopyRows = (partial: string) => Promise<readonly TableReport[]>

interface BackupSource {
  readonly copyRows: CopyRows
  readonly blobs: BlobFiles
}

/** Of a data directory that is served from, or not; the caller has its lock. */
export function backUpDirectory(
  { directory, blobs }: { readonly directory: string; readonly blobs?: BlobFiles },
  to: string,
  options: BackupOptions,
): Promise<Manifest> {
  const { onProgress = () => {}, signal } = options
  const copyRows: CopyRows = (partial) => copyDatabaseFile(directory, partial, { onProgress, signal })
  return backUp({ copyRows, blobs: blobs ?? blobFiles(join(directory, 'blobs')) }, to, options)
}

/** Of a database that nodes are running on, or not. */
export function backUpDatabase(source: Side, to: string, options: BackupOptions): Promise<Manifest> {
  const copyRows: CopyRows = async (partial) => {
    const target = makeInside(partial)
    try {
      // The next try brings up to date what this one has copied.
      const { tables } = await copyStore(source, target, { ...options, isAhead: true, withoutBlobs: true })
      return tables
    } finally {
      await target.close()
    }
  }
  return backUp({ copyRows, blobs: source.blobs }, to, options)
}

async function backUp(source: BackupSource, to: string, given: BackupOptions): Promise<Manifest> {
  const { signal, onProgress } = given
  const options: BackupOptions = {
    ...given,
    onProgress(progress) {
      if (signal?.aborted) throw interrupted()
      onProgress?.(progress)
    },
  }
  const folder = resolve(to)
  refuseFilled(folder)
  const partial = `${folder}.partial`
  mkdirSync(partial, { recursive: true, mode: 0o700 })
  const unlock = lockDirectory(partial)
  let manifest: Manifest
  try {
    empty(partial)
    manifest = await fill(partial, source, options)
  } finally {
    unlock()
  }
  rmSync(join(partial, lockFile))
  await syncFiles(partial)
  await rename(partial, folder)
  await syncDirectory(dirname(folder))
  return manifest
}

async function fill(partial: string, source: BackupSource, options: BackupOptions): Promise<Manifest> {
  const { version, masterKey } = options
  const begunAt = new Date().toISOString()
  const { tables, blobs } = await copyConsistently(source, partial, options)
  finishBackupFile(partial)
  if (masterKey !== undefined) writeFileSync(join(partial, 'master.key'), `${masterKey}\n`, { mode: 0o600 })
  const manifest: Manifest = {
    ...{ format: 1, version, schema: migrations.length, begunAt },
    hasMasterKey: masterKey !== undefined,
    database: await hashOf(join(partial, databaseFile)),
    tables,
    blobs: { count: blobs.blobs, bytes: blobs.bytes, lost: blobs.lost },
  }
  writeFileSync(join(partial, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 })
  return manifest
}

function refuseFilled(folder: string): void {
  // What is mistyped must not become a directory, nor the place below a mount that is not there.
  if (!existsSync(dirname(folder))) {
    throw new DomainError('not_found', `There is no directory ${dirname(folder)} to make a backup in.`)
  }
  if (!existsSync(folder) || readdirSync(folder).length === 0) return
  throw new DomainError('conflict', `${folder} is there already, and a backup goes into a directory of its own.`)
}

/** What a killed backup left is no use to anybody. */
function empty(partial: string): void {
  const names = readdirSync(partial).filter((name) => !name.startsWith(lockFile))
  const strange = names.find((name) => !ours.test(name))
  if (strange !== undefined) {
    throw new DomainError('conflict', `The backup is made in ${partial}, which holds ${strange}: that is none of ours.`)
  }
  for (const name of names) rmSync(join(partial, name), { recursive: true })
}

const ours = /^(claviger\.db(-.+)?|blobs|backup\.json|master\.key)$/

/** More of them come to an end only where files go faster than they are copied. */
const mostTries = 5

/**
 * Rows first, then what they refer to. A file that is not there any more was erased, or replaced, since the rows were copied: then
 * neither it nor its rows belong into the backup, and the rows are copied again. One that is missing twice is lost.
 */
async function copyConsistently(
  { copyRows, blobs }: BackupSource,
  partial: string,
  { onProgress }: BackupOptions,
): Promise<{ readonly tables: readonly TableReport[]; readonly blobs: BlobReport }> {
  let lostBefore: string | undefined
  for (let tries = 1; tries <= mostTries; tries++) {
    const tables = await copyRows(partial)
    const copied = await withRows(partial, (rows) =>
      copyBlobs({ blobs }, { blobs: blobFiles(join(partial, 'blobs')) }, rows, {
        ...(onProgress && { onProgress }),
        keepsPresent: tries > 1,
      }),
    )
    const lost = JSON.stringify(copied.lost)
    if (copied.lost.length === 0 || lost === lostBefore) {
      if (tries > 1) await removeUnreferenced(partial)
      return { tables, blobs: copied }
    }
    lostBefore = lost
  }
  throw new DomainError(
    'unavailable',
    'Files are being removed faster than they are copied: is an erasure under way? Try again later.',
  )
}

type BlobRows = Parameters<typeof copyBlobs>[2]

async function withRows<T>(partial: string, work: (rows: BlobRows) => Promise<T>): Promise<T> {
  const side = openBackupDirectory(partial)
  try {
    return await side.read(work)
  } finally {
    await side.close()
  }
}

/** What an earlier try copied, and the last one has no row for. */
async function removeUnreferenced(partial: string): Promise<void> {
  const referenced = new Set<string>()
  await withRows(partial, async (rows) => {
    for (let after: Blob | undefined; ;) {
      const page = await rows.listBlobs(after, 1000)
      for (const { lrsId, sha2 } of page) referenced.add(`${lrsId}/${sha2}`)
      after = page.at(-1)
      if (after === undefined) return
    }
  })
  const folder = join(partial, 'blobs')
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const [lrsId, , sha2] = name.split(/[/\\]/)
    if (sha2 !== undefined && !referenced.has(`${lrsId}/${sha2}`)) rmSync(join(folder, name))
  }
}

async function hashOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
}

/** The files of a database, synced; blobs are, one by one. */
async function syncFiles(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((one) => one !== 'blobs')) {
    const file = await open(join(folder, name), 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
  await syncDirectory(folder)
}

// ---------------------------------------------------------------------------------------------------------------------
// Restoring

/** Throws `not_found` where there is no backup, `invalid` where what is there is not what was made. */
export async function readBackup(from: string): Promise<Manifest> {
  const folder = resolve(from)
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(readFileSync(join(folder, manifestFile), 'utf8')) as Partial<Manifest>
  } catch (cause) {
    const why = basename(folder).endsWith('.partial') ? ': it was never finished' : ` (no ${manifestFile})`
    throw new DomainError('not_found', `${folder} is not a backup${why}.`, { cause })
  }
  if (manifest.format !== 1 || manifest.database === undefined || manifest.schema === undefined) {
    throw new DomainError('invalid', `${join(folder, manifestFile)} was written by another version.`)
  }
  if (manifest.schema > migrations.length) {
    throw new DomainError(
      'invalid',
      `The backup was made by version ${manifest.version}, which is newer than this one.`,
    )
  }
  const { bytes, sha256 } = await hashOf(join(folder, databaseFile))
  if (bytes === manifest.database.bytes && sha256 === manifest.database.sha256) return manifest as Manifest
  throw new DomainError(
    'invalid',
    `${join(folder, databaseFile)} is not what was backed up: damaged, or changed since. claviger copy --from takes it as it is.`,
  )
}

/** What `readBackup` says of it, and all of it to copy from. */
export async function openBackup(from: string): Promise<{ readonly manifest: Manifest; readonly source: Side }> {
  const manifest = await readBackup(from)
  return { manifest, source: openBackupDirectory(from) }
}
