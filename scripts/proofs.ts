// Proofs that start programs: one after the other, each with its own. How they end is the same for all: what was started is gone,
// also when a proof fails or is interrupted; each problem is printed with what to do next; the last line is `N problems`.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type NodesOptions, type StartedNodes, startNodes } from './started-nodes.ts'

/** Says how it went and returns what was wrong. */
export type Proof = () => Promise<readonly string[]>

const mostShown = 30

/** `names`: which, with commas between. Ends the process: 1 where something was wrong. */
export async function runProofs(
  script: string,
  proofs: Readonly<Record<string, Proof>>,
  names: string,
): Promise<never> {
  const problems: string[] = []
  const again: string[] = []
  for (const name of names.split(',')) {
    const proof = proofs[name] ?? unknown(Object.keys(proofs))
    const found = await proof().catch((error: unknown) => [`it broke off: ${stackOf(error)}`])
    problems.push(...found.map((problem) => `${name}: ${problem}`))
    if (found.length > 0) again.push(name)
  }
  for (const problem of problems.slice(0, mostShown)) console.log(`  ${problem}`)
  if (problems.length > mostShown) console.log(`  … and ${problems.length - mostShown} more`)
  if (problems.length > 0) {
    console.log(`Look for their request ids and times in what the programs said (above: where that is). Once mended:`)
    console.log(`  npm run build && npx tsx scripts/${script} --only ${again.join(',')}`)
  }
  console.log(`${problems.length} problems`)
  process.exit(problems.length === 0 ? 0 : 1)
}

function unknown(names: readonly string[]): Proof {
  return async () => [`there is no such proof; there are ${names.join(', ')}`]
}

export async function withNodes(
  settings: NodesOptions,
  prove: (nodes: StartedNodes) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const started = await startNodes(settings)
  try {
    return await keepingOutput(
      () => prove(started),
      () => ({ ...outputsOf(started), 'database.log': started.server.log.join('') }),
    )
  } finally {
    await started.end()
  }
}

function outputsOf({ nodes }: StartedNodes): Readonly<Record<string, string>> {
  return Object.fromEntries(
    nodes.map(({ output }, index) => [`node-${index + 1}.log`, output().stdout + output().stderr]),
  )
}

/** What the programs said stays, where something was wrong. */
export async function keepingOutput(
  prove: Proof,
  outputs: () => Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const problems = await prove().catch((error: unknown) => [`it broke off: ${stackOf(error)}`])
  if (problems.length > 0) {
    const directory = mkdtempSync(path.join(tmpdir(), 'claviger-said-'))
    for (const [name, text] of Object.entries(outputs())) writeFileSync(path.join(directory, name), text)
    console.log(`what the programs said is in ${directory}`)
  }
  return problems
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
