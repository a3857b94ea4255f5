import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openWorld, v1AnswerOf } from '../../../test/support/scormcloud.ts'
import type { Application, World } from '../../../test/support/scormcloud.ts'
import { signCall, v1Signature, v1Timestamp } from '../../../test/support/v1-signer.ts'
import type { Parameter } from '../../../test/support/v1-signer.ts'
import { DomainError, overloaded } from '../../core/errors.ts'
import { findPreset } from '../../core/presets.ts'

let world: World
let application: Application
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())
// Of its own, for wrong signatures are limited by key.
beforeEach(async () => {
  application = await world.addApplication('Calls')
  await world.events()
})

const authPing: Parameter = ['method', 'rustici.debug.authPing']

/** A query that is right, but for what is changed in it afterwards. */
function query(change: (it: URLSearchParams) => void = () => {}, more: readonly Parameter[] = []): URLSearchParams {
  const made = signCall({ ...application.login, time: world.clock.now() }, [authPing, ...more])
  change(made)
  return made
}

async function send(search: URLSearchParams | string, path = '/api') {
  return v1AnswerOf(await world.ask('GET', `${path}?${search}`))
}

/** Nothing but the error; and nothing was written. */
async function refusal(search: URLSearchParams | string): Promise<[number | undefined, string]> {
  const { error, inside } = await send(search)
  expect(await world.events()).toEqual([])
  return [error, /msg="([^"]*)"/.exec(inside)?.[1] ?? inside]
}

describe('who is refused, and by which number', () => {
  it.each([
    ['no application', 'appid', null, 101, /appid/],
    ['an empty one', 'appid', '', 101, /appid/],
    ['an unknown one', 'appid', 'NOBODY0000', 102, /not known/],
    ['one of no such shape', 'appid', "x' or 1=1", 102, /not known/],
    ['another case', 'appid', 'first', 102, /not known/],
    ['no signature', 'sig', null, 103, /^Request signature \(sig param\) missing$/],
    ['an empty one', 'sig', '', 103, /missing/],
    ['a wrong one', 'sig', '0'.repeat(32), 104, /^The signature attached to the call does not match the signature gen/],
    ['no signature at all', 'sig', 'sig', 104, /does not match/],
    ['no time', 'ts', null, 105, /ts param/],
    ['no time at all', 'ts', 'yesterday', 106, /yyyyMMddHHmmss/],
    ['the 31st of February', 'ts', '20260231000000', 106, /yyyyMMddHHmmss/],
    ['a time long ago', 'ts', '20250102030405', 107, /^Timestamp sent is outside of expiration limit\. It is 2026/],
    ['a time to come', 'ts', '20990102030405', 107, /^Timestamp sent is outside of expiration limit\./],
    ['a time that was not signed', 'ts', '20260102030905', 104, /does not match/],
    ['a method that was not signed', 'method', 'rustici.lrsaccount.createActivityProvider', 104, /does not match/],
    ['a parameter that was not signed', 'label', 'x', 104, /does not match/],
    ['no method', 'method', null, 200, /method/],
    ['an unknown method', 'method', 'rustici.course.getCourseList', 202, /no method rustici\.course\.getCourseList/],
    ['a mistyped one', 'method', 'rustici.debug.authping', 202, /did you mean rustici\.debug\.authPing/],
    ['JSON', 'format', 'json', 204, /xml/],
  ])('%s', async (_what, name, value, number, message) => {
    const changed = query((it) => (value === null ? it.delete(name) : it.set(name, value)))
    expect(await refusal(changed)).toEqual([number, expect.stringMatching(message)])
  })

  it.each([
    ['method', 200],
    ['appid', 102],
    ['sig', 104],
    ['ts', 106],
    ['format', 204],
  ])('%s twice', async (name, number) => {
    const twice = query((it) => {
      it.append(name, 'xml')
      it.append(name, 'xml')
    })
    expect(await refusal(twice)).toEqual([number, `The parameter ${name} must be given once`])
  })

  it('the first fault counts, in the order of the numbers but for 104', async () => {
    const search = query((it) => {
      for (const name of ['method', 'appid', 'sig', 'ts']) it.delete(name)
    })
    const after: [string, string, number][] = [
      ['method', 'rustici.nothing', 200],
      ['method', 'rustici.debug.authPing', 202],
      ['appid', 'NOBODY0000', 101],
      ['appid', application.login.key, 102],
      ['sig', '0'.repeat(32), 103],
      ['ts', 'x', 105],
      ['ts', '20200101000000', 106],
      ['ts', v1Timestamp(world.clock.now()), 107],
    ]
    for (const [name, value, number] of after) {
      expect((await refusal(search))[0]).toBe(number)
      search.set(name, value)
    }
    expect((await refusal(search))[0]).toBe(104)
  })

  it('keys of other kinds are unknown', async () => {
    const { rights } = findPreset('xapi')!
    const client = await world.core.credentials.create(world.operator(), { name: 'x', key: 'CLIENT0000', rights })
    await world.events()
    for (const login of [world.management, { key: client.key, secret: client.secret }]) {
      const search = signCall({ ...login, time: world.clock.now() }, [authPing])
      expect((await refusal(search))[0]).toBe(102)
    }
  })

  it('a message holds what was sent without becoming XML', async () => {
    const search = query((it) => it.set('method', '<x a="1">&\u0000\uFFFF]]>'))
    const { text } = await send(search)
    expect(text).toContain('msg="There is no method &lt;x a=&quot;1&quot;&gt;&amp;\uFFFD\uFFFD]]&gt;"/>')
  })
})

