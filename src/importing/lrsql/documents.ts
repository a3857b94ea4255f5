// The documents of an SQL LRS: states, agent and activity profiles. All of them are everybody's, as they are there.

import type { CredentialId } from '../../core/ids.ts'
import { parseTimestamp } from '../../core/xapi/time.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { ImportWork } from '../work.ts'
import { agentsOf } from './agent.ts'
import { partOf } from './position.ts'
import type { Reading, Saved } from './position.ts'
import { beginning, documentTables } from './source.ts'
import type { DocumentTable, LrsqlSource, SourceDocument } from './source.ts'

const kinds = {
  state_document: 'state',
  agent_profile_document: 'agent-profile',
  activity_profile_document: 'activity-profile',
} as const satisfies Record<DocumentTable, string>

const shared = 0 as CredentialId

export async function importDocuments(work: ImportWork, reading: Reading, from: Saved): Promise<void> {
  let saved = from
  for (const [table, name] of documentTables.entries()) {
    if (table < saved.table) continue
    if (table > saved.table) saved = { ...saved, table, after: beginning }
    saved = await importTable(work, reading, name, saved)
  }
}

async function importTable(work: ImportWork, reading: Reading, table: DocumentTable, from: Saved): Promise<Saved> {
  const { source } = reading
  let saved = from
  const next = (): Promise<readonly SourceDocument[]> => source.documents(table, saved.after)
  for (let documents = await next(); documents.length > 0; documents = await next()) {
    for (const [index, document] of documents.entries()) {
      await work.pace()
      await addDocument(work, reading, { table, document, number: saved.documents + index + 1 })
    }
    saved = {
      ...saved,
      documents: saved.documents + documents.length,
      after: documents.at(-1)?.position ?? saved.after,
    }
    work.show({ title: `documents of ${table}`, done: saved.documents, ...partOf(reading, saved) })
    await work.checkpoint(saved)
  }
  return saved
}

async function addDocument(
  work: ImportWork,
  { source, to }: Reading,
  {
    table,
    document,
    number,
  }: { readonly table: DocumentTable; readonly document: SourceDocument; readonly number: number },
): Promise<void> {
  const { id, activityId, agentIfi, registration, updated, contentType, content, position } = document
  const record = () => ({ ...document, content: `${content.length} bytes` })
  const place = { file: table, line: number, id: position, record }
  const agent = agentIfi === undefined ? undefined : await agentOf(source, agentIfi)
  const updatedAt = parseTimestamp(updated)
  if (updatedAt === undefined) return work.reject('documents', place, 'last_modified is no time.')
  if (agentIfi !== undefined && agent === undefined) {
    return work.reject('documents', place, `agent_ifi names no agent that can be read back: ${agentIfi}`)
  }
  await work.documents.add(to, {
    ...{ kind: kinds[table], id, owner: shared, contentType, updatedAt: Math.floor(updatedAt), content, number, place },
    ...(activityId !== undefined && { activityId }),
    ...(agent !== undefined && { agent }),
    ...(registration !== undefined && { registration }),
  })
}

/** Where it may mean several: the one that a statement had, or else the likeliest. */
async function agentOf(source: LrsqlSource, ifi: string): Promise<unknown> {
  const candidates = agentsOf(ifi)
  if (candidates.length === 1) return candidates[0]
  const known = await source.findActor(ifi)
  const account = known === undefined ? undefined : accountIn(known)
  return account === undefined ? candidates[0] : { objectType: 'Agent', account }
}

function accountIn(text: string): unknown {
  try {
    const actor: unknown = JSON.parse(text)
    return isObject(actor) ? actor['account'] : undefined
  } catch {
    return undefined
  }
}
