// A store of statements for pipes to forward to: speaks enough of xAPI over plain HTTP, can be told to refuse, to lose its answer,
// and to go away and come back.

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { boundaryOf, readParts } from '../../src/core/multipart-reader.ts'
import { OutboundClient } from '../../src/outbound/client.ts'
import { parseException } from '../../src/outbound/policy.ts'
import { remoteLrsDoor } from '../../src/outbound/remote-lrs.ts'

export interface Posted {
  readonly statements: readonly Record<string, unknown>[]
  /** The same as it came. */
  readonly text: string
  readonly headers: IncomingMessage['headers']
  /** By sha2. */
  readonly parts: ReadonlyMap<string, Buffer>
}

/** Undefined: as a store answers. `lost`: it stores, and the answer never arrives. */
export type Answering = (
  posted: Posted,
) => { status: number; body?: string; headers?: Record<string, string> } | 'lost' | undefined

export interface Target {
  readonly url: string
  /** Ids in the order in which they came first. */
  readonly ids: readonly string[]
  readonly stored: ReadonlyMap<string, Record<string, unknown>>
  readonly parts: ReadonlyMap<string, Buffer>
  readonly posts: readonly Posted[]
  /** `GET /statements?…` as they came. */
  readonly asked: readonly string[]
  answering: Answering
  /** What GET answers; undefined: as a store does. */
  reading:
    | ((
        query: URLSearchParams,
        request: IncomingMessage,
      ) => { status: number; body: unknown; headers?: Record<string, string> } | undefined)
    | undefined
  versions: readonly string[]
  /** Cuts every connection and listens no more. */
  stop(): Promise<void>
  /** On the same port. */
  start(): Promise<void>
}

/** Reaches servers of tests on this machine. */
export function testRemoteLrs() {
  const client = new OutboundClient({ exceptions: [parseException('http://127.0.0.1')!] })
  onTestFinished(() => client.close())
  return remoteLrsDoor(client)
}

export async function startTarget(): Promise<Target> {
  const ids: string[] = []
  const stored = new Map<string, Record<string, unknown>>()
  const parts = new Map<string, Buffer>()
  const posts: Posted[] = []
  const asked: string[] = []
  let server: Server | undefined
  let port = 0
  const target: Target = {
    ...{ ids, stored, parts, posts, asked },
    get url() {
      return `http://127.0.0.1:${port}/xapi`
    },
    answering: () => undefined,
    reading: undefined,
    versions: ['1.0.3', '2.0.0'],
    async stop() {
      const closing = new Promise((resolve) => server?.close(resolve))
      server?.closeAllConnections()
      await closing
    },
    async start() {
      server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
      await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://target')
    if (pathname === '/xapi/about') return send(response, 200, { version: target.versions })
    if (request.method === 'GET') {
      asked.push(request.url ?? '')
      const given = target.reading?.(searchParams, request)
      if (given) return send(response, given.status, given.body, given.headers)
      const found = stored.get(searchParams.get('statementId') ?? '')
      return send(response, found ? 200 : 404, found ?? { error: 'none' })
    }
    const posted = await read(request)
    posts.push(posted)
    const told = target.answering(posted)
    if (told !== undefined && told !== 'lost') return send(response, told.status, told.body ?? '', told.headers)
    for (const statement of posted.statements) {
      const id = String(statement['id'])
      if (!stored.has(id)) ids.push(id)
      stored.set(id, statement)
    }
    for (const [sha2, bytes] of posted.parts) parts.set(sha2, bytes)
    if (told === 'lost') return void request.socket.destroy()
    send(
      response,
      200,
      posted.statements.map(({ id }) => id),
    )
  }

  await target.start()
  onTestFinished(() => target.stop())
  return target
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(text)
}

async function read(request: IncomingMessage): Promise<Posted> {
  const { headers } = request
  const boundary = boundaryOf(headers['content-type'] ?? '')
  const parts = new Map<string, Buffer>()
  let json: Buffer | undefined
  if (boundary === undefined) json = await bufferOf(request)
  else
    for await (const part of readParts(request, boundary)) {
      const content = await bufferOf(part.bytes())
      if (json === undefined) json = content
      else parts.set(part.headers.get('x-experience-api-hash') ?? '', content)
    }
  const text = String(json)
  return { statements: JSON.parse(text) as Record<string, unknown>[], text, headers, parts }
}

async function bufferOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}
