// Keys of different rights, and sessions under a key, as clients meet them.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ClientLibrary, type DocumentPlace, statusOf, type XapiClient } from './client.ts'
import { learner, statement } from './samples.ts'
import type { Setting } from './setting.ts'
import type { Key } from './watershed-keys.ts'

export function describeRights(library: ClientLibrary, setting: Setting): void {
  const connect = (key: Key): XapiClient => setting.connectTo(library, key)

  /** What nobody else uses. */
  const places = (): { state: DocumentPlace; profile: DocumentPlace } => ({
    state: { of: 'state', activityId: `https://content.example.org/${randomUUID()}`, agent: learner('anna') },
    profile: { of: 'activity', activityId: `https://content.example.org/${randomUUID()}` },
  })

  describe('a key', () => {
    it('that may only read resumes what others share, and saves nothing', async () => {
      const global = connect(await setting.keys.create('global'))
      const reader = connect(await setting.keys.create('globalReadOnly'))
      const { state, profile } = places()
      const one = statement()
      await global.store(one)
      await global.save(state, 'progress', { page: 3 })
      await global.save(profile, 'settings', { theme: 'dark' }, { ifNoneMatch: '*' })
      expect(await reader.find(String(one['id']))).toMatchObject(one)
      expect(await reader.findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
      const found = await reader.findDocument(profile, 'settings')
      expect(found).toMatchObject({ content: { theme: 'dark' } })
      expect(await statusOf(reader.store(statement()))).toBe(403)
      expect(await statusOf(reader.merge(state, 'progress', { page: 4 }))).toBe(403)
      const precondition = { ifMatch: found?.etag ?? '' }
      expect(await statusOf(reader.save(profile, 'settings', { theme: 'light' }, precondition))).toBe(403)
      expect(await statusOf(reader.remove(state, 'progress'))).toBe(403)
      expect(await global.findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
      expect(await global.findDocument(profile, 'settings')).toMatchObject({ content: { theme: 'dark' } })
    })

    it('that may only store statements neither reads nor saves', async () => {
      const writer = connect(await setting.keys.create('writeOnly'))
      const global = connect(await setting.keys.create('global'))
      const { state } = places()
      const one = statement()
      await writer.store(one)
      expect(await global.find(String(one['id']))).toMatchObject(one)
      expect(await statusOf(writer.find(String(one['id'])))).toBe(403)
      expect(await statusOf(writer.save(state, 'progress', { page: 1 }))).toBe(403)
      expect(await statusOf(writer.findDocument(state, 'progress'))).toBe(403)
      expect(await global.findDocument(state, 'progress')).toBeUndefined()
    })
  })

  describe('a session', () => {
    it('resumes what an earlier session of its key saved, until it is ended', async () => {
      const key = await setting.keys.create('isolated')
      const [first, later] = [await setting.keys.createSession(key), await setting.keys.createSession(key)]
      const { state } = places()
      const [one, none] = [statement(), statement()]
      await connect(first).store(one)
      await connect(first).save(state, 'progress', { page: 3 })
      expect(await connect(later).findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
      expect(await connect(later).find(String(one['id']))).toMatchObject(one)
      await setting.keys.endSession(key, first)
      expect(await statusOf(connect(first).merge(state, 'progress', { page: 4 }))).toBe(401)
      expect(await statusOf(connect(first).store(none))).toBe(401)
      expect(await connect(later).findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
      expect(await statusOf(connect(later).find(String(none['id'])))).toBe(404)
    })

    it('for reading saves nothing', async () => {
      const key = await setting.keys.create('isolated')
      const reader = connect(await setting.keys.createSession(key, 'xapi:read'))
      const { state } = places()
      await connect(key).save(state, 'progress', { page: 3 })
      expect(await reader.findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
      expect(await statusOf(reader.merge(state, 'progress', { page: 4 }))).toBe(403)
      expect(await statusOf(reader.store(statement()))).toBe(403)
      expect(await connect(key).findDocument(state, 'progress')).toMatchObject({ content: { page: 3 } })
    })
  })
}
