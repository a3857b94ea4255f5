// The Activities resource over HTTP: what is merged, for whom, and what is refused.

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import type { Rights } from '../../core/rights.ts'

let stage: Stage
let writer: Client
beforeAll(async () => {
  stage = await openStage()
  writer = await stage.as('xapi')
})
afterAll(() => stage.close())

const freshId = () => `https://example.org/activities/${randomUUID()}`
const path = (id: string) => `activities?activityId=${encodeURIComponent(id)}`
const defining = (id: string, definition: object, more: object = {}) =>
  statement({ object: { id, definition }, ...more })
const definitionOf = async (client: Client, id: string) => (await client.get(path(id))).json.definition

async function store(client: Client, ...statements: object[]): Promise<void> {
  const { status, text } = await client.post(statements)
  if (status !== 200) throw new Error(text)
}

describe('an activity', () => {
  it('that nobody described is its id (XAPI-00253)', async () => {
    const id = freshId()
    await store(writer, statement({ object: { id } }))
    for (const one of [id, freshId()]) {
      const answer = await writer.get(path(one))
      expect([answer.status, answer.json]).toEqual([200, { objectType: 'Activity', id: one }])
      expect(answer.headers.get('content-type')).toBe('application/json')
    }
  })

  it('has all that statements say of it, in every language (XAPI-00251, XAPI-00254)', async () => {
    const id = freshId()
    const type = 'http://adlnet.gov/expapi/activities/course'
    await store(
      writer,
      defining(id, { name: { en: 'Course' }, type }),
      statement({ context: { contextActivities: { parent: [{ id, definition: { name: { de: 'Kurs' } } }] } } }),
    )
    expect((await writer.get(path(id))).json).toEqual({
      objectType: 'Activity',
      id,
      definition: { name: { en: 'Course', de: 'Kurs' }, type },
    })
  })

  it('is the same whatever the order of arrival: the latest new word counts', async () => {
    const at = (day: number) => ({ timestamp: `2024-01-0${day}T00:00:00Z` })
    const story = (id: string) => [
      defining(id, { name: { en: 'first', de: 'erster' } }, at(1)),
      defining(id, { name: { en: 'second' }, type: 'urn:second' }, at(2)),
      defining(id, { type: 'urn:third', moreInfo: 'urn:third' }, at(3)),
      // Says nothing new, however late.
      defining(id, { name: { en: 'first', de: 'erster' } }, at(4)),
    ]
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
    const property = fc.asyncProperty(orders, fc.boolean(), async (order, isBatch) => {
      const id = freshId()
      const statements = story(id)
      const arriving = order.map((index) => statements[index]!)
      if (isBatch) await store(writer, ...arriving)
      else for (const one of arriving) await store(writer, one)
      expect(await definitionOf(writer, id)).toEqual({
        name: { en: 'second', de: 'erster' },
        type: 'urn:third',
        moreInfo: 'urn:third',
      })
    })
    await fc.assert(property, { numRuns: 12 })
  })

  it('says the same to a HEAD, in 1.0.3, on a lent mount and in the alternate syntax', async () => {
    const id = freshId()
    await store(writer, defining(id, { name: { en: 'Course' } }))
    const expected = (await writer.get(path(id))).text
    const head = await writer.send('HEAD', path(id))
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', String(expected.length)])
    const old = clientOf(stage.app, writer, '1.0.3')
    expect((await old.get(path(id))).text).toBe(expected)
    expect((await writer.get(`/api/organizations/${stage.organisationId}/lrs/${path(id)}`)).text).toBe(expected)
    const form = await old.send('POST', 'activities?method=GET', {
      body: new URLSearchParams({ activityId: id }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([form.status, form.text]).toEqual([200, expected])
  })

  it.each([
    ['activities', '?activityId', 'XAPI-00250'],
    ['activities?activityId=true', '?activityId', 'XAPI-00012'],
    ['activities?activityId=', '?activityId', 'XAPI-00012'],
    ['activities?activityId=urn:a&activityId=urn:b', '?activityId', 'claviger/repeated-parameter'],
    ['activities?activityId=urn:a&since=2024-01-01T00:00:00Z', '?since', 'XAPI-00324'],
  ])('%s is refused by 400 with pointer and rule', async (asked, pointer, rule) => {
    const { status, json } = await writer.get(asked)
    expect([status, json.failures.map(({ pointer: at, rule: by }: any) => [at, by])]).toEqual([400, [[pointer, rule]]])
  })

  it('is asked for by its exact parameter (XAPI-00325)', async () => {
    const { status, json } = await writer.get('activities?activityID=urn:a')
    expect([status, json.failures[0]]).toMatchObject([400, { pointer: '?activityID', rule: 'XAPI-00325' }])
  })

  it.each(['PUT', 'POST', 'DELETE'])('is not written by %s', async (method) => {
    const answer = await writer.send(method, path('urn:a'), { body: {} })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })
})

describe('the right to define', () => {
  const rights = (define: 'any' | 'mine' | undefined, reading: 'any' | 'mine' = 'any'): { rights: Rights } => ({
    rights: {
      xapi: {
        'statements/write': 'any',
        'statements/read': reading,
        'activities/read': reading,
        ...(define && { define }),
      },
      management: [],
    },
  })

  it('without it the id is stored and the canonical definition stays', async () => {
    const id = freshId()
    const definer = await stage.as('none', rights('any'))
    const stranger = await stage.as('none', rights(undefined))
    await store(definer, defining(id, { name: { en: 'Canonical' } }, { timestamp: '2020-01-01T00:00:00Z' }))
    const before = (await definer.get(path(id))).text
    const redefining = defining(id, { name: { en: 'Other', de: 'Neu' }, type: 'urn:other' })
    await store(stranger, redefining)
    for (const client of [definer, stranger]) expect((await client.get(path(id))).text).toBe(before)
    expect(await definer.idsOf(`activity=${encodeURIComponent(id)}`)).toContain(redefining.id)
    const exact = await stranger.get(`statements?statementId=${redefining.id}`)
    expect(exact.json.object.definition.name).toEqual({ en: 'Other', de: 'Neu' })
  })

  it('with reach any goes before reach mine, however late', async () => {
    const id = freshId()
    const [shared, own] = [await stage.as('none', rights('any')), await stage.as('none', rights('mine'))]
    await store(shared, defining(id, { name: { en: 'Shared' } }, { timestamp: '2020-01-01T00:00:00Z' }))
    await store(own, defining(id, { name: { en: 'Own', de: 'Eigener' } }))
    expect(await definitionOf(shared, id)).toEqual({ name: { en: 'Shared', de: 'Eigener' } })
    const reader = await stage.as('read-only')
    expect(await definitionOf(reader, id)).toEqual({ name: { en: 'Shared', de: 'Eigener' } })
  })

  it('counts for what comes after it was given, not before', async () => {
    const id = freshId()
    const client = await stage.as('none', rights(undefined))
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    await store(client, defining(id, { name: { en: 'Before' } }))
    await stage.core.credentials.update(operator, client.credential.id, rights('any'))
    await store(client, defining(id, { name: { de: 'Danach' } }))
    expect(await definitionOf(client, id)).toEqual({ name: { de: 'Danach' } })
  })

  it('ends at the pin of the activity', async () => {
    const [course, outside] = [freshId(), freshId()]
    const pinned = await stage.as('xapi', { pins: { activity: course } })
    const context = { contextActivities: { other: [{ id: outside, definition: { name: { en: 'Taken over' } } }] } }
    await store(pinned, defining(`${course}/1`, { name: { en: 'Part' } }, { context }))
    expect(await definitionOf(writer, outside)).toBeUndefined()
    expect(await definitionOf(writer, `${course}/1`)).toEqual({ name: { en: 'Part' } })
    expect((await pinned.get(path(`${course}/1`))).status).toBe(200)
    const refused = await pinned.get(path(outside))
    expect([refused.status, refused.json.decidedBy]).toEqual([403, 'pin activity'])
  })

  it('to read is asked for, too', async () => {
    const client = await stage.as('write-only')
    const refused = await client.get(path('urn:a'))
    expect([refused.status, refused.json.decidedBy]).toEqual([403, 'activities/read'])
  })
})

describe('format=canonical', () => {
  const canonical = async (client: Client, id: string) =>
    (await client.get(`statements?statementId=${id}&format=canonical`, { 'accept-language': 'de' })).json

  it('shows the canonical definition, one language of it, in object, context and SubStatement', async () => {
    const id = freshId()
    const definition = { name: { en: 'Course', de: 'Kurs' }, type: 'urn:type' }
    const shown = { id, definition: { name: { de: 'Kurs' }, type: 'urn:type' } }
    await store(writer, defining(id, definition))
    const bare = statement({ object: { id }, context: { contextActivities: { parent: [{ id }] } } })
    const { actor, verb } = bare
    const sub = statement({ object: { objectType: 'SubStatement', actor, verb, object: { id } } })
    await store(writer, bare, sub)
    const answer = await canonical(writer, bare.id)
    expect([answer.object, answer.context.contextActivities.parent]).toEqual([shown, [shown]])
    expect((await canonical(writer, sub.id)).object.object).toEqual(shown)
    const list = (await writer.get('statements?limit=1&format=canonical', { 'accept-language': 'de' })).json
    expect(list.statements[0].object.object).toEqual(shown)
    expect((await writer.get(`statements?statementId=${bare.id}`)).json.object).toEqual({ id })
  })

  it('shows what the statement says where there is no canonical definition, or none to be read', async () => {
    const id = freshId()
    const undefining = await stage.as('write-only')
    const one = defining(id, { name: { en: 'Said', de: 'Gesagt' } })
    await store(undefining, one)
    expect((await canonical(writer, one.id)).object.definition).toEqual({ name: { de: 'Gesagt' } })
    await store(writer, defining(id, { name: { de: 'Festgelegt' } }))
    expect((await canonical(writer, one.id)).object.definition).toEqual({ name: { de: 'Festgelegt' } })
    const reader = await stage.as('statements-read')
    expect((await canonical(reader, one.id)).object.definition).toEqual({ name: { de: 'Gesagt' } })
  })
})
