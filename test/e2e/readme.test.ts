// The README's five minutes do what the README says: its blocks are run as they stand, against the built program, and what
// the command line answers there is what it answers.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { entry, startProgram } from '../support/program.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

let program: Awaited<ReturnType<typeof startProgram>>
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

interface Tour {
  /** What each `curl` of the section answers. */
  readonly answers: readonly unknown[]
  /** What each `claviger` printed, and what the README says it prints. */
  readonly printed: readonly (readonly [actual: string, promised: string])[]
}

function runTour(): Tour {
  const section = /\n## Five minutes\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? ''
  const blocks = [...section.matchAll(/```(sh|console)\n([\s\S]*?)```/g)]
  const promised: string[] = []
  const script = blocks.map(([, kind, block = '']) => {
    if (kind === 'sh') return block.replace(/^curl/gm, 'printf "\\n---\\ncurl\\n"; curl')
    const [, line = '', answer = ''] = /^\$ npx claviger (.*)\n([\s\S]*)$/.exec(block) ?? []
    promised.push(answer.trim())
    return `printf "\\n---\\nclaviger\\n"; node ${entry} ${line} || true\n`
  })
  const filled = script
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', program.url)
    .replaceAll('KEY:SECRET', `${program.key}:${program.secret}`)
  const output = execFileSync('bash', ['-euc', filled], {
    encoding: 'utf8',
    env: { ...process.env, CLAVIGER_DATA: program.dataDirectory },
  })
  const parts = output.split('\n---\n').slice(1)
  const answersOf = (name: string): string[] =>
    parts.filter((part) => part.startsWith(`${name}\n`)).map((part) => part.slice(name.length + 1).trim())
  const printed = answersOf('claviger').map((actual, index) => [actual, promised[index] ?? ''] as const)
  const answers = answersOf('curl').map((text) => (text === '' ? undefined : (JSON.parse(text) as unknown)))
  return { answers, printed }
}

it('makes a key, stores with it, reads back, tries and asks, and locks it out', () => {
  const { answers, printed } = runTour()
  const [made, stored, read, edited, refused, ...rest] = answers
  expect(made).toMatchObject({ id: 2, key: 'fire-safety', secret: 'a-long-chosen-secret', lrsAccess: 'isolated' })
  const [id] = stored as [string]
  expect(read).toMatchObject({
    statements: [{ id, object: { id: 'https://example.org/courses/fire-safety' } }],
    more: '',
  })
  expect(edited).toBeUndefined()
  expect(refused).toMatchObject({ status: 401 })
  expect(rest).toEqual([])
  expect(printed).toHaveLength(3)
  for (const [actual, promised] of printed) {
    // What comes before the dots differs from run to run.
    if (promised.startsWith('…')) expect(actual.endsWith(promised.slice(1).trimStart())).toBe(true)
    else expect(actual).toBe(promised)
  }
})
