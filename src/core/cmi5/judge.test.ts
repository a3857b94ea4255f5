import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aUnit, allowedStatement, atMinute, definedStatement, sent } from '../../../test/support/cmi5.ts'
import { forget, judge } from './judge.ts'
import type { SentStatement } from './rules.ts'
import { isDone } from './unit.ts'
import type { Progress, RegistrationProgress } from './unit.ts'
import { moveOns } from './vocabulary.ts'
import type { UnitVerb } from './vocabulary.ts'

type Word = UnitVerb | 'experienced'

const now = Date.UTC(2026, 0, 31, 13)
const fresh: Progress = { session: {}, registration: {} }
const verbs: readonly UnitVerb[] = ['initialized', 'completed', 'passed', 'failed', 'terminated']

function say(word: Word, minute: number): SentStatement {
  const timestamp = { timestamp: atMinute(minute) }
  return sent(word === 'experienced' ? allowedStatement(aUnit, timestamp) : definedStatement(word, aUnit, timestamp))
}

/** One request after the other, all of which are accepted. */
function after(progress: Progress, ...words: (readonly [word: Word, minute: number])[]): Progress {
  return words.reduce((before, [word, minute]) => {
    const judged = judge(aUnit, before, [say(word, minute)], now)
    if (!judged.isAccepted) throw new Error(`${word}: ${JSON.stringify(judged.failures)}`)
    return judged.progress
  }, progress)
}

/** The session of a new launch of the same registration. */
function relaunched({ registration }: Progress): Progress {
  return { session: {}, registration }
}

function rulesBroken(progress: Progress, ...sentNow: SentStatement[]): string[] {
  const judged = judge(aUnit, progress, sentNow, now)
  return judged.isAccepted ? [] : judged.failures.map(({ rule, pointer }) => `${rule} ${pointer}`)
}

