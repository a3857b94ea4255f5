// What is refused when too much is under way: in the shape of the face, before anything is read, and only for as long.

import { describe, expect, it, vi } from 'vitest'
import { routeFaces } from '../app.ts'
import type { HttpApp } from '../app.ts'
import type { Core } from '../core/core.ts'
import type { Pace } from '../pace.ts'
import { Load } from './load.ts'
import type { LoadBounds } from './load.ts'
import { watershed } from './watershed/index.ts'
import { xapiFace } from './xapi/index.ts'

const faces = [xapiFace(watershed.xapiMounts), watershed]
const log = { info() {}, warn: vi.fn<(fields: object, message: string) => void>(), error() {} }
const roomy: LoadBounds = { requests: 4, bodyBytes: 1_000_000, answerBytes: 1_000_000 }

function appWith(load: Load): HttpApp {
  return routeFaces({ usage: { count() {} } } as unknown as Core, faces, { trustedProxies: [], log, load })
}

describe('more requests than may be under way', () => {
  const app = appWith(new Load({ ...roomy, requests: 0 }))

  it.each([
    ['xAPI', '/xapi/statements', { code: 'unavailable', decidedBy: 'overload', failures: [] }],
    [
      'a vendor’s API',
      '/api/organizations/1/activity-providers',
      { status: 503, message: expect.any(String) as string },
    ],
    [
      'RFC 6749 where tokens are issued',
      '/api/organizations/1/oauth2/token',
      { error: 'temporarily_unavailable', error_description: expect.any(String) as string, status: 503 },
    ],
    [
      'xAPI on a vendor’s path',
      '/api/organizations/1/lrs/statements',
      { status: 503, message: expect.any(String) as string },
    ],
  ])('are refused in the shape of %s, with a time to come back', async (_, path, body) => {
    const answer = await app.request(path)
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      503,
      '1',
      expect.objectContaining(body),
    ])
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('x-request-id')).toBeTruthy()
  })

  it('are refused before anything of the body is read', async () => {
    const pull = vi.fn<() => void>()
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    const init = { method: 'POST', body, duplex: 'half', headers: { 'Content-Type': 'application/json' } }
    const answer = await app.request('/xapi/statements', init as RequestInit)
    expect(answer.status).toBe(503)
    expect(pull).not.toHaveBeenCalled()
  })

  it.each([
    ['OPTIONS', '/xapi/statements', 204],
    ['GET', '/', 200],
    ['GET', '/healthz', 200],
  ])('do not count what costs nothing: %s %s', async (method, path, status) => {
    expect((await app.request(path, { method })).status).toBe(status)
  })

  it('are in the log once', async () => {
    log.warn.mockClear()
    const another = appWith(new Load({ ...roomy, requests: 0 }))
    for (let index = 0; index < 50; index++) await another.request('/xapi/about')
    expect(log.warn.mock.calls).toEqual([
      [expect.objectContaining({ requests: 0 }), expect.stringContaining('overload begins')],
    ])
  })

  it('are welcome again when one has its answer, also one that was refused for another reason', async () => {
    const load = new Load({ ...roomy, requests: 1 })
    const one = appWith(load)
    for (const path of ['/xapi/about', '/xapi/nothing', '/xapi/statements', '/xapi/about']) {
      expect((await one.request(path)).status).not.toBe(503)
      expect(load.requests).toBe(0)
    }
  })
})

const overloaded = { code: 'unavailable', detail: { decidedBy: 'overload', retryAfterSeconds: 1 } }

