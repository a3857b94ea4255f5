// The HTTP ceiling: the product's own HTTP framework and adapter, JSON.parse and an answer, nothing checked, nothing stored.

import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.post('/xapi/statements', async (context) => {
  const body: unknown = JSON.parse(await context.req.text())
  return context.json(Array.isArray(body) ? body.map(() => randomUUID()) : [randomUUID()])
})
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) => {
  process.send?.({ url: `http://127.0.0.1:${info.port}` })
})
process.on('disconnect', () => {
  server.close()
  process.exit(0)
})
