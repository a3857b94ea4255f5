// Platforms, content and launches by the command line, on a core of its own: what is made, shown, changed, ended, and what is refused.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { CommandLine } from '../../../test/support/command-line.ts'
import { baseUrl } from '../../../test/support/core.ts'
import { browser, openLaunchWorld, statementOf } from '../../../test/support/launch.ts'
import type { LaunchWorld } from '../../../test/support/launch.ts'

let world: LaunchWorld
let cli: CommandLine
let another: number
beforeAll(async () => {
  world = await openLaunchWorld()
  another = (await world.addOrganisation()).organisationId
  cli = commandLineOn(world.core, { itslearning: true })
  const strict = { id: 'strict', name: 'Strict', protocol: 'itslearning', settings: { customers: [14] } }
  await world.core.platforms.create(world.operator, strict)
})
afterAll(() => world.close())

const first = ['-o', '1']
const settings = [
  '--url',
  'https://c.example/i.html?lang=en',
  '--style',
  'cmi5',
  '--activity-id',
  'https://c.example/a',
]

/** The actions audited since `before`. */
async function audited(before: number): Promise<readonly string[]> {
  return (await world.events()).slice(before).map(({ action }) => action)
}

describe('a platform', () => {
  const secret = '0f8fad5b-d9cb-469f-a165-70867728950e'
  const create = ['platform', 'create', 'itslearning', 'north', ...first]

  it('is registered, shown, changed, given another secret, and removed', async () => {
    const before = (await world.events()).length
    const made = await cli([...create, '--customers', '14,15', '--secret-stdin', '--json'], `${secret}\n`)
    expect(made).toMatchObject({
      ...{ code: 0, err: '' },
      json: {
        ...{ id: 'north', name: 'north', protocol: 'itslearning', isEnabled: true, secretCount: 1 },
        settings: { customers: [14, 15] },
        addresses: { 'view instance': 'https://lrs.example.org/launch/itslearning/north/view' },
      },
    })
    expect(made.out).not.toContain(secret)
    expect((await cli(['platform', 'list'])).out).toContain('north   1             north   itslearning  yes')

    const change = ['--name', 'North', '--customers', '16', '--max-skew-seconds', '600']
    const changed = await cli(['platform', 'update', 'north', ...change, '--json'])
    expect(changed.json).toMatchObject({ name: 'North', settings: { customers: [16], maxSkewSeconds: 600 } })
    const back = await cli(['platform', 'update', 'north', '--max-skew-seconds', 'default', '--disable', '--json'])
    expect(back.json).toMatchObject({ isEnabled: false, settings: { customers: [16] } })
    expect(back.json.settings).not.toHaveProperty('maxSkewSeconds')

    const placed = await cli(['platform', 'place', 'north', '16/100/200', world.contents.tincan.id])
    expect(placed.out).toContain('At 16/100/200 platform north (North) opens content')
    const shown = await cli(['platform', 'show', 'north'])
    expect(shown.out).toMatch(/launches +no: claviger platform update north --enable\n/)
    expect(shown.out).toMatch(/max-skew-seconds +300 /)
    expect(shown.out).toContain(`16/100/200  ${world.contents.tincan.id}`)
    expect((await cli(['content', 'show', world.contents.tincan.id])).out).toContain('north')
    expect(await cli(['content', 'remove', world.contents.tincan.id])).toMatchObject({ code: 1 })
    const unplaced = await cli(['platform', 'place', 'north', '16/100/200', 'default'])
    expect(unplaced.out).toContain('opens what it does where nobody has chosen')
    expect((await cli(['platform', 'show', 'north'])).out).toContain('Nobody has placed any content there yet.')
    expect(await cli(['platform', 'place', 'north', '16/100/200', 'default'])).toMatchObject({ code: 1 })
    await cli(['platform', 'place', 'north', '16/100/200', 'none'])

    const rotated = await cli(['platform', 'rotate', 'north', '--overlap', '1h', '--json'])
    expect(rotated.json).toMatchObject({ secretCount: 2, secret: expect.stringMatching(/^\w{32,}$/) })
    for (const { out } of [shown, await cli(['platform', 'show', 'north', '--json'])]) expect(out).not.toContain(secret)
    const clear = await cli(['platform', 'show', 'north', '--secrets', '--json'])
    expect(clear.json.secrets).toMatchObject([
      { value: rotated.json.secret, expiresAt: null },
      { value: secret, expiresAt: '2026-01-02T04:04:05.000Z' },
    ])

    expect((await cli(['platform', 'remove', 'north'])).out).toBe('Platform north (North) is gone, with 1 placement.\n')
    expect(await cli(['platform', 'show', 'north'])).toMatchObject({ code: 1, out: '' })
    const actions = ['create', 'update', 'update', 'rotate', 'delete'].map((what) => `platform.${what}`)
    expect(await audited(before)).toEqual([
      ...actions.slice(0, 3),
      'placement.put',
      'placement.delete',
      'placement.put',
      ...actions.slice(3),
    ])
    expect(JSON.stringify(await world.events())).not.toContain(secret)
  })

  it.each([
    [create, '--customers must be given'],
    [[...create, '--customers', 'x'], '--customers takes numbers parted by commas, such as 14,15, not "x"'],
    [[...create, '--customers', 'none'], '--customers takes numbers'],
    [[...create, '--customers', '14', '--secret', 'short'], '--secret must have at least 32 characters'],
    [[...create, '--customers', '14', '--secret', 'x'.repeat(40)], '--secret: '],
    [[...create, '--customers', '14', '--max-skew-seconds', '901'], 'takes whole numbers from 30 to 900, not "901"'],
    [[...create, '--customers', '14', '--frame-ancestors', '*'], '--frame-ancestors takes origins parted by commas'],
    [[...create, '--customers', '1,2', '--home-page', 'https://a.example'], '--home-page "https://a.example": With'],
    [['platform', 'create', 'itslearning', 'No', '--customers', '14', ...first], '"No": The id of a platform'],
    [['platform', 'create', 'itslerning', 'north'], 'itslerning'],
    [['platform', 'update', 'school'], 'say what is to change'],
    [['platform', 'update', 'school', '--enable', '--disable'], 'give one of'],
    [['platform', 'rotate', 'school', '--overlap', '400d'], '--overlap must be from 0s to 365d, not 400d'],
    [['platform', 'place', 'school', 'room', 'f'.repeat(24)], 'there is no content'],
    [['platform', 'place', 'strict', 'room', 'none'], 'A place is CUSTOMER/OBJECT/INSTANCE'],
    [['platform', 'place', 'strict', '15/1/2', 'none'], 'The customer 15 is none of those whose people may come: 14'],
    [['platform', 'show', 'scool'], 'there is no platform scool'],
    [['platform', 'remove', 'school', '-o', '2'], 'there is no platform school'],
  ])('is refused: %s', async (argv, why) => {
    const before = (await world.events()).length
    const refused = await cli(argv)
    expect([refused.code > 0, refused.out]).toEqual([true, ''])
    expect(refused.err).toContain(why)
    expect(await audited(before)).toEqual([])
  })
})

