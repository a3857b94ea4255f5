// claviger try: stores and reads with a key's own principal, through the use cases that requests go through, and voids what
// it stored. What only a request shows (addresses, origins, rates) it does not judge, and says so.

import type { Command } from 'commander'
import { homeOf } from '../../core/access.ts'
import type { Decision } from '../../core/access.ts'
import { isDomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import { noLimits } from '../../core/limits.ts'
import type { Limits } from '../../core/limits.ts'
import { noPins } from '../../core/pins.ts'
import type { Pins } from '../../core/pins.ts'
import type { Principal } from '../../core/principal.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import { callerIn, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { commandFor, principalOf, signInRefusal } from '../key-state.ts'
import { exitCodes } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

interface Attempt {
  readonly allowed: boolean
  readonly decidedBy: string
  readonly reason: string
  /** The command that would allow it. */
  readonly remedy?: string | undefined
}

export function addTry(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('try')
    .description('store a statement with a key, read it back, and try another key’s; what it stored stays, voided')
    .argument('<id-or-key>')
    .addHelpText('after', tryHelp)
  act<GlobalOptions>(command, async (options, word = '') => {
    const opened = await context.open()
    const located = await locateCredential(opened, options, word)
    const refusal = signInRefusal(opened, located)
    if (refusal) return tried(word, { signIn: refusal }, [])
    const principal = await principalOf(opened, located)
    const lrsId = homeOf(principal)
    const left: string[] = []
    const stores = await attempt(async () => {
      left.push(await storeOne(opened, principal, lrsId, trialStatement(context, principal.pins)))
    })
    // A key that may not store still has something of its own to read: what it would have stored.
    const own = left[0] ?? (await storeOne(opened, freed(principal), lrsId, trialStatement(context, principal.pins)))
    if (!left.includes(own)) left.push(own)
    const reads = await attempt(() => opened.core.statements.get(principal, lrsId, own, { isVoided: false }))
    const { id: other, isMade } = await statementOfAnother(opened, context, principal, lrsId)
    const another = await attempt(() => opened.core.statements.get(principal, lrsId, other, { isVoided: false }))
    await voidAll(opened, freed(principal), lrsId, isMade ? [...left, other] : left)
    const { credential } = located
    const withCommand = (item: Attempt): Attempt =>
      item.allowed ? item : { ...item, remedy: commandFor(item.decidedBy, credential, { lrsId }) }
    const isMeant = principal.rights.xapi['statements/read'] !== 'any'
    return tried(
      word,
      { stores: withCommand(stores), reads: withCommand(reads), another: isMeant ? another : withCommand(another) },
      unjudged(principal.limits),
    )
  })
}

const tryHelp = `
It leaves in the key's Lrs a voided statement and the one that voids it; another pair where no other key has stored yet.
Voided statements are shown to nobody who does not ask for voided ones. A key that is not allowed to store leaves them, too:
there is no other way to see what it reads of its own.

Tried are statements only. For State and profiles, and to read with attachments=true, ask:
  $ claviger ask 3 GET '/xapi/activities/state?activityId=https://example.org/a&agent={"mbox":"mailto:ann@example.org"}'

Example:
  $ claviger try 4f1c09d2a7b35e8d60c2e914
`

/** What only a request shows. */
function unjudged({
  addresses,
  origins,
  xapiVersions,
  ratePerMinute,
  dailyQuota,
  bodyBytes,
}: Limits): readonly string[] {
  const limits = {
    ...(addresses && { 'the addresses it may be used from': true }),
    ...(origins && { 'the web pages it may be used by': true }),
    ...(xapiVersions && { 'the xAPI versions it may use': true }),
    ...((ratePerMinute ?? dailyQuota) !== undefined && { 'its rate and quota': true }),
    ...(bodyBytes !== undefined && { 'the size of its requests': true }),
  }
  return Object.keys(limits)
}

/** The same owner without its rights, pins and limits: the operator cleaning up, or preparing, in its name. */
function freed(principal: Principal): Principal {
  const xapi = { 'statements/write': 'any', 'statements/read': 'any', 'statements/void': 'any' } as const
  return { ...principal, rights: { xapi, management: [] }, pins: noPins, limits: noLimits }
}

/** A statement any reader recognises as a trial, inside the pins of the key that is tried. */
function trialStatement({ config }: CommandContext, { actor, registration, activity }: Pins): Statement {
  const [pin] = actor ?? []
  const account = (name: string, homePage = config.baseUrl): object => ({ account: { name, homePage } })
  const mbox = pin && 'mbox' in pin ? { mbox: pin.mbox } : undefined
  return {
    actor: mbox ?? (pin && 'accountName' in pin ? account(pin.accountName, pin.homePage) : account('claviger-try')),
    verb: { id: 'http://adlnet.gov/expapi/verbs/attempted', display: { en: 'tried with claviger try' } },
    object: { id: activity ?? `${config.baseUrl}/claviger-try` },
    ...(registration && { context: { registration: registration.id } }),
  }
}

async function storeOne(opened: Opened, principal: Principal, lrsId: LrsId, statement: Statement): Promise<string> {
  const { ids } = await opened.core.statements.store(principal, lrsId, {
    text: JSON.stringify(statement),
    version: '1.0',
  })
  return ids[0] ?? ''
}

/** The newest one of another owner, or one stored for the occasion by a credential that lives only for it. */
async function statementOfAnother(
  opened: Opened,
  context: CommandContext,
  principal: Principal,
  lrsId: LrsId,
): Promise<{ readonly id: string; readonly isMade: boolean }> {
  const { statements } = await opened.core.statements.list(freed(principal), lrsId, {
    filters: [],
    isAscending: false,
    limit: 100,
  })
  const found = statements.find(({ owner }) => owner !== principal.credentialId)
  const id: unknown = found && (JSON.parse(found.body) as { id?: unknown }).id
  if (typeof id === 'string') return { id, isMade: false }
  const caller = callerIn(opened, principal.organisationId)
  const issued = await opened.core.credentials.create(caller, {
    name: 'claviger try',
    rights: { xapi: { 'statements/write': 'any' }, management: [] },
    lrsIds: [lrsId],
  })
  try {
    const other = await opened.core.signIn.basic({ ...issued, within: principal.organisationId })
    return { id: await storeOne(opened, other, lrsId, trialStatement(context, principal.pins)), isMade: true }
  } finally {
    await opened.core.credentials.remove(caller, issued.credential.id)
  }
}

async function voidAll(opened: Opened, principal: Principal, lrsId: LrsId, ids: readonly string[]): Promise<void> {
  const text = JSON.stringify(
    ids.map((id) => ({
      actor: principal.authority,
      verb: { id: 'http://adlnet.gov/expapi/verbs/voided', display: { en: 'voided by claviger try' } },
      object: { objectType: 'StatementRef', id },
    })),
  )
  await opened.core.statements.store(principal, lrsId, { text, version: '1.0' })
}

interface Tried {
  readonly signIn?: Decision
  readonly stores?: Attempt
  readonly reads?: Attempt
  readonly another?: Attempt
}

async function attempt(action: () => Promise<unknown>): Promise<Attempt> {
  try {
    await action()
    return { allowed: true, decidedBy: '', reason: '' }
  } catch (error) {
    if (!isDomainError(error)) throw error
    const decidedBy = error.detail.decidedBy ?? error.code
    // Hidden by reach or pin: the key is told nothing, the operator may know.
    const { remedy = '' } = error.detail
    const words = remedy === '' ? error.message : error.message.slice(0, -remedy.length).trimEnd()
    const reason = error.code === 'not_found' ? 'It is told that there is no such statement.' : words
    return { allowed: false, decidedBy, reason }
  }
}

function tried(word: string, result: Tried, notJudged: readonly string[]): Outcome {
  const labels: Readonly<Record<string, string>> = {
    signIn: 'signs in:           ',
    stores: 'stores:             ',
    reads: 'reads its own back: ',
    another: 'reads another key’s:',
  }
  const lines = Object.entries(result).flatMap(([name, item]) =>
    item ? [`${labels[name]} ${answerOf(item, name)}`] : [],
  )
  const limits =
    notJudged.length === 0
      ? []
      : [`Not judged: ${notJudged.join(', ')}; claviger ask judges the address, web page and version it is told.`]
  const json = { key: word, ...result, notJudged }
  return { json, text: [...lines, ...limits].join('\n'), exit: result.signIn ? exitCodes.failed : exitCodes.ok }
}

function answerOf({ allowed, reason, remedy }: Attempt, name: string): string {
  if (allowed) return 'yes'
  // To be kept from others' statements is what most keys are for.
  const asIntended = name === 'another' && remedy === undefined
  return `no${asIntended ? ', as it should' : ''}. ${reason}${remedy === undefined ? '' : ` To change it: ${remedy}`}`
}
