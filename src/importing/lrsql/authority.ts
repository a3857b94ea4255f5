// The authority that SQL LRS stamps (doc/authority.md): a template filled in with the id of the key, of its account, or with neither. The
// template stands in a file beside the program, so it is found again in what was stamped. Knows no database.

import type { AgentIdentity } from '../../core/authority.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { SourceCredential } from './source.ts'

type Names = Pick<SourceCredential, 'id' | 'accountId'>

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const places = { id: '{{cred-id}}', accountId: '{{account-id}}' } as const

/** Of the template; undefined where nothing stored tells. Those of people who signed in with OpenID Connect are other ones. */
export function findTemplate(authorities: readonly unknown[], credentials: readonly Names[]): string | undefined {
  const agents = authorities.filter((one) => isObject(one) && one['objectType'] !== 'Group')
  const placeOf = new Map<string, string>([
    ...credentials.map(({ accountId }) => [accountId, places.accountId] as const),
    ...credentials.map(({ id }) => [id, places.id] as const),
  ])
  const texts = new Set(agents.map((one) => JSON.stringify(one)))
  const templates = new Set([...texts].map((text) => text.replaceAll(uuid, (id) => placeOf.get(id) ?? id)))
  const byKey = [...templates].find((text) => text.includes(places.id) || text.includes(places.accountId))
  // What is the same for everybody, or was stamped for a key that is gone.
  return byKey ?? (templates.size === 1 ? [...templates][0] : undefined)
}

/** What is stamped for this key. */
export function fillIn(template: string, { id, accountId }: Names): AgentIdentity {
  return JSON.parse(template.replaceAll(places.id, id).replaceAll(places.accountId, accountId)) as AgentIdentity
}

/** Whether one key's authority is told from another's. */
export function tellsKeys(template: string): boolean {
  return template.includes(places.id)
}
