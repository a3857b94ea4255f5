import { afterAll, describe, expect, it } from 'vitest'
import { createCore } from '../core/core.ts'
import { createPlace } from '../../test/support/store.ts'
import { firstStart } from './first-start.ts'
import type { Config } from '../config.ts'
import type { Core } from '../core/core.ts'
import type { Opened } from './context.ts'
import type { Place } from '../../test/support/store.ts'

const limits = { batch: 1000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
const baseUrl = 'https://lrs.example.org'
const places: Place[] = []
const cores: Core[] = []
afterAll(async () => {
  await Promise.all(cores.map((core) => core.close()))
  await Promise.all(places.map((place) => place.remove()))
})

async function openNodes(count: number) {
  const place = await createPlace('postgres')
  places.push(place)
  const start = async (keys: { masterKey: Buffer; masterKeyPrevious?: Buffer }) => {
    const core = await createCore({ storage: await place.open(), baseUrl, limits, ...keys })
    cores.push(core)
    return core
  }
  return {
    start,
    startAll: (keys: Parameters<typeof start>[0]) => Promise.all(Array.from({ length: count }, () => start(keys))),
  }
}

const one = Buffer.alloc(32, 1)
const other = Buffer.alloc(32, 2)

describe('nodes that start together', () => {
  it('on an empty database make one first credential, and one of them shows it', async () => {
    const { startAll } = await openNodes(6)
    const nodes = await startAll({ masterKey: one })
    const made = await Promise.all(nodes.map((core) => firstStart({ core } as Opened, {} as Config)))
    expect(made.filter((first) => first !== undefined)).toHaveLength(1)
    const [core] = nodes
    const operator = core!.signIn.operator(1 as never, 'test')
    expect((await core!.organisations.list({ operator: 'test' }, { offset: 0, limit: 9 })).total).toBe(1)
    expect((await core!.credentials.list(operator, {}, { offset: 0, limit: 9 })).total).toBe(1)
    const { key, secret } = made.find((first) => first !== undefined)!
    for (const node of nodes) await node.signIn.basic({ key, secret })
  })

  it('with a new master key put everything under it once', async () => {
    const { start, startAll } = await openNodes(4)
    const first = (await firstStart({ core: await start({ masterKey: one }) } as Opened, {} as Config))!
    const nodes = await startAll({ masterKey: other, masterKeyPrevious: one })
    for (const node of nodes) await node.signIn.basic(first)
    const { events } = await nodes[0]!.audit.list(nodes[0]!.signIn.operator(1 as never, 'test'), { limit: 100 })
    expect(events.filter(({ action }) => action.includes('master-key') || action.includes('key.rotate'))).toHaveLength(
      1,
    )
    await expect(start({ masterKey: one })).rejects.toMatchObject({ code: 'invalid' })
  })
})
