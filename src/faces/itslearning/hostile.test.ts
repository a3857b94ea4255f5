// Whatever is sent: a page with a reference and no launch; never a 500, nothing of it in the page, nothing secret in the log.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IncomingMessage } from 'node:http'
import { baseUrl } from '../../../test/support/core.ts'
import { launchOf, signedAddress } from '../../../test/support/itslearning-signer.ts'
import type { LaunchParameters } from '../../../test/support/itslearning-signer.ts'
import { browser, openLaunchWorld, sharedSecret } from '../../../test/support/launch.ts'
import type { LaunchWorld } from '../../../test/support/launch.ts'
import { writeTimestamp } from './verification.ts'

let world: LaunchWorld
const root = '/launch/itslearning/school'

beforeAll(async () => {
  world = await openLaunchWorld({ platform: { settings: { customers: [14] } } })
  await world.core.placements.put(world.platform, '14/100', world.contents.tincan.id)
})
afterAll(() => world.close())

function signed(change: LaunchParameters = {}): string {
  const parameters = launchOf({ Timestamp: writeTimestamp(world.clock.now()), ...change })
  return signedAddress(`${baseUrl}${root}/view`, parameters, sharedSecret).replace(baseUrl, '')
}

/** As the request line has it, which no `Request` can hold. */
function visitRaw(target: string): Promise<Response> {
  const incoming = { url: target, socket: {}, headers: {} } as unknown as IncomingMessage
  return world.app.request(
    target.split('?')[0]!,
    { headers: { Cookie: `__Host-claviger-launch=${browser}` } },
    { incoming },
  )
}

async function expectRefused(response: Response): Promise<void> {
  const text = await response.text()
  expect(response.status, text).toBeGreaterThanOrEqual(400)
  expect(response.status).toBeLessThan(500)
  expect(response.headers.get('Location')).toBeNull()
  expect(response.headers.get('Set-Cookie')).toBeNull()
}

describe('queries', () => {
  it.each([
    ['nothing', ''],
    ['an empty one', '?'],
    ['only ampersands', `?${'&'.repeat(90)}`],
    ['only equals', `?${'='.repeat(90)}`],
    ['percent signs', '?%&%%=%2&Signature=%'],
    ['no UTF-8', `?a=%ff%fe&Signature=${'0'.repeat(32)}`],
    ['a lone surrogate', `?a=%ed%a0%80&Signature=${'0'.repeat(32)}`],
    ['U+0000', `?a=%00&Signature=${'0'.repeat(32)}`],
    ['bytes that are no ASCII', `?a=\u00c3\u00ab&Signature=${'0'.repeat(32)}`],
    ['names of JavaScript', `?__proto__=1&constructor=2&toString=3&Signature=${'0'.repeat(32)}`],
    ['many parameters', `?${'a=b&'.repeat(5000)}`],
    ['a long one', `?a=${'x'.repeat(15_000)}&Signature=${'0'.repeat(32)}`],
    ['what takes a slow pattern long', `?Permissions=${'a,'.repeat(3000)}!&Signature=${'0'.repeat(32)}`],
    ['a path inside', '?/../../etc/passwd&Signature=..%2f..'],
  ])('%s', async (_, query) => expectRefused(await visitRaw(`${root}/view${query}`)))

  it('that are signed, and hold what a store or a page could stumble over', async () => {
    const values = [
      '\u0000',
      '\ud7ff\ue000',
      '<script>alert(1)</script>',
      "'; drop table x",
      '\r\nSet-Cookie: a=b',
      '😀'.repeat(60),
    ]
    for (const value of values) {
      for (const name of ['FirstName', 'Locale', 'OlsonTimeZoneId', 'Version', 'Custom1', 'synckey']) {
        const response = await visitRaw(signed({ [name]: value }))
        expect(response.status, `${name} ${value}`).toBe(303)
      }
      for (const name of [
        'UserId',
        'CustomerId',
        'LearningObjectId',
        'Role',
        'ApiSessionId',
        'Permissions',
        'SchoolId',
        'Timestamp',
      ]) {
        await expectRefused(await visitRaw(signed({ [name]: value })))
      }
    }
  })

  it('that are signed, with lists as long as they come', async () => {
    const schools = Array.from({ length: 1000 }, (_, index) => index).join(',')
    expect((await visitRaw(signed({ SchoolId: schools }))).status).toBe(303)
    await expectRefused(await visitRaw(signed({ SchoolId: `${schools},1000` })))
  })
})

it('paths', async () => {
  for (const path of [
    '/%00',
    '/x%00y/view',
    '/%ff/view',
    `/${'x'.repeat(5000)}/view`,
    '/SCHOOL/view',
    '/school/VIEW',
    '/-/view',
  ]) {
    await expectRefused(await world.app.request(`/launch/itslearning${path}?a=1&Signature=${'0'.repeat(32)}`))
  }
})

it('forms', async () => {
  const permissions = { Permissions: 'Read, Modify', LearningObjectInstanceId: '300' }
  const location = (await visitRaw(signed(permissions))).headers.get('Location') ?? ''
  const path = location.replace(baseUrl, '')
  const headers = { Cookie: `__Host-claviger-launch=${browser}` }
  const bodies = [
    '',
    '&&&',
    'content',
    'content=%00',
    'content=\u0000',
    '{"content":"x"}',
    `content=${'f'.repeat(24)}`,
    'x'.repeat(100_000),
  ]
  for (const body of bodies) await expectRefused(await world.app.request(path, { method: 'POST', headers, body }))
  expect((await world.app.request(`${path}?part=999999`, { headers })).status).toBe(200)
  expect((await world.app.request(`${path}?part=-1`, { headers })).status).toBe(200)
})

it('600 broken launches let nobody in, and write nothing', async () => {
  const before = (await world.core.launches.list(world.operator, {}, { limit: 1 })).items[0]?.number
  let state = 5
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state % below
  }
  const pieces = [
    '&',
    '=',
    '%26',
    '%3d',
    '+',
    '%20',
    '%00',
    '%',
    'Signature=',
    '&Role=Staff',
    '&UserId=1',
    'x',
    ',',
    '|',
    '\\',
  ]
  for (let round = 0; round < 600; round++) {
    const address = signed({ FirstName: 'Bob&Role=Staff' })
    const at = root.length + 6 + random(address.length - root.length - 40)
    const broken = address.slice(0, at) + pieces[random(pieces.length)]! + address.slice(at + random(3))
    await expectRefused(await visitRaw(broken))
  }
  expect((await world.core.launches.list(world.operator, {}, { limit: 1 })).items[0]?.number).toBe(before)
  expect(world.log()).not.toContain(sharedSecret)
  expect(world.log()).not.toMatch(/"err"/)
})
