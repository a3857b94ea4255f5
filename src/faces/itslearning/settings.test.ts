import { describe, expect, it } from 'vitest'
import type { PlatformId } from '../../core/ids.ts'
import { itslearningPlatform } from './platform.ts'
import { readSettings } from './settings.ts'

const accepts = (given: object): boolean => {
  try {
    readSettings({ customers: [14], ...given })
    return true
  } catch {
    return false
  }
}

describe('settings', () => {
  it('have defaults, but for the customers', () => {
    expect(readSettings({ customers: [14] })).toMatchObject({ maxSkewSeconds: 300, schools: [], licensed: false })
    for (const kept of [{}, null, [], 'x', { customers: [] }, { customers: 'all' }, { customers: [1.5] }]) {
      expect(() => readSettings(kept)).toThrow(expect.objectContaining({ code: 'invalid' }))
    }
  })

  it.each([
    ['https://tools.example.org/its', true],
    ['http://localhost:8080', true],
    ['https://tools.example.org/its/', false],
    ['https://tools.example.org/its?x=1', false],
    ['https://tools.example.org/its#x', false],
    ['https://user@tools.example.org/its', false],
    ['https://tools.example.org/ïts', false],
    ['https://tools.example.org/a b', false],
    ['https://tools.example.org/a\r\nb', false],
    ['ftp://tools.example.org', false],
    ['tools.example.org/its', false],
    ['', false],
  ])('publicUrl %j: %s', (publicUrl, isAccepted) => expect(accepts({ publicUrl })).toBe(isAccepted))

  it.each([
    ['https://x.example/{customerId}', true],
    ['https://x.example', true],
    ['https://x.example/a b', false],
    ['mailto:a@x.example', false],
    ['x', false],
  ])('homePage %j: %s', (homePage, isAccepted) => expect(accepts({ homePage })).toBe(isAccepted))

  it.each([
    [['https://*.itslearning.com', 'http://localhost:3000'], true],
    [["'none'; script-src *"], false],
    [['https://x.example/path'], false],
    [['*'], false],
  ])('frameAncestors %j: %s', (frameAncestors, isAccepted) => expect(accepts({ frameAncestors })).toBe(isAccepted))

  it('of several customers keep their people apart', () => {
    const check = (given: object): void => itslearningPlatform.check?.({ ...given })
    check({ customers: [14], homePage: 'https://x.example' })
    check({ customers: [14, 15] })
    expect(() => check({ customers: [14, 15], homePage: 'https://x.example' })).toThrow('{customerId}')
  })

  it('say what is entered at itslearning', () => {
    const addresses = (settings: object) =>
      itslearningPlatform.addresses(
        { id: 'north' as PlatformId, settings: { customers: [14], ...settings } },
        'https://lrs.example',
      )
    expect(addresses({}).map(({ url }) => url)).toEqual(
      ['view', 'add', 'delete'].map((page) => `https://lrs.example/launch/itslearning/north/${page}`),
    )
    expect(addresses({ publicUrl: 'https://t.example/its' })[0]?.url).toBe('https://t.example/its/view')
  })
})
