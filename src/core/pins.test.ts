import { describe, expect, it } from 'vitest'
import { arePinsWithin, combinePins, pinsSchema, readingPins } from './pins.ts'
import type { Pins } from './pins.ts'

const registration = '6a9d8b1e-0d5e-4a0e-9d0f-2b9f0f3c1a11'
const anywhere: Pins = { actor: [{ accountName: 'ada' }] }
const atHome: Pins = { actor: [{ accountName: 'ada', homePage: 'https://lms.example.org' }] }

describe('pins together', () => {
  it.each([
    ['nothing and a pin', {}, atHome, atHome],
    ['an account anywhere and at one home page', anywhere, atHome, atHome],
    [
      'two identities and one of them',
      { actor: [{ mbox: 'mailto:a@b.c' }, { accountName: 'ada' }] },
      anywhere,
      anywhere,
    ],
    [
      'an activity and one below it',
      { activity: 'https://x.example/course' },
      { activity: 'https://x.example/course/1' },
      { activity: 'https://x.example/course/1' },
    ],
    [
      'a registration, lax and strict',
      { registration: { id: registration, mode: 'whenPresent' } },
      { registration: { id: registration, mode: 'required' } },
      { registration: { id: registration, mode: 'required' } },
    ],
    ['pins of different kinds', atHome, { activity: 'urn:a' }, { ...atHome, activity: 'urn:a' }],
  ] satisfies [string, Pins, Pins, Pins][])('%s', (_, a, b, both) => {
    expect(combinePins(a, b)).toEqual(both)
    expect(combinePins(b, a)).toEqual(both)
    expect(arePinsWithin(both, a) && arePinsWithin(both, b)).toBe(true)
  })

  it.each([
    ['two people', anywhere, { actor: [{ accountName: 'bob' }] }],
    ['an address and an account', { actor: [{ mbox: 'mailto:ada@x.example' }] }, anywhere],
    ['neighbouring activities', { activity: 'https://x.example/a' }, { activity: 'https://x.example/ab' }],
    [
      'two registrations',
      { registration: { id: registration, mode: 'required' } },
      { registration: { id: registration.replace('6', '7'), mode: 'required' } },
    ],
  ] satisfies [string, Pins, Pins][])('%s let nothing pass', (_, a, b) => {
    expect(combinePins(a, b)).toBeUndefined()
  })

  it('are within only what is as wide', () => {
    expect(arePinsWithin(atHome, anywhere)).toBe(true)
    expect(arePinsWithin(anywhere, atHome)).toBe(false)
    expect(arePinsWithin({}, atHome)).toBe(false)
    expect(arePinsWithin(atHome, {})).toBe(true)
  })
})

describe('the shape of pins', () => {
  it.each([
    [{ actor: [{ mbox: 'mailto:ada@example.org' }], registration: { id: registration, mode: 'required' } }],
    [{ activity: 'https://example.org/course' }],
    [{}],
  ])('accepts %o', (pins) => {
    expect(pinsSchema.safeParse(pins).success).toBe(true)
  })

  it.each([
    [{ actor: [] }, 'at least one'],
    [{ actor: [{ mbox: 'ada@example.org' }] }, 'An mbox is mailto: and an e-mail address'],
    [{ actor: [{ mbox: 'mailto:ada' }] }, 'An mbox is mailto: and an e-mail address'],
    [{ actor: [{ accountName: 'ada', homePage: 'acme' }] }, 'The homePage of an account is an absolute URL.'],
    [{ actor: [{ mbox: 'mailto:a@b.c', accountName: 'x' }] }, 'homePage may be left out'],
    [{ registration: { id: 'nine', mode: 'required' } }, 'UUID'],
    [{ registration: { id: registration, mode: 'maybe' } }, 'required or whenPresent'],
    [{ activity: 'course' }, 'absolute IRI'],
    [{ actors: [] }, 'actors'],
  ])('refuses %o', (pins, message) => {
    expect(pinsSchema.safeParse(pins).error?.message).toContain(message)
  })
})

describe('reading what others did', () => {
  const reads = { readsOthers: true } as const
  const activity = 'https://x.example/course'
  const evaluator: Pins = { ...atHome, activity, ...reads }

  it('holds reads to the activity alone', () => {
    expect(readingPins(evaluator)).toEqual({ activity })
    expect(readingPins({ ...atHome, activity })).toEqual({ ...atHome, activity })
  })

  it.each([
    ['under a parent without pins', {}, evaluator, true],
    ['under a parent with an activity', { activity }, evaluator, true],
    ['under a parent that may, too', evaluator, evaluator, true],
    ['not under a parent with an actor', anywhere, evaluator, undefined],
    [
      'not under one with a registration',
      { registration: { id: registration, mode: 'required' } },
      evaluator,
      undefined,
    ],
    ['not by a session that does not', { ...evaluator }, atHome, undefined],
  ] satisfies [string, Pins, Pins, true | undefined][])('%s', (_, a, b, expected) => {
    for (const both of [combinePins(a, b), combinePins(b, a)]) {
      expect(both?.readsOthers).toBe(expected)
      expect(arePinsWithin(both ?? {}, a) && arePinsWithin(both ?? {}, b)).toBe(true)
    }
  })

  it('is wider than the same pins without it', () => {
    expect(arePinsWithin(evaluator, { ...atHome, activity })).toBe(false)
    expect(arePinsWithin({ ...atHome, activity }, evaluator)).toBe(true)
  })

  it('goes with an activity', () => {
    expect(pinsSchema.safeParse(evaluator).success).toBe(true)
    expect(pinsSchema.safeParse({ ...atHome, ...reads }).success).toBe(false)
    expect(pinsSchema.safeParse({ ...evaluator, readsOthers: false }).success).toBe(false)
  })
})
