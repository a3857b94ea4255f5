// What statements said of activities and of people, asked back as Activity and Person.

import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientLibrary, XapiClient } from './client.ts'
import { learner, statement } from './samples.ts'
import type { Setting } from './setting.ts'

export function describeDescriptions(library: ClientLibrary, setting: Setting): void {
  describe('descriptions', () => {
    let client: XapiClient

    beforeEach(async () => {
      client = setting.connectTo(library, await setting.keys.create('isolated'))
    })

    it('an activity is what statements said of it', async () => {
      const id = `https://content.example.org/${randomUUID()}`
      const said = (name: object) => statement({ object: { objectType: 'Activity', id, definition: { name } } })
      await client.storeAll([said({ 'en-US': 'Fire safety' })])
      await client.storeAll([said({ 'de-DE': 'Brandschutz' })])
      expect(await client.findActivity(id)).toMatchObject({
        id,
        definition: { name: { 'en-US': 'Fire safety', 'de-DE': 'Brandschutz' } },
      })
    })

    it('an activity nobody spoke of is its id', async () => {
      const id = `https://content.example.org/${randomUUID()}`
      expect(await client.findActivity(id)).toMatchObject({ id })
    })

    it('is not told to another isolated key', async () => {
      const other = setting.connectTo(library, await setting.keys.create('isolated'))
      const id = `https://content.example.org/${randomUUID()}`
      await other.storeAll([
        statement({ object: { objectType: 'Activity', id, definition: { name: { en: 'Hidden' } } } }),
      ])
      expect(JSON.stringify(await client.findActivity(id))).not.toContain('Hidden')
    })

    if (library.lacks.includes('findPerson')) return

    it('a person has the names that statements gave', async () => {
      const agent = learner(randomUUID())
      await client.storeAll([statement({ actor: { ...agent, name: 'Ada' } })])
      await client.storeAll([statement({ actor: { ...agent, name: 'Ada Lovelace' } })])
      const person = await client.findPerson(agent)
      expect(person).toMatchObject({ objectType: 'Person', account: [agent.account] })
      expect([...(person['name'] as string[])].toSorted()).toEqual(['Ada', 'Ada Lovelace'])
    })
  })
}
