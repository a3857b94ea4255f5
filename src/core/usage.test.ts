import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { Principal } from './principal.ts'
import { UsageMeter } from './usage.ts'
import { DomainError } from './errors.ts'

let world: OpenCore
let principal: Principal
beforeEach(async () => {
  world = await openCore()
  const { key, secret } = await world.issue('isolated')
  principal = await world.core.signIn.basic({ key, secret, address: '192.0.2.1' })
})
afterEach(() => world.close())

const totals = () => world.core.usage.list(world.operator, principal.credentialId)

describe('usage', () => {
  it('adds up requests, statements and refusals, first and last', async () => {
    const start = world.clock.now()
    world.core.usage.count(principal, { statements: 3, userAgent: 'one' })
    await world.core.usage.flush()
    world.clock.pass(1000)
    world.core.usage.count(principal, { refusal: 'forbidden', userAgent: 'two' })
    world.core.usage.count(principal)
    expect(await totals()).toEqual([
      {
        organisationId: world.organisationId,
        credentialId: principal.credentialId,
        secretId: principal.secretId,
        requests: 3,
        statements: 3,
        refusals: { forbidden: 1 },
        firstAt: start,
        lastAt: start + 1000,
        lastAddress: '192.0.2.1',
        lastUserAgent: 'two',
      },
    ])
  })

  it('tells secrets apart, and sessions from both', async () => {
    const session = await world.signIn(await world.core.sessions.create(world.operator, principal.credentialId))
    world.core.usage.count(principal)
    world.core.usage.count(session)
    world.core.usage.count(session)
    const bySecret = (await totals()).map(({ secretId, requests }) => [secretId, requests])
    expect(bySecret).toHaveLength(2)
    expect(bySecret).toContainEqual([principal.secretId, 1])
    expect(bySecret).toContainEqual([null, 2])
  })

  it('survives closing', async () => {
    const { place, masterKey } = world
    world.core.usage.count(principal, { statements: 1 })
    await world.core.close()
    const again = await openCore({ place, masterKey })
    const operator = again.core.signIn.operator(world.organisationId, 'test')
    expect(await again.core.usage.list(operator, principal.credentialId)).toMatchObject([
      { requests: 1, statements: 1 },
    ])
    await again.close()
  })

  it('keeps what could not be written for the next time', async () => {
    let isDown = true
    const platform = new Proxy(world.storage.platform, {
      get(target, name) {
        if (name === 'addUsage' && isDown) return () => Promise.reject(new DomainError('unavailable', 'down'))
        const member = Reflect.get(target, name) as unknown
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    const meter = new UsageMeter({ storage: { ...world.storage, platform }, clock: world.clock })
    meter.count(principal, { refusal: 'forbidden' })
    await expect(meter.flush()).rejects.toMatchObject({ code: 'unavailable' })
    meter.count(principal, { statements: 2 })
    isDown = false
    await meter.close()
    expect(await totals()).toMatchObject([{ requests: 2, statements: 2, refusals: { forbidden: 1 } }])
  })

  it('does not grow without end for strange reasons', async () => {
    for (let n = 0; n < 100; n += 1) world.core.usage.count(principal, { refusal: `reason ${n}` })
    const [{ refusals } = { refusals: {} }] = await totals()
    expect(Object.keys(refusals)).toHaveLength(21)
    expect(refusals).toMatchObject({ other: 80 })
  })

  it('is seen by its own key and by managers, not by other keys', async () => {
    await world.core.usage.list(principal, principal.credentialId)
    const stranger = await world.signIn(await world.issue('global'))
    await expect(world.core.usage.list(stranger, principal.credentialId)).rejects.toMatchObject({ code: 'forbidden' })
  })
})
