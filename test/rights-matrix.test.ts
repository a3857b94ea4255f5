// Who may do what, by the word a vendor has for it: every word of every vendor against every xAPI resource, with its own and
// with others' objects, on every path xAPI is mounted at. Both tables are written by hand; nothing here asks core/rights.ts.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LrsId, OrganisationId } from '../src/core/ids.ts'
import type { Rights } from '../src/core/rights.ts'
import type { ApplicationRecord, DocumentKey } from '../src/core/storage.ts'
import { fingerprint } from '../src/core/rights.ts'
import { presets as learninglockerPresets } from '../src/faces/learninglocker/words.ts'
import { presets as watershedPresets } from '../src/faces/watershed/words.ts'
import { presetRights } from './support/core.ts'
import { openStage, statement, voiding } from './support/xapi.ts'
import type { Answer, Client, Stage } from './support/xapi.ts'

// ---------------------------------------------------------------------------------------------------------------------
// What each word lets its key do

/**
 * `rights`: the preset of core, or of a face, the word stands for. Those of SCORM Cloud are given through its APIs in
 * scormcloud-permissions.test.ts.
 * `any`: everybody's; `mine`: what this key stored; `-`: nothing. `read` in front: reads only.
 */
const words = `
word                                 | rights                              | write | read | void | state     | profile   | agents | activities | define | authority | nothing at all
Learning Locker xapi/all             | learninglocker xapi/all             | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
Learning Locker all                  | learninglocker all                  | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
Learning Locker xapi/read            | learninglocker xapi/read            | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
Learning Locker all/read             | learninglocker all/read             | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
Learning Locker statements/write     | learninglocker statements/write     | yes   | -    | any  | -         | -         | -      | -          | any    | -         | -
Learning Locker statements/read      | learninglocker statements/read      | -     | any  | -    | -         | -         | -      | -          | -      | -         | -
Learning Locker statements/read/mine | learninglocker statements/read/mine | -     | mine | -    | -         | -         | -      | -          | -      | -         | -
Learning Locker statements/delete    | learninglocker statements/delete    | -     | -    | -    | -         | -         | -      | -          | -      | -         | -
Learning Locker state                | learninglocker state                | -     | -    | -    | any       | -         | -      | -          | -      | -         | -
Learning Locker profile              | learninglocker profile              | -     | -    | -    | -         | any       | any    | any        | -      | -         | -
lrsql all                            | xapi                                | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
xAPI specification all               | xapi                                | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
Watershed isolated                   | watershed isolated                  | yes   | mine | mine | mine      | mine      | mine   | mine       | mine   | -         | -
Watershed global                     | watershed global                    | yes   | any  | any  | any       | any       | any    | any        | any    | yes       | -
Watershed globalReadOnly             | watershed globalReadOnly            | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
Watershed writeOnly                  | watershed writeOnly                 | yes   | -    | -    | -         | -         | -      | -          | -      | -         | -
Watershed disabled                   | watershed disabled                  | -     | -    | -    | -         | -         | -      | -          | -      | -         | yes
Watershed watershedApiAccess enabled | watershed api                       | -     | -    | -    | -         | -         | -      | -          | -      | -         | yes
SCORM Cloud V1 DEFAULT, or unset     | isolated                            | yes   | mine | mine | mine      | mine      | mine   | mine       | mine   | -         | -
SCORM Cloud V1 READ_ONLY             | read-mine                           | -     | mine | -    | read mine | read mine | mine   | mine       | -      | -         | -
SCORM Cloud V1 READ_ANY              | read-only                           | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
SCORM Cloud V1 WRITE_ONLY            | write-only                          | yes   | -    | -    | -         | -         | -      | -          | -      | -         | -
SCORM Cloud V2 DEFAULT               | isolated                            | yes   | mine | mine | mine      | mine      | mine   | mine       | mine   | -         | -
SCORM Cloud V2 USER                  | isolated                            | yes   | mine | mine | mine      | mine      | mine   | mine       | mine   | -         | -
SCORM Cloud V2 READONLY              | read-only                           | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
SCORM Cloud V2 WRITEONLY             | write-only                          | yes   | -    | -    | -         | -         | -      | -          | -      | -         | -
SCORM Cloud V2 ROOT                  | xapi                                | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
SCORM Cloud callback root            | xapi                                | yes   | any  | any  | any       | any       | any    | any        | any    | -         | -
SCORM Cloud callback read_only       | read-only                           | -     | any  | -    | read any  | read any  | any    | any        | -      | -         | -
SCORM Cloud callback default         | actor                               | yes   | any  | -    | any       | any       | -      | -          | -      | -         | -
SCORM Cloud application key          | application key                     | -     | -    | -    | -         | -         | -      | -          | -      | -         | yes
SCORM Cloud management key           | applications                        | -     | -    | -    | -         | -         | -      | -          | -      | -         | yes
`

