import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Application, Login, World } from '../../../test/support/scormcloud.ts'
import { signCall } from '../../../test/support/v1-signer.ts'
import { findPreset } from '../../core/presets.ts'
import type { CredentialRecord } from '../../core/storage.ts'

let world: World
let application: Application
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())
beforeEach(async () => {
  application = await world.addApplication('Course')
  await world.events()
})

type Fields = Record<string, string>

/** The providers in an answer, each element by its name; without CDATA around it. */
function providersIn(inside: string): Fields[] {
  return [...inside.matchAll(/<activityProvider>(.*?)<\/activityProvider>/gs)].map(([, text = '']) => {
    const elements = text.matchAll(/<(\w+)(?:\/>|>(?:<!\[CDATA\[(.*?)\]\]>|(.*?))<\/\1>)/gs)
    return Object.fromEntries([...elements].map(([, name = '', data, plain]) => [name, data ?? plain ?? '']))
  })
}

const call = async (method: string, parameters: Fields = {}, as: Login = application.login): Promise<Fields[]> => {
  const { error, inside } = await world.v1(`lrsaccount.${method}`, parameters, as)
  if (error !== undefined) throw new Error(inside)
  return providersIn(inside)
}

async function create(as?: Login): Promise<Login> {
  const [made] = await call('createActivityProvider', {}, as)
  return { key: made!['accountKey']!, secret: made!['accountSecret']! }
}

const edit = async (accountkey: string, change: Fields, as?: Login): Promise<Fields> =>
  (await call('editActivityProvider', { accountkey, ...change }, as))[0]!

/** Number and message; and that nothing was written. */
async function refusal(method: string, parameters: Fields, as: Login = application.login) {
  await world.events()
  const { error, inside } = await world.v1(`lrsaccount.${method}`, parameters, as)
  expect(await world.events()).toEqual([])
  return [error, /msg="([^"]*)"/.exec(inside)?.[1] ?? inside]
}

async function recordOf(key: string, organisation = world.organisation): Promise<CredentialRecord> {
  const { items } = await world.core.credentials.list(world.operator(organisation), { key }, { offset: 0, limit: 9 })
  expect(items).toHaveLength(1)
  return items[0]!
}

