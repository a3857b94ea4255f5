// The built program as a load balancer and its supervisor see it: health, metrics on their own port, draining, the second signal.

import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startProgram } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

let program: StartedProgram | undefined
afterEach(async () => {
  await program?.kill()
  await program?.stop()
})

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

describe('the program', () => {
  it('serves metrics where it says', async () => {
    program = await startProgram({ env: { CLAVIGER_METRICS_PORT: '0' } })
    const metricsUrl = /^ *metrics +(http:\S+)$/m.exec(program.output().stdout)?.[1]
    const text = await (await fetch(metricsUrl!)).text()
    expect(text.split('\n')).toContain('claviger_ready 1')
    expect(await statusOf(`${program.url}/metrics`)).toBe(404)
  })

  it('says at SIGTERM that it is not ready, goes on as long as it was told, and ends well', async () => {
    program = await startProgram({ env: { CLAVIGER_DRAIN_WAIT: '3', CLAVIGER_LOG_LEVEL: 'info' } })
    const { url } = program
    expect(await statusOf(`${url}/readyz`)).toBe(200)
    const stopped = program.stop()
    await vi.waitFor(async () => expect(await statusOf(`${url}/readyz`)).toBe(503))
    expect([await statusOf(`${url}/healthz`), await statusOf(`${url}/xapi/about`)]).toEqual([200, 200])
    const { code, stderr } = await stopped
    expect(code).toBe(0)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
    expect(lines).toEqual([
      'draining: /readyz says no, everything else goes on',
      'stopping: what is under way is finished first',
      'stopped',
    ])
  })

  it('ends at once at the second signal', async () => {
    program = await startProgram({ env: { CLAVIGER_DRAIN_WAIT: '600' } })
    const { process: child, url } = program
    const stopped = program.stop()
    await vi.waitFor(async () => expect(await statusOf(`${url}/readyz`)).toBe(503))
    // What npm passes on right after the terminal's own signal does not count.
    await wait(700)
    child.kill('SIGTERM')
    expect((await stopped).code).toBe(1)
  })
})
