// Signing in by a signature. What a signature is belongs to the protocols: here it is made of the secret and a text.

import { setTimeout as sleep } from 'node:timers/promises'
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeApplication } from '../../test/support/application.ts'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { NewCredentialInput } from './credential.ts'
import type { OrganisationId } from './ids.ts'
import type { CredentialRecord, Storage } from './storage.ts'

let world: OpenCore
let lookUps = 0
let isInTouch: boolean | undefined

function watched(storage: Storage): Storage {
  const platform = new Proxy(storage.platform, {
    get(target, name) {
      if (name !== 'findSignInCandidates') return Reflect.get(target, name) as unknown
      return (...args: Parameters<typeof target.findSignInCandidates>) => {
        lookUps += 1
        return target.findSignInCandidates(...args)
      }
    },
  })
  const nodes = new Proxy(storage.nodes, {
    get(target, name) {
      if (name === 'isInTouch') return () => isInTouch ?? target.isInTouch()
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  return {
    ...{ ...storage, platform, nodes },
    onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
    load: () => storage.load(),
    close: () => storage.close(),
  }
}

beforeAll(async () => void (world = await openCore({ wrap: watched })))
afterAll(() => world.close())

const sign = (secret: string): string => createHmac('sha256', secret).update('the request').digest('hex')
const acceptsOauth = ({ oauth }: CredentialRecord): boolean => oauth !== null

interface Attempt {
  readonly key: string
  readonly secret: string
  readonly within?: OrganisationId
  readonly address?: string
  readonly accepts?: (credential: CredentialRecord) => boolean
}
const signed = ({ secret, accepts = acceptsOauth, ...attempt }: Attempt) => {
  const signature = sign(secret)
  return world.core.signIn.signed({ ...attempt, accepts, fits: (clear) => sign(clear) === signature })
}
const refused = (attempt: Attempt, decidedBy: string, code = 'unauthenticated') =>
  expect(signed(attempt)).rejects.toMatchObject({ code, ...(code === 'unauthenticated' && { detail: { decidedBy } }) })
const issue = (part: Partial<NewCredentialInput> = {}) => world.issue('isolated', { oauth: {}, ...part })

describe('a signed request', () => {
  it('signs in whose secret made it', async () => {
    const issued = await issue()
    expect(await signed({ ...issued, address: '192.0.2.7' })).toMatchObject({
      ...{ credentialId: issued.credential.id, key: issued.key, signedInBy: 'signed', address: '192.0.2.7' },
      ...{ secretId: issued.credential.secrets[0]!.id, rights: presetRights('isolated') },
    })
  })

  it('is told by key, by signature, by what has ended', async () => {
    const issued = await issue()
    const { id } = issued.credential
    await refused({ key: 'nobody', secret: 'x' }, 'key')
    await refused({ key: '', secret: 'x' }, 'key')
    await refused({ key: 'x'.repeat(300), secret: 'x' }, 'key')
    await refused({ ...issued, secret: 'wrong' }, 'signature')
    await refused({ ...issued, accepts: () => false }, 'key')
    await world.core.credentials.disable(world.operator, id)
    await refused(issued, 'disabled')
    await refused({ ...issued, secret: 'wrong' }, 'signature')
    await world.core.credentials.enable(world.operator, id)
    await world.core.credentials.update(world.operator, id, { expiresAt: world.clock.now() + 1000 })
    expect((await signed(issued)).notAfter).toBe(world.clock.now() + 1000)
    world.clock.pass(1000)
    await refused(issued, 'expired')
  })

  it('is made with any secret that is live', async () => {
    const { id, secret, secretId } = await makeApplication(world.core, world.operator)
    const { applications } = world.core
    const more = await applications.addSecret(world.operator, id, { expiresAt: world.clock.now() + 1000 })
    const attempt = { key: id, accepts: ({ kind }: CredentialRecord) => kind === 'application' }
    expect((await signed({ ...attempt, secret })).secretId).toBe(secretId)
    expect(await signed({ ...attempt, secret: more.secret })).toMatchObject({
      ...{ secretId: more.secretId, kind: 'application', notAfter: world.clock.now() + 1000 },
    })
    await applications.updateSecret(world.operator, id, secretId, { isEnabled: false })
    await refused({ ...attempt, secret }, 'secret_disabled')
    await signed({ ...attempt, secret: more.secret })
    world.clock.pass(1000)
    await refused({ ...attempt, secret: more.secret }, 'secret_expired')
    await applications.dropSecret(world.operator, id, secretId)
    await refused({ ...attempt, secret }, 'signature')
  })

  it('tells organisations with the same key apart by the signature, and by the path', async () => {
    const other = await world.addOrganisation()
    const one = await issue({ key: 'shared' })
    const rights = presetRights('isolated')
    const two = await world.core.credentials.create(other.operator, { name: 'x', rights, key: 'shared', oauth: {} })
    expect((await signed(one)).organisationId).toBe(world.organisationId)
    expect((await signed(two)).organisationId).toBe(other.organisationId)
    expect((await signed({ ...two, within: other.organisationId })).credentialId).toBe(two.credential.id)
    await refused({ ...two, within: world.organisationId }, 'signature')
    await refused({ ...one, within: other.organisationId }, 'signature')
  })

  it('of a session’s key is nobody’s', async () => {
    const issued = await issue()
    const session = await world.core.sessions.create(world.operator, issued.credential.id)
    await refused({ ...session, accepts: () => true }, 'key')
  })
})

describe('keys whose requests are signed', () => {
  it('are looked up once, whatever is signed, and again after any change that may concern them', async () => {
    const issued = await issue()
    const other = await world.addOrganisation()
    const within = world.organisationId
    const counting = async (attempt: Attempt): Promise<number> => {
      lookUps = 0
      await signed(attempt)
      await refused({ ...attempt, secret: 'wrong' }, 'signature')
      return lookUps
    }
    await quiet()
    expect(await counting({ ...issued, within })).toBe(1)
    expect(await counting({ ...issued, within })).toBe(0)
    expect(await counting(issued)).toBe(1)
    await world.core.credentials.create(other.operator, { name: 'x', rights: presetRights('none') })
    await quiet()
    expect(await counting({ ...issued, within })).toBe(0)
    // Anybody may have made the same key.
    expect(await counting(issued)).toBe(1)
    const { secret } = await world.core.credentials.rotate(world.operator, issued.credential.id, { overlapSeconds: 0 })
    await quiet()
    await refused({ ...issued, within }, 'secret_expired')
    expect(await counting({ ...issued, secret, within })).toBe(0)
  })

  /** A database with several nodes tells this one of its own changes as well, a little later. */
  async function quiet(): Promise<void> {
    if (!world.storage.nodes.isShared) return
    for (let before = -1; before !== world.core.signIn.changes; await sleep(400)) before = world.core.signIn.changes
  }

  it('are asked about anew while other nodes are out of touch', async () => {
    const issued = await issue()
    await signed(issued)
    isInTouch = false
    lookUps = 0
    await signed(issued)
    await signed(issued)
    isInTouch = undefined
    expect(lookUps).toBe(2)
  })

  it('that nobody has are remembered, too, until somebody has', async () => {
    lookUps = 0
    await refused({ key: 'later', secret: 'x' }, 'key')
    await refused({ key: 'later', secret: 'x' }, 'key')
    expect(lookUps).toBe(1)
    const issued = await issue({ key: 'later' })
    await signed(issued)
  })
})

describe('guessing signatures', () => {
  it('is limited by key and address, as guessing secrets is', async () => {
    const issued = await issue()
    const address = '192.0.2.77'
    for (let times = 0; times < 10; times++) await refused({ ...issued, secret: 'wrong', address }, 'signature')
    await refused({ ...issued, secret: 'wrong', address }, '', 'rate_limited')
    await refused({ ...issued, address }, '', 'rate_limited')
    await refused({ ...issued, secret: 'wrong', address: '192.0.2.78' }, 'signature')
    await signed({ ...issued, address: '192.0.2.78' })
    world.clock.pass(60_000)
  })

  it('is not what a key does that is switched off', async () => {
    const issued = await issue({ isEnabled: false })
    for (let times = 0; times < 20; times++) await refused({ ...issued, address: '192.0.2.79' }, 'disabled')
  })

  it('is counted with the key, by its reason', async () => {
    const issued = await issue()
    const { id, secrets } = issued.credential
    await refused({ ...issued, secret: 'wrong' }, 'signature')
    await world.core.credentials.disable(world.operator, id)
    await refused(issued, 'disabled')
    const usage = await world.core.usage.list(world.operator, id)
    const counted = usage.map(({ secretId, refusals }) => [secretId, refusals])
    expect(counted).toHaveLength(2)
    expect(counted).toContainEqual([null, { wrong_signature: 1 }])
    expect(counted).toContainEqual([secrets[0]!.id, { disabled: 1 }])
  })
})

describe('a key that signs', () => {
  it('is refused when it presents its secret, and its secret is not taken for a guess', async () => {
    const issued = await issue()
    const basic = () => world.core.signIn.basic({ ...issued, address: '192.0.2.80' })
    for (let times = 0; times < 20; times++) await expect(basic()).rejects.toMatchObject({ code: 'unauthenticated' })
    const usage = await world.core.usage.list(world.operator, issued.credential.id)
    expect(usage.map(({ refusals }) => refusals)).toEqual([{ signs_requests: 20 }])
    await world.core.credentials.update(world.operator, issued.credential.id, { oauth: null })
    expect((await basic()).signedInBy).toBe('basic')
    await refused(issued, 'key')
  })

  it('may have sessions, which do not sign', async () => {
    const issued = await issue()
    const session = await world.core.sessions.create(world.operator, issued.credential.id)
    expect((await world.signIn(session)).sessionId).toBe(session.session.id)
    await refused(session, 'key')
  })

  it('gets no token by a signature', async () => {
    const principal = await signed(await issue())
    await expect(world.core.tokens.issue(principal)).rejects.toMatchObject({ code: 'forbidden' })
  })
})
