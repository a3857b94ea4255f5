// claviger erase: a person, for good; and the receipts of everything that was ever removed.

import { readdirSync } from 'node:fs'
import type { Command } from 'commander'
import type { ErasurePreview, ErasureReceipt, ErasureState, Traced } from '../../core/erasure.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import type { LrsId, Oid } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { ErasureCounts } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, locateLrs } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber, repeated } from '../credential-options.ts'
import { counted, oneLine, pairs, table, time, UsageError } from '../outcome.ts'
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
      'who: an e-mail address, spelled as it is stored; the hash of it is meant, too (repeatable, as all of these)',
      repeated,
    )
    .option(
      '--mbox-sha1sum <hash>',
      'who: the SHA-1 hash of an address; the count names the address, if stored',
      repeated,
    )
    .option('--openid <url>', 'who: an OpenID', repeated)
    .option('--account <name@homePage>', 'who: an account, such as 4711@https://lms.example.org', repeated)
    .option('--actor <json>', 'who: an xAPI Agent', repeated)
    .option('--lrs <id>', 'only in this Lrs; in all of the organisation unless given')
    .option(
      '--only-actor-and-object',
      'leave statements that mention the person elsewhere only: instructor, team, authority …',
    )
    .option('--yes', 'do it; it cannot be undone')
    .option('--receipt <id>', 'print the receipt of an erasure; with identifiers, say whether it is of that person')
    .option('--list', 'list the erasures of an organisation, latest first')
    .option('--resume', 'finish what was interrupted, of all organisations')
    .addHelpText('after', eraseHelp)
  act<EraseOptions>(erase, async (options) => {
    const identifiers = identifiersOf(options)
    checkMode(options, identifiers.length > 0)
    const opened = await context.open()
    if (options.resume) {
      context.letOthersPass?.()
      return resumed(await opened.core.erasures.resume())
    }
    if (options.list) return list(opened, options)
    if (options.receipt === undefined) return erasePerson(opened, context, options, identifiers)
    if (identifiers.length > 0) return tracePerson(opened, options, options.receipt, identifiers)
    return showReceipt(opened, options, options.receipt)
  })
}

function checkMode(options: EraseOptions, saysWho: boolean): void {
  const { receipt, list, resume, lrs, onlyActorAndObject, yes } = options
  const others = [lrs !== undefined, onlyActorAndObject, yes].filter(Boolean).length
  const modes = [receipt !== undefined, list, resume].filter(Boolean).length
  if (modes === 0 && !saysWho) {
    throw new UsageError(
      'say who (--mbox, --mbox-sha1sum, --openid, --account, --actor), or --receipt, --list, --resume',
    )
  }
  if (list && (modes > 1 || others > 0 || saysWho)) throw new UsageError('--list goes without the others')
  if (resume && (modes > 1 || others > 0 || saysWho)) throw new UsageError('--resume goes without the others')
  if (modes > 0 && others > 0) throw new UsageError('--receipt goes without the others, but for those that say who')
}

const eraseHelp = `
Every identifier given is of the same person. What goes: statements that mention them, what others inherited from those,
documents, names, attachments nothing else refers to; in unused space of the database, too. docs/guides/erasure.md

Identifiers are compared as xAPI does: of an address only the domain may be in any case. The count warns of what is stored
and may be the same person's, too, without being meant: what differs in upper and lower case, the address of a hash given.

Examples:
  $ claviger erase --mbox ann@example.org --account 4711@https://lms.example.org
  $ claviger erase --mbox ann@example.org --account 4711@https://lms.example.org --yes
  $ claviger erase --list
  $ claviger erase --receipt 6a3f0c1de2b4a5968778695a --mbox ann@example.org
`

/** What was typed, and the xAPI Agent it stands for. */
interface Identifier {
  readonly option: keyof typeof takes
  readonly typed: string
  readonly agent: unknown
}

/** What each option takes. `--account` and `--actor` are read before they are looked at. */
const takes = {
  '--mbox': 'an e-mail address, such as ann@example.org',
  '--mbox-sha1sum': 'a SHA-1 hash of 40 hex digits',
  '--openid': 'a URL, such as https://ann.example.org/',
  '--account': 'name@homePage, such as 4711@https://lms.example.org',
  '--actor': `an xAPI Agent as JSON, such as '{"mbox":"mailto:ann@example.org"}'`,
} as const

