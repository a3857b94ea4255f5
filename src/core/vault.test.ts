import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Oid, SecretId } from './ids.ts'
import type { PlatformStore } from './storage.ts'
import { Vault } from './vault.ts'
import type { KeyHolder, Place } from './vault.ts'

const vault = new Vault(randomBytes(32))
const holder = (oid: string): KeyHolder => ({ oid: oid as Oid, wrappedKey: vault.newDataKey(oid as Oid) })
const mine = holder('a'.repeat(24))
const place: Place = { row: 'row', column: 'column' }

describe('a sealed value', () => {
  it('opens where it was sealed, and is sealed differently each time', () => {
    const sealed = vault.seal(mine, place, 'gräfin:\u0000 😀')
    expect(vault.open(mine, place, sealed)).toBe('gräfin:\u0000 😀')
    expect(vault.seal(mine, place, 'gräfin:\u0000 😀')).not.toBe(sealed)
    expect(sealed).not.toContain('gräfin')
  })

  it.each([
    ['another row', { ...place, row: 'other' }],
    ['another column', { ...place, column: 'other' }],
    ['names that run together the same', { row: 'rowcol', column: 'umn' }],
  ])('does not open in %s', (_, elsewhere) => {
    const sealed = vault.seal(mine, place, 'secret')
    expect(() => vault.open(mine, elsewhere, sealed)).toThrow('does not open')
  })

  it('does not open for another organisation, nor with its data key under the first one', () => {
    const sealed = vault.seal(mine, place, 'secret')
    const theirs = holder('b'.repeat(24))
    expect(() => vault.open(theirs, place, sealed)).toThrow('does not open')
    expect(() => vault.open({ ...mine, wrappedKey: theirs.wrappedKey }, place, sealed)).toThrow('does not open')
    expect(() => vault.open({ ...theirs, wrappedKey: mine.wrappedKey }, place, sealed)).toThrow('does not open')
  })

  it('does not open when one character was changed, or it was cut', () => {
    const sealed = vault.seal(mine, place, 'secret')
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
      // The last character of base64 may hold bits that are not part of the value.
      const isSameBytes = Buffer.from(changed.slice(3), 'base64url').equals(Buffer.from(sealed.slice(3), 'base64url'))
      if (changed.startsWith('g1.') && isSameBytes) continue
      expect(() => vault.open(mine, place, changed)).toThrow('does not open')
    }
    expect(() => vault.open(mine, place, sealed.slice(0, -4))).toThrow('does not open')
    expect(() => vault.open(mine, place, 'g1.')).toThrow('does not open')
  })

  it('does not open under another master key', () => {
    const sealed = vault.seal(mine, place, 'secret')
    expect(() => new Vault(randomBytes(32)).open(mine, place, sealed)).toThrow('does not open')
  })
})

describe('the key of tokens', () => {
  const id = '00000000-0000-4000-8000-000000000001' as SecretId

  it('is the same for one generation of one secret, and different for any other', () => {
    const key = (holderOf: KeyHolder, secretId: SecretId, generation: number) =>
      Buffer.from(vault.tokenKey(holderOf, { id: secretId, generation })).toString('hex')
    const first = key(mine, id, 1)
    expect(key(mine, id, 1)).toBe(first)
    expect(key(mine, id, 2)).not.toBe(first)
    expect(key(mine, '00000000-0000-4000-8000-000000000002' as SecretId, 1)).not.toBe(first)
    expect(key(holder('b'.repeat(24)), id, 1)).not.toBe(first)
    expect(first).toHaveLength(64)
  })
})

describe('the master key', () => {
  it('is refused in any other length', () => {
    expect(() => new Vault(randomBytes(31))).toThrow('32 bytes')
  })

  it('fits its own check value only', () => {
    expect(vault.fitsCheck(vault.newCheck())).toBe(true)
    expect(new Vault(randomBytes(32)).fitsCheck(vault.newCheck())).toBe(false)
  })
})

describe('the name of a pair', () => {
  // All that a vault asks of a store here.
  const store = () => {
    let check: string | undefined
    return {
      findKeyCheck: async () => check,
      putKeyCheck: async (value: string) => (check ??= value),
    } as unknown as PlatformStore
  }

  it('stays over restarts and under another master key, and is another in every store', async () => {
    const platform = store()
    const [first, masterKey] = [new Vault(randomBytes(32)), randomBytes(32)]
    await first.checkMasterKey(platform)
    const pair = first.pairOf('key', 'secret')
    expect(pair).toMatch(/^[\w-]{43}$/)
    await first.checkMasterKey(platform)
    const second = first.underMasterKey(masterKey)
    expect([first.pairOf('key', 'secret'), second.pairOf('key', 'secret')]).toEqual([pair, pair])
    const other = new Vault(masterKey)
    await other.checkMasterKey(store())
    expect(other.pairOf('key', 'secret')).not.toBe(pair)
  })

  it('tells pairs that run together apart', async () => {
    const own = new Vault(randomBytes(32))
    await own.checkMasterKey(store())
    const pairs = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['', 'abc'],
      ['abc', ''],
      ['1', '1:1'],
      ['1:1', '1'],
      ['ä', 'b'],
      ['a', 'äb'],
    ]
    expect(new Set(pairs.map(([key = '', secret = '']) => own.pairOf(key, secret))).size).toBe(pairs.length)
  })

  it('is not made before the master key was checked', () => {
    expect(() => new Vault(randomBytes(32)).pairOf('key', 'secret')).toThrow('not checked')
  })
})
