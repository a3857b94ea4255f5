import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LrsId } from './ids.ts'
import {
  everyRight,
  fingerprint,
  intersect,
  isBoundWithin,
  isWithin,
  managementActions,
  managementAreas,
  mayManage,
  missingFrom,
  noRights,
  rightsSchema,
  xapiRights,
} from './rights.ts'
import type { Bound, ManagementGrant, Rights } from './rights.ts'

const bounds: readonly Bound[] = [
  { kind: 'organisation' },
  { kind: 'applications' },
  { kind: 'application', id: 'A', lrsIds: [] },
  { kind: 'application', id: 'A', lrsIds: lrs(1, 2) },
  { kind: 'application', id: 'A', lrsIds: lrs(2, 1, 2) },
  { kind: 'application', id: 'A', lrsIds: lrs(2, 3) },
  { kind: 'application', id: 'B', lrsIds: lrs(1, 4) },
  { kind: 'lrs', id: 1 as LrsId },
  { kind: 'lrs', id: 2 as LrsId },
]
/** As they are only made for the moment. */
const ofAll: readonly Bound[] = [
  { kind: 'applications', lrsIds: lrs(1, 2, 4) },
  { kind: 'applications', lrsIds: lrs(2, 3) },
]

function lrs(...ids: readonly number[]): readonly LrsId[] {
  return ids as readonly LrsId[]
}

const anyGrant: fc.Arbitrary<ManagementGrant> = fc
  .record({
    area: fc.constantFrom(...managementAreas),
    actions: fc.uniqueArray(fc.constantFrom(...managementActions), { minLength: 1 }),
    bound: fc.constantFrom(...bounds),
    within: fc.boolean(),
  })
  .map(({ within, ...grant }) => (within ? { ...grant, within } : grant))

const anyBound = fc.constantFrom(...bounds, ...ofAll)

const anyRights: fc.Arbitrary<Rights> = fc.record({
  xapi: fc.dictionary(fc.constantFrom(...xapiRights), fc.constantFrom('any' as const, 'mine' as const)),
  management: fc.array(anyGrant, { maxLength: 4 }),
})

describe('the algebra of rights', () => {
  it('is a partial order with everything on top and nothing at the bottom', () => {
    fc.assert(
      fc.property(anyRights, anyRights, anyRights, (a, b, c) => {
        expect(isWithin(a, a)).toBe(true)
        expect(isWithin(a, everyRight)).toBe(true)
        expect(isWithin(noRights, a)).toBe(true)
        if (isWithin(a, b) && isWithin(b, c)) expect(isWithin(a, c)).toBe(true)
        if (isWithin(a, b) && isWithin(b, a)) expect(fingerprint(a)).toBe(fingerprint(b))
      }),
    )
  })

  it('intersects to the widest rights that lie within both', () => {
    fc.assert(
      fc.property(anyRights, anyRights, anyRights, (a, b, c) => {
        const both = intersect(a, b)
        expect(isWithin(both, a)).toBe(true)
        expect(isWithin(both, b)).toBe(true)
        if (isWithin(c, a) && isWithin(c, b)) expect(isWithin(c, both)).toBe(true)
        expect(isWithin(intersect(c, a), both) || !isWithin(c, b)).toBe(true)
      }),
    )
  })

  it('intersects in any order, any number of times, to the same', () => {
    fc.assert(
      fc.property(anyRights, anyRights, (a, b) => {
        expect(fingerprint(intersect(a, b))).toBe(fingerprint(intersect(b, a)))
        expect(fingerprint(intersect(a, a))).toBe(fingerprint(a))
        expect(fingerprint(intersect(intersect(a, b), b))).toBe(fingerprint(intersect(a, b)))
      }),
    )
  })

  it('has one fingerprint for the same rights however they are written', () => {
    fc.assert(
      fc.property(anyRights, (rights) => {
        const split = rights.management.flatMap(({ actions, ...rest }) =>
          actions.map((action) => ({ ...rest, actions: [action] })),
        )
        const xapi = Object.fromEntries(Object.entries(rights.xapi).toReversed())
        const rewritten = { xapi, management: [...split.toReversed(), ...rights.management] }
        expect(fingerprint(rewritten)).toBe(fingerprint(rights))
      }),
    )
  })

  it('tells different rights apart by fingerprint', () => {
    fc.assert(
      fc.property(anyRights, anyRights, (a, b) => {
        const isSame = isWithin(a, b) && isWithin(b, a)
        expect(fingerprint(a) === fingerprint(b)).toBe(isSame)
      }),
    )
  })

  it('produces rights that pass its own schema', () => {
    fc.assert(
      fc.property(anyRights, anyRights, (a, b) => {
        expect(rightsSchema.safeParse(intersect(a, b)).success).toBe(true)
      }),
    )
  })
})

