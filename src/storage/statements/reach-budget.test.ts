import { describe, expect, it } from 'vitest'
import { ReachBudget, weightOf } from './reach-budget.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'

const lrsId = 1 as LrsId
const owner = (id: number) => ({ lrsId, owner: id as CredentialId })
const [ann, bob] = [owner(1), owner(2)]

/** What is left is spent, by as many statements as it takes. */
function exhaust(budget: ReachBudget, arriving: typeof ann, reached: CredentialId): number {
  let spent = 0
  for (let left = budget.left(arriving, reached); left > 0; left = budget.left(arriving, reached)) {
    budget.spend(arriving, reached, left)
    spent += left
    budget.next()
  }
  return spent
}

describe('a budget of statements reached', () => {
  it('is 2,000 per statement and owner reached', () => {
    const budget = new ReachBudget()
    budget.spend(ann, ann.owner, 2_000)
    expect(budget.left(ann, ann.owner)).toBe(0)
    expect(budget.left(ann, bob.owner)).toBe(2_000)
    budget.next()
    expect(budget.left(ann, ann.owner)).toBe(2_000)
  })

  it('is 5,000 per pair of owners and transaction', () => {
    const budget = new ReachBudget()
    expect(exhaust(budget, bob, ann.owner)).toBe(5_000)
    // What bob stores has used up what he may reach of hers, not what she may.
    expect(exhaust(budget, ann, ann.owner)).toBe(5_000)
    budget.reset()
    expect(budget.left(bob, ann.owner)).toBe(2_000)
  })

  it('is 30,000 per Lrs and transaction', () => {
    const budget = new ReachBudget()
    for (let id = 1; id <= 6; id++) expect(exhaust(budget, owner(id), owner(id).owner)).toBe(5_000)
    expect(budget.left(owner(7), owner(7).owner)).toBe(0)
    expect(budget.leftInLrs(lrsId)).toBe(0)
    expect(budget.leftInLrs(2 as LrsId)).toBe(30_000)
  })

  it('is used up sooner by statements of very many postings', () => {
    const usual = { textLength: 200, offered: 10, gained: 10 }
    expect(weightOf(usual)).toBe(1)
    expect(weightOf({ ...usual, textLength: 40_000 })).toBe(10)
    expect(weightOf({ ...usual, offered: 1_000 })).toBe(4)
    expect(weightOf({ ...usual, gained: 256 })).toBe(17)
  })

  it('has 50,000 postings per owner and transaction for what inherits on arrival', () => {
    const budget = new ReachBudget()
    budget.spendOnArrival(bob, 50_000)
    budget.next()
    expect([budget.leftOnArrival(bob), budget.leftOnArrival(ann)]).toEqual([0, 50_000])
    budget.reset()
    expect(budget.leftOnArrival(bob)).toBe(50_000)
  })
})
