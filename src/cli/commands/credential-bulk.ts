// What `credential disable`, `enable`, `rotate`, `set` and `revoke` do to many keys: show which and what, and with --yes do it, all or
// nothing; then a report.

import type { BulkChange, BulkChanged } from '../../core/credential-bulk.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { select } from '../credential-selection.ts'
import type { Selection } from '../credential-selection.ts'
import { stateOf } from '../key-state.ts'
import { counted, oneLine, table, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { PrivateFile } from '../rows.ts'

export interface BulkOptions extends GlobalOptions {
  readonly yes?: boolean
  readonly report?: string
}

export interface Bulk {
  readonly selection: Selection
  /** `disabled`, `given a new secret`: what happens to them. */
  readonly done: string
  /** Undefined where nothing is to be changed about it. */
  change(credential: CredentialRecord): BulkChange | undefined
  /** What is shown beside each. */
  say?(credential: CredentialRecord): string
}

/** Rows of a text; JSON and reports have all. */
const shownAtMost = 50

export async function bulk(
  opened: Opened,
  context: CommandContext,
  options: BulkOptions,
  { selection, done, change, say = () => '' }: Bulk,
): Promise<Outcome> {
  const organisation = await chooseOrganisation(opened, options)
  const caller = callerIn(opened, organisation.id)
  const meant = await select(opened, context, caller, selection)
  const pairs = meant.flatMap((credential) => {
    const wanted = change(credential)
    return wanted === undefined ? [] : [{ credential, wanted }]
  })
  const changes = pairs.map(({ wanted }) => wanted)
  const unchanged = meant.length - changes.length
  const rest = unchanged === 0 ? '' : ` ${counted(unchanged, 'other')} ${unchanged === 1 ? 'is' : 'are'} so already.`
  const rows = pairs.map(({ credential }) => ({ ...shown(opened, credential), change: say(credential) }))
  const whose = `of organisation ${organisation.id} (${oneLine(organisation.name)})`
  if (options.yes !== true) {
    await opened.core.credentialBulk.check(caller, changes)
    const head = `${counted(changes.length, 'key')} ${whose} would be ${done}.${rest}`
    const json = { done: false, count: changes.length, unchanged, credentials: rows }
    return { json, text: `${head} Nothing was changed: add --yes.\n\n${tableOf(rows)}` }
  }
  const isRevealing = changes.some((one) => 'rotate' in one)
  const report = await reportFor(options, context, isRevealing)
  const changed = await applied(report, () => opened.core.credentialBulk.apply(caller, changes))
  const answers = changed.map(({ credential, secret }, at) => ({
    ...shown(opened, credential),
    ...(rows[at]!.change !== '' && { change: rows[at]!.change }),
    ...(secret !== undefined && { secret }),
  }))
  await report?.write(reportColumns, answers)
  const told = report === undefined ? answers : answers.map(({ secret: _secret, ...row }) => row)
  const where = report === undefined ? '' : ` The report is ${report.path}${isRevealing ? ', with the secrets' : ''}.`
  return {
    json: { done: true, count: changed.length, unchanged, ...(report && { report: report.path }), credentials: told },
    text: `${counted(changed.length, 'key')} ${whose} ${changed.length === 1 ? 'was' : 'were'} ${done}.${rest}${where}\n\n${tableOf(rows)}`,
  }
}

const reportColumns = ['id', 'key', 'name', 'state', 'secret', 'change'] as const

function shown(opened: Opened, credential: CredentialRecord) {
  const { id, key, name } = credential
  return { id, key, name, state: stateOf(credential, opened.core.clock.now()) }
}

function tableOf(rows: readonly (ReturnType<typeof shown> & { readonly change: string })[]): string {
  const some = rows.slice(0, shownAtMost).map(({ id, name, key, state, change }) => [id, name, key, state, change])
  const more = rows.length > shownAtMost ? `\n… and ${rows.length - shownAtMost} more (--json lists all)` : ''
  return table([['id', 'name', 'key', 'state', ''], ...some]) + more
}

/** Secrets that are made must go somewhere: they are shown this once. */
export async function reportFor(
  { report, json }: BulkOptions,
  { directory }: CommandContext,
  isRevealing: boolean,
): Promise<PrivateFile | undefined> {
  if (report !== undefined) return PrivateFile.create(report, directory, '--report')
  if (!isRevealing || json === true) return undefined
  throw new UsageError(
    'secrets are made, and shown only once: --report FILE for a file that you alone can read, or --json',
  )
}

/** Leaves no empty report where nothing was done. */
export async function applied(
  report: PrivateFile | undefined,
  work: () => Promise<readonly BulkChanged[]>,
): Promise<readonly BulkChanged[]> {
  try {
    return await work()
  } catch (error) {
    await report?.discard()
    throw error
  }
}
