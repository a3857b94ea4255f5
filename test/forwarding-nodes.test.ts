// Several nodes over one database that forward: each pipe is worked on by one of them, and by another when that is gone.

import { randomUUID } from 'node:crypto'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { createCore } from '../src/core/core.ts'
import type { Core, CoreOptions } from '../src/core/core.ts'
import type { LrsId } from '../src/core/ids.ts'
import type { Caller, Principal } from '../src/core/principal.ts'
import type { RemoteLrsDoor } from '../src/core/remote-lrs.ts'
import type { Storage } from '../src/core/storage.ts'
import { presetRights } from './support/core.ts'
import { createPlace } from './support/store.ts'
import type { Place } from './support/store.ts'
import { startTarget, testRemoteLrs } from './support/target.ts'

const limits = { batch: 1000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
const forwardingTiming = { lookEveryMs: 20, pollEveryMs: 50, turnMs: 200, restMs: 100 }
const soon = { timeout: 20_000, interval: 20 }

let place: Place
// Each has its own: pipes of another would be worked on, too.
beforeEach(async () => {
  const own = (place = await createPlace('postgres'))
  onTestFinished(() => own.remove())
})

async function openNode(remoteLrs: RemoteLrsDoor, wrap = (storage: Storage) => storage): Promise<Core> {
  const options: CoreOptions = {
    ...{ masterKey: Buffer.alloc(32, 7), baseUrl: 'https://lrs.example.org', limits, remoteLrs, forwardingTiming },
    ...{ storage: wrap(await place.open()), leaseTiming: { ttlMs: 800, askEveryMs: 50 } },
  }
  const core = await createCore(options)
  onTestFinished(() => core.close())
  return core
}

interface Tenant {
  readonly operator: Caller
  readonly writer: Principal
  readonly lrsId: LrsId
}

async function addTenant(core: Core): Promise<Tenant> {
  const { organisation, lrs } = await core.organisations.create({ operator: 'test' }, { name: 'One' })
  const operator = core.signIn.operator(organisation.id, 'test')
  const issued = await core.credentials.create(operator, { name: 'w', rights: presetRights('xapi') })
  return { operator, writer: await core.signIn.basic(issued), lrsId: lrs.id }
}

async function store(core: Core, { writer, lrsId }: Tenant, count: number): Promise<void> {
  const about = { actor: { mbox: 'mailto:a@b.c' }, verb: { id: 'urn:v' }, object: { id: 'urn:o' } }
  const statements = Array.from({ length: count }, () => ({ id: randomUUID(), ...about }))
  await core.statements.store(writer, lrsId, { text: JSON.stringify(statements), version: '1.0' })
}

/** Ids in stored order. */
async function storedIn(core: Core, { writer, lrsId }: Tenant): Promise<readonly string[]> {
  const query = { filters: [], isAscending: true, limit: 1_000 }
  const { statements } = await core.statements.list(writer, lrsId, query)
  return statements.map(({ body }) => (JSON.parse(body) as { id: string }).id)
}

it('each statement is sent once for each pipe, in order, whichever node works on it', async () => {
  const nodes = [await openNode(testRemoteLrs()), await openNode(testRemoteLrs()), await openNode(testRemoteLrs())]
  const [first] = nodes as [Core, ...Core[]]
  const tenant = await addTenant(first)
  const { operator, lrsId } = tenant
  const targets = await Promise.all(Array.from({ length: 5 }, () => startTarget()))
  for (const { url } of targets) {
    await first.pipes.create(operator, { source: { lrsId }, target: { url, user: 'a', password: 'b' } })
  }
  for (let times = 0; times < 20; times++) await Promise.all(nodes.map((node) => store(node, tenant, 3)))
  const expected = await storedIn(first, tenant)
  expect(expected).toHaveLength(180)
  for (const target of targets) {
    await vi.waitFor(() => expect(target.ids).toEqual(expected), soon)
    const sent = target.posts.flatMap(({ statements }) => statements.map(({ id }) => id))
    expect(sent).toEqual(expected)
  }
})

it('a node that stops without a word is followed by another, which repeats what was not acknowledged', async () => {
  const target = await startTarget()
  const door = testRemoteLrs()
  // What it sends is never acknowledged, and its lease is not renewed: as if it were gone.
  const [isDead, stalled] = [{ now: false }, vi.fn<() => void>()]
  const deaf: RemoteLrsDoor = {
    ...door,
    open: (...args) => {
      const remote = door.open(...args)
      return {
        isBare: false,
        read: (...rest) => remote.read(...rest),
        find: (...rest) => remote.find(...rest),
        readParts: (...rest) => remote.readParts(...rest),
        deliver: async (statements, signal) => {
          await remote.deliver(statements, signal)
          isDead.now = true
          stalled()
          return new Promise(() => {})
        },
      }
    },
  }
  const never = <T>(): Promise<T> => new Promise(() => {})
  const dying = (storage: Storage): Storage =>
    new Proxy(storage, {
      get(target_, name) {
        const value: unknown = Reflect.get(target_, name, target_)
        if (name === 'nodes') {
          const { nodes } = storage
          return new Proxy(nodes, {
            get: (of, method) => {
              const own: unknown = Reflect.get(of, method, of)
              if (method === 'takeLease' && isDead.now) return never
              return typeof own === 'function' ? (own.bind(of) as unknown) : own
            },
          })
        }
        return typeof value === 'function' ? (value.bind(target_) as unknown) : value
      },
    })
  const storage = dying(await place.open())
  const options: CoreOptions = {
    ...{
      masterKey: Buffer.alloc(32, 7),
      baseUrl: 'https://lrs.example.org',
      limits,
      remoteLrs: deaf,
      forwardingTiming,
    },
    ...{ storage, leaseTiming: { ttlMs: 800, askEveryMs: 50 } },
  }
  const dead = await createCore(options)
  onTestFinished(() => storage.close())
  const tenant = await addTenant(dead)
  await store(dead, tenant, 5)
  const user = { user: 'a', password: 'b' }
  const { id } = await dead.pipes.create(tenant.operator, {
    source: { lrsId: tenant.lrsId },
    target: { url: target.url, ...user },
  })
  await vi.waitFor(() => expect(stalled).toHaveBeenCalledTimes(1), soon)
  const alive = await openNode(door)
  await store(alive, tenant, 5)
  const expected = await storedIn(alive, tenant)
  await vi.waitFor(() => expect(target.ids).toEqual(expected), soon)
  await vi.waitFor(async () => {
    expect((await alive.pipes.get(tenant.operator, id)).progress).toMatchObject({ delivered: 10, failures: 0 })
  }, soon)
})
