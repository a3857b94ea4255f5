// `npm run build && npx tsx scripts/durability-kill.ts [--rounds 50] [--connections 16]`: see durability-rounds.ts.

import { parseArgs } from 'node:util'
import { runRounds } from './durability-rounds.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, connections: { type: 'string', default: '16' } },
})
const reports = await runRounds({
  rounds: Number(options.rounds),
  connections: Number(options.connections),
  tell: ({ round, killedAfterMs, acknowledged, unacknowledged, credentials, problems }) => {
    console.log(
      `round ${round}: killed after ${killedAfterMs} ms, ${acknowledged} statements and ${credentials} credentials ` +
        `acknowledged, ${unacknowledged} statements stored beyond that, ${problems.length} problems`,
    )
    for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`)
  },
})
const total = reports.reduce((sum, report) => sum + report.acknowledged, 0)
const problems = reports.reduce((sum, report) => sum + report.problems.length, 0)
console.log(`${reports.length} rounds, ${total} statements acknowledged, ${problems} problems`)
process.exit(problems === 0 && total > 0 ? 0 : 1)
