// How the tests run: `fast` (values, in-process HTTP, SQLite in a temporary directory) and `postgres` (those of them that open a
// store, once more on a real PostgreSQL) in parallel, then `program` (the built program started as its users start it) with
// room for slow starts.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const patient = {
  testTimeout: 20_000,
  hookTimeout: 20_000,
  // Vitest would leave one processor idle: of two, half.
  maxWorkers: '100%',
  // Files that run one after the other in one process share what they import: loading it anew took as long as a third of the tests.
  isolate: false,
  sequence: { groupOrder: 0 },
}

/** Found by what they import, so that none is forgotten. The contract tests go through all engines themselves. */
function listStoreTests(...folders: readonly string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const opensStore =
    /^(import|\}).* from '[./]+(test\/)?support\/(core|launch|learninglocker|scormcloud|watershed|xapi)\.ts'/m
  return files.filter((file) => file.endsWith('.test.ts') && opensStore.test(readFileSync(file, 'utf8')))
}

export default defineConfig({
  test: {
    reporters: [['default', { summary: false }], './test/support/summary-reporter.ts'],
    globalSetup: ['./test/support/postgres.ts'],
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            'src/**/*.test.ts',
            'test/*.test.ts',
            'test/{contract,conformance}/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          exclude: ['bench/peers/**', '**/node_modules/**'],
          provide: { engine: 'sqlite' },
          ...patient,
        },
      },
      {
        test: {
          name: 'postgres',
          include: listStoreTests('src/core', 'src/faces', 'src/importing', 'test'),
          provide: { engine: 'postgres' },
          ...patient,
        },
      },
      {
        test: {
          name: 'program',
          include: ['test/clients/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: ['./test/support/build.ts'],
          // Each waits for programs to start most of the time.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
