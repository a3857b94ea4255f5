import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browser, openLaunchWorld, statementOf, keyIn } from '../../test/support/launch.ts'
import type { LaunchWorld } from '../../test/support/launch.ts'

let world: LaunchWorld
beforeAll(async () => void (world = await openLaunchWorld()))
afterAll(() => world.close())

describe('a launch', () => {
  it('is entered, and its key stores', async () => {
    for (const style of ['tincan', 'cmi5'] as const) {
      const opened = await world.launch(style)
      const key = await keyIn(world, await world.enter(opened, browser))
      const answer = await world.xapi(key, 'POST', '/statements', { json: statementOf(opened) })
      expect(answer.status, answer.text).toBe(200)
    }
  })
})