describe('the window', () => {
  it.each([-15, -14, 14, 15])('%i minutes off is inside', async (minutes) => {
    const signed = signCall({ ...application.login, time: world.clock.now() + minutes * 60_000 }, [authPing])
    expect((await send(signed)).inside).toBe('<pong/>')
  })

  it.each([-15, 15])('%i minutes and a second is not', async (minutes) => {
    const time = world.clock.now() + minutes * 60_000 + Math.sign(minutes) * 1000
    expect((await refusal(signCall({ ...application.login, time }, [authPing])))[0]).toBe(107)
  })

  it('inside it a call may come again: there is no nonce', async () => {
    const signed = query()
    expect([(await send(signed)).inside, (await send(signed)).inside]).toEqual(['<pong/>', '<pong/>'])
  })
})

describe('secret keys', () => {
  it('any of several signs, until it is switched off or ends', async () => {
    const { record } = await world.addApplication('Several')
    const { applications } = world.core
    const second = await applications.addSecret(world.operator(), record.id, { name: 'Second' })
    const sign = () => signCall({ key: record.id, secret: second.secret, time: world.clock.now() }, [authPing])
    expect((await send(sign())).inside).toBe('<pong/>')
    await applications.updateSecret(world.operator(), record.id, second.secretId, { isEnabled: false })
    await world.events()
    expect(await refusal(sign())).toEqual([104, 'The secret key this call is signed with is no longer in use'])
    await applications.dropSecret(world.operator(), record.id, second.secretId)
    await world.events()
    expect(await refusal(sign())).toEqual([104, expect.stringMatching(/does not match/)])
  })

  it('an application that is switched off makes no calls', async () => {
    const { record, login } = await world.addApplication('Off')
    await world.core.credentials.disable(world.operator(), record.credentialId)
    await world.events()
    expect(await refusal(signCall({ ...login, time: world.clock.now() }, [authPing]))).toEqual([
      102,
      'This application (appid param) is switched off',
    ])
  })

  it('those of another application sign nothing here', async () => {
    const { login } = await world.addApplication('Other')
    await world.events()
    const crossed = { key: application.login.key, secret: login.secret, time: world.clock.now() }
    expect((await refusal(signCall(crossed, [authPing])))[0]).toBe(104)
  })
})

