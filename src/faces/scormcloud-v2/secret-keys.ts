// The operations on an application's secret keys, which this API calls its credentials.

import { z } from 'zod'
import { checkName } from '../../core/check.ts'
import { DomainError } from '../../core/errors.ts'
import type { SecretId } from '../../core/ids.ts'
import { hasExpired, isLive } from '../../core/secret.ts'
import type { Json, SecretRecord } from '../../core/storage.ts'
import { childOf } from './applications.ts'
import { bodyOf } from './auth.ts'
import type { Call } from './auth.ts'
import { flag, readBody, text, writeTime } from './wire.ts'

const request = z.object({ name: text(checkName), active: flag }).partial()

export async function getCredentials(call: Call): Promise<Response> {
  const { credential, secrets } = await call.core.applications.reveal(call.principal, childOf(call))
  const clear = new Map(secrets.map(({ id, value }) => [id, value]))
  const now = call.core.clock.now()
  return call.c.json({
    credentials: credential.secrets.map((secret) => presentSecret(secret, clear.get(secret.id), now)),
  })
}

export async function createCredential(call: Call): Promise<Response> {
  const { name = '', active = true } = readBody(request, await bodyOf(call))
  const input = { name, isEnabled: active }
  const made = await call.core.applications.addSecret(call.principal, childOf(call), input)
  const record = made.credential.secrets.find(({ id }) => id === made.secretId)
  if (record === undefined) throw new DomainError('conflict', 'The secret key was removed meanwhile')
  return call.c.json(presentSecret(record, made.secret, call.core.clock.now()))
}

export async function updateCredential(call: Call): Promise<Response> {
  const { name, active } = readBody(request, await bodyOf(call))
  await call.core.applications.updateSecret(call.principal, childOf(call), secretOf(call), (before) => {
    if (active === true) refuseExpired(before, call.core.clock.now())
    return { ...(name !== undefined && { name }), ...(active !== undefined && { isEnabled: active }) }
  })
  return call.c.body(null, 204)
}

export async function deleteCredential(call: Call): Promise<Response> {
  await call.core.applications.dropSecret(call.principal, childOf(call), secretOf(call))
  return call.c.body(null, 204)
}

function secretOf({ c }: Call): SecretId {
  return (c.req.param('credentialId') ?? '').toLowerCase() as SecretId
}

/** It would be stored, and not do what it says. */
function refuseExpired(secret: SecretRecord, now: number): void {
  if (!hasExpired(secret, now)) return
  throw new DomainError('conflict', 'active: the secret key has expired; make another one')
}

/** `clear` where whoever asks may learn it. PENS is not offered, so there is never a key for it. */
export function presentSecret(record: SecretRecord, clear: string | undefined, now: number): Json {
  return {
    ...{ id: record.id, name: record.name },
    ...(clear !== undefined && { credential: clear }),
    pensCredential: '',
    status: isLive(record, now) ? 'enabled' : 'disabled',
    created: writeTime(record.createdAt),
  }
}
