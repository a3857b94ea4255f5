// The Activities resource: what is known of one Activity, as far as the principal may see who said it. Knows nothing of HTTP.

import { authorise, explain } from './access.ts'
import type { LrsId } from './ids.ts'
import type { Principal } from './principal.ts'
import type { Reach } from './rights.ts'
import type { KnownDescription, Storage } from './storage.ts'
import { mergeDefinitions } from './xapi/activity-merge.ts'
import type { JsonObject } from './xapi/rule.ts'

/** Activities of one answer whose definitions are looked up, how many at a time, and the characters they may have. */
const mostLookups = 1_000
const lookupsAtOnce = 20
const mostCharacters = 2 * 1024 * 1024

export class Activities {
  readonly #storage: Storage

  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage
  }

  /** The complete Activity; of one that nobody described, the object with its id. */
  async get(principal: Principal, lrsId: LrsId, activityId: string): Promise<JsonObject> {
    const reach = authorise(principal, { kind: 'xapi', right: 'activities/read', lrsId, about: { activityId } })
    const definition = mergeDefinitions(await this.#list(principal, lrsId, activityId, reach))
    return { objectType: 'Activity', id: activityId, ...(definition !== undefined && { definition }) }
  }

  /**
   * The definitions that `get` would answer, by id: of those activities that are described and that the principal may read.
   * At most of a thousand, and only until two million characters were read; the others are left out.
   */
  async listDefinitions(
    principal: Principal,
    lrsId: LrsId,
    activityIds: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, JsonObject>> {
    const wanted = [...activityIds].slice(0, mostLookups)
    const definitions = new Map<string, JsonObject>()
    let characters = 0
    for (let at = 0; at < wanted.length && characters < mostCharacters; at += lookupsAtOnce) {
      const some = wanted.slice(at, at + lookupsAtOnce)
      const known = await Promise.all(some.map((activityId) => this.#listVisible(principal, lrsId, activityId)))
      for (const [index, descriptions] of known.entries()) {
        const definition = mergeDefinitions(descriptions)
        if (definition !== undefined) definitions.set(some[index] ?? '', definition)
        characters += descriptions.reduce((sum, { text }) => sum + text.length, 0)
      }
    }
    return definitions
  }

  async #listVisible(principal: Principal, lrsId: LrsId, activityId: string): Promise<readonly KnownDescription[]> {
    const decision = explain(principal, { kind: 'xapi', right: 'activities/read', lrsId, about: { activityId } })
    return decision.allowed ? this.#list(principal, lrsId, activityId, decision.reach) : []
  }

  #list(principal: Principal, lrsId: LrsId, value: string, reach?: Reach): Promise<readonly KnownDescription[]> {
    const owner = reach === 'mine' ? principal.credentialId : undefined
    return this.#storage.statements.listDescriptions(lrsId, { kind: 'activity', value }, owner)
  }
}
