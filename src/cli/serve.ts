// claviger serve: starts the server, says on standard output how to reach it, runs commands that come through the socket,
// stops on a signal.

import { setTimeout } from 'node:timers/promises'
import { newLog } from '../app.ts'
import type { Config } from '../config.ts'
import type { Log } from '../core/core.ts'
import { listen, ListenError } from '../server.ts'
import type { Listening } from '../server.ts'
import { banner } from './banner.ts'
import { operator } from './context.ts'
import { firstStart } from './first-start.ts'
import type { FirstCredential } from './first-start.ts'
import { openData, prepareDataDirectory } from './open-data.ts'
import type { OpenData } from './open-data.ts'
import { exitCodes, PlainError } from './outcome.ts'
import { run } from './run.ts'
import { serveCommands, socketPath } from './socket.ts'
import type { CommandServer } from './socket.ts'
import { takeTurns } from './turns.ts'

/** How long requests under way may take to learn that the storage is gone. */
const failureGraceMs = 3_000

/** Runs until a signal stops it, or a failure for whoever supervises it to start it again; resolves to the exit code. */
export async function serve(config: Config): Promise<number> {
  const log = newLog(config)
  prepareDataDirectory(config, log)
  let fail: (cause: unknown) => void = () => {}
  const failed = new Promise<undefined>((resolve) => {
    fail = (cause) => {
      log.error({ err: cause }, 'fatal: the storage has stopped and cannot go on; this process ends')
      resolve(undefined)
    }
  })
  const { opened, listening, first } = await start(config, log, fail)
  const stopped = waitForSignal()
  const commands = await takeCommands(opened, listening.config, log)
  process.stdout.write(banner(opened.faces, listening, { first, organisations: await organisationIds(opened) }))
  const signal = await Promise.race([stopped, failed])
  if (signal === undefined) {
    await Promise.race([listening.stop(1).catch(() => {}), setTimeout(failureGraceMs)])
    process.exit(exitCodes.failed)
  }
  listening.drain()
  if (config.drainWaitSeconds > 0) {
    log.info({ signal, seconds: config.drainWaitSeconds }, 'draining: /readyz says no, everything else goes on')
    await Promise.race([setTimeout(config.drainWaitSeconds * 1000), failed])
  }
  log.info({ signal }, 'stopping: what is under way is finished first')
  // A command that follows an erasure would wait for the end of it; the next start goes on. A backup is made anew.
  opened.interruptBackups()
  await Promise.all([opened.core.erasures.close(), commands?.close()])
  await listening.stop()
  log.info({}, 'stopped')
  return exitCodes.ok
}

interface Started {
  readonly opened: OpenData
  readonly listening: Listening
  readonly first: FirstCredential | undefined
}

/** The port comes first: what is in use already must not leave a first credential behind that nobody was shown. */
async function start(config: Config, log: Log, onStorageFailure: (cause: unknown) => void): Promise<Started> {
  let inside: Omit<Started, 'listening'> | undefined
  try {
    const listening = await listen(config, async (bound) => {
      const opened = await openData(bound, { threads: 'workers', log, onStorageFailure })
      try {
        inside = { opened, first: await firstStart(opened, bound) }
        return opened.app
      } catch (error) {
        await opened.app.close()
        throw error
      }
    })
    if (!inside) throw new Error('listening, but nothing is open')
    return { ...inside, listening }
  } catch (error) {
    throw plainly(error)
  }
}

async function organisationIds({ core }: OpenData): Promise<readonly number[]> {
  const { items } = await core.organisations.list(operator, { offset: 0, limit: 2 })
  return items.map(({ id }) => id)
}

/** One line for what an operator can do something about. */
function plainly(error: unknown): unknown {
  if (!(error instanceof ListenError)) return error
  const { host, port } = error.where
  const { code } = error.cause as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use; ${error.settings}_PORT chooses another`,
    EACCES: `this user may not listen on port ${port}; ${error.settings}_PORT chooses another`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; ${error.settings}_HOST chooses another`,
    ENOTFOUND: `${host} is not known; ${error.settings}_HOST chooses another address`,
  }
  return new PlainError(reasons[code ?? ''] ?? `cannot listen on ${host}:${port} (${code})`)
}

/** npm passes on the signal that the terminal has sent to both of us; a person's second one comes later. */
const echoMs = 500

/** Resolves at the first signal; the next one ends the process at once. */
function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const take = (signal: NodeJS.Signals): void => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > echoMs) {
        process.stderr.write(`${signal} again: stopping at once\n`)
        process.exit(exitCodes.failed)
      }
      resolve(signal)
    }
    process.on('SIGTERM', take)
    process.on('SIGINT', take)
  })
}

/** Over a database commands open it themselves. Without a socket (a file system that has none) the server serves all the same. */
async function takeCommands(opened: OpenData, config: Config, log: Log): Promise<CommandServer | undefined> {
  if (config.database) return undefined
  const inTurn = takeTurns()
  try {
    return await serveCommands(socketPath(config.dataDirectory), (request, streams, gone) => {
      const { argv, ...rest } = request
      const open = () => Promise.resolve(opened)
      const untilStopped = () => gone
      const served = { config, streams, ...rest, isServed: true, open, untilStopped }
      return inTurn((letOthersPass) => run(argv, { ...served, letOthersPass }))
    })
  } catch (error) {
    log.warn({ err: error }, 'no socket for commands: the command line cannot reach this server')
    return undefined
  }
}
