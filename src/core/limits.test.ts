import { describe, expect, it } from 'vitest'
import { Counters, RateLimits, areLimitsWithin, batchLimitOf, limitsSchema, refusingLimit } from './limits.ts'
import type { Limits, ServerLimits, SizeLimit } from './limits.ts'
import type { CredentialId } from './ids.ts'
import type { Principal } from './principal.ts'

const server: ServerLimits = { batch: 50, bodyBytes: 1000, documentBytes: 5000, xapiRatePerMinute: undefined }
const noon = { now: () => Date.parse('2026-01-02T12:00:00Z') }
const limitsFor = (own = server) => new RateLimits({ clock: noon, server: own })

// The part of a principal that limits look at.
function principal(limits: Limits, credentialId = 1): Principal {
  return { limits, credentialId: credentialId as CredentialId } as Principal
}

describe('what is known when a request arrives', () => {
  it.each([
    ['203.0.113.7', true],
    ['203.0.113.255', true],
    ['::ffff:203.0.113.7', true],
    ['203.0.114.1', false],
    ['2001:db8::17', true],
    ['2001:db9::17', false],
    ['nonsense', false],
    [undefined, false],
  ])('address %s passes: %s', (address, passes) => {
    const limits = { addresses: ['203.0.113.0/24', '2001:db8::/32'] }
    expect(refusingLimit(limits, { address }) === undefined).toBe(passes)
  })

  it('judges the Origin a browser sends, and lets programs without one pass', () => {
    const limits = { origins: ['https://lms.example.org'] }
    expect(refusingLimit(limits, { origin: 'https://lms.example.org' })).toBeUndefined()
    expect(refusingLimit(limits, {})).toBeUndefined()
    expect(refusingLimit(limits, { origin: 'https://evil.example' })).toMatchObject({ decidedBy: 'limit origins' })
  })

  it('judges the xAPI version', () => {
    expect(refusingLimit({ xapiVersions: ['1.0'] }, { version: '2.0' })?.reason).toContain('xAPI 1.0, not 2.0')
    expect(refusingLimit({ xapiVersions: ['1.0'] }, { version: '1.0' })).toBeUndefined()
  })

  it('refuses before it counts', () => {
    const who = principal({ addresses: ['203.0.113.7'], ratePerMinute: 1 })
    expect(() => limitsFor().admit(who, { address: '203.0.113.8' })).toThrow('may not be used from 203.0.113.8')
  })
})

