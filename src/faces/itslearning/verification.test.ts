import { describe, expect, it } from 'vitest'
import { LaunchRefused } from './refusal.ts'
import type { Rule } from './refusal.ts'
import { readSettings } from './settings.ts'
import { signatureOf, signedText } from './signature.ts'
import { signLaunch } from './signing.ts'
import { readTimestamp, verifyDeletion, verifyLaunch, writeTimestamp } from './verification.ts'
import type { Standard } from './verification.ts'

const secret = 'a secret of more than thirty-two characters'
const address = 'https://lrs.example.org/launch/itslearning/school/view'
const signedAt = Date.parse('2026-01-02T03:04:05Z')
const launch = {
  ...{ customerId: '14', learningObjectId: '100', instanceId: '200', userId: '9', role: 'Learner' },
  ...{ permissions: ['Read', 'Participate'], apiSessionId: 'abc123abc123', now: signedAt },
}
const names = { FirstName: 'Zoë', LastName: "O'Hesvik & Sons", Locale: 'nb-NO', Language: 'en-GB' }

function standard(settings: object = {}, more: Partial<Standard> = {}): Standard {
  return { secrets: [secret], settings: readSettings({ customers: [14], ...settings }), now: signedAt, ...more }
}

const signed = (more: Readonly<Record<string, string>> = {}): string =>
  signLaunch(address, { ...launch, more: { ...names, ...more } }, secret)

/** Of whatever text: what a signer that knows the secret could have signed. */
function signedQuery(query: string): string {
  return `${address}?${query}&Signature=${signatureOf(signedText(address, query)!, secret)}`
}

function verify(url: string, against = standard()) {
  const question = url.indexOf('?')
  return verifyLaunch({ address: url.slice(0, question), query: url.slice(question + 1) }, against)
}

function ruleOf(url: string, against = standard()): Rule | 'accepted' {
  try {
    verify(url, against)
    return 'accepted'
  } catch (error) {
    if (error instanceof LaunchRefused) return error.rule
    throw error
  }
}

/** Its query, with what stands there replaced. */
const without = (url: string, part: string | RegExp): string => signedQuery(queryOf(url).replace(part, ''))
const queryOf = (url: string): string => url.slice(url.indexOf('?') + 1, url.lastIndexOf('&Signature='))

