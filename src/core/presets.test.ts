import { describe, expect, it } from 'vitest'
import { describeRights, findPreset, presets } from './presets.ts'
import { everyRight, fingerprint, isWithin, managementAreas, noRights, rightsSchema, xapiRights } from './rights.ts'
import type { Rights } from './rights.ts'

function rightsOf(name: string): Rights {
  const preset = findPreset(name)
  if (preset === undefined) throw new Error(name)
  return preset.rights
}

describe('presets', () => {
  it('have unique names, valid rights and no two of them the same rights', () => {
    expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length)
    expect(new Set(presets.map(({ rights }) => fingerprint(rights))).size).toBe(presets.length)
    for (const { rights } of presets) expect(rightsSchema.safeParse(rights).success).toBe(true)
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

  it('name pins and limits among what it may not', () => {
    const { mayNot } = describeRights(
      rightsOf('xapi'),
      { actor: [{ accountName: 'ada' }], activity: 'urn:course' },
      { ratePerMinute: 60, addresses: ['192.0.2.0/24'] },
    )
    expect(mayNot).toContain('touch anybody but account ada of any home page')
    expect(mayNot).toContain('touch any activity but urn:course and what lies below it')
    expect(mayNot).toContain('send more than 60 requests a minute (burst 0)')
    expect(mayNot).toContain('be used from addresses other than 192.0.2.0/24')
  })

  it('say where management ends', () => {
    expect(describeRights(rightsOf('delegated-management')).may.at(-1)).toContain('none stronger than itself')
    expect(describeRights(rightsOf('applications')).mayNot).toContain('manage anything outside applications')
    expect(describeRights(rightsOf('management')).mayNot.filter((line) => line.startsWith('manage'))).toEqual([])
  })
})
