// Opens a data directory: storage, master key, core and faces, in that order. Used by the server and by commands that
// find no server.

import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabase, createApp, openStorage } from '../app.ts'
import type { App } from '../app.ts'
import type { Config } from '../config.ts'
import type { Log } from '../core/core.ts'
import type { Opened } from './context.ts'
import { rotateKeyFile, settleMasterKey } from './master-key.ts'
import { PlainError } from './outcome.ts'

export interface OpenData extends Opened {
  readonly app: App
}

export interface OpenDataOptions {
  readonly threads: 'workers' | 'inline'
  readonly log?: Log
}

export async function openData(config: Config, { threads, log }: OpenDataOptions): Promise<OpenData> {
  const storage = await openStorage(config, threads)
  try {
    const settled = await settleMasterKey(config, storage.platform)
    const app = await createApp({ ...config, masterKey: settled.key }, { storage, ...(log && { log }) })
    let masterKey = settled.key
    return {
      app,
      core: app.core,
      faces: app.faces,
      masterKeySource: settled.source,
      async rotateMasterKey() {
        const { key, organisations } = await rotateKeyFile(config.dataDirectory, masterKey, {
          platform: storage.platform,
          adopt: (adopted) => app.core.vault.adoptMasterKey(adopted),
        })
        masterKey = key
        return organisations
      },
      checkIntegrity: () => checkDatabase(config),
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

export function hasDatabase(config: Config): boolean {
  return existsSync(join(config.dataDirectory, 'claviger.db'))
}

/** Makes the data directory, for its owner only, or says why there is none to work in. */
export function prepareDataDirectory({ dataDirectory }: Config): void {
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
    accessSync(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new PlainError(`cannot write to the data directory ${dataDirectory} (${code}); CLAVIGER_DATA names it`)
  }
}
