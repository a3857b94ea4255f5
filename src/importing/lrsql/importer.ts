// An SQL LRS brought in: its keys, its statements in the order in which it stored them, with their attachments, its documents.

import { checkFields } from '../../core/credential-check.ts'
import { DomainError } from '../../core/errors.ts'
import type { Json } from '../../core/storage.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { Importer } from '../import.ts'
import { importKeys } from '../keys.ts'
import type { FoundKey } from '../keys.ts'
import { nobody, Owners, oidFor } from '../owners.ts'
import type { Destination } from '../parts.ts'
import type { ImportWork } from '../work.ts'
import { fillIn, findTemplate, tellsKeys } from './authority.ts'
import { importDocuments } from './documents.ts'
import type { Saved } from './position.ts'
import { begin } from './position.ts'
import { LrsqlSource } from './source.ts'
import type { SourceCredential } from './source.ts'
import { importStatements } from './statements.ts'
import { readScopes } from './words.ts'

export interface LrsqlOptions {
  /** A file, or the address of a PostgreSQL database. */
  readonly place: string
  /** Where a relative path begins. */
  readonly directory: string
  readonly to: Destination
}

/** Statements that are looked at for the authority they have. */
const mostLookedAt = 200

/** Throws `invalid` where there is no such database: a mistyped path is no import. */
export async function lrsqlImporter({ place, directory, to }: LrsqlOptions): Promise<Importer> {
  const { name } = await using(place, directory, async (source) => source)
  return {
    source: `lrsql ${name} into Lrs ${to.lrsId}`.slice(0, 500),
    run: (work) => using(place, directory, (source) => importAll(work, source, to)),
  }
}

async function using<T>(place: string, directory: string, read: (source: LrsqlSource) => Promise<T>): Promise<T> {
  const source = await LrsqlSource.open(place, directory)
  try {
    return await read(source)
  } finally {
    await source.close()
  }
}

async function importAll(work: ImportWork, source: LrsqlSource, to: Destination): Promise<void> {
  work.touch(to)
  const saved = savedIn(work.saved)
  const owners = await importCredentials(work, source, { to, isAgain: saved !== undefined })
  const begun = saved ?? begin
  if (saved === undefined) await work.checkpoint(begun)
  const reading = { source, to, owners, total: await source.estimate() }
  const position = begun.phase === 'statements' ? await importStatements(work, reading, begun) : begun
  await importDocuments(work, reading, position)
}

async function importCredentials(
  work: ImportWork,
  source: LrsqlSource,
  { to, isAgain }: { readonly to: Destination; readonly isAgain: boolean },
): Promise<Owners> {
  const found: SourceCredential[] = []
  for await (const credential of source.credentials()) {
    await work.pace()
    found.push(credential)
  }
  work.show({ title: 'keys', done: found.length })
  const template = findTemplate((await source.latest(mostLookedAt)).map(authorityIn), found)
  const keys: FoundKey[] = []
  for (const credential of found) {
    await work.pace()
    keys.push(keyOf(credential, { to, template }))
    const { warnings } = readScopes(credential.scopes)
    for (const warning of isAgain ? [] : warnings) work.warn(warning, `key ${credential.key}`)
  }
  const ids = await importKeys(work, to.organisationId, keys, { isAgain })
  const owners = new Owners({ work, organisationId: to.organisationId, lrsIds: [to.lrsId] })
  const isTold = template !== undefined && (tellsKeys(template) || found.length === 1)
  if (template !== undefined && !isTold) {
    work.warn(
      'SQL LRS stamped one authority for several keys, so whose a statement is cannot be told: none of them reads it as its own.',
    )
  }
  for (const [index, credential] of found.entries()) {
    const id = ids.get(keys[index]!) ?? nobody
    const authority =
      template === undefined
        ? { account: { homePage: work.core.baseUrl, name: credential.id } }
        : fillIn(template, credential)
    if (work.isDryRun || id > 0)
      owners.add({ id, authority, defineReach: 'any' }, { accounts: [credential.id], ...(isTold && { authority }) })
  }
  return owners
}

function keyOf(
  { id, accountId, key, secret, label, scopes }: SourceCredential,
  { to, template }: { readonly to: Destination; readonly template: string | undefined },
): FoundKey {
  const name = label ?? `Key ${key.slice(0, 8)}`
  const { rights } = readScopes(scopes)
  const authority = template === undefined ? undefined : fillIn(template, { id, accountId })
  const createdAt = madeAt(id)
  return {
    ...{ oid: oidFor(`lrsql ${to.organisationId} ${id}`), key, secret, name, rights, lrsIds: [to.lrsId] },
    ...(authority !== undefined && checkFields({ authority }).length === 0 && { authority }),
    ...(createdAt !== undefined && { createdAt, updatedAt: createdAt }),
    place: { file: 'lrs_credential', line: 0, id, record: () => ({ id, api_key: key, label, scopes }) },
  }
}

/** Its UUIDs begin with the time, in milliseconds. Undefined where that cannot be one. */
function madeAt(id: string): number | undefined {
  const at = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  return at > Date.UTC(2020) && at <= Date.now() ? at : undefined
}

function authorityIn(text: string): unknown {
  try {
    const statement: unknown = JSON.parse(text)
    return isObject(statement) ? statement['authority'] : undefined
  } catch {
    return undefined
  }
}

function savedIn(saved: Json): Saved | undefined {
  if (saved === null) return undefined
  if (isObject(saved) && typeof saved['phase'] === 'string') return saved as unknown as Saved
  throw new DomainError('internal', 'How far the import was cannot be read')
}
