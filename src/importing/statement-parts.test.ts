import { describe, expect, it } from 'vitest'
import { DomainError } from '../core/errors.ts'
import type { Core } from '../core/core.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { ImportedStatement, Json } from '../core/storage.ts'
import { ListedPart } from '../storage/statements/listed-part.ts'
import { Positions, StoreQueue } from './parts.ts'
import type { Place, Rejects } from './rejects.ts'
import { StatementParts } from './statement-parts.ts'
import { Tally } from './tally.ts'

interface StoredPart {
  readonly lrsId: LrsId
  readonly ids: readonly string[]
  readonly progress: Json | undefined
}

/** A store that refuses parts which hold what it cannot store, and takes a moment for the others. */
function newParts(isRefused: (id: string) => boolean = () => false) {
  const [stored, rejected]: [StoredPart[], unknown[]] = [[], []]
  const imports: Partial<Core['imports']> = {
    newPart: () => new ListedPart(),
    prepareStatement: (value) => ({ id: value, openBody: `{"id":"${value}"` }) as unknown as ImportedStatement,
    storeStatements: async (_, { lrsId, statements, progress }) => {
      const ids = (statements as ListedPart).statements.map(({ id }) => id)
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (ids.some(isRefused)) throw new DomainError('invalid', 'no room')
      stored.push({ lrsId, ids, progress })
      return ids.map(() => 'stored')
    },
  }
  const positions = new Positions([])
  const parts = new StatementParts({
    ...{ core: { imports } as Core, operator: { operator: 'test' }, importId: 'i' as never, isDryRun: false },
    ...{ tally: new Tally({}), queue: new StoreQueue(), positions },
    rejects: { write: (place: Place) => void rejected.push(place.record()) } as unknown as Rejects,
  })
  const add = (lrs: number, number: number) =>
    parts.add({ organisationId: 1 as OrganisationId, lrsId: lrs as LrsId }, {
      ...{ statement: `s${number}`, number, place: { file: 'f', line: number, record: () => undefined } },
      ...{ owner: 1, authority: {}, isVoided: false, voidReach: 'any', defineReach: 'any' },
    } as never)
  return { parts, add, stored, rejected, positions }
}

describe('statements on their way into the store', () => {
  it('are stored with no more progress than is stored, where one of them is refused', async () => {
    const { parts, add, stored, rejected, positions } = newParts((id) => id === 's6')
    for (let number = 1; number <= 8; number++) await add(1, number)
    await parts.flush()
    const progress = (statements: number) => ({ statements, documents: 0 })
    expect(stored.map(({ ids, progress }) => [ids, progress])).toEqual([
      [['s1', 's2', 's3', 's4'], progress(4)],
      [['s5'], progress(5)],
      [['s7', 's8'], progress(8)],
    ])
    expect(rejected).toEqual([{ id: 's6' }])
    expect(positions.counts.statements).toEqual({ stored: 7, there: 0, refused: 0 })
  })

  it.each([1, 2, 12])('of %i Lrs go in large parts, each in its order, all of them', async (count) => {
    const { parts, add, stored } = newParts()
    for (let number = 1; number <= 12_000; number++) await add(1 + (number % count), number)
    await parts.flush()
    const sizes = stored.map(({ ids }) => ids.length)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12_000)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000)
    for (let lrsId = 1; lrsId <= count; lrsId++) {
      const numbers = stored
        .filter((one) => one.lrsId === lrsId)
        .flatMap(({ ids }) => ids.map((id) => Number(id.slice(1))))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  })

  it('of one Lrs wait for their turn as one part', async () => {
    const { parts, add, stored } = newParts()
    for (let number = 1; number <= 3_000; number++) await add(1, number)
    await parts.flush()
    // The first is stored as soon as there is enough of it; nothing was answered before the next was full.
    expect(stored.map(({ ids }) => ids.length)).toEqual([400, 2_000, 600])
  })
})
