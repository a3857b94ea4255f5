// Who sees what, as one table over HTTP: every kind of key against every way to reach a statement. And by name, each way
// xAPI's own rules would carry one owner's data to another (architecture.md section 3, isolation is by construction).

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundary, dataPart, describing, hashOf, multipartBody, statementsPart } from './support/multipart.ts'
import type { SentPart } from './support/multipart.ts'
import { openStage, reference, statement, voiding } from './support/xapi.ts'
import type { Answer, Client, Stage } from './support/xapi.ts'

// ---------------------------------------------------------------------------------------------------------------------
// The cast and what they stored. Marked statements carry every value the filters ask for.

const marks = {
  actor: { mbox: 'mailto:marked@example.org' },
  verb: { id: 'http://example.org/verbs/marked' },
  object: { id: 'http://example.org/activities/marked' },
}
const registration = randomUUID()
const context = {
  registration,
  instructor: { mbox: 'mailto:teacher@example.org' },
  contextActivities: { parent: [{ id: 'http://example.org/activities/course' }] },
}
const marked = (name: string) => statement({ ...marks, context, result: { response: `said by ${name}` } })

/** Who stored it; `elsewhere` is the key of another organisation. */
type Owner = 'alpha' | 'beta' | 'global' | 'elsewhere'

const plainAlpha = statement()
const plainBeta = statement()
const markedAlpha = marked('alpha')
const markedBeta = marked('beta')
const markedGlobal = marked('global')
const markedElsewhere = marked('elsewhere')
const voidedAlpha = marked('alpha')
const voidedBeta = marked('beta')

/** In the order they are stored. */
const story: readonly { owner: Owner; name: string; stored: { id: string } }[] = [
  { owner: 'alpha', name: 'plain of alpha', stored: plainAlpha },
  { owner: 'beta', name: 'plain of beta', stored: plainBeta },
  { owner: 'alpha', name: 'marked of alpha', stored: markedAlpha },
  { owner: 'beta', name: 'marked of beta', stored: markedBeta },
  { owner: 'global', name: 'marked of global', stored: markedGlobal },
  { owner: 'elsewhere', name: 'marked elsewhere', stored: markedElsewhere },
  { owner: 'alpha', name: 'alpha on alpha', stored: statement({ object: reference(markedAlpha.id) }) },
  { owner: 'alpha', name: 'alpha on beta', stored: statement({ object: reference(markedBeta.id) }) },
  { owner: 'beta', name: 'beta on alpha', stored: statement({ object: reference(markedAlpha.id) }) },
  { owner: 'alpha', name: 'voided of alpha', stored: voidedAlpha },
  { owner: 'alpha', name: 'voider of alpha', stored: voiding(voidedAlpha.id) },
  { owner: 'beta', name: 'voided of beta', stored: voidedBeta },
  { owner: 'beta', name: 'voider of beta', stored: voiding(voidedBeta.id) },
]
const nameOf = new Map(story.map(({ name, stored }) => [stored.id, name]))
const isVoided = (name: string): boolean => name.startsWith('voided')

const everything = story.map(({ name }) => name).filter((name) => !isVoided(name) && name !== 'marked elsewhere')
const ofAlpha = ['plain of alpha', 'marked of alpha', 'alpha on alpha', 'alpha on beta', 'voider of alpha']
const ofBeta = ['plain of beta', 'marked of beta', 'beta on alpha', 'voider of beta']

/** What a filter for the marks finds: the marked, and what refers to them through what the reader may know. */
const allMatches = everything.filter((name) => !name.startsWith('plain'))
const matchesOfAlpha = ['marked of alpha', 'alpha on alpha', 'voider of alpha']
const matchesOfBeta = ['marked of beta', 'voider of beta']

interface Sight {
  readonly list: readonly string[]
  readonly matches: readonly string[]
  readonly voided: readonly string[]
}
const all: Sight = { list: everything, matches: allMatches, voided: ['voided of alpha', 'voided of beta'] }
const alphas: Sight = { list: ofAlpha, matches: matchesOfAlpha, voided: ['voided of alpha'] }
const betas: Sight = { list: ofBeta, matches: matchesOfBeta, voided: ['voided of beta'] }
const elsewheres: Sight = { list: ['marked elsewhere'], matches: ['marked elsewhere'], voided: [] }

