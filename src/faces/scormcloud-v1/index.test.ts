import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { World } from '../../../test/support/scormcloud.ts'
import { DomainError, errorCodes } from '../../core/errors.ts'
import type { ShownCredential } from '../face.ts'
import { CallError, presentError } from './errors.ts'
import { scormcloudV1 } from './index.ts'
import { methods } from './methods.ts'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')

let world: World
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())

it('the method table of the README is the method list', () => {
  const rows = [...readme.matchAll(/^\| `(rustici\.\S+)` \| (yes|no) \|/gm)].map(([, name, signed]) => [name, signed])
  expect(rows).toEqual(methods.map(({ name, isSigned }) => [name, isSigned ? 'yes' : 'no']))
})

it('the switches of the README are those that exist', () => {
  const documented = [...readme.matchAll(/^\| `scormcloud-v1\.([\w-]+)` \|/gm)].map(([, name]) => name)
  expect(documented).toEqual(scormcloudV1.switches?.map(({ name }) => name))
  for (const { schema, default: value } of scormcloudV1.switches ?? []) expect(schema.parse(value)).toBe(value)
})

describe('errors', () => {
  it.each(errorCodes)('%s has a number of the README, and HTTP 200', (code) => {
    const { status, body, headers } = presentError(new DomainError(code, 'Why.'), { requestId: 'r1' })
    const number = /<err code="(\d{3})" msg="[^"]+"\/>/.exec(String(body))?.[1]
    expect(status).toBe(200)
    expect(headers).toEqual({ 'Content-Type': 'text/xml; charset=utf-8' })
    expect(readme).toMatch(new RegExp(`^\\| ${number} \\|`, 'm'))
  })

  it('a defect of ours says nothing of itself but where to look', () => {
    const { body } = presentError(new DomainError('internal', 'SQLITE_CORRUPT'), { requestId: 'r1' })
    expect(body).toContain('<err code="100" msg="Something went wrong on our side (request r1)"/>')
  })

  it('long ones are cut', () => {
    const { body } = presentError(new CallError(205, 'x'.repeat(100_000)), { requestId: 'r1' })
    expect(String(body).length).toBeLessThan(3_000)
  })
})

describe('what the command line asks', () => {
  const access = async (method: string, query: string) =>
    scormcloudV1.accessFor!({ method, path: '/api', query: new URLSearchParams(query), version: '' }, world.core)
  const judged = async (query: string, login = world.application.login) => {
    const asked = await access('GET', `method=rustici.${query}`)
    if (asked.kind !== 'key') throw new Error(asked.kind)
    const principal = await world.core.signIn.basic(login)
    return asked.judge(world.core, principal)
  }

  it.each([
    ['GET', 'method=rustici.debug.ping', 'public'],
    ['POST', 'method=rustici.debug.getTime', 'public'],
    ['OPTIONS', '', 'public'],
    ['PUT', 'method=rustici.debug.ping', 'refused'],
    ['HEAD', 'method=rustici.debug.ping', 'refused'],
    ['GET', 'method=rustici.debug.authPing', 'key'],
    ['POST', 'method=rustici.lrsaccount.createActivityProvider', 'key'],
  ])('%s %s is %s', async (method, query, kind) => {
    expect(await access(method, query)).toMatchObject({ kind })
  })

  it('an unknown method is refused as a call would be', async () => {
    await expect(access('GET', 'method=rustici.course.exists')).rejects.toThrow(/There is no method/)
    await expect(access('GET', '')).rejects.toThrow(/method is missing/)
  })

  it('an application’s key may all of it, and what one call depends on is said', async () => {
    const granted = { allowed: true, decidedBy: 'manage/credentials/write' }
    expect(await judged('debug.authPing')).toMatchObject({ allowed: true, decidedBy: 'signature' })
    expect(await judged('lrsaccount.createActivityProvider')).toMatchObject(granted)
    expect(await judged('lrsaccount.editActivityProvider')).toMatchObject({
      ...granted,
      depends: ['what the call asks for', 'accountkey'],
    })
    expect(await judged('lrsaccount.setAppLrsAuthCallbackUrl')).toMatchObject({ decidedBy: 'manage/settings/write' })
    await expect(judged('lrsaccount.deleteActivityProvider&accountkey=nobody')).rejects.toThrow(/no activity provider/)
    const { credential } = await world.core.credentials.create(world.operator(), {
      ...{ name: 'x', key: 'mine', rights: { xapi: {}, management: [] } },
      lrsIds: [world.application.record.liveLrsId],
    })
    expect(await judged(`lrsaccount.deleteActivityProvider&accountkey=${credential.key}`)).toMatchObject({
      ...{ allowed: true, decidedBy: 'manage/credentials/delete', depends: [] },
    })
  })

  it('a key of another kind signs nothing here', async () => {
    const refused = { allowed: false, decidedBy: 'kind' }
    expect(await judged('lrsaccount.listActivityProviders', world.management)).toMatchObject(refused)
    expect(await judged('debug.authPing', world.management)).toMatchObject(refused)
  })

  it('a limit on addresses and a right that is lacking decide as they would', async () => {
    const { record, login } = await world.addApplication('Narrow')
    const change = (to: object) => world.core.credentials.update(world.operator(), record.credentialId, to)
    await change({ rights: { xapi: {}, management: [] } })
    await expect(judged('lrsaccount.listActivityProviders', login)).rejects.toMatchObject({ code: 'not_found' })
    await change({ limits: { addresses: ['192.0.2.1'] } })
    expect(await judged('debug.authPing', login)).toMatchObject({ allowed: false, decidedBy: 'limit addresses' })
  })
})

