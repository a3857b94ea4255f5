// Two stores over one database, as two nodes have them: what one commits the other learns, and what both do at once is done
// once.

import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { createCredential, createPlatform, createTenant, event, fresh, launch, session, usage } from './samples.ts'
import { createDatabase, run } from '../support/postgres.ts'
import { openPostgres } from '../../src/storage/postgres/index.ts'
import { BlobDirectory } from '../../src/storage/blobs/directory.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/core/core.ts'
import { tmpdir } from 'node:os'
import { createServer, connect as connectTo } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { OrganisationId } from '../../src/core/ids.ts'
import type { PostgresOptions } from '../../src/storage/postgres/index.ts'
import type { Storage } from '../../src/core/storage.ts'
import type { Tenant } from './samples.ts'

let database: Awaited<ReturnType<typeof createDatabase>>
let a: Storage
const others: Storage[] = []

const directory = mkdtempSync(join(tmpdir(), 'claviger-nodes-'))

async function openNode(options: Partial<PostgresOptions> = {}): Promise<Storage> {
  const openPlace = async () => new BlobDirectory({ path: join(directory, 'blobs'), clock: systemClock })
  const node = await openPostgres({ url: database.url, connections: 3, openPlace, ...options })
  others.push(node)
  return node
}

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  a = await openNode()
  others.pop()
})
afterEach(() => Promise.all(others.splice(0).map((node) => node.close())))
afterAll(async () => {
  await a.close()
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

/** What a node was told, for a test to wait for. */
function hearing(node: Storage) {
  const heard: (OrganisationId | undefined)[] = []
  node.onDirectoryChange((id) => heard.push(id))
  return { heard, hears: (id: OrganisationId) => vi.waitFor(() => expect(heard).toContain(id), 1_000) }
}

const soon = { timeout: 5_000, interval: 10 }
const cutListeners = () =>
  run(
    database.url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'claviger listener' and datname = current_database()`,
  )

describe('what one node changes', () => {
  const ways: readonly (readonly [string, Partial<PostgresOptions>])[] = [
    ['as it is notified', {}],
    ['by asking alone', { listens: false }],
  ]
  it.each(ways)('the other is told within a second, once each, %s', async (_, options) => {
    const b = await openNode(options)
    const { heard, hears } = hearing(b)
    const tenant = await createTenant(a)
    await hears(tenant.id)
    for (let times = 0; times < 20; times++) {
      heard.length = 0
      await a.directory.updateOrganisation(tenant.id, { name: `name ${times}`, at: 1 }, event('x.y'))
      await hears(tenant.id)
    }
    // Notified and asked for: still once. Two questions later nothing was added.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(heard).toEqual([tenant.id])
  })

  it('is told again and again while the listener’s connection is cut over and over', async () => {
    const [onCutOff, onBack] = [vi.fn<(error: unknown) => void>(), vi.fn<() => void>()]
    const b = await openNode({ onCutOff, onBack })
    const { heard } = hearing(b)
    const tenant = await createTenant(a)
    for (let times = 0; times < 10; times++) {
      heard.length = 0
      await cutListeners()
      await a.directory.updateOrganisation(tenant.id, { name: `name ${times}`, at: 1 }, event('x.y'))
      // Undefined: anything may have changed.
      const isTold = () => heard.includes(tenant.id) || heard.includes(undefined) || !b.nodes.isInTouch()
      await vi.waitFor(() => expect(isTold()).toBe(true), 1_000)
      await vi.waitFor(() => expect(onBack).toHaveBeenCalledTimes(times + 1), soon)
      await vi.waitFor(() => expect(b.nodes.isInTouch()).toBe(true), soon)
    }
    expect(onCutOff).toHaveBeenCalledWith(expect.objectContaining({ code: '57P01' }))
  })

  it('a change that commits behind later ones is not missed', async () => {
    const b = await openNode({ listens: false })
    const { heard, hears } = hearing(b)
    const [first, second] = [await createTenant(a), await createTenant(a)]
    await hears(second.id)
    heard.length = 0
    // Stays open while a later transaction commits and is asked for.
    const { default: pg } = await import('pg')
    const slow = new pg.Client({ connectionString: database.url })
    await slow.connect()
    await slow.query('begin')
    await slow.query(
      `insert into directory_change values (${first.id}, pg_current_xact_id())
       on conflict (organisation_id) do update set changed_by = excluded.changed_by`,
    )
    for (let times = 0; times < 3; times++) {
      await a.directory.updateOrganisation(second.id, { name: `later ${times}`, at: 1 }, event('x.y'))
      await hears(second.id)
      heard.length = 0
    }
    expect(heard).not.toContain(first.id)
    await slow.query('commit')
    await slow.end()
    await hears(first.id)
  })

  it('launches that end, however they do, are told; those that begin and go on are not', async () => {
    const b = await openNode()
    const tenant = await createTenant(a)
    const by = await createPlatform(a, tenant)
    const erasureId = fresh.oid()
    await a.erasures.create(tenant.id, { id: erasureId, plan: {}, sealed: null, startedAt: 1 }, event('x.y'))
    const begin = () => a.launches.createLaunch(tenant.id, launch(tenant, by.credentialId), event('x.y'))
    const { heard, hears } = hearing(b)
    const told = async () => {
      // What comes later is told later.
      await hears((await createTenant(a)).id)
      return heard.splice(0).includes(tenant.id)
    }
    await told()
    const first = await begin()
    await a.launches.advanceLaunch(tenant.id, first.launch.id, { from: 1, progress: {} })
    await a.launches.extendSession(tenant.id, first.session.id, first.session.expiresAt + 1)
    await a.launches.bindSession(tenant.id, first.session.id, 'b')
    expect(await told()).toBe(false)
    const second = await begin()
    expect(await told()).toBe(true)
    await a.launches.endLaunch(tenant.id, second.launch.id, { by: 'terminated', at: 1 }, event('x.y'))
    expect(await told()).toBe(true)
    await a.launches.endLaunch(tenant.id, second.launch.id, { by: 'idle', at: 2 }, event('x.y'))
    const third = await begin()
    expect(await told()).toBe(false)
    const person = { kind: 'person', agents: [third.launch.actorKey], onlyDirect: false } as const
    await a.erasures.step(tenant.id, erasureId, tenant.lrsId, person, { phase: 'launches', at: [] })
    expect(await a.launches.findLaunch(tenant.id, third.launch.id)).toBeUndefined()
    expect(await told()).toBe(true)
    await a.launches.updatePlatform(tenant.id, by.id, { isEnabled: false, at: 1 }, event('x.y'))
    expect(await told()).toBe(true)
    await a.launches.deletePlatform(tenant.id, by.id, event('x.y'))
    expect(await told()).toBe(true)
  })

  it('what concerns no sign-in is told to nobody', async () => {
    const b = await openNode()
    const tenant = await createTenant(a)
    const { id } = await createCredential(a, tenant)
    const { heard, hears } = hearing(b)
    await a.directory.createSession(tenant.id, session(id), event('x.y'))
    await a.directory.appendAudit(tenant.id, event('x.y'))
    const marker = await createTenant(a)
    await hears(marker.id)
    expect(heard.filter((one) => one !== marker.id)).not.toContain(undefined)
  })
})

describe('a node that the database is out of reach for', () => {
  it('trusts nothing it remembers after a second, and again only when it was told what has changed', async () => {
    const proxy = await startProxy()
    const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href
    const b = await openNode({ url })
    const { heard, hears } = hearing(b)
    const tenant = await createTenant(a)
    await hears(tenant.id)
    heard.length = 0
    expect(b.nodes.isInTouch()).toBe(true)
    proxy.stall()
    await a.directory.updateOrganisation(tenant.id, { name: 'unheard of', at: 1 }, event('x.y'))
    await vi.waitFor(() => expect(b.nodes.isInTouch()).toBe(false), { timeout: 1_100, interval: 10 })
    expect(heard).toEqual([])
    proxy.goOn()
    await vi.waitFor(() => expect(b.nodes.isInTouch()).toBe(true), soon)
    expect(heard.includes(tenant.id) || heard.includes(undefined)).toBe(true)
    proxy.close()
  })
})

describe('what two nodes do at once', () => {
  let tenant: Tenant
  let b: Storage
  const outcome = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    )

  it('the same key in one organisation: one has it', async () => {
    b = await openNode()
    tenant = await createTenant(a)
    for (let times = 0; times < 20; times++) {
      const key = fresh.key()
      const outcomes = await Promise.all([a, b, a, b].map((node) => outcome(createCredential(node, tenant, { key }))))
      expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'conflict', 'done'])
    }
  })

  it('the same pairs in two organisations: one has them', async () => {
    b = await openNode()
    const [one, other] = [await createTenant(a), await createTenant(a)]
    for (let times = 0; times < 20; times++) {
      const pairs = [fresh.pair(), fresh.pair(), fresh.pair()]
      const outcomes = await Promise.all([
        outcome(createCredential(a, one, { pairs })),
        outcome(createCredential(b, other, { pairs: pairs.toReversed() })),
      ])
      expect(outcomes.toSorted()).toEqual(['conflict', 'done'])
    }
  })

  it('the same ids: one has them', async () => {
    b = await openNode()
    const ids = [701, 702, 703, 704] as OrganisationId[]
    for (const id of ids) {
      const outcomes = await Promise.all([a, b, a].map((node) => outcome(createTenant(node, id))))
      expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'done'])
    }
  })

  it('audit numbers go on without a gap', async () => {
    b = await openNode()
    tenant = await createTenant(a)
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? a : b).directory.appendAudit(tenant.id, event('x.y'))),
    )
    const events = await a.directory.listAudit(tenant.id, 0, 100)
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1))
    for (const [index, one] of events.slice(1).entries()) expect(one.previousHash).toBe(events[index]?.hash)
  })

  it('the same launch: one runs, goes on once, is entered first once, bound once, and ends once', async () => {
    b = await openNode()
    tenant = await createTenant(a)
    const { credentialId } = await createPlatform(a, tenant)
    const both = <T>(work: (node: Storage) => Promise<T>) => Promise.all([a, b, a, b].map(work))
    for (let times = 0; times < 10; times++) {
      const ticket = { hash: fresh.pair(), kind: 'entrance', until: 2e12 } as const
      const made = await both(({ launches }) => {
        const own = times % 2 === 0 ? [] : [{ ...ticket, hash: fresh.pair() }]
        return launches.createLaunch(tenant.id, launch(tenant, credentialId, { tickets: own }), event('x.y'))
      })
      const [running, ...more] = await a.launches.listLaunches(tenant.id, { isRunning: true }, { limit: 10 })
      expect(more).toEqual([])
      const { id, sessionId } = running!
      expect(made.map(({ launch: one }) => one.id)).toContain(id)
      const steps = await both(({ launches }) =>
        launches.advanceLaunch(tenant.id, id, { from: 1, progress: {}, tickets: [{ ...ticket, hash: fresh.pair() }] }),
      )
      expect(steps.filter((step) => step !== undefined)).toHaveLength(1)
      const known = { ...ticket }
      await a.launches.advanceLaunch(tenant.id, id, { from: 2, progress: {}, tickets: [known] })
      const uses = await both(({ launches }) => launches.useTicket(known.hash, 'entrance', 1))
      expect(uses.map((use) => use?.isFirst).toSorted()).toEqual([false, false, false, true])
      const bound = await both(({ launches }) => launches.bindSession(tenant.id, sessionId!, fresh.key()))
      expect(new Set(bound).size).toBe(1)
      // Each of these takes rows that another one takes, too.
      const [ends] = await Promise.all([
        both(({ launches }) => launches.endLaunch(tenant.id, id, { by: 'revoked', at: 1 }, event('x.y'))),
        both(({ launches }) => launches.extendSession(tenant.id, sessionId!, 1_700_007_300_000 + times)),
        both(({ launches }) => launches.createLaunch(tenant.id, launch(tenant, credentialId), event('x.y'))),
      ])
      expect(ends.filter((one) => one !== undefined).length).toBeLessThanOrEqual(1)
      const ended = await a.launches.findLaunch(tenant.id, id)
      expect(ended).toMatchObject({ endedBy: ends.some((one) => one !== undefined) ? 'revoked' : 'superseded' })
    }
    const events = await a.directory.listAudit(tenant.id, 0, 1_000)
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1))
  })

  it('usage counts on both, whatever their order, also of a credential that goes meanwhile', async () => {
    b = await openNode()
    tenant = await createTenant(a)
    const made = await Promise.all([1, 2, 3, 4].map(() => createCredential(a, tenant)))
    const [gone] = made
    const deltas = made.map(({ id }) =>
      usage({ organisationId: tenant.id, credentialId: id, requests: 1, statements: 2, refusals: { expired: 1 } }),
    )
    const flushes = Array.from({ length: 30 }, (_, index) =>
      (index % 2 ? a : b).platform.addUsage(index % 3 ? deltas : deltas.toReversed()),
    )
    await Promise.all([...flushes, a.directory.deleteCredential(tenant.id, gone!.id, event('x.y'))])
    for (const { id } of made.slice(1)) {
      const listed = await b.directory.listUsage(tenant.id, id)
      expect(listed).toMatchObject([{ requests: 30, statements: 60, refusals: { expired: 30 } }])
    }
    expect(await b.directory.listUsage(tenant.id, gone!.id)).toEqual([])
  })

  it('usage of credentials that go while it is written is left out: the database refuses nothing', async () => {
    b = await openNode()
    tenant = await createTenant(a)
    const made = await Promise.all(Array.from({ length: 5 }, () => createCredential(a, tenant)))
    // As another node deletes them, and has not committed yet.
    const { default: pg } = await import('pg')
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    const asked = vi.spyOn(pg.Client.prototype, 'query')
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    try {
      await other.query(`begin; delete from credential where organisation_id = ${tenant.id}`)
      const deltas = made.map(({ id }) => usage({ organisationId: tenant.id, credentialId: id }))
      const flushes = [a, b].map((node) => node.platform.addUsage(deltas))
      await vi.waitFor(async () => expect(await database.change(waiting)).toBe(2), soon)
      await other.query('commit')
      await Promise.all(flushes)
      expect(asked.mock.calls.filter(([text]) => String(text) === 'rollback')).toEqual([])
    } finally {
      asked.mockRestore()
      await other.end()
    }
    for (const { id } of made) expect(await b.directory.listUsage(tenant.id, id)).toEqual([])
  })

  it('ten nodes put a check value: one stands', async () => {
    const nodes = await Promise.all(Array.from({ length: 10 }, () => openNode({ connections: 1 })))
    const stand = await Promise.all(nodes.map((node, index) => node.platform.putKeyCheck(`check ${index}`)))
    expect(new Set(stand).size).toBe(1)
    expect(await a.platform.findKeyCheck()).toBe(stand[0])
  })

  it('an organisation made while keys are being rewrapped is not left behind under the old one', async () => {
    b = await openNode()
    const { items } = await a.platform.listOrganisations({ offset: 0, limit: 1000 })
    const standing = await a.platform.putKeyCheck('old')
    const { default: pg } = await import('pg')
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    try {
      // The check value is what is written last.
      await other.query('begin; lock table platform_value in share mode')
      const rewrapped = a.platform.rewrapKeys(
        'new',
        items.map(({ id }) => ({ id, wrappedKey: 'under the new' })),
      )
      await vi.waitFor(async () => expect(await database.change(waiting)).toBe(1), soon)
      const made = outcome(
        b.platform.createOrganisation(
          { oid: fresh.oid(), name: 'Late', wrappedKey: 'old', keyCheck: standing, switches: {}, createdAt: 1 },
          { oid: fresh.oid(), name: 'Default', createdAt: 1 },
          event('organisation.create', 'organisation', null),
        ),
      )
      await vi.waitFor(async () => expect(await database.change(waiting)).toBe(2), soon)
      await other.query('commit')
      await rewrapped
      expect(await made).toBe('conflict')
    } finally {
      await other.end()
    }
    const left = (await a.platform.listOrganisations({ offset: 0, limit: 1000 })).items
    expect(new Set(left.map(({ wrappedKey }) => wrappedKey))).toEqual(new Set(['under the new']))
  })

  it('keys rewrapped while organisations are made: all or nothing', async () => {
    b = await openNode()
    const all = async () => (await a.platform.listOrganisations({ offset: 0, limit: 1000 })).items
    const rewrap = async (node: Storage, wrappedKey: string) =>
      node.platform.rewrapKeys(
        wrappedKey,
        (await all()).map(({ id }) => ({ id, wrappedKey })),
      )
    const outcomes = await Promise.all([
      outcome(rewrap(a, 'one')),
      outcome(rewrap(b, 'two')),
      outcome(createTenant(a)),
      outcome(createTenant(b)),
    ])
    for (const code of outcomes) expect(['done', 'conflict']).toContain(code)
    const check = (await a.platform.findKeyCheck())!
    if (check === 'one' || check === 'two') {
      const wrapped = new Set((await all()).map(({ wrappedKey }) => wrappedKey))
      wrapped.delete('wrapped')
      expect([...wrapped]).toEqual([check])
    }
  })
})

/** Stands between a node and its database, and can stop passing anything on without closing a connection. */
async function startProxy() {
  const target = new URL(database.url)
  const sockets = new Set<Socket>()
  let isStalled = false
  const server = createServer((near) => {
    const far = connectTo(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      if (isStalled) one.pause()
      one.on('data', (bytes) => void (other.destroyed || other.write(bytes)))
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      isStalled = true
      for (const socket of sockets) socket.pause()
    },
    goOn: () => {
      isStalled = false
      for (const socket of sockets) socket.resume()
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
