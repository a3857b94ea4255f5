import { describe, expect, it } from 'vitest'
import { checkName } from './check.ts'
import { randomIds, systemClock } from './core.ts'
import { checkKey, checkSecretValue, currentSecret, isLive, newKey, newSecretValue, newShortText } from './secret.ts'
import { weakness } from './secret.ts'

describe('keys and secrets', () => {
  it.each([
    ['', 'empty'],
    ['a:b', 'colon'],
    ['a\u0000b', 'control'],
    ['a\nb', 'control'],
    ['a\u007f', 'control'],
    ['a\ud800b', 'surrogates'],
    ['a'.repeat(256), '255'],
    ['ses_1', 'sessions'],
  ])('refuses the key %j', (key, message) => {
    expect(checkKey(key)[0]?.message).toContain(message)
  })

  it('accepts keys other systems made', () => {
    for (const key of [
      'k',
      '00000000-0000-4000-8000-000000000000',
      'Müller@example.org',
      'a b',
      '😀',
      'x'.repeat(255),
    ]) {
      expect(checkKey(key)).toEqual([])
    }
  })

  it('accepts a secret with colons, refuses an empty one and one with a newline', () => {
    expect(checkSecretValue(':a:b:')).toEqual([])
    expect(checkSecretValue('')).toHaveLength(1)
    expect(checkSecretValue('a\nb')).toHaveLength(1)
    expect(checkSecretValue('s'.repeat(256))).toHaveLength(1)
  })

  it('accepts any name without control characters', () => {
    expect(checkName('Ünnamed: Provider "x" <b>')).toEqual([])
    expect(checkName('tab\there')).toHaveLength(1)
    expect(checkName('n'.repeat(256))).toHaveLength(1)
  })

  it('makes keys and secrets that pass its own rules and are not weak', () => {
    const ids = randomIds(systemClock)
    const [key, secret] = [newKey(ids), newSecretValue(ids)]
    expect(key).toMatch(/^[0-9a-f]{24}$/)
    expect(secret).toMatch(/^[0-9a-f]{40}$/)
    expect(weakness(secret, key)).toBeUndefined()
    expect(newSecretValue(ids)).not.toBe(secret)
  })

  it('makes short ones, too, and never the key of a session', () => {
    const ids = randomIds(systemClock)
    const [key, secret] = [newShortText(ids), newShortText(ids)]
    expect(key).toMatch(/^[A-Za-z0-9_-]{19}$/)
    expect(secret).not.toBe(key)
    expect(weakness(secret, key)).toBeUndefined()
    const given = ['ses_abcdefghijklmnop', 'abcdefghijklmnopqrst'].map((it) =>
      Buffer.from(it, 'base64url').toString('hex'),
    )
    expect(newShortText({ ...ids, hex: () => given.shift()! })).toBe('abcdefghijklmnopqrs')
  })

  it.each([
    ['secret', 'characters'],
    ['the-key-is-the-secret-too', 'equals the key'],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'repeats'],
  ])('finds %s weak', (secret, why) => {
    expect(weakness(secret, 'the-key-is-the-secret-too')).toContain(why)
  })
})

describe('the current secret', () => {
  const secret = (name: string, isEnabled: boolean, expiresAt: number | null) => ({ name, isEnabled, expiresAt })
  const now = 1000

  it.each([
    ['the newest without an end', [secret('a', true, null), secret('b', true, 2000), secret('c', false, null)], 'a'],
    ['a rotated one', [secret('old', true, 2000), secret('new', true, null)], 'new'],
    ['the newest live when all end', [secret('a', true, 2000), secret('b', true, 3000), secret('c', true, 900)], 'b'],
    ['the newest when none is live', [secret('a', false, null), secret('b', true, 1000)], 'b'],
  ])('is %s', (_, secrets, expected) => {
    expect(currentSecret(secrets, now)?.name).toBe(expected)
  })

  it('ends at its end', () => {
    expect(isLive(secret('a', true, 1000), 999)).toBe(true)
    expect(isLive(secret('a', true, 1000), 1000)).toBe(false)
    expect(currentSecret([], now)).toBeUndefined()
  })
})