it('what is printed next works', async () => {
  const own = ['--customers', '14', '--content', world.contents.tincan.id, ...first]
  const created = await cli(['platform', 'create', 'itslearning', 'south', ...own])
  const [, next = ''] = /Next: claviger (launch sign .*) --open\n/.exec(created.out) ?? []
  const url = (await cli(next.split(' '))).out.trim()
  expect((await world.ask('GET', url.replace(baseUrl, ''))).status).toBe(303)
  const without = await cli(['platform', 'update', 'south', '--content', 'none'])
  expect(without.out).toMatch(/ content +none /)
  await cli(['platform', 'remove', 'south'])
})

describe('content', () => {
  it('is registered, listed, shown, changed and removed', async () => {
    const before = (await world.events()).length
    const options = ['--idle', '30m', '--gives', 'read=normal', '--ignore-param', 'lang', '--mastery-score', '.8']
    const flags = ['--send-names', '--write-activity-profiles']
    const made = await cli(['content', 'create', 'Drill', ...settings, ...options, ...flags, '--json', ...first])
    expect(made).toMatchObject({
      code: 0,
      err: '',
      json: {
        name: 'Drill',
        settings: {
          ...{ style: 'cmi5', idleSeconds: 1800, absoluteSeconds: 28_800, ignoredParams: ['lang'], masteryScore: 0.8 },
          ...{ sendsNames: true, writesActivityProfiles: true, bindsBrowser: true, moveOn: 'NotApplicable' },
          gives: { read: 'normal', participate: 'normal', evaluate: 'evaluate', modify: 'author' },
        },
      },
    })
    const { id } = made.json as { id: string }
    expect((await cli(['content', 'list'])).out).toContain(`${id}  1             Drill   cmi5`)
    const change = ['--mastery-score', 'none', '--gives', 'modify=nothing', '--ignore-param', 'none', '--no-send-names']
    const changed = await cli(['content', 'update', id, '--name', 'Fire drill', ...change, '--json'])
    expect(changed.json).toMatchObject({
      name: 'Fire drill',
      settings: { ignoredParams: [], sendsNames: false, gives: { read: 'normal', modify: 'nothing' } },
    })
    expect(changed.json.settings).not.toHaveProperty('masteryScore')
    const shown = await cli(['content', 'show', id])
    expect(shown.out).toMatch(/idle seconds +1800\n/)
    expect(shown.out).toContain('No platform has placed it.')
    expect(await cli(['content', 'remove', id])).toMatchObject({
      code: 0,
      out: `Content ${id} (Fire drill) is gone.\n`,
    })
    expect(await cli(['content', 'show', id])).toMatchObject({ code: 1 })
    expect(await audited(before)).toEqual(['content.create', 'content.update', 'content.delete'])
  })

  it.each([
    [['content', 'create', 'X', '--url', 'https://c.example'], '--url, --style and --activity-id are needed'],
    [['content', 'create', 'X', ...settings, '--style', 'scorm'], '--style "scorm": The style is cmi5 or tincan.'],
    [['content', 'create', 'X', ...settings, '--url', 'ftp://c.example'], '--url "ftp://c.example": An address is'],
    [['content', 'create', 'X', ...settings, '--idle', '5s'], '--idle must be from 1m to 1d, not 5s'],
    [['content', 'create', 'X', ...settings, '--mastery-score', '1.5'], '--mastery-score is a number from 0 to 1'],
    [['content', 'create', 'X', ...settings, '--gives', 'read'], '--gives is PERMISSION=WHAT'],
    [['content', 'create', 'X', ...settings, '--gives', 'raed=normal'], 'did you mean read?'],
    [['content', 'create', 'X', ...settings, '--gives', 'read=norml'], 'did you mean normal?'],
    [
      ['content', 'create', 'X', ...settings, '--ignore-param', 'agent'],
      '--ignore-param "agent": xAPI has a parameter',
    ],
  ])('is refused: %s', async (argv, why) => {
    const before = (await world.events()).length
    const refused = await cli([...argv, ...first])
    expect([refused.code, refused.out]).toEqual([2, ''])
    expect(refused.err).toContain(why)
    expect(await audited(before)).toEqual([])
  })

  it('says what has no effect in its style, and takes back what need not be there', async () => {
    const own = ['--url', 'https://c.example', '--activity-id', 'https://c.example/a', '--move-on', 'Passed']
    const made = await cli(['content', 'create', 'X', '--style', 'tincan', ...own, ...first])
    expect(made.err).toBe('warning: --move-on: kept, but of no effect in a launch in the style tincan\n')
    const [, id = ''] = /Content (\w+) /.exec(made.out) ?? []
    expect(made.out).toContain(`Next: claviger launch create ${id} --credential KEY --actor NAME@https://HOME.PAGE\n`)
    const back = await cli(['content', 'update', id, '--move-on', 'none', '--idle', 'none', '--json'])
    expect(back).toMatchObject({ err: '', json: { settings: { moveOn: 'NotApplicable', idleSeconds: 7200 } } })
    await cli(['content', 'remove', id])
  })

  it('changes nothing unless something is said, and is of nobody else', async () => {
    const { id } = world.contents.tincan
    expect(await cli(['content', 'update', id])).toMatchObject({ code: 2, err: expect.stringContaining('say what') })
    const foreign = ['-o', String(another)]
    expect(await cli(['content', 'show', id, ...foreign])).toMatchObject({ code: 1, out: '' })
    expect(await cli(['content', 'remove', id, ...foreign])).toMatchObject({ code: 1, out: '' })
    expect(await cli(['content', 'list', ...foreign])).toMatchObject({ code: 0, out: 'none\n' })
  })
})

