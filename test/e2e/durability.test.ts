// The small version of scripts/durability-kill.ts: kill -9 under load keeps what was acknowledged.

import { expect, it } from 'vitest'
import { runRounds } from '../../scripts/durability-rounds.ts'

it('kill -9 under load loses nothing that was acknowledged, and no batch is stored in part', async () => {
  const reports = await runRounds({ rounds: 2, connections: 8 })
  expect(reports.flatMap((report) => report.problems)).toEqual([])
  expect(reports.map((report) => report.acknowledged > 0)).toEqual([true, true])
  expect(reports.some((report) => report.credentials > 0)).toBe(true)
})
