import { describe, expect, it } from 'vitest'
import { getPreset, presets as corePresets } from '../../core/presets.ts'
import { allManagement, everyRight, isWithin, noRights } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { Json } from '../../core/storage.ts'
import { changeScopes, hasAll, isScope, presets, rememberWords, rightsOf, scopes, scopesOf } from './words.ts'
import type { Scope } from './words.ts'

const preset = (name: string): Rights => getPreset(name).rights
const shown = (rights: Rights) => scopesOf({ rights, words: {} })
const remembering = (given: readonly Scope[]) => ({ rights: rightsOf(given), words: rememberWords({}, given) })

/** All 1,024. */
const sets = Array.from({ length: 2 ** scopes.length }, (_, bits) => scopes.filter((_scope, at) => bits & (1 << at)))

describe('scopes', () => {
  it('are the nine of the seed and the one it does not know', () => {
    expect(scopes.toSorted()).toEqual([
      ...['all', 'all/read', 'profile', 'state', 'statements/delete', 'statements/read', 'statements/read/mine'],
      ...['statements/write', 'xapi/all', 'xapi/read'],
    ])
    expect(['all', 'All', 'org/all', '', 'constructor', null, ['all']].filter(isScope)).toEqual(['all'])
  })

  it('every set of them is shown as it was given, in its order and with what it repeats', () => {
    for (const given of sets) {
      expect(scopesOf(remembering(given))).toEqual(given)
      const written = [...given.toReversed(), ...given]
      expect(scopesOf(remembering(written))).toEqual(written)
    }
  })

  it('every set is shown, where nothing is remembered, as the fewest that mean the same', () => {
    for (const given of sets) {
      const nearest = shown(rightsOf(given))
      expect(rightsOf(nearest)).toEqual(rightsOf(given))
      for (const scope of nearest) {
        const others = nearest.filter((other) => other !== scope)
        expect(isWithin(rightsOf([scope]), rightsOf(others))).toBe(false)
      }
    }
  })

  it('what is remembered counts only while the rights are those it stood for', () => {
    const { words } = remembering(['xapi/all', 'statements/delete'])
    expect(scopesOf({ words, rights: preset('read-only') })).toEqual(['xapi/read'])
  })

  it.each<Json>([
    null,
    'all',
    [],
    { scopes: ['all'] },
    { scopes: 'all', rights: 'x' },
    { scopes: ['root'], rights: fingerprintOf(noRights) },
  ])('of %j nothing is remembered', (kept) => {
    expect(scopesOf({ rights: noRights, words: { learninglocker: kept } })).toEqual([])
  })

  it.each<[what: string, Rights, readonly Scope[]]>([
    ['every right', everyRight, ['all', 'statements/delete']],
    ['all of xAPI and the authority', preset('global'), ['xapi/all']],
    ['writing anything, reading what is its own', preset('isolated'), ['statements/read/mine']],
    ['reading what is its own', preset('read-mine'), ['statements/read/mine']],
    ['writing without voiding', preset('write-only'), []],
    ['managing and no xAPI', preset('management'), []],
    ['delegated management', preset('delegated-management'), ['xapi/all']],
    ['one learner’s statements and documents', preset('actor'), ['statements/read', 'state']],
    ['no right', noRights, []],
  ])('%s is shown as the nearest that are not wider', (_what, rights, expected) => {
    expect(shown(rights)).toEqual(expected)
  })

  it('whatever the rights, what is shown is within them, and no scope more would be', () => {
    for (const { rights } of corePresets) {
      const nearest = shown(rights)
      expect(isWithin(rightsOf(nearest), rights)).toBe(true)
      const more = scopes.filter((scope) => isWithin(rightsOf([scope]), rights))
      expect(rightsOf(more)).toEqual(rightsOf(nearest))
    }
  })

  it('all is all of xAPI and all management, and not the erasing of statements (facts 0.3)', () => {
    expect(rightsOf(['all'])).toEqual({ xapi: rightsOf(['xapi/all']).xapi, management: allManagement })
    expect(rightsOf(['all']).xapi).not.toHaveProperty('statements/delete')
    expect(rightsOf(['xapi/all']).xapi).not.toHaveProperty('authority/set')
  })

  it('S0.13 statements/write stands alone', () => {
    expect(rightsOf(['statements/write']).xapi).toEqual(preset('statements-write').xapi)
  })

  it('S0.14 reading one’s own is no reading of all, and gives way to it', () => {
    expect(rightsOf(['statements/read/mine']).xapi).toEqual({ 'statements/read': 'mine' })
    expect(rightsOf(['statements/read/mine', 'statements/read']).xapi).toEqual({ 'statements/read': 'any' })
  })
})

