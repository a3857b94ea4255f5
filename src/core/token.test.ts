import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { IssuedCredential } from './credential.ts'
import type { Principal } from './principal.ts'
import { longestTokenMs } from './token.ts'

let world: OpenCore
let issued: IssuedCredential
let principal: Principal
let token: string

beforeAll(async () => {
  world = await openCore()
  issued = await world.issue('isolated')
  principal = await world.signIn(issued)
  token = (await world.core.tokens.issue(principal)).token
})
afterAll(() => world.close())

const bearer = (presented: string, within = world.organisationId) => {
  return world.core.signIn.bearer({ token: presented, within })
}
const refuses = (presented: string) => {
  return expect(bearer(presented)).rejects.toMatchObject({ code: 'unauthenticated' })
}

function forge(claims: object, key: Uint8Array, header: { alg?: string; kid?: string; typ?: string } = {}) {
  const genuine = decodeProtectedHeader(token)
  return new SignJWT({ ...decodeJwt(token), ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: String(genuine.kid), ...header })
    .sign(key)
}

async function keyOf(): Promise<Uint8Array> {
  const organisation = await world.core.organisations.get(world.operator)
  return world.core.vault.tokenKey(organisation, issued.credential.secrets[0]!)
}

describe('a token', () => {
  it('signs its credential in, as bearer, until it ends', async () => {
    expect(await bearer(token)).toMatchObject({
      credentialId: issued.credential.id,
      signedInBy: 'bearer',
      rights: presetRights('isolated'),
      notAfter: world.clock.now() + 3_600_000,
    })
  })

  it('may be narrowed, and stays narrow when the credential grows', async () => {
    const mask = presetRights('write-only')
    const grown = await world.issue('isolated')
    const narrow = await world.core.tokens.issue(await world.signIn(grown), { rights: mask })
    expect((await bearer(narrow.token)).rights).toEqual(mask)
    await world.core.credentials.update(world.operator, grown.credential.id, { rights: presetRights('xapi') })
    expect((await bearer(narrow.token)).rights).toEqual(mask)
  })

  it('is never wider than its key', async () => {
    const wider = world.core.tokens.issue(principal, { rights: presetRights('xapi') })
    await expect(wider).rejects.toMatchObject({ code: 'forbidden' })
    await expect(wider).rejects.toThrow('lacks statements/read any')
  })

  it.each([0, 86_401, 1.5, Number.NaN])('does not live %s seconds', async (expireSeconds) => {
    await expect(world.core.tokens.issue(principal, { expireSeconds })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('is not issued to a token or a session', async () => {
    await expect(world.core.tokens.issue(await bearer(token))).rejects.toMatchObject({ code: 'forbidden' })
    const session = await world.signIn(await world.core.sessions.create(world.operator, issued.credential.id))
    await expect(world.core.tokens.issue(session)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('ends by the clock, warm or not', async () => {
    const short = await world.core.tokens.issue(principal, { expireSeconds: 2 })
    const other = await world.core.tokens.issue(principal, { expireSeconds: 2 })
    await bearer(short.token)
    world.clock.pass(2000)
    await refuses(short.token)
    await refuses(other.token)
  })

  it('is refused on the path of another organisation', async () => {
    const other = await world.addOrganisation()
    await expect(bearer(token, other.organisationId)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})

describe('a token with an absolute end', () => {
  const issue = (expiresAt: number) => world.core.tokens.issue(principal, { expiresAt })

  it('ends with the second the end falls into', async () => {
    const now = world.clock.now()
    const end = now + 90_500
    const given = await issue(end)
    const ends = Math.ceil(end / 1000) * 1000
    expect(given).toMatchObject({ expiresAt: ends, expireSeconds: ends / 1000 - Math.floor(now / 1000) })
    expect((await bearer(given.token)).notAfter).toBe(ends)
    world.clock.pass(ends - now - 1)
    await bearer(given.token)
    world.clock.pass(1)
    await refuses(given.token)
  })

  it('may live ten years, far beyond a day', async () => {
    const end = world.clock.now() + longestTokenMs
    expect((await bearer((await issue(end)).token)).notAfter).toBeGreaterThanOrEqual(end)
  })

  it.each([
    ['now', 0],
    ['the past', -1000],
    ['more than ten years', longestTokenMs + 1],
    ['half a millisecond', 1000.5],
    ['no number', Number.NaN],
    ['no end', Infinity],
  ])('is not issued for %s', async (_, distance) => {
    await expect(issue(world.clock.now() + distance)).rejects.toMatchObject({
      code: 'invalid',
      detail: { failures: [{ pointer: '/expiresAt' }] },
    })
  })

  it('dies before it when its secret is changed', async () => {
    const other = await world.issue('isolated')
    const { token: long } = await world.core.tokens.issue(await world.signIn(other), {
      expiresAt: world.clock.now() + longestTokenMs,
    })
    await bearer(long)
    await world.core.credentials.update(world.operator, other.credential.id, { secret: 'another-secret-0123456789' })
    await refuses(long)
  })
})

describe('the scopes of a token', () => {
  it('come back verbatim, and widen nothing', async () => {
    const scopes = ['read:appmgmt', 'écrire', 'admin', '__proto__']
    const { token: scoped } = await world.core.tokens.issue(principal, { scopes, rights: presetRights('write-only') })
    expect(await bearer(scoped)).toMatchObject({ scopes, rights: presetRights('write-only'), kind: 'client' })
    expect((await bearer(token)).scopes).toBeUndefined()
    const { token: none } = await world.core.tokens.issue(principal, { scopes: [] })
    expect((await bearer(none)).scopes).toEqual([])
  })

  it('have a bound', async () => {
    const scopes = Array.from({ length: 500 }, () => 'read:appmgmt')
    await expect(world.core.tokens.issue(principal, { scopes })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('cannot be changed by their bearer', async () => {
    const { token: scoped } = await world.core.tokens.issue(principal, { scopes: ['read:ping'] })
    const [header, , signature] = scoped.split('.')
    const payload = Buffer.from(JSON.stringify({ ...decodeJwt(scoped), scopes: ['admin'] })).toString('base64url')
    await refuses(`${header}.${payload}.${signature}`)
    await refuses(await forge({ scopes: 'admin' }, await keyOf()))
  })
})

describe('a forged token', () => {
  it('is what the genuine one is, with the genuine key: the forgeries below fail for their own reason', async () => {
    await bearer(await forge({}, await keyOf()))
  })

  it("signed with the customer's own secret", async () => {
    await refuses(await forge({}, new TextEncoder().encode(issued.secret)))
    await refuses(await forge({}, new TextEncoder().encode(issued.secret.padEnd(64, '0'))))
  })

  it('with algorithm none', async () => {
    await refuses(new UnsecuredJWT(decodeJwt(token)).encode())
    const [, payload, signature] = token.split('.')
    const header = (alg: string) => Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
    await refuses(`${header('none')}.${payload}.`)
    await refuses(`${header('none')}.${payload}.${signature}`)
    await refuses(`${header('HS256')}.${payload}.`)
  })

  it('with another algorithm, kid, type or issuer under the right key', async () => {
    const key = await keyOf()
    await refuses(await forge({}, Buffer.concat([key, key]), { alg: 'HS512' }))
    await refuses(await forge({}, key, { kid: '00000000-0000-4000-8000-000000000000' }))
    await refuses(await forge({}, key, { typ: 'id+jwt' }))
    await refuses(await forge({ iss: 'somebody else' }, key))
  })

  it('that names another credential, secret or organisation under its own key', async () => {
    const key = await keyOf()
    const victim = await world.issue('everything')
    const other = await world.addOrganisation()
    const theirs = await world.core.credentials.create(other.operator, { name: 'T', rights: presetRights('xapi') })
    await refuses(await forge({ sub: String(victim.credential.id) }, key))
    await refuses(await forge({ sub: String(victim.credential.id), sid: victim.credential.secrets[0]!.id }, key))
    const foreign = {
      org: other.organisationId,
      sub: String(theirs.credential.id),
      sid: theirs.credential.secrets[0]!.id,
    }
    const forged = await forge(foreign, key)
    await expect(world.core.signIn.bearer({ token: forged })).rejects.toMatchObject({ code: 'unauthenticated' })
    await refuses(await forge({ org: other.organisationId }, key))
  })

  it('of another organisation with the same ids in it', async () => {
    const other = await openCore()
    const twin = await other.issue('isolated')
    expect(twin.credential.id).toBe(issued.credential.id)
    const { token: foreign } = await other.core.tokens.issue(await other.signIn(twin))
    await refuses(foreign)
    await other.close()
  })

  it('with wider rights, a later end, or without an end', async () => {
    const [header, , signature] = token.split('.')
    const changed = (claims: object) => {
      const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), ...claims })).toString('base64url')
      return `${header}.${payload}.${signature}`
    }
    await refuses(changed({ exp: 4e9 }))
    await refuses(changed({ rights: presetRights('everything') }))
    await refuses(await forge({ exp: undefined }, await keyOf()))
  })

  it('that widens its mask under the right key still gets no more than the credential has', async () => {
    const forged = await forge({ rights: presetRights('everything') }, await keyOf())
    expect((await bearer(forged)).rights).toEqual(presetRights('isolated'))
  })

  it.each(['', '.', '..', 'a.b.c', 'e30.e30.', `${'x'.repeat(20_000)}.e30.e30`])('%j', async (text) => {
    await refuses(text.slice(0, 20_010))
  })
})
