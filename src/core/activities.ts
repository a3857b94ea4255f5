// The Activities resource: what is known of one Activity, as far as the principal may see who said it. Knows nothing of HTTP.

import { authorise } from './access.ts'
import type { LrsId } from './ids.ts'
import type { Principal } from './principal.ts'
import type { Storage } from './storage.ts'
import { mergeDefinitions } from './xapi/activity-merge.ts'
import type { JsonObject } from './xapi/rule.ts'

export class Activities {
  readonly #storage: Storage

  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage
  }

  /** The complete Activity; of one that nobody described, the object with its id. */
  async get(principal: Principal, lrsId: LrsId, activityId: string): Promise<JsonObject> {
    const reach = authorise(principal, { kind: 'xapi', right: 'activities/read', lrsId, about: { activityId } })
    const owner = reach === 'mine' ? principal.credentialId : undefined
    const about = { kind: 'activity', value: activityId } as const
    const definition = mergeDefinitions(await this.#storage.statements.listDescriptions(lrsId, about, owner))
    return { objectType: 'Activity', id: activityId, ...(definition !== undefined && { definition }) }
  }
}
