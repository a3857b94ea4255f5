// Keeps documents honest that name tests. docs/seeds.md: every id is there once, with a reading and a state; `done` names
// tests that exist; a **D** is explained in docs/deviations.md. SECURITY.md: what it calls proven is. Run by `npm run check`.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How many ids each seed has. They are counted here and not read off the ledger, so that a lost row is noticed. */
const idsPerSeed = { S0: 18, S1: 19, S2: 15, S3: 15, S4: 12 } as const
const milestones = ['Foundation', 'SCORM Cloud', 'Learning Locker', 'Launch']

export interface Ledger {
  readonly seeds: string
  readonly deviations: string
  /** The text of a file of the repository. */
  read(path: string): string | undefined
}

interface Row {
  readonly id: string
  readonly asks: string
  readonly reading: string
  readonly state: string
}

/** What is wrong, one line each; empty when all is well. */
export function checkSeeds(ledger: Ledger): string[] {
  const problems: string[] = []
  const rows = rowsOf(ledger.seeds)
  const required = Object.entries(idsPerSeed).flatMap(([seed, count]) =>
    Array.from({ length: count }, (_, index) => `${seed}.${index + 1}`),
  )
  for (const id of required) {
    const count = rows.filter((row) => row.id === id).length
    if (count !== 1) problems.push(`${id}: ${count === 0 ? 'missing' : 'listed more than once'}`)
  }
  for (const row of rows) {
    if (!required.includes(row.id)) problems.push(`${row.id}: no seed has this id`)
    if (row.asks === '' || row.reading === '') problems.push(`${row.id}: says not what is asked or how it is read`)
    problems.push(...checkState(row, ledger).map((problem) => `${row.id}: ${problem}`))
  }
  return [...problems, ...checkDeviations(rows, ledger.deviations)]
}

function checkState({ state }: Row, ledger: Ledger): string[] {
  const [word, reason] = /^(planned|refused): *(.*)$/.exec(state)?.slice(1) ?? []
  if (word === 'planned') return milestones.includes(reason ?? '') ? [] : [`planned for no known milestone: ${reason}`]
  if (word === 'refused') return reason ? [] : ['refused without a reason']
  if (!/^done\b/.test(state)) return [`no state: ${state || '(empty)'}`]
  const { named, problems } = checkProofs(state, ledger.read)
  return named === 0 ? ['done, but names no test (`file.test.ts` › title)'] : problems
}

/** Looks for every test that a text names as `` `file.test.ts` › title ``, up to a `<br>`, a table's `|` or the line's end. */
export function checkProofs(text: string, read: Ledger['read']): { named: number; problems: string[] } {
  const proofs = [...text.matchAll(/`([^`]+\.test\.ts)` › (.+?) *(?=<br>|\||$)/gm)]
  const problems = proofs.flatMap(([, file = '', title = '']) => {
    const source = read(file)
    if (source === undefined) return [`there is no ${file}`]
    return hasTest(source, title) ? [] : [`${file} has no test titled “${title}”`]
  })
  return { named: proofs.length, problems }
}

/** The title stands quoted, whole, and as a first argument, as in `it('…'` or `it.each(…)('…'`. */
function hasTest(text: string, title: string): boolean {
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "\\\\?'")
  return new RegExp(`\\(\\s*(['"\`])${escaped}\\1`).test(text)
}

function checkDeviations(rows: readonly Row[], deviations: string): string[] {
  const marked = rows.filter(({ reading }) => reading.includes('**D**')).map(({ id }) => id)
  const explained = [...deviations.matchAll(/^\| *(S\d\.\d+) *\|/gm)].map(([, id = '']) => id)
  return [
    ...marked.filter((id) => !explained.includes(id)).map((id) => `${id}: marked D, but docs/deviations.md has no row`),
    ...explained.filter((id) => !marked.includes(id)).map((id) => `${id}: in docs/deviations.md, but not marked D`),
  ]
}

function rowsOf(markdown: string): Row[] {
  return [...markdown.matchAll(/^\| *(S\d+\.\d+) *\|(.*)\|$/gm)].map(([, id = '', rest = '']) => {
    const [asks = '', reading = '', ...state] = rest.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { id, asks, reading, state: state.join('|') }
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../', import.meta.url))
  const read = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined)
  const ledger = { seeds: read('docs/seeds.md') ?? '', deviations: read('docs/deviations.md') ?? '', read }
  const security = checkProofs(read('SECURITY.md') ?? '', read)
  if (security.named === 0) security.problems.push('names no test')
  const problems = [...checkSeeds(ledger), ...security.problems.map((problem) => `SECURITY.md: ${problem}`)]
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