describe('how a call arrives', () => {
  const form = 'application/x-www-form-urlencoded'
  const post = async (search: string, body: string | undefined, type: string | undefined, path = '/api') =>
    v1AnswerOf(
      await world.ask('POST', path + search, {
        ...(body !== undefined && { body }),
        ...(type !== undefined && { headers: { 'Content-Type': type } }),
      }),
    )

  it.each([
    ['PHP: an empty form, all in the query', '', form],
    ['npm scormcloud-api-wrapper: multipart of no length', '', 'multipart/form-data; boundary=--xyz'],
    ['JSON of no length', '', 'application/json'],
    ['nothing', undefined, undefined],
  ])('%s', async (_, body, type) => {
    expect((await post(`?${query()}`, body, type)).inside).toBe('<pong/>')
  })

  it.each([form, `${form}; charset=UTF-8`, 'Application/X-WWW-Form-Urlencoded', undefined])(
    'Java: everything in the body, as %s',
    async (type) => {
      expect((await post('', String(query()), type)).inside).toBe('<pong/>')
    },
  )

  it('.NET: a part in the query, a part in the form, both signed', async () => {
    const all = query(undefined, [['courseid', 'ü & x']])
    const [inQuery, inForm] = [new URLSearchParams(), new URLSearchParams()]
    for (const [name, value] of all) (name === 'courseid' ? inForm : inQuery).append(name, value)
    expect((await post(`?${inQuery}`, String(inForm), form)).inside).toBe('<pong/>')
    expect((await post(`?${inQuery}`, '', form)).error).toBe(104)
  })

  it('what is in a form of a GET is not read', async () => {
    expect((await world.ask('GET', `/api?${query()}`)).text).toContain('<pong/>')
  })

  it.each([
    [
      'multipart',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
    ],
    ['JSON', 'application/json', '{"method":"rustici.debug.authPing"}'],
    ['a form of 101', form, Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&')],
    ['a form of 65 KiB', form, `a=${'x'.repeat(65 * 1024)}`],
  ])('%s in the body is refused', async (_, type, body) => {
    const { error, inside } = await post(`?${query()}`, body, type)
    expect([error, inside]).toEqual([200, expect.stringMatching(/body/i)])
  })

  it('a digest in capitals, as Java and .NET send it', async () => {
    const upper = query((it) => it.set('sig', it.get('sig')!.toUpperCase()))
    expect((await send(upper)).inside).toBe('<pong/>')
  })

  it('names of any case are sorted whatever it is, and several values of one count', async () => {
    const more: Parameter[] = [
      ['Zeta', '1'],
      ['alpha', '2'],
      ['bar', 'this'],
      ['bar', 'that'],
      ['origin', 'acme.demo.1.0'],
      ['applib', 'php'],
    ]
    expect((await send(query(undefined, more))).inside).toBe('<pong/>')
    const { key, secret } = application.login
    const all: Parameter[] = [authPing, ['appid', key], ['ts', v1Timestamp(world.clock.now())], ...more]
    const caseless = v1Signature(secret, all)
    const byCodeUnit = all.toSorted(([one], [other]) => (one < other ? -1 : 1))
    expect(v1Signature(secret, byCodeUnit)).toBe(caseless)
  })

  it('+ is a space, and letters beyond ASCII are UTF-8', async () => {
    const made = query(undefined, [['label', 'Forum & Ünïcode']])
    expect(String(made)).toContain('label=Forum+%26+%C3%9Cn%C3%AFcode')
    expect((await send(made)).inside).toBe('<pong/>')
    expect((await send(String(made).replaceAll('+', '%20'))).inside).toBe('<pong/>')
  })

  it.each([
    '/api',
    '/api/',
    '//api',
    '/api//',
    '/EngineWebServices/api',
    '/EngineWebServices//api',
    '//EngineWebServices///api//',
  ])('at %s', async (path) => {
    expect((await send(query(), path)).inside).toBe('<pong/>')
    expect((await post(`?${query()}`, '', form, path)).inside).toBe('<pong/>')
  })

  it.each(['/api/x', '/EngineWebServices', '/EngineWebServices/api/x', '/engineWebServices/api', '/API'])(
    'not at %s',
    async (path) => {
      expect((await world.ask('GET', `${path}?${query()}`)).status).toBe(404)
    },
  )

  it('leaves /api/organizations and /api/v2 to others', async () => {
    const watershed = await world.ask('GET', '/api/organizations/1/activity-providers')
    expect([watershed.status, watershed.json]).toEqual([401, { message: 'HTTP 401 Unauthorized', status: 401 }])
    const second = await world.ask('GET', '/api/v2/ping')
    expect([second.status, second.json]).toEqual([401, expect.objectContaining({ error: 'Authorization Required.' })])
  })

  it.each(['PUT', 'DELETE', 'PATCH'])('%s is no valid call', async (method) => {
    const answer = v1AnswerOf(await world.ask(method, `/api?${query()}`))
    expect([answer.error, answer.headers.get('Allow')]).toEqual([200, 'GET, HEAD, POST, OPTIONS'])
  })

  it('HEAD does nothing, OPTIONS answers a browser', async () => {
    const create: Parameter = ['method', 'rustici.lrsaccount.createActivityProvider']
    const signed = signCall({ ...application.login, time: world.clock.now() }, [create])
    const head = await world.ask('HEAD', `/api?${signed}`)
    expect([head.status, head.text, await world.events()]).toEqual([200, '', []])
    expect((await world.ask('OPTIONS', '/api')).status).toBe(204)
  })
})

describe('many at once', () => {
  it('all signed rightly are answered', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(query())))
    expect(new Set(answers.map(({ inside }) => inside))).toEqual(new Set(['<pong/>']))
  })
})

