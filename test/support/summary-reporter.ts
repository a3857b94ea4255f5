// The last line of every test run, for people and machines alike: `N passed, N failed`, and `, N skipped` where some were.
// Counts what did not even start (a file that does not load, an error outside any test) as failed.

import { writeSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

export function countTests(modules: readonly TestModule[], strayErrors: number): Counts {
  const counts: Counts = { passed: 0, failed: strayErrors, skipped: 0 }
  for (const module of modules) {
    let failedHere = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') counts.passed++
      else if (state === 'failed') failedHere++
      else counts.skipped++
    }
    if (failedHere === 0 && module.state() === 'failed') failedHere = 1
    counts.failed += failedHere
  }
  return counts
}

export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const line = summaryLine(countTests(modules, errors.length))
    // On exit, so that nothing else of vitest's comes after it.
    process.once('exit', () => writeSync(1, `${line}\n`))
  }
}
