import { describe, expect, it } from 'vitest'
import { DomainError } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import { TokenError } from './errors.ts'
import { readId, readPage, readProvider, readSession, readTokenRequest } from './wire.ts'

function failuresOf(run: () => unknown): readonly Failure[] {
  try {
    run()
  } catch (error) {
    if (error instanceof DomainError && error.code === 'invalid') return error.detail.failures ?? []
    throw error
  }
  throw new Error('was accepted')
}

const places = (run: () => unknown): string[] => failuresOf(run).map(({ pointer }) => pointer)
const query = (text = ''): URLSearchParams => new URLSearchParams(text)

describe('a credential in a request', () => {
  it('takes property names in any case and leaves out what it does not know or may not set', () => {
    const body = { Name: 'A', KEY: 'k', Secret: 's', ACTIVE: false, lrsaccess: 'global', WatershedApiAccess: 'enabled' }
    const ignored = { id: 7, Created: 'x', version: 3, rootAccess: true, RootAccess: true, other: {} }
    expect(readProvider({ ...body, ...ignored })).toEqual({
      name: 'A',
      key: 'k',
      secret: 's',
      active: false,
      lrsAccess: 'global',
      watershedApiAccess: 'enabled',
    })
  })

  it.each([
    ['a value that the article mentions in passing', { lrsAccess: 'enabled' }, '/lrsAccess'],
    ['another case of a value', { lrsAccess: 'Global' }, '/lrsAccess'],
    ['a boolean for a word', { watershedApiAccess: true }, '/watershedApiAccess'],
    ['a word for a boolean', { active: 'true' }, '/active'],
    ['null', { name: null }, '/name'],
    ['a number for a name', { name: 1 }, '/name'],
    ['a list for a name', { name: ['x'] }, '/name'],
    ['an empty key', { key: '' }, '/key'],
    ['a key with a colon', { key: 'a:b' }, '/key'],
    ['a key with a line break', { key: 'a\r\nb' }, '/key'],
    ['an empty secret', { secret: '' }, '/secret'],
    ['a lone surrogate', { name: 'a\ud800' }, '/name'],
    ['U+0000', { name: 'a\u0000' }, '/name'],
    ['a long name', { name: 'x'.repeat(256) }, '/name'],
  ])('refuses %s and says where', (_what, body, pointer) => {
    expect(places(() => readProvider(body))).toEqual([pointer])
  })

  it('names every failure, and the words it would take', () => {
    const failures = failuresOf(() => readProvider({ active: 1, lrsAccess: 'enabled' }))
    expect(failures.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
      '/active must be true or false',
      '/lrsAccess must be one of disabled, isolated, global, globalReadOnly, writeOnly, not "enabled"',
    ])
  })

  it('refuses one property in two spellings', () => {
    expect(places(() => readProvider({ Name: 'a', name: 'b' }))).toEqual(['/name'])
  })

  it.each([[undefined], [null], [[]], ['text'], [7], [true]])('refuses %j as a body', (body) => {
    expect(() => readProvider(body)).toThrow('The request body must be a JSON object')
  })

  it('is not impressed by __proto__', () => {
    const body = JSON.parse('{"__proto__": {"name": "x", "active": false}, "constructor": 1}')
    expect(readProvider(body)).toEqual({})
    expect(({} as { active?: unknown }).active).toBeUndefined()
  })
})

