// Our own faces on a real socket, as the service of a vendor that is imported from; any of its answers may be replaced by a hostile one.

import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpApp } from '../../src/app.ts'
import { OutboundClient } from '../../src/outbound/client.ts'
import { parseException } from '../../src/outbound/policy.ts'
import { remoteLrsDoor } from '../../src/outbound/remote-lrs.ts'

export interface Hostile {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Vendor {
  readonly url: string
  /** `GET /path?query`, as they came. */
  readonly asked: string[]
  /** What is answered instead; undefined: as the app does. */
  answering: ((path: string, request: IncomingMessage) => Hostile | undefined) | undefined
  close(): Promise<void>
}

export async function serveVendor(app: HttpApp): Promise<Vendor> {
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const vendor: Vendor = {
    ...{ url, asked: [], answering: undefined },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    vendor.asked.push(`${request.method} ${path}`)
    const told = vendor.answering?.(path, request)
    if (told !== undefined) {
      response.writeHead(told.status, { 'Content-Type': 'application/json', ...told.headers })
      response.end(typeof told.body === 'string' ? told.body : JSON.stringify(told.body))
      return
    }
    const headers = new Headers(Object.entries(request.headers as Record<string, string>))
    const answered = await app.request(path, { method: request.method ?? 'GET', headers })
    response.writeHead(answered.status, Object.fromEntries(answered.headers))
    response.end(Buffer.from(await answered.arrayBuffer()))
  }
  return vendor
}

/** How this machine is asked; nobody else is. */
export function openRemote() {
  const outbound = new OutboundClient({ exceptions: [parseException('http://127.0.0.1')!] })
  return { outbound, door: remoteLrsDoor(outbound), close: () => outbound.close() }
}
