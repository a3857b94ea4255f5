import { describe, expect, it } from 'vitest'
import { FailureLimit } from './failure-limit.ts'

const limits = { perKey: 3, perAddress: 5 }
const limited = { code: 'rate_limited', detail: { decidedBy: 'failed sign-ins' } }

async function times(n: number, work: (n: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < n; done += 1) await work(done)
}

describe('failed sign-ins', () => {
  it('are limited per key from one address, not from another', async () => {
    const limit = new FailureLimit(limits)
    await times(3, () => limit.enter('key', '192.0.2.1'))
    await expect(limit.enter('key', '192.0.2.1')).rejects.toMatchObject(limited)
    await limit.enter('key', '192.0.2.2')
    await limit.enter('other', '192.0.2.1')
  })

  it.each([
    ['one IPv4 address', (n: number) => ['192.0.2.1', `::ffff:192.0.2.1`][n % 2]],
    ['one IPv6 network', (n: number) => `2001:db8:0:1::${n.toString(16)}`],
  ])('are limited per address, whatever the key: %s', async (_, addressOf) => {
    const limit = new FailureLimit(limits)
    await times(5, (n) => limit.enter(`key ${n}`, addressOf(n)))
    // Not refused before it is verified: others sit behind this address.
    expect((await limit.enter('one more', addressOf(6))).tooMany).toMatchObject(limited)
    expect((await limit.enter('one more', '2001:db8:0:2::1')).tooMany).toBeUndefined()
  })

  it('without an address count for the key, without a key for the address', async () => {
    const limit = new FailureLimit(limits)
    await times(3, () => limit.enter('key', undefined))
    await expect(limit.enter('key', undefined)).rejects.toMatchObject(limited)
    await limit.enter('other', undefined)
    await times(5, async () => expect((await limit.enter(undefined, '192.0.2.1')).tooMany).toBeUndefined())
    expect((await limit.enter(undefined, '192.0.2.1')).tooMany).toMatchObject(limited)
  })

  it('are not what a right secret counts as', async () => {
    const limit = new FailureLimit(limits)
    await times(50, async () => (await limit.enter('key', '192.0.2.1')).wasNoGuess())
    await times(3, () => limit.enter('key', '192.0.2.1'))
    await expect(limit.enter('key', '192.0.2.1')).rejects.toMatchObject(limited)
  })
})
