// An HTTPS server on this machine with an authority made for the test, and a client that trusts it and may reach it: what is asked
// of a remote endpoint is asked for real.

import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { makeExampleCertificate } from '../../src/cli/example-certificate.ts'

export const exampleCertificate = makeExampleCertificate(['localhost', '127.0.0.1'])

export interface RunningServer {
  readonly port: number
  /** `https://localhost:PORT` */
  readonly url: string
  /** All that were asked, oldest first. */
  readonly asked: readonly IncomingMessage[]
  close(): Promise<void>
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export async function serveHttps(answer: Answer): Promise<RunningServer> {
  const asked: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const { cert, key } = exampleCertificate
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request)
    answer(request, response)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port, url: `https://localhost:${port}`, asked, close }
}