const applicationKey = 'application key'

/** Those of the key that each application comes with. */
function applicationKeyRights({ id, liveLrsId, sandboxLrsId }: ApplicationRecord): Rights {
  const bound = { kind: 'application', id, lrsIds: [liveLrsId, sandboxLrsId] } as const
  const areas = ['credentials', 'settings', 'forwarding'] as const
  return { xapi: {}, management: areas.map((area) => ({ area, actions: ['read', 'write', 'delete'], bound })) }
}

type Reach = 'any' | 'mine' | '-'
type DocumentReach = Reach | 'read any' | 'read mine'

interface Row {
  readonly word: string
  readonly rights: string
  readonly write: 'yes' | '-'
  readonly read: Reach
  readonly void: Reach
  readonly state: DocumentReach
  readonly profile: DocumentReach
  readonly agents: Reach
  readonly activities: Reach
  readonly define: Reach
  readonly authority: 'yes' | '-'
  readonly 'nothing at all': 'yes' | '-'
}

const [head = [], ...body] = words
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
/** Rows of the same rights that promise the same are tried once, under all their words. */
const groups = new Map<string, Row>()
for (const cells of body) {
  const [word = '', rights = '', ...promised] = cells
  const name = [rights === applicationKey ? rights : fingerprint(rightsOf(rights)), ...promised].join()
  const same = groups.get(name)
  const row = Object.fromEntries(head.map((column, at) => [column, cells[at]])) as unknown as Row
  groups.set(name, same ? { ...same, word: `${same.word}, ${word}` } : row)
}

// ---------------------------------------------------------------------------------------------------------------------
// What that means for requests: status, and what came of it. `no` is 403, or on Watershed's path 401 for a key without any
// access to its Lrs.

type Outcome = number | string | readonly string[]
type Expected<K extends string> = Readonly<Record<K, Readonly<Record<string, Outcome>>>>

