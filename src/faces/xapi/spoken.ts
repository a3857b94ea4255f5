// Which family of versions each credential spoke last: what a refused request without a version is most likely meant in.

import type { CredentialId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { XapiVersion } from '../../core/xapi/version.ts'

const mostCredentials = 10_000

export class SpokenVersions {
  readonly #last = new Map<CredentialId, XapiVersion>()

  note({ credentialId }: Principal, version: XapiVersion): void {
    if (this.#last.get(credentialId) === version) return
    if (this.#last.size >= mostCredentials && !this.#last.has(credentialId)) {
      const [oldest] = this.#last.keys()
      if (oldest !== undefined) this.#last.delete(oldest)
    }
    this.#last.set(credentialId, version)
  }

  /** The last one, or, of a credential not heard of since the start, the only one it may speak, or else the latest unless given. */
  likelyOf({ credentialId, limits }: Principal, otherwise: XapiVersion = '2.0'): XapiVersion {
    const allowed = limits.xapiVersions
    if (allowed?.length === 1) return allowed[0] === '1.0' ? '1.0' : '2.0'
    return this.#last.get(credentialId) ?? otherwise
  }
}