describe('rates', () => {
  it('wait for nothing when there is no limit', () => {
    expect(limitsFor().admit(principal({}), {})).toBeUndefined()
  })

  it('admit the rate and the burst on top, then say when to come back', async () => {
    const limits = limitsFor()
    const who = principal({ ratePerMinute: 2, burst: 1 })
    for (let n = 0; n < 3; n += 1) await limits.admit(who, {})
    await expect(limits.admit(who, {})).rejects.toMatchObject({
      code: 'rate_limited',
      detail: { decidedBy: 'limit ratePerMinute', retryAfterSeconds: expect.any(Number) },
    })
    await limits.admit(principal({ ratePerMinute: 2 }, 2), {})
  })

  it("use the server's rate for a credential without its own", async () => {
    const limits = limitsFor({ ...server, xapiRatePerMinute: 1 })
    await limits.admit(principal({}), {})
    await expect(limits.admit(principal({}), {})).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('do not share counters between buckets', async () => {
    const limits = limitsFor()
    await limits.consume('one', 'k', { perMinute: 1 })
    await limits.consume('two', 'k', { perMinute: 1 })
    await expect(limits.consume('one', 'k', { perMinute: 1 })).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('count a day to midnight UTC', async () => {
    const limits = limitsFor()
    const who = principal({ dailyQuota: 1 })
    await limits.admit(who, {})
    await expect(limits.admit(who, {})).rejects.toMatchObject({
      detail: { decidedBy: 'limit dailyQuota', retryAfterSeconds: 43_200 },
    })
  })
})

describe('sizes', () => {
  it("hold to the smaller of the server's and the credential's limit", () => {
    const limits = limitsFor()
    expect(limits.bodyLimit(principal({ bodyBytes: 10 })).most).toBe(10)
    expect(limits.bodyLimit(principal({ bodyBytes: 5000 })).most).toBe(1000)
    expect(() => limits.checkLoad(principal({ batch: 2 }), { batch: 3 })).toThrow('2 statements')
    expect(limits.documentLimit(principal({}), { isJson: true }).most).toBe(1000)
    expect(limits.documentLimit(principal({}), { isJson: false }).most).toBe(5000)
    expect(limits.documentLimit(principal({ bodyBytes: 10 }), { isJson: false }).most).toBe(10)
    expect(() => limits.checkLoad(principal({}), { bodyBytes: 1001 })).toThrow('1000 bytes')
    expect(() => limits.checkLoad(principal({}), { bodyBytes: 1000, batch: 50 })).not.toThrow()
  })

  it('say what set them', () => {
    const limits = limitsFor({ ...server, attachmentBytes: 2000, attachmentsBytes: 3000 })
    const [free, small] = [principal({}), principal({ bodyBytes: 10, batch: 1 })]
    const says = (limit: SizeLimit) => [limit.decidedBy, limit.remedy]
    const ofServer = (setting: string) => [`limit ${setting}`, `Raise ${setting} on the server.`]
    expect(says(limits.bodyLimit(free))).toEqual(ofServer('CLAVIGER_MAX_BODY'))
    expect(says(limits.documentLimit(free, { isJson: true }))).toEqual(ofServer('CLAVIGER_MAX_BODY'))
    expect(says(limits.documentLimit(free, { isJson: false }))).toEqual(ofServer('CLAVIGER_MAX_DOCUMENT'))
    expect(says(limits.attachmentLimits(free).each)).toEqual(ofServer('CLAVIGER_MAX_ATTACHMENT'))
    expect(says(limits.attachmentLimits(free).together)).toEqual(ofServer('CLAVIGER_MAX_UPLOAD'))
    expect(says(batchLimitOf(free, 50))).toEqual(ofServer('CLAVIGER_MAX_BATCH'))
    const own = ['limit bodyBytes', 'Change the limit "bodyBytes" of this key.']
    const { each, together } = limits.attachmentLimits(small)
    for (const limit of [limits.bodyLimit(small), limits.documentLimit(small, { isJson: false }), each, together]) {
      expect(says(limit)).toEqual(own)
    }
    expect(says(batchLimitOf(small, 50))).toEqual(['limit batch', 'Change the limit "batch" of this key.'])
  })
})

describe('counters', () => {
  it('stay bounded under a flood of names', async () => {
    const counters = new Counters(100)
    for (let n = 0; n < 5000; n += 1) await counters.add(`name ${n}`, 60)
    expect(counters.size).toBe(100)
    // Forgotten names begin again, remembered ones go on.
    expect((await counters.add('name 0', 60)).count).toBe(1)
    expect((await counters.add('name 4999', 60)).count).toBe(2)
  })

  it('take one back', async () => {
    const counters = new Counters(10)
    await counters.add('a', 60)
    await counters.add('a', 60)
    await counters.takeBack('a')
    await counters.takeBack('never counted')
    expect((await counters.add('a', 60)).count).toBe(2)
    expect((await counters.add('never counted', 60)).count).toBe(1)
  })
})

describe('limits beside limits', () => {
  it.each([
    [{ ratePerMinute: 5 }, { ratePerMinute: 10 }, true],
    [{ ratePerMinute: 10, burst: 5 }, { ratePerMinute: 10 }, false],
    [{}, { dailyQuota: 10 }, false],
    [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.1', '10.0.0.2'] }, true],
    [{ addresses: ['10.0.0.3'] }, { addresses: ['10.0.0.1'] }, false],
    [{ batch: 1 }, {}, true],
  ])('%o within %o: %s', (a, b, expected) => {
    expect(areLimitsWithin(a, b)).toBe(expected)
  })

  it.each([
    [{ ratePerMinute: 0 }, 'at least 1'],
    [{ ratePerMinute: 1.5 }, 'whole number'],
    [{ addresses: ['10.0.0.0/33'] }, 'CIDR'],
    [{ addresses: ['example.org'] }, 'CIDR'],
    [{ addresses: ['::ffff:10.0.0.0/120'] }, 'CIDR'],
    [{ addresses: ['1'] }, 'CIDR'],
    [{ origins: ['https://lms.example.org/'] }, 'without path'],
    [{ xapiVersions: ['3'] }, '1.0 and 2.0'],
    [{ rate: 1 }, 'rate'],
  ])('refuse %o', (limits, message) => {
    expect(limitsSchema.safeParse(limits).error?.message).toContain(message)
  })
})