/** What each reads: a sight, or the status of the refusal. */
const sights: readonly (readonly [key: string, sight: Sight | 401 | 403])[] = [
  ['alpha', alphas],
  ['session of alpha', alphas],
  ['beta', betas],
  ['session of beta', betas],
  ['global', all],
  ['session of global', all],
  ['read-only', all],
  ['session of read-only', all],
  ['write-only', 403],
  ['session of write-only', 403],
  ['disabled', 401],
  ['session of disabled', 401],
  ['elsewhere', elsewheres],
  ['session of elsewhere', elsewheres],
]

let stage: Stage
const clients = new Map<string, Client>()
const as = (key: string): Client => clients.get(key)!

beforeAll(async () => {
  stage = await openStage()
  const elsewhere = await stage.addOrganisation()
  clients.set('alpha', await stage.as('isolated'))
  clients.set('beta', await stage.as('isolated'))
  for (const preset of ['global', 'read-only', 'write-only']) clients.set(preset, await stage.as(preset))
  clients.set('disabled', await stage.as('global'))
  clients.set('elsewhere', await stage.as('global', {}, elsewhere))
  for (const [key, client] of [...clients]) clients.set(`session of ${key}`, await stage.sessionOf(client))
  const operator = stage.core.signIn.operator(stage.organisationId, 'test')
  await stage.core.credentials.disable(operator, as('disabled').credential.id)
  for (const { owner, stored } of story) expect((await as(owner).post(stored)).status).toBe(200)
})
afterAll(() => stage.close())

/** The names of what a query shows, in the order of the story; the status when it is refused. */
async function namesOf(key: string, query: string): Promise<string[] | number> {
  const first = await as(key).get(`statements${query === '' ? '' : `?${query}`}`)
  if (first.status !== 200) return first.status
  const ids = new Set(await as(key).idsOf(query))
  return story.filter(({ stored }) => ids.has(stored.id)).map(({ name }) => name)
}

const inStory = (names: readonly string[]): string[] =>
  story.map(({ name }) => name).filter((name) => names.includes(name))

/** An answer without what differs by request. */
function essence({ status, text, json }: Answer, ...ids: string[]): unknown {
  let neutral = typeof json?.requestId === 'string' ? text.replaceAll(json.requestId, 'REQUEST') : text
  for (const id of ids) neutral = neutral.replaceAll(id, 'ID')
  return [status, neutral]
}

const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value))

// ---------------------------------------------------------------------------------------------------------------------
// The table

const queries: readonly (readonly [query: string, sight: 'list' | 'matches' | 'nothing'])[] = [
  ['', 'list'],
  ['limit=1', 'list'],
  ['limit=2&ascending=true', 'list'],
  ['format=canonical', 'list'],
  ['format=ids', 'list'],
  [`agent=${json(marks.actor)}`, 'matches'],
  [`verb=${marks.verb.id}`, 'matches'],
  [`activity=${marks.object.id}`, 'matches'],
  [`registration=${registration}`, 'matches'],
  [`agent=${json(context.instructor)}&related_agents=true`, 'matches'],
  [`activity=${context.contextActivities.parent[0]!.id}&related_activities=true`, 'matches'],
  [`agent=${json(context.instructor)}`, 'nothing'],
  [`activity=${context.contextActivities.parent[0]!.id}`, 'nothing'],
  [`agent=${json(marks.actor)}&verb=${marks.verb.id}&registration=${registration}&limit=1`, 'matches'],
]

