import { describe, expect, it } from 'vitest'
import { diagnose } from './diagnosis.ts'
import type { Asked, Diagnosis } from './diagnosis.ts'
import { readSettings } from './settings.ts'
import { signLaunch } from './signing.ts'
import { writeTimestamp } from './verification.ts'

const secret = 'A Secret of more than thirty-two characters'
const now = Date.parse('2026-01-02T03:04:05Z')
const base = 'https://lrs.example.org/launch/itslearning/school'
const launch = {
  ...{ customerId: '14', learningObjectId: '100', instanceId: '200', userId: '9', role: 'Learner' },
  ...{ permissions: ['Read', 'Participate'], apiSessionId: 'abc123abc123', now },
}
const platform = { id: 'school', baseUrl: 'https://lrs.example.org', settings: readSettings({ customers: [14] }) }

function signed(at = `${base}/view`, more: Readonly<Record<string, string>> = {}, by = secret): string {
  return signLaunch(at, { ...launch, more: { FirstName: 'Zoë', LastName: 'Š', ...more } }, by)
}

function diagnosed(url: string, asked: Partial<Asked> = {}): Diagnosis {
  return diagnose({ url, secrets: [secret], platform, now, ...asked })
}

/** What a signature would have fitted. */
function hintsOf(url: string, asked: Partial<Asked> = {}): string {
  return diagnosed(url, asked)
    .faults.flatMap(({ hints }) => hints)
    .join('\n')
}

const opened = (url: string): string => url.replace(/^[^?]*/, `${base}/view`)

describe('diagnose', () => {
  it('finds nothing wrong with what would be let in', () => {
    const { isAccepted, faults, launch: read, page, parameters } = diagnosed(signed())
    expect({ isAccepted, faults, page }).toEqual({ isAccepted: true, faults: [], page: 'view' })
    expect(read).toMatchObject({ userId: '9', lastName: 'Š' })
    expect(parameters).toContainEqual({ name: 'UserId', value: '9', describes: expect.stringContaining('the person') })
  })

  it('needs no platform: then the address is taken for the registered one', () => {
    const { isAccepted, launch: read } = diagnosed(signed('http://other/its/view?mode=x'), { platform: undefined })
    expect(isAccepted).toBe(true)
    expect(read).toMatchObject({ customerId: '14' })
  })

  it('tells every fault, not the first alone', () => {
    const url = signed(undefined, { CustomerId: '15', Timestamp: writeTimestamp(now - 3_600_000) }, 'x'.repeat(32))
    expect(diagnosed(url).faults.map(({ rule }) => rule)).toEqual(['signature-wrong', 'customer', 'time'])
  })

  it.each([
    [
      opened(signed('http://lrs.example.org/launch/itslearning/school/view')),
      'registered there is http://lrs.example.org/',
    ],
    [opened(signed(`${base}/view/`)), 'registered there is https://lrs.example.org/launch/itslearning/school/view/ '],
    [opened(signed(`${base}/add`)), '/school/add'],
    [opened(signed('https://lrs.example.org:443/launch/itslearning/school/view')), 'lrs.example.org:443/'],
    [signed(undefined, {}, secret.toLowerCase()), 'the secret is taken in lower case'],
    [signed().replace(/\w+$/, (hex) => hex.toUpperCase()), 'upper-case'],
    [signed().replace(/^(.*)(&Role=Learner)(.*)$/, '$1$3$2'), 'another order'],
    [signed(undefined, {}, 'y'.repeat(40)), 'the secret is another one'],
    [signed().slice(0, -5), 'cut off'],
  ])('explains a signature: %#', (url, words) => {
    expect(hintsOf(url)).toContain(words)
    expect(diagnosed(url).isAccepted).toBe(false)
  })

  it('sees the address it was opened at, where another is registered', () => {
    expect(hintsOf(signed('https://tools.example.org/its/view'))).toContain(
      'registered there is https://tools.example.org/its/view',
    )
  })

  it('knows what an old sender signs, and the formula of the REST API', () => {
    const latin =
      'https://lrs.example.org/itslearning/view?ApiSessionId=abc123abc123&CustomerId=14&FirstName=Zo%c3%ab' +
      '&LastName=%c5%a0%c4%8d+%e2%82%ac&LearningObjectId=100&LearningObjectInstanceId=200&Permissions=Read%2c+Participate' +
      '&Role=Learner&UserId=9&Timestamp=2026-01-02T03%3a04%3a05&Signature=2f1b68f028d3f8d31f938c46eca914ce'
    expect(hintsOf(latin, { secrets: ['test-secret-0001'], platform: undefined })).toContain('ISO 8859-1')
    const settings = readSettings({ customers: [14], applicationKey: 'app-key-0001' })
    const url = signed(undefined, { ApiSessionId: 'n0hsmdawswebjt2fqtap4n55', Timestamp: '2014-01-16T15:18:07' })
    const rest = url.replace(/\w+$/, 'd9ceabc526842f4dfe9169776f180e02')
    expect(hintsOf(rest, { secrets: ['test-secret-0001'], platform: { ...platform, settings } })).toContain('REST API')
  })

  it('shows what was hashed, and never the secret', () => {
    const url = signed(undefined, {}, 'z'.repeat(32))
    const found = diagnosed(url)
    expect(found.signedText).toMatch(/^https:.*&FirstName=Zoë&.*T03:04:05$/)
    expect(JSON.stringify(found)).not.toContain(secret)
  })

  it.each([
    '',
    'x',
    'https://',
    '?',
    '%',
    'https://h/view?%',
    `https://h/view?${'a=1&'.repeat(200)}`,
    signed().replace('Zo%c3%ab', '%ff'),
  ])('takes anything: %.30s', (url) => expect(diagnosed(url).isAccepted).toBe(false))

  it('says of somebody who adds parameters that somebody does', () => {
    const url = signed(undefined, { FirstName: 'Bob&Role=Staff' })
    expect(diagnosed(url).faults).toEqual([expect.objectContaining({ rule: 'value-ambiguous' })])
    expect(hintsOf(url)).toContain('add parameters')
  })
})
