// `npm run check`: everything that can be said about the tree without running the product. Two steps at a time, one line
// for each, and the whole output of those that fail. `npm run check -- lint types` runs only the named ones.

import { spawn } from 'node:child_process'

const steps: Readonly<Record<string, string>> = {
  format: 'oxfmt --check .',
  lint: 'npm run lint',
  types: 'tsc -p . && tsc -p tsconfig.build.json --noEmit',
  unused: 'knip --no-progress',
  architecture: 'vitest run --project fast --reporter dot test/architecture.test.ts',
  seeds: 'tsx scripts/check-seeds.ts',
  requirements: 'tsx scripts/check-requirements.ts',
  lockfile: 'tsx scripts/complete-lockfile.ts --check',
  links: 'tsx scripts/check-links.ts',
  config: 'tsx scripts/config-docs.ts --check',
}

interface Outcome {
  readonly name: string
  readonly seconds: number
  readonly failed: boolean
  readonly output: string
}

function run(name: string, command: string): Promise<Outcome> {
  const startedAt = Date.now()
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => (output += `${error.message}\n`))
    child.on('close', (code) => resolve({ name, seconds: (Date.now() - startedAt) / 1000, failed: code !== 0, output }))
  })
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. There are: ${Object.keys(steps).join(', ')}.`)
  process.exit(64)
}

const queue = Object.entries(steps).filter(([name]) => wanted.length === 0 || wanted.includes(name))
const failed: string[] = []

async function work(): Promise<void> {
  for (let step = queue.shift(); step; step = queue.shift()) {
    const outcome = await run(...step)
    console.log(`${outcome.failed ? 'FAILED' : 'ok    '} ${outcome.name} (${outcome.seconds.toFixed(1)} s)`)
    if (!outcome.failed) continue
    failed.push(outcome.name)
    console.log(outcome.output.trimEnd().replace(/^/gm, '       '))
  }
}

await Promise.all([work(), work()])
if (failed.length > 0) {
  console.error(`\ncheck failed: ${failed.join(', ')}`)
  process.exit(1)
}
