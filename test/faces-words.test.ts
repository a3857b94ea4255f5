// Every face's words in every other face: a key that one API made is shown by each with the nearest word that is not wider, an edit
// of something else there changes nothing of its worth, and a word that is set there replaces rights and drops no pin. All through
// the APIs themselves, over every word of each face's own table.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allManagement, fingerprint, isWithin, noRights } from '../src/core/rights.ts'
import type { Rights } from '../src/core/rights.ts'
import type { CredentialRecord } from '../src/core/storage.ts'
import * as learninglocker from '../src/faces/learninglocker/words.ts'
import { permissionsLevels } from '../src/faces/scormcloud-v1/words.ts'
import * as v1Words from '../src/faces/scormcloud-v1/words.ts'
import * as v2Words from '../src/faces/scormcloud-v2/words.ts'
import * as watershedWords from '../src/faces/watershed/words.ts'
import { openWorld } from './support/scormcloud.ts'
import type { Answer, Login, World } from './support/scormcloud.ts'

let world: World
/** A key of the organisation that manages everything, in the words of the two APIs that have one. */
let admin: Login
let storeOid: string

beforeAll(async () => {
  world = await openWorld()
  // The one Lrs that all four reach: the application's live one is the organisation's default.
  const { liveLrsId } = world.application.record
  await world.core.organisations.update(world.operator(), { defaultLrsId: liveLrsId })
  storeOid = (await world.core.lrs.get(world.operator(), liveLrsId)).oid
  admin = await world.core.credentials.create(world.operator(), {
    name: 'Admin',
    rights: learninglocker.rightsOf(['all', 'statements/delete']),
  })
})
afterAll(() => world.close())

// ---------------------------------------------------------------------------------------------------------------------
// The faces, each by its own API

/** What a face says of a key, and all it shows of it. */
interface Shown<Word> {
  readonly word: Word
  /** As its clients send it back. */
  readonly entity: Readonly<Record<string, any>>
}

interface FaceUnderTest<Word = any> {
  readonly name: string
  /** Those of its table, and what a key has that was given none. */
  readonly words: readonly Word[]
  rightsOf(word: Word): Rights
  /** Answers the key. */
  create(word: Word): Promise<string>
  /** Undefined where this API does not show it. */
  read(record: CredentialRecord): Promise<Shown<Word> | undefined>
  /** Sends back what was read under another name. */
  rename(record: CredentialRecord, shown: Shown<Word>, name: string): Promise<Answer>
  set(record: CredentialRecord, word: Word): Promise<Answer>
}

function found({ status, json }: Answer): Readonly<Record<string, any>> | undefined {
  if (status === 404) return undefined
  expect(status).toBe(200)
  return json
}

const watershed: FaceUnderTest<watershedWords.Words> = {
  name: 'watershed',
  words: watershedWords.lrsAccesses.flatMap((lrsAccess) =>
    watershedWords.apiAccesses.map((watershedApiAccess) => ({ lrsAccess, watershedApiAccess })),
  ),
  rightsOf: watershedWords.rightsOf,
  create: async (word) => (await providers('POST', '', { name: 'By Watershed', ...word })).json.key,
  read: async ({ id }) => {
    const entity = found(await providers('GET', `/${id}`))
    if (entity === undefined) return undefined
    const { lrsAccess, watershedApiAccess } = entity
    return { entity, word: { lrsAccess, watershedApiAccess } }
  },
  rename: ({ id }, { entity }, name) => providers('PUT', `/${id}`, { ...entity, name }),
  set: ({ id }, word) => providers('PUT', `/${id}`, word),
}

function providers(method: string, path: string, json?: object): Promise<Answer> {
  const base = `/api/organizations/${world.organisation}/activity-providers`
  return world.ask(method, base + path, { as: admin, ...(json && { json }) })
}

