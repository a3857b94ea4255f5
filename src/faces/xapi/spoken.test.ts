import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import type { CredentialId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import { SpokenVersions } from './spoken.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

const header = 'x-experience-api-version'

async function toldWithout(client: Client, sent: string | null = null): Promise<string | null> {
  const answer = await client.send('GET', 'statements', { headers: { [header]: sent } })
  expect([answer.status, answer.json.failures[0].rule]).toEqual([400, 'XAPI-00331'])
  return answer.headers.get(header)
}

describe('XAPI-00331 a request without a version is refused, and told', () => {
  it('what the credential spoke last, else 2.0.0', async () => {
    const two = await stage.as('xapi')
    const one = clientOf(stage.app, two, '1.0.1')
    expect(await toldWithout(two)).toBe('2.0.0')
    await one.post(statement())
    expect(await toldWithout(two)).toBe('1.0.3')
    expect(await toldWithout(two, 'BAD')).toBe('1.0.3')
    await two.get('statements?limit=1')
    expect(await toldWithout(two)).toBe('2.0.0')
    // A version that is nearly right says more than what went before.
    expect(await toldWithout(two, '1.1.0')).toBe('1.0.3')
  })

  it('nothing of what others speak', async () => {
    await clientOf(stage.app, await stage.as('xapi'), '1.0.3').get('statements')
    expect(await toldWithout(await stage.as('xapi'))).toBe('2.0.0')
  })

  it('what its sessions spoke, which are the credential', async () => {
    const client = await stage.as('xapi')
    await clientOf(stage.app, await stage.sessionOf(client), '1.0.3').get('statements')
    expect(await toldWithout(client)).toBe('1.0.3')
  })

  it('the only one it may speak, whatever it tried', async () => {
    const client = await stage.as('xapi', { limits: { xapiVersions: ['1.0'] } })
    expect((await client.get('statements')).status).toBe(403)
    expect(await toldWithout(client)).toBe('1.0.3')
  })

  it('the latest while nobody is known', async () => {
    const answer = await stage.app.request('/xapi/statements')
    expect([answer.status, answer.headers.get(header)]).toEqual([400, '2.0.0'])
    const wrong = await stage.app.request('/xapi/statements', { headers: { authorization: 'Basic Zm9vOmJhcg==' } })
    expect([wrong.status, wrong.headers.get(header)]).toEqual([401, '2.0.0'])
  })
})

it('no more than ten thousand are remembered, the oldest forgotten', () => {
  const spoken = new SpokenVersions()
  const principal = (id: number) => ({ credentialId: id as CredentialId, limits: {} }) as Principal
  for (let id = 0; id <= 10_000; id++) spoken.note(principal(id), '1.0')
  expect([0, 1, 10_000].map((id) => spoken.likelyOf(principal(id)))).toEqual(['2.0', '1.0', '1.0'])
})
