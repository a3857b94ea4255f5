import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { Printed } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

/** A command line as one would type it; words with spaces are given apart. */
const cli = (line: string, ...more: string[]): Promise<Printed> =>
  commandLineOn(world.core)([...line.split(' '), ...more])
const piped = (stdin: string, line: string): Promise<Printed> => commandLineOn(world.core)(line.split(' '), stdin)

let made = 0
async function key(line = ''): Promise<string> {
  made += 1
  const name = `key-${made}`
  const printed = await cli(`credential create --name K --key ${name}${line && ` ${line}`}`)
  if (printed.code !== 0) throw new Error(printed.err)
  return name
}
const show = async (name: string): Promise<any> => (await cli(`credential show ${name} --json`)).json
const events = async (): Promise<number> => (await world.events()).length

describe('create', () => {
  it('warns of management once, and of no more than there is', async () => {
    const { err } = await cli('credential create --name M --manage credentials:read')
    expect(err.match(/^warning: /gm)).toHaveLength(1)
    expect(err).toContain('not their secrets')
  })

  it('S0.13 warns of a key that stores and reads nothing back, as the vendor’s documents do', async () => {
    const vendor = commandLineOn(world.core, { learninglocker: true })
    const preset = (name: string) =>
      vendor(['credential', 'create', '--name', 'S', '--preset', `learninglocker/${name}`])
    expect((await preset('statements/write')).err).toBe('warning: It cannot read back what it stores.\n')
    expect((await preset('xapi/all')).err).toBe('')
  })

  it('keeps pins and limits apart, and promises nothing that is not offered yet', async () => {
    const id = '0e1c3f6a-3a4d-4c55-9d5b-6f0a3a1d2c4b'
    const { out } = await cli(`credential create --name P --pin-registration ${id} --limit-rate 60`)
    expect(out).toContain(
      `\n\nOnly\n  - in the registration ${id}, which every statement must carry\n  - with 60 requests`,
    )
    expect(out).toMatch(/read its own state documents\n/)
    expect(out).not.toContain('(required)')
  })

  it('prints where a vendor’s key is used', async () => {
    const { out } = await cli('credential create --name W --preset watershed/isolated')
    expect(out).toContain('https://lrs.example.org/api/organizations/1/activity-providers')
    expect(out).toContain('https://lrs.example.org/api/organizations/1/lrs/')
    expect((await cli('credential create --name X --preset isolated')).out).not.toContain('/api/organizations')
  })

  it('shows a secret it made, and does not echo one that was given', async () => {
    const given = 'given-secret-0123456789'
    const answers = [
      await cli(`credential create --name G --secret ${given}`),
      await cli(`credential create --name G --secret ${given} --json`),
      await piped(given, 'credential create --name G --secret-stdin'),
      await cli(`credential rotate ${await key()} --secret ${given}`),
      await piped(given, `credential rotate ${await key()} --secret-stdin --json`),
    ]
    for (const { code, out, err } of answers) {
      expect(code).toBe(0)
      expect(out + err).not.toContain(given)
      expect(out).not.toContain('not shown again')
    }
    const random = await cli('credential create --name R')
    expect(random.out).toMatch(/secret {2}[0-9a-f]{40}\n[\s\S]*The secret is not shown again/)
    expect((await cli(`credential rotate ${await key()} --json`)).json.secret).toMatch(/^[0-9a-f]{40}$/)
  })
})

