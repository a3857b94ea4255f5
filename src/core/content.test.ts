import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentOf, homePage, learner, openLaunchWorld } from '../../test/support/launch.ts'
import type { LaunchWorld } from '../../test/support/launch.ts'
import { readContentSettings } from './content-settings.ts'
import type { Oid } from './ids.ts'
import type { Caller } from './principal.ts'

let world: LaunchWorld
beforeAll(async () => void (world = await openLaunchWorld()))
afterAll(() => world.close())

const slice = { offset: 0, limit: 100 }
const nowhere = '0'.repeat(24) as Oid
const create = (settings = {}) => world.core.contents.create(world.operator, contentOf('tincan', settings))

async function refusedWithout(attempt: () => Promise<unknown>, refusal: object) {
  const look = async () => [
    await world.core.contents.list(world.operator, slice),
    await world.core.placements.list(world.operator, {}, slice),
    (await world.events()).length,
  ]
  const before = await look()
  await expect(attempt()).rejects.toMatchObject(refusal)
  expect(await look()).toEqual(before)
}

describe('settings of content', () => {
  const { settings } = contentOf('tincan')

  it('have their defaults', () => {
    expect(readContentSettings(settings)).toEqual({
      ...settings,
      ...{ idleSeconds: 7200, absoluteSeconds: 28_800, ignoredParams: [], moveOn: 'NotApplicable' },
      ...{ sendsNames: false, writesActivityProfiles: false, bindsBrowser: true },
      gives: {
        read: 'browse',
        participate: 'normal',
        evaluate: 'evaluate',
        modify: 'author',
        modifyInstance: 'author',
      },
    })
    expect(readContentSettings({ ...settings, gives: { read: 'nothing' } }).gives).toMatchObject({
      ...{ read: 'nothing', participate: 'normal' },
    })
  })

  it.each(['http://localhost:8080/a/?lang=en&x=%20#/start', 'https://bücher.example/ü'])('take %s', (url) => {
    expect(readContentSettings({ ...settings, url }).url).toBe(url)
  })

  it.each<[string, unknown]>([
    ['url', 'ftp://content.example/'],
    ['url', 'javascript:alert(1)'],
    ['url', 'data:text/html,x'],
    ['url', '//content.example/'],
    ['url', 'https://'],
    ['url', 'https://ada:secret@content.example/'],
    ['url', 'https://@content.example/'],
    ['url', 'https://content.example/a b'],
    ['url', 'https://content.example/\r\nX: y'],
    ['url', 'https:\\\\content.example'],
    ['url', `https://content.example/${'x'.repeat(2000)}`],
    ['url', 'https://content.example/\ud800'],
    ['style', 'cmi6'],
    ['activityId', 'no IRI'],
    ['activityId', 'https://content.example/\0'],
    ['activityType', 'lesson'],
    ['homePage', 'school'],
    ['idleSeconds', 59],
    ['idleSeconds', 86_401],
    ['idleSeconds', 600.5],
    ['absoluteSeconds', 299],
    ['absoluteSeconds', 604_801],
    ['absoluteSeconds', '600'],
    ['gives', { read: 'everything' }],
    ['gives', { watch: 'normal' }],
    ['ignoredParams', ['agent']],
    ['ignoredParams', ['statementid']],
    ['ignoredParams', ['a b']],
    ['ignoredParams', Array.from({ length: 51 }, (_, index) => `p${index}`)],
    ['masteryScore', 1.1],
    ['masteryScore', Number.NaN],
    ['masteryScore', 0.12345],
    ['moveOn', 'Attempted'],
    ['launchParameters', 'a\0b'],
    ['launchParameters', 'x'.repeat(4001)],
    ['entitlementKey', '\ud800'],
    ['returnUrl', 'javascript:alert(1)'],
    ['sendsNames', 'yes'],
    ['writesActivityProfiles', 'yes'],
    ['anything', 'else'],
  ])('refuse %s %j', (name, value) => {
    expect(() => readContentSettings({ ...settings, [name]: value })).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    )
  })
})

