import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { WorkerClient } from './engine-client.ts'
import { createTenant } from '../../../test/contract/samples.ts'
import { openSqlite } from './index.ts'
import { tmpdir } from 'node:os'
import type { Worker } from 'node:worker_threads'

describe('a data directory', () => {
  let directory: string
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'claviger-sqlite-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const inline = () => openSqlite({ directory, threads: 'inline' })

  it('is made where there is none, for nobody else to read', async () => {
    directory = join(directory, 'a', 'b')
    const storage = await inline()
    await createTenant(storage)
    const readable = readdirSync(directory).filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0)
    expect(statSync(directory).mode & 0o077).toBe(0)
    expect(readable.filter((name) => name.startsWith('claviger.db'))).toEqual([])
    await storage.close()
  })

  it('has one owner at a time, named to the second', async () => {
    const first = await inline()
    for (const threads of ['inline', 'workers'] as const) {
      const second = openSqlite({ directory, threads })
      await expect(second).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(directory) })
    }
    await first.close()
    const third = await inline()
    expect((await third.platform.listOrganisations({ offset: 0, limit: 1 })).total).toBe(0)
    await third.close()
  })

  it('has one owner over processes too, until that dies', async () => {
    const storage = await inline()
    const attempt = `import { openSqlite } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const opened = await openSqlite({ directory: process.argv[1], threads: 'inline' }).catch((error) => error.code)
      console.log(typeof opened === 'string' ? opened : 'opened')
      process.kill(process.pid, 'SIGKILL')`
    const run = () => {
      try {
        return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', attempt, directory], {
          stdio: ['ignore', 'pipe', 'inherit'],
        }).toString()
      } catch (error) {
        return String((error as { stdout: Buffer }).stdout)
      }
    }
    expect(run()).toBe('unavailable\n')
    await storage.close()
    expect(run()).toBe('opened\n')
    await (await inline()).close()
  })

  it('that cannot be made is unavailable', async () => {
    const storage = openSqlite({ directory: '/dev/null/claviger', threads: 'inline' })
    await expect(storage).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('/dev/null/claviger'),
    })
  })

  it('is refused when a newer program wrote it, and left as it was', async () => {
    await (await inline()).close()
    const handle = new Database(join(directory, 'claviger.db'))
    handle.exec("insert into schema_migration values (999, 'future', 'x', 0)")
    handle.close()
    await expect(inline()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('newer') })
    await expect(inline()).rejects.toMatchObject({ message: expect.stringContaining('newer') })
  })
})

describe('storage threads', () => {
  it('that die answer what is pending as unavailable, and everything after; closing still works', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-sqlite-'))
    const workers: Worker[] = []
    const remember = (worker: Worker) => void workers.push(worker)
    process.on('worker', remember)
    const storage = await openSqlite({ directory, threads: 'workers' })
    await createTenant(storage)
    process.off('worker', remember)
    expect(workers).toHaveLength(2)

    const pending = [storage.platform.putKeyCheck('x'), storage.platform.findKeyCheck()]
    const settled = Promise.allSettled(pending)
    await Promise.all(workers.map((worker) => worker.terminate()))
    for (const result of await settled) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'unavailable' })
    }
    await expect(storage.platform.putKeyCheck('x')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(storage.platform.findKeyCheck()).rejects.toMatchObject({ code: 'unavailable' })
    await storage.close()

    const again = await openSqlite({ directory, threads: 'inline' })
    expect((await again.platform.listOrganisations({ offset: 0, limit: 1 })).total).toBe(1)
    await again.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it.each([0, 1])('that die unasked are reported once, thread %i; those that are closed are not', async (index) => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-sqlite-'))
    const workers: Worker[] = []
    const remember = (worker: Worker) => void workers.push(worker)
    const causes: unknown[] = []
    const onFailure = (cause: unknown) => void causes.push(cause)
    await (await openSqlite({ directory, threads: 'workers', onFailure })).close()
    expect(causes).toEqual([])
    process.on('worker', remember)
    const storage = await openSqlite({ directory, threads: 'workers', onFailure })
    await createTenant(storage)
    process.off('worker', remember)
    await workers[index]?.terminate()
    await expect.poll(() => causes).toEqual([expect.objectContaining({ message: expect.stringContaining('thread') })])
    await workers[1 - index]?.terminate()
    await storage.close()
    expect(causes).toHaveLength(1)
    rmSync(directory, { recursive: true, force: true })
  })

  it('that cannot start answer unavailable', async () => {
    const client = new WorkerClient({ role: 'reader', path: '/dev/null/claviger.db' })
    const calls = [client.call('platform.findKeyCheck', []), client.call('platform.findKeyCheck', [])]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    await client.close()
  })

  it('tell the caller of arguments that cannot be sent', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-sqlite-'))
    const storage = await openSqlite({ directory, threads: 'workers' })
    const wrong = storage.platform.findSignInCandidates((() => 'key') as unknown as string)
    await expect(wrong).rejects.toMatchObject({ code: 'internal' })
    expect(await storage.platform.findKeyCheck()).toBeUndefined()
    await storage.close()
    rmSync(directory, { recursive: true, force: true })
  })
})
