// Data 2.2 and 2.4.4: what tests beside the rules of core leave over.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aStatement, brokenRules, someone, something } from '../support/statement.ts'
import { openStage, statement } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

describe('formatting', () => {
  it.each([0.1, 1 / 3, 16777217.5, 3.4028234e38, 1.17549435e-38, -0.0000321, 95.123456789])(
    'XAPI-00002 %d keeps its precision',
    async (raw) => {
      const one = statement({ result: { score: { raw }, extensions: { 'http://example.org/x': raw } } })
      expect((await client.post(one)).status).toBe(200)
      const { result } = (await client.get(`statements?statementId=${one.id}`)).json
      expect(result).toEqual(one['result'])
    },
  )

  it.each([
    ['/id', aStatement({ id: '' })],
    ['/actor/mbox', aStatement({ actor: { mbox: '' } })],
    ['/actor/mbox', aStatement({ actor: { mbox: 'someone@example.com' } })],
    ['/actor/mbox_sha1sum', aStatement({ actor: { mbox_sha1sum: '' } })],
    ['/actor/openid', aStatement({ actor: { openid: '' } })],
    ['/actor/account/homePage', aStatement({ actor: { account: { homePage: '', name: 'a' } } })],
    ['/verb/id', aStatement({ verb: { id: '' } })],
    ['/object/id', aStatement({ object: { id: '' } })],
    ['/object/definition/type', aStatement({ object: { ...something, definition: { type: '' } } })],
    ['/result/duration', aStatement({ result: { duration: '' } })],
    ['/context/registration', aStatement({ context: { registration: '' } })],
    ['/context/language', aStatement({ context: { language: '' } })],
    ['/context/extensions/', aStatement({ context: { extensions: { '': 1 } } })],
    ['/timestamp', aStatement({ timestamp: '' })],
  ])('XAPI-00007 what misses its format is refused at %s', (pointer, value) => {
    expect(brokenRules(value).map((failure) => failure.split(' ')[0])).toEqual([pointer])
  })

  it('XAPI-00015 text is UTF-8, and comes back as it went', async () => {
    const name = 'Zoë 学習 🎓 \u0000 ﷽ e\u0301'
    const one = statement({ actor: { ...someone, name } })
    expect((await client.post(one)).status).toBe(200)
    expect((await client.get(`statements?statementId=${one.id}`)).json.actor.name).toBe(name)
  })

  it('XAPI-00015 other encodings are refused, and nothing is stored', async () => {
    const one = statement({ actor: { ...someone, name: 'Zoë' } })
    const latin1 = new Uint8Array(Buffer.from(JSON.stringify(one), 'latin1'))
    expect((await client.send('POST', 'statements', { body: latin1 })).status).toBe(400)
    expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })
})

describe('interaction components', () => {
  const broken = (choices: unknown): string[] =>
    brokenRules(aStatement({ object: { ...something, definition: { interactionType: 'choice', choices } } }))
  const at = '/object/definition/choices'

  it.each([
    ['without id', [{ description: { en: 'A' } }], `${at}/0 XAPI-00058`],
    ['with an id that is no text', [{ id: 5 }], `${at}/0/id XAPI-00058`],
    ['with an id twice', [{ id: 'a' }, { id: 'b' }, { id: 'a' }], `${at}/2 XAPI-00058`],
  ])('XAPI-00058 a component %s is refused', (_, choices, failure) => {
    expect(broken(choices)).toEqual([failure])
  })

  it.each(['text', ['en'], 5])('XAPI-00062 a description is a language map, not %j', (description) => {
    expect(broken([{ id: 'a', description }])).toEqual([`${at}/0/description XAPI-00062`])
  })

  it.each(['text', [{ id: 'a' }], 5])('XAPI-00063 a component is an object, not %j', (component) => {
    expect(broken([component])).toEqual([`${at}/0 XAPI-00063`])
  })
})

describe('SubStatements', () => {
  it.each([
    ['XAPI-00067', 'authority', someone],
    ['XAPI-00068', 'version', '1.0.0'],
    ['XAPI-00069', 'stored', '2013-05-18T05:32:34.804Z'],
    ['XAPI-00070', 'id', '12345678-1234-4234-8234-123456789012'],
  ])('%s have no %s', (rule, name, value) => {
    const object = { objectType: 'SubStatement', ...aStatement({ [name]: value }) }
    expect(brokenRules(aStatement({ object }))).toEqual([`/object/${name} ${rule}`])
  })
})
