import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { chainHash, firstPreviousHash } from './audit.ts'
import type { NewAuditEvent } from './audit.ts'
import type { OrganisationId } from './ids.ts'
import type { Json } from './storage.ts'

const event: NewAuditEvent & { organisationId: OrganisationId } = {
  organisationId: 1 as OrganisationId,
  at: 1_767_323_045_000,
  actor: { kind: 'operator', name: 'command line' },
  action: 'credential.create',
  target: { noun: 'credential', id: 7 },
  detail: { name: 'Course', rights: { b: 1, a: [null, true] } },
}

describe('the hash of a link', () => {
  it('is this, for all time: databases written before must verify', () => {
    expect(chainHash(firstPreviousHash, event, 1)).toBe(
      '949e492feb4f815612fc3d03c3afafbd210939611eb8adfaf0a8ca3488a478b9',
    )
  })

  it('changes with anything in the event, its number and the hash before', () => {
    const hash = chainHash(firstPreviousHash, event, 1)
    const others = [
      chainHash('1'.repeat(64), event, 1),
      chainHash(firstPreviousHash, event, 2),
      chainHash(firstPreviousHash, { ...event, organisationId: 2 as OrganisationId }, 1),
      chainHash(firstPreviousHash, { ...event, at: event.at + 1 }, 1),
      chainHash(firstPreviousHash, { ...event, actor: { ...event.actor, address: '192.0.2.1' } }, 1),
      chainHash(firstPreviousHash, { ...event, action: 'credential.delete' }, 1),
      chainHash(firstPreviousHash, { ...event, target: { noun: 'credential', id: '7' } }, 1),
      chainHash(firstPreviousHash, { ...event, detail: {} }, 1),
    ]
    expect(new Set([hash, ...others]).size).toBe(others.length + 1)
  })

  it('is the same after any detail went through JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (detail) => {
        const first = chainHash(firstPreviousHash, { ...event, detail: detail as Json }, 1)
        const back = JSON.parse(JSON.stringify({ ...event, detail })) as typeof event
        expect(chainHash(firstPreviousHash, back, 1)).toBe(first)
      }),
    )
  })
})

describe('the chain', () => {
  let world: OpenCore
  beforeAll(async () => {
    world = await openCore()
    for (let n = 0; n < 5; n += 1) await world.issue('isolated')
  })
  afterAll(() => world.close())

  it('begins with the organisation, and each event follows from the one before', async () => {
    const events = await world.events()
    expect(events[0]).toMatchObject({ number: 1, action: 'organisation.create', previousHash: firstPreviousHash })
    for (const [at, link] of events.slice(1).entries()) expect(link.previousHash).toBe(events[at]?.hash)
  })

  it('verifies, and says so in the log', async () => {
    const before = await world.events()
    const verdict = await world.core.audit.verify(world.operator)
    expect(verdict).toEqual({ events: before.length, head: before.at(-1)?.hash })
    expect((await world.events()).at(-1)).toMatchObject({ action: 'audit.verify', number: before.length + 1 })
  })

  it('verifies without a trace where that is only part of looking around', async () => {
    const before = await world.events()
    const verdict = await world.core.audit.verify(world.operator, { isRecorded: false })
    expect(verdict).toEqual({ events: before.length, head: before.at(-1)?.hash })
    expect(await world.events()).toEqual(before)
  })

  it('is listed in pages', async () => {
    const first = await world.core.audit.list(world.operator, { limit: 2 })
    expect(first.events.map(({ number }) => number)).toEqual([1, 2])
    const second = await world.core.audit.list(world.operator, { limit: 2, ...(first.next && { after: first.next }) })
    expect(second.events.map(({ number }) => number)).toEqual([3, 4])
  })

  it('is read by managers of the whole organisation only', async () => {
    const caller = await world.signIn(await world.issue('global'))
    await expect(world.core.audit.list(caller)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(world.core.audit.verify(caller)).rejects.toMatchObject({ code: 'forbidden' })
    await world.core.audit.list(await world.signIn(await world.issue('management')))
  })

  it('shows where somebody changed it behind our back', async () => {
    expect(await world.place.tamper(tamper)).toBe(1)
    expect(await world.core.audit.verify(world.operator)).toMatchObject({ events: 2, brokenAt: 3 })
  })
})

const tamper = `UPDATE audit SET detail = '{"name":"nothing to see here"}' WHERE number = 3 AND organisation_id = 1`
