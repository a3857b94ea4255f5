// Applications of the realm: created, listed page by page, changed, deleted; and nobody else's.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, World } from '../../../test/support/scormcloud.ts'

let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const many = '/appManagement/applications'
const paged = '/appManagement/applicationList'
const ask = (method: string, path: string, json?: unknown): Promise<Answer> =>
  world.v2(method, path, { as: world.management, ...(json !== undefined && { json }) })
const info = async (id: string) => (await ask('GET', `${many}/${id}`)).json
const names = (answer: Answer): string[] => answer.json.applications.map((it: { name: string }) => it.name)

describe('createApplication', () => {
  it('S4.3 answers id and name; the id is ten of A to Z and 0 to 9', async () => {
    const { status, json } = await ask('POST', many, { name: 'Börse 7', whatever: 1 })
    expect([status, json]).toEqual([200, { id: expect.stringMatching(/^[A-Z0-9]{10}$/), name: 'Börse 7' }])
    expect(await world.events()).toEqual([`application.create ${json.id}`])
    expect(await info(json.id)).toEqual({
      ...{ id: json.id, name: 'Börse 7', allowDelete: true },
      ...{ createDate: '2026-01-02T03:04:05.000Z', updateDate: '2026-01-02T03:04:05.000Z' },
    })
  })

  it('makes one that nobody can use before it has a secret key', async () => {
    const { json } = await ask('POST', many, { name: 'New' })
    const ping = () => world.v2('GET', '/ping', { as: { key: json.id, secret: '' } })
    expect((await ping()).status).toBe(401)
    const made = await ask('POST', `/appManagement/${json.id}/credentials`, { name: 'k' })
    const as = { key: json.id, secret: made.json.credential }
    expect((await world.v2('GET', '/ping', { as })).status).toBe(200)
  })

  it.each([
    ['no name', {}, /\/name: must be a string/],
    ['null for a name', { name: null }, /\/name: must be a string/],
    ['an empty name', { name: '' }, /\/name: must not be empty/],
    ['a number', { name: 7 }, /\/name: must be a string/],
    ['a name too long', { name: 'x'.repeat(256) }, /\/name: .*255/],
    ['U+0000', { name: 'a\0b' }, /\/name: .*control/],
  ])('refuses %s', async (_what, json, message) => {
    const { status, json: answer } = await ask('POST', many, json)
    expect([status, answer]).toEqual([400, { message: expect.stringMatching(message) }])
    expect(await world.events()).toEqual([])
  })
})

describe('getApplicationList', () => {
  it('S4.3 has all of the realm and none of another', async () => {
    world.clock.pass(1)
    await world.addApplication('Second')
    await world.addApplication('Foreign', world.neighbour)
    const { status, json } = await ask('GET', many)
    expect(status).toBe(200)
    expect(json).toEqual({
      applications: [
        { id: world.application.record.id, name: 'First' },
        { id: expect.any(String), name: 'Second' },
      ],
    })
  })

  it('is not paged', async () => {
    for (let n = 0; n < 120; n++) await world.core.applications.create(world.operator(), { name: `${n}` })
    expect(names(await ask('GET', many))).toHaveLength(121)
  })
})

