import { describe, expect, it } from 'vitest'
import { findPreset } from '../../core/presets.ts'
import { allManagement } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { changeLevel, levelOf, newWorth, permissionsLevels, presets } from './words.ts'

const rightsOf = (preset: string): Rights => findPreset(preset)!.rights
const record = (rights: Rights, words = {}) => ({ rights, words }) as CredentialRecord

describe('levels', () => {
  it.each([
    ['DEFAULT', 'isolated'],
    ['READ_ONLY', 'read-mine'],
    ['READ_ANY', 'read-only'],
    ['WRITE_ONLY', 'write-only'],
  ] as const)('%s is core’s %s', (level, preset) => {
    const { rights, words } = changeLevel(record(rightsOf('none')), level)
    expect(rights).toEqual({ xapi: rightsOf(preset).xapi, management: [] })
    expect(levelOf({ rights, words })).toBe(level)
    expect(levelOf({ rights, words: {} })).toBe(level)
  })

  it('a new one has the rights of DEFAULT and no word', () => {
    const { rights, words } = newWorth()
    expect(rights.xapi).toEqual(rightsOf('isolated').xapi)
    expect([levelOf({ rights, words }), levelOf({ rights, words: {} })]).toEqual(['', 'DEFAULT'])
  })

  it.each([
    ['everything', 'DEFAULT'],
    ['xapi', 'DEFAULT'],
    ['global', 'DEFAULT'],
    ['statements-write', 'WRITE_ONLY'],
    ['actor', 'WRITE_ONLY'],
    ['statements-read', ''],
    ['state', ''],
    ['management', ''],
    ['none', ''],
  ])('the rights of %s are shown as %j: the nearest that is not wider', (preset, level) => {
    expect(levelOf({ rights: rightsOf(preset), words: {} })).toBe(level)
  })

  it('a word is remembered as long as its rights stand', () => {
    const { rights, words } = changeLevel(record(rightsOf('none')), 'READ_ANY')
    expect(levelOf({ rights: rightsOf('xapi'), words })).toBe('DEFAULT')
    for (const kept of [
      null,
      7,
      'READ_ANY',
      {},
      { rights: 1 },
      { ...(words['scormcloud-v1'] as object), permissionsLevel: 'X' },
    ]) {
      expect(levelOf({ rights, words: { 'scormcloud-v1': kept } })).toBe('READ_ANY')
    }
  })

  it('management and the words of others stay', () => {
    const before = record({ xapi: {}, management: allManagement }, { other: { word: 1 } })
    const { rights, words } = changeLevel(before, 'WRITE_ONLY')
    expect(rights.management).toBe(allManagement)
    expect(words).toMatchObject({ other: { word: 1 } })
  })

  it('each is a preset of the command line', () => {
    expect(presets.map(({ name }) => name)).toEqual(['default', 'read-only', 'read-any', 'write-only'])
    for (const [index, { rights, words }] of presets.entries()) {
      expect(levelOf({ rights, words: { 'scormcloud-v1': words! } })).toBe(permissionsLevels[index])
    }
  })
})
