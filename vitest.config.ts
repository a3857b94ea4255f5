// How the tests run: `fast` (values, in-process HTTP, SQLite in a temporary directory) in parallel, then `program`
// (the built program started as its users start it) with room for slow starts.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: [['default', { summary: false }], './test/support/summary-reporter.ts'],
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
          globalSetup: ['./test/support/postgres.ts'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'program',
          include: ['test/clients/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: ['./test/support/build.ts', './test/support/postgres.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
