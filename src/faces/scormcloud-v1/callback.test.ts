import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Application, World } from '../../../test/support/scormcloud.ts'

let world: World
let application: Application
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())
beforeEach(async () => {
  application = await world.addApplication('Course')
  await world.events()
})

const call = async (method: string, parameters: Record<string, string> = {}, as = application.login) => {
  const { error, inside } = await world.v1(`lrsaccount.${method}AppLrsAuthCallbackUrl`, parameters, as)
  return error === undefined ? inside : [error, /msg="([^"]*)"/.exec(inside)?.[1]]
}
const url = 'https://lms.example.com/cb?x=1&y=2'

describe('the callback URL', () => {
  it('S1.11 is set, shown, escaped as text, and reset, as often as one likes', async () => {
    expect(await call('get')).toBe('<lrsAuthCallbackUrl/>')
    expect(await call('reset')).toBe('<success/>')
    expect(await call('set', { lrsAuthCallbackUrl: url })).toBe('<success/>')
    expect(await call('get')).toBe('<lrsAuthCallbackUrl>https://lms.example.com/cb?x=1&amp;y=2</lrsAuthCallbackUrl>')
    expect(await call('set', { lrsAuthCallbackUrl: 'https://other.example.com/' })).toBe('<success/>')
    expect(await call('get')).toContain('https://other.example.com/')
    expect(await call('reset')).toBe('<success/>')
    expect(await call('get')).toBe('<lrsAuthCallbackUrl/>')
    expect((await world.events()).length).toBeGreaterThan(0)
  })

  it.each([
    [undefined, 203],
    ['', 203],
    ['http://lms.example.com/cb', 205],
    ['HTTP://lms.example.com/cb', 205],
    ['ftp://lms.example.com/', 205],
    ['javascript:alert(1)', 205],
    ['lms.example.com/cb', 205],
    ['/cb', 205],
    ['https://', 205],
    ['https://lms.example.com/\u0000', 205],
    ['https://lms.example.com/\uFFFE', 205],
    ['https://lms.example.com:99999/', 205],
    [`https://lms.example.com/${'x'.repeat(9000)}`, 205],
  ])('%s is refused', async (lrsAuthCallbackUrl, number) => {
    const sent = lrsAuthCallbackUrl === undefined ? {} : { lrsAuthCallbackUrl }
    expect(await call('set', sent)).toEqual([number, expect.stringMatching(/lrsAuthCallbackUrl/)])
    expect(await world.events()).toEqual([])
    expect(await call('get')).toBe('<lrsAuthCallbackUrl/>')
  })

  it('is the application’s own', async () => {
    const other = await world.addApplication('Other')
    await call('set', { lrsAuthCallbackUrl: url })
    expect(await call('get', {}, other.login)).toBe('<lrsAuthCallbackUrl/>')
    await call('reset', {}, other.login)
    expect(await call('get')).toContain('lms.example.com')
  })

  it('needs management of settings', async () => {
    const { credentialId } = application.record
    const { rights } = await world.core.credentials.get(world.operator(), credentialId)
    const management = rights.management.map((grant) => ({ ...grant, actions: ['read'] as const }))
    await world.core.credentials.update(world.operator(), credentialId, { rights: { ...rights, management } })
    await world.events()
    expect(await call('get')).toBe('<lrsAuthCallbackUrl/>')
    for (const method of ['set', 'reset']) {
      expect(await call(method, { lrsAuthCallbackUrl: url })).toEqual([100, expect.stringMatching(/manage\/settings/)])
    }
    expect(await world.events()).toEqual([])
  })
})
