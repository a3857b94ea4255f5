// `npm run build && npx tsx scripts/import-million.ts [--statements 1000000] [--clients 5000] [--kills 5] [--sample 10000] [--set DIR]`:
// see import-rounds.ts.

import { parseArgs } from 'node:util'
import { importUnderFire } from './import-rounds.ts'

const { values: options } = parseArgs({
  options: {
    statements: { type: 'string', default: '1000000' },
    clients: { type: 'string', default: '5000' },
    kills: { type: 'string', default: '5' },
    sample: { type: 'string', default: '10000' },
    set: { type: 'string' },
  },
})
const { problems, statementsPerSecond, residentMiB } = await importUnderFire({
  statements: Number(options.statements),
  clients: Number(options.clients),
  kills: Number(options.kills),
  sample: Number(options.sample),
  set: options.set,
  tell: (line) => console.log(line),
})
for (const problem of problems.slice(0, 50)) console.log(`PROBLEM ${problem}`)
console.log(`${statementsPerSecond} statements a second, ${residentMiB} MiB, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)
