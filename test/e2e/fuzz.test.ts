// The small version of scripts/fuzz-statements.ts.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { malformedCase } from '../../scripts/fuzz-requests.ts'
import { runFuzz } from '../../scripts/fuzz-run.ts'
import { startProgram, type StartedProgram } from '../../scripts/started-program.ts'

let program: StartedProgram
beforeAll(async () => {
  program = await startProgram({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1' } })
})
afterAll(() => program.stop())

it('2,000 malformed requests: no 5xx, no crash, nothing stored', async () => {
  const report = await runFuzz(program, { seed: 2, from: 0, to: 2000, connections: 16, perhapsValid: 100 })
  expect(report.problems).toEqual([])
  expect(report.requests).toBe(2100)
  expect(program.process.exitCode).toBeNull()
})

it('makes the same request from the same seed and number', () => {
  expect(malformedCase(2, 77)).toEqual(malformedCase(2, 77))
  expect(malformedCase(2, 77)).not.toEqual(malformedCase(3, 77))
})
