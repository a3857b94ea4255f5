// A stored statement as the document that MongoDB would hold of it (facts 4), and what the query language may ask of it. What
// it had inherited from another statement is not in its lists. Knows nothing of where statements are read.

import type { LrsId, Oid, Seq } from '../../core/ids.ts'
import { parseTimestamp } from '../../core/xapi/time.ts'
import type { QueryModel } from './query.ts'
import { isDocument } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { statementId } from './statement-id.ts'

export const statementModel: QueryModel = {
  fields: {
    _id: 'oid',
    organisation: 'oid',
    lrs_id: 'oid',
    client: 'oid',
    active: 'boolean',
    voided: 'boolean',
    timestamp: 'date',
    stored: 'date',
  },
  // The product asks its own dates, whatever the texts in the statement look like.
  aliases: { 'statement.timestamp': 'timestamp', 'statement.stored': 'stored' },
}

export interface StatementRow {
  readonly seq: Seq
  readonly lrsId: LrsId
  readonly body: string
  readonly isVoided: boolean
  readonly organisation: Oid
  readonly lrs: Oid
  /** Whose it is; undefined where the client is gone. */
  readonly client: Oid | undefined
}

export function documentOf({ seq, lrsId, body, isVoided, organisation, lrs, client }: StatementRow): Document {
  const statement = JSON.parse(body) as Document
  const direct = new Found()
  direct.addStatement(statement)
  const related = new Found()
  related.addStatement(statement)
  related.addRelated(statement)
  const { registration } = membersOf(statement['context'])
  return {
    _id: statementId({ seq, lrsId }),
    organisation,
    lrs_id: lrs,
    ...(client !== undefined && { client }),
    person: null,
    active: true,
    voided: isVoided,
    timestamp: dateOf(statement['timestamp'], seq),
    stored: new Date(Math.floor(seq / 1000)),
    agents: [...direct.agents],
    relatedAgents: [...related.agents],
    registrations: typeof registration === 'string' ? [registration] : [],
    verbs: idsOf(statement['verb']),
    activities: [...direct.activities],
    relatedActivities: [...related.activities],
    statement,
    completedQueues: [],
  }
}

/** Whatever form of ISO 8601 it has; every stored statement has one. */
function dateOf(text: Value, seq: Seq): Date {
  const micros = typeof text === 'string' ? parseTimestamp(text) : undefined
  return new Date(Math.floor((micros ?? seq) / 1000))
}

/** The product's names of agents and activities: those filters of xAPI reach, and those that only the related ones do. */
class Found {
  readonly agents = new Set<string>()
  readonly activities = new Set<string>()

  addStatement({ actor, object }: Document): void {
    this.#addAgent(actor)
    this.#addObject(object)
  }

  addRelated({ authority, context, object }: Document): void {
    this.#addAgent(authority)
    this.#addContext(context)
    const inner = membersOf(object)
    if (inner['objectType'] !== 'SubStatement') return
    this.addStatement(inner)
    this.#addContext(inner['context'])
  }

  #addContext(context: Value): void {
    const { instructor, team, contextActivities, contextAgents, contextGroups } = membersOf(context)
    this.#addAgent(instructor)
    this.#addAgent(team)
    for (const one of listOf(contextAgents)) this.#addAgent(membersOf(one)['agent'])
    for (const one of listOf(contextGroups)) this.#addAgent(membersOf(one)['group'])
    for (const some of Object.values(membersOf(contextActivities))) {
      for (const one of Array.isArray(some) ? listOf(some) : [some])
        for (const id of idsOf(one)) this.activities.add(id)
    }
  }

  #addObject(object: Value): void {
    const { objectType = 'Activity' } = membersOf(object)
    if (objectType === 'Agent' || objectType === 'Group') this.#addAgent(object)
    else if (objectType === 'Activity') for (const id of idsOf(object)) this.activities.add(id)
  }

  #addAgent(agent: Value): void {
    const { member, mbox, mbox_sha1sum: hash, openid, account } = membersOf(agent)
    for (const text of [mbox, hash, openid]) if (typeof text === 'string') this.agents.add(text)
    const { homePage, name } = membersOf(account)
    if (typeof homePage === 'string' && typeof name === 'string') this.agents.add(`${homePage}|${name}`)
    for (const one of listOf(member)) this.#addAgent(one)
  }
}

function idsOf(value: Value): readonly string[] {
  const { id } = membersOf(value)
  return typeof id === 'string' ? [id] : []
}

function membersOf(value: Value): Document {
  return isDocument(value) ? value : {}
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : []
}
