import { describe, expect, it } from 'vitest'
import { describeRights, getPreset, presets } from './presets.ts'
import { everyRight, fingerprint, isWithin, managementAreas, noRights, rightsSchema, xapiRights } from './rights.ts'
import type { LrsId } from './ids.ts'
import type { ManagementAction, Rights } from './rights.ts'

function rightsOf(name: string): Rights {
  return getPreset(name).rights
}

describe('presets', () => {
  it('have unique names, valid rights and no two of them the same rights', () => {
    expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length)
    expect(new Set(presets.map(({ rights }) => fingerprint(rights))).size).toBe(presets.length)
    for (const { rights } of presets) expect(rightsSchema.safeParse(rights).success).toBe(true)
  })

  it('has none by another name', () => {
    expect(() => getPreset('no such preset')).toThrow('no such preset')
  })

  it('nest as their names promise', () => {
    const chain = ['none', 'read-mine', 'read-only', 'xapi', 'global', 'everything']
    for (const [at, name] of chain.slice(1).entries()) {
      expect(isWithin(rightsOf(chain[at]!), rightsOf(name))).toBe(true)
      expect(isWithin(rightsOf(name), rightsOf(chain[at]!))).toBe(false)
    }
    expect(isWithin(rightsOf('isolated'), rightsOf('xapi'))).toBe(true)
  })

  it('follow the table of rights', () => {
    expect(rightsOf('everything')).toEqual(everyRight)
    expect(rightsOf('none')).toEqual(noRights)
    expect(rightsOf('xapi').xapi['statements/delete']).toBeUndefined()
    expect(rightsOf('xapi').xapi['authority/set']).toBeUndefined()
    expect(rightsOf('global').xapi['authority/set']).toBe('any')
    expect(rightsOf('xapi-and-management').xapi['statements/delete']).toBeUndefined()
    expect(rightsOf('isolated').xapi).toEqual({
      'statements/write': 'any',
      'statements/read': 'mine',
      'statements/void': 'mine',
      'state/read': 'mine',
      'state/write': 'mine',
      'profile/read': 'mine',
      'profile/write': 'mine',
      'agents/read': 'mine',
      'activities/read': 'mine',
      define: 'mine',
    })
    expect(rightsOf('write-only').xapi).toEqual({ 'statements/write': 'any' })
  })
})

describe('rights in words', () => {
  it('say something of every right and every area, once', () => {
    const lines = ({ may, mayNot }: { may: readonly string[]; mayNot: readonly string[] }) => may.length + mayNot.length
    expect(lines(describeRights(noRights))).toBe(xapiRights.length + 1)
    expect(lines(describeRights(everyRight))).toBe(xapiRights.length + managementAreas.length)
  })

  it('draw the line of reach mine on both sides', () => {
    const { may, mayNot } = describeRights(rightsOf('isolated'))
    expect(may).toContain('read the statements it stored')
    expect(mayNot).toContain("read other keys' statements")
    expect(mayNot).toContain('manage anything')
  })

  it('name pins and limits apart from rights', () => {
    const id = '0e1c3f6a-3a4d-4c55-9d5b-6f0a3a1d2c4b'
    const { mayNot, only } = describeRights(
      rightsOf('xapi'),
      { actor: [{ accountName: 'ada' }], activity: 'urn:course', registration: { id, mode: 'required' } },
      { ratePerMinute: 60, burst: 5, addresses: ['192.0.2.0/24'] },
    )
    expect(only).toEqual([
      'about the actor account ada of any home page',
      `in the registration ${id}, which every statement must carry`,
      'about the activity urn:course and what lies below it',
      'with 60 requests a minute at most, and 5 more at once',
      'from the addresses 192.0.2.0/24',
    ])
    expect(mayNot).toEqual(describeRights(rightsOf('xapi')).mayNot)
    const whenPresent = describeRights(noRights, { registration: { id, mode: 'whenPresent' } }).only
    expect(whenPresent).toEqual([`in the registration ${id}, or in none: a statement without registration passes`])
  })

  it('promise nothing that is not offered yet', () => {
    const { may } = describeRights(rightsOf('everything'))
    expect(may).toContain('read all statements')
    expect(may).toContain('read all state documents')
    const remark = 'once offered'
    expect(may.filter((line) => line.includes('erase') && !line.includes(remark))).toEqual(['erase any statement'])
    expect(may.filter((line) => line.includes(remark))).toEqual([
      'make, change and close bodies of data, once offered: count what erasures would remove, see their receipts, erase persons, empty bodies of data, say how long they keep statements, in the whole organisation',
    ])
  })

  it.each<[actions: readonly ManagementAction[], text: string]>([
    [['write'], 'make and change bodies of data, in Lrs 1'],
    [['read'], 'once offered: count what erasures would remove, see their receipts, in Lrs 1'],
    [
      ['delete'],
      'close bodies of data, once offered: erase persons, empty bodies of data, say how long they keep statements, in Lrs 1',
    ],
  ])('tell what data may be managed now from what is to come: %j', (actions, text) => {
    const lrs = { area: 'data', actions, bound: { kind: 'lrs', id: 1 as LrsId } } as const
    expect(describeRights({ xapi: {}, management: [lrs] }).may).toEqual([text])
  })

  it('say of erasing in a preset’s summary what its rights say', () => {
    for (const { name, summary, rights } of presets) {
      const erasesOne = rights.xapi['statements/delete'] !== undefined
      const erases = erasesOne || rights.management.some(({ area }) => area === 'data')
      if (!erasesOne) expect([name, summary]).toEqual([name, expect.not.stringMatching(/erase/i)])
      if (!erases) expect([name, summary]).toEqual([name, expect.not.stringMatching(/erase|data/i)])
    }
  })

  it('claim of management what it is, and say what looking at keys is not', () => {
    const managing = (...actions: readonly ('read' | 'write' | 'delete')[]) =>
      describeRights({ xapi: {}, management: [{ area: 'credentials', actions, bound: { kind: 'organisation' } }] })
    expect(managing('read').may).toEqual([
      'see keys and what they may do, not their secrets, in the whole organisation',
    ])
    expect(managing('read').mayNot).toContain('make or change keys, or learn their secrets')
    expect(managing('read', 'write', 'delete').may).toEqual([
      'see keys and their secrets, make and change keys, grant rights, revoke keys, in the whole organisation',
    ])
    expect(managing('write').mayNot).not.toContain('make or change keys, or learn their secrets')
  })

  it('say where management ends', () => {
    expect(describeRights(rightsOf('delegated-management')).may.at(-1)).toContain('none stronger than itself')
    expect(describeRights(rightsOf('applications')).mayNot).toContain('manage anything outside applications')
    expect(describeRights(rightsOf('management')).mayNot.filter((line) => line.startsWith('manage'))).toEqual([])
  })
})
