// Our own face on a real socket is the service: applications with what the API shows of them are brought in, and what it does not show
// is said.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { World } from '../../../test/support/scormcloud.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { openRemote, serveVendor } from '../../../test/support/vendor.ts'
import type { Vendor } from '../../../test/support/vendor.ts'
import type { ApplicationId } from '../../core/ids.ts'
import { scormcloudImporter } from './importer.ts'
import type { ScormcloudOptions } from './importer.ts'

let source: World
let target: OpenCore
let vendor: Vendor
let remote: ReturnType<typeof openRemote>
let id: ApplicationId
const statements = { live: [randomUUID(), randomUUID()], sandbox: [randomUUID()] }

beforeAll(async () => {
  ;[source, target] = [await openWorld(), await openCore()]
  target.clock.pass(3_600_000)
  const { login, record } = source.application
  id = record.id
  const as = login
  const credential = (name: string, level: string, more: object = {}) => {
    const words = {
      auth: { xapiCredentialAuthType: 'BASICAUTH' },
      permissionsLevel: { xapiCredentialPermissionsLevel: level },
    }
    return source.v2('PUT', `/xapi/credentials/${name}`, {
      as,
      json: { name, secret: `${name}-secret`, isEnabled: true, ...words, ...more },
    })
  }
  const done = [
    await credential('root-key', 'ROOT', { info: 'for everything' }),
    await credential('course-key', 'DEFAULT'),
    await credential('signing-key', 'USER', { auth: { xapiCredentialAuthType: 'OAUTH' } }),
    await credential('old-key', 'WRITEONLY', { isEnabled: false }),
    await source.v2('POST', '/appManagement/configuration', {
      as,
      json: { settings: [{ settingId: 'PlayerSuspendDataMaxLength', value: '4096' }] },
    }),
    await source.v2('POST', '/appManagement/configuration?learningStandard=SCORM_12&singleSco=true', {
      as,
      json: { settings: [{ settingId: 'PlayerLaunchType', value: 'NEW_WINDOW' }] },
    }),
    await source.v2('POST', `/appManagement/${id}/credentials`, {
      as: source.management,
      json: { name: 'Second', active: false },
    }),
  ]
  expect(done.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204, 204, 200])
  const headers = { 'X-Experience-API-Version': '1.0.3' }
  const course = { key: 'course-key', secret: 'course-key-secret' }
  for (const [place, path] of [
    ['live', `/lrs/${id}`],
    ['sandbox', `/lrs/${id}/sandbox`],
  ] as const) {
    const json = statements[place].map((statement) => aStatement({ id: statement }))
    expect((await source.ask('POST', `${path}/statements`, { as: course, json, headers })).status).toBe(200)
  }
  const empty = await source.core.applications.create(source.operator(), { name: 'Without a key' })
  await source.core.applications.update(source.operator(), empty.id, { isDeletable: false })
  vendor = await serveVendor(source.app)
  remote = openRemote()
})
afterAll(async () => {
  remote.close()
  await vendor.close()
  await Promise.all([source.close(), target.close()])
})
beforeEach(() => void (vendor.answering = undefined))

const importer = (options: Partial<ScormcloudOptions> = {}) =>
  scormcloudImporter({
    ...{ outbound: remote.outbound, door: remote.door, url: `${vendor.url}/api/v2/`, login: source.management },
    ...{ organisationId: target.organisationId, withStatements: true, perMinute: 60_000 },
    wait: async () => {},
    ...options,
  })

it('is read and checked without anything being stored', async () => {
  const before = await target.events()
  const { report } = await runOn(target.core, importer(), { isDryRun: true })
  expect(report.kinds).toMatchObject({ applications: { checked: 2 }, clients: { checked: 4 } })
  expect(await target.events()).toEqual(before)
})

it('brings in applications with their ids, secret keys, xAPI credentials and settings', async () => {
  const { report, rejected } = await runOn(target.core, importer({ withStatements: false }))
  expect(rejected).toEqual([])
  expect(report.kinds).toEqual({
    applications: { read: 2, stored: 2, there: 0, rejected: 0, checked: 0 },
    clients: { read: 4, stored: 4, there: 0, rejected: 0, checked: 0 },
  })
  expect(report.warnings).toEqual([expect.stringMatching(/^Without a secret key .*: application/)])
  const { secrets } = await target.core.applications.reveal(target.operator, id)
  const { secrets: theirs } = await source.core.applications.reveal(source.operator(), id)
  expect(secrets.map(({ value, isEnabled }) => [value, isEnabled])).toEqual(
    theirs.map(({ value, isEnabled }) => [value, isEnabled]),
  )
  expect(await target.core.settings.list(target.operator, id)).toEqual([
    { level: '', name: 'PlayerSuspendDataMaxLength', value: '4096' },
    { level: 'SCORM_12/true', name: 'PlayerLaunchType', value: 'NEW_WINDOW' },
  ])
  const listed = async (core: OpenCore['core'], caller: OpenCore['operator']) => {
    const { items } = await core.credentials.listRevealed(caller, { kind: 'client' }, { offset: 0, limit: 9 })
    const shown = items.map(({ credential: { key, name, isEnabled, rights, words, oauth }, secret }) => {
      return { key, name, isEnabled, rights, words, oauth, secret }
    })
    return shown.toSorted((one, other) => (one.key < other.key ? -1 : 1))
  }
  expect(await listed(target.core, target.operator)).toEqual(await listed(source.core, source.operator()))
})

