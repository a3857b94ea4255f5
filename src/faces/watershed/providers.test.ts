import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeApplication } from '../../../test/support/application.ts'
import { openWorld } from '../../../test/support/watershed.ts'
import type { Login, World } from '../../../test/support/watershed.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import { findPreset } from '../../core/presets.ts'

let world: World
let admin: Login & { id: number }

beforeEach(async () => {
  world = await openWorld()
  const { credential, key, secret } = await world.credential({ watershedApiAccess: 'enabled' }, { name: 'Admin' })
  admin = { id: credential.id, key, secret }
  await world.events()
})
afterEach(() => world.close())

const base = '/activity-providers'
const create = async (json: object = {}): Promise<any> => {
  const { status, json: made } = await world.ask('POST', base, { as: admin, json })
  expect(status).toBe(200)
  return made
}
const read = async (id: number): Promise<any> => (await world.ask('GET', `${base}/${id}`, { as: admin })).json

describe('create', () => {
  it('S2.4 answers 200 with the complete object; key and secret are made when left out', async () => {
    const { status, headers, json } = await world.ask('POST', base, { as: admin, json: { name: 'Course' } })
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual(
      'id created version name key secret active lrsAccess watershedApiAccess'.split(' '),
    )
    expect(json).toMatchObject({
      created: '2026-01-02T03:04:05.000Z',
      version: 1,
      name: 'Course',
      active: true,
      lrsAccess: 'isolated',
      watershedApiAccess: 'disabled',
    })
    expect(json.key).toMatch(/^[0-9a-f]{14,}$/)
    expect(json.secret).toMatch(/^[0-9a-f]{14,}$/)
    expect(headers.get('Location')).toBe(`/api/organizations/1/activity-providers/${json.id}`)
    expect(await world.events()).toEqual([`credential.create ${json.id}`])
    expect(await read(json.id)).toEqual(json)
  })

  it('S2.4 answers 201 where the organisation chose so', async () => {
    await world.core.organisations.update(world.operator(), { switches: { 'watershed.create-status': 201 } })
    const { status, json } = await world.ask('POST', base, { as: admin, json: {} })
    expect(status).toBe(201)
    expect(json.name).toBe('Unnamed Provider')
  })

  it('S2.4 takes key, secret and everything else as sent', async () => {
    const sent = {
      name: 'Übung 1',
      key: '1b0f6aaf-2a2c-4f2e-8b1f-6f1a0a6f9a01',
      secret: 'a:b c',
      active: false,
      lrsAccess: 'globalReadOnly',
      watershedApiAccess: 'disabled',
    }
    const made = await create({ ...sent, id: 999, version: 9, created: 'never' })
    expect(made).toMatchObject({ ...sent, version: 1 })
    expect(made.id).not.toBe(999)
  })

  it('S2.11 makes every level of access', async () => {
    for (const lrsAccess of ['disabled', 'isolated', 'global', 'globalReadOnly', 'writeOnly']) {
      expect(await create({ lrsAccess })).toMatchObject({ lrsAccess })
    }
  })

  it('does not let rootAccess widen anything', async () => {
    expect(await create({ name: 'PHP', rootAccess: true })).toMatchObject({
      lrsAccess: 'isolated',
      watershedApiAccess: 'disabled',
    })
  })

  it('refuses a key that the organisation has, without telling of whom', async () => {
    await create({ key: 'same' })
    await world.events()
    const { status, json } = await world.ask('POST', base, { as: admin, json: { key: 'same' } })
    expect(status).toBe(409)
    expect(json).toEqual({ message: expect.stringContaining('key'), status: 409 })
    expect(await world.events()).toEqual([])
  })
})

