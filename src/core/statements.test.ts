import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { Pins } from './pins.ts'
import type { Principal } from './principal.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const ann = 'mailto:ann@example.org'
const bob = 'mailto:bob@example.org'
const voided = 'http://adlnet.gov/expapi/verbs/voided'

function statement(mbox: string, part: object = {}) {
  return { id: randomUUID(), actor: { mbox }, verb: { id: 'urn:verb' }, object: { id: 'urn:thing' }, ...part }
}

function voiding(mbox: string, id: string) {
  return statement(mbox, { verb: { id: voided }, object: { objectType: 'StatementRef', id } })
}

async function store(principal: Principal, ...statements: object[]) {
  const submission = { text: JSON.stringify(statements), version: '1.0' } as const
  return (await world.core.statements.store(principal, world.lrsId, submission)).ids
}

async function isVoided(principal: Principal, id: string): Promise<boolean> {
  const find = (is: boolean) => world.core.statements.get(principal, world.lrsId, id, { isVoided: is })
  return find(true).then(
    () => true,
    async () => (await find(false), false),
  )
}

async function parentAndPinned(pins: Pins, preset = 'isolated') {
  const issued = await world.issue(preset)
  const session = await world.core.sessions.create(world.operator, issued.credential.id, { pins })
  return { parent: await world.signIn(issued), pinned: await world.signIn(session) }
}

describe('voiding by a pinned principal', () => {
  it('takes effect inside the pin', async () => {
    const { parent, pinned } = await parentAndPinned({ actor: [{ mbox: ann }] })
    const target = statement(ann)
    await store(parent, target)
    await store(pinned, voiding(ann, target.id))
    expect(await isVoided(parent, target.id)).toBe(true)
  })

  it('takes effect on a target in the same request', async () => {
    const { parent, pinned } = await parentAndPinned({ actor: [{ mbox: ann }] })
    const target = statement(ann)
    await store(pinned, target, voiding(ann, target.id))
    expect(await isVoided(parent, target.id)).toBe(true)
  })

  it.each(['isolated', 'xapi'])('has none outside the pin, with the preset %s', async (preset) => {
    const { parent, pinned } = await parentAndPinned({ actor: [{ mbox: ann }] }, preset)
    const target = statement(bob)
    await store(parent, target)
    expect(await store(pinned, voiding(ann, target.id))).toHaveLength(1)
    expect(await isVoided(parent, target.id)).toBe(false)
  })

  it('has none on what comes later', async () => {
    const { parent, pinned } = await parentAndPinned({ actor: [{ mbox: ann }] })
    const target = statement(bob)
    await store(pinned, voiding(ann, target.id))
    await store(parent, target)
    expect(await isVoided(parent, target.id)).toBe(false)
  })
})

describe('a pinned list', () => {
  it('answers short pages of large statements and, over all of them, everything', async () => {
    const { parent, pinned } = await parentAndPinned({ actor: [{ mbox: ann }, { mbox: bob }] })
    const large = { result: { response: 'x'.repeat(900_000) } }
    const ids = await Promise.all(Array.from({ length: 24 }, () => store(parent, statement(ann, large))))
    const sizes: number[] = []
    const found: string[] = []
    const ask = { filters: [], isAscending: true, limit: 100 }
    let page = await world.core.statements.list(pinned, world.lrsId, ask)
    for (;;) {
      sizes.push(page.statements.reduce((sum, { body }) => sum + body.length, 0))
      found.push(...page.statements.map(({ body }) => (JSON.parse(body) as { id: string }).id))
      if (page.next === undefined) break
      page = await world.core.statements.list(pinned, world.lrsId, { ...ask, cursor: page.next })
    }
    expect(new Set(found)).toEqual(new Set(ids.flat()))
    expect(found).toHaveLength(24)
    expect(Math.max(...sizes)).toBeLessThan(20_000_000)
    expect(sizes.length).toBeGreaterThan(1)
  })

  it.each([
    ['an mbox', [{ mbox: ann }], { mbox: ann }],
    [
      'an account',
      [{ accountName: 'ann', homePage: 'https://example.org/' }],
      { account: { homePage: 'https://example.org/', name: 'ann' } },
    ],
  ])('of %s is found among many more than a page looks at', async (_, actor, identity) => {
    const { parent, pinned } = await parentAndPinned({ actor })
    const [id] = await store(parent, statement(ann, { actor: identity }))
    for (let times = 0; times < 25; times++) await store(parent, ...Array.from({ length: 100 }, () => statement(bob)))
    const ask = { filters: [], isAscending: false, limit: 1 }
    const { statements } = await world.core.statements.list(pinned, world.lrsId, ask)
    expect(statements.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual([id])
  })
})