function fingerprintOf(rights: Rights): string {
  const { learninglocker } = rememberWords({}, [], rights)
  return (learninglocker as { rights: string }).rights
}

describe('hasAll', () => {
  it.each(corePresets.map(({ name, rights }) => [name, rights] as const))('of %s', (name, rights) => {
    expect(hasAll(rights)).toBe(['everything', 'xapi-and-management'].includes(name))
  })

  it.each(scopes)('of the scope %s', (scope) => {
    expect(hasAll(rightsOf([scope]))).toBe(scope === 'all')
  })

  it('is not of who may grant only what they have, nor of who lacks one action', () => {
    const { xapi } = rightsOf(['all'])
    const delegated = allManagement.map((grant) => ({ ...grant, within: true }))
    const reading = allManagement.map((grant) => ({ ...grant, actions: ['read', 'write'] as const }))
    for (const management of [delegated, reading, allManagement.slice(1)]) {
      expect(hasAll({ xapi, management })).toBe(false)
    }
  })
})

describe('changing scopes', () => {
  it('to any set replaces the rights, and shows that set', () => {
    for (const given of sets) {
      const changed = changeScopes(remembering(['xapi/read']), given)
      expect(changed.rights).toEqual(rightsOf(given))
      expect(scopesOf(changed)).toEqual(given)
    }
  })

  it('to those that are shown changes no right, in whatever order and however often they are sent', () => {
    for (const { rights } of corePresets) {
      const before = { rights, words: { watershed: { lrsAccess: 'global' } } }
      const sent = [...shown(rights).toReversed(), ...shown(rights)]
      const changed = changeScopes(before, sent)
      expect(changed.rights).toEqual(rights)
      expect(changed.words).toMatchObject(before.words)
      expect(scopesOf(changed)).toEqual(sent)
    }
  })

  it('takes management of everything with all, brings it with all, and leaves alone what no scope says', () => {
    const change = (name: string, given: readonly Scope[]) =>
      changeScopes({ rights: preset(name), words: {} }, given).rights.management
    expect(change('everything', ['xapi/all'])).toEqual([])
    expect(change('xapi', ['all'])).toEqual(allManagement)
    // Or it would be shown as xapi/all and be all.
    expect(change('management', ['xapi/all'])).toEqual([])
    expect(change('delegated-management', ['state'])).toEqual(preset('delegated-management').management)
    expect(change('delegated-management', ['all'])).toEqual(allManagement)
  })

  it('keeps what else the face and others remember', () => {
    const words = { learninglocker: { hasTitle: false }, watershed: { lrsAccess: 'global' } }
    const changed = changeScopes({ rights: noRights, words }, ['state'])
    expect(changed.words).toMatchObject(words)
  })
})

describe('presets for the command line', () => {
  it('are the scopes, each shown as itself', () => {
    expect(presets.map(({ name }) => name)).toEqual(scopes)
    for (const { name, rights, words = null } of presets) {
      expect(rights).toEqual(rightsOf([name as Scope]))
      expect(scopesOf({ rights, words: { learninglocker: words } })).toEqual([name])
    }
  })
})
