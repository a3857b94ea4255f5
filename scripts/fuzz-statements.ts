// Malformed requests by the hundred thousand against the started program: no 5xx, no crash, memory bounded, nothing stored.
// `npm run build && npx tsx scripts/fuzz-statements.ts [--requests 100000] [--seed 1] [--connections 24]`
// `… --seed 1 --only 4711` sends and shows one of them.

import { parseArgs } from 'node:util'
import { malformedCase } from './fuzz-requests.ts'
import { runFuzz } from './fuzz-run.ts'
import { startProgram } from './started-program.ts'

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '24' },
    only: { type: 'string' },
  },
})
const seed = Number(options.seed)
const requests = Number(options.requests)
const only = options.only === undefined ? undefined : Number(options.only)
const allowedGrowthMiB = 150

if (only !== undefined) console.log(malformedCase(seed, only))
const program = await startProgram({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1', CLAVIGER_LOG_LEVEL: 'error' } })
const samples: number[] = []
const report = await runFuzz(program, {
  seed,
  from: only ?? 0,
  to: only === undefined ? requests : only + 1,
  connections: Number(options.connections),
  perhapsValid: only === undefined ? Math.ceil(requests / 20) : 0,
  tell: async (done) => {
    if (done % 10_000 !== 0 && done !== requests) return
    const resident = Math.round(await program.residentMiB())
    samples.push(resident)
    console.log(`${done.toLocaleString('en')} sent, ${resident} MiB resident`)
  },
})
const afterAll = Math.round(await program.residentMiB())
const isAlive = program.process.exitCode === null
const { stdout, stderr } = program.output()
const errors = (stdout + stderr).split('\n').filter((line) => line.includes('"level":50')).length
await program.stop()

console.log(`${report.requests.toLocaleString('en')} requests, seed ${seed}`)
for (const [name, counts] of Object.entries(report.families)) {
  const shown = Object.entries(counts).map(([outcome, count]) => `${outcome}: ${count}`)
  console.log(`  ${name.padEnd(36)} ${shown.join(', ')}`)
}
// The first requests fill caches and let the heap find its size; what matters is growth after them. The odd but valid ones
// that follow store and list statements of 70 KB, whose pages come on top for a while.
const settled = samples[1] ?? Number.NaN
const resident = samples.at(-1) ?? Number.NaN
console.log(`resident memory in MiB: ${samples.join(', ')}; after those perhaps valid: ${afterAll}`)
console.log(`${errors} lines logged as errors, ${report.problems.length} problems`)
for (const problem of report.problems.slice(0, 40)) console.log(`  ${problem}`)
const isBounded = !(resident - settled >= allowedGrowthMiB)
if (!isBounded) console.log(`  memory grew by ${resident - settled} MiB`)
process.exit(report.problems.length === 0 && isAlive && isBounded && errors === 0 ? 0 : 1)
