// Stored statements as an answer shows them: in which format, in which languages, to readers of which version.

import type { StoredStatement } from '../../core/storage.ts'
import { listActivityIds, toCanonical, toIds } from '../../core/xapi/format.ts'
import type { Languages } from '../../core/xapi/language-map.ts'
import type { StatementFormat } from '../../core/xapi/query.ts'
import { toVersion1 } from '../../core/xapi/downgrade.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import type { AdmittedCall } from './call.ts'

/** The text of each, in order: as it is stored, unless something else was asked for. */
export async function presentStatements(
  call: AdmittedCall,
  statements: readonly StoredStatement[],
  format: StatementFormat,
): Promise<readonly string[]> {
  const isStripped = call.version === '1.0' && call.service.downgrade === 'strip'
  if (format === 'exact' && !isStripped) return statements.map(({ body }) => body)
  const stored = statements.map(({ body }) => JSON.parse(body) as Statement)
  const parsed = isStripped ? stored.map(toVersion1) : stored
  const shown = await formats[format](call, parsed)
  return shown.map((statement) => JSON.stringify(statement))
}

type Show = (
  call: AdmittedCall,
  statements: readonly Statement[],
) => readonly Statement[] | Promise<readonly Statement[]>

const formats: Readonly<Record<StatementFormat, Show>> = {
  exact: (_, statements) => statements,
  ids: (_, statements) => statements.map(toIds),
  async canonical({ core, principal, lrsId, header }, statements) {
    const ids = new Set(statements.flatMap(listActivityIds))
    const definitions = await core.activities.listDefinitions(principal, lrsId, ids)
    const languages = languagesOf(header('Accept-Language'))
    return statements.map((statement) => toCanonical(statement, languages, definitions))
  },
}

/** Each is looked for in every language map of a page. */
const mostLanguages = 20

/** An Accept-Language header, by quality. A quality that is none counts as 1: to leave the range out would say less. */
export function languagesOf(header: string | undefined): Languages {
  const ranges = (header ?? '')
    .slice(0, 1000)
    .split(',', mostLanguages)
    .map((text) => {
      const [tag = '', ...parameters] = text.split(';').map((part) => part.trim())
      const quality = parameters
        .map((part) => /^q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(part)?.[1])
        .find(Boolean)
      return { tag, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ tag }) => tag !== '')
  const wanted = ranges
    .filter(({ quality }) => quality > 0)
    .toSorted((one, other) => other.quality - one.quality)
    .map(({ tag }) => tag)
  const refused = ranges.filter(({ tag, quality }) => quality === 0 && tag !== '*').map(({ tag }) => tag)
  return { wanted, refused }
}