const writing: Expected<'yes' | '-'> = {
  yes: { POST: 200, PUT: 204, validate: 200, 'POST a batch': 200 },
  '-': { POST: 'no', PUT: 'no', validate: 'no', 'POST a batch': 'no' },
}
const reading: Expected<Reach> = {
  any: { 'GET own': 200, 'GET other’s': 200, 'HEAD own': 200, 'HEAD other’s': 200, list: ['other', 'own'] },
  mine: { 'GET own': 200, 'GET other’s': 404, 'HEAD own': 200, 'HEAD other’s': 404, list: ['own'] },
  '-': { 'GET own': 'no', 'GET other’s': 'no', 'HEAD own': 'no', 'HEAD other’s': 'no', list: 'no' },
}
/** A void of what is not one's own is stored like one of what nobody knows. */
const voidingOf: Expected<Reach> = {
  any: { own: '200 voided', 'other’s': '200 voided' },
  mine: { own: '200 voided', 'other’s': '200 as it was' },
  '-': { own: 'no, as it was', 'other’s': 'no, as it was' },
}
const documents: Expected<DocumentReach> = {
  any: {
    'GET own': 200,
    'GET other’s': 200,
    'HEAD other’s': 200,
    list: ['other', 'own'],
    'PUT new': '204 stored',
    'PUT other’s, if it is there': '204 changed',
    'POST other’s': '204 changed',
    'DELETE own': '204 gone',
    'DELETE other’s': '204 gone',
  },
  mine: {
    'GET own': 200,
    'GET other’s': 404,
    'HEAD other’s': 404,
    list: ['own'],
    'PUT new': '204 stored',
    'PUT other’s, if it is there': '412 as it was',
    'POST other’s': '204 as it was',
    'DELETE own': '204 gone',
    'DELETE other’s': '204 as it was',
  },
  'read any': {
    'GET own': 200,
    'GET other’s': 200,
    'HEAD other’s': 200,
    list: ['other', 'own'],
    'PUT new': 'no, nothing stored',
    'PUT other’s, if it is there': 'no, as it was',
    'POST other’s': 'no, as it was',
    'DELETE own': 'no, as it was',
    'DELETE other’s': 'no, as it was',
  },
  'read mine': {
    'GET own': 200,
    'GET other’s': 404,
    'HEAD other’s': 404,
    list: ['own'],
    'PUT new': 'no, nothing stored',
    'PUT other’s, if it is there': 'no, as it was',
    'POST other’s': 'no, as it was',
    'DELETE own': 'no, as it was',
    'DELETE other’s': 'no, as it was',
  },
  '-': {
    'GET own': 'no',
    'GET other’s': 'no',
    'HEAD other’s': 'no',
    list: 'no',
    'PUT new': 'no, nothing stored',
    'PUT other’s, if it is there': 'no, as it was',
    'POST other’s': 'no, as it was',
    'DELETE own': 'no, as it was',
    'DELETE other’s': 'no, as it was',
  },
}
const deletingAll: Expected<DocumentReach> = {
  any: { own: '204 gone', 'other’s': '204 gone' },
  mine: { own: '204 gone', 'other’s': '204 as it was' },
  'read any': { own: 'no, as it was', 'other’s': 'no, as it was' },
  'read mine': { own: 'no, as it was', 'other’s': 'no, as it was' },
  '-': { own: 'no, as it was', 'other’s': 'no, as it was' },
}
/** Of one Agent, or one Activity, that both keys said something of. */
const lookingUp: Expected<Reach> = {
  any: { GET: ['other', 'own'], HEAD: 200 },
  mine: { GET: ['own'], HEAD: 200 },
  '-': { GET: 'no', HEAD: 'no' },
}
/** What others with every right read of an Activity afterwards: a new one, and one they had described before. */
const defining: Expected<Reach> = {
  any: { new: 'defined', known: 'redefined' },
  mine: { new: 'defined', known: 'as it was' },
  '-': { new: 'not defined', known: 'as it was' },
}

// ---------------------------------------------------------------------------------------------------------------------

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

const learner = { mbox: 'mailto:learner@example.org' }
const course = { id: 'http://example.org/course' }
const verb = { id: 'http://example.org/verbs/did' }

/** A scope of State to delete as a whole. */
const allOf = { activityId: `${course.id}/all`, agent: JSON.stringify(learner) }

const mounts = [
  ['xAPI’s own path', () => '/xapi', 403],
  ['Watershed’s path', (id: OrganisationId) => `/api/organizations/${id}/lrs`, 401],
] as const

const kinds = {
  state: {
    path: 'activities/state',
    scope: { activityId: course.id, agent: JSON.stringify(learner) },
    key: { kind: 'state', activityId: course.id, agent: `mbox ${learner.mbox}` },
    id: 'stateId',
  },
  'agent profile': {
    path: 'agents/profile',
    scope: { agent: JSON.stringify(learner) },
    key: { kind: 'agent-profile', agent: `mbox ${learner.mbox}` },
    id: 'profileId',
  },
  'activity profile': {
    path: 'activities/profile',
    scope: { activityId: course.id },
    key: { kind: 'activity-profile', activityId: course.id },
    id: 'profileId',
  },
} as const