describe('list', () => {
  it('S2.3 has count and results, and cuts nothing unless _limit is sent', async () => {
    for (let index = 0; index < 101; index++) await create({ name: `Provider ${index}` })
    const all = await world.ask('GET', base, { as: admin })
    expect(all.status).toBe(200)
    expect(Object.keys(all.json)).toEqual(['count', 'results'])
    expect(all.json.count).toBe(102)
    expect(all.json.results).toHaveLength(102)
    const ids = all.json.results.map((provider: { id: number }) => provider.id)
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b))

    const page = await world.ask('GET', `${base}?_limit=2&_offset=100`, { as: admin })
    expect(page.json.count).toBe(102)
    expect(page.json.results).toEqual(all.json.results.slice(100))
    const none = await world.ask('GET', `${base}?_limit=0`, { as: admin })
    expect(none.json).toEqual({ count: 102, results: [] })
  })

  it('finds by exact key', async () => {
    const one = await create({ key: 'Wanted' })
    const found = await world.ask('GET', `${base}?key=Wanted&whatever=1`, { as: admin })
    expect(found.json).toEqual({ count: 1, results: [one] })
    for (const key of ['wanted', 'Want', '', '%']) {
      const { json } = await world.ask('GET', `${base}?key=${encodeURIComponent(key)}`, { as: admin })
      expect(json).toEqual({ count: 0, results: [] })
    }
  })

  it('shows secrets, in answers that nothing may keep, and in no log and no audit event', async () => {
    const { secret } = await create({ secret: 'tell-nobody-but-the-list' })
    const { json, headers } = await world.ask('GET', base, { as: admin })
    expect(json.results.map((provider: { secret: string }) => provider.secret)).toEqual([admin.secret, secret])
    expect(headers.get('Cache-Control')).toContain('no-store')
    await world.ask('PUT', `${base}/1`, { as: admin, json: { secret: 'tell-nobody-either' } })
    await world.ask('POST', base, { as: admin, json: { secret: 'tell-nobody-but-the-list\u0000' } })
    const { events } = await world.core.audit.list(world.operator())
    const traces = world.log() + JSON.stringify(events)
    expect(traces).not.toContain('tell-nobody')
    expect(traces).not.toContain(admin.secret)
  })

  it('leaves out the keys of applications and of their management', async () => {
    const management = await world.credential({}, { kind: 'management', key: 'management' })
    const { application } = await makeApplication(world.core, world.operator())
    for (const { id, key } of [management.credential, { id: application.credentialId, key: application.id }]) {
      const { json } = await world.ask('GET', `${base}?key=${key}`, { as: admin })
      expect(json).toEqual({ count: 0, results: [] })
      await world.events()
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const body = method === 'PUT' ? { json: {} } : {}
        const { status } = await world.ask(method, `${base}/${id}`, { as: admin, ...body })
        expect([method, status]).toEqual([method, 404])
      }
      expect(await world.events()).toEqual([])
    }
  })
})

describe('read one', () => {
  it('is the entity of the list', async () => {
    const one = await create({ name: 'One' })
    expect(await read(one.id)).toEqual(one)
  })

  it('as self needs no API access', async () => {
    const one = await create({ name: 'One' })
    for (const path of [`${base}/self`, `${base}/${one.id}`]) {
      const { status, json } = await world.ask('GET', path, { as: one })
      expect(status).toBe(200)
      expect(json).toEqual(one)
    }
    const other = await create({ name: 'Other' })
    expect((await world.ask('GET', `${base}/${other.id}`, { as: one })).status).toBe(401)
  })
})

