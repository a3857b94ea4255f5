// What doctor says of the files that rows refer to. Its other checks: run.test.ts.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blobFiles, loseBlobs } from '../../../test/support/damage.ts'
import { statement, store } from '../../../test/contract/samples.ts'
import { loadConfig } from '../../config.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { Storage } from '../../core/storage.ts'
import { openSqlite } from '../../storage/sqlite/index.ts'
import { firstStart } from '../first-start.ts'
import { openData } from '../open-data.ts'
import { protocolsOf } from '../platform-settings.ts'
import { run } from '../run.ts'
import type { Opened } from '../context.ts'

const lrsId = 1 as LrsId
const sha2Of = (text: string) => createHash('sha256').update(text).digest('hex')
async function* once(text: string) {
  yield Buffer.from(text)
}

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'claviger-doctor-'))))
afterEach(() => rmSync(directory, { recursive: true }))

/** The bytes, and a row that refers to them. */
async function attach({ blobs, ...storage }: Pick<Storage, 'blobs' | 'statements'>, text: string): Promise<void> {
  await blobs.put(lrsId, once(text), { mostBytes: 1000 })
  const attachments = [{ sha2: sha2Of(text), contentType: 'text/plain' }]
  await store(storage as Storage, lrsId, [statement({ attachments })])
}

async function keep({ blobs, documents }: Storage, id: string, text: string): Promise<void> {
  const blob = await blobs.put(lrsId, once(text), { mostBytes: 1000 })
  const key = { kind: 'activity-profile', activityId: 'urn:course', id } as const
  const access = { owner: 1 as never, reach: 'any' } as const
  const change = {
    kind: 'replace',
    content: { kind: 'blob', ...blob },
    contentType: 'video/mp4',
    etag: sha2Of(text),
  } as const
  const outcome = await documents.change(lrsId, key, access, change, { preconditions: {}, mostBytes: 1000 })
  expect(outcome.kind).toBe('done')
}

async function doctor(checkIntegrity?: Opened['checkIntegrity'], baseUrl = 'https://lrs.example.org') {
  const config = loadConfig({ CLAVIGER_DATA: directory, CLAVIGER_BASE_URL: baseUrl })
  const opened = await openData(config, { threads: 'inline' })
  try {
    let out = ''
    const open = () => Promise.resolve({ ...opened, ...(checkIntegrity && { checkIntegrity }) })
    const streams = { out: (text: string) => void (out += text), err: () => {} }
    const code = await run(['doctor', '--json'], { config, streams, open })
    const { findings } = JSON.parse(out) as { findings: { check: string; state: string; message: string }[] }
    const files = findings.find(({ check }) => check === 'files of attachments and long documents')
    return { code, findings, state: files?.state, message: files?.message ?? '' }
  } finally {
    await opened.app.close()
  }
}

