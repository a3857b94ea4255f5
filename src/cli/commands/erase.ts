// claviger erase: a person, for good; and the receipts of everything that was ever removed.

import { readdirSync } from 'node:fs'
import type { Command } from 'commander'
import type { ErasurePreview, ErasureReceipt, ErasureState } from '../../core/erasure.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { ErasureCounts } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, locateLrs } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber, repeated } from '../credential-options.ts'
import { counted, pairs, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

interface EraseOptions extends GlobalOptions {
  readonly mbox?: readonly string[]
  readonly mboxSha1sum?: readonly string[]
  readonly openid?: readonly string[]
  readonly account?: readonly string[]
  readonly actor?: readonly string[]
  readonly lrs?: string
  readonly onlyActorAndObject?: boolean
  readonly yes?: boolean
  readonly receipt?: string
  readonly list?: boolean
  readonly resume?: boolean
}

export function addErase(program: Command, context: CommandContext, act: Act): void {
  const erase = program
    .command('erase')
    .description('remove for good everything that is stored about one person; without --yes, only count it')
    .option(
      '--mbox <address>',
      'who: an e-mail address; the hash of it is meant, too (repeatable, as all of these)',
      repeated,
    )
    .option('--mbox-sha1sum <hash>', 'who: the SHA-1 hash of an address', repeated)
    .option('--openid <url>', 'who: an OpenID', repeated)
    .option('--account <name@homePage>', 'who: an account, such as 4711@https://lms.example.org', repeated)
    .option('--actor <json>', 'who: an xAPI Agent', repeated)
    .option('--lrs <id>', 'only in this Lrs; in all of the organisation unless given')
    .option(
      '--only-actor-and-object',
      'leave statements that mention the person elsewhere only: instructor, team, authority …',
    )
    .option('--yes', 'do it; it cannot be undone')
    .option('--receipt <id>', 'print the receipt of an erasure')
    .option('--list', 'list the erasures of an organisation, latest first')
    .option('--resume', 'finish what was interrupted, of all organisations')
    .addHelpText('after', eraseHelp)
  act<EraseOptions>(erase, async (options) => {
    const agents = agentsOf(options)
    const modes = [agents.length > 0, options.receipt !== undefined, options.list, options.resume].filter(Boolean)
    if (modes.length !== 1) {
      throw new UsageError(
        'say who (--mbox, --mbox-sha1sum, --openid, --account, --actor), or --receipt, --list, --resume',
      )
    }
    const opened = await context.open()
    if (options.resume) return resumed(await opened.core.erasures.resume())
    if (options.list) return list(opened, options)
    if (options.receipt !== undefined) return showReceipt(opened, options, options.receipt)
    return erasePerson(opened, context, options, agents)
  })
}

const eraseHelp = `
Every identifier given is of the same person. What goes: statements that mention them, what others inherited from those,
documents, names, attachments nothing else refers to; in unused space of the database, too. docs/guides/erasure.md

Examples:
  $ claviger erase --mbox ann@example.org --account 4711@https://lms.example.org
  $ claviger erase --mbox ann@example.org --account 4711@https://lms.example.org --yes
  $ claviger erase --list
`

function agentsOf({ mbox, mboxSha1sum, openid, account, actor }: EraseOptions): readonly unknown[] {
  return [
    ...(mbox ?? []).map((address) => ({ mbox: address.startsWith('mailto:') ? address : `mailto:${address}` })),
    ...(mboxSha1sum ?? []).map((hash) => ({ mbox_sha1sum: hash })),
    ...(openid ?? []).map((url) => ({ openid: url })),
    ...(account ?? []).map(parseAccount),
    ...(actor ?? []).map(parseActor),
  ]
}

// A name may be an address, so what follows the @ must be seen to be a URL.
function parseAccount(text: string): object {
  const [, name, homePage] = /^(.+?)@([a-z][a-z0-9+.-]*:\/\/.+)$/i.exec(text) ?? []
  if (name !== undefined) return { account: { homePage, name } }
  throw new UsageError(
    `--account takes name@homePage, such as 4711@https://lms.example.org, not ${JSON.stringify(text)}`,
  )
}

function parseActor(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--actor takes an xAPI Agent as JSON, such as '{"mbox":"mailto:ann@example.org"}'`)
  }
}

async function erasePerson(
  opened: Opened,
  { config }: CommandContext,
  options: EraseOptions,
  agents: readonly unknown[],
): Promise<Outcome> {
  const { caller, lrsId } = await scopeOf(opened, options)
  const input = {
    agents,
    onlyDirect: options.onlyActorAndObject === true,
    ...(lrsId !== undefined && { lrsId }),
  }
  const preview = await opened.core.erasures.previewPerson(caller, input)
  const warnings = [...namedWarnings(preview), ...copyWarnings(config.dataDirectory)]
  if (options.yes) return { ...done(await opened.core.erasures.erasePerson(caller, input)), warnings }
  return { ...previewed(preview, 'erase'), warnings }
}

async function scopeOf(opened: Opened, options: EraseOptions): Promise<{ caller: Caller; lrsId?: LrsId }> {
  if (options.lrs === undefined) return { caller: callerIn(opened, (await chooseOrganisation(opened, options)).id) }
  const { organisation, lrs } = await locateLrs(opened, options, parseNumber(options.lrs, '--lrs'))
  return { caller: callerIn(opened, organisation.id), lrsId: lrs.id }
}

function namedWarnings({ namedBy }: ErasurePreview): readonly string[] {
  return namedBy.map(
    ({ id, name }) => `credential ${id} (${name}) names the person in its pin or authority and goes on doing so`,
  )
}

/** Made before upgrades; to the program they are the operator's backups. */
function copyWarnings(dataDirectory: string): readonly string[] {
  const copies = readdirSync(dataDirectory).filter((name) => /^claviger\.db\.before-\d+$/.test(name))
  return copies.map((name) => `${name} in the data directory is a copy from before an upgrade: it stays as it is`)
}

const columns: readonly (readonly [keyof ErasureCounts, string])[] = [
  ['statements', 'statements'],
  ['elsewhere', 'of these, neither actor nor object'],
  ['inherited', 'statements of others that refer to them'],
  ['attachments', 'attachments'],
  ['documents', 'documents'],
  ['descriptions', 'names and definitions'],
  ['terms', 'dictionary values'],
  ['blobs', 'files'],
  ['blobsLeft', 'files sent again meanwhile, left'],
]

/** What would go; `word` is what `--yes` would do. */
export function previewed({ lrs, namedBy }: ErasurePreview, word: string): Outcome {
  const kinds = columns.filter(([kind]) => lrs.some(({ counts }) => counts[kind] !== undefined))
  const rows = lrs.map(({ lrsId, counts }) => [lrsId, ...kinds.map(([kind]) => counts[kind] ?? 0)])
  return {
    json: { dryRun: true, lrs, credentialsNaming: namedBy.map(({ id }) => id) },
    text: `${table([['Lrs', ...kinds.map(([, name]) => name)], ...rows])}\n\nNothing was changed: --yes will ${word} it, for good.`,
  }
}

export function done(receipt: ErasureReceipt): Outcome {
  return {
    json: receipt,
    text: `${receiptText(receipt)}\n\nThe receipt can be had again: claviger erase --receipt ${receipt.id}`,
  }
}

function receiptText(receipt: ErasureReceipt): string {
  const { id, kind, lrsIds, by, counts, startedAt, finishedAt, unusedSpace, sha256 } = receipt
  return pairs([
    ['erasure', id],
    ['of', { person: 'a person', retention: 'what was older than it is kept', empty: 'a whole Lrs' }[kind]],
    ['in Lrs', lrsIds.join(', ')],
    ['by', by.name],
    ['started', startedAt],
    ['finished', finishedAt],
    ...columns.map(([count, name]) => [name, counts[count]] as const),
    ['unused space', unusedSpace],
    ['SHA-256', sha256],
  ])
}

async function showReceipt(opened: Opened, options: EraseOptions, id: string): Promise<Outcome> {
  const organisation = await chooseOrganisation(opened, options)
  const state = await opened.core.erasures.get(callerIn(opened, organisation.id), id)
  if (state.receipt) return { json: state.receipt, text: receiptText(state.receipt) }
  return { json: stateJson(state), text: `Erasure ${id} is not done yet: claviger erase --resume`, exit: 1 }
}

async function list(opened: Opened, options: EraseOptions): Promise<Outcome> {
  const organisation = await chooseOrganisation(opened, options)
  const { items, total } = await opened.core.erasures.list(callerIn(opened, organisation.id), { limit: 1000 })
  const rows = items.map(({ record, receipt }) => [
    record.id,
    (record.plan as { kind?: string } | null)?.kind ?? '–',
    time(record.startedAt),
    receipt?.finishedAt ?? 'not done yet',
    record.counts.statements,
  ])
  const text = table([['id', 'of', 'started', 'finished', 'statements'], ...rows], 'Nothing was ever erased.')
  return { json: { erasures: items.map(stateJson), total }, text }
}

function stateJson({ record, receipt }: ErasureState): object {
  const { id, plan, counts, startedAt } = record
  return { id, ...(plan as object), counts, startedAt: time(startedAt), finishedAt: receipt?.finishedAt ?? null }
}

function resumed(receipts: readonly ErasureReceipt[]): Outcome {
  const text = receipts.length === 0 ? 'Nothing was interrupted.' : `${counted(receipts.length, 'erasure')} finished.`
  return { json: { erasures: receipts.map(({ id }) => id) }, text }
}