describe('edit', () => {
  it('S2.5 answers 204 without a body, and the change holds at once', async () => {
    const one = await create({ name: 'Old', key: 'old-key', secret: 'old-secret' })
    await world.events()
    const change = { name: 'New', key: 'new-key', secret: 'new-secret', lrsAccess: 'global' }
    const { status, text } = await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { ...one, ...change } })
    expect([status, text]).toEqual([204, ''])
    expect(await world.events()).toEqual([`credential.update ${one.id}`])
    expect(await read(one.id)).toEqual({ ...one, ...change, version: 2 })
    expect((await world.ask('GET', `${base}/self`, { as: one })).status).toBe(401)
    expect((await world.ask('GET', `${base}/self`, { as: change })).status).toBe(200)
  })

  it('S2.6 keeps key and secret, and whatever else is left out', async () => {
    const one = await create({ name: 'Old', lrsAccess: 'global', watershedApiAccess: 'enabled' })
    await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { name: 'New' } })
    expect(await read(one.id)).toEqual({ ...one, name: 'New', version: 2 })
  })

  it('S2.8 id and created stay, version counts each accepted edit, also one that changes nothing', async () => {
    const one = await create({ name: 'Same' })
    world.clock.pass(5000)
    for (const json of [one, {}, { Id: 5, Created: 'x', Version: 50 }]) {
      expect((await world.ask('PUT', `${base}/${one.id}`, { as: admin, json })).status).toBe(204)
    }
    expect(await read(one.id)).toEqual({ ...one, version: 4 })
    expect((await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { active: 'no' } })).status).toBe(400)
    expect((await read(one.id)).version).toBe(4)
  })

  it('S2.10 active false is not accepted anywhere, whatever the other two say', async () => {
    const one = await create({ lrsAccess: 'global', watershedApiAccess: 'enabled' })
    const session = await world.ask('POST', `${base}/self/sessions`, { as: one, json: {} })
    await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { active: false } })
    for (const path of [base, `${base}/self`, '/lrs/statements']) {
      for (const as of [one, session.json]) {
        const { status, json } = await world.ask('GET', path, { as, headers: { 'X-Experience-API-Version': '1.0.3' } })
        expect([path, status, json]).toEqual([path, 401, { message: 'HTTP 401 Unauthorized', status: 401 }])
      }
    }
    await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { active: true } })
    expect((await world.ask('GET', base, { as: one })).status).toBe(200)
  })

  it('refuses a key that another credential has or that looks like a session’s, and changes nothing', async () => {
    const one = await create({ name: 'One' })
    const two = await create({ name: 'Two' })
    const session = (await world.ask('POST', `${base}/${two.id}/sessions`, { as: admin, json: {} })).json
    await world.events()
    for (const [key, expected] of [
      [two.key, 409],
      [session.key, 400],
    ]) {
      const { status } = await world.ask('PUT', `${base}/${one.id}`, { as: admin, json: { key, name: 'Changed' } })
      expect(status).toBe(expected)
    }
    expect(await read(one.id)).toEqual(one)
    expect(await world.events()).toEqual([])
  })

  it('compares with what it showed: an unchanged word changes no right', async () => {
    const { credential } = await world.credential({}, { rights: findPreset('xapi-and-management')!.rights, words: {} })
    const shown = await read(credential.id)
    expect(shown).toMatchObject({ lrsAccess: 'isolated', watershedApiAccess: 'enabled' })
    await world.ask('PUT', `${base}/${credential.id}`, { as: admin, json: { ...shown, name: 'New' } })
    const after = await world.core.credentials.get(world.operator(), credential.id)
    expect(after).toMatchObject({ name: 'New', rights: credential.rights, words: {} })

    await world.ask('PUT', `${base}/${credential.id}`, { as: admin, json: { watershedApiAccess: 'disabled' } })
    const changed = await world.core.credentials.get(world.operator(), credential.id)
    expect(changed.rights).toEqual({ xapi: credential.rights.xapi, management: [] })
  })

  it('two at once both hold', async () => {
    const one = await create({ lrsAccess: 'isolated', watershedApiAccess: 'enabled' })
    const put = (json: object) => world.ask('PUT', `${base}/${one.id}`, { as: admin, json })
    await Promise.all([put({ lrsAccess: 'global' }), put({ watershedApiAccess: 'disabled' }), put({ name: 'Both' })])
    expect(await read(one.id)).toEqual({
      ...one,
      ...{ version: 4, name: 'Both', lrsAccess: 'global', watershedApiAccess: 'disabled' },
    })
  })

  it('never drops a pin, a limit or another Lrs', async () => {
    const pins = { registration: { id: 'b8d2f0d8-3f1f-4c6e-9a3e-0f6a0c1d2e3f', mode: 'required' as const } }
    const limits = { ratePerMinute: 77 }
    const { credential } = await world.credential({ lrsAccess: 'isolated' }, { pins, limits })
    await world.ask('PUT', `${base}/${credential.id}`, { as: admin, json: { lrsAccess: 'global', secret: 'x' } })
    const after = await world.core.credentials.get(world.operator(), credential.id)
    expect(after).toMatchObject({ pins, limits, lrsIds: credential.lrsIds })
    expect((await read(credential.id)).lrsAccess).toBe('global')
  })

  it('refuses what would not take effect: access to an Lrs it is not for, life after its end', async () => {
    const elsewhere = await world.core.lrs.create(world.operator(), { name: 'Elsewhere' })
    const { credential } = await world.credential({ lrsAccess: 'global' }, { lrsIds: [elsewhere.id as LrsId] })
    const path = `${base}/${credential.id}`
    expect((await read(credential.id)).lrsAccess).toBe('disabled')
    await world.events()
    expect((await world.ask('PUT', path, { as: admin, json: { lrsAccess: 'global' } })).status).toBe(409)
    expect(await world.events()).toEqual([])
    expect((await world.ask('PUT', path, { as: admin, json: { lrsAccess: 'disabled' } })).status).toBe(204)

    const { credential: ending } = await world.credential({}, { expiresAt: world.clock.now() + 1000 })
    world.clock.pass(1000)
    expect((await read(ending.id)).active).toBe(false)
    await world.events()
    const { status, json } = await world.ask('PUT', `${base}/${ending.id}`, { as: admin, json: { active: true } })
    expect([status, json.message]).toEqual([409, expect.stringContaining('active')])
    expect(await world.events()).toEqual([])
  })
})