describe('getApplications', () => {
  it('filters, orders and counts', async () => {
    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      world.clock.pass(1000)
      await world.addApplication(name)
    }
    const list = async (query: string) => names(await ask('GET', `${paged}?${query}`)).join(' ')
    expect(await list('')).toBe('First Alpha Beta Gamma')
    expect(await list('orderBy=created_desc')).toBe('Gamma Beta Alpha First')
    expect(await list('filterBy=app_name&filter=A')).toBe('Alpha Beta Gamma')
    expect(await list('filter=zzzzzzzzzz')).toBe('')
    expect(await list(`filter=${world.application.record.id.slice(2, 8)}`)).toBe('First')
    expect(await list('since=2026-01-02T03:04:07')).toBe('Beta Gamma')
    expect(await list('since=2026-01-02T04:04:06%2B01:00&until=2026-01-02T03:04:07.000000')).toBe('Alpha Beta')
    expect(await list('datetimeFilter=created&until=2026-01-02T03:04:06Z&orderBy=updated_desc')).toBe('Alpha First')
    expect(await list('_=1700000000&unknown=x')).toBe('First Alpha Beta Gamma')
  })

  it('counts courses and registrations only where asked, and everything in a header', async () => {
    const plain = await ask('GET', paged)
    expect(plain.headers.get('X-Total-Count')).toBeNull()
    expect(Object.keys(plain.json)).toEqual(['applications'])
    expect(Object.keys(plain.json.applications[0])).not.toContain('courseCount')
    const counted = await ask(
      'GET',
      `${paged}?includeTotalCount=True&includeCourseCount=true&includeRegistrationCount=true`,
    )
    expect(counted.headers.get('X-Total-Count')).toBe('1')
    expect(counted.headers.get('Access-Control-Expose-Headers')).toContain('X-Total-Count')
    expect(counted.json.applications[0]).toMatchObject({ courseCount: 0, registrationCount: 0 })
  })

  it('goes on with more alone, by the filters of the first request', async () => {
    for (let n = 0; n < 205; n++) await world.core.applications.create(world.operator(), { name: `App ${n}` })
    await world.addApplication('Other')
    const first = await ask(
      'GET',
      `${paged}?filterBy=app_name&filter=app&orderBy=created_desc&includeTotalCount=true&includeCourseCount=true`,
    )
    expect(first.headers.get('X-Total-Count')).toBe('205')
    const second = await ask('GET', `${paged}?more=${first.json.more}`)
    expect(second.headers.get('X-Total-Count')).toBeNull()
    expect(second.json.applications[0].courseCount).toBe(0)
    const third = await ask('GET', `${paged}?more=${second.json.more}`)
    expect(third.json.more).toBeUndefined()
    const all = [first, second, third].flatMap(names)
    expect(all).toHaveLength(205)
    expect(new Set(all).size).toBe(205)
    const beside = await ask('GET', `${paged}?more=${first.json.more}&filter=x`)
    expect([beside.status, beside.json.message]).toEqual([
      400,
      expect.stringMatching(/^\?filter: must not stand beside more/),
    ])
  })

  it('gives somebody else with the same more nothing of ours', async () => {
    for (let n = 0; n < 101; n++) await world.core.applications.create(world.operator(), { name: `App ${n}` })
    const { more } = (await ask('GET', paged)).json
    const stranger = await world.core.applications.createManagementKey(world.operator(world.neighbour), { name: 'S' })
    const answer = await world.v2('GET', `${paged}?more=${more}`, { as: stranger })
    expect([answer.status, answer.json]).toEqual([200, { applications: [] }])
  })

  it.each([
    ['since=yesterday', /\?since: must be an ISO 8601 time/],
    ['until=2026-02-30T00:00:00Z', /\?until: must be an ISO 8601 time/],
    ['since=2026-01-01&since=2026-01-02', /\?since: must be given once/],
    ['datetimeFilter=deleted', /\?datetimeFilter: must be one of updated, created/],
    ['orderBy=name', /\?orderBy: must be one of/],
    ['filterBy=secret&filter=x', /\?filterBy: must be one of app_id, app_name/],
    ['includeTotalCount=yes', /\?includeTotalCount: must be true or false/],
    [`filter=${'x'.repeat(300)}`, /\?filter: must have at most 255/],
    ['filter=a%00b', /\?filter: .*U\+0000/],
    ['more=garbage', /\?more: must be what the page before it had/],
    [`more=${Buffer.from('{"list":"xapiCredentials"}').toString('base64url')}`, /\?more: must be what/],
    [`more=${'A'.repeat(9000)}`, /\?more: must be what/],
  ])('refuses %.40s', async (query, message) => {
    const { status, json } = await ask('GET', `${paged}?${query}`)
    expect([status, json]).toEqual([400, { message: expect.stringMatching(message) }])
  })
})