describe('set', () => {
  it('changes what is given and nothing else, and says what changed', async () => {
    const name = await key('--preset isolated --pin-actor mailto:ann@example.org --limit-rate 60 --expires 30d')
    const before = await show(name)
    const { code, out } = await cli(`credential set ${name} --right statements/read`)
    expect(code).toBe(0)
    expect(out).toContain('changed:\n  statements/read: mine → any\n')
    expect(out).toContain('It may\n')
    const after = await show(name)
    expect(after.rights.xapi).toEqual({ ...before.rights.xapi, 'statements/read': 'any' })
    for (const member of ['name', 'pins', 'limits', 'lrsIds', 'expiresAt', 'secrets', 'key']) {
      expect(after[member]).toEqual(before[member])
    }
  })

  it.each([
    ['--name Other', { name: 'Other' }],
    ['--preset none', { rights: { xapi: {}, management: [] } }],
    ['--preset none --right define:mine', { rights: { xapi: { define: 'mine' }, management: [] } }],
    ['--drop-right statements/read', { rights: { xapi: { 'statements/write': 'any' } } }],
    ['--manage credentials:read', { rights: { management: [{ area: 'data' }, { area: 'credentials' }] } }],
    ['--drop-manage', { rights: { management: [] } }],
    ['--no-pin', { pins: {} }],
    ['--no-pin-actor', { pins: { activity: 'urn:course' } }],
    ['--no-pin-actor --pin-actor bob', { pins: { actor: [{ accountName: 'bob' }], activity: 'urn:course' } }],
    ['--no-pin-activity', { pins: { actor: [{ accountName: 'ann' }] } }],
    ['--no-limit', { limits: {} }],
    ['--no-limit-rate', { limits: { batch: 5 } }],
    ['--limit-rate 7', { limits: { ratePerMinute: 7, batch: 5 } }],
    ['--limit-address 192.0.2.1 --limit-address 192.0.2.2', { limits: { addresses: ['192.0.2.1', '192.0.2.2'] } }],
    ['--no-expires', { expiresAt: null }],
    ['--expires never', { expiresAt: null }],
    ['--expires 2030-01-01', { expiresAt: '2030-01-01T00:00:00.000Z' }],
  ])('%s', async (line, expected) => {
    const rights = '--right statements/write --right statements/read --manage data:read'
    const name = await key(
      `${rights} --pin-actor ann --pin-activity urn:course --limit-rate 60 --limit-batch 5 --expires 30d`,
    )
    const printed = await cli(`credential set ${name} ${line}`)
    expect(printed.code, printed.err).toBe(0)
    expect(printed.out).toContain(' changed:\n')
    const after = await show(name)
    expect(after).toMatchObject(expected)
    if ('pins' in expected) expect(after.pins).toEqual(expected.pins)
    if ('limits' in expected && Object.keys(expected.limits).length === 0) expect(after.limits).toEqual({})
  })

  it('reaches another Lrs, home first', async () => {
    const { id } = await world.core.lrs.create(world.operator, { name: 'Second' })
    const name = await key()
    await cli(`credential set ${name} --lrs ${id} --lrs ${world.lrsId}`)
    expect((await show(name)).lrsIds).toEqual([id, world.lrsId])
  })

  it('takes the words of a vendor’s preset', async () => {
    const name = await key()
    await cli(`credential set ${name} --preset watershed/globalReadOnly`)
    expect((await cli(`credential show ${name} --as watershed`)).out).toContain('"lrsAccess": "globalReadOnly"')
  })

  it('says so when nothing changes', async () => {
    const name = await key()
    expect((await cli(`credential set ${name} --name K`)).out).toContain('was so already')
  })

  it.each([
    ['', 'say what to change'],
    [' --drop-right statements/raed', 'did you mean statements/read?'],
    [' --preset isolatd', 'did you mean isolated?'],
    [' --within', '--within belongs to'],
    [' --limit-rate x', '--limit-rate'],
  ])('refuses "%s" and changes nothing', async (line, message) => {
    const name = await key()
    const [before, count] = [await show(name), await events()]
    const { code, err } = await cli(`credential set ${name}${line}`)
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
    expect([await show(name), await events()]).toEqual([before, count])
  })

  it('is what ask prescribes, and it helps', async () => {
    const cases = [
      ['--preset none', 'GET /xapi/statements'],
      ['--preset none', 'GET /api/organizations/1/activity-providers'],
      ['--limit-address 192.0.2.1', 'GET /xapi/statements --from 192.0.2.9'],
      ['--limit-origin https://a.example', 'GET /xapi/statements --origin https://b.example'],
      ['--limit-xapi-version 1.0', 'GET /xapi/statements --xapi-version 2.0.0'],
    ]
    for (const [line, request] of cases) {
      const name = await key(line)
      const question = `ask ${name} ${request} --json`
      let answer = (await cli(question)).json
      expect(answer.allowed).toBe(false)
      for (let tries = 0; !answer.allowed && tries < 3; tries += 1) {
        expect(answer.remedy).toMatch(/^claviger credential set \d+ --/)
        const printed = await cli(answer.remedy.replace('claviger ', ''))
        expect(printed.code, printed.err).toBe(0)
        answer = (await cli(question)).json
      }
      expect(answer.allowed, `${line} ${request}`).toBe(true)
    }
  })

  it('brings an expired key back', async () => {
    const name = await key('--expires 1h')
    world.clock.pass(2 * 3_600_000)
    const { json } = await cli(`ask ${name} GET /xapi/statements --json`)
    expect(json).toMatchObject({ allowed: false, decidedBy: 'credential' })
    await cli(json.remedy.replace('claviger ', ''))
    expect((await cli(`ask ${name} GET /xapi/statements`)).code).toBe(0)
  })
})

