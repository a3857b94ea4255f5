// Where this API is: paths, slashes, keys, and what is answered to everything it does not have.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { World } from '../../../test/support/scormcloud.ts'

let world: World

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

describe('paths', () => {
  it.each(['/api/v2/ping', '/api/v2//ping', '/api/v2/ping/', '//api//v2//ping'])('%s is answered', async (path) => {
    const { status, json } = await world.ask('GET', path, { as: world.application.login })
    expect([status, json]).toEqual([200, { apiMessage: 'API Working', currentTime: '2026-01-02T03:04:05.000Z' }])
  })
})
