// The last line of a test run, seen from outside: a real run over planted tests.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))

function runTests(files: Readonly<Record<string, string>>): { lastLine: string | undefined; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-reporter-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const reporter = join(root, 'test/support/summary-reporter.ts')
    const { stdout, status } = spawnSync(
      process.execPath,
      [vitest, 'run', '--root', folder, '--globals', '--reporter', 'default', '--reporter', reporter],
      { encoding: 'utf8', cwd: folder, env: { PATH: process.env['PATH'] } },
    )
    return { lastLine: stdout.trimEnd().split('\n').at(-1), status }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

it('counts what passed, failed, was skipped, and what did not even load', () => {
  const outcome = runTests({
    'mixed.test.js': "it('a', () => {})\nit('b', () => expect(1).toBe(2))\nit.skip('c', () => {})",
    'broken.test.js': "throw new Error('does not load')",
  })
  expect(outcome).toEqual({ lastLine: '1 passed, 2 failed, 1 skipped', status: 1 })
})

it('counts an error outside any test as failed', () => {
  const outcome = runTests({
    'stray.test.js':
      "it('a', () => void setTimeout(() => { throw new Error('stray') }))\nit('waits', () => new Promise((r) => setTimeout(r, 50)))",
  })
  expect(outcome).toEqual({ lastLine: '2 passed, 1 failed', status: 1 })
})

it('leaves skipped out where nothing was', () => {
  expect(runTests({ 'fine.test.js': "it('a', () => {})" })).toEqual({ lastLine: '1 passed, 0 failed', status: 0 })
})