describe.each(sights)('%s', (key, sight) => {
  const expected = (part: 'list' | 'matches' | 'nothing'): string[] | number =>
    typeof sight === 'number' ? sight : part === 'nothing' ? [] : inStory(sight[part])

  it.each(queries)('lists with ?%s exactly its %s', async (query, part) => {
    expect(await namesOf(key, query)).toEqual(expected(part))
  })

  it.each(story.map(({ name, stored }) => [name, stored.id] as const))('by id: %s', async (name, id) => {
    const isShown = typeof sight !== 'number' && sight.list.includes(name)
    for (const format of ['exact', 'ids', 'canonical']) {
      const answer = await as(key).get(`statements?statementId=${id}&format=${format}`)
      expect(answer.status).toBe(typeof sight === 'number' ? sight : isShown ? 200 : 404)
    }
  })

  it.each(story.map(({ name, stored }) => [name, stored.id] as const))('as voided: %s', async (name, id) => {
    const isShown = typeof sight !== 'number' && sight.voided.includes(name)
    const answer = await as(key).get(`statements?voidedStatementId=${id}`)
    expect(answer.status).toBe(typeof sight === 'number' ? sight : isShown ? 200 : 404)
  })

  it('hears the same of a hidden id as of one nobody has', async () => {
    for (const parameter of ['statementId', 'voidedStatementId']) {
      const nobodys = randomUUID()
      const unknown = essence(await as(key).get(`statements?${parameter}=${nobodys}`), nobodys)
      for (const { name, stored } of story) {
        const shown = typeof sight === 'number' ? [] : [...sight.list, ...sight.voided]
        if (shown.includes(name)) continue
        expect([name, essence(await as(key).get(`statements?${parameter}=${stored.id}`), stored.id)]).toEqual([
          name,
          unknown,
        ])
      }
    }
  })

  it('gets nothing beyond its own sight from a "more" link made by another key', async () => {
    for (const maker of ['global', 'alpha', 'beta', 'elsewhere']) {
      for (const query of ['limit=1', `limit=1&verb=${marks.verb.id}`]) {
        const { json: page } = await as(maker).get(`statements?${query}`)
        if (page.more === '') continue
        const answer = await as(key).get(page.more)
        if (typeof sight === 'number') {
          expect(answer.status).toBe(sight)
          continue
        }
        const shown = answer.json.statements.map(({ id }: { id: string }) => nameOf.get(id))
        for (const name of shown) expect(sight.list).toContain(name)
      }
    }
  })
})