it('brings in the statements of live and sandbox, whose each is, and goes on where it was stopped', async () => {
  const stop = new AbortController()
  const onStage = ({ title }: { readonly title: string }) => void (title.endsWith(id) && stop.abort())
  const stopped = await runOn(target.core, importer(), { signal: stop.signal, onStage })
  expect(stopped.report).toMatchObject({ isFinished: false })
  const { report } = await runOn(target.core, importer())
  expect(report).toMatchObject({ isFinished: true, isResumed: true })
  expect(report.kinds).toMatchObject({
    applications: { read: 2, there: 2 },
    clients: { read: 4, there: 4 },
    statements: { read: 3, stored: 3 },
  })
  const { liveLrsId, sandboxLrsId } = await target.core.applications.get(target.operator, id)
  const own = await target.signIn({ key: 'course-key', secret: 'course-key-secret' })
  for (const [lrsId, expected] of [
    [liveLrsId, statements.live],
    [sandboxLrsId, statements.sandbox],
  ] as const) {
    for (const statement of expected) {
      const found = await target.core.statements.get(own, lrsId, statement, { isVoided: false })
      expect(found.statement.owner).toBe(own.credentialId)
    }
  }
})

it('an id that another organisation has stops it before anything is stored', async () => {
  const other = await target.addOrganisation()
  const before = await target.events(other.organisationId)
  const work = runOn(target.core, importer({ organisationId: other.organisationId }))
  await expect(work).rejects.toThrow(new RegExp(`Another organisation here has applications with these ids: .*${id}`))
  expect(await target.events(other.organisationId)).toEqual(before)
})

describe('hostile answers', () => {
  const answerAt = (part: string, body: unknown, status = 200): void => {
    vendor.answering = (path) => (path.includes(part) ? { status, body } : undefined)
  }

  it.each<[string, string, unknown, RegExp]>([
    ['no list of applications', 'applicationList', {}, /does not answer with applications/],
    ['an application without id', 'applicationList', { applications: [{ name: 'x' }] }, /one without an id/],
    ['a list that leads to itself', 'applicationList', { applications: [], more: 'again' }, /does not end/],
    [
      'no list of xAPI credentials',
      '/xapi/credentials',
      { xapiCredentials: 'x' },
      /does not answer with xapiCredentials/,
    ],
  ])('%s', async (_, part, body, pattern) => {
    answerAt(part, body)
    await expect(runOn(target.core, importer(), { isDryRun: true })).rejects.toThrow(pattern)
  })

  it('ids that are none of ours are rejected', async () => {
    answerAt('applicationList', { applications: [{ id: '../x' }, { id: 'lower' }, { id: 'x'.repeat(100_000) }] })
    const { report, rejected } = await runOn(
      target.core,
      importer({ login: { key: 'MGMT', secret: source.management.secret } }),
    )
    expect(report.kinds.applications).toMatchObject({ read: 3, rejected: 3 })
    expect(rejected.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/ten of A to Z/)),
    )
  })

  it('secrets that are not shown, settings that nobody knows and words that mean nothing are said', async () => {
    answerAt(`/${id}/credentials`, { credentials: [{ id: 'x', name: 'Hidden' }] })
    const hidden = await runOn(target.core, importer(), { isDryRun: true })
    expect(hidden.report.warnings).toContainEqual(
      expect.stringMatching(/^Secret keys were listed without the keys themselves: application /),
    )
    vendor.answering = (path) => {
      if (path.includes('configuration'))
        return {
          status: 200,
          body: {
            settingItems: [
              { id: '__proto__', explicitValue: 'x' },
              { id: 'PlayerLaunchType', explicitValue: 'NOWHERE' },
              null,
              { id: 1 },
            ],
          },
        }
      if (!path.endsWith('/xapi/credentials')) return undefined
      const entry = { id: 'k', secret: 'a-hidden-wonder', name: 'K', isEnabled: true }
      return {
        status: 200,
        body: {
          xapiCredentials: [
            { ...entry, permissionsLevel: { xapiCredentialPermissionsLevel: 'EVERYTHING' } },
            { ...entry, auth: 'MAGIC' },
            { ...entry, secret: null },
            { name: 'x' },
            { ...entry, permissionsLevel: {} },
          ],
        },
      }
    }
    const { report, text } = await runOn(target.core, importer(), { isDryRun: true })
    expect(report.kinds.clients).toMatchObject({ checked: 1, rejected: 4 })
    expect(report.warnings.join()).toMatch(/setting __proto__ is left out, for it is not known here/)
    expect(report.warnings.join()).toMatch(/setting PlayerLaunchType is left out, for it must be/)
    expect(text + JSON.stringify(report)).not.toContain('a-hidden-wonder')
  })
})