function identifiersOf({ mbox, mboxSha1sum, openid, account, actor }: EraseOptions): readonly Identifier[] {
  const read = (option: Identifier['option'], words: readonly string[] = [], toAgent: (word: string) => unknown) =>
    words.map((typed) => ({ option, typed, agent: toAgent(typed) }))
  return [
    ...read('--mbox', mbox, (address) => ({ mbox: address.startsWith('mailto:') ? address : `mailto:${address}` })),
    ...read('--mbox-sha1sum', mboxSha1sum, (hash) => ({ mbox_sha1sum: hash })),
    ...read('--openid', openid, (url) => ({ openid: url })),
    ...read('--account', account, parseAccount),
    ...read('--actor', actor, parseActor),
  ]
}

/** Whatever the core says of an agent is said of the option it came from. */
async function inOptions<T>(
  identifiers: readonly Identifier[],
  act: (agents: readonly unknown[]) => Promise<T>,
): Promise<T> {
  try {
    return await act(identifiers.map(({ agent }) => agent))
  } catch (error) {
    const failures = isDomainError(error) && error.code === 'invalid' ? (error.detail.failures ?? []) : []
    if (failures.length === 0 || !isDomainError(error)) throw error
    const detail = { ...error.detail, failures: failures.map((failure) => inOption(failure, identifiers)) }
    throw new DomainError('invalid', error.message, { detail })
  }
}

function inOption(failure: Failure, identifiers: readonly Identifier[]): Failure {
  const [, index = '', rest = ''] = /^\/(\d+)(.*)$/.exec(failure.pointer) ?? []
  const identifier = identifiers[Number(index)]
  if (index === '' || identifier === undefined) return failure
  const { option, typed } = identifier
  const place = rest === '' ? '' : `, at ${rest.slice(1)}`
  const message =
    option === '--actor'
      ? `${option} ${typed}${place}: ${failure.message}`
      : `${option} takes ${takes[option]}, not ${JSON.stringify(typed)}`
  return { ...failure, pointer: '', message }
}

// A name may be an address, so what follows the @ must be seen to be a URL.
function parseAccount(text: string): object {
  const [, name, homePage] = /^(.+?)@([a-z][a-z0-9+.-]*:\/\/.+)$/i.exec(text) ?? []
  if (name !== undefined) return { account: { homePage, name } }
  throw new UsageError(`--account takes ${takes['--account']}, not ${JSON.stringify(text)}`)
}

function parseActor(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`--actor takes ${takes['--actor']}`)
  }
}

async function erasePerson(
  opened: Opened,
  context: CommandContext,
  options: EraseOptions,
  identifiers: readonly Identifier[],
): Promise<Outcome> {
  const { caller, lrsId } = await scopeOf(opened, options)
  const { erasures } = opened.core
  const { onlyActorAndObject: onlyDirect = false } = options
  const inputOf = (agents: readonly unknown[]) => ({ agents, onlyDirect, ...(lrsId !== undefined && { lrsId }) })
  return inOptions(identifiers, async (agents) => {
    const preview = await erasures.previewPerson(caller, inputOf(agents))
    const copies = copyWarnings(context.config.dataDirectory)
    const warnings = [...namedWarnings(preview), ...alikeWarnings(preview), ...copies]
    if (!options.yes) return { ...previewed(preview, 'erase'), warnings }
    const job = { options, opened, caller }
    const receipt = await follow(context, job, (onBegun) => erasures.erasePerson(caller, inputOf(agents), onBegun))
    return { ...done(receipt), warnings }
  })
}

const tellEveryMs = 5_000

interface Followed {
  readonly options: GlobalOptions
  readonly opened: Opened
  readonly caller: Caller
}