it('the table has every word once, and every column', () => {
  expect(new Set(body.map(([word]) => word)).size).toBe(32)
  expect(body.filter((cells) => cells.length !== head.length)).toEqual([])
})

for (const [mount, prefixOf, refusalWithoutAccess] of mounts) {
  describe.each([...groups.values()])(`$word on ${mount}`, (row) => {
    let prefix: string
    let subject: Client
    let other: Client
    let lrsId: LrsId
    const own = { statement: '', state: 'own' }
    const others = { statement: '' }

    const send = (
      client: Client,
      method: string,
      path: string,
      params: object = {},
      sent?: unknown,
      headers: Record<string, string> = {},
    ): Promise<Answer> => {
      const query = new URLSearchParams(params as Record<string, string>).toString()
      return client.send(method, `${prefix}/${path}${query && `?${query}`}`, {
        headers,
        ...(sent !== undefined && { body: sent }),
      })
    }
    const contentOf = async (key: DocumentKey) => {
      const access = key.id === 'own' ? ({ owner: subject.credential.id, reach: 'mine' } as const) : sharedAccess()
      const found = await stage.storage.documents.find(lrsId, key, access)
      return found?.content.kind === 'inline' ? Buffer.from(found.content.bytes).toString() : undefined
    }
    const sharedAccess = () => ({ owner: other.credential.id, reach: 'any' }) as const
    /** For each document the status, and what became of it as its owner sees it. */
    const became = async (keys: readonly DocumentKey[], change: () => Promise<Answer>) => {
      const before = await Promise.all(keys.map(contentOf))
      const status = outcome(await change())
      const after = await Promise.all(keys.map(contentOf))
      return keys.map((_, at) => {
        const what = after[at] === before[at] ? 'as it was' : after[at] === undefined ? 'gone' : 'changed'
        return `${status}${status === 'no' ? ',' : ''} ${what}`
      })
    }
    const refusal = row['nothing at all'] === 'yes' ? refusalWithoutAccess : 403
    const outcome = ({ status }: Answer): Outcome => (status === refusal ? 'no' : status)
    const event = (members: object = {}) => statement({ actor: learner, verb, object: course, ...members })

    // What is the key's own was stored while it might. The tests below come in an order in which none disturbs the next.
    beforeAll(async () => {
      const organisationId = await stage.addOrganisation()
      prefix = prefixOf(organisationId)
      const described = (name: string) => ({
        actor: { ...learner, name },
        object: { ...course, definition: { name: { [name === 'own' ? 'en' : 'de']: name } } },
      })
      other = await stage.as('xapi', {}, organisationId)
      subject = await stage.as('isolated', {}, organisationId)
      for (const [client, name] of [
        [other, 'other'],
        [subject, 'own'],
      ] as const) {
        const sent = event(described(name))
        expect((await send(client, 'POST', 'statements', {}, sent)).status).toBe(200)
        ;(name === 'own' ? own : others).statement = sent.id
        for (const { path, scope, id } of Object.values(kinds)) {
          expect((await send(client, 'PUT', path, { ...scope, [id]: name }, { from: name })).status).toBe(204)
        }
        const stored = await send(client, 'PUT', kinds.state.path, { ...allOf, stateId: name }, { from: name })
        expect(stored.status).toBe(204)
      }
      lrsId = subject.credential.lrsIds[0]!
      const operator = stage.core.signIn.operator(organisationId, 'test')
      const pins = row.rights === 'actor' ? { actor: [learner] } : {}
      const rights =
        row.rights === applicationKey
          ? applicationKeyRights(await stage.core.applications.create(operator, { name: 'Application' }))
          : rightsOf(row.rights)
      await stage.core.credentials.update(operator, subject.credential.id, { rights, pins })
    })

    it('reading statements', async () => {
      const get = async (method: string, id: string) =>
        outcome(await send(subject, method, 'statements', { statementId: id }))
      const list = await send(subject, 'GET', 'statements')
      const names = (answer: Answer) =>
        answer.json.statements.map(({ actor }: { actor: { name: string } }) => actor.name).toSorted()
      expect({
        'GET own': await get('GET', own.statement),
        'GET other’s': await get('GET', others.statement),
        'HEAD own': await get('HEAD', own.statement),
        'HEAD other’s': await get('HEAD', others.statement),
        list: list.status === 200 ? names(list) : outcome(list),
      }).toEqual(reading[row.read])
    })

    it('statements', async () => {
      const [one, two, three, four] = [event(), event(), event(), event()] as const
      expect({
        POST: outcome(await send(subject, 'POST', 'statements', {}, one)),
        PUT: outcome(await send(subject, 'PUT', 'statements', { statementId: two.id }, two)),
        validate: outcome(await send(subject, 'POST', 'extensions/validate', {}, three)),
        'POST a batch': outcome(await send(subject, 'POST', 'statements', {}, [four])),
      }).toEqual(writing[row.write])
      const found = await Promise.all(
        [one, two, three, four].map(({ id }) => send(other, 'GET', 'statements', { statementId: id })),
      )
      expect(found.map(({ status }) => status)).toEqual(
        row.write === 'yes' ? [200, 200, 404, 200] : [404, 404, 404, 404],
      )
    })

    it.each(Object.keys(kinds) as (keyof typeof kinds)[])('%s', async (kind) => {
      const { path, scope, key, id } = kinds[kind]
      const ask = (method: string, name: string, sent?: unknown, headers?: Record<string, string>) =>
        send(subject, method, path, { ...scope, [id]: name }, sent, headers)
      const change = async (method: string, name: 'own' | 'other', sent?: unknown, headers?: Record<string, string>) =>
        (await became([{ ...key, id: name }], () => ask(method, name, sent, headers)))[0]
      const put = async () => {
        const status = outcome(await ask('PUT', 'new', { a: 1 }))
        const access = { owner: subject.credential.id, reach: 'any' } as const
        const found = await stage.storage.documents.find(lrsId, { ...key, id: 'new' } as DocumentKey, access)
        return `${status}${status === 'no' ? ',' : ''} ${found ? 'stored' : 'nothing stored'}`
      }
      const list = await send(subject, 'GET', path, scope)
      expect({
        'GET own': outcome(await ask('GET', 'own')),
        'GET other’s': outcome(await ask('GET', 'other')),
        'HEAD other’s': outcome(await ask('HEAD', 'other')),
        list: list.status === 200 ? list.json.toSorted() : outcome(list),
        'PUT new': await put(),
        'PUT other’s, if it is there': await change('PUT', 'other', { again: 1 }, { 'if-match': '*' }),
        'POST other’s': await change('POST', 'other', { more: 1 }),
        'DELETE own': await change('DELETE', 'own'),
        'DELETE other’s': await change('DELETE', 'other'),
      }).toEqual(documents[kind === 'state' ? row.state : row.profile])
    })

    it('state, all of a scope', async () => {
      const keys = ['own', 'other'].map((id) => ({ ...kinds.state.key, activityId: allOf.activityId, id }))
      const [mine, theirs] = await became(keys, () => send(subject, 'DELETE', kinds.state.path, allOf))
      expect({ own: mine, 'other’s': theirs }).toEqual(deletingAll[row.state])
    })

    it('agents', async () => {
      const params = { agent: JSON.stringify(learner) }
      const answer = await send(subject, 'GET', 'agents', params)
      expect({
        GET: answer.status === 200 ? answer.json.name.toSorted() : outcome(answer),
        HEAD: outcome(await send(subject, 'HEAD', 'agents', params)),
      }).toEqual(lookingUp[row.agents])
    })

    it('activities', async () => {
      const params = { activityId: course.id }
      const answer = await send(subject, 'GET', 'activities', params)
      expect({
        GET: answer.status === 200 ? Object.values(answer.json.definition.name).toSorted() : outcome(answer),
        HEAD: outcome(await send(subject, 'HEAD', 'activities', params)),
      }).toEqual(lookingUp[row.activities])
    })

    it('about is everybody’s', async () => {
      for (const method of ['GET', 'HEAD']) expect((await send(subject, method, 'about')).status).toBe(200)
    })

    it('voiding', async () => {
      const tryTo = async (id: string) => {
        const status = outcome(await send(subject, 'POST', 'statements', {}, voiding(id, { actor: learner })))
        const { status: voidedStatus } = await send(other, 'GET', 'statements', { voidedStatementId: id })
        return `${status}${status === 'no' ? ',' : ''} ${voidedStatus === 200 ? 'voided' : 'as it was'}`
      }
      expect({ own: await tryTo(own.statement), 'other’s': await tryTo(others.statement) }).toEqual(voidingOf[row.void])
    })

    if (row.write === '-') return

    it('defining', async () => {
      const define = async (id: string, name: string) => {
        await send(subject, 'POST', 'statements', {}, event({ object: { id, definition: { name: { en: name } } } }))
        return (await send(other, 'GET', 'activities', { activityId: id })).json.definition?.name?.en
      }
      const [fresh, known] = [`http://example.org/${randomUUID()}`, `http://example.org/${randomUUID()}`]
      await send(
        other,
        'POST',
        'statements',
        {},
        event({ object: { id: known, definition: { name: { en: 'Theirs' } } } }),
      )
      expect({
        new: (await define(fresh, 'Ours')) === undefined ? 'not defined' : 'defined',
        known: (await define(known, 'Ours')) === 'Ours' ? 'redefined' : 'as it was',
      }).toEqual(defining[row.define])
    })

    it('authority', async () => {
      const authority = { objectType: 'Agent', mbox: 'mailto:somebody@example.org' }
      const sent = event({ authority })
      await send(subject, 'POST', 'statements', {}, sent)
      const { json } = await send(other, 'GET', 'statements', { statementId: sent.id })
      expect(json.authority.mbox === authority.mbox).toBe(row.authority === 'yes')
    })
  })
}

