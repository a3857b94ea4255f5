// Organisations that were here before an import that names them. An export says by itself whose it is, and whoever made it, or had it in
// their hands, may have written anybody's id into it. So an import goes into one only where an import of the same source made it or was
// let into it before, or where the operator says so now.

import { createHash } from 'node:crypto'
import { DomainError } from '../core/errors.ts'
import type { OrganisationId } from '../core/ids.ts'
import { importedFrom } from '../core/organisation.ts'
import type { Json, OrganisationRecord } from '../core/storage.ts'
import type { ImportWork } from './work.ts'

type Marked = Pick<OrganisationRecord, 'words'>

/** The latest ones. */
const mostMarks = 100
const pageSize = 1000

/** `words` of an organisation that this import makes: in one transaction with it. What an export says there counts for nothing. */
export function markedWords(words: Marked['words'], { source }: Pick<ImportWork, 'source'>): Marked['words'] {
  return { ...words, [importedFrom]: [markOf(source)] }
}

export function isOfSource(organisation: Marked, { source }: Pick<ImportWork, 'source'>): boolean {
  return marksOf(organisation).includes(markOf(source))
}

/** Those here that the export names. */
export async function findExisting(
  { core, operator }: ImportWork,
  isNamed: (organisation: OrganisationRecord) => boolean,
): Promise<readonly OrganisationRecord[]> {
  const found: OrganisationRecord[] = []
  for (let offset = 0; ; offset += pageSize) {
    const { items, total } = await core.organisations.list(operator, { offset, limit: pageSize })
    found.push(...items.filter(isNamed))
    if (offset + pageSize >= total) return found
  }
}

/** `into`: where the operator lets it. Throws `conflict` before anything is written; otherwise it may come again. */
export async function enterExisting(
  work: ImportWork,
  found: readonly OrganisationRecord[],
  into: readonly OrganisationId[],
): Promise<void> {
  const strange = found.filter((one) => !isOfSource(one, work))
  const refused = strange.filter(({ id }) => !into.includes(id))
  if (refused.length > 0) throw refusal(refused)
  if (work.isDryRun) return
  const { core, operator, source } = work
  for (const one of strange) {
    const marks = [...marksOf(one), markOf(source)].slice(-mostMarks)
    await core.organisations.update(core.signIn.operator(one.id, operator.operator), {
      words: { [importedFrom]: marks },
    })
  }
}

function refusal(refused: readonly OrganisationRecord[]): DomainError {
  const which = refused.map(({ id, name, oid }) => `${id} “${name}” (oid ${oid})`).join(', ')
  const option = refused.map(({ id }) => `--into-existing ${id}`).join(' ')
  const message = `Nothing was imported: it names organisations that are here already, and that no import from there made or was let into: ${which}. Its keys would come into them, and who has those, at their data. If that is meant: ${option}`
  return new DomainError('conflict', message)
}

/** Short, and no path of this machine. */
function markOf(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 32)
}

function marksOf({ words }: Marked): readonly Json[] {
  const marks = words[importedFrom]
  return Array.isArray(marks) ? (marks as readonly Json[]) : []
}