/** Runs a job, tells of it meanwhile, and lets other commands run beside it. */
export async function follow(
  { streams, letOthersPass }: CommandContext,
  { options, opened, caller }: Followed,
  start: (onBegun: (id: Oid) => void) => Promise<ErasureReceipt>,
): Promise<ErasureReceipt> {
  const tell = (line: string): void => (options.json ? undefined : streams.err(`${line}\n`))
  let timer: NodeJS.Timeout | undefined
  const tellProgress = async (id: Oid): Promise<void> => {
    const { counts } = (await opened.core.erasures.get(caller, id)).record
    tell(`  ${counted(counts.statements, 'statement')} and ${counted(counts.documents, 'document')} so far`)
  }
  try {
    return await start((id) => {
      letOthersPass?.()
      tell(`Erasure ${id} has begun, and goes on should this command be interrupted.`)
      // What it cannot tell is no reason to stop.
      timer = setInterval(() => void tellProgress(id).catch(() => undefined), tellEveryMs).unref()
    })
  } finally {
    clearInterval(timer)
  }
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

function alikeWarnings({ alike }: ErasurePreview): readonly string[] {
  const why = { 'other case': 'differs in upper and lower case only', 'address of the hash': 'has the hash' }
  return alike.map(({ lrsId, agent, likeness }) =>
    oneLine(`Lrs ${lrsId} has ${agent}, which ${why[likeness]} and stays; if it is the same person: ${asTyped(agent)}`),
  )
}

/** The option that means this identifier. */
function asTyped(agent: string): string {
  const [, kind = '', value = ''] = /^(\S+) (.*)$/s.exec(agent) ?? []
  if (kind === 'mbox') return `--mbox ${quoted(value.replace(/^mailto:/, ''))}`
  if (kind === 'mbox_sha1sum') return `--mbox-sha1sum ${value}`
  if (kind === 'openid') return `--openid ${quoted(value)}`
  const homePage = value.slice(0, value.indexOf(' '))
  const name = value.slice(homePage.length + 1)
  return `--actor ${quoted(JSON.stringify({ account: { homePage, name } }))}`
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
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
  ['launches', 'launches'],
  ['descriptions', 'names and definitions'],
  ['terms', 'dictionary values'],
  ['blobs', 'files'],
  ['blobsLeft', 'files sent again meanwhile, left'],
]

/** What would go; `word` is what `--yes` would do. */
export function previewed({ lrs, namedBy, alike }: ErasurePreview, word: string): Outcome {
  const kinds = columns.filter(([kind]) => lrs.some(({ counts }) => counts[kind] !== undefined))
  const rows = lrs.map(({ lrsId, counts }) => [lrsId, ...kinds.map(([kind]) => counts[kind] ?? 0)])
  return {
    json: { dryRun: true, lrs, credentialsNaming: namedBy.map(({ id }) => id), alike },
    text: `${table([['Lrs', ...kinds.map(([, name]) => name)], ...rows])}\n\nNothing was changed: --yes will ${word} it, for good.`,
  }
}

export function done(receipt: ErasureReceipt): Outcome {
  return {
    json: receipt,
    text: `${receiptText(receipt)}\n\nThe receipt can be had again: claviger erase --receipt ${receipt.id}`,
  }
}

const kinds: Readonly<Record<ErasureReceipt['kind'], string>> = {
  person: 'a person',
  statement: 'a statement',
  retention: 'what was older than it is kept',
  empty: 'a whole Lrs',
}

function receiptText(receipt: ErasureReceipt): string {
  const { id, kind, lrsIds, by, counts, startedAt, finishedAt, unusedSpace, traces = [], sha256 } = receipt
  return pairs([
    ['erasure', id],
    ['of', kinds[kind]],
    ['in Lrs', lrsIds.join(', ')],
    ['by', by.name],
    ['started', startedAt],
    ['finished', finishedAt],
    ...columns.map(([count, name]) => [name, counts[count]] as const),
    ['unused space', unusedSpace],
    ...traces.map((trace, index) => [index === 0 ? 'traces' : '', trace] as const),
    ['SHA-256', sha256],
  ])
}

async function showReceipt(opened: Opened, options: EraseOptions, id: string): Promise<Outcome> {
  const organisation = await chooseOrganisation(opened, options)
  const state = await opened.core.erasures.get(callerIn(opened, organisation.id), id)
  if (state.receipt) return { json: state.receipt, text: receiptText(state.receipt) }
  return { json: stateJson(state), text: `Erasure ${id} is not done yet: claviger erase --resume`, exit: 1 }
}

/** How an identifier that was given stands in a receipt. */
const tracedWords: Readonly<Record<Traced['traced'], string>> = {
  itself: 'erased',
  'its hash': 'erased where its hash stands for it',
  no: 'not erased then',
}

async function tracePerson(
  opened: Opened,
  options: EraseOptions,
  id: string,
  identifiers: readonly Identifier[],
): Promise<Outcome> {
  const caller = callerIn(opened, (await chooseOrganisation(opened, options)).id)
  const traced = await inOptions(identifiers, (agents) => opened.core.erasures.trace(caller, id, agents))
  const met = traced.filter((one) => one.traced !== 'no').length
  const some = met === traced.length ? '' : ', by some of these identifiers'
  const head = met === 0 ? `Erasure ${id} is not of this person.` : `Erasure ${id} is of this person${some}.`
  const rows = traced.map((one) => [`  ${one.agent}`, tracedWords[one.traced]])
  const text = `${head}\n\n${table([['  identifier', 'then'], ...rows])}`
  return { json: { id, isOfThisPerson: met > 0, identifiers: traced }, text, exit: met === traced.length ? 0 : 1 }
}

async function list(opened: Opened, options: EraseOptions): Promise<Outcome> {
  const organisation = await chooseOrganisation(opened, options)
  const { items, total } = await opened.core.erasures.list(callerIn(opened, organisation.id), { limit: 1000 })
  const rows = items.map(({ record, receipt }) => [
    record.id,
    kinds[(record.plan as unknown as ErasureReceipt).kind],
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
