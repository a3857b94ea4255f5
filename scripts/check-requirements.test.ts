import { describe, expect, it } from 'vitest'
import { requirements } from '../test/conformance/requirements.ts'
import { checkRequirements, findSkipped } from './check-requirements.ts'

const testable = requirements.filter(({ notHere }) => notHere === undefined)
const titles = testable.map(({ id }) => `statements > ${id} is kept`)

describe('checkRequirements', () => {
  it('is content when every id stands in a title', () => {
    expect(checkRequirements(requirements, titles)).toEqual([])
  })

  it('names what no test names', () => {
    const [first] = testable
    expect(checkRequirements(requirements, titles.slice(1))).toEqual([
      `${first?.id}: no test names it in its title (${first?.section}: ${first?.rule})`,
    ])
  })

  it('finds several ids in one title, and no id in a longer number', () => {
    const [first, second] = testable
    const rest = titles.slice(2)
    expect(checkRequirements(requirements, [...rest, `${first?.id} ${second?.id} are kept`])).toEqual([])
    expect(checkRequirements(requirements, [...rest, `${first?.id}0 ${second?.id}`])).toHaveLength(2)
  })

  it('notices a lost, a repeated and an unknown number', () => {
    const lost = requirements.filter(({ id }) => id !== 'XAPI-00095')
    expect(checkRequirements(lost, titles)).toEqual(['XAPI-00095: not in the list'])
    expect(checkRequirements([...requirements, requirements[0]!], titles)).toEqual(['XAPI-00001: twice'])
    expect(checkRequirements(requirements, [...titles, 'XAPI-99999 is ours'])).toEqual([
      'XAPI-99999: named by a test, but not in the list',
    ])
  })

  it('notices a reason that does not hold', () => {
    expect(checkRequirements(requirements, [...titles, 'XAPI-00095 is kept'])).toEqual([
      'XAPI-00095: tested, though the list says it cannot be',
    ])
  })
})

describe('findSkipped', () => {
  it.each(['skip', 'todo', 'only'])('sees it.%s', (how) => {
    expect(findSkipped(`  it.${how}('XAPI-00001', () => {})`)).toBe(true)
  })

  it('sees nothing in tests that run', () => {
    expect(findSkipped(`it.each([1])('skips nothing', () => {})`)).toBe(false)
  })
})
