// POST /extensions/validate: what POST /statements answers, and nothing stored.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement, voiding } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let client: Client
beforeAll(async () => {
  stage = await openStage({ batch: 20, bodyBytes: 50_000 })
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

async function validate(as: Client, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const before = await client.idsOf('limit=0')
  const answer = await as.send('POST', 'extensions/validate', { body, headers })
  expect(await client.idsOf('limit=0')).toEqual(before)
  return answer
}

describe('what would be stored', () => {
  it('one statement: its id and what is stamped on it', async () => {
    const one = statement()
    const answer = await validate(client, one)
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        stored: 'nothing',
        statements: [
          {
            index: 0,
            id: one.id,
            result: 'new',
            stamped: {
              authority: expect.objectContaining({ objectType: 'Agent', account: expect.any(Object) }),
              version: '2.0.0',
              timestamp: 'when it is stored',
              stored: 'when it is stored',
            },
          },
        ],
      },
    ])
  })

  it('a batch: an id to come, what the sender said, what is stored already', async () => {
    const known = statement()
    await client.post(known)
    const full = statement({ timestamp: '2024-01-01T00:00:00Z', version: '1.0.3' })
    const answer = await validate(client, [{ ...statement(), id: undefined }, full, known])
    expect(answer.json.statements).toMatchObject([
      { index: 0, stamped: { id: 'a new UUID' } },
      { index: 1, id: full.id, result: 'new' },
      { index: 2, id: known.id, result: 'already stored' },
    ])
    expect(answer.json.statements[0]).not.toHaveProperty('id')
    expect(Object.keys(answer.json.statements[1].stamped)).toEqual(['authority', 'stored'])
  })

  it('an erased id, as accepted and not stored, whoever asks and whatever the statement says', async () => {
    const gone = statement({ actor: { mbox: 'mailto:erased@example.org' } })
    await client.post(gone)
    expect((await validate(client, gone)).json.statements[0].result).toBe('already stored')
    const { core, organisationId } = stage
    await core.erasures.erasePerson(core.signIn.operator(organisationId, 'test'), { agents: [gone['actor']] })
    for (const who of [client, await stage.as('write-only')]) {
      for (const body of [gone, statement({ id: gone.id })]) {
        expect((await validate(who, [statement(), body])).json.statements).toMatchObject([
          { result: 'new' },
          { id: gone.id, result: 'erased' },
        ])
        expect((await who.post(body)).status).toBe(200)
        expect((await client.get(`statements?statementId=${gone.id}`)).status).toBe(404)
      }
    }
    const elsewhere = await stage.as('xapi', {}, await stage.addOrganisation())
    expect((await elsewhere.send('POST', 'extensions/validate', { body: gone })).json.statements[0].result).toBe('new')
  })

  it('by the rules of the version in the header', async () => {
    const contextAgents = [{ objectType: 'contextAgent', agent: { mbox: 'mailto:a@example.org' } }]
    const one = statement({ context: { contextAgents } })
    expect((await validate(client, one)).status).toBe(200)
    expect((await validate(clientOf(stage.app, client, '1.0.3'), one)).status).toBe(400)
  })

  it('on a lent mount, and where About says', async () => {
    for (const root of ['/xapi', `/api/organizations/${stage.organisationId}/lrs`]) {
      const { extensions } = (await client.get(`${root}/about`)).json
      const { method, path } = extensions['urn:claviger:extensions:validate']
      expect([method, path]).toEqual(['POST', `${root}/extensions/validate`])
      expect((await client.send(method, path, { body: statement() })).status).toBe(200)
    }
  })
})

describe('what is refused is refused alike', () => {
  const other = { accountName: 'somebody else' }
  const attachment = {
    usageType: 'http://example.org/usage',
    display: { en: 'one' },
    contentType: 'text/plain',
    length: 3,
    sha2: 'a'.repeat(64),
  }

  it.each<[string, () => Promise<Client> | Client, () => unknown, Record<string, string>?]>([
    ['every broken rule', () => client, () => [statement({ actor: undefined }), statement({ verb: { id: 1 } })]],
    ['no JSON', () => client, () => '{"a":'],
    ['one id twice', () => client, () => ((one) => [one, one])(statement())],
    ['too many', () => client, () => Array.from({ length: 21 }, () => statement())],
    ['too large', () => client, () => statement({ result: { response: 'x'.repeat(50_000) } })],
    ['another media type', () => client, () => statement(), { 'content-type': 'text/plain' }],
    ['no version', () => client, () => statement(), { 'x-experience-api-version': '' }],
    ['no right', () => stage.as('read-only'), () => statement()],
    ['no right to void', () => stage.as('write-only'), () => voiding(statement().id)],
    ['outside a pin', () => stage.as('xapi', { pins: { actor: [other] } }), () => [statement()]],
    ['an attachment without data', () => client, () => [statement({ attachments: [attachment] })]],
    ['a limit', () => stage.as('xapi', { limits: { xapiVersions: ['1.0'] } }), () => statement()],
  ])('%s', async (_, as, body, headers = {}) => {
    const [who, what] = [await as(), body()]
    const answer = await validate(who, what, headers)
    const stored = await who.post(what, headers)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    const { requestId: one, ...refusal } = answer.json
    const { requestId: two, ...expected } = stored.json
    expect(one).not.toBe(two)
    // The message about the media type says what this resource is for.
    if (answer.status === 400 && headers['content-type']) expect(refusal.failures[0].pointer).toBe('Content-Type:')
    else expect([answer.status, refusal]).toEqual([stored.status, expected])
  })

  it('a conflict with what is stored, voided or another’s', async () => {
    const writer = await stage.as('write-only')
    const [first, voided, mine] = [statement(), statement(), statement()]
    await client.post([first, voided])
    await client.post(voiding(voided.id))
    await writer.post(mine)
    const changed = (one: object) => ({ ...one, result: { success: true } })
    for (const body of [[statement(), changed(first)], changed(voided), changed(mine)]) {
      const answer = await validate(client, body)
      const stored = await client.post(body)
      expect([answer.status, answer.json.failures]).toEqual([409, stored.json.failures])
      expect(answer.json.failures[0]).toMatchObject({
        rule: 'claviger/conflict',
        statement: { id: expect.any(String) },
      })
    }
    // What the credential may not read is a conflict even when it is equal.
    expect((await validate(writer, first)).status).toBe(409)
    expect((await validate(writer, mine)).json.statements[0].result).toBe('already stored')
    const later = { ...first, timestamp: '2001-01-01T00:00:00Z' }
    expect((await validate(client, later)).status).toBe(409)
  })

  it('other methods and parameters', async () => {
    const answer = await client.get('extensions/validate')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect((await client.send('POST', 'extensions/validate?x=1', { body: statement() })).status).toBe(400)
  })
})
