// Composition root: the only file that sees configuration, storage and faces together.

import { Hono } from 'hono'
import type { Config } from './config.ts'
import type { Core } from './core/core.ts'
import type { Storage } from './core/storage.ts'
import type { Face } from './faces/face.ts'

export interface App {
  /** `fetch(request, env)` for a server, `request(path, init)` for tests. */
  readonly app: Hono
  readonly core: Core
  readonly faces: readonly Face[]
  /** Finishes what was accepted, flushes usage, closes storage. Idempotent. */
  close(): Promise<void>
}

/** What a test or the CLI brings along instead of what the configuration would open. */
export interface AppParts {
  readonly storage?: Storage
  readonly core?: Core
}

export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  void config
  void parts
  throw new Error('not written yet')
}
