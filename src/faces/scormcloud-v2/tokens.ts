// Both ways to a token. What it may do is in it, and nothing stores it: it falls with the secret key it was made with.

import { z } from 'zod'
import { longestTokenMs } from '../../core/token.ts'
import { mediaTypeOf, readText } from '../http.ts'
import { bodyOf } from './auth.ts'
import type { Call } from './auth.ts'
import { rightsOf, scopes } from './scopes.ts'
import type { Scope } from './scopes.ts'
import { notThis, readBody, readTime, refuse, text, writeTime } from './wire.ts'

const formLimitBytes = 16 * 1024
const defaultSeconds = 300
const mostScopes = 100

const tokenRequest = z.object({
  permissions: z.object(
    {
      scopes: z.array(text(), 'must be a list of scopes').min(1, 'must name at least one scope').max(mostScopes),
      applicationName: text().optional(),
    },
    'must be an object with the list scopes',
  ),
  expiry: text(),
})

export async function createToken(call: Call): Promise<Response> {
  const { permissions, expiry } = readBody(tokenRequest, await bodyOf(call))
  const asked = readScopes(permissions.scopes, '/permissions/scopes')
  const expiresAt = readTime(expiry)
  if (expiresAt === undefined) {
    throw refuse('/expiry', `must be an ISO 8601 time such as 2024-01-02T03:04:05Z${notThis(expiry)}`)
  }
  if (permissions.applicationName !== undefined) await refuseOther(call, permissions.applicationName)
  const { token } = await issue(call, asked, { expiresAt, pointer: '/expiry' })
  return call.c.json({ result: token })
}

export async function getAppToken(call: Call): Promise<Response> {
  const form = await readForm(call)
  const written = form.get('scope') ?? ''
  const asked = readScopes(written.split(/\s+/).filter(Boolean), 'scope')
  const expiration = form.get('expiration') || String(defaultSeconds)
  if (!/^\d{1,9}$/.test(expiration) || Number(expiration) === 0) {
    throw refuse('expiration', `must be a whole number of seconds, at least 1${notThis(expiration)}`)
  }
  const seconds = Number(expiration)
  // Of whole seconds, so that what the answer says is what the token lasts.
  const expiresAt = Math.floor(call.core.clock.now() / 1000) * 1000 + seconds * 1000
  const { token } = await issue(call, asked, { expiresAt, pointer: 'expiration' })
  return call.c.json({ access_token: token, expires_in: seconds, token_type: 'bearer' })
}

function issue({ core, principal }: Call, asked: readonly Scope[], end: { expiresAt: number; pointer: string }) {
  refuseBeyond(principal.kind, asked)
  const now = core.clock.now()
  if (end.expiresAt <= now) throw refuse(end.pointer, `must lie in the future; it is ${writeTime(now)} now`)
  if (end.expiresAt > now + longestTokenMs) {
    throw refuse(end.pointer, `must lie before ${writeTime(now + longestTokenMs)}`)
  }
  const { expiresAt } = end
  return core.tokens.issue(principal, { rights: rightsOf(principal.rights, asked), scopes: asked, expiresAt })
}

function readScopes(written: readonly string[], pointer: string): readonly Scope[] {
  if (written.length === 0) throw refuse(pointer, 'must name at least one scope')
  const unknown = written.find((word) => !scopes.some((scope) => scope === word))
  if (unknown !== undefined) throw refuse(pointer, `must be of ${scopes.join(', ')}${notThis(unknown)}`)
  return scopes.filter((scope) => written.includes(scope))
}

/** "If the credentials used to request the token have the permissions being requested" (S4.6). */
function refuseBeyond(kind: string, asked: readonly Scope[]): void {
  if (kind !== 'management') return
  const beyond = asked.find((scope) => scope !== 'admin' && !scope.endsWith(':appmgmt'))
  if (beyond === undefined) return
  throw refuse('scope', `${beyond} is more than the key of application management may do itself`)
}

/** Only ever the application that asks; by its id or its name. */
async function refuseOther({ core, principal }: Call, named: string): Promise<void> {
  const own = await core.applications.find(principal.key)
  if (named === principal.key || named === (own?.name ?? principal.name)) return
  throw refuse('/permissions/applicationName', 'must be the application whose key asks')
}

async function readForm({ c }: Call): Promise<URLSearchParams> {
  if (mediaTypeOf(c).type !== 'application/x-www-form-urlencoded') {
    throw refuse('Content-Type:', 'must be application/x-www-form-urlencoded')
  }
  const form = new URLSearchParams(await readText(c, formLimitBytes))
  const twice = ['scope', 'expiration'].find((name) => form.getAll(name).length > 1)
  if (twice !== undefined) throw refuse(twice, 'must be given once')
  return form
}