describe('what the command line shows', () => {
  const shown = async (lrsIds: readonly number[], switches = {}): Promise<unknown> => {
    const organisation = { ...(await world.core.organisations.get(world.operator())), switches }
    const all = { by: 'createdAt', isDescending: false, limit: 100 } as const
    const { items: applications } = await world.core.applications.list(world.operator(), all)
    const issued = await world.core.credentials.create(world.operator(), {
      ...{ name: 'Forum', key: `k${lrsIds.join('-')}${Object.keys(switches).length}`, secret: 'a secret of the forum' },
      ...{ rights: { xapi: {}, management: [] }, lrsIds: lrsIds as ShownCredential['credential']['lrsIds'] },
    })
    const { credential } = issued
    const secrets = credential.secrets.map((record) => ({ record, clear: issued.secret }))
    return scormcloudV1.showCredential!({
      organisation,
      applications,
      lrs: [],
      baseUrl: world.core.baseUrl,
      credential,
      secrets,
    })
  }

  it('is the elements of the API', async () => {
    const { id, liveLrsId } = world.application.record
    expect(await shown([liveLrsId])).toEqual({
      id: `k${liveLrsId}0`,
      accountLabel: 'Forum',
      accountKey: `k${liveLrsId}0`,
      accountSecret: 'a secret of the forum',
      accountAuthType: 'basic',
      accountEnabled: true,
      allowedEndpoints: id,
      permissionsLevel: '',
    })
  })

  it('is nothing for a key that this API does not show', async () => {
    const { id, liveLrsId, sandboxLrsId } = world.application.record
    const other = await world.addApplication('Other')
    const both = [liveLrsId, other.record.liveLrsId]
    await expect(shown([1])).rejects.toThrow(/of one application/)
    await expect(shown(both)).rejects.toThrow(/of one application/)
    const realmWide = { 'scormcloud-v1.realm-wide': true }
    expect(await shown(both, realmWide)).toMatchObject({ allowedEndpoints: `${id},${other.record.id}` })
    expect(await shown([liveLrsId, sandboxLrsId])).toMatchObject({ allowedEndpoints: '' })
  })
})

it('is switched off by its setting, with its paths', async () => {
  const without = await openWorld({ CLAVIGER_FACE_SCORMCLOUD_V1: 'off' })
  expect((await without.ask('GET', '/api?method=rustici.debug.ping')).status).toBe(404)
  expect((await without.ask('GET', '/EngineWebServices/api?method=rustici.debug.ping')).status).toBe(404)
  await without.close()
})
