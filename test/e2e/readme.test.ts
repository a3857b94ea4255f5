// The README's five minutes do what the README says: its blocks are run as they stand, against the built program.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startProgram } from '../support/program.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let program: Awaited<ReturnType<typeof startProgram>>
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

/** What each `curl` of the section answers. */
function runTour(): unknown[] {
  const section = /\n## Five minutes\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? ''
  const script = [...section.matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, block = '']) => block)
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', program.url)
    .replaceAll('KEY:SECRET', `${program.key}:${program.secret}`)
    .replace(/^curl/gm, 'printf "\\n---\\n"; curl')
  const output = execFileSync('bash', ['-euc', script], { encoding: 'utf8' })
  return output
    .split('\n---\n')
    .slice(1)
    .map((answer) => (answer === '' ? undefined : (JSON.parse(answer) as unknown)))
}

it('makes a key, stores with it, reads back, and locks it out', () => {
  const [made, stored, read, edited, refused, ...rest] = runTour()
  expect(made).toMatchObject({ id: 2, key: 'fire-safety', secret: 'a-long-chosen-secret', lrsAccess: 'isolated' })
  const [id] = stored as [string]
  expect(read).toMatchObject({
    statements: [{ id, object: { id: 'https://example.org/courses/fire-safety' } }],
    more: '',
  })
  expect(edited).toBeUndefined()
  expect(refused).toMatchObject({ status: 401 })
  expect(rest).toEqual([])
})
