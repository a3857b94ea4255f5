// `launch diagnose`, `sign` and `rest-header`: what is signed is let in, what is refused is explained.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { CommandLine } from '../../../test/support/command-line.ts'
import { baseUrl } from '../../../test/support/core.ts'
import { openLaunchWorld, sharedSecret } from '../../../test/support/launch.ts'
import type { LaunchWorld } from '../../../test/support/launch.ts'

let world: LaunchWorld
let claviger: CommandLine

beforeAll(async () => {
  world = await openLaunchWorld({ platform: { settings: { customers: [14] } } })
  claviger = commandLineOn(world.core, { itslearning: true })
  await world.core.placements.put(world.platform, '14/1', world.contents.tincan.id)
})
afterAll(() => world.close())

const sign = async (...argv: string[]): Promise<string> => (await claviger(['launch', 'sign', ...argv])).out.trim()
const visit = (url: string) => world.ask('GET', url.replace(baseUrl, ''))

describe('launch sign', () => {
  it('signs what is let in, once', async () => {
    const url = await sign(
      '--platform',
      'school',
      '--user',
      '7',
      '--param',
      'FirstName=Ada & Co',
      '--param',
      'Language=nb-NO',
    )
    expect((await visit(url)).status).toBe(303)
    expect((await visit(url)).status).toBe(403)
    const { items } = await world.core.launches.list(world.operator, {}, { limit: 1 })
    expect(items[0]).toMatchObject({ resource: '14/1/1', data: { language: 'nb-NO' } })
    expect(items[0]?.actor).toMatchObject({ account: { name: '7' } })
  })

  it('signs for authors, too, and for any address', async () => {
    const add = await sign('--platform', 'school', '--page', 'add', '--permissions', 'Read, Modify')
    expect((await visit(add)).headers.get('Location')).toContain('/author/')
    const at = ['--at', '2026-01-02T03:04:05']
    expect(await sign('--address', 'http://x.example/its?mode=1', '--secret', sharedSecret, ...at)).toMatch(
      /^http:\/\/x\.example\/its\?mode=1&ApiSessionId=[\w-]+&.*&Timestamp=2026-01-02T03%3a04%3a05&Signature=[0-9a-f]{32}$/,
    )
  })

  it('brings along what the settings of the platform demand', async () => {
    const settings = { customers: [14], licensed: true, schools: [5] }
    await world.core.platforms.update(world.operator, world.platform.id, { settings })
    expect((await visit(await sign('--platform', 'school'))).status).toBe(303)
    await world.core.platforms.update(world.operator, world.platform.id, { settings: { customers: [14] } })
  })

  it.each([
    [[], 'give --platform, or --address and --secret'],
    [['--platform', 'nobody'], 'there is no platform nobody'],
    [['--platform', 'school', '--user', 'x'], '--user'],
    [['--platform', 'school', '--page', 'edit'], '--page'],
    [['--platform', 'school', '--param', 'x'], 'NAME=VALUE'],
    [['--platform', 'school', '--at', 'noon'], '--at'],
    [['--address', 'ftp://x', '--secret', sharedSecret], '--address'],
  ])('says what is missing: %j', async (argv, words) => {
    const { code, err, out } = await claviger(['launch', 'sign', ...argv])
    expect(code).not.toBe(0)
    expect(err).toContain(words)
    expect(out).toBe('')
  })
})

describe('launch diagnose', () => {
  it('finds nothing wrong with what is signed here, and uses nothing up', async () => {
    const url = await sign('--platform', 'school')
    const found = await claviger(['launch', 'diagnose', url, '--platform', 'school'])
    expect(found).toMatchObject({ code: 0, err: '' })
    expect(found.out).toContain('It would be let in')
    expect((await visit(url)).status).toBe(303)
  })

  it('needs nothing but the secret', async () => {
    const url = await sign(
      '--address',
      'https://x.example/its',
      '--secret',
      sharedSecret,
      '--at',
      '2020-01-02T03:04:05',
    )
    const { code, out, json } = await claviger(['launch', 'diagnose', url, '--secret-stdin'], `${sharedSecret}\n`)
    expect(code).toBe(1)
    expect(out).toContain('too long ago')
    expect(json).toBeUndefined()
    const asJson = await claviger(['launch', 'diagnose', url, '--secret', sharedSecret, '--json'])
    expect(asJson.json).toMatchObject({ isAccepted: false, faults: [{ rule: 'time' }], launch: { userId: '1' } })
    expect(asJson.out).not.toContain(sharedSecret)
  })

  it('says what a signature would fit', async () => {
    const url = await sign(
      '--address',
      'http://lrs.example.org/launch/itslearning/school/view',
      '--secret',
      sharedSecret,
    )
    const secure = url.replace('http:', 'https:')
    const { code, out } = await claviger(['launch', 'diagnose', secure, '--platform', 'school'])
    expect(code).toBe(1)
    expect(out).toContain(
      'It fits, if the address registered there is http://lrs.example.org/launch/itslearning/school/view',
    )
    expect(out).toContain('Hashed was')
    expect(out).not.toContain(sharedSecret)
  })

  it('lets nothing in a name steer the terminal', async () => {
    const url = await sign('--platform', 'school', '--param', 'FirstName=a\u001b[31mb\nc')
    const { out } = await claviger(['launch', 'diagnose', url, '--platform', 'school'])
    expect(out).not.toContain('\u001b')
  })

  it('needs an address', async () => {
    const { code, err } = await claviger(['launch', 'diagnose', 'notaurl', '--platform', 'school'])
    expect([code, err]).toEqual([2, expect.stringContaining('notaurl: this is no address')])
  })

  it('needs something to hold it against', async () => {
    expect((await claviger(['launch', 'diagnose', 'https://x'])).err).toContain('give --platform, --secret or both')
  })
})

describe('launch rest-header', () => {
  it('is vector D', async () => {
    const given = ['--application-key', 'app-key-0001', '--secret', 'test-secret-0001']
    const session = ['--session', 'n0hsmdawswebjt2fqtap4n55', '--at', '2014-01-16T15:18:07']
    const { out } = await claviger(['launch', 'rest-header', ...given, ...session])
    expect(out).toBe('app-key-0001#n0hsmdawswebjt2fqtap4n55#2014-01-16T15:18:07#d9ceabc526842f4dfe9169776f180e02\n')
  })

  it('S3.1 is made of a launch that runs, and of none that is over', async () => {
    const settings = { customers: [14], applicationKey: 'key-1' }
    await world.core.platforms.update(world.operator, world.platform.id, { settings })
    await visit(await sign('--platform', 'school', '--param', 'ApiSessionId=session-of-ada'))
    const { items } = await world.core.launches.list(world.operator, {}, { limit: 1 })
    const id = items[0]!.id
    const { out } = await claviger(['launch', 'rest-header', id])
    expect(out).toMatch(/^key-1#session-of-ada#2026-01-\d\dT[\d:]{8}#[0-9a-f]{32}\n$/)
    await world.core.launches.end(world.operator, id)
    expect((await claviger(['launch', 'rest-header', id])).err).toContain('is over')
  })

  it('says what it needs', async () => {
    expect((await claviger(['launch', 'rest-header'])).err).toContain('give the id of a launch, or --session')
    const session = ['launch', 'rest-header', '--session', 'abc']
    expect((await claviger(session)).err).toContain('--platform, or --secret')
    expect((await claviger([...session, '--secret', sharedSecret])).err).toContain('--application-key')
  })
})
