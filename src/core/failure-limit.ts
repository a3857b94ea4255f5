// Limits guessing: failed sign-ins per key and address, and per address. Knows nothing of credentials.

import ipaddr from 'ipaddr.js'
import { maxTextLength } from './check.ts'
import type { DomainError } from './errors.ts'
import { Counters, limited } from './limits.ts'

export interface FailureLimits {
  /** Failures a minute of one key from one address. */
  readonly perKey: number
  /** Failures a minute from one address, whatever the key. */
  readonly perAddress: number
}

export const failureLimits: FailureLimits = { perKey: 10, perAddress: 200 }

/** Keys and addresses remembered; see `Counters`. */
const remembered = 50_000
const windowSeconds = 60

export interface Attempt {
  /**
   * Set when the address has failed too often: what to throw when this attempt fails too. Who presents the right secret is
   * let in all the same, or one guesser would lock out everybody behind the same address.
   */
  readonly tooMany: DomainError | undefined
  /** The right secret was presented. Nobody guessed, even if the key it belongs to is switched off. */
  wasNoGuess(): Promise<void>
}

export class FailureLimit {
  readonly #limits: FailureLimits
  readonly #keys: Counters
  readonly #addresses: Counters

  /** `newCounters`: by what they count; those of this process alone unless given. */
  constructor(
    limits: FailureLimits = failureLimits,
    newCounters: (kind: string, max: number) => Counters = (_, max) => new Counters(max),
  ) {
    this.#limits = limits
    this.#keys = newCounters('key', remembered)
    this.#addresses = newCounters('address', remembered)
  }

  /**
   * Counts an attempt before it is made, so that many at once are not all let through; what was no guess is taken back.
   * Throws `rate_limited` for a key that failed too often from this address, or guessing it would go on. Without an address
   * only the key counts; without a key only the address.
   */
  async enter(key: string | undefined, address: string | undefined): Promise<Attempt> {
    const network = address === undefined ? undefined : networkOf(address)
    const keyName = key === undefined ? undefined : keyNameOf(key, network)
    // Both before anything is waited for, so that whoever looks next sees them.
    const [tooMany, tooManyOfKey] = await Promise.all([
      network && this.#count(this.#addresses, network, this.#limits.perAddress),
      keyName && this.#count(this.#keys, keyName, this.#limits.perKey),
    ])
    if (tooManyOfKey) throw tooManyOfKey
    return {
      tooMany: tooMany || undefined,
      wasNoGuess: async () => {
        if (network !== undefined) await this.#addresses.takeBack(network)
        if (keyName !== undefined) await this.#keys.takeBack(keyName)
      },
    }
  }

  /**
   * For an attempt that turned out right before it was counted: throws `rate_limited` where `enter` would have, had it come first.
   * Those that were wrong before it must have been entered by then.
   */
  async demandRoom(key: string, address: string | undefined): Promise<void> {
    const { perKey } = this.#limits
    const { count, seconds } = await this.#keys.look(keyNameOf(key, address && networkOf(address)))
    if (count >= perKey) throw tooManyFailures(perKey, seconds)
  }

  async #count(counters: Counters, name: string, allowed: number): Promise<DomainError | undefined> {
    const { count, seconds } = await counters.add(name, windowSeconds)
    return count <= allowed ? undefined : tooManyFailures(allowed, seconds)
  }
}

function keyNameOf(key: string, network: string | undefined): string {
  return `${network ?? ''}\n${key.slice(0, maxTextLength)}`
}

function tooManyFailures(allowed: number, seconds: number): DomainError {
  return limited('failed sign-ins', `${allowed} failed sign-ins a minute`, seconds)
}

// Who has one IPv6 address has at least the /64 around it.
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address.slice(0, maxTextLength)
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
