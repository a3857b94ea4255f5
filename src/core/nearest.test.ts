import { describe, expect, it } from 'vitest'
import { nearest } from './nearest.ts'

const members = ['actor', 'verb', 'object', 'id', 'result', 'context']

describe('the nearest word', () => {
  it.each([
    ['objct', 'object'],
    ['contxet', 'context'],
    ['verb', 'verb'],
    ['vreb', 'verb'],
    ['di', 'id'],
  ])('of %s is %s', (word, meant) => {
    expect(nearest(word, members)).toBe(meant)
  })

  it.each(['somethingElse', 'a', '', 'noun', 'reason', 'o'.repeat(10_000), '__proto__'])('of %.20s is none', (word) => {
    expect(nearest(word, members)).toBeUndefined()
  })
})
