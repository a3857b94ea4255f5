// A store moved from SQLite to PostgreSQL and back as an operator does it: backed up while it is served, copied, killed in the
// middle, gone on with; every key works everywhere.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { rmSync } from 'node:fs'
import pg from 'pg'
import { expect, inject, it } from 'vitest'
import { createDatabase } from '../support/postgres.ts'
import { entry, runProgram, startProgram, temporaryDirectory } from '../support/program.ts'

const statements = 3000

it('moves to PostgreSQL and back, killed on the way', async () => {
  const root = temporaryDirectory()
  const database = await createDatabase(inject('postgresUrl'))
  const dataDirectory = join(root, 'data')
  const first = await startProgram({ dataDirectory })
  for (let from = 0; from < statements; from += 500) await tell(first, from, 500)
  const { key, secret } = first
  const before = await listed(first)

  const backup = await first.command('backup', '--to', join(root, 'backup'), '--json')
  expect(backup.code).toBe(0)
  const running = await runProgram(['copy', '--from', dataDirectory, '--to', database.url], { dataDirectory })
  expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining('Another process is using') })
  await first.stop()

  await killInTheMiddle(['copy', '--from', dataDirectory, '--to', database.url], { dataDirectory, url: database.url })
  const env = {
    CLAVIGER_DATABASE_URL: database.url,
    CLAVIGER_MASTER_KEY_FILE: join(dataDirectory, 'master.key'),
  }
  const refused = await runProgram(['serve'], { dataDirectory, env })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('unfinished copy') })
  const copied = await runProgram(['copy', '--from', dataDirectory, '--to', database.url, '--json'], { dataDirectory })
  expect(copied.stderr).toBe('')
  expect(JSON.parse(copied.stdout)).toMatchObject({ isFinished: true, isResumed: true })

  const onPostgres = await startProgram({ dataDirectory, env })
  expect(await listed({ ...onPostgres, key, secret })).toEqual(before)
  await onPostgres.stop()

  const back = join(root, 'back')
  const returned = await runProgram(['copy', '--from', 'database', '--to', back, '--with-master-key', '-q'], {
    dataDirectory,
    env,
  })
  expect(returned).toMatchObject({ code: 0, stderr: '' })
  const restored = join(root, 'restored')
  const keyFile = { CLAVIGER_MASTER_KEY_FILE: join(dataDirectory, 'master.key') }
  const restoring = await runProgram(['restore', '--from', join(root, 'backup'), '-q'], {
    dataDirectory: restored,
    env: keyFile,
  })
  expect(restoring).toMatchObject({ code: 0, stderr: '' })
  for (const [directory, more] of [
    [back, {}],
    [restored, keyFile],
  ] as const) {
    const again = await startProgram({ dataDirectory: directory, env: more })
    expect(await listed({ ...again, key, secret })).toEqual(before)
    expect((await again.command('audit', 'verify')).code).toBe(0)
    await again.stop()
  }
  await database.drop()
  rmSync(root, { recursive: true })
}, 240_000)

/** When the statements are half there. */
async function killInTheMiddle(
  argv: readonly string[],
  { dataDirectory, url }: { readonly dataDirectory: string; readonly url: string },
): Promise<void> {
  const child = spawn(process.execPath, [entry, ...argv], {
    env: { PATH: process.env['PATH'], CLAVIGER_DATA: dataDirectory },
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (let isThere = false; !isThere;) {
    expect(child.exitCode, 'the copy ended before it was killed').toBeNull()
    const { rows } = await client.query<{ there: boolean }>('select exists (select 1 from posting) as there')
    isThere = rows[0]?.there === true
  }
  child.kill('SIGKILL')
  await client.end()
  expect(await ended).toEqual([null, 'SIGKILL'])
}

interface Reached {
  readonly url: string
  readonly key: string
  readonly secret: string
}

function headersOf({ key, secret }: Reached): Record<string, string> {
  return {
    authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
    'x-experience-api-version': '1.0.3',
    'content-type': 'application/json',
  }
}

async function tell(reached: Reached, from: number, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, index) => ({
    actor: { mbox: `mailto:actor${index % 50}@example.org` },
    verb: { id: `urn:verb:${index % 5}` },
    object: { id: `urn:activity:${from + index}` },
  }))
  const body = JSON.stringify(all)
  const { status } = await fetch(new URL('/xapi/statements', reached.url), {
    method: 'POST',
    headers: headersOf(reached),
    body,
  })
  expect(status).toBe(200)
}

/** Every statement, page by page. */
async function listed(reached: Reached): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for (let path = '/xapi/statements?ascending=true&limit=500'; path !== '';) {
    const answer = await fetch(new URL(path, reached.url), { headers: headersOf(reached) })
    expect(answer.status).toBe(200)
    const page = (await answer.json()) as { statements: unknown[]; more?: string }
    found.push(...page.statements)
    path = page.more ?? ''
  }
  expect(found).toHaveLength(statements)
  return found
}
