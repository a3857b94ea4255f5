// Random valid statements are all accepted; with one thing wrong, all refused where it is wrong. In bulk against the rules
// in this process, and a part of it against the started program over HTTP.
// `npm run build && npx tsx scripts/valid-and-mutated.ts [--count 200000] [--http 20000] [--seed 1]`

import { parseArgs } from 'node:util'
import { checkCoverage, judgeMutated, judgeValid, newTally } from './valid-and-mutated-run.ts'
import type { Tally } from './valid-and-mutated-run.ts'
import { mutatedOverHttp, validOverHttp } from './valid-and-mutated-http.ts'
import { startProgram } from './started-program.ts'

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    http: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
})
const [count, http, seed] = [Number(options.count), Number(options.http), Number(options.seed)]
const tell = (what: string) => (done: number) => {
  if (done % 20_000 === 0) console.log(`  ${what}: ${done.toLocaleString('en')}`)
}

const tally = newTally()
console.log(`In this process, seed ${seed}`)
judgeValid({ count, seed, tell: tell('valid') }, tally)
judgeMutated({ count, seed: seed + 1, tell: tell('mutated') }, tally)
checkCoverage(tally)
report(tally)

if (http > 0) {
  console.log('Over HTTP')
  const program = await startProgram({ env: { CLAVIGER_LOG_LEVEL: 'error' } })
  await validOverHttp(program, { count: http, seed: seed + 2, tell: tell('valid') }, tally)
  await mutatedOverHttp(program, { count: http, seed: seed + 3, tell: tell('mutated') }, tally)
  await program.stop()
  console.log(`  ${tally.sent.toLocaleString('en')} requests`)
}

for (const miss of tally.misses.slice(0, 20)) console.log(miss)
console.log(`${tally.misses.length} misses`)
process.exit(tally.misses.length === 0 ? 0 : 1)

function report({ valid, mutated, members, mutations }: Tally): void {
  console.log(`  ${valid.toLocaleString('en')} valid accepted, with ${members.size} kinds of member`)
  console.log(`  ${mutated.toLocaleString('en')} mutated refused at the place, ${mutations.size} kinds of mutation:`)
  const sums = new Map<string, number>()
  for (const [name, times] of mutations) {
    const [what = ''] = name.split(':')
    sums.set(what, (sums.get(what) ?? 0) + times)
  }
  for (const [what, times] of [...sums].toSorted(([, a], [, b]) => b - a)) {
    console.log(`    ${what.padEnd(28)} ${times.toLocaleString('en')}`)
  }
}
