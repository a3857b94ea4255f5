// What SQL LRS's scopes, agents and authorities are read as.

import { describe, expect, it } from 'vitest'
import { agentsOf } from './agent.ts'
import { fillIn, findTemplate, tellsKeys } from './authority.ts'
import { readScopes } from './words.ts'

describe('scopes', () => {
  const any = (...rights: readonly string[]) => Object.fromEntries(rights.map((right) => [right, 'any']))
  it.each<[readonly string[], Record<string, string>, number]>([
    [[], {}, 0],
    [['statements/read'], any('statements/read'), 0],
    [['statements/read/mine'], { 'statements/read': 'mine' }, 0],
    [['statements/read/mine', 'statements/read'], any('statements/read'), 0],
    [['statements/write'], any('statements/write', 'statements/void', 'define'), 0],
    [['state'], any('state/read', 'state/write'), 0],
    [['activities_profile'], {}, 1],
    [['agents_profile'], {}, 1],
    [['agents_profile', 'activities_profile'], any('profile/read', 'profile/write'), 0],
    [['define', 'state/read', 'agents_profile/read', '', 'constructor'], {}, 5],
  ])('%j', (scopes, xapi, warnings) => {
    const read = readScopes(scopes)
    expect(read.rights).toEqual({ xapi, management: [] })
    expect(read.warnings).toHaveLength(warnings)
  })

  it('all is everything but erasing and naming authorities, and no other needs a warning beside it', () => {
    const { rights, warnings } = readScopes(['all', 'agents_profile'])
    expect(Object.keys(rights.xapi)).toHaveLength(10)
    expect(rights.xapi).not.toHaveProperty('statements/delete')
    expect(warnings).toEqual([])
  })
})

describe('agents of documents', () => {
  const account = (name: string, homePage: string) => ({ objectType: 'Agent', account: { name, homePage } })
  it.each<[string, readonly object[]]>([
    ['mbox::mailto:ann@example.org', [{ objectType: 'Agent', mbox: 'mailto:ann@example.org' }]],
    ['mbox_sha1sum::abc', [{ objectType: 'Agent', mbox_sha1sum: 'abc' }]],
    ['openid::https://a.example/::x', [{ objectType: 'Agent', openid: 'https://a.example/::x' }]],
    ['account::ann@https://a.example', [account('ann', 'https://a.example')]],
    ['account::ann@x.org@https://a.example', [account('ann@x.org', 'https://a.example')]],
    ['account::ann@https://user@a.example', [account('ann', 'https://user@a.example')]],
    ['account::b@urn:x@https://y', [account('b@urn:x', 'https://y'), account('b', 'urn:x@https://y')]],
    ['account::nobody', []],
    ['something::else', []],
    ['', []],
  ])('%s', (ifi, expected) => {
    expect(agentsOf(ifi)).toEqual(expected)
  })
})

describe('the authority template', () => {
  const keys = [
    { id: '018d0000-0000-8fff-8fff-000000000001', accountId: '018d0000-0000-8fff-8fff-00000000000a' },
    { id: '018d0000-0000-8fff-8fff-000000000002', accountId: '018d0000-0000-8fff-8fff-00000000000a' },
  ] as const
  const named = (name: string) => ({ objectType: 'Agent', account: { homePage: 'http://lrs', name } })

  it('is found in what was stamped, whoever else stamped something', () => {
    const oidc = { objectType: 'Group', member: [named('a'), named('b')] }
    const template = findTemplate([named('gone'), oidc, undefined, named(keys[0].id)], keys)
    expect(template !== undefined && tellsKeys(template)).toBe(true)
    expect(fillIn(template ?? '', keys[1])).toEqual(named(keys[1].id))
  })

  it('may name accounts only, or nobody', () => {
    const byAccount = findTemplate([named(keys[0].accountId)], keys)
    expect([byAccount && tellsKeys(byAccount), byAccount && fillIn(byAccount, keys[0])]).toEqual([
      false,
      named(keys[0].accountId),
    ])
    const fixed = findTemplate([named('all'), named('all')], keys)
    expect([fixed && tellsKeys(fixed), fixed && fillIn(fixed, keys[1])]).toEqual([false, named('all')])
  })

  it('is not made up', () => {
    expect(findTemplate([], keys)).toBeUndefined()
    expect(findTemplate([named('a'), named('b')], keys)).toBeUndefined()
  })
})
