// Runs one command in this process, for want of a server or beside the nodes of a database: opens the data itself once the
// command needs it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRemote } from '../app.ts'
import type { Config } from '../config.ts'
import { isDomainError } from '../core/errors.ts'
import type { Log } from '../core/core.ts'
import type { CommandContext, Opened } from './context.ts'
import { hasDatabase, openData } from './open-data.ts'
import type { OpenData } from './open-data.ts'
import { PlainError } from './outcome.ts'
import { run } from './run.ts'
import type { CommandRequest, Streams } from './socket.ts'

/** Two processes never have a data directory open: the storage's lock sees to it. */
export async function runAlone(
  { argv, stdin, isTerminal, directory }: CommandRequest,
  config: Config,
  streams: Streams,
): Promise<number> {
  // Without it an import into a place that was mistyped would make a store there.
  const isImport = argv.includes('import') && !argv.includes('credential')
  const isNew = isImport && argv.includes('--new')
  const isTrial = isNew && argv.includes('--dry-run')
  let trial: Config | undefined
  let opening: Promise<OpenData> | undefined
  let remote: ReturnType<typeof openRemote> | undefined
  let stopping: AbortSignal | undefined
  const context: CommandContext = {
    config,
    streams,
    stdin,
    isTerminal,
    directory,
    open: async (): Promise<Opened> => {
      if (!isNew && !hasDatabase(config)) {
        const makes = isImport
          ? 'claviger serve makes one, and so does claviger import … --new'
          : 'claviger serve makes one'
        throw new PlainError(
          `there is no database in ${config.dataDirectory}: is CLAVIGER_DATA right, or is CLAVIGER_DATABASE_URL missing? ${makes}`,
        )
      }
      // What stores much reads its source meanwhile, and little of the store.
      const threads = isImport ? 'writer' : 'inline'
      if (isTrial && !hasDatabase(config)) trial ??= emptyPlace(config)
      opening ??= openData(trial ?? config, { threads, mayMigrate: isNew && !isTrial, log: quiet })
      return opening.catch((error: unknown) => {
        if (!isDomainError(error) || error.detail.decidedBy !== 'lock') throw error
        // One that served already would have answered.
        throw new PlainError(`${error.message} A server may be starting: try again.`)
      })
    },
    remote: () => (remote ??= openRemote(config)),
    untilStopped: () => (stopping ??= untilSignal()),
  }
  try {
    return await run(argv, context)
  } finally {
    const opened = await opening?.catch(() => undefined)
    await opened?.app.close()
    remote?.close()
    if (trial !== undefined) rmSync(trial.dataDirectory, { recursive: true, force: true })
  }
}

/** For a dry run of what would make the store: it checks all against one that is as empty, and is gone afterwards. */
function emptyPlace({ bucket: _bucket, ...config }: Config): Config {
  return { ...config, dataDirectory: mkdtempSync(join(tmpdir(), 'claviger-dry-run-')) }
}

/** The first signal asks; the next one ends the process, as without this. */
function untilSignal(): AbortSignal {
  const asked = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => asked.abort(new PlainError(`stopped by ${signal}`)))
  }
  return asked.signal
}

/** A command says what went wrong itself. */
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }
