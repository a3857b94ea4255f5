// Opens a data directory, or the database beside it: storage, master key, core and faces, in that order. Used by the server and by commands that
// find no server.

import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkStored, createApp, openStorage, refuseBackup } from '../app.ts'
import type { App, StorageOptions } from '../app.ts'
import type { Config } from '../config.ts'
import { recordKeyRotation } from '../core/audit.ts'
import type { Log } from '../core/core.ts'
import { backUp } from '../copying.ts'
import { operator } from './context.ts'
import type { Opened } from './context.ts'
import { keyCheckOf, rotateKeyFile, settleMasterKey } from './master-key.ts'
import { PlainError } from './outcome.ts'
import { version } from './version.ts'

export interface OpenData extends Opened {
  readonly app: App
  /** Those under way fail: the process has to end. */
  interruptBackups(): void
}

export async function openData(config: Config, options: StorageOptions): Promise<OpenData> {
  const { log } = options
  const storage = await openStorage(config, { ...options, checkKey: keyCheckOf(config) })
  try {
    const settled = await settleMasterKey(config, storage.platform)
    const app = await createApp({ ...config, masterKey: settled.key }, { storage, ...(log && { log }) })
    let masterKey = settled.key
    const backups = new AbortController()
    return {
      app,
      core: app.core,
      faces: app.faces,
      remote: app.remote,
      masterKeySource: settled.source,
      async rotateMasterKey() {
        const { key, organisations } = await rotateKeyFile(config.dataDirectory, masterKey, {
          platform: storage.platform,
          adopt: (adopted) => app.core.vault.adoptMasterKey(adopted),
        })
        masterKey = key
        await recordKeyRotation(storage, app.core.clock, { kind: 'operator', name: operator.operator })
        return organisations
      },
      checkIntegrity: (onChecked) => checkStored(config, onChecked),
      backUp: ({ withMasterKey, ...options }) =>
        backUp(config, storage.blobs, {
          ...options,
          version,
          ...(withMasterKey && { masterKey: masterKey.toString('base64') }),
          checkKey: () => {},
          signal: backups.signal,
        }),
      interruptBackups: () => backups.abort(),
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** Whether there is something to open; what a database elsewhere holds shows when it is opened. */
export function hasDatabase(config: Config): boolean {
  return config.database !== undefined || existsSync(join(config.dataDirectory, 'claviger.db'))
}

/** Makes the data directory, for its owner only, or says why there is none to work in. Tightens one that is open to others. */
export function prepareDataDirectory({ dataDirectory }: Config, log: Log): void {
  refuseBackup(dataDirectory)
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
    accessSync(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new PlainError(`cannot write to the data directory ${dataDirectory} (${code}); CLAVIGER_DATA names it`)
  }
  if (process.platform !== 'win32') tighten(dataDirectory, log)
}

/** What a server keeps in its data directory. */
const ours = /^(claviger\.(db([-.].+)?|sock)|backup\.json|owner\.lock(-.+)?|master\.key(\.next)?|blobs)$/

/** A directory that holds other things, too, is somebody's choice: then only what is ours in it is closed. */
function tighten(dataDirectory: string, log: Log): void {
  const names = readdirSync(dataDirectory)
  const others = names.filter((name) => !ours.test(name))
  for (const name of names.filter((item) => ours.test(item))) close(join(dataDirectory, name), log)
  if (others.length === 0) close(dataDirectory, log)
  else if (isOpen(dataDirectory)) {
    log.warn(
      { dataDirectory, others: others.slice(0, 5) },
      'others may open the data directory, and it holds other files',
    )
  }
}

function close(path: string, log: Log): void {
  if (!isOpen(path)) return
  const mode = statSync(path).isDirectory() ? 0o700 : 0o600
  try {
    chmodSync(path, mode)
    log.warn({ path, mode: mode.toString(8) }, 'others could open this; now only its owner can')
  } catch (err) {
    log.warn({ path, err }, 'others may open this, and its mode cannot be changed')
  }
}

function isOpen(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && (stats.mode & 0o077) !== 0
}
