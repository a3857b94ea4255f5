// claviger lrs and organisation: what is described, deleted, restored, ended; and what other commands say of it then.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { LrsId } from '../../core/ids.ts'
import { callerIn } from '../context.ts'
import { firstStart } from '../first-start.ts'
import { openData } from '../open-data.ts'
import type { OpenData } from '../open-data.ts'
import { run } from '../run.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-lrs-'))
const config = loadConfig({
  CLAVIGER_DATA: directory,
  CLAVIGER_BASE_URL: 'https://lrs.example.org',
  CLAVIGER_BOOTSTRAP_KEY: 'first',
  CLAVIGER_BOOTSTRAP_SECRET: 'first-secret-0123456789',
})
let opened: OpenData
beforeAll(async () => {
  opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
})
afterAll(async () => {
  await opened.app.close()
  rmSync(directory, { recursive: true })
})

async function cli(...argv: readonly string[]) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const code = await run(argv, { config, streams, open: () => Promise.resolve(opened) })
  return { code, ...ended }
}
const typed = (line: string) => cli(...line.split(' '))
const json = async (line: string) => JSON.parse((await typed(`${line} --json`)).out)
const findings = async () => (await json('doctor')).findings as { check: string; state: string; message: string }[]
const audited = async () =>
  (await opened.core.audit.list(callerIn(opened, 1 as never), { limit: 1000 })).events.map(({ action }) => action)

/** With the key of the first start. */
async function store(lrsId: LrsId): Promise<void> {
  const principal = await opened.core.signIn.basic({ key: 'first', secret: 'first-secret-0123456789' })
  const text = '{"actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"urn:v"},"object":{"id":"urn:o"}}'
  const reaching = { ...principal, lrsIds: [lrsId] }
  await opened.core.statements.store(reaching, lrsId, { text, version: '1.0' })
}

describe('an Lrs', () => {
  it('is described, and found with what it holds', async () => {
    await cli('lrs', 'create', 'Archive', '--description', 'Until 2024')
    await store(2 as LrsId)
    expect(await json('lrs show 2')).toMatchObject({ name: 'Archive', description: 'Until 2024', statements: 1 })
    expect((await typed('lrs update 2 --name Attic --no-description')).out).toBe('Lrs 2 (Attic) updated.\n')
    expect(await json('lrs show 2')).toMatchObject({ name: 'Attic', description: null, deletedAt: null })
    expect((await json('lrs list'))[1]).toMatchObject({ id: 2, statements: 1, applicationId: null })
  })

  it('is deleted, said to hold what it holds, and restored', async () => {
    expect((await typed('lrs delete 2')).out).toBe(
      'Lrs 2 (Attic) is deleted: no key reaches it. It holds 1 statement still.\n' +
        'Back: claviger lrs restore 2. For good: claviger lrs empty 2\n',
    )
    expect(await json('lrs list')).toHaveLength(1)
    expect((await typed('lrs list --deleted')).out).toMatch(/Attic \(deleted\)/)
    expect((await json('lrs show 2')).deletedAt).toMatch(/^\d{4}-/)
    expect((await json('organisation show')).lrs).toHaveLength(1)
    expect(await typed('lrs update 2 --name x')).toMatchObject({ code: 1, err: 'error: Lrs 2 is deleted.\n' })
    const left = (await findings()).filter(({ check }) => check === 'Lrs 2 (Attic)')
    expect(left).toMatchObject([{ state: 'warning', message: expect.stringContaining('still holds 1 statement') }])
    expect((await typed('lrs restore 2')).out).toBe('Lrs 2 (Attic) is back, with 1 statement.\n')
    expect(await typed('lrs restore 2')).toMatchObject({ code: 1, err: 'error: Lrs 2 is not deleted.\n' })
    expect((await findings()).filter(({ check }) => check.startsWith('Lrs'))).toEqual([])
    expect((await audited()).filter((action) => /^lrs\.(update|delete|restore)$/.test(action))).toEqual([
      ...['lrs.update', 'lrs.delete', 'lrs.restore'],
    ])
  })

  it.each([
    ['lrs delete 1', 'is the default of the organisation'],
    ['lrs delete 9', 'there is no Lrs 9'],
    ['lrs update 1', 'say what is to change'],
    ['organisation update', 'say what is to change'],
    ['organisation update --default-lrs 9', '--default-lrs "9": The organisation has no Lrs 9.'],
    ['organisation update --expires 2001-01-01', 'is in the past'],
  ])('%s is refused, and nothing written', async (line, message) => {
    const before = await audited()
    const { code, err } = await typed(line)
    expect(code).not.toBe(0)
    expect(err).toContain(message)
    expect(await audited()).toEqual(before)
  })
})

describe('an organisation', () => {
  it('has another name and another default, and ends', async () => {
    expect((await typed('organisation update 1 --name Acme --default-lrs 2')).out).toMatch(/Lrs 2 +Attic \(default\)/)
    expect(await json('organisation update --expires 3d')).toMatchObject({ name: 'Acme', defaultLrsId: 2 })
    const ends = (await findings()).filter(({ check }) => check === 'organisation 1 (Acme)')
    expect(ends).toMatchObject([{ state: 'warning', message: expect.stringMatching(/^ends .* none of its keys/) }])
    await opened.core.organisations.update(callerIn(opened, 1 as never), { expiresAt: 1 })
    expect((await typed('organisation show')).out).toMatch(/ends +1970-.*: none of its keys is let in/)
    const refused = 'The organisation has expired. To change it: claviger organisation update 1 --no-expires'
    expect((await typed('try first')).out).toContain(refused)
    expect((await typed('ask first GET /xapi/statements')).out).toContain('The organisation has expired')
    const ended = (await findings()).filter(({ check }) => check === 'organisation 1 (Acme)')
    expect(ended).toMatchObject([{ state: 'warning', message: expect.stringMatching(/^ended 1970-/) }])
    expect(await json('organisation update --no-expires')).toMatchObject({ expiresAt: null })
    expect((await typed('try first')).out).toContain('yes')
  })
})

describe('a key without any Lrs', () => {
  it('is warned about, and cannot be tried', async () => {
    const input = { name: 'Homeless', rights: { xapi: {}, management: [] }, lrsIds: [] }
    const { credential } = await opened.core.credentials.create(callerIn(opened, 1 as never), input)
    const shown = await typed(`credential show ${credential.id}`)
    expect(shown.out + shown.err).toContain('It has no Lrs')
    expect(await typed(`try ${credential.id}`)).toMatchObject({ code: 1, err: expect.stringContaining('has no Lrs') })
  })
})