describe('the path of an organisation', () => {
  const statuses: readonly (readonly [string, number])[] = [
    ['alpha', 200],
    ['session of alpha', 200],
    ['global', 200],
    ['disabled', 401],
    ['elsewhere', 401],
    ['session of elsewhere', 401],
  ]
  it.each(statuses)('%s gets %i', async (key, status) => {
    const root = `/api/organizations/${stage.organisationId}/lrs/statements`
    expect((await as(key).get(root)).status).toBe(status)
    expect((await as(key).get(`${root}?statementId=${markedAlpha.id}`)).status).toBe(status)
  })

  it('is refused in the same words whether the organisation exists or not', async () => {
    const exists = await as('elsewhere').get(`/api/organizations/${stage.organisationId}/lrs/statements`)
    const absent = await as('elsewhere').get('/api/organizations/424242/lrs/statements')
    expect(essence(exists)).toEqual(essence(absent))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Writing about what is another's

describe('voiding what is another’s', () => {
  it.each([
    ['alpha', 200, false],
    ['session of alpha', 200, false],
    ['elsewhere', 200, false],
    ['read-only', 403, false],
    ['write-only', 403, false],
    ['disabled', 401, false],
    ['session of disabled', 401, false],
    ['global', 200, true],
    ['session of global', 200, true],
  ] as const)('by %s is answered %i; takes effect: %s', async (key, status, takesEffect) => {
    const before = statement()
    const after = statement()
    await as('beta').post(before)
    const answers = [await as(key).post(voiding(before.id)), await as(key).post(voiding(after.id))]
    expect(answers.map((answer) => answer.status)).toEqual([status, status])
    await as('beta').post(after)
    for (const { id } of [before, after]) {
      expect((await as('beta').get(`statements?statementId=${id}`)).status).toBe(takesEffect ? 404 : 200)
      expect((await as('beta').get(`statements?voidedStatementId=${id}`)).status).toBe(takesEffect ? 200 : 404)
    }
  })

  it('is answered as voiding an unknown target is', async () => {
    const foreign = voiding(markedBeta.id)
    const unknown = voiding(randomUUID())
    const already = voiding(voidedBeta.id)
    const answers = await Promise.all([foreign, unknown, already].map((one) => as('alpha').post(one)))
    const essences = answers.map((answer, index) => essence(answer, [foreign, unknown, already][index]!.id))
    expect(new Set(essences.map((one) => JSON.stringify(one))).size).toBe(1)
  })

  it('stays without effect when the voider is one’s own but the target’s owner voids it, too', async () => {
    const target = statement()
    await as('beta').post(target)
    await as('alpha').post(voiding(target.id))
    expect((await as('beta').get(`statements?statementId=${target.id}`)).status).toBe(200)
    await as('beta').post(voiding(target.id))
    expect((await as('beta').get(`statements?statementId=${target.id}`)).status).toBe(404)
  })
})

describe('an id that is another’s', () => {
  const secret = 'what beta alone knows'

  it.each(['alpha', 'session of alpha', 'write-only', 'session of write-only'])(
    'is a conflict for %s, whether equal or not, in words that say nothing of it',
    async (key) => {
      const stored = statement({ result: { response: secret } })
      await as('beta').post(stored)
      const equal = await as(key).post(stored)
      const different = await as(key).post(statement({ id: stored.id, result: { response: 'other' } }))
      const put = await as(key).put(stored.id, statement({ id: undefined }))
      expect(equal.status).toBe(409)
      expect(essence(equal)).toEqual(essence(different))
      // A PUT names the id in its parameter, which is where its refusal points.
      const { failures: _, ...refusal } = put.json
      expect([put.status, refusal]).toEqual([409, { ...refusal, message: different.json.message }])
      expect(put.json.failures).toEqual([{ ...different.json.failures[0], pointer: '?statementId' }])
      expect(equal.text).not.toMatch(/knows|beta|isolated|mailto|[Oo]wner/)
      expect((await as('beta').get(`statements?statementId=${stored.id}`)).json.result.response).toBe(secret)
      expect((await as('beta').idsOf()).filter((id) => id === stored.id)).toHaveLength(1)
    },
  )

  it('is acknowledged for who may read it, when it is equal', async () => {
    const stored = statement()
    await as('beta').post(stored)
    expect((await as('global').post(stored)).status).toBe(200)
    const different = statement({ id: stored.id, result: { success: true } })
    expect((await as('global').post(different)).status).toBe(409)
  })

  it('is free in another organisation', async () => {
    const stored = statement()
    await as('beta').post(stored)
    const own = statement({ id: stored.id, result: { success: true } })
    expect((await as('elsewhere').post(own)).status).toBe(200)
    expect((await as('elsewhere').get(`statements?statementId=${stored.id}`)).json.result).toEqual({ success: true })
    expect((await as('beta').get(`statements?statementId=${stored.id}`)).json.result).toBeUndefined()
  })

  it('leaves nothing of the batch it conflicts in', async () => {
    const stored = statement()
    await as('beta').post(stored)
    const before = await as('alpha').idsOf()
    expect((await as('alpha').post([statement(), statement({ id: stored.id }), statement()])).status).toBe(409)
    expect(await as('alpha').idsOf()).toEqual(before)
  })
})

describe('writing', () => {
  it.each([
    ['read-only', 403],
    ['session of read-only', 403],
    ['disabled', 401],
    ['session of disabled', 401],
  ])('is refused for %s by %i, and nothing is stored', async (key, status) => {
    const before = await as('global').idsOf()
    expect((await as(key).post(statement())).status).toBe(status)
    expect((await as(key).put(randomUUID(), statement({ id: undefined }))).status).toBe(status)
    expect(await as('global').idsOf()).toEqual(before)
  })

  it('by a session belongs to its parent', async () => {
    const one = statement()
    await as('session of alpha').post(one)
    expect((await as('alpha').get(`statements?statementId=${one.id}`)).status).toBe(200)
    expect((await as('beta').get(`statements?statementId=${one.id}`)).status).toBe(404)
  })

  it('by another organisation never arrives here', async () => {
    const one = statement()
    await as('elsewhere').post(one)
    expect((await as('global').get(`statements?statementId=${one.id}`)).status).toBe(404)
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Documents: one name, and a document of each who may have one

describe('documents', () => {
  const activityId = 'http://example.org/activities/marked'
  const agent = json(marks.actor)
  const resources: readonly (readonly [path: string, idName: string])[] = [
    [`activities/state?activityId=${activityId}&agent=${agent}`, 'stateId'],
    [`agents/profile?agent=${agent}`, 'profileId'],
    [`activities/profile?activityId=${activityId}`, 'profileId'],
  ]
  /** What each reads under the same name. */
  const seen: readonly (readonly [key: string, by: string | 401 | 403])[] = [
    ['alpha', 'alpha'],
    ['session of alpha', 'alpha'],
    ['beta', 'beta'],
    ['session of beta', 'beta'],
    ['global', 'global'],
    ['session of global', 'global'],
    ['read-only', 'global'],
    ['session of read-only', 'global'],
    ['write-only', 403],
    ['disabled', 401],
    ['session of disabled', 401],
    ['elsewhere', 'elsewhere'],
    ['session of elsewhere', 'elsewhere'],
  ]
  const owners = ['alpha', 'beta', 'global', 'elsewhere'] as const
  beforeAll(async () => {
    for (const [path, idName] of resources) {
      for (const key of owners) {
        for (const id of ['same', key]) {
          const { status } = await as(key).send('PUT', `${path}&${idName}=${id}`, { body: { by: key } })
          expect(status).toBe(204)
        }
      }
    }
  })

  describe.each(resources)('at %s', (path, idName) => {
    it.each(seen)('%s sees %s', async (key, by) => {
      const one = await as(key).get(`${path}&${idName}=same`)
      const list = await as(key).get(path)
      if (typeof by === 'number') return expect([one.status, list.status]).toEqual([by, by])
      expect(one.json).toEqual({ by })
      expect(list.json).toEqual([by, 'same'].toSorted())
      for (const other of owners) {
        const { status } = await as(key).get(`${path}&${idName}=${other}`)
        expect([other, status]).toEqual([other, other === by ? 200 : 404])
      }
    })

    it('hears the same of a hidden document as of one that nobody has', async () => {
      for (const [key, other] of [
        ['alpha', 'beta'],
        ['alpha', 'global'],
        ['global', 'alpha'],
        ['elsewhere', 'global'],
      ] as const) {
        const [hidden, none] = [`${path}&${idName}=${other}`, `${path}&${idName}=${randomUUID()}`]
        expect(essence(await as(key).get(hidden))).toEqual(essence(await as(key).get(none)))
        for (const method of ['PUT', 'POST', 'DELETE']) {
          // To change what is there already is to find nothing there.
          const options = { headers: { 'If-Match': '*' }, ...(method !== 'DELETE' && { body: {} }) }
          const answers = [await as(key).send(method, hidden, options), await as(key).send(method, none, options)]
          expect(answers.map(({ status }) => status)).toEqual([412, 412])
          expect(essence(answers[0]!)).toEqual(essence(answers[1]!))
        }
      }
    })

    it('deletes, merges and replaces nobody else’s', async () => {
      const change = `${path}&${idName}=same`
      for (const key of ['alpha', 'beta', 'elsewhere']) {
        expect((await as(key).send('POST', change, { body: { more: key } })).status).toBe(204)
        expect((await as(key).get(change)).json).toEqual({ by: key, more: key })
        expect((await as(key).send('DELETE', change)).status).toBe(204)
        expect((await as('global').get(change)).json).toEqual({ by: 'global' })
        expect((await as(key).get(change)).status).toBe(404)
        expect((await as(key).send('PUT', change, { body: { by: key } })).status).toBe(204)
      }
      expect((await as('read-only').send('DELETE', change)).status).toBe(403)
      for (const key of owners) expect((await as(key).get(change)).json).toEqual({ by: key })
    })
  })

  it('of a state scope are deleted by who sees them', async () => {
    const path = `activities/state?activityId=http://example.org/${randomUUID()}&agent=${agent}`
    for (const key of owners) await as(key).send('PUT', `${path}&stateId=one`, { body: { by: key } })
    for (const [index, key] of owners.entries()) {
      expect((await as(key).send('DELETE', path)).status).toBe(204)
      for (const [at, other] of owners.entries()) {
        expect((await as(other).get(path)).json).toEqual(at <= index ? [] : ['one'])
      }
    }
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// The leaks by name

describe('leaks that are closed', () => {
  it('a reference to another’s statement does not let one query its values, whichever came first', async () => {
    const verb = { id: `http://example.org/verbs/${randomUUID()}` }
    const target = statement({ verb })
    const early = statement({ object: reference(target.id) })
    const late = statement({ object: reference(target.id) })
    await as('alpha').post(early)
    await as('beta').post(target)
    await as('alpha').post(late)
    expect(await as('alpha').idsOf(`verb=${verb.id}`)).toEqual([])
    expect(await as('global').idsOf(`verb=${verb.id}`)).toEqual([late.id, target.id, early.id])
  })

  it('nor through a chain that passes another owner', async () => {
    const verb = { id: `http://example.org/verbs/${randomUUID()}` }
    const target = statement({ verb })
    const between = statement({ object: reference(target.id) })
    const last = statement({ object: reference(between.id) })
    await as('alpha').post(target)
    await as('beta').post(between)
    await as('alpha').post(last)
    expect(await as('alpha').idsOf(`verb=${verb.id}`)).toEqual([target.id])
    expect(await as('beta').idsOf(`verb=${verb.id}`)).toEqual([])
    expect((await as('global').idsOf(`verb=${verb.id}`)).toSorted()).toEqual(
      [target.id, between.id, last.id].toSorted(),
    )
  })

  it('a canonical definition does not carry another’s words', async () => {
    const id = `http://example.org/activities/${randomUUID()}`
    await as('beta').post(statement({ object: { id, definition: { name: { en: 'Named by beta' } } } }))
    const own = statement({ object: { id } })
    await as('alpha').post(own)
    for (const query of [`statementId=${own.id}`, `activity=${id}`]) {
      const answer = await as('alpha').get(`statements?${query}&format=canonical`)
      expect(answer.status).toBe(200)
      expect(answer.text).not.toContain('Named by beta')
    }
  })

  it('an activity and a person are what one may know of them, merged over nobody else’s words', async () => {
    const id = `http://example.org/activities/${randomUUID()}`
    const actor = { mbox: `mailto:${randomUUID()}@example.org` }
    const tags: Record<string, string> = { alpha: 'en', beta: 'de', global: 'fr', elsewhere: 'it' }
    const words = (key: string) => {
      const definition = { name: { [tags[key]!]: `Named by ${key}` } }
      return statement({ actor: { ...actor, name: `Called so by ${key}` }, object: { id, definition } })
    }
    for (const key of Object.keys(tags)) {
      expect((await as(key).post(words(key))).status).toBe(200)
    }
    const seen = async (key: string) => {
      const activity = await as(key).get(`activities?activityId=${id}`)
      const person = await as(key).get(`agents?agent=${json(actor)}`)
      if (activity.status !== 200 || person.status !== 200) return [activity.status, person.status]
      const by = (texts: string[]) => texts.map((text) => text.split(' by ')[1]).toSorted()
      const names = by(Object.values(activity.json.definition.name as object))
      expect(by(person.json.name)).toEqual(names)
      return names
    }
    const everybody = ['alpha', 'beta', 'global']
    const expected: Record<string, unknown> = {
      alpha: ['alpha'],
      beta: ['beta'],
      global: everybody,
      'read-only': everybody,
      elsewhere: ['elsewhere'],
      'write-only': [403, 403],
      disabled: [401, 401],
    }
    for (const [key, sight] of Object.entries(expected)) {
      expect([key, await seen(key)]).toEqual([key, sight])
      expect([key, await seen(`session of ${key}`)]).toEqual([key, sight])
    }
    const inPath = `/api/organizations/${stage.organisationId}/lrs/activities?activityId=${id}`
    expect((await as('elsewhere').get(inPath)).status).toBe(401)
  })

  it('what an owner without reach beyond itself says never goes before what is shared', async () => {
    const id = `http://example.org/activities/${randomUUID()}`
    const named = (en: string, timestamp: string) =>
      statement({ object: { id, definition: { name: { en } } }, timestamp })
    await as('global').post(named('old', '2024-01-01T00:00:00Z'))
    await as('global').post(named('new', '2024-01-02T00:00:00Z'))
    // Neither a later word nor the backdated repetition of a shared one changes which counts.
    await as('alpha').post(named('later', '2030-01-01T00:00:00Z'))
    await as('alpha').post(named('new', '1970-01-01T00:00:00Z'))
    expect((await as('read-only').get(`activities?activityId=${id}`)).json.definition.name).toEqual({ en: 'new' })
  })

  it('whoever knows the hash of another’s attachment does not get its data, with fileUrl or without', async () => {
    const content = `only for alpha ${randomUUID()}`
    const type = { 'content-type': `multipart/mixed; boundary=${boundary}` }
    const send = (key: string, parts: SentPart[]) =>
      as(key).send('POST', 'statements', { body: multipartBody(parts), headers: type })
    const sent = statement({ attachments: [describing(content)] })
    expect((await send('alpha', [statementsPart(sent), dataPart(content)])).status).toBe(200)
    const shows = async (key: string) =>
      (await as(key).get('statements?attachments=true&limit=0')).text.includes(content)
    for (const key of ['beta', 'session of beta', 'elsewhere', 'write-only']) {
      const remote = { fileUrl: 'https://example.org/file' }
      const claims = [
        describing(content, remote),
        describing(content, { ...remote, sha2: hashOf(content).toUpperCase() }),
      ]
      for (const claim of claims) expect((await as(key).post(statement({ attachments: [claim] }))).status).toBe(200)
      for (const parts of [[], [dataPart('other', { 'X-Experience-API-Hash': hashOf(content) })]]) {
        const bare = statement({ attachments: [describing(content)] })
        expect((await send(key, [statementsPart(bare), ...parts])).status).toBe(400)
      }
      if (key === 'write-only') continue
      expect([key, await shows(key)]).toEqual([key, false])
      expect((await as(key).get(`statements?statementId=${sent.id}&attachments=true`)).status).toBe(404)
    }
    for (const key of ['alpha', 'session of alpha', 'global', 'read-only']) {
      expect([key, await shows(key)]).toEqual([key, true])
    }
    // A statement of another owner on the same page does not lend its claim.
    const knowing = statement({ attachments: [describing(content, { fileUrl: 'https://example.org/file' })] })
    await as('beta').post(knowing)
    expect((await as('global').get(`statements?statementId=${knowing.id}&attachments=true`)).text).not.toContain(
      content,
    )
  })

  it('references beyond the bound slow nobody down and show nothing', async () => {
    const verb = { id: `http://example.org/verbs/${randomUUID()}` }
    const target = statement({ verb })
    const flood = Array.from({ length: 1100 }, () => statement({ object: reference(target.id) }))
    expect((await as('alpha').post(flood)).status).toBe(200)
    expect((await as('beta').post(target)).status).toBe(200)
    expect(await as('beta').idsOf(`verb=${verb.id}`)).toEqual([target.id])
    expect(await as('alpha').idsOf(`verb=${verb.id}`)).toEqual([])
    const found = await as('global').idsOf(`verb=${verb.id}&limit=0`)
    expect(found).toContain(target.id)
    expect(found.length).toBeLessThanOrEqual(1001)
  })
})