describe('delete', () => {
  it('S2.1 S2.7 answers 200 with the complete object; nothing of it signs in any more', async () => {
    const one = await create({ name: 'For one launch' })
    const session = (await world.ask('POST', `${base}/self/sessions`, { as: one, json: {} })).json
    await world.events()
    const { status, json } = await world.ask('DELETE', `${base}/${one.id}`, { as: admin })
    expect(status).toBe(200)
    expect(json).toEqual(one)
    expect(await world.events()).toEqual([`credential.delete ${one.id}`])
    for (const as of [one, session]) expect((await world.ask('GET', `${base}/self`, { as })).status).toBe(401)
    for (const method of ['GET', 'DELETE']) {
      expect((await world.ask(method, `${base}/${one.id}`, { as: admin })).status).toBe(404)
    }
    expect(await world.events()).toEqual([])
    expect((await create()).id).toBeGreaterThan(one.id)
  })

  it('ignores a body, which the article describes by mistake', async () => {
    const one = await create()
    const { status } = await world.ask('DELETE', `${base}/${one.id}`, { as: admin, body: '{"nonsense"' })
    expect(status).toBe(200)
  })
})

describe('who may', () => {
  it.each([
    ['GET', base],
    ['POST', base],
    ['PUT', `${base}/self`],
    ['DELETE', `${base}/self`],
    ['GET', `${base}/1`],
    ['PUT', `${base}/1`],
    ['DELETE', `${base}/1`],
    ['GET', `${base}/99999`],
  ])('%s %s needs API access: 401, not 403', async (method, path) => {
    const one = await create({ lrsAccess: 'global' })
    await world.events()
    const ask = method === 'GET' || method === 'DELETE' ? { as: one } : { as: one, json: { name: 'x' } }
    const { status, headers, json } = await world.ask(method, path, ask)
    expect(status).toBe(401)
    expect(json).toEqual({
      message: 'HTTP 401 Unauthorized: these credentials have no Watershed API access',
      status: 401,
    })
    expect(headers.get('WWW-Authenticate')).toBe('Unauthorized')
    expect(await world.events()).toEqual([])
  })

  it('S2.2 key and secret authenticate, and unknown key and wrong secret look the same', async () => {
    const wrong = [undefined, { ...admin, secret: 'wrong' }, { ...admin, key: 'wrong' }, 'no.such.token'] as const
    const answers = await Promise.all(wrong.map((as) => world.ask('GET', base, as === undefined ? {} : { as })))
    for (const { status, headers, text } of answers) {
      expect([status, text]).toEqual([401, '{"message":"HTTP 401 Unauthorized","status":401}'])
      expect(headers.get('WWW-Authenticate')).toBe('Unauthorized')
      expect(headers.get('Content-Type')).toBe('application/json')
      expect(headers.get('Cache-Control')).toContain('no-store')
      expect(headers.get('Access-Control-Allow-Origin')).toBe('*')
      expect(headers.get('Access-Control-Allow-Methods')).toBe('OPTIONS, GET, POST, HEAD, PUT, DELETE')
      expect(headers.get('Access-Control-Allow-Headers')).toBe('Authorization, Content-Type')
      expect(headers.get('Access-Control-Expose-Headers')).toContain('Location')
    }
    expect(await world.events()).toEqual([])
  })

  it('S2.13 API access without LRS access can give itself LRS access', async () => {
    expect((await read(admin.id)).lrsAccess).toBe('disabled')
    const { status } = await world.ask('PUT', `${base}/${admin.id}`, { as: admin, json: { lrsAccess: 'global' } })
    expect(status).toBe(204)
    expect(await read(admin.id)).toMatchObject({ lrsAccess: 'global', watershedApiAccess: 'enabled' })
    const { status: made } = await world.ask('POST', base, {
      as: admin,
      json: { lrsAccess: 'global', watershedApiAccess: 'enabled' },
    })
    expect(made).toBe(200)
  })

  it('S2.13 delegated management cannot: neither by a grant nor through another key', async () => {
    const { management } = findPreset('delegated-management')!.rights
    const rights = { xapi: {}, management }
    const { credential, key, secret } = await world.credential({}, { rights, words: {} })
    const strong = await create({ lrsAccess: 'global', secret: 'do-not-show' })
    await world.events()
    const as = { key, secret }
    for (const path of [`${base}/self`, `${base}/${credential.id}`]) {
      const { status, json } = await world.ask('PUT', path, { as, json: { lrsAccess: 'isolated' } })
      expect([status, json.status]).toEqual([403, 403])
    }
    for (const json of [{ lrsAccess: 'writeOnly' }, { lrsAccess: 'disabled', watershedApiAccess: 'enabled' }]) {
      expect((await world.ask('POST', base, { as, json })).status).toBe(403)
    }
    expect((await world.ask('PUT', `${base}/${strong.id}`, { as, json: { secret: 'mine now' } })).status).toBe(403)
    expect((await world.ask('GET', `${base}/${strong.id}`, { as })).text).not.toContain('do-not-show')
    expect((await world.ask('GET', base, { as })).text).not.toContain('do-not-show')
    expect((await world.ask('POST', `${base}/${strong.id}/sessions`, { as, json: {} })).status).toBe(403)
    expect((await world.ask('DELETE', `${base}/${strong.id}`, { as })).status).toBe(403)
    const after = await world.core.credentials.get(world.operator(), credential.id)
    expect(after.rights).toEqual(rights)
    const events = await world.events()
    expect(events.filter((event) => /\.(create|update|delete) /.test(event))).toEqual([])
  })

  it('management that may only look, or only delete, is not API access: the entity holds the secret', async () => {
    const victim = await create({ lrsAccess: 'global', secret: 'do-not-show' })
    for (const actions of [['read'], ['delete'], ['read', 'delete']] as const) {
      const management = [{ area: 'credentials', actions, bound: { kind: 'organisation' } }] as const
      const as = await world.credential({}, { rights: { xapi: {}, management }, words: {} })
      await world.events()
      const one = `${base}/${victim.id}`
      const answers = [
        await world.ask('GET', base, { as }),
        await world.ask('GET', one, { as }),
        await world.ask('PUT', one, { as, json: { name: 'x' } }),
        await world.ask('DELETE', one, { as }),
        await world.ask('POST', base, { as, json: {} }),
        await world.ask('GET', `${one}/sessions`, { as }),
        await world.ask('POST', `${one}/sessions`, { as, json: {} }),
      ]
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
      expect(answers.map(({ text }) => text).join()).not.toContain('do-not-show')
      expect(await world.events()).toEqual([])
      expect((await world.ask('GET', `${base}/self`, { as })).json.secret).toBe(as.secret)
      const session = await world.core.sessions.create(world.operator(), as.credential.id)
      expect((await world.ask('GET', `${base}/self`, { as: session })).text).not.toContain(as.secret)
    }
  })

  it('S2.14 the audit log marks that management was given', async () => {
    const made = await create({ name: 'Careful', watershedApiAccess: 'enabled' })
    const { events } = await world.core.audit.list(world.operator())
    const event = events.findLast(({ target }) => target.id === made.id)
    expect(JSON.stringify(event?.detail)).toMatch(/manage/)
  })

  it('S2.15 the organisation in the path is the one that counts', async () => {
    const id = world.neighbour
    const theirs = await world.core.credentials.create(world.operator(id), {
      name: 'Theirs',
      key: admin.key,
      secret: 'another secret',
      rights: findPreset('management')!.rights,
    })
    await world.events(id)
    const list = `/api/organizations/${id}${base}`
    expect((await world.ask('GET', list, { as: admin })).status).toBe(401)
    expect((await world.ask('POST', list, { as: admin, json: {} })).status).toBe(401)
    expect((await world.ask('GET', '/api/organizations/33/activity-providers', { as: admin })).status).toBe(401)
    expect((await world.ask('GET', '/api/organizations/99999999999/activity-providers', { as: admin })).status).toBe(
      401,
    )
    const { json } = await world.ask('GET', list, { as: theirs })
    expect(json).toMatchObject({ count: 1, results: [{ id: theirs.credential.id, key: admin.key, name: 'Theirs' }] })

    for (const method of ['GET', 'DELETE'] as const) {
      expect((await world.ask(method, `${base}/${theirs.credential.id}`, { as: admin })).status).toBe(404)
      expect((await world.ask(method, `${base}/${theirs.credential.id}/sessions/1`, { as: admin })).status).toBe(404)
    }
    const { status } = await world.ask('PUT', `${base}/${theirs.credential.id}`, { as: admin, json: { name: 'Mine' } })
    expect(status).toBe(404)
    expect(await world.events(id)).toEqual([])
    expect(await world.events()).toEqual([])
  })

  it('lets two organisations use the same key, not with the same secret', async () => {
    const input = { name: 'Theirs', key: 'shared-key', rights: findPreset('isolated')!.rights }
    const theirs = await world.core.credentials.create(world.operator(world.neighbour), input)
    const same = { key: 'shared-key', secret: theirs.secret }
    await world.events()
    expect((await world.ask('POST', base, { as: admin, json: same })).status).toBe(409)
    expect(await world.events()).toEqual([])
    const ours = await create({ key: 'shared-key' })
    expect((await world.ask('PUT', `${base}/${ours.id}`, { as: admin, json: same })).status).toBe(409)
    expect((await world.ask('GET', `${base}/self`, { as: ours })).json.id).toBe(ours.id)
    expect((await world.ask('GET', `${base}/self`, { as: same })).status).toBe(401)
    const path = `/api/organizations/${world.neighbour}${base}/self`
    expect((await world.ask('GET', path, { as: same })).json.id).toBe(theirs.credential.id)
  })

  it('tells a browser beforehand what it may send, and HEAD what GET would say', async () => {
    const preflight = await world.ask('OPTIONS', base, {
      headers: { Origin: 'https://lms.example.org', 'Access-Control-Request-Method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('Access-Control-Allow-Methods')).toMatch(/POST.*PUT.*DELETE/)
    expect(preflight.headers.get('Access-Control-Allow-Headers')).toMatch(/Authorization.*Content-Type/)
    const head = await world.ask('HEAD', base, { as: admin })
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await world.ask('HEAD', base)).status).toBe(401)
  })

  it('allows 3000 requests a minute and credential, sessions included', async () => {
    const one = await create()
    const session = (await world.ask('POST', `${base}/self/sessions`, { as: one, json: {} })).json
    for (let count = 1; count < 3000; count++) {
      await world.core.limits.consume('watershed', String(one.id as CredentialId), { perMinute: 3000 })
    }
    await world.events()
    const answers = [
      await world.ask('GET', `${base}/self`, { as: one }),
      await world.ask('POST', `${base}/self/sessions`, { as: session, json: {} }),
    ]
    for (const { status, json, headers } of answers) {
      expect([status, json.status]).toEqual([429, 429])
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
    }
    expect(await world.events()).toEqual([])
    expect((await world.ask('GET', base, { as: admin })).status).toBe(200)
  })
})
