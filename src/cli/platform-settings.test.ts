// No face by name: a kind of platform as a face would describe it.

import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Face, PlatformProtocol } from '../app.ts'
import { flagOf, getProtocol, protocolsOf, readSettings, settingRows, takeSettings } from './platform-settings.ts'

const protocol: PlatformProtocol = {
  protocol: 'signed',
  summary: 'links with a signature',
  settings: [
    {
      name: 'baseUrl',
      describes: 'where it is',
      accepts: 'a URL',
      placeholder: '<url>',
      schema: z.url('must be a URL'),
    },
    {
      name: 'customers',
      describes: 'who',
      accepts: 'numbers',
      placeholder: '<id,…>',
      schema: z.array(z.string().regex(/^\d+$/)),
      default: [],
    },
    {
      name: 'weights',
      describes: 'how much',
      accepts: 'numbers parted by commas',
      placeholder: '<n,…>',
      schema: z.array(z.number()),
      default: [],
    },
    {
      name: 'maxSkewSeconds',
      describes: 'how late',
      accepts: 'whole numbers up to 900',
      placeholder: '<n>',
      schema: z.number().max(900),
      default: 300,
    },
    {
      name: 'isLicensed',
      describes: 'on or off',
      accepts: 'on or off',
      placeholder: '<on|off>',
      schema: z.boolean(),
      default: false,
    },
    {
      name: 'legacyLatin1',
      describes: 'on or off',
      accepts: 'on or off',
      placeholder: '<on|off>',
      schema: z.boolean(),
      default: false,
    },
  ],
  addresses: () => [],
}
const other: PlatformProtocol = {
  ...protocol,
  protocol: 'tokens',
  settings: [
    {
      name: 'issuer',
      describes: 'who says so',
      accepts: 'a URL',
      placeholder: '<url>',
      schema: z.url(),
      default: null,
    },
  ],
}

/** As a command line has them. */
function typed(...words: string[]): Record<string, unknown> {
  const command = takeSettings(new Command().exitOverride(), [protocol, other])
  return command.parse(words, { from: 'user' }).opts()
}

const url = ['--base-url', 'https://a.example']

describe('settings of a kind of platform', () => {
  it.each([
    [['--customers', '14'], { customers: ['14'] }],
    [['--customers', '14, 15,'], { customers: ['14', '15'] }],
    [['--customers', '["14"]'], { customers: ['14'] }],
    [['--weights', '14,15'], { weights: [14, 15] }],
    [['--max-skew-seconds', '60'], { maxSkewSeconds: 60 }],
    [['--is-licensed', 'on'], { isLicensed: true }],
    [['--is-licensed', 'false'], { isLicensed: false }],
    [['--legacy-latin-1', 'on'], { legacyLatin1: true }],
    [['--weights', 'none'], { weights: [] }],
    [['--customers', 'none'], { customers: [] }],
  ])('%s', (words, settings) => {
    expect(readSettings(protocol, typed(...url, ...words))).toEqual({ baseUrl: 'https://a.example', ...settings })
  })

  it('keeps what was, but for what is said; the word default takes one back', () => {
    const before = { baseUrl: 'https://a.example', customers: ['1'], maxSkewSeconds: 60 }
    const after = readSettings(protocol, typed('--max-skew-seconds', 'default', '--is-licensed', 'on'), { before })
    expect(after).toEqual({ baseUrl: 'https://a.example', customers: ['1'], isLicensed: true })
  })

  it.each([
    [[], '--base-url must be given'],
    [['--base-url', 'default'], '--base-url takes a URL, not "default"'],
    [[...url, '--max-skew-seconds', '901'], '--max-skew-seconds takes whole numbers up to 900, not "901"'],
    [[...url, '--customers', '14;15'], '--customers takes numbers, not "14;15"'],
    [[...url, '--issuer', 'https://b.example'], '--issuer is of no platform that speaks signed'],
  ])('refuses %s', (words, message) => {
    expect(() => readSettings(protocol, typed(...words), { others: [protocol, other] })).toThrow(message)
  })

  it('lets the face judge what is right only together', () => {
    const check = (): never => {
      throw new Error('not both')
    }
    expect(() => readSettings({ ...protocol, check }, typed(...url))).toThrow('not both')
  })

  it('shows each with its value and meaning, defaults included', () => {
    expect(settingRows(protocol, { baseUrl: 'https://a.example', weights: [1, 2], isLicensed: true })).toEqual([
      ['base-url', 'https://a.example', 'where it is'],
      ['customers', 'none', 'who'],
      ['weights', '1,2', 'how much'],
      ['max-skew-seconds', '300', 'how late'],
      ['is-licensed', 'on', 'on or off'],
      ['legacy-latin-1', 'off', 'on or off'],
    ])
    expect(flagOf({ name: 'actorHomePage' })).toBe('--actor-home-page')
  })

  it('is found by its name, and a mistyped one suggested', () => {
    const faces = [{ platform: protocol }, {}, { platform: other }] as unknown as Face[]
    expect(getProtocol(protocolsOf(faces), 'tokens')).toBe(other)
    expect(() => getProtocol(protocolsOf(faces), 'singed')).toThrow(
      'the kind of platform singed is not known; did you mean signed? There are: signed, tokens',
    )
  })
})