describe.each(mounts)('SCORM Cloud callback default on %s, outside its actor', (_, prefixOf) => {
  it('writes nothing, and reads nothing that is there', async () => {
    const organisationId = await stage.addOrganisation()
    const prefix = prefixOf(organisationId)
    const other = await stage.as('xapi', {}, organisationId)
    const pinned = await stage.as('actor', { pins: { actor: [learner] } }, organisationId)
    const stranger = { mbox: 'mailto:stranger@example.org' }
    const theirs = statement({ actor: stranger })
    await other.send('POST', `${prefix}/statements`, { body: theirs })
    const state = `${prefix}/activities/state?${new URLSearchParams({ activityId: course.id, agent: JSON.stringify(stranger), stateId: 'a' }).toString()}`
    await other.send('PUT', state, { body: { a: 1 } })

    const refused = statement({ actor: stranger })
    expect((await pinned.send('POST', `${prefix}/statements`, { body: refused })).status).toBe(403)
    expect((await other.get(`${prefix}/statements?statementId=${refused.id}`)).status).toBe(404)
    expect((await pinned.get(`${prefix}/statements?statementId=${theirs.id}`)).status).toBe(404)
    expect((await pinned.get(`${prefix}/statements`)).json.statements).toEqual([])
    const statuses = []
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
      statuses.push((await pinned.send(method, state, method === 'POST' ? { body: { b: 1 } } : {})).status)
    }
    expect(statuses).toEqual([403, 403, 403, 403])
    expect((await other.get(state)).json).toEqual({ a: 1 })
  })
})

function rightsOf(name: string): Rights {
  const [, face = '', word] = /^(watershed|learninglocker) (.*)$/.exec(name) ?? []
  if (word === undefined) return presetRights(name)
  const presets = face === 'watershed' ? watershedPresets : learninglockerPresets
  const preset = presets.find((each) => each.name === word)
  if (preset === undefined) throw new Error(`${face} has no preset ${word}.`)
  return preset.rights
}
