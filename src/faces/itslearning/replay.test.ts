// One address, many times at once, on two nodes where the engine has nodes: one launch, one session.

import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { baseUrl, openCore } from '../../../test/support/core.ts'
import { launchOf, signedAddress } from '../../../test/support/itslearning-signer.ts'
import { browser, openLaunchWorld, sharedSecret } from '../../../test/support/launch.ts'
import type { LaunchWorld } from '../../../test/support/launch.ts'
import { createApp } from '../../app.ts'
import type { HttpApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { writeTimestamp } from './verification.ts'

let world: LaunchWorld
let nodes: readonly HttpApp[]
let closeOther = (): Promise<void> => Promise.resolve()

beforeAll(async () => {
  world = await openLaunchWorld({ platform: { settings: { customers: [14] } } })
  await world.core.placements.put(world.platform, '14/100', world.contents.tincan.id)
  nodes = [world.app, await otherNode()]
})
afterAll(async () => {
  await closeOther()
  await world.close()
})

/** SQLite has one process, and so one node. */
async function otherNode(): Promise<HttpApp> {
  if (inject('engine') === 'sqlite') return world.app
  const { core } = await openCore({ clock: world.clock, place: world.place })
  closeOther = () => core.close()
  const config = loadConfig({ CLAVIGER_DATA: world.directory, CLAVIGER_LOG_LEVEL: 'silent' })
  return (await createApp(config, { core })).app
}

function signed(): string {
  const Timestamp = writeTimestamp(world.clock.now())
  const address = signedAddress(`${baseUrl}/launch/itslearning/school/view`, launchOf({ Timestamp }), sharedSecret)
  return address.replace(baseUrl, '')
}

async function visits(address: string, count: number, cookie: (index: number) => string | undefined) {
  const all = Array.from({ length: count }, async (_, index) => {
    const held = cookie(index)
    const headers = held === undefined ? {} : { Cookie: `__Host-claviger-launch=${held}` }
    return (await nodes[index % nodes.length]!.request(address, { headers })).status
  })
  return Promise.all(all)
}

async function running() {
  const { items } = await world.core.launches.list(world.operator, { isRunning: true }, { limit: 1000 })
  return items
}

it('a hundred at once by as many browsers: one is let in', async () => {
  const statuses = await visits(signed(), 100, (index) => (index % 3 === 0 ? undefined : `${index}`.padStart(43, 'x')))
  expect(statuses.filter((status) => status === 303)).toHaveLength(1)
  expect(statuses.filter((status) => status === 403)).toHaveLength(99)
  expect(await running()).toHaveLength(1)
  const { items } = await world.core.launches.list(world.operator, {}, { limit: 1000 })
  expect(items).toHaveLength(1)
})

it('many at once by one browser: one launch, whoever of them is let in', async () => {
  const statuses = await visits(signed(), 30, () => browser)
  expect(statuses.filter((status) => status === 303).length).toBeGreaterThanOrEqual(1)
  expect(statuses.filter((status) => status !== 303 && status !== 403)).toEqual([])
  expect(await running()).toHaveLength(1)
  const { items } = await world.core.launches.list(world.operator, {}, { limit: 1000 })
  expect(items).toHaveLength(2)
})

it('two addresses of one learner at once: the later of the launches runs', async () => {
  const statuses = await Promise.all(Array.from({ length: 20 }, () => visits(signed(), 1, () => browser)))
  expect(statuses.flat()).toEqual(Array.from({ length: 20 }, () => 303))
  expect(await running()).toHaveLength(1)
})