const statement = {
  actor: { mbox: 'mailto:ann@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
  object: { id: 'http://example.org/course' },
}
const version = { 'X-Experience-API-Version': '1.0.3' }
const xapiPath = ({ record }: Application, rest = '') => `/lrs/${record.id}/${rest}statements`
const store = (as: Login, path: string) => world.ask('POST', path, { as, json: statement, headers: version })
const read = (as: Login, path: string) => world.ask('GET', path, { as, headers: version })

describe('createActivityProvider', () => {
  it('S1.1 S1.2 makes a key for the application’s live and sandbox Lrs, as the reference shows it', async () => {
    const { inside } = await world.v1('lrsaccount.createActivityProvider', {}, application.login)
    const [made] = providersIn(inside)
    expect(Object.keys(made!)).toEqual([
      'id',
      'accountLabel',
      'accountKey',
      'accountSecret',
      'accountAuthType',
      'accountEnabled',
    ])
    const key = made!['accountKey']!
    expect(made).toMatchObject({
      id: key,
      accountLabel: 'Unnamed Account',
      accountSecret: expect.stringMatching(/^[A-Za-z0-9_-]{19}$/),
      accountAuthType: 'basic',
      accountEnabled: 'true',
    })
    expect(key).toMatch(/^[A-Za-z0-9_-]{19}$/)
    const { liveLrsId, sandboxLrsId } = application.record
    const record = await recordOf(key)
    expect(record).toMatchObject({ kind: 'client', name: 'Unnamed Account', lrsIds: [liveLrsId, sandboxLrsId] })
    expect(record.rights).toEqual({ xapi: findPreset('isolated')!.rights.xapi, management: [] })
    expect(await world.events()).toEqual([`credential.create ${record.id}`])
  })

  it('S1.2 makes another each time, and takes no wishes', async () => {
    const [one, other] = [await create(), await create()]
    expect(one.key).not.toBe(other.key)
    const [made] = await call('createActivityProvider', { label: 'x', permissionslevel: 'READ_ANY', isactive: 'false' })
    expect(made).toMatchObject({ accountLabel: 'Unnamed Account', accountEnabled: 'true' })
  })

  it('works at once on both Lrs, and on no other', async () => {
    const made = await create()
    const other = await world.addApplication('Other')
    expect((await store(made, xapiPath(application))).status).toBe(200)
    expect((await store(made, xapiPath(application, 'sandbox/'))).status).toBe(200)
    expect((await read(made, xapiPath(application))).json.statements).toHaveLength(1)
    expect([401, 403]).toContain((await store(made, xapiPath(other))).status)
    expect((await store(made, '/xapi/statements')).status).toBe(200)
    expect((await read(made, xapiPath(application))).json.statements).toHaveLength(2)
  })
})

describe('listActivityProviders', () => {
  it('is an empty element without any', async () => {
    const { inside } = await world.v1('lrsaccount.listActivityProviders', {}, application.login)
    expect(inside).toBe('<activityProviderList/>')
  })

  it('S1.3 S1.4 shows all eight elements of those of this application, with their secrets', async () => {
    const [first, second] = [await create(), await create()]
    const other = await world.addApplication('Other')
    await create(other.login)
    const listed = await call('listActivityProviders')
    expect(listed.map((it) => [it['accountKey'], it['accountSecret']])).toEqual([
      [first.key, first.secret],
      [second.key, second.secret],
    ])
    expect(Object.keys(listed[0]!).slice(6)).toEqual(['allowedEndpoints', 'permissionsLevel'])
  })

  it('shows keys made elsewhere, as long as they reach nothing but this application', async () => {
    const { rights } = findPreset('read-only')!
    const { liveLrsId, sandboxLrsId } = application.record
    const other = await world.addApplication('Other')
    const issue = (key: string, lrsIds: readonly (typeof liveLrsId)[]) =>
      world.core.credentials.create(world.operator(), { name: key, key, rights, lrsIds })
    await issue('inside', [sandboxLrsId])
    await issue('half', [liveLrsId, other.record.liveLrsId])
    const listed = await call('listActivityProviders')
    expect(listed.map((it) => [it['accountKey'], it['allowedEndpoints'], it['permissionsLevel']])).toEqual([
      ['inside', `${application.record.id}_sandbox`, 'READ_ANY'],
    ])
    expect(await refusal('editActivityProvider', { accountkey: 'half', label: 'x' })).toEqual([
      205,
      expect.stringMatching(/no activity provider/),
    ])
  })

  it('stays XML whatever a key is called', async () => {
    const { rights } = findPreset('isolated')!
    const names = [']]>', '<b>&amp;', '\uFFFE\uFFFF', '😀 Ü', 'a\u0085b']
    for (const name of names) {
      await world.core.credentials.create(world.operator(), { name, rights, lrsIds: [application.record.liveLrsId] })
    }
    const { inside } = await world.v1('lrsaccount.listActivityProviders', {}, application.login)
    const labels = [...inside.matchAll(/<accountLabel>(.*?)<\/accountLabel>/gs)].map(([, label]) => label)
    expect(labels).toEqual([
      '<![CDATA[]]]]><![CDATA[>]]>',
      '<![CDATA[<b>&amp;]]>',
      '<![CDATA[\uFFFD\uFFFD]]>',
      '<![CDATA[😀 Ü]]>',
      '<![CDATA[a\u0085b]]>',
    ])
  })
})

describe('editActivityProvider', () => {
  it('S1.5 changes what was sent and nothing else, and shows all eight elements', async () => {
    const { key, secret } = await create()
    const shown = await edit(key, { label: 'forum_activity_provider' })
    expect(shown).toEqual({
      id: key,
      accountLabel: 'forum_activity_provider',
      accountKey: key,
      accountSecret: secret,
      accountAuthType: 'basic',
      accountEnabled: 'true',
      allowedEndpoints: '',
      permissionsLevel: '',
    })
    expect(await edit(key, { permissionslevel: 'READ_ONLY' })).toEqual({ ...shown, permissionsLevel: 'READ_ONLY' })
    const { id } = application.record
    expect(await edit(key, { allowedendpoints: id, isactive: 'false' })).toEqual({
      ...{ ...shown, accountEnabled: 'false', permissionsLevel: 'READ_ONLY', allowedEndpoints: id },
    })
    expect(await edit(key, {})).toMatchObject({ accountEnabled: 'false', accountLabel: 'forum_activity_provider' })
  })

  it.each([
    ['true', 'true'],
    ['TRUE', 'true'],
    ['1', 'true'],
    ['yes', 'true'],
    ['false', 'false'],
    ['False', 'false'],
    ['0', 'false'],
    ['no', 'false'],
    ['', 'false'],
  ])('isactive=%s is %s', async (isactive, expected) => {
    const { key } = await create()
    if (expected === 'true') await edit(key, { isactive: 'false' })
    expect((await edit(key, { isactive }))['accountEnabled']).toBe(expected)
  })

  it.each([
    ['oauth', 'oauth', {}],
    ['OAuth', 'oauth', {}],
    ['basic', 'basic', null],
    ['BASIC', 'basic', null],
  ])('authtype=%s is %s', async (authtype, shown, oauth) => {
    const { key } = await create()
    if (oauth === null) await edit(key, { authtype: 'oauth' })
    expect((await edit(key, { authtype }))['accountAuthType']).toBe(shown)
    expect((await recordOf(key)).oauth).toEqual(oauth)
  })

  it('keeps the public key of one that signs already', async () => {
    const { key } = await create()
    await edit(key, { authtype: 'oauth' })
    const { id } = await recordOf(key)
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
    await world.core.credentials.update(world.operator(), id, { oauth: { publicKey: pem } })
    await edit(key, { authtype: 'oauth', label: 'x' })
    expect((await recordOf(key)).oauth).toEqual({ publicKey: pem })
  })

  it.each([
    ['', '', [0, 1]],
    ['%', '%', [0]],
    ['%_sandbox', '%_sandbox', [1]],
    ['APPID', '%', [0]],
    ['APPID_sandbox', '%_sandbox', [1]],
    ['%,%_sandbox', '', [0, 1]],
    [' %_sandbox , APPID ,', '', [1, 0]],
    ['%,%', '%', [0]],
  ])('S1.6 allowedendpoints=%s is shown as %s', async (sent, shown, expected) => {
    const { key } = await create()
    const { id, liveLrsId, sandboxLrsId } = application.record
    await edit(key, { allowedendpoints: `${id}_sandbox` })
    const filled = (text: string) => text.replaceAll('%', id)
    expect((await edit(key, { allowedendpoints: filled(sent) }))['allowedEndpoints']).toBe(filled(shown))
    const both = [liveLrsId, sandboxLrsId]
    expect((await recordOf(key)).lrsIds).toEqual(expected.map((index) => both[index]))
  })

  it('an endpoint that is not allowed any more is refused at once', async () => {
    const made = await create()
    expect((await store(made, xapiPath(application))).status).toBe(200)
    await edit(made.key, { allowedendpoints: 'APPID_sandbox' })
    expect([401, 403]).toContain((await store(made, xapiPath(application))).status)
    expect((await store(made, xapiPath(application, 'sandbox/'))).status).toBe(200)
  })

  it.each([
    ['DEFAULT', 'DEFAULT', 200, 200],
    ['default', 'DEFAULT', 200, 200],
    ['READ_ONLY', 'READ_ONLY', 403, 200],
    ['Read_Any', 'READ_ANY', 403, 200],
    ['WRITE_ONLY', 'WRITE_ONLY', 200, 403],
  ])('permissionslevel=%s is %s: storing %i, reading %i', async (sent, shown, storing, reading) => {
    const made = await create()
    expect((await edit(made.key, { permissionslevel: sent }))['permissionsLevel']).toBe(shown)
    expect((await store(made, xapiPath(application))).status).toBe(storing)
    expect((await read(made, xapiPath(application))).status).toBe(reading)
  })

  it('READ_ONLY reads its own, READ_ANY what anybody stored', async () => {
    const [writer, reader] = [await create(), await create()]
    await store(writer, xapiPath(application))
    await store(reader, xapiPath(application))
    const count = async () => (await read(reader, xapiPath(application))).json.statements.length
    await edit(reader.key, { permissionslevel: 'READ_ONLY' })
    expect(await count()).toBe(1)
    await edit(reader.key, { permissionslevel: 'READ_ANY' })
    expect(await count()).toBe(2)
  })

  it('a level that is shown already changes nothing of rights no word stands for, nor a pin', async () => {
    const { key } = await create()
    const { id } = await recordOf(key)
    const rights = { xapi: { ...findPreset('xapi')!.rights.xapi, 'authority/set': 'any' }, management: [] } as const
    const pins = { registration: { id: '7f1b3c02-9a4d-4e5f-8a6b-0c1d2e3f4a5b', mode: 'required' } } as const
    await world.core.credentials.update(world.operator(), id, { rights, pins })
    const [shown] = await call('listActivityProviders')
    expect(shown!['permissionsLevel']).toBe('DEFAULT')
    await edit(key, { permissionslevel: 'default', label: 'echo', allowedendpoints: '' })
    expect(await recordOf(key)).toMatchObject({ rights, pins, name: 'echo' })
    await edit(key, { permissionslevel: 'WRITE_ONLY' })
    expect(await recordOf(key)).toMatchObject({ rights: findPreset('write-only')!.rights, pins })
  })

  it.each([
    ['isactive', 'maybe', /isactive: must be true or false/],
    ['isactive', ' true', /isactive/],
    ['authtype', 'digest', /authtype: must be one of basic, oauth/],
    ['authtype', '', /authtype/],
    ['permissionslevel', 'ROOT', /permissionslevel: must be one of DEFAULT, READ_ONLY, READ_ANY, WRITE_ONLY/],
    ['permissionslevel', '__proto__', /permissionslevel/],
    ['label', 'x'.repeat(256), /label: .*255/],
    ['label', 'a\nb', /label: .*control/],
    ['label', 'a\u0000b', /label: .*control/],
    ['label', 'a\uFFFEb', /label: .*XML/],
    ['allowedendpoints', 'NOBODY0000', /allowedendpoints: NOBODY0000 is no endpoint of this application/],
    ['allowedendpoints', 'APPID,NOBODY0000', /NOBODY0000/],
    ['allowedendpoints', 'appid', /allowedendpoints/],
    ['allowedendpoints', 'constructor', /allowedendpoints/],
    ['allowedendpoints', 'x'.repeat(9000), /allowedendpoints/],
    ['accountkey', '', /accountkey is missing/, 203],
    ['accountkey', 'nobody', /no activity provider/],
    ['accountkey', 'a\u0000b', /no activity provider/],
    ['accountkey', 'x'.repeat(300), /no activity provider/],
  ])('%s=%s is refused, and nothing else of the call is done', async (name, value, message, number = 205) => {
    const { key } = await create()
    const version = (await recordOf(key)).version
    const sent = { accountkey: key, label: 'new', isactive: 'false', [name]: value }
    expect(await refusal('editActivityProvider', sent)).toEqual([number, expect.stringMatching(message)])
    expect((await recordOf(key)).version).toBe(version)
  })

  it('S1.6 another application’s endpoint is as unknown as nobody’s', async () => {
    const { key } = await create()
    const other = await world.addApplication('Other')
    const sent = { accountkey: key, allowedendpoints: other.record.id }
    expect((await refusal('editActivityProvider', sent))[0]).toBe(205)
  })

  it('a parameter twice is refused', async () => {
    const { key } = await create()
    const query = signCall({ ...application.login, time: world.clock.now() }, [
      ['method', 'rustici.lrsaccount.editActivityProvider'],
      ['accountkey', key],
      ['label', 'one'],
      ['label', 'two'],
    ])
    await world.events()
    const { text } = await world.ask('GET', `/api?${query}`)
    expect(text).toContain('<err code="205" msg="The parameter label must be given once"/>')
    expect(await world.events()).toEqual([])
  })

  it('an empty label is taken', async () => {
    const { key } = await create()
    expect((await edit(key, { label: '' }))['accountLabel']).toBe('')
    expect((await recordOf(key)).name).toBe('')
  })

  it('one that has expired is not active, and is not made so', async () => {
    const { key } = await create()
    const { id } = await recordOf(key)
    await world.core.credentials.update(world.operator(), id, { expiresAt: world.clock.now() - 1 })
    expect((await call('listActivityProviders'))[0]).toMatchObject({ accountEnabled: 'false' })
    expect(await refusal('editActivityProvider', { accountkey: key, isactive: 'true' })).toEqual([
      205,
      expect.stringMatching(/isactive: .*expired/),
    ])
    expect(await edit(key, { label: 'late', isactive: 'false' })).toMatchObject({ accountLabel: 'late' })
  })

  it('changes that come at once are all made', async () => {
    const { key } = await create()
    await Promise.all([
      edit(key, { label: 'together' }),
      edit(key, { permissionslevel: 'READ_ANY' }),
      edit(key, { allowedendpoints: 'APPID' }),
      edit(key, { authtype: 'oauth' }),
    ])
    expect(await edit(key, {})).toMatchObject({
      accountLabel: 'together',
      permissionsLevel: 'READ_ANY',
      allowedEndpoints: application.record.id,
      accountAuthType: 'oauth',
    })
  })

  it('S1.9 switches off and on at once', async () => {
    const made = await create()
    expect((await store(made, xapiPath(application))).status).toBe(200)
    await edit(made.key, { isactive: '' })
    expect((await store(made, xapiPath(application))).status).toBe(401)
    await edit(made.key, { isactive: '1' })
    expect((await store(made, xapiPath(application))).status).toBe(200)
    await edit(made.key, { authtype: 'oauth' })
    expect((await store(made, xapiPath(application))).status).toBe(401)
  })
})

describe('deleteActivityProvider', () => {
  it('S1.9 S1.10 cannot be undone, and holds at once', async () => {
    const made = await create()
    expect((await store(made, xapiPath(application))).status).toBe(200)
    const { id } = await recordOf(made.key)
    await world.events()
    const accountkey = made.key
    const { inside } = await world.v1('lrsaccount.deleteActivityProvider', { accountkey }, application.login)
    expect(inside).toBe('<success/>')
    expect(await world.events()).toEqual([`credential.delete ${id}`])
    expect((await store(made, xapiPath(application))).status).toBe(401)
    expect(await call('listActivityProviders')).toEqual([])
    expect((await refusal('deleteActivityProvider', { accountkey }))[0]).toBe(205)
    expect((await refusal('editActivityProvider', { accountkey, isactive: 'true' }))[0]).toBe(205)
  })

  it('needs an accountkey that names one', async () => {
    expect((await refusal('deleteActivityProvider', {}))[0]).toBe(203)
    const { rights } = findPreset('isolated')!
    const twin = { name: 'x', key: 'twin', rights, lrsIds: [application.record.liveLrsId], allowDuplicateKey: true }
    for (const secret of ['one', 'two']) {
      await world.core.credentials.create(world.operator(), { ...twin, secret })
    }
    expect(await refusal('deleteActivityProvider', { accountkey: 'twin' })).toEqual([
      205,
      expect.stringMatching(/more than one/),
    ])
  })

  it('does not remove the application’s own key', async () => {
    expect((await refusal('deleteActivityProvider', { accountkey: application.record.id }))[0]).toBe(205)
  })
})

describe('another application', () => {
  it.each(['same organisation', 'another organisation'])('of the %s sees and changes nothing', async (where) => {
    const organisation = where === 'same organisation' ? world.organisation : world.neighbour
    const stranger = await world.addApplication('Stranger', organisation)
    const { key: accountkey } = await create()
    expect(await call('listActivityProviders', {}, stranger.login)).toEqual([])
    for (const method of ['editActivityProvider', 'deleteActivityProvider']) {
      expect((await refusal(method, { accountkey, label: 'mine' }, stranger.login))[0]).toBe(205)
    }
    expect(await world.events(world.neighbour)).not.toContainEqual(expect.stringContaining('credential.update'))
    expect((await recordOf(accountkey)).name).toBe('Unnamed Account')
  })
})

describe('an application’s key with less', () => {
  const narrow = async (actions: readonly ('read' | 'write' | 'delete')[]) => {
    const { credentialId } = application.record
    const { rights } = await world.core.credentials.get(world.operator(), credentialId)
    const management = rights.management.map((grant) => ({ ...grant, actions }))
    await world.core.credentials.update(world.operator(), credentialId, { rights: { ...rights, management } })
  }

  it('that may only look sees no secrets and changes nothing', async () => {
    const { key: accountkey } = await create()
    await narrow(['read'])
    expect((await call('listActivityProviders'))[0]).toMatchObject({ accountKey: accountkey, accountSecret: '' })
    for (const method of ['createActivityProvider', 'editActivityProvider', 'deleteActivityProvider']) {
      expect(await refusal(method, { accountkey })).toEqual([100, expect.stringMatching(/manage\/credentials/)])
    }
  })

  it('that may only delete does so', async () => {
    const { key: accountkey } = await create()
    await narrow(['read', 'delete'])
    expect((await refusal('editActivityProvider', { accountkey, label: 'x' }))[0]).toBe(100)
    expect(await call('deleteActivityProvider', { accountkey })).toEqual([])
  })
})

describe('realm-wide', () => {
  let other: Application
  const set = (value: boolean) =>
    world.core.organisations.update(world.operator(), { switches: { 'scormcloud-v1.realm-wide': value } })
  beforeEach(async () => {
    other = await world.addApplication('Other')
    await set(true)
    await world.events()
  })
  afterAll(() => set(false))

  it('S1.6 a new provider reaches all applications there are, and says so by an empty element', async () => {
    const made = await create()
    for (const at of [application, other]) {
      expect((await store(made, xapiPath(at))).status).toBe(200)
      expect((await store(made, xapiPath(at, 'sandbox/'))).status).toBe(200)
    }
    const record = await recordOf(made.key)
    expect(record.lrsIds.slice(0, 2)).toEqual([application.record.liveLrsId, application.record.sandboxLrsId])
    expect((await edit(made.key, { label: 'x' }))['allowedEndpoints']).toBe('')
    const later = await world.addApplication('Later')
    expect((await edit(made.key, { label: 'y' }))['allowedEndpoints']).toContain(`${other.record.id},`)
    expect([401, 403]).toContain((await store(made, xapiPath(later))).status)
    await edit(made.key, { allowedendpoints: '' })
    expect((await store(made, xapiPath(later))).status).toBe(200)
  })

  it('S1.3 lists and changes those of every application, and of no other organisation', async () => {
    const stranger = await world.addApplication('Stranger', world.neighbour)
    const foreign = await create(stranger.login)
    const made = await create(other.login)
    const listed = (await call('listActivityProviders')).map((it) => it['accountKey'])
    expect(listed).toContain(made.key)
    expect(listed).not.toContain(foreign.key)
    const allowedendpoints = `${other.record.id},${application.record.id}_sandbox`
    expect(await edit(made.key, { allowedendpoints })).toMatchObject({ allowedEndpoints: allowedendpoints })
    expect(await call('deleteActivityProvider', { accountkey: made.key })).toEqual([])
    expect((await refusal('deleteActivityProvider', { accountkey: foreign.key }))[0]).toBe(205)
    const toThem = { accountkey: (await create()).key, allowedendpoints: stranger.record.id }
    expect((await refusal('editActivityProvider', toThem))[0]).toBe(205)
  })

  it('covers no key that reaches more than applications, nor gives more than the key may', async () => {
    const { rights } = findPreset('isolated')!
    await world.core.credentials.create(world.operator(), { name: 'Default Lrs', key: 'default-lrs', rights })
    const listed = (await call('listActivityProviders')).map((it) => it['accountKey'])
    expect(listed).not.toContain('default-lrs')
    const { credentialId } = application.record
    await world.core.credentials.update(world.operator(), credentialId, { rights: { xapi: {}, management: [] } })
    expect((await refusal('createActivityProvider', {}))[0]).toBe(100)
    expect((await refusal('listActivityProviders', {}))[0]).toBe(100)
  })
})

it('no secret is in the log or in the audit', async () => {
  const made = await create()
  await edit(made.key, { label: 'x' })
  const page = await world.core.audit.list(world.operator(), { after: 0, limit: 1000 })
  const seen = world.log() + JSON.stringify(page)
  for (const secret of [made.secret, application.login.secret]) expect(seen).not.toContain(secret)
  expect(seen).toContain(made.key)
})