describe('a session', () => {
  it('from initialized to terminated', () => {
    const progress = after(
      fresh,
      ['initialized', 1],
      ['experienced', 2],
      ['experienced', 2],
      ['completed', 3],
      ['passed', 3],
      ['terminated', 4],
    )
    const { session, registration } = progress
    expect(Object.keys(session).toSorted()).toEqual([
      ...['completed', 'heardAt', 'initialized', 'latest', 'passed', 'terminated'],
    ])
    expect(registration).toEqual({ completed: session.completed, passed: session.passed })
  })

  it('in one request, in any order: that of the timestamps counts', () => {
    const said = [say('terminated', 4), say('passed', 3), say('experienced', 2), say('initialized', 1)]
    expect(rulesBroken(fresh, ...said)).toEqual([])
  })

  it('with one timestamp throughout', () => {
    const said = [say('terminated', 1), say('completed', 1), say('initialized', 1), say('experienced', 1)]
    expect(rulesBroken(fresh, ...said)).toEqual([])
    after(fresh, ['initialized', 1], ['experienced', 1], ['completed', 1], ['terminated', 1])
  })

  it.each([...verbs, 'experienced'] as const)('cmi5/9.3.2: %s before initialized was sent', (word) => {
    if (word === 'initialized') expect(rulesBroken(fresh, say(word, 1))).toEqual([])
    else expect(rulesBroken(fresh, say(word, 1))).toEqual(['cmi5/9.3.2 /verb/id'])
  })

  it.each(['completed', 'passed', 'failed', 'experienced'] as const)(
    'cmi5/9.3.2: %s of a time before initialized',
    (word) => {
      expect(rulesBroken(after(fresh, ['initialized', 2]), say(word, 1))).toEqual(['cmi5/9.3.2 /timestamp'])
    },
  )

  it.each(['completed', 'passed', 'failed', 'experienced'] as const)('cmi5/9.3.8: %s after terminated', (word) => {
    const over = after(fresh, ['initialized', 1], ['terminated', 3])
    expect(rulesBroken(over, say(word, 4))).toEqual(['cmi5/9.3.8 /timestamp'])
    expect(rulesBroken(over, say(word, 2))).toEqual([])
  })

  it('cmi5/9.3.8: terminated of a time before another statement', () => {
    const progress = after(fresh, ['initialized', 1], ['experienced', 3], ['experienced', 2])
    expect(rulesBroken(progress, say('terminated', 2))).toEqual(['cmi5/9.3.8 /timestamp'])
    expect(rulesBroken(progress, say('terminated', 3))).toEqual([])
  })

  it.each(verbs)('cmi5/9.3: %s twice', (verb) => {
    const once = after(fresh, ...(verb === 'initialized' ? [] : ([['initialized', 1]] as const)), [verb, 2])
    expect(rulesBroken(once, say(verb, 2))).toEqual(['cmi5/9.3 /verb/id'])
  })

  it('cmi5/9.3: twice in one request', () => {
    const failures = judge(
      aUnit,
      after(fresh, ['initialized', 1]),
      [
        sent(definedStatement('completed'), { pointer: '/0' }),
        sent(allowedStatement(), { pointer: '/1' }),
        sent(definedStatement('completed'), { pointer: '/2' }),
      ],
      now,
    )
    expect(failures).toMatchObject({ isAccepted: false, failures: [{ rule: 'cmi5/9.3', pointer: '/2/verb/id' }] })
  })

  it.each([
    ['passed', 'failed'],
    ['failed', 'passed'],
  ] as const)('cmi5/9.3: %s, then %s', (one, other) => {
    expect(rulesBroken(after(fresh, ['initialized', 1], [one, 2]), say(other, 3))).toEqual(['cmi5/9.3 /verb/id'])
  })

  it.each(verbs)('%s sent again with its id is the same statement', (verb) => {
    const before = after(fresh, ...(verb === 'initialized' ? [] : ([['initialized', 1]] as const)))
    const one = say(verb, 2)
    const judged = judge(aUnit, before, [one], now)
    expect(judged.isAccepted && judge(aUnit, judged.progress, [one], now)).toEqual(judged)
  })

  it('one broken rule does not speak against the statements behind it', () => {
    const first = sent(definedStatement('initialized', aUnit, { object: { id: 'urn:x:other' } }))
    expect(rulesBroken(fresh, first, say('completed', 6))).toEqual(['cmi5/9.4 /object/id'])
  })

  it('without a timestamp nothing is said about order', () => {
    const { timestamp: _, ...statement } = definedStatement('completed')
    expect(rulesBroken(fresh, sent(statement))).toEqual(['cmi5/9.7 /timestamp'])
  })
})

describe('a registration', () => {
  const tried = relaunched(after(fresh, ['initialized', 1], ['failed', 2], ['terminated', 3]))
  const done = relaunched(after(fresh, ['initialized', 1], ['completed', 2], ['passed', 2], ['terminated', 3]))

  it('is tried again until it is passed', () => {
    const again = relaunched(after(tried, ['initialized', 5], ['failed', 6], ['terminated', 7]))
    expect(after(again, ['initialized', 8], ['passed', 9], ['completed', 9]).registration).toMatchObject({
      failed: {},
      passed: {},
      completed: {},
    })
  })

  it.each([
    ['completed', '9.3.3'],
    ['passed', '9.3.4'],
    ['failed', '9.3'],
  ] as const)('%s after it was completed and passed in an earlier session: cmi5/%s', (verb, section) => {
    const judged = judge(aUnit, after(done, ['initialized', 5]), [say(verb, 6)], now)
    const noted = verb === 'completed' ? done.registration.completed : done.registration.passed
    expect(judged).toMatchObject({
      isAccepted: false,
      failures: [{ rule: `cmi5/${section}`, pointer: '/verb/id' }],
      because: [noted],
    })
  })

  it('cmi5/9.3: passed of a time before it was failed in another session', () => {
    const again = after(tried, ['initialized', 1])
    expect(rulesBroken(again, say('passed', 1))).toEqual(['cmi5/9.3 /verb/id'])
    expect(rulesBroken(again, say('passed', 2))).toEqual([])
  })

  it('failed of a time before it was passed does not follow that', () => {
    expect(rulesBroken(after(done, ['initialized', 1]), say('failed', 1))).toEqual([])
  })
})

