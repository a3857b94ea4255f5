// The sample lesson as somebody meets it who tries out Claviger: `launch demo` opens their browser, they take the lesson, and the
// command shows what it stored.

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBrowser } from '../support/browser.ts'
import { type Ended, startProgram, type StartedProgram } from '../support/program.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-lesson-'))
const opened = join(directory, 'opened')
let browser: Browser
let program: StartedProgram

beforeAll(async () => {
  // In place of what opens a browser on a desktop.
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(
      join(directory, name),
      `#!/bin/sh\nprintf %s "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`,
    )
    chmodSync(join(directory, name), 0o755)
  }
  const env = { PATH: `${directory}:${process.env['PATH']}` }
  ;[browser, program] = await Promise.all([startBrowser(), startProgram({ env })])
})
afterAll(async () => {
  await Promise.all([browser?.close(), program?.stop()])
  rmSync(directory, { recursive: true, force: true })
})

/** What `launch demo` prints in the end, and the page it opened. */
async function demo(style: string): Promise<{ readonly page: Page; readonly ended: Promise<Ended> }> {
  rmSync(opened, { force: true })
  const ended = program.command('launch', 'demo', '--style', style, '--json')
  await Promise.race([addressOpened(), failure(ended)])
  const page = await browser.newPage()
  await page.goto(readFileSync(opened, 'utf8'))
  return { page, ended }
}

async function addressOpened(): Promise<void> {
  await expect.poll(() => existsSync(opened), { timeout: 30_000 }).toBe(true)
}

async function failure(ended: Promise<Ended>): Promise<void> {
  const { code, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
}

function heading(page: Page, name: string): Promise<void> {
  return page.getByRole('heading', { name, level: 2 }).waitFor()
}

async function printed(ended: Promise<Ended>): Promise<{ endedBy: string; verbs: string[] }> {
  const { code, stdout, stderr } = await ended
  expect(code, stderr).toBe(0)
  const { endedBy, statements } = JSON.parse(stdout)
  return { endedBy, verbs: statements.map(({ verb }: { verb: { id: string } }) => verb.id.split('/').at(-1)) }
}

describe.each(['cmi5', 'tincan'])('the sample lesson, launched as %s', (style) => {
  it('is begun, taken up again where it was left, and closed', async () => {
    const first = await demo(style)
    await heading(first.page, 'A key of its own')
    await first.page.getByRole('button', { name: 'Next' }).click()
    await heading(first.page, 'What it opens')
    await first.page.close()

    const { page, ended } = await demo(style)
    expect(await printed(first.ended)).toMatchObject({ endedBy: 'superseded' })
    await heading(page, 'What it opens')
    await page.getByText('You are where you left off.').waitFor()
    // Its token was handed out once, and works on.
    await page.reload()
    await heading(page, 'What it opens')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Mine, in this lesson').check()
    await page.getByLabel('Until the lesson is closed, or forgotten').check()
    await page.getByRole('button', { name: 'Finish' }).click()
    await page.getByText('Your score: 100 %.').waitFor()
    await page.getByRole('button', { name: 'Close the lesson' }).click()
    await page.getByText(style === 'cmi5' ? 'What you did is written down.' : 'The lesson is over').waitFor()
    await page.close()

    const { endedBy, verbs } = await printed(ended)
    expect(endedBy).toBe('terminated')
    const own = ['initialized', 'completed', 'passed', 'terminated']
    // Tin Can content is not told that it is the same session.
    const all = ['initialized', 'initialized', ...own.slice(1)]
    expect(verbs).toEqual(style === 'cmi5' ? ['launched', ...own.slice(0, 3), 'satisfied', 'terminated'] : all)
  })
})

it('says so where nobody launched it', async () => {
  const page = await browser.newPage()
  await page.goto(`${program.url}/launch/lesson/index.html`)
  await page.getByText('This lesson is opened by a launch').waitFor()
  await page.close()
})
