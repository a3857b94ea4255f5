import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { World } from '../../../test/support/learninglocker.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

it('answers what it has not in its own shape, with the headers of every answer', async () => {
  const answer = await world.ask('GET', '/api/v2/client/a/b/c')
  expect([answer.status, answer.json]).toEqual([404, { statusCode: 404 }])
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-cache, no-store, must-revalidate',
    pragma: 'no-cache',
    expires: '0',
    'access-control-allow-origin': '*',
  })
})
