// The scripts of docs/guides/clients.md, run as they stand but for endpoint, key and secret. The one for a page runs in
// chromium.test.ts.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scriptOf } from './guide.ts'
import { sharedProgram } from './setting.ts'

const program = sharedProgram()
beforeAll(program.start)
afterAll(program.stop)

const setting = program.at('/xapi/')
// Packages are looked for from here.
const cwd = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

it.each(['tincanjs', '@xapi/xapi'])('the guide’s script for %s runs, and runs again', async (library) => {
  const script = scriptOf(library, setting.account(await setting.keys.create('isolated')))
  for (const _ of ['first', 'again']) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd })
    expect(stdout).toBe('resumed at 3\nattached: All went well.\n')
  }
})
