// How the command line reaches the server that owns a data directory: a Unix socket (a named pipe on Windows), one
// command per connection, JSON lines. Knows nothing of what a command does.

import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { PlainError } from './outcome.ts'

/** Where a command's output goes. */
export interface Streams {
  out(text: string): void
  err(text: string): void
  /** Shows a web address in the browser of whoever typed the command, if there is one. */
  open?(address: string): void
}

const requestShape = z.strictObject({
  argv: z.array(z.string()).max(1000),
  /** Only sent for a command that reads it. */
  stdin: z.string().optional(),
  /** Whether somebody looks at the output as it comes. */
  isTerminal: z.boolean().optional(),
  /** Where it was typed. */
  directory: z.string().optional(),
})
export type CommandRequest = z.output<typeof requestShape>

const answerShape = z.union([
  z.strictObject({ out: z.string() }),
  z.strictObject({ err: z.string() }),
  z.strictObject({ open: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({ exit: z.number().int() }),
])
type Answer = z.output<typeof answerShape>

const maxRequestBytes = 256 * 1024
const maxAnswerBytes = 64 * 1024 * 1024
const maxConnections = 16
/** A connection that has not sent its whole request by then is closed. */
const requestTimeoutMs = 10_000
/** Whoever leaves a command that goes on is told so. */
const patienceMs = 1_000
/** `sun_path` holds 104 to 108 bytes, depending on the system. */
const maxSocketPathBytes = 100

/** The address of the server of `dataDirectory` (absolute); the same for everybody who asks. */
export function socketPath(dataDirectory: string, platform: NodeJS.Platform = process.platform): string {
  const hash = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 32)
  if (platform === 'win32') return `\\\\.\\pipe\\claviger-${hash}`
  const path = join(dataDirectory, 'claviger.sock')
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path
  return join(tmpdir(), `claviger-${userInfo().uid}`, `${hash}.sock`)
}

export interface CommandServer {
  readonly path: string
  /** Lets running commands finish, or stop where they may be gone on with; takes no new ones, removes the socket. */
  close(): Promise<void>
}

/** Runs a command; `gone` is aborted when nobody waits for it any more, or the server stops. */
type RunCommand = (request: CommandRequest, streams: Streams, gone: AbortSignal) => Promise<number>

/**
 * Serves commands at `path`. The caller owns the data directory's lock, so a socket that is already there is a dead
 * server's. `run` must not throw; if it does, the command fails and the server goes on.
 */
export async function serveCommands(path: string, run: RunCommand): Promise<CommandServer> {
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const done = serveOne(socket, run, stopping.signal).finally(() => running.delete(done))
    running.add(done)
  })
  server.maxConnections = maxConnections
  if (!path.startsWith('\\\\')) prepareSocketPath(path)
  await bind(server, path)
  server.on('error', () => undefined)
  return {
    path,
    async close() {
      stopping.abort(new PlainError('the server stops'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.allSettled(running)
      await closed
    },
  }
}

/** Only the same user may use the directory that stands in for a data directory with a long path. */
function prepareSocketPath(path: string): void {
  const directory = join(path, '..')
  if (directory.startsWith(join(tmpdir(), 'claviger-'))) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const { uid, mode } = lstatSync(directory)
    if (!lstatSync(directory).isDirectory() || uid !== userInfo().uid || (mode & 0o077) !== 0) {
      throw new Error(`${directory} must be a directory that only its owner, this user, can open`)
    }
  }
  rmSync(path, { force: true })
}

async function bind(server: Server, path: string): Promise<void> {
  // The socket is made inside listen(), so it is never open to others, not even before the chmod.
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
      process.umask(umask)
    })
  } finally {
    process.umask(umask)
  }
  if (!path.startsWith('\\\\')) chmodSync(path, 0o600)
}