describe('a word that is the id of one and the key of another', () => {
  it('is refused by every command, and each way of saying it works', async () => {
    const { id } = await show(await key())
    await cli(`credential create --name Twin --key ${id}`)
    const twin = (await cli(`credential show key:${id} --json`)).json
    expect(twin).toMatchObject({ name: 'Twin', key: String(id) })
    const count = await events()
    for (const line of [`credential show ${id}`, `credential revoke ${id}`, `credential show #${twin.id}x`]) {
      expect((await cli(line)).code).not.toBe(0)
    }
    const refused = await cli(`credential revoke ${id}`)
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(`id:${id} or key:${id}`)])
    expect(await events()).toBe(count)
    for (const word of [`id:${id}`, `#${id}`]) {
      expect((await cli(`credential show ${word} --json`)).json).toMatchObject({ id, name: 'K' })
    }
    expect((await cli(`credential revoke key:${id}`)).code).toBe(0)
    expect((await cli(`credential show ${id} --json`)).json).toMatchObject({ id, name: 'K' })
  })
})

describe('session', () => {
  it('lists and revokes', async () => {
    const name = await key('--preset isolated --limit-rate 9')
    const { json } = await cli(`session create ${name} --right statements/read:mine --pin-actor ann --json`)
    expect(json.only).toEqual(
      expect.arrayContaining([expect.stringContaining('ann'), expect.stringContaining('9 requests')]),
    )
    const listed = await cli(`session list ${name}`)
    expect(listed.out).toContain('read the statements it stored; only about the actor account ann')
    expect(listed.out).not.toContain(json.secret)
    const all = (await cli(`session list ${name} --json`)).json
    expect(all).toMatchObject([{ id: json.id, key: json.key, state: 'live' }])
    expect(JSON.stringify(all)).not.toMatch(/sealed|secret"/)
    expect((await cli(`session revoke ${name} ${json.id}`)).code).toBe(0)
    expect((await cli(`session list ${name} --json`)).json).toEqual([])
    await expect(world.signIn(json)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect((await cli(`session revoke ${name} ${json.id}`)).code).toBe(1)
    expect((await cli(`session revoke ${name} x`)).code).toBe(2)
  })

  it('says which of them have ended', async () => {
    const name = await key()
    await cli(`session create ${name} --expires 1h`)
    await cli(`credential rotate ${name}`)
    const state = async () => (await cli(`session list ${name} --json`)).json[0].state
    expect(await state()).toBe('ended')
    world.clock.pass(2 * 3_600_000)
    expect(await state()).toBe('expired')
  })

  it('names the reach a credential can give', async () => {
    const { code, err } = await cli(`session create ${await key()} --right statements/read`)
    expect([code, err]).toEqual([2, expect.stringContaining('--right statements/read:mine')])
  })

  it.each(['ask KEY GET /xapi/statements', 'try KEY', 'credential show KEY'])(
    '%s says whose session it is',
    async (line) => {
      const name = await key()
      const parent = (await show(name)).id
      const { json } = await cli(`session create ${name} --json`)
      const { code, err } = await cli(line.replace('KEY', json.key))
      expect([code, err]).toEqual([1, expect.stringContaining(`session ${json.id} of credential ${parent}`)])
    },
  )
})

describe('try', () => {
  it('takes a key kept from others’ statements for what it is', async () => {
    const isolated = await cli(`try ${await key('--preset isolated')}`)
    expect(isolated.out).toMatch(/stores: +yes\n.*own back: +yes\n.*another key’s: no, as it should\. /)
    expect((await cli(`try ${await key('--preset xapi')}`)).out).toMatch(/another key’s: yes/)
  })

  it('says which command would change what is missing', async () => {
    const name = await key('--preset write-only')
    const { id } = await show(name)
    const { out } = await cli(`try ${name}`)
    const change = `To change it: claviger credential set ${id} --right statements/read`
    expect(out).toContain(`own back:  no. This key lacks the right statements/read. ${change}\n`)
  })

  it('says what it does not judge, and what it leaves', async () => {
    const name = await key('--limit-address 192.0.2.1 --limit-rate 3')
    expect((await cli(`try ${name}`)).out).toContain(
      'Not judged: the addresses it may be used from, its rate and quota',
    )
    expect((await cli(`try ${await key()}`)).out).not.toContain('Not judged')
    expect((await cli('try --help')).out).toMatch(
      /leaves in the key's Lrs a voided statement and the one that voids it/,
    )
    expect((await cli('try --help')).out).toMatch(/statements only.*\n.*claviger ask .*activities\/state/)
  })

  it('leaves nothing that is not voided', async () => {
    await cli(`try ${await key('--preset write-only')}`)
    const reader = await world.signIn(await world.issue('read-only'))
    const query = { filters: [], isAscending: true, limit: 1000 } as const
    const { statements } = await world.core.statements.list(reader, world.lrsId, query)
    const verbs = statements.map(({ body }) => JSON.parse(body).verb.id)
    expect(new Set(verbs)).toEqual(new Set(['http://adlnet.gov/expapi/verbs/voided']))
  })
})
