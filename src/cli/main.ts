#!/usr/bin/env node
// The program: reads the configuration, starts the server or runs one command, in the running server when there is one.
// What only a server needs is loaded only then, so that a command that finds one answers quickly.

import { realpathSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { ConfigError, loadConfig } from '../config.ts'
import type { Config } from '../config.ts'
import { isDomainError } from '../core/errors.ts'
import { openBrowser } from './browser.ts'
import { exitCodes, PlainError } from './outcome.ts'
import { askServer, socketPath } from './socket.ts'
import type { CommandRequest, Streams } from './socket.ts'

const streams: Streams = {
  out: (words) => void process.stdout.write(words),
  err: (words) => void process.stderr.write(words),
  open: openBrowser,
}

// Whoever reads on, as `| head` does not, misses nothing; what is under way comes to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** The options that read standard input; without one of them nobody waits for it. */
const readsStdin = new Set(['--secret-stdin', '--statement-stdin', '--password-stdin', '--passphrase-stdin'])

/** The secret of what is imported from; no setting. */
const secretVariable = 'CLAVIGER_IMPORT_SECRET'

async function main(argv: readonly string[]): Promise<number> {
  // Whatever is written, the copy before an upgrade included, is for its owner only.
  process.umask(0o077)
  const { [secretVariable]: secret, ...settings } = process.env
  const config = withRealDirectory(loadConfig(settings))
  if (argv.length === 1 && argv[0] === 'serve') {
    const { serve } = await import('./serve.ts')
    return serve(config)
  }
  const stdin = argv.some((word) => readsStdin.has(word)) ? await text(process.stdin) : secretFor(argv, secret)
  const request: CommandRequest = {
    argv: [...argv],
    isTerminal: process.stdout.isTTY,
    directory: process.cwd(),
    ...(stdin !== undefined && { stdin }),
  }
  // Beside any number of nodes a command has the database open itself; what opens stores of its own, serves something, or only asks
  // others, is no server's business.
  const isOwn = config.database !== undefined || runsHere.has(commandOf(argv)) || argv.includes('serve-example')
  const exit = isOwn ? undefined : await letServer(request, config)
  if (exit !== undefined) return exit
  const { runAlone } = await import('./run-alone.ts')
  return runAlone(request, config, streams)
}

/** The first signal asks the command to stop; the next one ends this process, as without that. */
async function letServer(request: CommandRequest, { dataDirectory }: Config): Promise<number | undefined> {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
  try {
    return await askServer(socketPath(dataDirectory), request, streams, leaving.signal)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave)
  }
}

/** Where it was typed, that is: a server that runs the command has an environment of its own. */
function secretFor(argv: readonly string[], secret: string | undefined): string | undefined {
  return commandOf(argv) === 'import' ? secret : undefined
}

const runsHere = new Set(['copy', 'restore', 'compare'])

/** The first word that is no option, nor the value of the one that stands before commands. */
function commandOf(argv: readonly string[]): string {
  const takesValue = new Set(['-o', '--organisation'])
  return argv.find((word, index) => !word.startsWith('-') && !takesValue.has(argv[index - 1] ?? '')) ?? ''
}

/** The same directory has one socket, whichever way it is spelled. */
function withRealDirectory(config: Config): Config {
  try {
    return { ...config, dataDirectory: realpathSync(config.dataDirectory) }
  } catch {
    return config
  }
}

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
