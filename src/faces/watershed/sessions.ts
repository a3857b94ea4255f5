// The operations on sessions: short-lived keys under a credential, for content that runs in a browser.

import { DomainError, invalid } from '../../core/errors.ts'
import type { SessionId } from '../../core/ids.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { bodyOf, queryOf, targetOf } from './auth.ts'
import type { Call } from './auth.ts'
import { findClient } from './providers.ts'
import { presentSession, readId, readPage, readSession } from './wire.ts'
import { coversScope, scopedRights, scopesOf } from './words.ts'
import type { Scope } from './words.ts'

export async function listSessions(call: Call): Promise<Response> {
  const parent = await parentOf(call)
  const { limit, offset } = readPage(queryOf(call))
  const listed = await call.core.sessions.list(call.principal, parent.id, { limit, offset })
  return call.c.json({ count: listed.total, results: listed.items.map((session) => presentSession(session)) })
}

/** Answers 200: Moodle's plugin takes no other status for success. */
export async function createSession(call: Call): Promise<Response> {
  const parent = await parentOf(call)
  const { expireSeconds, scopes } = readSession(await bodyOf(call), queryOf(call))
  refuseBeyond(parent, scopes)
  const { session, secret } = await call.core.sessions.create(call.principal, parent.id, {
    expireSeconds,
    words: { watershed: (scopes.length > 0 ? scopes : scopesOf(parent.rights)).join(',') },
    ...(scopes.length > 0 && { rights: scopedRights(parent.rights, scopes) }),
  })
  return call.c.json(presentSession(session, secret))
}

export async function readOneSession(call: Call): Promise<Response> {
  const parent = await parentOf(call)
  return call.c.json(presentSession(await call.core.sessions.get(call.principal, parent.id, sessionIdOf(call))))
}

export async function deleteSession(call: Call): Promise<Response> {
  const parent = await parentOf(call)
  return call.c.json(presentSession(await call.core.sessions.remove(call.principal, parent.id, sessionIdOf(call))))
}

function parentOf(call: Call): Promise<CredentialRecord> {
  return findClient(call, targetOf(call, 'own'))
}

function sessionIdOf({ c }: Call): SessionId {
  return sessionIn(c.req.param('sessionId') ?? '')
}

export function sessionIn(segment: string): SessionId {
  const id = readId(segment)
  if (id === undefined) throw new DomainError('not_found', 'There is no session with this id')
  return id as SessionId
}

function refuseBeyond(parent: CredentialRecord, scopes: readonly Scope[]): void {
  const beyond = scopes.filter((scope) => !coversScope(parent.rights, scope))
  if (beyond.length === 0) return
  const message = `${beyond.join(', ')} is more than the key itself may do`
  throw invalid('The session was refused', [{ pointer: '/scope', rule: 'claviger/watershed', message }])
}
