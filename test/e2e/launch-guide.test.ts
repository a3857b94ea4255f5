// The five minutes of docs/guides/launch.md do what the guide says: its blocks are run as they stand, against the built program, and the
// address it signs is opened in a real browser, where somebody takes the lesson.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBrowser } from '../support/browser.ts'
import { entry, startProgram } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

const guide = readFileSync(new URL('../../docs/guides/launch.md', import.meta.url), 'utf8')
const blocks = [...(/\n## Five minutes\n([\s\S]*?)\n## /.exec(guide)?.[1] ?? '').matchAll(/```sh\n([\s\S]*?)```/g)]

let browser: Browser
let program: StartedProgram
beforeAll(async () => {
  ;[browser, program] = await Promise.all([startBrowser(), startProgram()])
})
afterAll(() => Promise.all([browser?.close(), program?.stop()]))

/** What a block prints; nobody has a desktop here. */
function run(at: number, replaced: Readonly<Record<string, string>> = {}): string {
  const changes = {
    'npx claviger': `node ${entry}`,
    'http://127.0.0.1:8080': program.url,
    ' --open': '',
    ...replaced,
  }
  let script = blocks[at]?.[1] ?? ''
  for (const [from, to] of Object.entries(changes)) script = script.replaceAll(from, to)
  const env = { ...process.env, CLAVIGER_DATA: program.dataDirectory }
  return execFileSync('bash', ['-euc', script], { encoding: 'utf8', env })
}

it('registers content and platform, signs a launch, and shows what came of it', async () => {
  expect(blocks).toHaveLength(5)
  const id = /^Content ([0-9a-f]{24}) \(Keys\) registered/.exec(run(0))?.[1] ?? ''
  // The second block only says to remember it.
  expect(blocks[1]?.[1]).toMatch(/^CONTENT=[0-9a-f]{24}\n$/)
  const registered = run(2, { $CONTENT: id })
  for (const page of ['view', 'add', 'delete']) {
    expect(registered).toContain(`${program.url}/launch/itslearning/north/${page}`)
  }
  const address = run(3).trim()

  const page = await browser.newPage()
  await page.goto(address)
  for (let step = 0; step < 2; step++) await page.getByRole('button', { name: 'Next' }).click()
  await page.getByLabel('Mine, in this lesson').check()
  await page.getByLabel('Until the lesson is closed, or forgotten').check()
  await page.getByRole('button', { name: 'Finish' }).click()
  await page.getByText('Your score: 100 %.').waitFor()
  await page.getByRole('button', { name: 'Close the lesson' }).click()
  await page.waitForURL(`${program.url}/launch/closed`)

  const listed = run(4)
  const learner = 'account https://www.itslearning.com/customers/14 7'
  expect(listed).toMatch(new RegExp(`north +cmi5 +normal +${learner} .* finished, `))
  const shown = await program.command('launch', 'show', /^[0-9a-f-]{36}/m.exec(listed)?.[0] ?? '')
  expect([shown.code, shown.stderr]).toEqual([0, ''])
  const [told = ''] = /```\n( {2}learner[\s\S]*?)```/.exec(guide) ?? []
  const verbs = [...told.matchAll(/^ {2}[\d:]{8} {2}(\w+) /gm)].map(([, verb]) => verb)
  expect(verbs).toHaveLength(6)
  expect([...shown.stdout.matchAll(/^ {2}[\d:]{8} {2}(\w+) /gm)].map(([, verb]) => verb)).toEqual(verbs)
})
