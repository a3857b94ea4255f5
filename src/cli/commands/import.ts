// claviger import: brings in what was stored elsewhere. What every import has in common is import-run.ts's.

import type { Command } from 'commander'
import type { Oid } from '../../core/ids.ts'
import type { Json } from '../../core/storage.ts'
import { abandonImport } from '../../importing/import.ts'
import type { ImportReport } from '../../importing/import.ts'
import { operator } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { PlainError, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { addImportClaviger } from './import-claviger.ts'
import { addImportLearningLocker } from './import-learninglocker.ts'
import { addImportLrsql } from './import-lrsql.ts'
import { reported } from './import-run.ts'
import { addImportScormcloud } from './import-scormcloud.ts'
import { addImportWatershed } from './import-watershed.ts'
import { addImportXapi } from './import-xapi.ts'

export function addImport(program: Command, context: CommandContext, act: Act): void {
  const imports = program
    .command('import')
    .description('bring in what was stored elsewhere: keys, statements, documents, attachments')
    .addHelpText('after', importHelp)
  addImportClaviger(imports, context, act)
  addImportLearningLocker(imports, context, act)
  addImportLrsql(imports, context, act)
  addImportWatershed(imports, context, act)
  addImportScormcloud(imports, context, act)
  addImportXapi(imports, context, act)
  addList(imports, context, act)
  addAbandon(imports, context, act)
}

function addList(imports: Command, context: CommandContext, act: Act): void {
  const list = imports.command('list').description('list imports, latest first; 100 at most')
  act<GlobalOptions>(list, async () => {
    const { core } = await context.open()
    const records = await core.imports.list(operator)
    const rows = records.map(({ id, source, startedAt, finishedAt, report: told }) => [
      ...[id, source, time(startedAt)],
      finishedAt === null ? 'not finished' : isAbandoned(told) ? `abandoned ${time(finishedAt)}` : time(finishedAt),
    ])
    const text = table([['id', 'source', 'begun', 'finished'], ...rows], 'Nothing was ever imported.')
    return { json: { imports: records }, text }
  })
  const report = imports
    .command('report')
    .description('show the report of a finished import again')
    .argument('<id>', 'its id, as claviger import list shows it')
  act<GlobalOptions>(report, async (_, id = '') => {
    const { core } = await context.open()
    const record = await core.imports.get(operator, id as Oid)
    if (isAbandoned(record.report)) return { json: record.report, text: `Import ${id} was abandoned.` }
    if (record.report === null) throw new PlainError(`import ${id} is not finished; the command that began it goes on`)
    return reported(record.report as unknown as ImportReport)
  })
}

function isAbandoned(report: Json): boolean {
  return (report as { readonly isAbandoned?: boolean } | null)?.isAbandoned === true
}

function addAbandon(imports: Command, context: CommandContext, act: Act): void {
  const abandon = imports
    .command('abandon')
    .description('end one that was interrupted, as it is; what it stored stays, and the next one begins anew')
    .argument('<id>', 'its id, as claviger import list shows it')
  act<GlobalOptions>(abandon, async (_, id = '') => {
    const { core } = await context.open()
    await abandonImport({ core, operator }, id as Oid)
    return { json: { id, isAbandoned: true }, text: `Import ${id} is abandoned. What it stored stays.` }
  })
}

const importHelp = `
Ids, keys and secrets, stored times and authorities stay as they were; docs/guides/moving-in.md. Interrupted (Ctrl-C, a crash, a server
that stops), the same command goes on where it was. Given again after its end, it finds everything there. A server goes on serving
meanwhile. What cannot be taken is written to a file, with the reason, and keeps nothing else out.
`
