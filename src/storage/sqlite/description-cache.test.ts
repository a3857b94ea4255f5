import { describe, expect, it } from 'vitest'
import { DescriptionCache } from './description-cache.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'

const lrsId = 1 as LrsId
const other = 11 as LrsId
const speaker = { lrsId, owner: 1 as CredentialId, isShared: false }
const saying = { kind: 'activity', value: 'urn:a', text: '{"type":"urn:t"}' } as const

function learned(at: number, ...lrsIds: LrsId[]): DescriptionCache {
  const cache = new DescriptionCache()
  for (const one of lrsIds) cache.learn(one, cache.newsOf({ ...speaker, lrsId: one }, saying, at)!, at)
  return cache
}

describe('what is known to be described', () => {
  it('is said again only where it is said earlier', () => {
    const cache = learned(10, lrsId)
    const isNews = (at: number) => cache.newsOf(speaker, saying, at) !== undefined
    expect([9, 10, 11].map(isNews)).toEqual([true, false, false])
    cache.learn(lrsId, cache.newsOf(speaker, saying, 9)!, 9)
    expect([8, 9, 10].map(isNews)).toEqual([true, false, false])
  })

  it.each([
    ['Lrs', { ...speaker, lrsId: other }, saying],
    ['owner', { ...speaker, owner: 2 as CredentialId }, saying],
    ['right', { ...speaker, isShared: true }, saying],
    ['kind', speaker, { ...saying, kind: 'agent' as const }],
    ['value', speaker, { ...saying, value: 'urn:a2' }],
    ['text', speaker, { ...saying, text: '{}' }],
  ])('is news for another %s', (_, who, what) => {
    expect(learned(10, lrsId).newsOf(who, what, 10)).toBeDefined()
  })

  it('is forgotten with a removal, in that Lrs only, and not learnt during it', async () => {
    const cache = learned(10, lrsId, other)
    const isKnown = (one: LrsId) => cache.newsOf({ ...speaker, lrsId: one }, saying, 10) === undefined
    await cache.suspend(lrsId, async () => {
      const key = cache.newsOf(speaker, saying, 10)
      cache.learn(lrsId, key!, 10)
      expect([isKnown(lrsId), isKnown(other)]).toEqual([false, true])
    })
    expect([isKnown(lrsId), isKnown(other)]).toEqual([false, true])
    cache.learn(lrsId, cache.newsOf(speaker, saying, 10)!, 10)
    expect(isKnown(lrsId)).toBe(true)
  })

  it('is learnt again after a removal that failed', async () => {
    const cache = learned(10, lrsId)
    await expect(cache.suspend(lrsId, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    cache.learn(lrsId, cache.newsOf(speaker, saying, 10)!, 10)
    expect(cache.newsOf(speaker, saying, 10)).toBeUndefined()
  })
})