const scormcloudV1: FaceUnderTest<v1Words.ShownLevel> = {
  name: 'scormcloud-v1',
  words: ['', ...permissionsLevels],
  rightsOf: (level) => (level === '' ? noRights : presetRights(v1Words.presets, level.toLowerCase().replace('_', '-'))),
  create: async (level) => {
    const { inside } = await world.v1('lrsaccount.createActivityProvider')
    const key = membersIn(inside)['accountKey'] ?? ''
    if (level !== '') await edit({ key, permissionslevel: level })
    return key
  },
  read: async ({ key }) => {
    const { inside } = await world.v1('lrsaccount.listActivityProviders')
    const own = inside.split('<activityProvider>').find((one) => one.includes(`<accountKey><![CDATA[${key}]]>`))
    if (own === undefined) return undefined
    const entity = membersIn(own)
    return { entity, word: entity['permissionsLevel'] as v1Words.ShownLevel }
  },
  rename: ({ key }, { entity }, label) =>
    edit({
      ...{ key, label, isactive: entity['accountEnabled'], authtype: entity['accountAuthType'] },
      ...{ allowedendpoints: entity['allowedEndpoints'] ?? '', permissionslevel: entity['permissionsLevel'] },
    }),
  set: ({ key }, permissionslevel) => edit({ key, permissionslevel }),
}

/** 200 for done, 404 for a provider that is not known; nothing else may come of it. */
async function edit({ key, ...parameters }: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await world.v1('lrsaccount.editActivityProvider', { accountkey: key ?? '', ...parameters })
  expect([undefined, 205]).toContain(answer.error)
  return { ...answer, status: answer.error === undefined ? 200 : 404 }
}

function membersIn(xml: string): Record<string, string> {
  // An empty element is left out.
  const members = [...xml.matchAll(/<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))<\/\1>/g)]
  return Object.fromEntries(members.map(([, name, inside, plain]) => [name, inside ?? plain ?? '']))
}

const scormcloudV2: FaceUnderTest<v2Words.Level | undefined> = {
  name: 'scormcloud-v2',
  words: v2Words.levels,
  rightsOf: (level) => (level === undefined ? noRights : v2Words.rightsOf(level)),
  create: async (permissionsLevel) => {
    const body = { name: 'By V2', secret: 'a-secret-long-enough', isEnabled: true, auth: 'BASICAUTH', permissionsLevel }
    return (await credentials('POST', '', body)).json.result
  },
  read: async ({ key }) => {
    const entity = found(await credentials('GET', `/${key}`))
    return entity && { entity, word: entity['permissionsLevel'].xapiCredentialPermissionsLevel }
  },
  rename: ({ key }, { entity }, name) => credentials('PUT', `/${key}`, { ...entity, name }),
  set: ({ key }, permissionsLevel) => credentials('PUT', `/${key}`, { permissionsLevel }),
}

function credentials(method: string, path: string, json?: object): Promise<Answer> {
  return world.v2(method, `/xapi/credentials${path}`, { as: world.application.login, ...(json && { json }) })
}

type Scopes = readonly learninglocker.Scope[]
const { scopes } = learninglocker
const learningLocker: FaceUnderTest<Scopes> = {
  name: 'learninglocker',
  words: [...scopes.map((scope) => [scope]), [], ['statements/write', 'statements/read/mine'], scopes],
  rightsOf: learninglocker.rightsOf,
  create: async (given) =>
    (await clients('POST', '', { title: 'By LL', lrs_id: storeOid, scopes: given })).json.api.basic_key,
  read: async ({ oid }) => {
    const entity = found(await clients('GET', `/${oid}`))
    return entity && { entity, word: entity['scopes'] }
  },
  rename: ({ oid }, { entity }, title) => clients('PUT', `/${oid}`, { ...entity, title }),
  set: ({ oid }, given) => clients('PATCH', `/${oid}`, { scopes: given }),
}

function clients(method: string, path: string, json?: object): Promise<Answer> {
  return world.ask(method, `/api/v2/client${path}`, { as: admin, ...(json && { json }) })
}

function presetRights(presets: readonly { readonly name: string; readonly rights: Rights }[], name: string): Rights {
  const preset = presets.find((each) => each.name === name)
  if (preset === undefined) throw new Error(`There is no preset ${name}.`)
  return preset.rights
}

const faces: readonly FaceUnderTest[] = [watershed, scormcloudV1, scormcloudV2, learningLocker]

// ---------------------------------------------------------------------------------------------------------------------

const pins = { actor: [{ mbox: 'mailto:learner@example.org' }] }

/** So that lists stay short. */
const remove = ({ id }: CredentialRecord) => world.core.credentials.remove(world.operator(), id)

async function recordOf(key: string): Promise<CredentialRecord> {
  const { items } = await world.core.credentials.list(
    world.operator(),
    { kind: 'client', key },
    { offset: 0, limit: 2 },
  )
  expect(items).toHaveLength(1)
  return items[0]!
}