describe('a launch', () => {
  const ada = ['--actor', 'ada@https://school.example.org']

  it('is made by a key, opened once, listed, shown and ended', async () => {
    const { credential } = await world.issue('launch')
    const before = (await world.events()).length
    const by = ['--credential', `id:${credential.id}`]
    const made = await cli([
      'launch',
      'create',
      world.contents.tincan.id,
      ...by,
      ...ada,
      '--language',
      'nb-NO',
      '--json',
    ])
    expect(made).toMatchObject({ code: 0, err: '', json: { activityId: 'https://content.example.org/tincan' } })
    const { id, url } = made.json as { id: string; url: string }
    const entered = await world.core.launches.enter(url.slice(url.lastIndexOf('/') + 1), { cookie: browser })
    expect(entered.data).toMatchObject({ language: 'nb-NO' })
    expect(entered.opening).toHaveProperty('secret')

    const { out } = await cli(['launch', 'list', '--running', ...ada])
    expect(out).toContain(`${id}  credential ${credential.id}  tincan  normal  account https://school.example.org ada`)
    expect((await cli(['launch', 'show', id])).out).toContain('It stored no statements.')
    const json = statementOf(entered)
    const stored = await world.xapi(entered.opening as never, 'POST', '/statements', { json })
    expect(stored.status).toBe(200)
    const shown = await cli(['launch', 'show', id.toUpperCase()])
    expect(shown.out).toMatch(/state +runs\n/)
    expect(shown.out).toMatch(/\n {2}03:04:05 {2}experienced {2}https:\/\/content\.example\.org\/tincan\n$/)
    const inJson = (await cli(['launch', 'show', id, '--json'])).out
    for (const secret of Object.values(entered.opening).slice(1)) expect(shown.out + inJson).not.toContain(secret)

    expect(await cli(['launch', 'end', id])).toMatchObject({ code: 0, out: `Launch ${id} has ended.\n` })
    expect((await cli(['launch', 'end', id])).out).toContain('was over already')
    expect((await cli(['launch', 'show', id])).out).toMatch(/state +ended by hand, 2026-/)
    expect((await cli(['launch', 'list', '--running', ...ada])).out).toBe('none\n')
    expect(await audited(before)).toEqual(['launch.create', 'launch.end'])
  })

  it('is made as a platform would, at one of its places', async () => {
    const { platform, contents } = world
    const as = ['--platform', platform.id, '--place', 'room', '--mode', 'browse', '--data', '{"a":1}']
    const made = await cli(['launch', 'create', contents.cmi5.id, ...as, ...ada, '--json'])
    const { launch } = await world.launch('cmi5')
    expect(made.json).toMatchObject({ registration: launch.registration, activityId: launch.activityId })
    const list = ['launch', 'list', '--platform', platform.id, '--content', contents.cmi5.id, '--json']
    const { json } = await cli(list)
    expect(json).toMatchObject([{ id: launch.id }, { id: made.json.id, mode: 'browse', endedBy: 'superseded' }])
    expect((await cli([...list, '--limit', '1'])).json).toHaveLength(1)
    expect((await cli([...list, '--registration', launch.registration])).json).toHaveLength(2)
  })

  it.each([
    [[], 'give one of --credential and --platform'],
    [['--credential', '1', '--platform', 'school'], 'give one of --credential and --platform'],
    [['--platform', 'scool'], 'there is no platform scool'],
    [['--platform', 'school', '--mode', 'brwose'], 'did you mean browse?'],
    [['--platform', 'school', '--data', '{'], '--data is JSON, not "{"'],
    [['--platform', 'school', '--registration', 'x'], '--registration "x": A registration is'],
    [['--platform', 'school', '--language', '12 34'], '--language "12 34": A language tag'],
    [['--platform', 'school', '--actor', 'ada'], '--actor ada: say of which home page the account is'],
    [['--platform', 'school', '--actor', 'mailto:ada'], '--actor "mailto:ada"'],
  ])('is refused with %s', async (options, why) => {
    const before = (await world.events()).length
    const actor = options.includes('--actor') ? [] : ada
    const refused = await cli(['launch', 'create', world.contents.cmi5.id, ...actor, ...options])
    expect([refused.code > 0, refused.out]).toEqual([true, ''])
    expect(refused.err).toContain(why)
    expect(await audited(before)).toEqual([])
  })

  it('is not looked for by what is none', async () => {
    const listed = await cli(['launch', 'list', '--registration', 'x'])
    expect(listed).toMatchObject({ code: 2, out: '', err: 'error: --registration is a UUID, not "x"\n' })
  })

  it('says how far it has come in words', async () => {
    const { opened } = await world.keyOf('cmi5')
    const { out } = await cli(['launch', 'show', opened.launch.id])
    expect(out).toMatch(/\n {2}said +initialized\b/)
    expect(out).not.toContain('{"session"')
  })

  it('is found by nobody else', async () => {
    const { launch } = await world.launch('tincan')
    const foreign = ['-o', String(another)]
    expect(await cli(['launch', 'show', launch.id, ...foreign])).toMatchObject({ code: 1, out: '' })
    expect(await cli(['launch', 'end', launch.id, ...foreign])).toMatchObject({ code: 1, out: '' })
    expect(await cli(['launch', 'list', ...foreign])).toMatchObject({ code: 0, out: 'none\n' })
    expect(await cli(['launch', 'list', '--content', world.contents.cmi5.id, ...foreign])).toMatchObject({ code: 1 })
    expect(await cli(['launch', 'show', 'nonsense'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no launch'),
    })
    expect((await cli(['launch', 'show', launch.id])).out).toMatch(/state +runs\n/)
  })
})

it.each([
  ['GET', '/launch/closed', 'public', 0],
  ['GET', '/launch/s/x', 'ticket', 1],
  ['POST', '/launch/fetch/x', 'ticket', 1],
  ['GET', '/launch/own/data', 'launch', 1],
  ['PUT', '/launch/closed', 'method', 1],
  ['GET', '/launch/none', 'path', 1],
  ['GET', '/launch/itslearning/school/view', 'signature', 1],
])('ask says what becomes of %s %s', async (method, path, decidedBy, code) => {
  const { credential } = await world.issue('everything')
  const told = await cli(['ask', `id:${credential.id}`, method, path, '--json'])
  expect([told.code, told.json.decidedBy]).toEqual([code, decidedBy])
})