describe('Load', () => {
  const arriving = (length: number) => ({ length, abort: vi.fn<(error: Error) => void>() })

  it('lets half of the requests receive a body', () => {
    const load = new Load(roomy)
    const received = load.receive(arriving(0))
    load.receive(arriving(0))
    expect(() => load.receive(arriving(0))).toThrow(expect.objectContaining(overloaded))
    received()
    load.receive(arriving(0))
    expect(load.receiving).toBe(2)
  })

  it('ends the slowest body for another, when there is no room, but none that is quick or has just begun', () => {
    const load = new Load({ ...roomy, requests: 6 })
    const [quick, slower, slow] = [arriving(1_000_000), arriving(20_000), arriving(10_000)]
    for (const body of [quick, slower, slow]) load.receive(body, 0)
    expect(() => load.receive(arriving(0), 1000)).toThrow(expect.objectContaining(overloaded))
    const next = arriving(0)
    load.receive(next, 3000)
    expect(slow.abort).toHaveBeenCalledWith(expect.objectContaining(overloaded))
    load.receive(arriving(0), 3000)
    expect(slower.abort).toHaveBeenCalledOnce()
    expect(() => load.receive(arriving(0), 3000)).toThrow(expect.objectContaining(overloaded))
    expect([quick.abort, next.abort].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
    expect(load.receiving).toBe(3)
  })

  it('refuses what may be large before it is made, when half of the room is taken', () => {
    const load = new Load(roomy)
    const stay = load.enter()
    load.demandAnswerRoom()
    stay.holdAnswer(600_000)
    expect(() => load.demandAnswerRoom()).toThrow(expect.objectContaining(overloaded))
  })

  it('ends the answer that is taken most slowly when another needs the room, by what was taken lately', () => {
    const load = new Load(roomy)
    load.enter().holdAnswer(600_000)
    const [quick, stalled, slow] = [arriving(0), arriving(0), arriving(0)]
    for (const answer of [quick, stalled, slow]) load.deliver(answer, 0)
    const gone = arriving(0)
    load.deliver(gone, 0)()
    for (const answer of [quick, stalled, slow]) answer.length = 4_000_000
    expect(() => load.demandAnswerRoom(1000)).toThrow(expect.objectContaining(overloaded))
    // The kernel has taken so much of each.
    expect(() => load.demandAnswerRoom(3000)).toThrow(expect.objectContaining(overloaded))
    quick.length += 1_000_000
    slow.length += 10_000
    load.demandAnswerRoom(6000)
    expect(stalled.abort).toHaveBeenCalledWith(expect.objectContaining(overloaded))
    load.demandAnswerRoom(6000)
    expect(slow.abort).toHaveBeenCalledOnce()
    expect(() => load.demandAnswerRoom(6000)).toThrow(expect.objectContaining(overloaded))
    expect([quick.abort, gone.abort].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
  })

  it('holds what was read until there is an answer, whatever the bound: it is in memory', () => {
    const load = new Load(roomy)
    const stay = load.enter()
    stay.keepBody(2_000_000)
    expect(load.bodies.held).toBe(2_000_000)
    expect(() => load.bodies.take(1, true)).toThrow(expect.objectContaining(overloaded))
    stay.leave()
    expect([load.bodies.held, load.requests]).toEqual([0, 0])
  })

  it('holds large answers until they are taken, all of them together; small ones are not counted', () => {
    const load = new Load(roomy)
    const [one, other] = [load.enter(), load.enter()]
    one.holdAnswer(700_000)
    other.holdAnswer(64 * 1024)
    expect(() => other.holdAnswer(100_000)).toThrow(expect.objectContaining(overloaded))
    one.leave()
    expect(load.answers.held).toBe(700_000)
    one.end()
    expect(load.answers.held).toBe(0)
    other.holdAnswer(100_000)
    expect(other.holdsAnswer).toBe(true)
  })
})

describe('the pace of refusals', () => {
  it('holds those back that are too many, and whatever is no refusal not at all', async () => {
    const turn = vi.fn<() => undefined>()
    const core = { usage: { count() {} } } as unknown as Core
    const pace = { turn } as unknown as Pace
    const options = { trustedProxies: [], log, pace }
    await routeFaces(core, faces, { ...options, load: new Load(roomy) }).request('/xapi/about')
    expect(turn).not.toHaveBeenCalled()
    await routeFaces(core, faces, { ...options, load: new Load({ ...roomy, requests: 0 }) }).request('/xapi/about')
    expect(turn).toHaveBeenCalledOnce()
  })
})