/** Made by a face, and pinned by an operator. */
async function make(face: FaceUnderTest, word: unknown): Promise<CredentialRecord> {
  const record = await recordOf(await face.create(word))
  return world.core.credentials.update(world.operator(), record.id, { pins })
}

/** All that makes it worth having. */
const worthOf = ({ rights, pins: held, limits, lrsIds, isEnabled, expiresAt, oauth, authority }: CredentialRecord) => ({
  ...{ rights: fingerprint(rights), pins: held, limits, lrsIds, isEnabled, expiresAt, oauth, authority },
})

/** Whoever manages the applications alone sees no key that manages the organisation. */
function isHiddenFrom(face: FaceUnderTest, { rights }: CredentialRecord): boolean {
  return face.name.startsWith('scormcloud') && rights.management.length > 0
}

function expectNearest(face: FaceUnderTest, word: unknown, { rights }: CredentialRecord): void {
  const shown = face.rightsOf(word)
  expect(isWithin(shown, rights), `${JSON.stringify(word)} is wider than the truth`).toBe(true)
  const nearer = face.words.filter((other) => {
    const worth = face.rightsOf(other)
    return isWithin(worth, rights) && isWithin(shown, worth) && !isWithin(worth, shown)
  })
  expect(nearer, `${JSON.stringify(word)} is not the nearest`).toEqual([])
}

/** V1 shows nothing for a provider whose level nobody has set, which is as DEFAULT. */
const isUnset = (face: FaceUnderTest, word: unknown): boolean => face === scormcloudV1 && word === ''

const pairs = faces.flatMap((from) => faces.map((to) => [from.name, to.name, from, to] as const))

describe.each(pairs)('what %s makes, in %s', (_from, _to, from, to) => {
  it.each(from.words.map((word) => [JSON.stringify(word), word] as const))(
    '%s is shown with the nearest word, and an edit of its name changes nothing else',
    async (_word, word) => {
      const before = await make(from, word)
      const shown = await to.read(before)
      expect(shown === undefined).toBe(isHiddenFrom(to, before))
      if (shown === undefined) {
        const answer = await to.rename(before, { word, entity: {} }, 'Renamed')
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(await recordOf(before.key)).toEqual(before)
        await remove(before)
        return
      }
      if (from === to) expect(shown.word).toEqual(word)
      if (from !== to || !isUnset(from, word)) expectNearest(to, shown.word, before)

      expect((await to.rename(before, shown, 'Renamed')).status).toBeLessThan(300)
      const after = await recordOf(before.key)
      expect(after.name).toBe('Renamed')
      expect(worthOf(after)).toEqual(worthOf(before))
      expect(after.words[from.name]).toEqual(before.words[from.name])
      expect((await from.read(after))?.word).toEqual(word)
      expect((await to.read(after))?.word).toEqual(shown.word)
      await remove(after)
    },
  )

  it('a word that is set there replaces the rights, drops no pin, and is shown here with the nearest', async () => {
    const [first] = from.words.filter((each) => !isUnset(from, each) && from.rightsOf(each).management.length === 0)
    const before = await make(from, first)
    for (const word of to.words) {
      if (isUnset(to, word)) continue
      const record = await recordOf(before.key)
      const shown = await to.read(record)
      expect((await to.set(record, word)).status < 300).toBe(shown !== undefined)
      const after = await recordOf(before.key)
      if (shown === undefined) {
        expect(after).toEqual(record)
        continue
      }
      // What is shown already asks for nothing.
      const isSame = JSON.stringify(shown.word) === JSON.stringify(word)
      const rights = fingerprint(isSame ? record.rights : to.rightsOf(word))
      expect(worthOf(after)).toEqual({ ...worthOf(record), rights })
      expect((await to.read(after))?.word).toEqual(word)
      const here = await from.read(after)
      expect(here === undefined).toBe(isHiddenFrom(from, after))
      if (here !== undefined && from !== to) expectNearest(from, here.word, after)
    }
    await remove(before)
  })
})

it('every word of every table is among them', () => {
  expect(faces.map(({ words }) => words.length)).toEqual([10, 5, 5, 13])
  expect(
    faces.filter(({ words, rightsOf }) => words.some((word) => rightsOf(word).management === allManagement)).length,
  ).toBe(2)
})
