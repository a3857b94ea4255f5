// `npm run build && npx tsx scripts/erasure-million.ts [--statements 1000000] [--actors 1000] [--kills 2]`: see erasure-rounds.ts.

import { parseArgs } from 'node:util'
import { eraseUnderFire } from './erasure-rounds.ts'

const { values: options } = parseArgs({
  options: {
    statements: { type: 'string', default: '1000000' },
    actors: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '2' },
  },
})
const kills = Number(options.kills)
const { problems, erased } = await eraseUnderFire({
  statements: Number(options.statements),
  actors: Number(options.actors),
  killAt: Array.from({ length: kills }, (_, index) => (index + 1) / (kills + 1)),
  tell: (line) => console.log(line),
})
for (const problem of problems.slice(0, 50)) console.log(`PROBLEM ${problem}`)
console.log(`${erased} statements erased, ${problems.length} problems`)
process.exit(problems.length === 0 && erased > 0 ? 0 : 1)
