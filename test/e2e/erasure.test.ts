// The small form of scripts/erasure-million.ts: a person is erased while others store and the server is killed twice. And what
// goes on beside an erasure that the command line waits for.

import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eraseUnderFire } from '../../scripts/erasure-rounds.ts'
import { runProgram, startProgram, temporaryDirectory } from '../support/program.ts'

describe('an erasure', () => {
  it('leaves nothing of the person in any file and everybody else’s rows as they were, killed twice on the way', async () => {
    const report = await eraseUnderFire({ statements: 12_000, actors: 20, killAt: [0.3, 0.6] })
    expect(report.problems).toEqual([])
    expect(report.kills).toBe(2)
    expect(report.erased).toBeGreaterThan(500)
  }, 180_000)

  it('holds up neither other commands nor the end of the server', async () => {
    const dataDirectory = temporaryDirectory()
    const program = await startProgram({ dataDirectory })
    const statements = 20_000
    for (let from = 0; from < statements; from += 500) await tell(program, from, 500)
    const erasing = program.command('erase', '--mbox', 'ann@example.org', '--yes')
    // Each of these takes its turn behind the erasure; the job is listed while the command still waits for it.
    let listed = ''
    while (!listed.includes('a person')) listed = (await program.command('erase', '--list')).stdout
    expect(listed).toContain('not done yet')
    expect((await program.stop()).code).toBe(0)
    expect(await erasing).toMatchObject({ code: 1, stderr: expect.stringContaining('was interrupted') })
    const alone = await runProgram(['erase', '--resume'], { dataDirectory })
    expect(alone.code).toBe(0)
    const { stdout } = await runProgram(['erase', '--list', '--json'], { dataDirectory })
    expect(JSON.parse(stdout).erasures).toMatchObject([{ counts: { statements }, finishedAt: expect.any(String) }])
    rmSync(dataDirectory, { recursive: true })
  }, 120_000)
})

async function tell(
  { url, key, secret }: { readonly url: string; readonly key: string; readonly secret: string },
  from: number,
  count: number,
): Promise<void> {
  const actor = { mbox: 'mailto:ann@example.org' }
  const all = Array.from({ length: count }, (_, index) => ({
    actor,
    verb: { id: 'urn:verb' },
    object: { id: `urn:activity:${from + index}` },
  }))
  const headers = {
    authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
    'content-type': 'application/json',
  }
  const { status } = await fetch(new URL('/xapi/statements', url), {
    method: 'POST',
    headers,
    body: JSON.stringify(all),
  })
  expect(status).toBe(200)
}