async function serveOne(socket: Socket, run: RunCommand, stopping: AbortSignal): Promise<void> {
  const left = new AbortController()
  // A client that is gone is no reason to stop the server, nor a command, unless that asks.
  socket.on('error', () => undefined)
  // It ends its side when it leaves, or with itself.
  for (const event of ['end', 'close'])
    socket.once(event, () => left.abort(new PlainError('whoever asked for this is gone')))
  const send = (answer: Answer): void => {
    if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`)
  }
  const request = await readRequest(socket)
  if (!request) {
    socket.destroy()
    return
  }
  const streams: Streams = {
    out: (text) => send({ out: text }),
    err: (text) => send({ err: text }),
    open: (address) => send({ open: address }),
  }
  let exit = 1
  try {
    exit = await run(request, streams, AbortSignal.any([left.signal, stopping]))
  } catch {
    streams.err('internal error\n')
  }
  send({ exit })
  socket.end()
  // A client that never closes its side would keep the connection, and a stopping server, for ever.
  socket.setTimeout(requestTimeoutMs, () => socket.destroy())
}

/** The first line, as a request; undefined when it is too long, too late, or not one. */
async function readRequest(socket: Socket): Promise<CommandRequest | undefined> {
  const line = await new Promise<string | undefined>((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => finish(undefined), requestTimeoutMs)
    timer.unref()
    function finish(text: string | undefined): void {
      clearTimeout(timer)
      socket.off('data', take)
      socket.resume()
      resolve(text)
    }
    function take(chunk: Buffer): void {
      const end = chunk.indexOf(10)
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end))
      length += chunk.length
      if (length > maxRequestBytes) finish(undefined)
      else if (end >= 0) finish(Buffer.concat(chunks).toString('utf8'))
    }
    socket.on('data', take)
    socket.once('end', () => finish(undefined))
    socket.once('close', () => finish(undefined))
  })
  if (line === undefined) return undefined
  return requestShape.safeParse(parseLine(line)).data
}

/**
 * Lets the server at `path` run a command; resolves to its exit code, or to undefined when there is no server. Throws
 * when the server hangs up in the middle or may not be spoken to. `leaving`: nobody wants more of it than how it ends; a command that
 * can be gone on with stops then.
 */
export async function askServer(
  path: string,
  request: CommandRequest,
  streams: Streams,
  leaving?: AbortSignal,
): Promise<number | undefined> {
  const socket = await connect(path)
  if (!socket) return undefined
  socket.write(`${JSON.stringify(request)}\n`)
  let patience: NodeJS.Timeout | undefined
  const leave = (): void => {
    socket.end()
    patience = setTimeout(
      () => streams.err('The server finishes this; Ctrl-C again does not wait for it.\n'),
      patienceMs,
    )
  }
  leaving?.addEventListener('abort', leave, { once: true })
  let rest = ''
  let exit: number | undefined
  try {
    socket.setEncoding('utf8')
    for await (const chunk of socket as AsyncIterable<string>) {
      rest += chunk
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > maxAnswerBytes) throw new PlainError('the server sent a line without end')
      for (const line of lines) exit = takeAnswer(line, streams) ?? exit
    }
  } finally {
    clearTimeout(patience)
    leaving?.removeEventListener('abort', leave)
    socket.destroy()
  }
  if (exit === undefined) throw new PlainError('the server hung up before the command was done')
  return exit
}

function takeAnswer(line: string, streams: Streams): number | undefined {
  const answer = answerShape.safeParse(parseLine(line)).data
  if (!answer) throw new PlainError('the server speaks another language; is it of another version?')
  if ('exit' in answer) return answer.exit
  if ('open' in answer) streams.open?.(answer.open)
  else if ('out' in answer) streams.out(answer.out)
  else streams.err(answer.err)
  return undefined
}

async function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path })
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve(socket)
    })
    socket.once('error', fail)
    function fail(error: NodeJS.ErrnoException): void {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') resolve(undefined)
      else if (error.code === 'EACCES' || error.code === 'EPERM') {
        reject(new PlainError(`a server runs as another user (${path}); use that user, or sudo -u`))
      } else reject(error)
    }
  })
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
