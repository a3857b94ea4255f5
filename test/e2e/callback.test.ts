// The endpoint to develop against and a server that asks it, as docs/guides/callback.md has them: two programs, and one user.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { entry, startProgram, temporaryDirectory } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

const directory = temporaryDirectory()
let example: ChildProcess
let said = ''
let program: StartedProgram
let applications: readonly string[]

beforeAll(async () => {
  const users = ['--user', 'ann:hunter2']
  example = spawn(process.execPath, [entry, 'callback', 'serve-example', '--port', '0', ...users], {
    cwd: directory,
    env: { PATH: process.env['PATH'], CLAVIGER_DATA: directory },
  })
  example.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
  const url = await vi.waitFor(() => /is at (https:\/\/localhost:\d+\/)/.exec(said)![1]!, 60_000)
  const settings = /^ {2}(CLAVIGER_\S+) (CLAVIGER_\S+) claviger serve$/m.exec(said)!.slice(1)
  program = await startProgram({ env: Object.fromEntries(settings.map((setting) => setting.split('='))) })
  applications = await Promise.all(['One', 'Two'].map(createApplication))
  const { code, stderr } = await program.command('callback', 'set', applications[0]!, url)
  expect([code, stderr]).toEqual([0, ''])
})
afterAll(async () => {
  example.kill('SIGKILL')
  await program.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function createApplication(name: string): Promise<string> {
  const { stdout } = await program.command('application', 'create', name, '--json')
  return (JSON.parse(stdout) as { readonly id: string }).id
}

async function statusOf(path: string, user: string): Promise<number> {
  const headers = {
    authorization: `Basic ${Buffer.from(user).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
  }
  return (await fetch(`${program.url}${path}`, { headers })).status
}

const linesAbout = (user: string) => said.split('\n').filter((line) => line.includes(`about ${user}:`))

describe('a user whom the endpoint knows', () => {
  it('signs in on the paths of the application that asks it, and nowhere else', async () => {
    const [one, two] = applications
    for (const path of [`/lrs/${one}`, `/lrs/${one}/sandbox`, `/tc/${one}`, `/RusticiEngine/lrs/${one}`]) {
      expect([path, await statusOf(`${path}/statements`, 'ann:hunter2')]).toEqual([path, 200])
    }
    expect(linesAbout('ann')).toHaveLength(1)
    for (const path of [`/lrs/${two}/statements`, '/xapi/statements', '/lrs/NONE567890/statements']) {
      expect([path, await statusOf(path, 'ann:hunter2')]).toEqual([path, 401])
    }
    expect(await statusOf(`/lrs/${one}/statements`, 'ann:wrong')).toBe(401)
    expect(await statusOf(`/lrs/${one}/statements`, 'ann:wrong')).toBe(401)
    expect(linesAbout('ann').map((line) => line.replace(/.*: /, ''))).toEqual(['verified, default', 'unverified'])
  })

  it('is asked about anew once what was answered is forgotten', async () => {
    const [one] = applications
    await program.command('callback', 'forget', one!)
    expect(await statusOf(`/lrs/${one}/statements`, 'ann:hunter2')).toBe(200)
    expect(linesAbout('ann')).toHaveLength(3)
  })

  it('is tried by a command, which says how the answer was read', async () => {
    const { code, stdout } = await program.command('callback', 'test', applications[0]!, 'ann', '--password', 'hunter2')
    expect(code).toBe(0)
    expect(stdout).toContain('verified, for what is about themselves')
  })
})

describe('the endpoint', () => {
  it('keeps its certificate for the next time, and stops when it is told to', async () => {
    expect(existsSync(`${directory}/callback-example/ca.pem`)).toBe(true)
    example.kill('SIGTERM')
    const [code] = (await once(example, 'close')) as [number | null]
    expect([code, said.endsWith('Stopped.\n')]).toEqual([0, true])
  })
})
