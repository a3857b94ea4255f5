import { describe, expect, it } from 'vitest'
import type { LrsId } from '../core/ids.ts'
import { allManagement, managementAreas, noRights } from '../core/rights.ts'
import { addRights, applicationsIn, parseDuration, parseExpiry, parseLimits } from './credential-options.ts'
import { parseNumber, parsePins } from './credential-options.ts'
import { UsageError } from './outcome.ts'

const now = Date.parse('2026-11-22T00:00:00Z')

describe('times', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['24h', 86_400],
    ['30d', 2_592_000],
    ['2w', 1_209_600],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text, '--overlap')).toBe(seconds)
  })

  it.each(['', '1y', '-1h', '1.5h', 'h', '1 h'])('refuses %j', (text) => {
    expect(() => parseDuration(text, '--overlap')).toThrow(UsageError)
  })

  it('keeps a time within its bounds, in words of the command line', () => {
    const bounds = { min: 1, max: 2_592_000 }
    expect(parseDuration('30d', '--expires', bounds)).toBe(2_592_000)
    expect(() => parseDuration('60d', '--expires', bounds)).toThrow('--expires must be from 1s to 30d, not 60d')
  })

  it.each([
    ['never', null],
    ['1d', now + 86_400_000],
    ['2026-12-01', Date.parse('2026-12-01T00:00:00Z')],
    ['2026-12-01T12:00:00+01:00', Date.parse('2026-12-01T11:00:00Z')],
  ])('expires %s', (text, at) => {
    expect(parseExpiry(text, now)).toBe(at)
  })

  it.each(['2026-11-21', 'tomorrow', '2026-13-01', '12', '2026-1-1', '2030-02-31', '2030-02-31T00:00:00Z'])(
    'refuses to expire %j',
    (text) => {
      expect(() => parseExpiry(text, now)).toThrow(UsageError)
    },
  )
})

describe('numbers', () => {
  it.each(['', '0', '-1', '1.5', '1e3', '99999999999', 'x'])('refuses %j', (text) => {
    expect(() => parseNumber(text, '--id')).toThrow(UsageError)
  })
})

describe('rights', () => {
  it('adds to a preset, and the reach given here wins', () => {
    const start = { xapi: { 'statements/read': 'any', 'statements/write': 'any' }, management: [] } as const
    expect(addRights(start, { right: ['statements/read:mine', 'define'] })).toEqual({
      xapi: { 'statements/read': 'mine', 'statements/write': 'any', define: 'any' },
      management: [],
    })
  })

  it('understands management with actions and bounds', () => {
    const manage = ['credentials:read,write@lrs/3', 'settings', 'data:delete@organisation']
    expect(addRights(noRights, { manage }).management).toEqual([
      { area: 'credentials', actions: ['read', 'write'], bound: { kind: 'lrs', id: 3 } },
      { area: 'settings', actions: ['read', 'write', 'delete'], bound: { kind: 'organisation' } },
      { area: 'data', actions: ['delete'], bound: { kind: 'organisation' } },
    ])
    expect(addRights(noRights, { manage: ['all'] }).management).toEqual(allManagement)
    expect(addRights(noRights, { manage: ['all:read@lrs/3'] }).management).toEqual(
      managementAreas.map((area) => ({ area, actions: ['read'], bound: { kind: 'lrs', id: 3 } })),
    )
  })

  it('understands applications, whose Lrs are looked up', () => {
    const manage = ['credentials@application/ABC', 'settings:read@applications', 'data@lrs/1']
    expect(applicationsIn({ manage })).toEqual(['ABC'])
    const lrsIds = [1 as LrsId, 2 as LrsId]
    expect(addRights(noRights, { manage }, new Map([['ABC', lrsIds]])).management.map(({ bound }) => bound)).toEqual([
      { kind: 'application', id: 'ABC', lrsIds },
      { kind: 'applications' },
      { kind: 'lrs', id: 1 },
    ])
  })

  it('marks management of credentials as delegated, and nothing else', () => {
    const { management } = addRights(noRights, { manage: ['all'], within: true })
    expect(management).toEqual(
      allManagement.map((grant) => (grant.area === 'credentials' ? { ...grant, within: true } : grant)),
    )
  })

  it.each([
    [{ right: ['statments/read'] }, 'did you mean statements/read?'],
    [{ right: ['statements/read:all'] }, ':any or :mine'],
    [{ manage: ['credential'] }, 'did you mean credentials?'],
    [{ manage: ['credentials:reed'] }, 'did you mean read?'],
    [{ manage: ['credentials@lrs'] }, 'the bound is'],
    [{ manage: ['data@application'] }, 'the bound is'],
    [{ manage: ['data@application/A/B'] }, 'the bound is'],
    [{ manage: ['data@applications/A'] }, 'the bound is'],
    [{ manage: ['credentials@lrs/x'] }, 'a whole number'],
    [{ manage: ['settings'], within: true }, '--within belongs to'],
    [{ within: true }, '--within belongs to'],
    [{ right: ['__proto__'] }, 'is not known'],
  ])('refuses %j', (options, message) => {
    expect(() => addRights(noRights, options)).toThrow(message)
  })
})

describe('pins', () => {
  const registration = '0F7D2C1A-1111-4222-8333-444455556666'

  it('reads actors, registration and activity', () => {
    expect(
      parsePins({
        pinActor: ['mailto:ann@example.org', 'ann', 'ann@acme@https://acme.example/'],
        pinRegistration: registration,
        pinActivity: 'https://example.org/a',
      }),
    ).toEqual({
      actor: [
        { mbox: 'mailto:ann@example.org' },
        { accountName: 'ann' },
        { accountName: 'ann@acme', homePage: 'https://acme.example/' },
      ],
      registration: { id: registration.toLowerCase(), mode: 'required' },
      activity: 'https://example.org/a',
    })
    expect(parsePins({ pinRegistrationWhenPresent: registration }).registration?.mode).toBe('whenPresent')
    expect(parsePins({})).toEqual({})
  })

  it.each([
    [{ pinActor: ['@https://acme.example/'] }],
    [{ pinRegistration: 'x' }],
    [{ pinRegistration: registration, pinRegistrationWhenPresent: registration }],
  ])('refuses %j', (options) => {
    expect(() => parsePins(options)).toThrow(UsageError)
  })
})

describe('limits', () => {
  it('names only what is limited', () => {
    expect(parseLimits({ limitRate: '60', limitAddress: ['10.0.0.0/8'], limitXapiVersion: ['1.0'] })).toEqual({
      ratePerMinute: 60,
      addresses: ['10.0.0.0/8'],
      xapiVersions: ['1.0'],
    })
    expect(parseLimits({})).toEqual({})
  })

  it.each([[{ limitRate: '0' }], [{ limitXapiVersion: ['3.0'] }]])('refuses %j', (options) => {
    expect(() => parseLimits(options)).toThrow(UsageError)
  })
})
