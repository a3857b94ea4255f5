import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { canonicalJson } from './audit.ts'
import { createCore } from './core.ts'
import type { Core } from './core.ts'
import type { LrsId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'
import type { ErasureStore, Storage } from './storage.ts'

const ann = { mbox: 'mailto:ann.unmistakable@Example.org' }
const bob = { mbox: 'mailto:bob@example.org' }

let world: OpenCore
let principal: Principal
let lrsId: LrsId
/** How many steps go well before the store is out of reach. */
let stepsLeft = Infinity

const failing = (storage: Storage): Storage => {
  const erasures = new Proxy(storage.erasures, {
    get(target: ErasureStore, name) {
      const member = Reflect.get(target, name) as (...args: unknown[]) => unknown
      if (name !== 'step') return member.bind(target)
      return (...args: unknown[]) => {
        if (stepsLeft-- <= 0) throw new Error('unplugged')
        return member.apply(target, args)
      }
    },
  })
  return new Proxy(storage, {
    get: (target, name) => {
      if (name === 'erasures') return erasures
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

beforeAll(async () => void (world = await openCore({ wrap: failing })))
afterAll(() => world.close())
beforeEach(async () => {
  stepsLeft = Infinity
  const made = await world.core.lrs.create(world.operator, { name: 'Fresh' })
  lrsId = made.id
  principal = await world.signIn(await world.issue('xapi', { lrsIds: [lrsId] }))
})

async function tell(...actors: readonly object[]): Promise<readonly string[]> {
  const text = JSON.stringify(actors.map((actor) => ({ actor, verb: { id: 'urn:v' }, object: { id: 'urn:a' } })))
  return (await world.core.statements.store(principal, lrsId, { text, version: '1.0' })).ids
}
const listed = async () =>
  (await world.core.statements.list(principal, lrsId, { filters: [], isAscending: false, limit: 100 })).statements
const erase = (input: object = {}) =>
  world.core.erasures.erasePerson(world.operator, { agents: [ann], lrsId, ...input })
const newEvents = async (act: () => Promise<unknown>) => {
  const before = (await world.events()).length
  await act()
  return (await world.events()).slice(before)
}
const managing = (...management: Caller['rights']['management']): Caller => ({
  ...world.operator,
  rights: { xapi: {}, management },
})

describe('a person', () => {
  it('is only counted at first; nothing is written', async () => {
    await tell(ann, ann, bob)
    const events = await newEvents(async () => {
      const preview = await world.core.erasures.previewPerson(world.operator, { agents: [ann], lrsId })
      expect(preview).toMatchObject({ lrs: [{ lrsId, counts: { statements: 2, elsewhere: 0 } }], namedBy: [] })
    })
    expect(events).toEqual([])
    expect(await listed()).toHaveLength(3)
    expect((await world.core.erasures.list(world.operator)).items).toEqual([])
  })

  it('is gone, with a receipt that the audit log vouches for and that names nobody', async () => {
    await tell(ann, bob)
    let receipt: Awaited<ReturnType<typeof erase>> | undefined
    const events = await newEvents(async () => void (receipt = await erase()))
    const { sha256, ...content } = receipt!
    expect(content).toMatchObject({
      kind: 'person',
      // docs/decisions/0020
      unusedSpace: inject('engine') === 'sqlite' ? 'overwritten' : 'left',
      lrsIds: [lrsId],
      counts: { statements: 1 },
    })
    expect(sha256).toBe(createHash('sha256').update(canonicalJson(content)).digest('hex'))
    expect(events.map(({ action, target, actor }) => [action, target.id, actor.kind])).toEqual([
      ['erasure.start', receipt!.id, 'operator'],
      ['erasure.finish', receipt!.id, 'operator'],
    ])
    expect(events[1]?.detail).toMatchObject({ receipt: sha256, counts: { statements: 1 } })
    const said = JSON.stringify([events, receipt]).toLowerCase()
    for (const name of [ann.mbox, 'unmistakable']) expect(said).not.toContain(name.toLowerCase())
    const state = await world.core.erasures.get(world.operator, receipt!.id)
    expect(state).toMatchObject({ receipt, record: { sealed: null } })
    expect((await listed()).map(({ body }) => body).join()).not.toContain('unmistakable')
    expect(await world.core.audit.verify(world.operator)).not.toHaveProperty('brokenAt')
  })

  it('has the same trace again only under the same identifier of the same organisation', async () => {
    const [one, two, other] = [await erase(), await erase(), await erase({ agents: [bob] })]
    expect(one.traces).toEqual(two.traces)
    expect(one.traces).not.toEqual(other.traces)
    const elsewhere = await world.addOrganisation()
    const theirs = await world.core.erasures.erasePerson(elsewhere.operator, { agents: [ann] })
    expect(theirs.traces).not.toEqual(one.traces)
  })

  it('is meant by an address, by the hash of it, and by every identifier given', async () => {
    const sha1 = createHash('sha1').update(ann.mbox).digest('hex')
    const account = { account: { homePage: 'https://lms.example.org', name: '4711' } }
    await tell({ mbox: 'mailto:ann.unmistakable@example.ORG' }, { mbox_sha1sum: sha1 }, account, bob)
    expect((await erase({ agents: [ann, account] })).counts.statements).toBe(3)
    expect(await listed()).toHaveLength(1)
  })

  it('goes from all Lrs of the organisation, unless one is named, and from no other organisation', async () => {
    const elsewhere = await world.addOrganisation('Elsewhere')
    await tell(ann)
    expect((await world.core.erasures.erasePerson(elsewhere.operator, { agents: [ann] })).counts.statements).toBe(0)
    expect((await erase({ lrsId: world.lrsId })).counts.statements).toBe(0)
    const preview = await world.core.erasures.previewPerson(world.operator, { agents: [ann] })
    expect(preview.lrs.find((one) => one.lrsId === lrsId)?.counts.statements).toBe(1)
    expect(preview.lrs.some((one) => one.lrsId === elsewhere.lrsId)).toBe(false)
    await world.core.erasures.erasePerson(world.operator, { agents: [ann] })
    expect(await listed()).toEqual([])
  })

  it.each<[string, readonly unknown[], string]>([
    ['nobody', [], ''],
    ['two identifiers in one', [{ mbox: ann.mbox, openid: 'https://a.example.org' }], '/0'],
    ['no address', [ann, { mbox: 'ann' }], '/1/mbox'],
    ['an anonymous Group', [{ objectType: 'Group', member: [ann] }], '/0'],
    ['text', ['ann'], '/0'],
  ])('is not %s', async (_, agents, pointer) => {
    const events = await newEvents(async () => {
      const attempt = erase({ agents })
      await expect(attempt).rejects.toMatchObject({ code: 'invalid', detail: { failures: [{ pointer }] } })
    })
    expect(events).toEqual([])
  })

  it('goes on being named by keys that were given their name, which is told', async () => {
    const pinned = await world.issue('isolated', { pins: { actor: [{ mbox: ann.mbox }] } })
    const stamped = await world.issue('isolated', { authority: { mbox: 'mailto:ann.unmistakable@example.org' } })
    const { namedBy } = await world.core.erasures.previewPerson(world.operator, { agents: [ann], lrsId })
    expect(namedBy.map(({ id }) => id)).toEqual([pinned.credential.id, stamped.credential.id])
  })

  it('is not told from who is like them, who are named in the count and stay', async () => {
    const cyd = { mbox: 'mailto:cyd@example.org' }
    const hash = createHash('sha1').update(cyd.mbox).digest('hex').toUpperCase()
    await tell(ann, cyd, bob)
    const input = { agents: [{ mbox: 'mailto:Ann.Unmistakable@example.org' }, { mbox_sha1sum: hash }], lrsId }
    const { lrs, alike } = await world.core.erasures.previewPerson(world.operator, input)
    expect(lrs[0]?.counts.statements).toBe(0)
    expect(alike).toEqual([
      { lrsId, agent: 'mbox mailto:ann.unmistakable@example.org', likeness: 'other case' },
      { lrsId, agent: 'mbox mailto:cyd@example.org', likeness: 'address of the hash' },
    ])
    expect((await erase(input)).counts.statements).toBe(0)
    expect(await listed()).toHaveLength(3)
    const exact = await world.core.erasures.previewPerson(world.operator, { agents: [ann, bob, cyd], lrsId })
    expect(exact.alike).toEqual([])
  })

  it('is found again in the receipt by who has an identifier, and in nobody else’s', async () => {
    const hash = createHash('sha1').update(bob.mbox).digest('hex')
    const [one, two] = [await erase({ agents: [ann] }), await erase({ agents: [{ mbox_sha1sum: hash }] })]
    const trace = async (id: string, ...agents: readonly unknown[]) =>
      (await world.core.erasures.trace(world.operator, id, agents)).map(({ traced }) => traced)
    const other = { mbox: 'mailto:ann.unmistakable@EXAMPLE.org' }
    expect(await trace(one.id, ann, other, bob, { openid: 'https://a.example.org' })).toEqual([
      'itself',
      'itself',
      'no',
      'no',
    ])
    expect(await trace(two.id, ann, bob, { mbox_sha1sum: hash })).toEqual(['no', 'its hash', 'itself'])
    const whole = await world.core.erasures.empty(world.operator, lrsId)
    expect(await trace(whole.id, ann)).toEqual(['no'])
    await expect(trace(one.id)).rejects.toMatchObject({ code: 'invalid' })
    await expect(trace('f'.repeat(24), ann)).rejects.toMatchObject({ code: 'not_found' })
    const elsewhere = await world.addOrganisation()
    const theirs = world.core.erasures.trace(elsewhere.operator, one.id, [ann])
    await expect(theirs).rejects.toMatchObject({ code: 'not_found' })
    const nobody = world.core.erasures.trace(managing(), one.id, [ann])
    await expect(nobody).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('is told to have begun once it cannot be forgotten', async () => {
    await tell(ann)
    stepsLeft = 0
    const begun: string[] = []
    const onBegun = (id: string): void => void begun.push(id)
    await expect(world.core.erasures.erasePerson(world.operator, { agents: [ann], lrsId }, onBegun)).rejects.toThrow()
    stepsLeft = Infinity
    expect((await world.core.erasures.resume()).map(({ id }) => id)).toEqual(begun)
    const none = world.core.erasures.erasePerson(world.operator, { agents: ['ann'], lrsId }, onBegun)
    await expect(none).rejects.toMatchObject({ code: 'invalid' })
    expect(begun).toHaveLength(1)
  })

  it('sent again is acknowledged and stays away', async () => {
    const [id] = await tell(ann)
    await erase()
    const text = JSON.stringify({ id, actor: ann, verb: { id: 'urn:v' }, object: { id: 'urn:a' } })
    const again = await world.core.statements.store(principal, lrsId, { text, version: '1.0' })
    expect(again.ids).toEqual([id])
    expect(await listed()).toEqual([])
  })
})

describe('whoever may', () => {
  const data = (actions: readonly ('read' | 'write' | 'delete')[], bound: object) =>
    managing({ area: 'data', actions, bound: bound as { kind: 'organisation' } })

  it('delete data of the Lrs erases in it; nobody else does', async () => {
    await tell(ann)
    const refused = [
      data(['read', 'write'], { kind: 'organisation' }),
      data(['delete'], { kind: 'lrs', id: world.lrsId }),
      managing({ area: 'credentials', actions: ['delete'], bound: { kind: 'organisation' } }),
    ]
    const events = await newEvents(async () => {
      for (const caller of refused) {
        for (const attempt of [
          () => world.core.erasures.erasePerson(caller, { agents: [ann], lrsId }),
          () => world.core.erasures.empty(caller, lrsId),
          () => world.core.retention.set(caller, lrsId, 1),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' })
        }
      }
      const one = data(['delete'], { kind: 'lrs', id: lrsId })
      const all = world.core.erasures.erasePerson(one, { agents: [ann] })
      await expect(all).rejects.toMatchObject({ code: 'forbidden' })
    })
    expect(events).toEqual([])
    expect(await listed()).toHaveLength(1)
    const one = data(['delete'], { kind: 'lrs', id: lrsId })
    expect((await world.core.erasures.erasePerson(one, { agents: [ann], lrsId })).counts.statements).toBe(1)
  })

  it('finds another organisation’s Lrs and receipts as little as ones that are not there', async () => {
    const elsewhere = await world.addOrganisation()
    const { id } = await erase()
    const missing = { code: 'not_found' }
    const { erasures, retention } = world.core
    await expect(erasures.get(elsewhere.operator, id)).rejects.toMatchObject(missing)
    await expect(erasures.empty(elsewhere.operator, lrsId)).rejects.toMatchObject(missing)
    await expect(erasures.previewEmpty(elsewhere.operator, lrsId)).rejects.toMatchObject(missing)
    await expect(retention.set(elsewhere.operator, lrsId, 1)).rejects.toMatchObject(missing)
    await expect(retention.preview(elsewhere.operator, lrsId, 1)).rejects.toMatchObject(missing)
    expect((await erasures.list(elsewhere.operator)).items).toEqual([])
  })
})

describe('an erasure that broke off', () => {
  it('goes on when asked to, with one receipt for all of it', async () => {
    await tell(...Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? ann : bob)))
    stepsLeft = 2
    await expect(erase()).rejects.toThrow('unplugged')
    const open = (await world.core.erasures.list(world.operator)).items.find((one) => one.receipt === undefined)!
    expect(open.record.sealed).not.toContain('unmistakable')
    stepsLeft = 3
    await world.core.erasures.resume()
    stepsLeft = Infinity
    const [receipt] = await world.core.erasures.resume()
    expect(receipt).toMatchObject({ id: open.record.id, counts: { statements: 25 } })
    expect(await listed()).toHaveLength(25)
    expect(await world.core.erasures.resume()).toEqual([])
  })

  it('goes on at the next start', async () => {
    const first = await openCore({ wrap: failing })
    const issued = await first.issue('xapi')
    const signedIn = await first.signIn(issued)
    const text = JSON.stringify({ actor: ann, verb: { id: 'urn:v' }, object: { id: 'urn:a' } })
    await first.core.statements.store(signedIn, first.lrsId, { text, version: '1.0' })
    stepsLeft = 1
    await expect(first.core.erasures.erasePerson(first.operator, { agents: [ann] })).rejects.toThrow('unplugged')
    await first.core.close()
    const storage = await first.place.open()
    const limits = { batch: 100, bodyBytes: 1_000_000, documentBytes: 1_000_000, xapiRatePerMinute: undefined }
    const core: Core = await createCore({ storage, masterKey: first.masterKey, baseUrl: 'https://x.example', limits })
    await expect
      .poll(async () => (await core.erasures.list(first.operator)).items[0]?.receipt?.counts.statements, {
        timeout: 15_000,
      })
      .toBe(1)
    await core.close()
    await first.close()
  })
})

describe('a whole Lrs', () => {
  it('that has nothing is counted as such', async () => {
    const { lrs } = await world.core.erasures.previewEmpty(world.operator, lrsId)
    expect(lrs).toEqual([
      { lrsId, counts: { statements: 0, attachments: 0, documents: 0, launches: 0, descriptions: 0 } },
    ])
  })

  it('is emptied of what it had; what is sent again is stored', async () => {
    const [id] = await tell(ann, bob)
    const { lrs } = await world.core.erasures.previewEmpty(world.operator, lrsId)
    expect(lrs).toMatchObject([{ lrsId, counts: { statements: 2 } }])
    const events = await newEvents(() => world.core.erasures.empty(world.operator, lrsId))
    expect(events.map(({ action }) => action)).toEqual(['erasure.start', 'erasure.finish'])
    expect(await listed()).toEqual([])
    const text = JSON.stringify({ id, actor: ann, verb: { id: 'urn:v' }, object: { id: 'urn:a' } })
    await world.core.statements.store(principal, lrsId, { text, version: '1.0' })
    expect(await listed()).toHaveLength(1)
  })
})

describe('how long an Lrs keeps statements', () => {
  const day = 86_400_000

  it('is applied by days since they were stored, once a day, and recorded where something went', async () => {
    await tell(ann)
    world.clock.pass(day)
    await tell(bob)
    await world.core.retention.set(world.operator, lrsId, 2)
    world.clock.pass(day)
    expect(await world.core.retention.apply()).toBe(0)
    expect(await world.core.retention.preview(world.operator, lrsId, 1)).toMatchObject({ statements: 1 })
    world.clock.pass(day)
    expect(await world.core.retention.preview(world.operator, lrsId, 2)).toMatchObject({ statements: 1 })
    const events = await newEvents(async () => expect(await world.core.retention.apply()).toBe(1))
    expect(events.map(({ action, actor }) => [action, actor])).toEqual([
      ['erasure.start', { kind: 'system', name: 'retention' }],
      ['erasure.finish', { kind: 'system', name: 'retention' }],
    ])
    expect(await listed()).toHaveLength(1)
    expect(await newEvents(() => world.core.retention.apply())).toEqual([])
    world.clock.pass(day)
    await world.core.retention.apply()
    expect(await listed()).toEqual([])
  })

  it('is for ever where no rule was set, or it was taken back', async () => {
    await tell(ann)
    await world.core.retention.set(world.operator, lrsId, 1)
    expect((await world.core.lrs.get(world.operator, lrsId)).retentionDays).toBe(1)
    const events = await newEvents(() => world.core.retention.set(world.operator, lrsId, null))
    expect(events).toMatchObject([{ action: 'lrs.retention', detail: { days: null } }])
    world.clock.pass(400 * day)
    await world.core.retention.apply()
    expect(await listed()).toHaveLength(1)
  })

  it.each([0, -1, 1.5, 36_501, Number.NaN])('is not %s days', async (days) => {
    const events = await newEvents(async () => {
      await expect(world.core.retention.set(world.operator, lrsId, days)).rejects.toMatchObject({ code: 'invalid' })
      await expect(world.core.retention.preview(world.operator, lrsId, days)).rejects.toMatchObject({ code: 'invalid' })
    })
    expect(events).toEqual([])
  })
})

describe('one statement', () => {
  const deleting = async (more: object = {}, reach: 'any' | 'mine' = 'any') => {
    const rights = { xapi: { 'statements/delete': reach, 'statements/write': 'any' }, management: [] } as const
    return world.signIn(await world.issue('none', { rights, lrsIds: [lrsId], ...more }))
  }
  const eraseOne = (caller: Caller, id: string, from = lrsId) =>
    world.core.erasures.eraseStatement(caller, from, { id: id.toUpperCase() })

  it('goes by right, with a receipt that names nobody', async () => {
    const [gone = '', stays] = await tell(ann, bob)
    const caller = await deleting()
    const events = await newEvents(async () => {
      const receipt = await eraseOne(caller, gone)
      expect(receipt).toMatchObject({ kind: 'statement', lrsIds: [lrsId], counts: { statements: 1, attachments: 0 } })
      expect(receipt.unusedSpace).toBe('left')
      expect(JSON.stringify(receipt)).not.toContain('unmistakable')
    })
    expect(events.map(({ action, actor }) => [action, actor])).toEqual(
      ['erasure.start', 'erasure.finish'].map((action) => [
        action,
        expect.objectContaining({ id: caller.credentialId }),
      ]),
    )
    expect((await listed()).map(({ body }) => (JSON.parse(body) as { readonly id: string }).id)).toEqual([stays])
    await expect(eraseOne(caller, gone)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('goes also where it is voided', async () => {
    const [target = ''] = await tell(ann)
    const verb = { id: 'http://adlnet.gov/expapi/verbs/voided' }
    const text = JSON.stringify({ actor: bob, verb, object: { objectType: 'StatementRef', id: target } })
    await world.core.statements.store(principal, lrsId, { text, version: '1.0' })
    expect(await eraseOne(await deleting(), target)).toMatchObject({ counts: { statements: 1 } })
    const found = world.core.statements.get(principal, lrsId, target, { isVoided: true })
    await expect(found).rejects.toMatchObject({ code: 'not_found' })
  })

  it('stays for whoever has not the right, or not that far', async () => {
    const [id = ''] = await tell(ann)
    const other = await world.addOrganisation()
    const refusedAs = async (code: string, attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ code })
    const others = await deleting({ lrsIds: [(await world.core.lrs.create(world.operator, { name: 'Other' })).id] })
    const pinned = await deleting({ pins: { actor: [bob] } })
    const own = await deleting({}, 'mine')
    const events = await newEvents(async () => {
      await refusedAs('forbidden', eraseOne(principal, id))
      await refusedAs('forbidden', eraseOne(others, id))
      await refusedAs('not_found', eraseOne(pinned, id))
      await refusedAs('not_found', eraseOne(own, id))
      await refusedAs('not_found', eraseOne(other.operator, id))
      await refusedAs('not_found', eraseOne(world.operator, id, other.lrsId))
    })
    expect(events).toEqual([])
    expect(await listed()).toHaveLength(1)
  })

  it('waits for no other erasure', async () => {
    const [id = ''] = await tell(bob)
    await tell(...Array.from({ length: 5 }, () => ann))
    const order: string[] = []
    const large = erase().then(() => order.push('person'))
    await eraseOne(await deleting(), id)
    order.push('one')
    await large
    expect(await listed()).toEqual([])
    expect(order).toHaveLength(2)
  })
})