describe('a launch', () => {
  it('S3.2 S3.4 S3.5 is what was signed', () => {
    expect(
      verify(signed({ Use12HTimeFormat: 'False', Accessibility: 'True', OlsonTimeZoneId: 'Europe/Oslo' })).what,
    ).toEqual({
      ...{ apiSessionId: 'abc123abc123', customerId: '14', learningObjectId: '100', instanceId: '200' },
      ...{ userId: '9', role: 'Learner', permissions: ['Read', 'Participate'], isReadOnly: false },
      ...{ firstName: 'Zoë', lastName: "O'Hesvik & Sons", locale: 'nb-NO', language: 'en-GB' },
      ...{ timeZone: 'Europe/Oslo', uses12Hours: false, needsAccessibility: true },
    })
  })

  it('S3.13 is that of vector A with its short secret', () => {
    const url =
      'https://lrs.example.org/itslearning/view?ApiSessionId=abc123abc123&CustomerId=14&Encoding=utf8&FirstName=Zo%c3%ab' +
      '&LastName=%c5%a0%c4%8d+%e2%82%ac&LearningObjectId=100&LearningObjectInstanceId=200&Permissions=Read%2c+Participate' +
      '&Role=Learner&UserId=9&Timestamp=2026-01-02T03%3a04%3a05&Signature=4a590ab87de5fc050d83e201966ea17c'
    const { what, signature } = verify(url, standard({}, { secrets: ['test-secret-0001'] }))
    expect(what).toMatchObject({ userId: '9', lastName: 'Šč €' })
    expect(signature).toBe('4a590ab87de5fc050d83e201966ea17c')
    // Vector B: no Encoding, hashed as ISO 8859-1.
    const latin = url.replace('Encoding=utf8&', '').replace(/\w+$/, '2f1b68f028d3f8d31f938c46eca914ce')
    expect(ruleOf(latin, standard({}, { secrets: ['test-secret-0001'] }))).toBe('signature-wrong')
  })

  it('may be signed with the current secret or the one before', () => {
    const rotated = standard({}, { secrets: ['another secret of more than thirty-two characters', secret] })
    expect(ruleOf(signed(), rotated)).toBe('accepted')
    expect(ruleOf(signed(), standard({}, { secrets: [] }))).toBe('signature-wrong')
  })

  it('may say + or %20, and lower or upper case digits, for the same', () => {
    const url = signed({ FirstName: 'Bent Audun' })
    expect(ruleOf(url.replace('Bent+Audun', 'Bent%20Audun'))).toBe('accepted')
    expect(ruleOf(url.replace('Zo%c3%ab', 'Zo%C3%AB'))).toBe('accepted')
  })

  it('S3.3 may have a version or not, and what nobody knows', () => {
    expect(verify(signed({ Version: 'LatestOrDraft', createcontentwithai: 'True' })).what.version).toBe('LatestOrDraft')
    expect(verify(signed()).what.version).toBeUndefined()
  })

  it('may name its parameters in any case', () => {
    const url = signedQuery(queryOf(signed()).replace('Timestamp', 'TimeStamp').replace('UserId', 'userid'))
    expect(verify(url).what.userId).toBe('9')
  })

  it('loses wishes that are none, and nothing else', () => {
    const { what } = verify(
      signed({ Locale: '; drop', Use12HTimeFormat: 'maybe', Version: 'x', FirstName: 'a\u0000b' }),
    )
    expect(what).not.toHaveProperty('locale')
    expect(what).not.toHaveProperty('uses12Hours')
    expect(what).not.toHaveProperty('firstName')
    expect(what.lastName).toBe("O'Hesvik & Sons")
  })

  it('gives of permissions those that are known', () => {
    const asked = { Permissions: 'Read,Participate, Evaluate, Fly, ModifyInstance' }
    expect(verify(signed(asked)).what.permissions).toEqual(['Read', 'Participate', 'Evaluate', 'ModifyInstance'])
    expect(verify(signed({ Permissions: 'NONE' })).what.permissions).toEqual([])
  })

  it('S3.12 is read at the same time in every time zone', () => {
    const before = process.env['TZ']
    try {
      for (const zone of ['America/St_Johns', 'Pacific/Chatham', 'UTC']) {
        process.env['TZ'] = zone
        expect(new Date(signedAt).getTimezoneOffset() === 0).toBe(zone === 'UTC')
        expect(verify(signed()).signedAt).toBe(signedAt)
      }
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })
})

describe('refused', () => {
  const twice = signed()
  const cases: Readonly<Record<string, readonly [Rule, string, Standard?]>> = {
    'too long': ['address-long', signed({ mobile: '0'.repeat(9000) })],
    'too many parameters': ['parameters-many', `${address}?${'a=1&'.repeat(100)}Signature=${'0'.repeat(32)}`],
    'no signature': ['signature-missing', twice.slice(0, twice.lastIndexOf('&'))],
    'upper-case signature': ['signature-missing', twice.replace(/\w+$/, (hex) => hex.toUpperCase())],
    'signature under another name': ['signature-missing', twice.replace('&Signature', '&signature')],
    'signature in the middle': ['signature-missing', twice.replace(/^(.*)(&Role=Learner)(.*)$/, '$1$3$2')],
    'a second signature': ['signature-missing', signedQuery(`${queryOf(twice)}&signature=${'0'.repeat(32)}`)],
    'nothing but a signature': ['signature-wrong', `${address}?&Signature=${'0'.repeat(32)}`],
    'wrong signature': ['signature-wrong', twice.replace(/\w+$/, '0'.repeat(32))],
    'http for https': ['signature-wrong', twice.replace('https', 'http')],
    'another host': ['signature-wrong', twice.replace('lrs.', 'LRS.')],
    'another page': ['signature-wrong', twice.replace('/view?', '/add?')],
    'another platform': ['signature-wrong', twice.replace('/school/', '/other/')],
    'bytes that are no UTF-8': ['parameter-malformed', twice.replace('Zo%c3%ab', 'Zo%c3')],
    'bytes that are not encoded': ['parameter-malformed', twice.replace('Zo%c3%ab', 'Zoë')],
    'an empty parameter': ['parameter-malformed', signedQuery(`${queryOf(twice)}&`)],
    'no value': ['parameter-malformed', signedQuery(`${queryOf(twice)}&isPopUp`)],
    'a name that is encoded': ['parameter-malformed', twice.replace('&Role=', '&R%6fle=')],
    'a name that is too long': ['parameter-malformed', signedQuery(`${queryOf(twice)}&${'a'.repeat(65)}=1`)],
    'a name twice in another case': ['parameter-twice', signedQuery(`${queryOf(twice)}&uSERID=10`)],
    'an ambiguous value': ['value-ambiguous', signed({ FirstName: 'Bob&Role=Staff' })],
    'no Encoding': ['encoding-unknown', signed({ Encoding: 'utf-8' })],
    'S3.10 a customer that is not allowed': ['customer', signed(), standard({ customers: [15, 16] })],
    'S3.9 a school that is not allowed': ['school', signed({ SchoolId: '4|a,5|' }), standard({ schools: [3, 45] })],
    'no schools, where some are allowed': ['parameter-missing', signed(), standard({ schools: [3] })],
    'no licences, where licensed': ['parameter-missing', signed(), standard({ licensed: true })],
    'S3.8 licences, where not licensed': ['licences', signed({ LicenseIds: '1', ExternalLicenseIds: '' })],
    'one list of licences': ['list', signed({ LicenseIds: '1' })],
    'licences that do not fit': [
      'list',
      signed({ LicenseIds: '1,2', ExternalLicenseIds: 'a' }),
      standard({ licensed: true }),
    ],
    'schools that are none': ['list', signed({ SchoolId: 'Hull|3' })],
    'what is declared to be always sent': ['parameter-missing', signed(), standard({ alwaysSent: ['synckey'] })],
    'a time before the window': ['time', signed({ Timestamp: writeTimestamp(signedAt - 301_000) })],
    'a time after it': ['time', signed({ Timestamp: writeTimestamp(signedAt + 301_000) })],
    'a time that is none': ['parameter-wrong', signed({ Timestamp: '2026-02-30T00:00:00' })],
    'a time with a zone': ['parameter-wrong', signed({ Timestamp: '2026-01-02T03:04:05Z' })],
    'a wrong ReadOnly': ['parameter-wrong', signed({ ReadOnly: 'no' })],
    'a wrong Role': ['parameter-wrong', signed({ Role: 'learner' })],
    'a user with a sign': ['parameter-wrong', signed({ UserId: '-9' })],
    'a user with a leading zero': ['parameter-wrong', signed({ UserId: '09' })],
    'a user of another script': ['parameter-wrong', signed({ UserId: '٩' })],
    'a user with a line end': ['parameter-wrong', signed({ UserId: '9\n' })],
    'an empty customer': ['parameter-wrong', signed({ CustomerId: '' })],
    'a short session': ['parameter-wrong', signed({ ApiSessionId: 'abc' })],
    'no permissions': ['parameter-wrong', signed({ Permissions: '' })],
  }
  it.each(Object.entries(cases))('%s', (_, [rule, url, against]) => expect(ruleOf(url, against)).toBe(rule))

  it.each([
    'ApiSessionId',
    'CustomerId',
    'LearningObjectId',
    'LearningObjectInstanceId',
    'UserId',
    'Role',
    'Permissions',
  ])('a launch without %s', (name) =>
    expect(ruleOf(without(signed({ Zzz: '1' }), new RegExp(`(?<=^|&)${name}=[^&]*&`)))).toBe('parameter-missing'),
  )

  it('S3.10 to every customer but those that are allowed', () => {
    const against = standard({ customers: [14, 16] })
    const rules = ['14', '16', '15', '1', '140', '014'].map((CustomerId) => ruleOf(signed({ CustomerId }), against))
    expect(rules).toEqual(['accepted', 'accepted', 'customer', 'customer', 'customer', 'parameter-wrong'])
  })

  it('says nothing secret about why', () => {
    for (const [, url, against] of Object.values(cases)) {
      expect(() => verify(url, against)).toThrow(
        expect.not.objectContaining({ message: expect.stringMatching(/abc123|a secret/) }),
      )
    }
  })

  it('S3.12 the window is open at both ends, and as wide as it is set', () => {
    const early = signed({ Timestamp: writeTimestamp(signedAt - 300_000) })
    const late = signed({ Timestamp: writeTimestamp(signedAt + 300_000) })
    expect([ruleOf(early), ruleOf(late)]).toEqual(['accepted', 'accepted'])
    expect(ruleOf(signed({ Timestamp: writeTimestamp(signedAt - 900_000) }), standard({ maxSkewSeconds: 900 }))).toBe(
      'accepted',
    )
    expect(ruleOf(early, standard({ maxSkewSeconds: 60 }))).toBe('time')
  })
})

describe('lists', () => {
  it('S3.8 S3.9 are delivered as they are meant', () => {
    const more = {
      LicenseIds: '101,104',
      ExternalLicenseIds: String.raw`temp\\license2\,3,`,
      SchoolId: '3|HullPrimary,2|',
    }
    expect(verify(signed(more), standard({ licensed: true, schools: [2] })).what).toMatchObject({
      licences: [{ id: '101', externalId: String.raw`temp\license2,3` }, { id: '104' }],
      schools: [{ id: '3', legalId: 'HullPrimary' }, { id: '2' }],
    })
  })
})

describe('a deletion', () => {
  const deletion = (more: string): string =>
    signedQuery(
      `CustomerId=14&LearningObjectId=100&LearningObjectInstanceId=200${more}&Encoding=utf8&Timestamp=2026-01-02T03%3a04%3a05`,
    )
  const verifyIt = (url: string) => verifyDeletion({ address, query: url.slice(url.indexOf('?') + 1) }, standard()).what

  it('may be of nobody', () => {
    expect(verifyIt(deletion(''))).toEqual({
      customerId: '14',
      learningObjectId: '100',
      instanceId: '200',
      isLast: false,
    })
    expect(verifyIt(deletion('&SafeToDeleteLearningObject=True')).isLast).toBe(true)
    expect(verifyIt(signed()).isLast).toBe(false)
  })
  it('is refused like a launch', () => {
    expect(() => verifyIt(deletion('&SafeToDeleteLearningObject=1'))).toThrow(LaunchRefused)
    expect(() => verifyIt(deletion('').replace('=100', '=101'))).toThrow(LaunchRefused)
  })
})

describe('forgeries', () => {
  const dangerous = ['Bob&Role=Staff', 'Bob&UserId=1', 'Bob&Permissions=Modify', 'x&CustomerId=15', 'x&Encoding=utf8']

  it('S3.13 1: a further parameter made of a name', () => {
    const honest = signed({ FirstName: 'Bob&Role=Staff&UserId=1&Permissions=Read, Modify' })
    expect(ruleOf(honest)).toBe('value-ambiguous')
    const forged = honest.replace(/(?<=FirstName=)[^&]*/, 'Bob&Role=Staff&UserId=1&Permissions=Read%2c+Modify')
    expect(signatureStands(forged, honest)).toBe(true)
    expect(ruleOf(forged)).toBe('parameter-twice')
  })

  it('S3.13 2: the genuine ones hidden in the value before them', () => {
    const honest = signed({ FirstName: 'Bob&Role=Staff&UserId=1&Permissions=Read, Modify' })
    const forged = honest
      .replace(/(?<=FirstName=)[^&]*/, 'Bob&Role=Staff&UserId=1&Permissions=Read%2c+Modify')
      .replace('&Role=Learner', '%26Role%3dLearner')
      .replace('&UserId=9', '%26UserId%3d9')
      .replace('&Permissions=Read%2c+Participate', '%26Permissions%3dRead%2c+Participate')
    expect(signatureStands(forged, honest)).toBe(true)
    expect(ruleOf(forged)).toBe('value-ambiguous')
  })

  it.each(dangerous)('the name %s opens nothing, however it is written', (name) => {
    const honest = signed({ FirstName: name })
    for (const url of [honest, honest.replaceAll('%26', '&').replaceAll('%3d', '='), honest.replaceAll('%26', '&')]) {
      expect(ruleOf(url)).not.toBe('accepted')
    }
  })

  it('licences and schools that decide something cannot be written into a name', () => {
    const licensed = standard({ licensed: true })
    const list = { LicenseIds: '1', ExternalLicenseIds: 'a' }
    const honest = signed({ ...list, LastName: 'x', FirstName: 'x&LicenseIds=7&ExternalLicenseIds=b' })
    expect(ruleOf(honest.replaceAll('%26', '&').replaceAll('%3d', '='), licensed)).toBe('parameter-twice')
    const bare = signed({ LastName: 'x', FirstName: 'x&LicenseIds=7&ExternalLicenseIds=b' })
    expect(ruleOf(bare.replaceAll('%26', '&').replaceAll('%3d', '='))).toBe('licences')
    const school = signed({ LastName: 'x', SchoolId: '4|', FirstName: 'x&SchoolId=3' })
    expect(ruleOf(school.replaceAll('%26', '&').replaceAll('%3d', '='), standard({ schools: [3] }))).toBe(
      'parameter-twice',
    )
  })

  /** The signature alone says nothing against it. */
  function signatureStands(forged: string, honest: string): boolean {
    return signedText(address, queryOf(forged)) === signedText(address, queryOf(honest))
  }
})

describe('10,000 mutated launches', () => {
  const honest = [
    signed({ FirstName: 'Bent Audun', ReadOnly: 'True', SchoolId: '3|Hull' }),
    signed({ FirstName: 'a=b', LastName: 'x&y' }),
    signed({ FirstName: '&', LastName: '&&=', Locale: 'nb-NO' }),
    signed({ FirstName: 'Bob%26Role%3dStaff' }),
    signedQuery(`mode=x&${queryOf(signed({ LastName: '%&+=;?#' }))}`),
  ]

  it('S3.13 are either the same launch or none', () => {
    const random = randomFrom(7)
    const accepted = honest.map((url) => JSON.stringify(verify(url)))
    const tally = { same: 0, refused: 0 }
    const judge = (url: string, index: number): void => {
      const outcome = outcomeOf(url)
      if (outcome !== undefined) expect(outcome, url).toBe(accepted[index])
      tally[outcome === undefined ? 'refused' : 'same'] += 1
    }
    for (const [index, url] of honest.entries()) {
      for (const mutated of everyByte(url, random)) judge(mutated, index)
      for (const mutated of everySwap(url)) judge(mutated, index)
      for (let round = 0; round < 1200; round++) judge(severalSwaps(url, random), index)
    }
    expect(tally.same + tally.refused).toBeGreaterThan(10_000)
    expect(tally.same).toBeGreaterThan(1000)
    expect(tally.refused).toBeGreaterThan(1000)
  })

  it('of a crafted name: none, whichever encodings are exchanged', () => {
    const random = randomFrom(11)
    const crafted = [
      'Bob&Role=Staff',
      'Bob&UserId=1&Role=Staff',
      'Bob&Permissions=Modify',
      'x&SchoolId=3&CustomerId=14',
    ]
    for (const name of crafted) {
      const url = signed({ FirstName: name, SchoolId: '4|' })
      for (const mutated of [...everySwap(url), ...Array.from({ length: 500 }, () => severalSwaps(url, random))]) {
        expect(ruleOf(mutated, standard({ schools: [3, 4] })), mutated).not.toBe('accepted')
      }
    }
  })

  function outcomeOf(url: string): string | undefined {
    try {
      return JSON.stringify(verify(url))
    } catch (error) {
      if (error instanceof LaunchRefused) return undefined
      throw error
    }
  }

  /** Each byte of the query another one, gone, or twice. */
  function everyByte(url: string, random: () => number): readonly string[] {
    const from = url.indexOf('?') + 1
    return Array.from({ length: url.length - from }, (_, offset) => offset + from).flatMap((at) => {
      const [before, own, after] = [url.slice(0, at), url[at]!, url.slice(at + 1)]
      const other = String.fromCharCode(33 + Math.floor(random() * 94))
      return [before + other + after, before + after, before + own + own + after]
    })
  }

  /** Each thing that can be written in two ways written in the other: `&` and `%26`, a letter and its code, digits in either case. */
  function everySwap(url: string): readonly string[] {
    const from = url.indexOf('?') + 1
    const tokens = url.slice(from).match(/%..|[^%]/g)!
    return tokens.flatMap((token, at) =>
      spellings(token).map((other) => url.slice(0, from) + tokens.with(at, other).join('')),
    )
  }

  function severalSwaps(url: string, random: () => number): string {
    const from = url.indexOf('?') + 1
    const tokens = url.slice(from).match(/%..|[^%]/g)!
    const often = random() ** 6
    const swapped = tokens.map((token) => {
      const others = spellings(token)
      const isSpecial = /^(?:[&=+]|%26|%3d)$/i.test(token)
      return random() < (isSpecial ? often : often / 20)
        ? (others[Math.floor(random() * others.length)] ?? token)
        : token
    })
    return url.slice(0, from) + swapped.join('')
  }

  function spellings(token: string): readonly string[] {
    const code = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
    const literal = token === '+' ? ' ' : token.length === 1 ? token : decoded(token)
    const all = [token.toLowerCase(), token.toUpperCase()].filter(() => token.length > 1)
    if (literal !== undefined) all.push(code(literal), code(literal).toUpperCase(), literal === ' ' ? '+' : literal)
    return [...new Set(all)].filter((other) => other !== token)
  }

  function decoded(token: string): string | undefined {
    const byte = Number.parseInt(token.slice(1), 16)
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : undefined
  }

  /** The same in each run (mulberry32). */
  function randomFrom(seed: number): () => number {
    let state = seed
    return () => {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    }
  }
})

describe('readTimestamp', () => {
  it.each(['2026-01-02', '2026-13-02T03:04:05', '2026-01-02T24:00:00', '2026-01-02T03:04:60', ' 2026-01-02T03:04:05'])(
    '%s is none',
    (text) => expect(readTimestamp(text)).toBeUndefined(),
  )
})
