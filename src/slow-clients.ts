// Clients that send a body, or take an answer, more slowly than anybody would who means it: each holds a connection, and what
// is held for it in memory. Cuts them off. Knows of a request only how much of it has moved.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Watched {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly startedAt: number
  /** What had come over the connection before. */
  readonly readBefore: number
  /** When the answer was first seen on its way, and what had gone before. */
  answer?: { readonly since: number; readonly writtenBefore: number }
}

export interface SlowOptions {
  /** Bytes a second; 0 cuts nobody off. */
  readonly leastRate: number
  /** So long anybody may be as slow as they like. */
  readonly graceMs?: number
  readonly everyMs?: number
  readonly onCut?: (what: 'body' | 'answer') => void
}

export class SlowClients {
  readonly #options: Required<SlowOptions>
  readonly #watched = new Set<Watched>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: SlowOptions) {
    this.#options = { graceMs: 30_000, everyMs: 5_000, onCut: () => {}, ...options }
    if (options.leastRate > 0) this.#timer = setInterval(() => this.look(), this.#options.everyMs).unref()
  }

  watch(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (this.#timer === undefined) return
    const readBefore = incoming.socket.bytesRead
    const watched: Watched = { incoming, outgoing, startedAt: performance.now(), readBefore }
    this.#watched.add(watched)
    outgoing.once('close', () => this.#watched.delete(watched))
  }

  look(now = performance.now()): void {
    for (const watched of this.#watched) {
      const { incoming, outgoing } = watched
      if (!incoming.complete && this.#isBodySlow(watched, now)) {
        this.#options.onCut('body')
        cutBody(incoming.socket, outgoing)
      } else if (outgoing.headersSent && this.#isAnswerSlow(watched, now)) {
        this.#options.onCut('answer')
        incoming.socket.destroy()
      }
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #isBodySlow({ incoming, startedAt, readBefore }: Watched, now: number): boolean {
    // What has come and nobody took: then it is we who are slow.
    if (incoming.readableLength > 0) return false
    return this.#isTooLong(now - startedAt, incoming.socket.bytesRead - readBefore)
  }

  #isAnswerSlow(watched: Watched, now: number): boolean {
    const { socket } = watched.incoming
    watched.answer ??= { since: now, writtenBefore: socket.bytesWritten }
    // Nothing waits to be taken: then it is we who are slow.
    if (socket.writableLength === 0) return false
    // Counts what waits in the connection, too, so that a large answer in one piece gets the time its length takes.
    const moved = socket.bytesWritten - watched.answer.writtenBefore + socket.writableLength
    return this.#isTooLong(now - watched.answer.since, moved)
  }

  #isTooLong(ms: number, bytes: number): boolean {
    return ms > this.#options.graceMs + (bytes / this.#options.leastRate) * 1000
  }
}

/** As Node answers what does not arrive in time. */
function cutBody(socket: Socket, outgoing: ServerResponse): void {
  if (!outgoing.headersSent && socket.writable)
    socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
  socket.destroySoon()
}