describe('without a signature', () => {
  it.each([
    ['rustici.debug.ping', /^<pong\/>$/],
    ['rustici.debug.getTime', /^<currenttime tz="UTC">\d{14}<\/currenttime>$/],
  ])('%s answers, whatever else is sent', async (method, expected) => {
    expect((await send(`method=${method}`)).inside).toMatch(expected)
    expect((await send(`method=${method}&appid=x&sig=x&ts=x&ts=y&format=XML`)).inside).toMatch(expected)
  })

  it('the time is that of the server', async () => {
    const { inside } = await send('method=rustici.debug.getTime')
    expect(inside).toContain(`>${v1Timestamp(world.clock.now())}<`)
  })
})

describe('what is told to whom', () => {
  it('whoever runs the server finds in its log what was hashed, without the secret', async () => {
    const search = query((it) => it.set('sig', '1'.repeat(32)), [['label', 'x y']])
    const before = world.log().length
    const { text } = await send(search)
    const logged = world.log().slice(before)
    expect(logged).toContain(`***appid${application.login.key}labelx ymethodrustici.debug.authPingts2026`)
    expect(logged).not.toContain(application.login.secret)
    expect(text).not.toContain('label')
  })

  it('a long one is cut', async () => {
    const search = query((it) => it.set('sig', '1'.repeat(32)), [['label', 'x'.repeat(50_000)]])
    const before = world.log().length
    await send(search)
    expect(world.log().slice(before).length).toBeLessThan(5_000)
  })

  it('nothing is logged of what signs in', async () => {
    const before = world.log().length
    await send(query())
    expect(world.log().slice(before)).toBe('')
  })
})

describe('when something is amiss', () => {
  const unknown = (id: string) => query((it) => it.set('appid', id))

  it('keys that cannot be looked up are 108', async () => {
    const { platform } = world.storage
    const find = vi.spyOn(platform, 'findApplication')
    find.mockRejectedValueOnce(new DomainError('unavailable', 'gone', { detail: { retryAfterSeconds: 5 } }))
    const away = await send(unknown('AWAY000000'))
    expect([away.error, away.headers.get('Retry-After')]).toEqual([108, '5'])
    find.mockRejectedValueOnce(new Error('SQLITE_CORRUPT: secret'))
    const broken = await send(unknown('BROKEN0000'))
    expect([broken.error, broken.text]).toEqual([108, expect.stringMatching(/our side \(request [\w-]+\)/)])
    expect(world.log()).toContain('request failed')
    find.mockRestore()
  })

  it('too much under way is 201', async () => {
    const find = vi.spyOn(world.storage.platform, 'findApplication').mockRejectedValueOnce(overloaded('Full'))
    expect((await send(unknown('FULL000000'))).error).toBe(201)
    find.mockRestore()
  })

  it('a defect of ours elsewhere is 100, with the request that finds it in the log', async () => {
    const list = vi.spyOn(world.storage.directory, 'listCredentials').mockRejectedValueOnce(new Error('secret'))
    const answer = await world.v1('lrsaccount.listActivityProviders')
    expect(answer.error).toBe(100)
    expect(answer.text).toContain(answer.headers.get('X-Request-Id'))
    expect(answer.text).not.toContain('secret')
    list.mockRestore()
  })

  it('limits of its key hold: 100 for an address, 201 for too many', async () => {
    const { record, login } = await world.addApplication('Limited')
    const limit = (limits: object) => world.core.credentials.update(world.operator(), record.credentialId, { limits })
    await limit({ addresses: ['192.0.2.1'] })
    const sign = () => signCall({ ...login, time: world.clock.now() }, [authPing])
    expect((await send(sign())).error).toBe(100)
    await limit({ ratePerMinute: 1 })
    expect((await send(sign())).inside).toBe('<pong/>')
    const refused = await send(sign())
    expect([refused.error, Number(refused.headers.get('Retry-After'))]).toEqual([201, expect.any(Number)])
    await world.events()
  })

  it('guesses are limited by key and address, and then even the right one waits: 201', async () => {
    const { login } = await world.addApplication('Guessed')
    const guess = () => send(signCall({ ...login, secret: 'x', time: world.clock.now() }, [authPing]))
    const numbers = new Set<number | undefined>()
    for (let tries = 0; tries < 200 && !numbers.has(201); tries++) numbers.add((await guess()).error)
    expect([...numbers]).toEqual([104, 201])
    expect((await send(query())).inside).toBe('<pong/>')
  })
})
