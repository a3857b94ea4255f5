import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cmi5Address, tincanAddress } from './address.ts'

const actor = {
  objectType: 'Agent',
  account: { homePage: 'https://school.example/a?b=c&d', name: "Zoë + O'Hara & sons = 100%" },
}
const common = {
  url: 'https://content.example/course/index.html',
  endpoint: 'https://lrs.example/xapi/',
  actor,
  registration: 'ec531277-b57b-4c15-8d91-d292c5b2b8f7',
  activityId: 'https://content.example/course?part=1&more',
}
const tincan = { ...common, key: 'ses_1', secret: 'a:b+/=' }
const cmi5 = { ...common, fetchUrl: 'https://lrs.example/launch/fetch/abc' }

/** As ADL's xAPIWrapper reads an address: no `+` for a space, nothing with two `=`. */
function readStrictly(address: string): Record<string, string> {
  const query = new URL(address).search.slice(1)
  const pairs = query.split('&').map((piece) => piece.split('='))
  return Object.fromEntries(
    pairs.flatMap(([name, value, ...more]) => (more.length === 0 ? [[name!, decodeURIComponent(value ?? '')]] : [])),
  ) as Record<string, string>
}

/** As TinCanJS and whoever uses URLSearchParams do. */
function readLeniently(address: string): Record<string, string> {
  return Object.fromEntries(new URL(address).searchParams)
}

describe('a Tin Can address', () => {
  it('says the same to strict and lenient readers, and nothing else', () => {
    const meant = {
      endpoint: tincan.endpoint,
      auth: `Basic ${Buffer.from('ses_1:a:b+/=').toString('base64')}`,
      actor: JSON.stringify(actor),
      registration: tincan.registration,
      activity_id: tincan.activityId,
    }
    const address = tincanAddress(tincan)
    expect(readStrictly(address)).toEqual(meant)
    expect(readLeniently(address)).toEqual(meant)
    expect(address).not.toContain('+')
  })

  it('does so whatever the learner is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        const named = { ...actor, account: { ...actor.account, name } }
        const address = tincanAddress({ ...tincan, actor: named })
        expect(JSON.parse(readStrictly(address)['actor']!)).toEqual(named)
        expect(JSON.parse(readLeniently(address)['actor']!)).toEqual(named)
      }),
    )
  })
})

describe('a cmi5 address', () => {
  it('has the five parameters of section 8.1', () => {
    const meant = {
      endpoint: cmi5.endpoint,
      fetch: cmi5.fetchUrl,
      actor: JSON.stringify(actor),
      registration: cmi5.registration,
      activityId: cmi5.activityId,
    }
    expect(readStrictly(cmi5Address(cmi5))).toEqual(meant)
    expect(readLeniently(cmi5Address(cmi5))).toEqual(meant)
  })
})

describe('the content’s own address', () => {
  const addressOf = (url: string): string => cmi5Address({ ...cmi5, url })
  const ours = addressOf('https://a.example/').split('?')[1]!

  it.each([
    ['https://a.example/x', `https://a.example/x?${ours}`],
    ['https://a.example/x?', `https://a.example/x?${ours}`],
    ['https://a.example/x?lang=en', `https://a.example/x?lang=en&${ours}`],
    ['https://a.example/x?lang=en&', `https://a.example/x?lang=en&${ours}`],
    ['https://a.example/x?q=a+b%20c&flag', `https://a.example/x?q=a+b%20c&flag&${ours}`],
    ['https://a.example/x#/page?y=1', `https://a.example/x?${ours}#/page?y=1`],
    ['https://a.example/x?lang=en#top', `https://a.example/x?lang=en&${ours}#top`],
  ])('keeps its query and its fragment: %s', (url, meant) => expect(addressOf(url)).toBe(meant))

  it('cannot speak in our place, however the name is written', () => {
    const address = addressOf('https://a.example/x?fetch=evil&a=1&%66etch=evil&fetch&activityId=evil&endpoint=')
    expect(address).toBe(`https://a.example/x?a=1&${ours}`)
  })

  it('keeps what another style of launch would mean', () => {
    const url = 'https://a.example/x?fetch=true&toString=1'
    expect(tincanAddress({ ...tincan, url })).toMatch(/^https:\/\/a\.example\/x\?fetch=true&toString=1&endpoint=/)
  })
})
