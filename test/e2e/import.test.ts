// A Learning Locker is imported into the built program, which is killed on the way, while others store and follow: the small size of
// scripts/import-million.ts.

import { expect, it } from 'vitest'
import { importUnderFire } from '../../scripts/import-rounds.ts'

it('everything is there once, whatever happened meanwhile', async () => {
  const { problems } = await importUnderFire({ statements: 4_000, clients: 60, kills: 1, sample: 300 })
  expect(problems).toEqual([])
}, 120_000)
