// The Agents resource over HTTP: the Person behind an Agent, for whom, and what is refused.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let writer: Client
beforeAll(async () => {
  stage = await openStage()
  writer = await stage.as('global')
})
afterAll(() => stage.close())

const someone = () => ({ mbox: `mailto:${randomUUID()}@example.org` })
const path = (agent: unknown) => `agents?agent=${encodeURIComponent(JSON.stringify(agent))}`

async function store(client: Client, ...statements: object[]): Promise<void> {
  const { status, text } = await client.post(statements)
  if (status !== 200) throw new Error(text)
}

describe('an agent', () => {
  it.each([
    ['mbox', 'mailto:nobody@example.org'],
    ['mbox_sha1sum', 'ebd31e95054c018b10727ccffd2ef2ec3a016ee9'],
    ['openid', 'https://nobody.example.org/'],
    ['account', { homePage: 'https://lms.example.org', name: 'nobody' }],
  ])('that nobody named is a Person with what it was asked by: %s (XAPI-00247)', async (name, value) => {
    const answer = await writer.get(path({ objectType: 'Agent', [name]: value }))
    expect([answer.status, answer.json]).toEqual([200, { objectType: 'Person', [name]: [value] }])
    expect((await writer.get(path({ name: 'N', [name]: value }))).json.name).toEqual(['N'])
  })

  it('has every name that statements give it, the latest first, wherever it stands (XAPI-00248)', async () => {
    const ann = someone()
    const at = (day: number) => ({ timestamp: `2024-01-0${day}T00:00:00Z` })
    await store(
      writer,
      statement({ actor: { ...ann, name: 'Ann' }, ...at(1) }),
      statement({ context: { instructor: { ...ann, name: 'Dr Ann' } }, ...at(3) }),
      statement({ object: { objectType: 'Agent', ...ann, name: 'Anna' }, ...at(2) }),
      statement({ authority: { objectType: 'Agent', ...ann, name: 'Authority' }, ...at(4) }),
      statement({ actor: { ...ann, name: 'Ann' }, ...at(5) }),
    )
    expect((await writer.get(path(ann))).json).toEqual({
      objectType: 'Person',
      name: ['Authority', 'Dr Ann', 'Anna', 'Ann'],
      mbox: [ann.mbox],
    })
  })

  it('is known by its identifier, whatever the case of a domain', async () => {
    const ann = someone()
    await store(writer, statement({ actor: { ...ann, name: 'Ann' } }))
    const shouted = { mbox: ann.mbox.replace('example.org', 'EXAMPLE.org') }
    expect((await writer.get(path(shouted))).json).toMatchObject({ name: ['Ann'], mbox: [shouted.mbox] })
  })

  it('is not named by the authority that is stamped on what a key stores', async () => {
    const key = await stage.as('isolated', { name: 'Course key' })
    await store(key, statement())
    const { authority } = (await key.get('statements?limit=1')).json.statements[0]
    const { name: _, ...identified } = authority
    expect((await writer.get(path(identified))).json).not.toHaveProperty('name')
  })

  it('is not named without the right to define, though the statement keeps the name', async () => {
    const ann = someone()
    const one = statement({ actor: { ...ann, name: 'Nickname' } })
    await store(await stage.as('write-only'), one)
    expect((await writer.get(path(ann))).json).not.toHaveProperty('name')
    expect((await writer.get(`statements?statementId=${one.id}`)).json.actor.name).toBe('Nickname')
  })

  it('says the same to a HEAD, in 1.0.3 and on a lent mount', async () => {
    const ann = someone()
    await store(writer, statement({ actor: { ...ann, name: 'Ann' } }))
    const expected = (await writer.get(path(ann))).text
    const head = await writer.send('HEAD', path(ann))
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', String(expected.length)])
    expect((await clientOf(stage.app, writer, '1.0.3').get(path(ann))).text).toBe(expected)
    expect((await writer.get(`/api/organizations/${stage.organisationId}/lrs/${path(ann)}`)).text).toBe(expected)
  })

  it.each([
    ['agents', '?agent', 'XAPI-00243'],
    ['agents?agent=ann', '?agent', 'XAPI-00249'],
    [path({}), '?agent', 'XAPI-00034'],
    [path({ mbox: 'ann' }), '?agent/mbox', 'XAPI-00038'],
    [path({ objectType: 'Group', member: [someone()] }), '?agent', 'XAPI-00012'],
    [`${path({ mbox: 'mailto:a@example.org' })}&limit=1`, '?limit', 'XAPI-00324'],
  ])('%s is refused by 400 with pointer and rule', async (asked, pointer, rule) => {
    const { status, json } = await writer.get(asked)
    expect([status, json.failures.map(({ pointer: at, rule: by }: any) => [at, by])]).toEqual([400, [[pointer, rule]]])
  })

  it.each(['PUT', 'POST', 'DELETE'])('is not written by %s', async (method) => {
    const answer = await writer.send(method, path(someone()), { body: {} })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  it('outside the pin is refused by its name', async () => {
    const [ann, ben] = [someone(), someone()]
    const pinned = await stage.as('xapi', { pins: { actor: [ann] } })
    expect((await pinned.get(path(ann))).status).toBe(200)
    const refused = await pinned.get(path(ben))
    expect([refused.status, refused.json.decidedBy]).toEqual([403, 'pin actor'])
    // Nor does it name others.
    await store(pinned, statement({ actor: ann, context: { instructor: { ...ben, name: 'Ben' } } }))
    expect((await writer.get(path(ben))).json).not.toHaveProperty('name')
  })

  it('takes the right to read agents', async () => {
    const refused = await (await stage.as('write-only')).get(path(someone()))
    expect([refused.status, refused.json.decidedBy]).toEqual([403, 'agents/read'])
  })
})
