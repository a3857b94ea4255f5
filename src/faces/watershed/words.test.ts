import { describe, expect, it } from 'vitest'
import { everyRight, isWithin, noRights } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import { findPreset } from '../../core/presets.ts'
import type { LrsId } from '../../core/ids.ts'
import type { CredentialRecord, OrganisationRecord } from '../../core/storage.ts'
import {
  apiAccesses,
  changeWords,
  coversScope,
  defaultWords,
  lrsAccesses,
  presets,
  rememberWords,
  rightsOf,
  scopedRights,
  scopesOf,
  wordsOf,
} from './words.ts'

const organisation = { defaultLrsId: 1 } as OrganisationRecord

function credential(rights: Rights, more: Partial<CredentialRecord> = {}): CredentialRecord {
  return { rights, words: {}, lrsIds: [1 as LrsId], pins: {}, ...more } as CredentialRecord
}

const preset = (name: string): Rights => findPreset(name)!.rights

describe('lrsAccess and watershedApiAccess', () => {
  for (const lrsAccess of lrsAccesses) {
    for (const watershedApiAccess of apiAccesses) {
      it(`${lrsAccess} with API ${watershedApiAccess} is shown as it was given, remembered or not`, () => {
        const words = { lrsAccess, watershedApiAccess }
        const rights = rightsOf(words)
        expect(wordsOf(credential(rights), organisation)).toEqual(words)
        const remembered = credential(rights, { words: { watershed: rememberWords(words) } })
        expect(wordsOf(remembered, organisation)).toEqual(words)
      })
    }
  }

  it('S2.11 disabled, isolated and global mean what the article says', () => {
    expect(rightsOf({ ...defaultWords, lrsAccess: 'disabled' })).toEqual(noRights)
    const isolated = rightsOf({ ...defaultWords, lrsAccess: 'isolated' }).xapi
    expect(isolated).toMatchObject({ 'statements/write': 'any', 'statements/read': 'mine', 'state/read': 'mine' })
    expect(isolated).not.toHaveProperty('authority/set')
    const global = rightsOf({ ...defaultWords, lrsAccess: 'global' }).xapi
    expect(global).toMatchObject({ 'statements/write': 'any', 'statements/read': 'any', 'authority/set': 'any' })
    expect(global).not.toHaveProperty('statements/delete')
  })

  it.each([
    ['all of xAPI without the right to name the authority', preset('xapi'), 'isolated'],
    ['reading only what is its own', preset('read-mine'), 'disabled'],
    ['writing statements and defining', preset('statements-write'), 'writeOnly'],
    ['reading statements only', preset('statements-read'), 'disabled'],
    ['every right there is', everyRight, 'global'],
    ['no right', noRights, 'disabled'],
  ])('%s is shown as the nearest word that is not wider', (_what, rights, word) => {
    const shown = wordsOf(credential(rights), organisation)
    expect(shown.lrsAccess).toBe(word)
    expect(isWithin(rightsOf(shown), rights)).toBe(true)
  })

  it('part of the management, or delegated management, is not API access', () => {
    const delegated = credential(preset('delegated-management'))
    expect(wordsOf(delegated, organisation).watershedApiAccess).toBe('disabled')
    const some: Rights = { xapi: {}, management: everyRight.management.slice(1) }
    expect(wordsOf(credential(some), organisation).watershedApiAccess).toBe('disabled')
  })

  it('remembered words count no longer once the rights were changed elsewhere', () => {
    const words = { lrsAccess: 'global', watershedApiAccess: 'enabled' } as const
    const narrowed = credential(preset('read-only'), { words: { watershed: rememberWords(words) } })
    expect(wordsOf(narrowed, organisation)).toEqual({ lrsAccess: 'globalReadOnly', watershedApiAccess: 'disabled' })
  })

  it.each([null, 'isolated', [], { rights: 'x' }, { lrsAccess: 'root' }])(
    'odd remembered words %j are ignored',
    (odd) => {
      const shown = wordsOf(credential(preset('isolated'), { words: { watershed: odd } }), organisation)
      expect(shown).toEqual(defaultWords)
    },
  )

  it('a credential of another Lrs has no access to the one this API knows', () => {
    const elsewhere = credential(preset('global'), { lrsIds: [2 as LrsId] })
    expect(wordsOf(elsewhere, organisation).lrsAccess).toBe('disabled')
  })
})

describe('changing a word', () => {
  it('replaces its own rights only', () => {
    const mixed: Rights = {
      xapi: { 'statements/delete': 'any' },
      management: preset('delegated-management').management,
    }
    const byLrs = changeWords(credential(mixed), { lrsAccess: 'writeOnly' })
    expect(byLrs.rights).toEqual({ xapi: { 'statements/write': 'any' }, management: mixed.management })
    const byApi = changeWords(credential(mixed), { watershedApiAccess: 'enabled' })
    expect(byApi.rights).toEqual({ xapi: mixed.xapi, management: everyRight.management })
  })

  it('keeps what other faces remember', () => {
    const before = credential(noRights, { words: { other: ['x'] } })
    expect(changeWords(before, { lrsAccess: 'global' }).words).toMatchObject({
      other: ['x'],
      watershed: { lrsAccess: 'global', watershedApiAccess: 'disabled' },
    })
  })
})

describe('scopes', () => {
  const isolated = preset('isolated')

  it('cut rights down, and never widen a reach', () => {
    expect(scopedRights(isolated, ['xapi:read']).xapi).toEqual(preset('read-mine').xapi)
    expect(scopedRights(isolated, ['xapi:read', 'xapi:write'])).toEqual(isolated)
    expect(scopedRights(everyRight, ['wsapi:all'])).toEqual({ xapi: {}, management: everyRight.management })
    expect(scopedRights(everyRight, ['xapi:all'])).toEqual(preset('global'))
    expect(scopedRights(everyRight, [])).toEqual(everyRight)
  })

  it('are beyond a credential without the right they are named after', () => {
    expect(coversScope(preset('write-only'), 'xapi:read')).toBe(false)
    expect(coversScope(preset('write-only'), 'xapi:all')).toBe(false)
    expect(coversScope(preset('read-only'), 'xapi:write')).toBe(false)
    expect(coversScope(isolated, 'xapi:all')).toBe(true)
    expect(coversScope(isolated, 'wsapi:all')).toBe(false)
    expect(coversScope(preset('delegated-management'), 'wsapi:all')).toBe(false)
    expect(coversScope(preset('management'), 'wsapi:all')).toBe(true)
  })

  it('say what rights amount to', () => {
    expect(scopesOf(everyRight)).toEqual(['xapi:all', 'wsapi:all'])
    expect(scopesOf(preset('read-only'))).toEqual(['xapi:read'])
    expect(scopesOf(preset('write-only'))).toEqual(['xapi:write'])
    expect(scopesOf(noRights)).toEqual([])
  })
})

it('the presets of the command line are the words of the API', () => {
  expect(presets.map(({ name }) => name)).toEqual([...lrsAccesses, 'api'])
  expect(presets.at(-1)?.rights).toEqual(preset('management'))
})
