import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Client, World } from '../../../test/support/learninglocker.ts'
import { enabledFaces, locatePath } from '../../app.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { endpoints, learninglocker } from './index.ts'
import { scopes } from './words.ts'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const oid = 'f'.repeat(24)

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

describe('the README', () => {
  it('has the route list for an endpoint table', () => {
    const rows = [...readme.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) \| (\S+) \| ([^|]+) \|/gm)]
    const documented = rows.map(([, method, path, needs]) => [method, path, needs])
    const routed = endpoints.map(({ method, path, needs }) => {
      const own = path === '/api/auth/client/info' ? 'any client' : 'its own'
      return [method, path.replaceAll(/:(\w+)/g, '{$1}'), needs ?? own]
    })
    expect(documented.toSorted()).toEqual(routed.toSorted())
  })

  it('names every scope', () => {
    for (const scope of scopes) expect(readme).toContain(`\`${scope}\``)
  })
})

describe('paths', () => {
  it('what is not here is answered in the vendor’s shape, with the headers of every answer', async () => {
    const answer = await world.ask('GET', '/api/v2/client/a/b/c')
    expect([answer.status, answer.json]).toEqual([404, { statusCode: 404 }])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      expires: '0',
      'access-control-allow-origin': '*',
    })
  })

  it('other methods are told which ones there are; a browser may send them all', async () => {
    const { status, headers } = await world.ask('PATCH', '/api/v2/client', { json: {} })
    expect([status, headers.get('Allow')]).toEqual([405, 'GET, HEAD, POST, DELETE, OPTIONS'])
    const preflight = await world.ask('OPTIONS', `/api/v2/client/${oid}`, { as: null })
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Methods')]).toEqual([
      204,
      'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    ])
  })

  it('the rest of /api/v2 is another’s; nothing is here when this face is off', async () => {
    expect((await world.ask('GET', '/api/v2/clients', { as: null })).json).toEqual({
      message: 'There is nothing at this path',
    })
    const faceAt = (isOn: boolean): string | undefined => {
      const faces = enabledFaces({ faces: { learninglocker: isOn, scormcloudV2: true } })
      return locatePath(faces, '/api/v2/client')?.face.name
    }
    expect([faceAt(true), faceAt(false)]).toEqual(['learninglocker', 'scormcloud-v2'])
  })
})

describe('what a request would meet', () => {
  const asked = (method: string, path: string, query = ''): AskedRequest => {
    return { method, path, query: new URLSearchParams(query), version: '1.0.3' }
  }
  const accessTo = (method: string, path: string, query = ''): Access =>
    learninglocker.accessFor!(asked(method, path, query), world.core) as Access

  it.each([
    ['OPTIONS', '/api/v2/client', 'public', undefined],
    ['DELETE', '/api/v2/client', 'refused', 'method'],
    ['PATCH', '/api/v2/lrs', 'refused', 'method'],
    ['GET', '/api/v2/client/a/b', 'refused', 'path'],
    ['GET', '/api/connection/persona', 'refused', 'path'],
  ])('%s %s is %s', (method, path, kind, decidedBy) => {
    expect(accessTo(method, path)).toMatchObject({ kind, ...(decidedBy !== undefined && { decidedBy }) })
  })

  /** The statuses that a judgement stands for. */
  async function judged(client: Client, method: string, path: string, query: string): Promise<number> {
    const access = accessTo(method, path, query)
    if (access.kind !== 'key') throw new Error(access.kind)
    const principal = await world.core.signIn.basic(client.login)
    const judgement: Judgement | number = await access.judge(world.core, principal).catch((error: any) => {
      return error.status ?? { not_found: 404, invalid: 400, forbidden: 403 }[error.code as string]
    })
    if (typeof judgement === 'number') return judgement
    return judgement.allowed ? 200 : 403
  }

  it('is what it meets', async () => {
    const clients = await Promise.all(
      (['all', 'xapi/all', 'statements/read'] as const).map((scope) => world.client([scope])),
    )
    const { record } = await world.client(['state'])
    const paths: readonly (readonly [method: string, path: string, query?: string])[] = [
      ['GET', '/api/v2/client'],
      ['GET', '/api/v2/client', 'limit=x'],
      ['GET', '/api/v2/client/count'],
      ['GET', `/api/v2/client/${record.oid}`],
      ['GET', `/api/v2/client/${oid}`],
      ['GET', '/api/v2/client/abc'],
      ['PATCH', `/api/v2/client/${record.oid}`],
      ['PUT', `/api/v2/lrs/${oid}`],
      ['GET', `/api/v2/lrs/${world.lrs.oid}`],
      ['GET', `/api/v2/organisation/${world.organisation.oid}`],
      ['GET', `/api/v2/organisation/${world.neighbour.organisation.oid}`],
      ['GET', '/api/v2/statement'],
      ['GET', '/api/v2/statement', 'query={"$where":1}'],
      ['GET', '/api/v2/statement', 'limit=x'],
      ['GET', '/api/v2/statement', 'populate=nothing'],
      ['GET', '/api/v2/statement', 'populate=client'],
      ['GET', '/api/v2/statement', 'populate=client&distinct=verbs'],
      ['GET', '/api/v2/statement/count', 'query={'],
      ['GET', '/api/v2/statement/count', 'populate=client'],
      ['GET', '/api/connection/client'],
      ['GET', '/api/connection/client', 'first=-1'],
      ['GET', '/api/connection/statement'],
      ['GET', '/api/connection/statement', 'filter={"$where":1}'],
      ['GET', '/api/connection/statement', 'after=x'],
      ['DELETE', `/api/v2/lrs/${oid}`, 'limit=x'],
      ['GET', '/api/auth/client/info'],
    ]
    for (const client of clients) {
      for (const [method, path, query = ''] of paths) {
        const json = method === 'GET' ? {} : { json: {} }
        const { status } = await world.ask(method, `${path}?${query}`, { as: client.login, ...json })
        const said = await judged(client, method, path, query)
        const asking = [client.record.name, method, path, query]
        expect([...asking, said]).toEqual([...asking, status])
      }
    }
  })
})

it('a key looks as the API would show it', async () => {
  const { record, login } = await world.client(['xapi/all'], { name: 'Shown' })
  const { core } = world
  const secrets = [{ record: record.secrets[0]!, clear: login.secret }]
  const shown = learninglocker.showCredential!({
    ...{ organisation: world.organisation, applications: [], lrs: [world.lrs], baseUrl: core.baseUrl },
    ...{ credential: record, secrets },
  })
  expect(shown).toEqual((await world.ask('GET', `/api/v2/client/${record.oid}`)).json)
})