describe('doctor', () => {
  beforeEach(async () => {
    const storage = await openSqlite({ directory, threads: 'inline' })
    for (const text of ['one', 'two']) await attach(storage, text)
    for (const text of ['two', 'three']) await keep(storage, text, text)
    // Nobody refers to it: its file may be there or not.
    await storage.blobs.put(lrsId, once('nobody'), { mostBytes: 1000 })
    await storage.close()
  })

  it('counts what attachments and documents refer to, each once', async () => {
    expect(await doctor()).toMatchObject({ code: 0, state: 'ok', message: '3, all there' })
    rmSync(blobFiles(directory).get(sha2Of('nobody'))!)
    expect((await doctor()).code).toBe(0)
  })

  it('finds a file that is gone, and a document that was cut', async () => {
    const files = blobFiles(directory)
    rmSync(files.get(sha2Of('one'))!)
    writeFileSync(files.get(sha2Of('three'))!, 'th')
    const { code, state, message } = await doctor()
    expect([code, state]).toEqual([1, 'problem'])
    expect(message).toMatch(/^2 of 3 missing or damaged/)
    expect(message).toContain(`${sha2Of('one')} of Lrs 1 (missing)`)
    expect(message).toContain(`${sha2Of('three')} of Lrs 1 (2 bytes instead of 5)`)
  })

  it('counts from when a key came here, not from when it was made elsewhere', async () => {
    const opened = await openData(loadConfig({ CLAVIGER_DATA: directory }), { threads: 'inline' })
    const { core } = opened
    const { organisation } = await core.organisations.create({ operator: 'test' }, { name: 'Moved' })
    const caller = core.signIn.operator(organisation.id, 'test')
    await core.credentials.create(caller, {
      name: 'Old',
      rights: { xapi: {}, management: [] },
      createdAt: 1e12,
      updatedAt: 1e12,
    })
    await opened.app.close()
    const { findings } = await doctor()
    expect(findings.filter(({ message }) => message.startsWith('never used'))).toEqual([])
  })

  it('S0.13 warns of a key that stores and reads nothing back, and of no other', async () => {
    const opened = await openData(loadConfig({ CLAVIGER_DATA: directory }), { threads: 'inline' })
    const { organisation } = await opened.core.organisations.create({ operator: 'test' }, { name: 'Campus' })
    const caller = opened.core.signIn.operator(organisation.id, 'test')
    for (const [name, xapi] of [
      ['Blind', { 'statements/write': 'any' }],
      ['Seeing', { 'statements/write': 'any', 'statements/read': 'mine' }],
    ] as const) {
      await opened.core.credentials.create(caller, { name, rights: { xapi, management: [] } })
    }
    await opened.app.close()
    const { code, findings } = await doctor()
    expect(findings.filter(({ message }) => message.includes('read back'))).toEqual([
      { check: expect.stringContaining('(Blind)'), state: 'warning', message: 'It cannot read back what it stores.' },
    ])
    expect(code).toBe(0)
  })

  it('warns of how the database server is set', async () => {
    const risk = 'synchronous_commit is off'
    const { findings } = await doctor(async () => ({ faults: [], risks: [risk], blobs: undefined }))
    expect(findings).toContainEqual({ check: 'database server', state: 'warning', message: risk })
  })

  it('names the first few when all are gone', async () => {
    const storage = await openSqlite({ directory, threads: 'inline' })
    for (let number = 0; number < 20; number++) await attach(storage, String(number))
    await storage.close()
    loseBlobs(directory)
    const { message } = await doctor()
    expect(message).toMatch(/^23 of 23 missing or damaged/)
    expect(message.match(/\(missing\)/g)).toHaveLength(5)
    expect(message).toContain('and 18 more')
  })
})

describe('doctor, where people are launched', () => {
  const said = async (baseUrl: string) => (await doctor(undefined, baseUrl)).findings

  it('says of each platform and content what keeps it from being launched', async () => {
    const opened = await openData(loadConfig({ CLAVIGER_DATA: directory }), { threads: 'inline' })
    await firstStart(opened, loadConfig({ CLAVIGER_DATA: directory }))
    const { core } = opened
    const caller = core.signIn.operator(1 as OrganisationId, 'test')
    const [known] = protocolsOf(opened.faces)
    const settings = { customers: [14] }
    const made = async (id: string, part = {}) =>
      (await core.platforms.create(caller, { id, name: id, protocol: known!.protocol, settings, ...part })).platform
    await core.platforms.rotateSecret(caller, (await made('sound')).id, {})
    await made('silent', { protocol: 'unspoken' })
    await made('unset', { settings: { customers: 'nobody' } })
    await core.platforms.update(caller, (await made('off')).id, { isEnabled: false })
    await core.credentials.update(caller, (await made('keyless')).credentialId, { isEnabled: false })
    for (const url of ['http://content.example.org/a', 'https://content.example.org/b', 'http://localhost:1/c'])
      await core.contents.create(caller, {
        name: url,
        settings: { url, style: 'tincan', activityId: 'https://x.example/a' },
      })
    await opened.app.close()

    const https = await said('https://lrs.example.org')
    const of = (id: string) => https.filter(({ check }) => check === `platform ${id} (${id})`)
    expect(of('sound')).toMatchObject([{ state: 'ok', message: expect.stringContaining('before the last rotation') }])
    expect(of('silent')).toMatchObject([{ state: 'problem', message: expect.stringContaining('speaks unspoken') }])
    expect(of('unset')).toMatchObject([{ state: 'problem', message: expect.stringContaining('customers') }])
    expect(of('off')).toMatchObject([{ state: 'ok', message: 'switched off' }])
    expect(of('keyless')).toMatchObject([{ state: 'problem', message: expect.stringContaining('is disabled') }])
    const contents = https.filter(({ check }) => check.startsWith('content '))
    expect(contents).toMatchObject([
      { state: 'warning', message: expect.stringContaining('http://content.example.org/a') },
    ])

    const http = await said('http://lrs.example.org')
    const sound = http.find(({ check }) => check === 'platform sound (sound)')
    expect(sound).toMatchObject({ state: 'warning', message: expect.stringContaining('by https') })
  })
})
