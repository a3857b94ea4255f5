// State, Activity Profile and Agent Profile, as courses use them: saved, resumed, listed, dropped, guarded by entity tags.

import { createHash, randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ClientLibrary, type DocumentPlace, type Json, statusOf, type XapiClient } from './client.ts'
import { learner } from './samples.ts'
import type { Setting } from './setting.ts'

const course = 'https://content.example.org/course'
const progress: Json = { page: 3, answers: { q1: 'b', q2: ['x', 'ÿ', '漢字'] }, done: false }

type StatePlace = DocumentPlace & { readonly of: 'state' }
const state: StatePlace = { of: 'state', activityId: course, agent: learner('anna') }
const profiles: readonly (readonly [name: string, place: DocumentPlace])[] = [
  ['activity profile', { of: 'activity', activityId: course }],
  ['agent profile', { of: 'agent', agent: learner('anna') }],
]

export function describeDocuments(library: ClientLibrary, setting: Setting): void {
  let client: XapiClient

  beforeEach(async () => {
    client = setting.connectTo(library, await setting.keys.create('isolated'))
  })

  describe('state', () => {
    it('is saved and resumed by a later visit', async () => {
      const key = await setting.keys.create('isolated')
      const first = setting.connectTo(library, key)
      expect(await first.findDocument(state, 'progress')).toBeUndefined()
      await first.save(state, 'progress', progress)
      const later = setting.connectTo(library, key)
      expect(await later.findDocument(state, 'progress')).toMatchObject({ content: progress })
    })

    it('is plain text where the course says so', async () => {
      await client.save(state, 'suspend_data', 'p=3|q1=b|Grüße')
      expect(await client.findDocument(state, 'suspend_data')).toMatchObject({ content: 'p=3|q1=b|Grüße' })
      await client.save(state, 'suspend_data', 'p=4', await replacing(client, state, 'suspend_data'))
      expect(await client.findDocument(state, 'suspend_data')).toMatchObject({ content: 'p=4' })
    })

    it('is replaced unseen in 1.0.x, and not in 2.0', async () => {
      await client.save(state, 'suspend_data', 'first')
      const isNew = library.statementVersion.startsWith('2.')
      expect(await statusOf(client.save(state, 'suspend_data', 'second'))).toBe(isNew ? 409 : 200)
      expect(await client.findDocument(state, 'suspend_data')).toMatchObject({ content: isNew ? 'first' : 'second' })
    })

    it('is merged member by member', async () => {
      await client.save(state, 'progress', { page: 1, seen: [1] })
      await client.merge(state, 'progress', { page: 2, score: 5 })
      const found = await client.findDocument(state, 'progress')
      expect(found?.content).toEqual({ page: 2, seen: [1], score: 5 })
    })

    it('is separate with and without a registration', async () => {
      const attempt = { ...state, registration: randomUUID() }
      await client.save(state, 'progress', { of: 'all' })
      await client.save(attempt, 'progress', { of: 'attempt' })
      expect(await client.findDocument(state, 'progress')).toMatchObject({ content: { of: 'all' } })
      expect(await client.findDocument(attempt, 'progress')).toMatchObject({ content: { of: 'attempt' } })
      await client.remove(attempt, 'progress')
      expect(await client.findDocument(attempt, 'progress')).toBeUndefined()
      expect(await client.findDocument(state, 'progress')).toMatchObject({ content: { of: 'all' } })
    })

    it('is listed, also since a time', async () => {
      await client.save(state, 'b', { at: 1 })
      await client.save(state, 'a', { at: 2 })
      await setTimeout(5)
      const between = new Date().toISOString()
      await setTimeout(5)
      await client.save(state, 'c', { at: 3 })
      expect([...(await client.listDocuments(state))].toSorted()).toEqual(['a', 'b', 'c'])
      expect(await client.listDocuments(state, between)).toEqual(['c'])
      expect(await client.listDocuments({ ...state, agent: learner('berta') })).toEqual([])
    })

    it('is removed, one or all', async () => {
      for (const id of ['a', 'b', 'c']) await client.save(state, id, { id })
      await client.remove(state, 'a')
      expect([...(await client.listDocuments(state))].toSorted()).toEqual(['b', 'c'])
      if (library.lacks.includes('removeAllStates')) return
      await client.save({ ...state, agent: learner('berta') }, 'kept', { id: 'kept' })
      await client.removeAllStates(state)
      expect(await client.listDocuments(state)).toEqual([])
      expect(await client.listDocuments({ ...state, agent: learner('berta') })).toEqual(['kept'])
    })

    it('of an activity and learner with very long names', async () => {
      const long: StatePlace = {
        of: 'state',
        activityId: `${course}?${'chapter=one&'.repeat(120)}`,
        agent: learner('ö'.repeat(150)),
      }
      await client.save(long, 'progress', progress)
      expect(await client.findDocument(long, 'progress')).toMatchObject({ content: progress })
      await client.merge(long, 'progress', { page: 4 })
      expect(await client.findDocument(long, 'progress')).toMatchObject({ content: { ...progress, page: 4 } })
      expect(await client.listDocuments(long)).toEqual(['progress'])
      await client.remove(long, 'progress')
      expect(await client.findDocument(long, 'progress')).toBeUndefined()
    })

    it('of one isolated key is not seen by another', async () => {
      const other = setting.connectTo(library, await setting.keys.create('isolated'))
      const global = setting.connectTo(library, await setting.keys.create('global'))
      const place = { ...state, agent: learner(randomUUID()) }
      await client.save(place, 'progress', { of: 'client' })
      await other.save(place, 'progress', { of: 'other' })
      await global.save(place, 'progress', { of: 'global' })
      expect(await client.findDocument(place, 'progress')).toMatchObject({ content: { of: 'client' } })
      expect(await other.findDocument(place, 'progress')).toMatchObject({ content: { of: 'other' } })
      expect(await global.findDocument(place, 'progress')).toMatchObject({ content: { of: 'global' } })
      await other.remove(place, 'progress')
      expect(await client.listDocuments(place)).toEqual(['progress'])
    })
  })

  describe.each(profiles)('%s', (_, place) => {
    it('is created only where there is none', async () => {
      await client.save(place, 'settings', { theme: 'dark' }, { ifNoneMatch: '*' })
      expect(await statusOf(client.save(place, 'settings', { theme: 'light' }, { ifNoneMatch: '*' }))).toBe(412)
      expect(await client.findDocument(place, 'settings')).toMatchObject({ content: { theme: 'dark' } })
      expect(await client.listDocuments(place)).toEqual(['settings'])
    })

    it('is replaced only by whoever has seen the present one', async () => {
      await client.save(place, 'settings', { theme: 'dark' }, { ifNoneMatch: '*' })
      const seen = await replacing(client, place, 'settings')
      await client.save(place, 'settings', { theme: 'light' }, seen)
      expect(await statusOf(client.save(place, 'settings', { theme: 'blue' }, seen))).toBe(412)
      expect(await client.findDocument(place, 'settings')).toMatchObject({ content: { theme: 'light' } })
    })

    it('has the SHA-1 of what was sent as its entity tag, which clients work out themselves', async () => {
      const sent = { theme: 'dark', name: 'Zoë' }
      await client.save(place, 'settings', sent, { ifNoneMatch: '*' })
      const sha1 = createHash('sha1').update(JSON.stringify(sent)).digest('hex')
      expect(await client.findDocument(place, 'settings')).toEqual({ content: sent, etag: `"${sha1}"` })
      await client.save(place, 'settings', { theme: 'light', name: 'Zoë' }, { ifMatch: `"${sha1}"` })
      expect(await client.findDocument(place, 'settings')).toMatchObject({ content: { theme: 'light' } })
    })

    it('is merged by whoever has seen the present one, and not by others', async () => {
      await client.save(place, 'settings', { theme: 'dark', size: 2 }, { ifNoneMatch: '*' })
      const seen = await replacing(client, place, 'settings')
      await client.merge(place, 'settings', { size: 3 }, seen)
      expect(await statusOf(client.merge(place, 'settings', { size: 4 }, seen))).toBe(412)
      const found = await client.findDocument(place, 'settings')
      expect(found?.content).toEqual({ theme: 'dark', size: 3 })
    })

    it('is removed', async () => {
      await client.save(place, 'settings', { theme: 'dark' }, { ifNoneMatch: '*' })
      await client.remove(place, 'settings')
      expect(await client.findDocument(place, 'settings')).toBeUndefined()
      expect(await client.listDocuments(place)).toEqual([])
    })

    it('of one isolated key is not seen by another', async () => {
      const other = setting.connectTo(library, await setting.keys.create('isolated'))
      await client.save(place, 'settings', { of: 'client' }, { ifNoneMatch: '*' })
      expect(await other.findDocument(place, 'settings')).toBeUndefined()
      await other.save(place, 'settings', { of: 'other' }, { ifNoneMatch: '*' })
      expect(await client.findDocument(place, 'settings')).toMatchObject({ content: { of: 'client' } })
    })
  })
}

/** The condition that nobody else has written since. */
async function replacing(client: XapiClient, place: DocumentPlace, id: string): Promise<{ ifMatch: string }> {
  const found = await client.findDocument(place, id)
  expect(found?.etag).toMatch(/^"[^"]+"$/)
  return { ifMatch: found?.etag ?? '' }
}