describe('bounds', () => {
  const grant = (bound: Bound): Rights => {
    return { xapi: {}, management: [{ area: 'credentials', actions: ['write'], bound }] }
  }

  it('are ordered, and none reaches further than what it lies within', () => {
    fc.assert(
      fc.property(anyBound, anyBound, anyBound, (a, b, c) => {
        expect(isBoundWithin(a, a)).toBe(true)
        expect(isBoundWithin(a, { kind: 'organisation' })).toBe(true)
        if (isBoundWithin(a, b) && isBoundWithin(b, c)) expect(isBoundWithin(a, c)).toBe(true)
        for (const id of lrs(1, 2, 3, 4)) {
          const one = { kind: 'lrs', id } as const
          if (isBoundWithin(one, a) && isBoundWithin(a, b)) expect(isBoundWithin(one, b)).toBe(true)
        }
      }),
    )
  })

  it('overlap in what lies within both, no more and no less', () => {
    fc.assert(
      fc.property(anyBound, anyBound, anyBound, (a, b, c) => {
        const both = intersect(grant(a), grant(b))
        const isInBoth = isBoundWithin(c, a) && isBoundWithin(c, b)
        expect(isWithin(grant(c), both)).toBe(isInBoth)
        expect(fingerprint(both)).toBe(fingerprint(intersect(grant(b), grant(a))))
      }),
    )
  })

  it('have a fingerprint of their own, in whatever order they name their Lrs', () => {
    const named = (...ids: readonly number[]): string => {
      return fingerprint(grant({ kind: 'application', id: 'A', lrsIds: lrs(...ids) }))
    }
    expect(named(1, 2)).toBe(named(2, 1, 1))
    expect(new Set([named(), named(1), named(2), named(1, 2)]).size).toBe(4)
  })

  it('of an application that a token names wider than its key has them come out as the key has them', () => {
    const key = grant({ kind: 'application', id: 'A', lrsIds: lrs(1, 2) })
    const token = grant({ kind: 'application', id: 'A', lrsIds: lrs(1, 2, 3) })
    expect(missingFrom(token, key)).toEqual(['manage/credentials/write'])
    for (const both of [intersect(key, token), intersect(token, key)]) expect(both).toEqual(key)
  })

  it('from outside name no Lrs of all applications', () => {
    expect(rightsSchema.safeParse(grant(ofAll[0]!)).success).toBe(false)
    expect(rightsSchema.safeParse(grant({ kind: 'applications' })).success).toBe(true)
  })
})

describe('reach and bound', () => {
  const read = (reach: 'any' | 'mine'): Rights => ({ xapi: { 'statements/read': reach }, management: [] })

  it('puts mine within any, not any within mine', () => {
    expect(isWithin(read('mine'), read('any'))).toBe(true)
    expect(isWithin(read('any'), read('mine'))).toBe(false)
    expect(missingFrom(read('any'), read('mine'))).toEqual(['statements/read any'])
    expect(intersect(read('any'), read('mine'))).toEqual(read('mine'))
  })

  it.each([
    [{ kind: 'application', id: 'A', lrsIds: [] }, { kind: 'applications' }, true],
    [{ kind: 'applications' }, { kind: 'application', id: 'A', lrsIds: [] }, false],
    [{ kind: 'application', id: 'A', lrsIds: [] }, { kind: 'application', id: 'B', lrsIds: [] }, false],
    [{ kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, { kind: 'applications' }, false],
    [{ kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, ofAll[0]!, true],
    [{ kind: 'application', id: 'A', lrsIds: lrs(1) }, { kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, true],
    [{ kind: 'application', id: 'A', lrsIds: lrs(1, 3) }, { kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, false],
    [{ kind: 'applications' }, ofAll[0]!, true],
    [ofAll[0]!, { kind: 'applications' }, false],
    [{ kind: 'lrs', id: 1 as LrsId }, { kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, true],
    [{ kind: 'lrs', id: 3 as LrsId }, { kind: 'application', id: 'A', lrsIds: lrs(1, 2) }, false],
    [{ kind: 'lrs', id: 4 as LrsId }, ofAll[0]!, true],
    [{ kind: 'lrs', id: 1 as LrsId }, { kind: 'applications' }, false],
    [{ kind: 'lrs', id: 1 as LrsId }, { kind: 'lrs', id: 2 as LrsId }, false],
    [{ kind: 'organisation' }, { kind: 'lrs', id: 1 as LrsId }, false],
    [{ kind: 'lrs', id: 1 as LrsId }, { kind: 'organisation' }, true],
  ] satisfies [Bound, Bound, boolean][])('%o within %o: %s', (inner, outer, expected) => {
    expect(isBoundWithin(inner, outer)).toBe(expected)
  })

  it('puts delegated management within full management, not the other way round', () => {
    const full: Rights = { xapi: {}, management: [{ area: 'credentials', actions: ['write'], bound: bounds[0]! }] }
    const delegated: Rights = { xapi: {}, management: [{ ...full.management[0]!, within: true }] }
    expect(isWithin(delegated, full)).toBe(true)
    expect(isWithin(full, delegated)).toBe(false)
    expect(intersect(full, delegated).management[0]?.within).toBe(true)
  })

  it('manages only inside the bound', () => {
    const rights: Rights = {
      xapi: {},
      management: [{ area: 'credentials', actions: ['read'], bound: { kind: 'lrs', id: 1 as LrsId } }],
    }
    expect(mayManage({ rights }, 'credentials', 'read', { kind: 'lrs', id: 1 as LrsId })).toBe(true)
    expect(mayManage({ rights }, 'credentials', 'read')).toBe(false)
    expect(mayManage({ rights }, 'credentials', 'write', { kind: 'lrs', id: 1 as LrsId })).toBe(false)
    expect(mayManage({ rights }, 'data', 'read', { kind: 'lrs', id: 1 as LrsId })).toBe(false)
  })
})