describe('whatever is said, in whatever order and however many at a time', () => {
  const words: readonly Word[] = [...verbs, 'experienced']
  const utterance = fc.tuple(fc.constantFrom(...words), fc.integer({ min: 0, max: 6 }))
  const session = fc.array(fc.array(utterance, { minLength: 1, maxLength: 3 }), { maxLength: 12 })

  function accepted(before: Progress, requests: [Word, number][][]): { said: [Word, number][]; progress: Progress } {
    const said: [Word, number][] = []
    let progress = before
    for (const request of requests) {
      const judged = judge(
        aUnit,
        progress,
        request.map(([word, minute]) => say(word, minute)),
        now,
      )
      if (!judged.isAccepted) continue
      said.push(...request)
      progress = judged.progress
    }
    return { said, progress }
  }

  const count = (said: [Word, number][], word: Word): number => said.filter(([one]) => one === word).length
  const minuteOf = (said: [Word, number][], word: Word) => said.find(([one]) => one === word)?.[1]

  it('what is accepted keeps the rules of section 9.3', () => {
    fc.assert(
      fc.property(fc.array(session, { minLength: 1, maxLength: 3 }), (sessions) => {
        let progress = fresh
        const all: [Word, number][] = []
        for (const requests of sessions) {
          const { said, progress: then } = accepted(relaunched(progress), requests)
          progress = then
          all.push(...said)
          const minutes = said.map(([, minute]) => minute)
          for (const verb of verbs) expect(count(said, verb)).toBeLessThanOrEqual(1)
          expect(count(said, 'passed') + count(said, 'failed')).toBeLessThanOrEqual(1)
          if (said.length > 0) expect(minuteOf(said, 'initialized')).toBe(Math.min(...minutes))
          expect([undefined, Math.max(...minutes)]).toContain(minuteOf(said, 'terminated'))
        }
        expect(count(all, 'completed')).toBeLessThanOrEqual(1)
        expect(count(all, 'passed')).toBeLessThanOrEqual(1)
        const passed = minuteOf(all, 'passed') ?? Infinity
        expect(all.filter(([word, minute]) => word === 'failed' && minute > passed)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('what was noted and never stored', () => {
  it('is named as what a refusal rests on, and can be forgotten', () => {
    const progress = after(fresh, ['initialized', 1], ['completed', 2])
    const again = say('completed', 3)
    const judged = judge(aUnit, progress, [again], now)
    if (judged.isAccepted) throw new Error('accepted')
    expect(judged.because).toEqual([progress.session.completed])
    expect(judge(aUnit, forget(progress, new Set(judged.because.map(({ id }) => id))), [again], now)).toMatchObject({
      isAccepted: true,
      progress: { session: { completed: { id: again.id } }, registration: { completed: { id: again.id } } },
    })
  })

  it('nothing that rests on the statement alone is blamed on others', () => {
    const judged = judge(aUnit, after(fresh, ['initialized', 1]), [sent(allowedStatement(aUnit, { context: {} }))], now)
    expect(judged).toMatchObject({ isAccepted: false, because: [] })
  })
})

describe('moveOn', () => {
  const noted = { id: 'x', at: 1, since: now }
  const states: RegistrationProgress[] = [
    {},
    { completed: noted },
    { passed: noted },
    { completed: noted, passed: noted },
  ]
  it.each([
    ['Passed', [false, false, true, true]],
    ['Completed', [false, true, false, true]],
    ['CompletedAndPassed', [false, false, false, true]],
    ['CompletedOrPassed', [false, true, true, true]],
    ['NotApplicable', [true, true, true, true]],
  ] as const)('%s: with nothing, completed, passed, both: %j', (moveOn, expected) => {
    expect(states.map((registration) => isDone({ moveOn }, registration))).toEqual(expected)
  })

  it('failed is worth nothing', () => {
    const worth = moveOns.filter((moveOn) => isDone({ moveOn }, { failed: noted }))
    expect(worth).toEqual(['NotApplicable'])
  })
})
