// One started program for all clients of a test file, and keys made in it through Watershed's API. Every test takes keys of
// its own, so none sees what another stored.

import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import type { EngineName } from '../../src/storage/migrations/migration.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { startProgram, type StartedProgram } from '../support/program.ts'
import type { ClientAccount, ClientLibrary, XapiClient } from './client.ts'
import { type Key, type KeyMaker, keyMaker } from './watershed-keys.ts'

export interface Setting {
  readonly endpointPath: string
  readonly keys: KeyMaker
  account(key: Key): ClientAccount
  connectTo(library: ClientLibrary, key: Key): XapiClient
}

export interface SharedProgram {
  start(): Promise<void>
  stop(): Promise<void>
  /** Usable once started. */
  at(endpointPath: string): Setting
}

/** `engine`: what the program stores in. */
export function sharedProgram(engine: EngineName = 'sqlite'): SharedProgram {
  let program: StartedProgram | undefined
  let database: TestDatabase | undefined
  const started = (): StartedProgram => {
    if (program === undefined) throw new Error('the program has not been started')
    return program
  }
  return {
    start: async () => {
      database = engine === 'postgres' ? await createDatabase(inject('postgresUrl')) : undefined
      const env = database && {
        CLAVIGER_DATABASE_URL: database.url,
        CLAVIGER_MASTER_KEY: randomBytes(32).toString('base64'),
      }
      program = await startProgram(env && { env })
    },
    stop: async () => {
      await program?.stop()
      await database?.drop()
    },
    at: (endpointPath) => {
      const account = ({ key, secret }: Key): ClientAccount => ({
        endpoint: `${started().url}${endpointPath}`,
        key,
        secret,
      })
      return {
        endpointPath,
        get keys() {
          return keyMaker(started())
        },
        account,
        connectTo: (library, key) => library.connect(account(key)),
      }
    },
  }
}
