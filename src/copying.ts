// Which stores a copy, a backup or a restore is about: settings and storage meet here where no app is opened. Knows nothing of
// faces, nor of how it is typed and told.

import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openPlace } from './app.ts'
import type { Config } from './config.ts'
import { DomainError } from './core/errors.ts'
import type { BlobStore } from './core/storage.ts'
import { backUpDatabase, backUpDirectory } from './storage/copy/backup.ts'
import type { BackupOptions, Manifest } from './storage/copy/backup.ts'
import { blobFiles } from './storage/copy/blob-files.ts'
import { makeDatabase, openDatabase } from './storage/copy/postgres-side.ts'
import type { BlobFiles, Side } from './storage/copy/side.ts'
import { makeDirectory, openDirectory } from './storage/copy/sqlite-side.ts'

export { openBackup } from './storage/copy/backup.ts'
export type { Manifest } from './storage/copy/backup.ts'
export { compareStores, copyStore, findKeyCheck } from './storage/copy/copy.ts'
export type { CopyOptions, CopyProgress, CopyReport } from './storage/copy/copy.ts'
export type { Side } from './storage/copy/side.ts'

/** A store, as it is named where nobody has opened it. */
export interface StorePlace {
  /** A data directory, a URL (postgres://…), or `database`: the one that the settings name. */
  readonly store: string
  /** A directory with the bytes, or `settings`: where those say. */
  readonly blobs?: string | undefined
}

const databaseUrl = /^postgres(ql)?:\/\//

/** The directory it names, if it names one. */
export function directoryOf({ store }: StorePlace): string | undefined {
  return store === 'database' || databaseUrl.test(store) ? undefined : resolve(store)
}

/** The store that the settings are about. */
export function configuredPlace(config: Config): StorePlace {
  return { store: config.database ? 'database' : config.dataDirectory }
}

/**
 * Throws `invalid` where nobody said where the bytes go: a directory that a server without that database looks after would lose
 * them again, for no row there refers to them.
 */
export function checkPlaces(
  config: Config,
  { from, to }: { readonly from: StorePlace; readonly to: StorePlace },
): void {
  const isToDatabase = directoryOf(to) === undefined
  if (!isToDatabase || to.blobs !== undefined || config.database) return
  if (isConfigured(config, from)) return
  throw new DomainError(
    'invalid',
    'Where do the data of attachments and long documents go? Say --to-blobs, or give CLAVIGER_DATABASE_URL and the settings of the nodes.',
  )
}

export function openSource(config: Config, place: StorePlace): Promise<Side> {
  return openSide(config, place, { directory: openDirectory, database: openDatabase })
}

export function openTarget(config: Config, place: StorePlace): Promise<Side> {
  return openSide(config, place, { directory: makeDirectory, database: makeDatabase })
}

async function openSide(
  config: Config,
  place: StorePlace,
  open: { readonly directory: typeof openDirectory; readonly database: typeof openDatabase },
): Promise<Side> {
  const blobs = blobsOf(config, place)
  const directory = directoryOf(place)
  if (directory !== undefined) return open.directory(directory, blobs)
  const url = databaseUrl.test(place.store) ? place.store : config.database?.url
  if (url === undefined) throw new DomainError('invalid', 'CLAVIGER_DATABASE_URL names no database.')
  return open.database({ url, blobs })
}

function blobsOf(config: Config, place: StorePlace): BlobFiles {
  const { blobs } = place
  if (blobs !== undefined && blobs !== 'settings') return blobFiles(resolve(blobs))
  const directory = directoryOf(place)
  const isForeign = directory !== undefined && !isConfigured(config, place)
  if (blobs === undefined && isForeign) return blobFiles(join(directory, 'blobs'))
  return settingsBlobs(config)
}

function isConfigured({ dataDirectory }: Config, place: StorePlace): boolean {
  const directory = directoryOf(place)
  return directory !== undefined && realOf(directory) === realOf(dataDirectory)
}

/** One for both sides where both are the settings': then nothing needs to go from one to the other. */
const places = new WeakMap<Config, BlobFiles>()

function settingsBlobs(config: Config): BlobFiles {
  const known = places.get(config)
  if (known !== undefined) return known
  // Not before both stores are open, and known to be nobody else's: opening a place may tidy it up.
  let place: Promise<BlobFiles> | undefined
  const opened = (): Promise<BlobFiles> => (place ??= openPlace(config))
  const files: BlobFiles = {
    open: async (blob) => (await opened()).open(blob),
    receive: async (bytes) => (await opened()).receive(bytes),
  }
  places.set(config, files)
  return files
}

function realOf(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return directory
  }
}

/** Of the store that the settings are about and that is open, whoever is served from it. */
export async function backUp(
  config: Config,
  blobs: BlobStore,
  options: BackupOptions & { readonly to: string },
): Promise<Manifest> {
  const files = filesOf(blobs)
  if (!config.database) return backUpDirectory({ directory: config.dataDirectory, blobs: files }, options.to, options)
  const source = await openDatabase({ url: config.database.url, blobs: files })
  try {
    return await backUpDatabase(source, options.to, options)
  } finally {
    await source.close()
  }
}

/** A blob store knows which bytes are missing and referred to; for a copy they are absent. */
function filesOf(blobs: BlobStore): BlobFiles {
  return {
    async open({ lrsId, sha2 }) {
      try {
        return await blobs.open(lrsId, sha2)
      } catch (error) {
        if (error instanceof DomainError && error.code === 'internal') return undefined
        throw error
      }
    },
    receive: () => Promise.reject(new DomainError('internal', 'Nothing is written to what is backed up.')),
  }
}
