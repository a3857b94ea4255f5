// Every requirement of xAPI has a test that names it in its title. Titles are asked of vitest, so that those out of tables
// count as they are shown; and what docs/conformance.md names is there. Run by `npm run check`.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requirements } from '../test/conformance/requirements.ts'
import type { Requirement } from '../test/conformance/requirements.ts'
import { checkProofs } from './check-seeds.ts'

/** The suite at commit 2ec25f2 counts to here; a number lost from the list is noticed. */
const lastNumber = 336

const idPattern = /\bXAPI2?-\d+/g

/** What is wrong, one line each; empty when all is well. */
export function checkRequirements(list: readonly Requirement[], titles: readonly string[]): string[] {
  const tested = new Set(titles.flatMap((title) => title.match(idPattern) ?? []))
  const known = new Set(list.map(({ id }) => id))
  const numbered = Array.from({ length: lastNumber }, (_, index) => `XAPI-${String(index + 1).padStart(5, '0')}`)
  return [
    ...numbered.filter((id) => !known.has(id)).map((id) => `${id}: not in the list`),
    ...list
      .filter(({ id }, index) => list.findIndex((other) => other.id === id) !== index)
      .map(({ id }) => `${id}: twice`),
    ...list
      .filter(({ id, notHere }) => notHere === undefined && !tested.has(id))
      .map(({ id, section, rule }) => `${id}: no test names it in its title (${section}: ${rule})`),
    ...list
      .filter(({ id, notHere }) => notHere !== undefined && tested.has(id))
      .map(({ id }) => `${id}: tested, though the list says it cannot be`),
    ...[...tested].filter((id) => !known.has(id)).map((id) => `${id}: named by a test, but not in the list`),
  ]
}

/** Tests that do not run prove nothing. */
export function findSkipped(source: string): boolean {
  return /\b(?:it|test|describe)\.(?:skip|todo|only)\b/.test(source)
}

function listTitles(root: string, files: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-titles-'))
  const output = join(directory, 'titles.json')
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    execFileSync(process.execPath, [vitest, 'list', '--project', 'fast', `--json=${output}`, ...files], { cwd: root })
    return (JSON.parse(readFileSync(output, 'utf8')) as { name: string }[]).map(({ name }) => name)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../', import.meta.url))
  const sources = ['src', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    // What stands in that one are samples of text.
    .filter((path) => path.endsWith('.test.ts') && path !== 'test/architecture.test.ts')
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => /XAPI2?-\d/.test(text))
  const skipped = sources
    .filter(({ text }) => findSkipped(text))
    .map(({ path }) => `${path}: has tests that do not run`)
  const titles = listTitles(
    root,
    sources.map(({ path }) => path),
  )
  const page = checkProofs(readFileSync(join(root, 'docs/conformance.md'), 'utf8'), (path) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined,
  )
  const told = page.problems.map((problem) => `docs/conformance.md: ${problem}`)
  const problems = [...skipped, ...checkRequirements(requirements, titles), ...told]
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
