import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { batch, createTenant, statement } from '../../../test/contract/samples.ts'
import { openSqlite } from './index.ts'
import { openWriter } from './connection.ts'
import { Tending } from './tending.ts'

describe('the log', () => {
  let directory: string
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'claviger-tending-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('is copied back by another thread, each time it is asked', async () => {
    const path = join(directory, 'claviger.db')
    const { handle, close } = openWriter(path)
    handle.exec('create table t (x)')
    const tending = new Tending(path)
    const backlog = () => {
      const [{ log, checkpointed }] = handle.pragma('wal_checkpoint(noop)') as [{ log: number; checkpointed: number }]
      return log - checkpointed
    }
    for (let round = 0; round < 2; round++) {
      handle.prepare('insert into t values (?)').run('x'.repeat(100_000))
      expect(backlog()).toBeGreaterThan(20)
      expect(tending.ask()).toBe(true)
      await expect.poll(() => tending.isBusy, { timeout: 20_000 }).toBe(false)
      expect([tending.takeDone(), tending.takeDone(), backlog()]).toEqual([true, false, 0])
    }
    tending.close()
    close()
    expect(existsSync(`${path}-wal`)).toBe(false)
  }, 30_000)

  it('is safe with two connections that write and copy it', () => {
    // https://sqlite.org/wal.html#walreset: before, they could damage the file.
    const { handle, close } = openWriter(join(directory, 'claviger.db'))
    const [major = 0, minor = 0, patch = 0] = String(handle.prepare('select sqlite_version()').pluck().get())
      .split('.')
      .map(Number)
    expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003)
    close()
  })

  it('is left to who asked where nobody can copy it', async () => {
    const tending = new Tending(join(directory, 'nowhere', 'claviger.db'))
    expect(tending.ask()).toBe(true)
    await expect.poll(() => tending.isBusy, { timeout: 20_000 }).toBe(false)
    expect([tending.takeDone(), tending.ask()]).toEqual([false, false])
    const waiting = vi.spyOn(Atomics, 'wait')
    tending.close()
    expect(waiting).not.toHaveBeenCalled()
    waiting.mockRestore()
  }, 30_000)

  it('is left to who asked where there is no thread to be had', () => {
    // Refused when it is made, as one for which there is no room.
    const tending = new Tending((() => {}) as unknown as string)
    expect([tending.ask(), tending.isBusy, tending.takeDone(), tending.ask()]).toEqual([false, false, false, false])
    tending.close()
  })

  it('of a store is gone when it is closed, also while it is being copied', async () => {
    const storage = await openSqlite({ directory, threads: 'writer' })
    const { lrsId } = await createTenant(storage)
    const path = join(directory, 'claviger.db')
    const large = () => statement({ openBody: `{"x":"${'x'.repeat(4_000_000)}"`, timestamp: 1 })
    for (let round = 0; round < 12; round++) await storage.statements.store([batch(lrsId, [large(), large(), large()])])
    await storage.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
    const again = await openSqlite({ directory, threads: 'inline' })
    expect(await again.statements.countStatements(lrsId)).toBe(36)
    await again.close()
  }, 60_000)
})