describe('updateApplication', () => {
  it('changes what is sent and nothing else', async () => {
    const { id } = world.application.record
    world.clock.pass(5000)
    expect(await ask('PUT', `${many}/${id}`, { allowDelete: false })).toMatchObject({ status: 204, text: '' })
    expect(await info(id)).toMatchObject({ name: 'First', allowDelete: false, updateDate: '2026-01-02T03:04:10.000Z' })
    expect((await ask('PUT', `${many}/${id}`, { name: 'Renamed', allowDelete: null })).status).toBe(204)
    expect(await info(id)).toMatchObject({ name: 'Renamed', allowDelete: false })
  })

  it.each([
    [{ allowDelete: 'no' }, /\/allowDelete: must be true or false/],
    [{ name: [] }, /\/name: must be a string/],
    ['name', /must be a JSON object/],
  ])('refuses %j', async (json, message) => {
    const { status, json: answer } = await ask('PUT', `${many}/${world.application.record.id}`, json)
    expect([status, answer.message]).toEqual([400, expect.stringMatching(message)])
    expect(await world.events()).toEqual([])
  })
})

describe('deleteApplication', () => {
  it('deletes one without content, with its key', async () => {
    const { record, login } = await world.addApplication('Doomed')
    expect((await ask('DELETE', `${many}/${record.id}`)).status).toBe(204)
    expect((await ask('GET', `${many}/${record.id}`)).status).toBe(404)
    expect((await world.v2('GET', '/ping', { as: login })).status).toBe(401)
  })

  it('S4.8 refuses with 409 and the counts while there is content, in the sandbox, too', async () => {
    const { record, login } = await world.addApplication('Full')
    const key = await world.v2('POST', '/xapi/credentials', {
      as: login,
      json: { name: 'k', secret: 's3cr3t-s3cr3t-s3cr3t', isEnabled: true, auth: 'BASICAUTH', permissionsLevel: 'ROOT' },
    })
    const as = { key: key.json.result, secret: 's3cr3t-s3cr3t-s3cr3t' }
    const statement = {
      actor: { mbox: 'mailto:a@example.org' },
      verb: { id: 'https://example.org/did' },
      object: { id: 'https://example.org/it' },
    }
    const stored = await world.ask('POST', `/lrs/${record.id}/sandbox/statements`, {
      ...{ as, json: statement },
      headers: { 'X-Experience-API-Version': '1.0.3' },
    })
    expect(stored.status).toBe(200)
    const { status, json } = await ask('DELETE', `${many}/${record.id}`)
    expect([status, json]).toEqual([
      409,
      { message: expect.stringMatching(/live: 0 statements .*sandbox: 1 statement /) },
    ])
    expect((await ask('GET', `${many}/${record.id}`)).status).toBe(200)
  })

  it('refuses with 400 what must not be deleted', async () => {
    const { id } = world.application.record
    await ask('PUT', `${many}/${id}`, { allowDelete: false })
    const { status, json } = await ask('DELETE', `${many}/${id}`)
    expect([status, json]).toEqual([400, { message: expect.stringContaining('must not be deleted') }])
    await ask('PUT', `${many}/${id}`, { allowDelete: true })
    expect((await ask('DELETE', `${many}/${id}`)).status).toBe(204)
  })
})

it('S4.3 S4.11 of another realm there is nothing', async () => {
  const { record } = await world.addApplication('Foreign', world.neighbour)
  await world.events(world.neighbour)
  const one = `${many}/${record.id}`
  const keys = `/appManagement/${record.id}/credentials`
  const before = await world.core.applications.reveal(world.operator(world.neighbour), record.id)
  const secret = before.credential.secrets[0]?.id
  for (const [method, path, json] of [
    ['GET', one],
    ['PUT', one, { name: 'mine' }],
    ['DELETE', one],
    ['GET', keys],
    ['POST', keys, { name: 'mine' }],
    ['PUT', `${keys}/${secret}`, { active: false }],
    ['DELETE', `${keys}/${secret}`],
  ] as const) {
    const { status, text } = await ask(method, path, json)
    expect([method, path, status]).toEqual([method, path, 404])
    expect(text).not.toContain('Foreign')
  }
  expect(await world.events(world.neighbour)).toEqual([])
})