describe('content', () => {
  it('is made, changed by what is named, and removed', async () => {
    const content = await create({ idleSeconds: 600, masteryScore: 0.5, gives: { read: 'review' } })
    const changed = await world.core.contents.update(world.operator, content.id, {
      name: 'Algebra',
      settings: { idleSeconds: null, masteryScore: null, moveOn: 'Passed', gives: { modify: 'nothing' } },
    })
    expect(changed).toMatchObject({ name: 'Algebra', version: 2 })
    expect(changed.settings).toMatchObject({
      idleSeconds: 7200,
      moveOn: 'Passed',
      gives: { read: 'review', modify: 'nothing' },
    })
    expect(changed.settings).not.toHaveProperty('masteryScore')
    expect((await world.events()).at(-1)).toMatchObject({ action: 'content.update', target: { id: content.id } })
    await refusedWithout(() => world.core.contents.update(world.operator, content.id, { settings: { url: null } }), {
      code: 'invalid',
    })
    await world.core.contents.remove(world.operator, content.id)
    await refusedWithout(() => world.core.contents.get(world.operator, content.id), { code: 'not_found' })
  })

  it('stays as it was for a launch that runs', async () => {
    const content = await create()
    const opened = await world.launch('tincan', { content, actor: learner('ada') })
    await world.core.contents.update(world.operator, content.id, { settings: { url: 'https://elsewhere.example/' } })
    expect((await world.enter(opened)).data.settings.url).toBe(content.settings.url)
    await refusedWithout(() => world.core.contents.remove(world.operator, content.id), { code: 'conflict' })
    await world.core.launches.end(world.operator, opened.launch.id)
    await world.core.contents.remove(world.operator, content.id)
  })

  it('is one organisation’s, and managed by who manages all its keys', async () => {
    const content = await create()
    const { operator, organisationId } = await world.addOrganisation()
    const { contents } = world.core
    await refusedWithout(() => contents.get(operator, content.id), { code: 'not_found' })
    await refusedWithout(() => contents.update(operator, content.id, { name: 'x' }), { code: 'not_found' })
    await refusedWithout(() => contents.remove(operator, content.id), { code: 'not_found' })
    expect((await contents.list(operator, slice)).items).toEqual([])
    expect(await contents.find(organisationId, content.id)).toBeUndefined()
    expect(await contents.find(world.organisationId, content.id)).toEqual(content)
    for (const id of ['', 'x', nowhere, '\0'.repeat(24)])
      expect(await contents.find(world.organisationId, id)).toBeUndefined()
    const management = [
      { area: 'credentials', actions: ['read', 'write'], bound: { kind: 'lrs', id: world.lrsId } },
    ] as const
    const bound = await world.signIn(await world.issue('none', { rights: { xapi: {}, management } }))
    const plain = await world.signIn(await world.issue('xapi'))
    for (const caller of [bound, plain] satisfies Caller[]) {
      await refusedWithout(() => contents.get(caller, content.id), { code: 'forbidden' })
      await refusedWithout(() => contents.list(caller, slice), { code: 'forbidden' })
      await refusedWithout(() => contents.create(caller, contentOf('cmi5')), { code: 'forbidden' })
      await refusedWithout(() => contents.remove(caller, content.id), { code: 'forbidden' })
    }
  })

  it.each(['', 'a\0b', 'x'.repeat(256)])('is not called %j', async (name) => {
    await refusedWithout(() => world.core.contents.create(world.operator, { ...contentOf('tincan'), name }), {
      code: 'invalid',
    })
  })
})

describe('a placement', () => {
  it('is chosen at the platform, chosen anew, and removed there; each is told once', async () => {
    const { platform } = world
    const { placements } = world.core
    const [one, other] = [await create(), await create()]
    expect(await placements.find(platform, '14/100/1')).toBeUndefined()
    await placements.put(platform, '14/100/1', one.id)
    expect((await placements.find(platform, '14/100/1'))?.content).toEqual(one)
    const events = (await world.events()).length
    await placements.put(platform, '14/100/1', one.id)
    expect((await world.events()).length).toBe(events)
    await placements.put(platform, '14/100/1', other.id)
    expect((await world.events()).at(-1)).toMatchObject({
      ...{ action: 'placement.put', actor: { kind: 'credential', name: 'School' } },
      ...{ target: { noun: 'platform', id: 'school' }, detail: { resource: '14/100/1', content: other.id } },
    })
    await refusedWithout(() => world.core.contents.remove(world.operator, other.id), { code: 'conflict' })
    await placements.put(platform, '14/100/1', null)
    expect(await placements.find(platform, '14/100/1')).toMatchObject({ placement: { contentId: null } })
    expect((await placements.find(platform, '14/100/1'))?.content).toBeUndefined()
    await world.core.contents.remove(world.operator, other.id)
  })

  it('is of that platform alone, and of content of its organisation', async () => {
    const { placements, platforms, contents } = world.core
    const { operator } = await world.addOrganisation()
    const foreign = await contents.create(operator, contentOf('cmi5'))
    await refusedWithout(() => placements.put(world.platform, 'a', foreign.id), { code: 'not_found' })
    await refusedWithout(() => placements.put(world.platform, 'a', nowhere), { code: 'not_found' })
    await refusedWithout(() => placements.put(world.platform, '', null), { code: 'invalid' })
    await refusedWithout(() => placements.put(world.platform, 'a\0', null), { code: 'invalid' })
    await refusedWithout(() => placements.set(operator, world.platform.id, 'a', foreign.id), { code: 'not_found' })
    const { platform: other } = await platforms.create(world.operator, {
      ...{ id: 'college', name: 'College', protocol: 'signed-links', settings: { homePage } },
    })
    await placements.set(world.operator, world.platform.id, 'a', world.contents.cmi5.id)
    expect(await placements.find(other, 'a')).toBeUndefined()
    const listed = await placements.list(world.operator, { platformId: world.platform.id }, slice)
    expect(listed.items.map(({ resource }) => resource)).toContain('a')
    expect((await placements.list(operator, {}, slice)).items).toEqual([])
    const plain = await world.signIn(await world.issue('xapi'))
    await refusedWithout(() => placements.list(plain, {}, slice), { code: 'forbidden' })
    await refusedWithout(() => placements.set(plain, world.platform.id, 'a', null), { code: 'forbidden' })
  })
})
