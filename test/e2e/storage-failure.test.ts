// A server whose storage thread has died ends, so that whoever supervises it starts it again.

import { afterEach, describe, expect, it } from 'vitest'
import { once } from 'node:events'
import { startProgram } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

/** Loaded into the program: ends one of its storage threads on a signal. */
const sabotage = (index: number) => {
  const code = `const threads = []
    process.on('worker', (worker) => threads.push(worker))
    process.on('SIGUSR2', () => threads[${index}].terminate())`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

describe('a server', () => {
  let program: StartedProgram | undefined
  afterEach(() => program?.stop())

  it.each([0, 1])('ends with a fatal line and exit code 1 when its storage thread %i dies', async (index) => {
    program = await startProgram({ env: { ...sabotage(index), CLAVIGER_LOG_LEVEL: 'error' } })
    const ended = once(program.process, 'exit')
    program.process.kill('SIGUSR2')
    expect(await ended).toEqual([1, null])
    expect(program.output().stderr).toContain('fatal: the storage has stopped')
  })
})
