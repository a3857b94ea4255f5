// Keys for the clients under test, made the way Watershed's customers make them: through its Credentials API.

import type { StartedProgram } from '../support/program.ts'

export interface Key {
  readonly id: number
  readonly key: string
  readonly secret: string
}

export interface KeyMaker {
  create(lrsAccess: 'isolated' | 'global' | 'globalReadOnly' | 'writeOnly'): Promise<Key>
  edit(id: number, change: Record<string, unknown>): Promise<void>
  /** A short-lived key under another, all of its rights unless a scope says less. */
  createSession(under: Key, scope?: string): Promise<Key>
  endSession(under: Key, session: Key): Promise<void>
}

export function keyMaker(program: Pick<StartedProgram, 'url' | 'key' | 'secret'>): KeyMaker {
  const base = `${program.url}/api/organizations/1/activity-providers`
  const authorization = `Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const send = async (method: string, url: string, body?: unknown): Promise<Response> => {
    const response = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
    return response
  }
  return {
    create: async (lrsAccess) => (await send('POST', base, { name: `Client test, ${lrsAccess}`, lrsAccess })).json(),
    edit: async (id, change) => {
      await send('PUT', `${base}/${id}`, change)
    },
    createSession: async ({ id }, scope) =>
      (await send('POST', `${base}/${id}/sessions`, { ...(scope !== undefined && { scope }) })).json(),
    endSession: async ({ id }, session) => {
      await send('DELETE', `${base}/${id}/sessions/${session.id}`)
    },
  } as KeyMaker
}
