// The Agents resource: everything known of one Agent, as far as the principal may see who said it. Knows nothing of HTTP.

import { authorise } from './access.ts'
import { DomainError } from './errors.ts'
import type { LrsId } from './ids.ts'
import type { Principal } from './principal.ts'
import type { Storage } from './storage.ts'
import { agentTerm } from './xapi/agent.ts'
import { toPerson } from './xapi/person.ts'
import type { JsonObject } from './xapi/rule.ts'

export class Agents {
  readonly #storage: Storage

  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage
  }

  /** The Person that stands for a valid, identified Agent; also for one that nobody ever named. */
  async getPerson(principal: Principal, lrsId: LrsId, agent: JsonObject): Promise<JsonObject> {
    const reach = authorise(principal, { kind: 'xapi', right: 'agents/read', lrsId, about: { agent } })
    const value = agentTerm(agent)
    if (value === undefined) throw new DomainError('invalid', 'The Agent has no identifier')
    const owner = reach === 'mine' ? principal.credentialId : undefined
    return toPerson(agent, await this.#storage.statements.listDescriptions(lrsId, { kind: 'agent', value }, owner))
  }
}
