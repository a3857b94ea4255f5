#!/usr/bin/env node
// The program: reads the configuration, starts the server or runs one command, in the running server when there is one.

import { realpathSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { atPort, ConfigError, loadConfig } from '../config.ts'
import type { Config } from '../config.ts'
import type { Log } from '../core/core.ts'
import { isDomainError } from '../core/errors.ts'
import type { CommandContext, Opened } from './context.ts'
import { hasDatabase, openData } from './open-data.ts'
import type { OpenData } from './open-data.ts'
import { exitCodes, PlainError } from './outcome.ts'
import { run } from './run.ts'
import { serve } from './serve.ts'
import { askServer, socketPath } from './socket.ts'
import type { Streams } from './socket.ts'

const streams: Streams = {
  out: (words) => void process.stdout.write(words),
  err: (words) => void process.stderr.write(words),
}

async function main(argv: readonly string[]): Promise<number> {
  const config = withRealDirectory(loadConfig(process.env))
  if (argv.length === 1 && argv[0] === 'serve') return serve(config)
  const stdin = argv.some((word) => word.endsWith('-stdin')) ? await text(process.stdin) : undefined
  const request = { argv: [...argv], ...(stdin !== undefined && { stdin }) }
  const exit = await askServer(socketPath(config.dataDirectory), request, streams)
  return exit ?? runAlone(argv, config, stdin)
}

/** The same directory has one socket, whichever way it is spelled. */
function withRealDirectory(config: Config): Config {
  try {
    return { ...config, dataDirectory: realpathSync(config.dataDirectory) }
  } catch {
    return config
  }
}

/** Opens the data directory itself, once the command needs it; two processes never have it open. */
async function runAlone(argv: readonly string[], config: Config, stdin: string | undefined): Promise<number> {
  let opening: Promise<OpenData> | undefined
  const context: CommandContext = {
    config: atPort(config, config.port),
    streams,
    stdin,
    open: (): Promise<Opened> => {
      if (!hasDatabase(config)) {
        throw new PlainError(
          `there is no database in ${config.dataDirectory}: is CLAVIGER_DATA right? claviger serve makes one`,
        )
      }
      return (opening ??= openData(config, { threads: 'inline', log: quiet }))
    },
  }
  try {
    return await run(argv, context)
  } finally {
    const opened = await opening?.catch(() => undefined)
    await opened?.app.close()
  }
}

/** A command says what went wrong itself. */
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }

function explain(error: unknown): number {
  if (error instanceof ConfigError) {
    streams.err(`The configuration has ${error.problems.length === 1 ? 'a problem' : 'problems'}:\n`)
    for (const problem of error.problems) streams.err(`  - ${problem}\n`)
    return exitCodes.config
  }
  const isKnown = error instanceof PlainError || isDomainError(error)
  const words = error instanceof Error ? (isKnown ? error.message : (error.stack ?? error.message)) : String(error)
  streams.err(`error: ${words}\n`)
  return exitCodes.failed
}

process.exitCode = await main(process.argv.slice(2)).catch(explain)
