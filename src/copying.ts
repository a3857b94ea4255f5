// Which stores a copy, a backup or a restore is about: settings and storage meet here where no app is opened. Knows nothing of
// faces, nor of how it is typed and told.

import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { openPlace } from './app.ts'
import { databaseUrlRule, isDatabaseUrl } from './config.ts'
import type { Config } from './config.ts'
import { DomainError } from './core/errors.ts'
import type { BlobStore } from './core/storage.ts'
import type { BlobPlace } from './storage/blobs/place.ts'
import { backUpDatabase, backUpDirectory } from './storage/copy/backup.ts'
import type { BackupOptions, Manifest } from './storage/copy/backup.ts'
import { isBackup } from './storage/copy/backup-directory.ts'
import { blobFiles } from './storage/copy/blob-files.ts'
import { sameStore } from './storage/copy/copy.ts'
import { makeDatabase, openDatabase } from './storage/copy/postgres-side.ts'
import type { OwnedFiles, Side } from './storage/copy/side.ts'
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

/** The directory it names, if it names one. */
export function directoryOf({ store }: StorePlace): string | undefined {
  return store === 'database' || isUrl(store) ? undefined : resolve(store)
}

function isUrl(store: string): boolean {
  return store.includes('://')
}

/** The store that the settings are about. */
export function configuredPlace(config: Config): StorePlace {
  return { store: config.database ? 'database' : config.dataDirectory }
}

/**
 * Throws `invalid` for what names no store, for two that are one or lie in each other, and where nobody said where the bytes go: a
 * directory that a server without that database looks after would lose them again, for no row there refers to them.
 */
export function checkPlaces(
  config: Config,
  { from, to }: { readonly from: StorePlace; readonly to: StorePlace },
): void {
  checkName('--from', from)
  checkName('--to', to)
  checkApart(config, from, to)
  const isToDatabase = directoryOf(to) === undefined
  if (!isToDatabase || to.blobs !== undefined || config.database) return
  if (isConfigured(config, from)) return
  throw new DomainError(
    'invalid',
    'Where do the data of attachments and long documents go? Say --to-blobs, or give CLAVIGER_DATABASE_URL and the settings of the nodes.',
  )
}

function checkName(option: string, { store, blobs = '' }: StorePlace): void {
  if (isUrl(store) && !isDatabaseUrl(store)) {
    throw new DomainError('invalid', `${option} ${databaseUrlRule}, a data directory, or "database".`)
  }
  if (isUrl(blobs)) throw new DomainError('invalid', `${option}-blobs must be a directory or "settings", no URL.`)
}

function checkApart(config: Config, from: StorePlace, to: StorePlace): void {
  const [source, target] = [directoryOf(from), directoryOf(to)].map((one) => one && realOf(one))
  if (source === undefined && target === undefined) {
    if (addressOf(config, from) === addressOf(config, to)) throw sameStore()
  }
  if (source === undefined || target === undefined) return
  if (source === target) throw sameStore()
  // Backups may well lie in the data directory that one of them is restored into.
  if (isInside(target, source) || (isInside(source, target) && !isBackup(source))) {
    throw new DomainError('invalid', `${target} and ${source} lie in each other: copy into a directory beside it.`)
  }
}

function isInside(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

/** The same for the commonest ways to spell the same database; others show once both are open. Without the password. */
function addressOf(config: Config, { store }: StorePlace): string | undefined {
  const text = store === 'database' ? config.database?.url : store
  if (text === undefined) return undefined
  const { hostname, port, username, pathname, search } = new URL(text)
  const host = ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? 'localhost' : hostname.toLowerCase()
  return [host, port || '5432', username, pathname, search].join(' ')
}

export function openSource(config: Config, place: StorePlace): Promise<Side> {
  return openSide(config, place, { directory: openDirectory, database: openDatabase, option: '--from' })
}

export function openTarget(config: Config, place: StorePlace): Promise<Side> {
  return openSide(config, place, { directory: makeDirectory, database: makeDatabase, option: '--to' })
}

async function openSide(
  config: Config,
  place: StorePlace,
  open: { readonly directory: typeof openDirectory; readonly database: typeof openDatabase; readonly option: string },
): Promise<Side> {
  const blobs = blobsOf(config, place)
  const directory = directoryOf(place)
  if (directory !== undefined) return open.directory(directory, blobs)
  if (isUrl(place.store)) return open.database({ url: place.store, blobs, named: open.option })
  if (config.database) return open.database({ url: config.database.url, blobs })
  throw new DomainError('invalid', 'CLAVIGER_DATABASE_URL names no database.')
}

function blobsOf(config: Config, place: StorePlace): OwnedFiles {
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
const places = new WeakMap<Config, OwnedFiles>()

function settingsBlobs(config: Config): OwnedFiles {
  const known = places.get(config)
  if (known !== undefined) return known
  // Not before both stores are open, and known to be nobody else's.
  let opening: Promise<BlobPlace> | undefined
  let name = 'The place of the settings'
  const opened = async (): Promise<BlobPlace> => {
    const place = await (opening ??= openPlace(config))
    name = place.name
    return place
  }
  const files: OwnedFiles = {
    get name() {
      return name
    },
    open: async (blob) => (await opened()).open(blob),
    receive: async (bytes) => (await opened()).receive(bytes),
    findOwner: async () => (await opened()).findOwner(),
    setOwner: async (id, before) => (await opened()).setOwner(id, before),
    isEmpty: async () => (await opened()).isEmpty(),
  }
  places.set(config, files)
  return files
}

/** Also of one that is not there yet, in one that is. */
function realOf(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    const parent = dirname(directory)
    return parent === directory ? directory : join(realOf(parent), basename(directory))
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
function filesOf(blobs: BlobStore): OwnedFiles {
  const refused = (): Promise<never> =>
    Promise.reject(new DomainError('internal', 'Nothing is written to what is backed up.'))
  return {
    async open({ lrsId, sha2 }) {
      try {
        return await blobs.open(lrsId, sha2)
      } catch (error) {
        if (error instanceof DomainError && error.code === 'internal') return undefined
        throw error
      }
    },
    ...{ name: 'what is backed up', receive: refused, findOwner: refused, setOwner: refused, isEmpty: refused },
  }
}