describe('a session in a request', () => {
  it('lasts an hour and asks for everything unless it says otherwise', () => {
    expect(readSession(undefined, query())).toEqual({ expireSeconds: 3600, scopes: [] })
  })

  it('is read from the body, then from the query', () => {
    expect(readSession(undefined, query('expireSeconds=60&scope=xapi:read'))).toEqual({
      expireSeconds: 60,
      scopes: ['xapi:read'],
    })
    expect(readSession({ expireSeconds: 5 }, query('expireSeconds=60'))).toMatchObject({ expireSeconds: 5 })
  })

  it.each(['xapi:read,wsapi:all', 'wsapi:all xapi:read', ' xapi:read ,  wsapi:all,'])(
    'knows the scopes in %j',
    (scope) => {
      expect(readSession({ scope }, query()).scopes).toEqual(['xapi:read', 'wsapi:all'])
    },
  )

  it.each([
    [{ expireSeconds: 0 }, '', '/expireSeconds'],
    [{ expireSeconds: -1 }, '', '/expireSeconds'],
    [{ expireSeconds: 1.5 }, '', '/expireSeconds'],
    [{ expireSeconds: '60' }, '', '/expireSeconds'],
    [{ expireSeconds: 1e300 }, '', '/expireSeconds'],
    [undefined, 'expireSeconds=soon', '/expireSeconds'],
    [undefined, 'expireSeconds=9999999999999999999999', '/expireSeconds'],
    [undefined, 'expireSeconds=1&expireSeconds=2', '?expireSeconds'],
    [{ scope: 'xapi:delete' }, '', '/scope'],
    [{ scope: ['xapi:read'] }, '', '/scope'],
  ])('refuses %j with ?%s', (body, text, pointer) => {
    expect(places(() => readSession(body, query(text)))).toEqual([pointer])
  })
})

describe('a token request', () => {
  const grant = 'grant_type=client_credentials'

  it('is read with commas or spaces', () => {
    expect(readTokenRequest(query(`${grant}&client_id=k&client_secret=s&scope=xapi:read,xapi:write`))).toEqual({
      clientId: 'k',
      clientSecret: 's',
      expireSeconds: 3600,
      scopes: ['xapi:read', 'xapi:write'],
    })
    expect(readTokenRequest(query(`${grant}&scope=xapi:read%20xapi:write&expire_seconds=60`))).toMatchObject({
      expireSeconds: 60,
      scopes: ['xapi:read', 'xapi:write'],
    })
  })

  it.each([
    ['', 'invalid_request'],
    ['grant_type=password', 'unsupported_grant_type'],
    [`${grant}&${grant}`, 'invalid_request'],
    [`${grant}&expire_seconds=0`, 'invalid_request'],
    [`${grant}&expire_seconds=86401`, 'invalid_request'],
    [`${grant}&expire_seconds=1e3`, 'invalid_request'],
    [`${grant}&scope=all`, 'invalid_scope'],
  ])('%j is refused as %s', (text, code) => {
    try {
      readTokenRequest(query(text))
    } catch (error) {
      expect(error).toBeInstanceOf(TokenError)
      expect((error as TokenError).error).toBe(code)
      return
    }
    throw new Error('was accepted')
  })
})

describe('a page', () => {
  it('names everything that is wrong with it', () => {
    expect(failuresOf(() => readPage(query('_limit=abc&_offset=x')))).toMatchObject([
      { pointer: '?_limit', message: 'must be a whole number from 0 to 1000, not "abc"' },
      { pointer: '?_offset', message: expect.stringMatching(/^must be a whole number from 0 to \d+, not "x"$/) },
    ])
  })

  it('is everything unless _limit says otherwise', () => {
    expect(readPage(query())).toEqual({ limit: 10_000, offset: 0, key: undefined })
    expect(readPage(query('_limit=1000&_offset=20&key=a%20b'))).toEqual({ limit: 1000, offset: 20, key: 'a b' })
    expect(readPage(query('_limit=0'))).toMatchObject({ limit: 0 })
  })

  it.each([
    '_limit=1001',
    '_limit=-1',
    '_limit=x',
    '_limit=',
    '_limit=1&_limit=2',
    '_offset=1.5',
    '_offset=9999999999',
  ])('%s is refused', (text) => {
    expect(places(() => readPage(query(text)))).toEqual([`?${text.split('=')[0]}`])
  })
})

it('an id of a path is a positive integer that fits', () => {
  expect(readId('2147483647')).toBe(2_147_483_647)
  for (const odd of ['0', '-1', '007', '1.0', '1e3', ' 1', '2147483648', '99999999999999999999', 'self', '']) {
    expect(readId(odd)).toBeUndefined()
  }
})
