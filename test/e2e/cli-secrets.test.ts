// Secrets at rest and the master key that guards them: what a stolen database shows, what a rotation survives.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runProgram, startProgram, temporaryDirectory } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

let dataDirectory: string
let program: StartedProgram | undefined
beforeEach(() => {
  dataDirectory = temporaryDirectory()
})
afterEach(async () => {
  await program?.kill()
  rmSync(dataDirectory, { recursive: true, force: true })
})

interface Key {
  readonly key: string
  readonly secret: string
}

async function start(env: Record<string, string> = {}): Promise<StartedProgram> {
  program = await startProgram({ dataDirectory, env })
  return program
}

async function issue(...argv: string[]): Promise<Key> {
  const { stdout } = await runProgram([...argv, '--json'], { dataDirectory })
  return JSON.parse(stdout) as Key
}

function basic({ key, secret }: Key): Record<string, string> {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  return { authorization, 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }
}

async function statusFor(key: Key): Promise<number> {
  return (await fetch(`${program?.url}/xapi/statements`, { headers: basic(key) })).status
}

it('a copy of the data without the master key holds no secret, neither in clear nor encoded', async () => {
  const first = await start()
  const chosen = 'chosen by hand, long enough'
  const issued: Key[] = [
    { key: first.key, secret: first.secret },
    await issue('credential', 'create', '--name', 'A', '--preset', 'isolated'),
    { ...(await issue('credential', 'create', '--name', 'B', '--key', 'b', '--secret', chosen)), secret: chosen },
    await issue('session', 'create', 'b'),
    await issue('credential', 'rotate', 'b', '--overlap', '1h'),
  ]
  const api = `${first.url}/api/organizations/1/activity-providers`
  const made = await fetch(api, { method: 'POST', headers: basic(first), body: '{"name":"C","lrsAccess":"isolated"}' })
  const provider = (await made.json()) as Key & { id: number }
  const session = await fetch(`${api}/self/sessions`, { method: 'POST', headers: basic(provider), body: '{}' })
  issued.push(provider, (await session.json()) as Key)
  for (const key of issued) expect(await statusFor(key), key.key).toBe(200)
  // Not stopped in order: the log beside the database still holds the latest writes.
  await first.kill()

  const files = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(db|lock)|wal|shm/.test(name),
  )
  expect(files).toContain('claviger.db')
  const bytes = Buffer.concat(files.map((name) => readFileSync(join(dataDirectory, name))))
  expect(bytes.includes(issued[1]!.key)).toBe(true)
  for (const { secret } of issued) {
    for (const form of [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('hex'),
    ]) {
      expect(bytes.includes(form)).toBe(false)
    }
  }
  const masterKey = readFileSync(join(dataDirectory, 'master.key'), 'utf8').trim()
  expect(bytes.includes(masterKey)).toBe(false)
  expect(bytes.includes(Buffer.from(masterKey, 'base64'))).toBe(false)
})

it('keys, sessions and new organisations work on after a rotation, then and after a restart', async () => {
  const { key, secret } = await start()
  const session = await issue('session', 'create', key)
  const before = readFileSync(join(dataDirectory, 'master.key'))
  expect((await runProgram(['master-key', 'rotate'], { dataDirectory })).code).toBe(0)
  expect(readFileSync(join(dataDirectory, 'master.key'))).not.toEqual(before)
  expect(readdirSync(dataDirectory)).not.toContain('master.key.next')
  await runProgram(['organisation', 'create', 'After', '--id', '2'], { dataDirectory })
  const after = await issue('credential', 'create', '--name', 'After', '-o', '2')
  const all = [{ key, secret }, session, after]
  for (const item of all) expect(await statusFor(item)).toBe(200)
  await program?.stop()
  await start()
  for (const item of all) expect(await statusFor(item)).toBe(200)
  expect((await runProgram(['audit', 'verify'], { dataDirectory })).code).toBe(0)
})

it('the key before a rotation opens nothing any more', async () => {
  const { stop } = await start()
  const before = readFileSync(join(dataDirectory, 'master.key'))
  await runProgram(['master-key', 'rotate'], { dataDirectory })
  await stop()
  writeFileSync(join(dataDirectory, 'master.key'), before)
  const ended = await runProgram(['serve'], { dataDirectory })
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/^error: The master key is not the one .*\n$/)
})

it('a rotation that was cut off before the database changed over never happened', async () => {
  const first = await start()
  await first.stop()
  const present = readFileSync(join(dataDirectory, 'master.key'))
  writeFileSync(join(dataDirectory, 'master.key.next'), `${Buffer.alloc(32, 9).toString('base64')}\n`)
  await start()
  expect(await statusFor(first)).toBe(200)
  expect(readFileSync(join(dataDirectory, 'master.key'))).toEqual(present)
  expect(readdirSync(dataDirectory)).not.toContain('master.key.next')
})

it('a rotation that was cut off before the new key was in place is finished by the next start', async () => {
  const first = await start()
  const present = join(dataDirectory, 'master.key')
  copyFileSync(present, `${present}.old`)
  await runProgram(['master-key', 'rotate'], { dataDirectory })
  await first.kill()
  renameSync(present, `${present}.next`)
  renameSync(`${present}.old`, present)
  const following = readFileSync(`${present}.next`)
  await start()
  expect(await statusFor(first)).toBe(200)
  expect(readFileSync(present)).toEqual(following)
  expect(readdirSync(dataDirectory)).not.toContain('master.key.next')
})

it('a key given by a setting is changed by settings', async () => {
  const [one, two] = [Buffer.alloc(32, 1).toString('hex'), Buffer.alloc(32, 2).toString('base64')]
  const first = await start({ CLAVIGER_MASTER_KEY: one })
  expect(readdirSync(dataDirectory)).not.toContain('master.key')
  const refused = await first.command('master-key', 'rotate')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('CLAVIGER_MASTER_KEY_PREVIOUS') })
  await first.stop()
  await (await start({ CLAVIGER_MASTER_KEY: two, CLAVIGER_MASTER_KEY_PREVIOUS: one })).stop()
  await start({ CLAVIGER_MASTER_KEY: two })
  expect(await statusFor(first)).toBe(200)
})

it('a command reaches a server whose directory has a path too long for a socket', async () => {
  const long = join(dataDirectory, 'x'.repeat(100))
  mkdirSync(long)
  program = await startProgram({ dataDirectory: long })
  const ended = await runProgram(['credential', 'create', '--name', 'A', '--json'], { dataDirectory: long })
  expect(ended.stderr).toBe('')
  expect(await statusFor(JSON.parse(ended.stdout) as Key)).toBe(200)
})
