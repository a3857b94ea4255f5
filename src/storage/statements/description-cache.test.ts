import { describe, expect, it } from 'vitest'
import { DescriptionCache } from './description-cache.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'

const lrsId = 1 as LrsId
const other = 11 as LrsId
const speaker = { lrsId, owner: 1 as CredentialId, isShared: false }
const saying = { kind: 'activity', value: 'urn:a', text: '{"type":"urn:t"}' } as const

function learned(at: number, ...lrsIds: LrsId[]): DescriptionCache {
  const cache = new DescriptionCache()
  for (const one of lrsIds) cache.learn({ ...speaker, lrsId: one }, saying, at)
  return cache
}

describe('what is known to be described', () => {
  it('is said again only where it is said earlier', () => {
    const cache = learned(10, lrsId)
    const isKnown = (at: number) => cache.isKnown(speaker, saying, at)
    expect([9, 10, 11].map(isKnown)).toEqual([false, true, true])
    cache.learn(speaker, saying, 9)
    cache.learn(speaker, saying, 20)
    expect([8, 9, 10].map(isKnown)).toEqual([false, true, true])
  })

  it('is several texts of one subject, the latest few', () => {
    const cache = learned(10, lrsId)
    const texts = Array.from({ length: 8 }, (_, index) => ({ ...saying, text: `"${index}"` }))
    for (const one of texts.slice(0, 7)) cache.learn(speaker, one, 5)
    expect([saying, ...texts].map((one) => cache.isKnown(speaker, one, 10))).toEqual([...Array(8).fill(true), false])
    cache.learn(speaker, texts[7]!, 5)
    expect(cache.isKnown(speaker, saying, 10)).toBe(false)
  })

  it.each([
    ['Lrs', { ...speaker, lrsId: other }, saying],
    ['owner', { ...speaker, owner: 2 as CredentialId }, saying],
    ['right', { ...speaker, isShared: true }, saying],
    ['kind', speaker, { ...saying, kind: 'agent' as const }],
    ['value', speaker, { ...saying, value: 'urn:a2' }],
    ['text', speaker, { ...saying, text: '{}' }],
  ])('is news for another %s', (_, who, what) => {
    expect(learned(10, lrsId).isKnown(who, what, 10)).toBe(false)
  })

  it('is forgotten with a removal, in that Lrs only, and not learnt during it', async () => {
    const cache = learned(10, lrsId, other)
    const isKnown = (one: LrsId) => cache.isKnown({ ...speaker, lrsId: one }, saying, 10)
    await cache.suspend(lrsId, async () => {
      cache.learn(speaker, saying, 10)
      expect([isKnown(lrsId), isKnown(other)]).toEqual([false, true])
    })
    expect([isKnown(lrsId), isKnown(other)]).toEqual([false, true])
    cache.learn(speaker, saying, 10)
    expect(isKnown(lrsId)).toBe(true)
  })

  it('is learnt again after a removal that failed', async () => {
    const cache = learned(10, lrsId)
    await expect(cache.suspend(lrsId, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    cache.learn(speaker, saying, 10)
    expect(cache.isKnown(speaker, saying, 10)).toBe(true)
  })
})
