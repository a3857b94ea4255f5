// claviger try and ask: what happens to a key, through the decisions that requests themselves go through. `try` stores
// and reads with the key's own principal; `ask` only explains.

import type { Command } from 'commander'
import type { AccessRequest, Decision } from '../../core/access.ts'
import { isDomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import { noLimits } from '../../core/limits.ts'
import { noPins } from '../../core/pins.ts'
import type { Pins } from '../../core/pins.ts'
import type { Principal } from '../../core/principal.ts'
import { isLive } from '../../core/secret.ts'
import type { Statement } from '../../core/xapi/statement.ts'
import { callerIn, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Located, Opened } from '../context.ts'
import { exitCodes, PlainError, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'
import { stateOf } from './credential.ts'

// ---------------------------------------------------------------------------------------------------------------------
// try

interface Attempt {
  readonly allowed: boolean
  readonly decidedBy: string
  readonly reason: string
}

export function addTry(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('try')
    .description('store with a key, read it back, and try another key’s statement; what it stores is voided again')
    .argument('<id-or-key>')
    .addHelpText('after', '\nExample:\n  $ claviger try 4f1c09d2a7b35e\n')
  act<GlobalOptions>(command, async (options, word = '') => {
    const opened = await context.open()
    const located = await locateCredential(opened, options, word)
    const refusal = signInRefusal(opened, located)
    if (refusal) return tried(word, { signIn: refusal })
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
    return tried(word, { stores, reads, another })
  })
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

async function attempt(action: () => Promise<unknown>): Promise<Attempt> {
  try {
    await action()
    return { allowed: true, decidedBy: '', reason: '' }
  } catch (error) {
    if (!isDomainError(error)) throw error
    const decidedBy = error.detail.decidedBy ?? error.code
    // Hidden by reach or pin: the key is told nothing, the operator may know.
    const reason = error.code === 'not_found' ? 'It is told that there is no such statement.' : error.message
    return { allowed: false, decidedBy, reason }
  }
}

function tried(word: string, result: Record<string, Attempt | undefined>): Outcome {
  const labels: Readonly<Record<string, string>> = {
    signIn: 'signs in:           ',
    stores: 'stores:             ',
    reads: 'reads its own back: ',
    another: 'reads another key’s:',
  }
  const lines = Object.entries(result).flatMap(([name, item]) =>
    item ? [`${labels[name]} ${item.allowed ? 'yes' : `no. ${item.reason}`}`] : [],
  )
  const json = { key: word, ...result }
  return { json, text: lines.join('\n'), exit: result['signIn'] ? exitCodes.failed : exitCodes.ok }
}

// ---------------------------------------------------------------------------------------------------------------------
// ask

interface AskOptions extends GlobalOptions {
  readonly from?: string
  readonly origin?: string
  readonly xapiVersion?: string
  readonly statementStdin?: boolean
}

export function addAsk(program: Command, context: CommandContext, act: Act): void {
  const command = program
    .command('ask')
    .description('say whether a request would be allowed, what decides, and what would change it; sends nothing')
    .argument('<id-or-key>')
    .argument('<method>')
    .argument('<path>')
    .option('--from <address>', 'as if it came from this address')
    .option('--origin <origin>', 'as if a web page of this origin sent it')
    .option('--xapi-version <version>', 'as if with this xAPI version: 1.0 or 2.0')
    .option('--statement-stdin', 'as if it stored the statement on standard input')
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger ask 3 GET /xapi/statements\n  $ claviger ask 3 POST /xapi/statements --from 203.0.113.9\n',
    )
  act<AskOptions>(command, async (options, word = '', method = '', path = '') => {
    const opened = await context.open()
    const located = await locateCredential(opened, options, word)
    const decision = await decide(opened, located, {
      method: method.toUpperCase(),
      path: pathOf(path, context),
      options,
      context,
    })
    const { allowed, reach, decidedBy, reason, remedy } = decision
    const depends = allowed ? openQuestions(located, options) : []
    const lines = [
      `${allowed ? 'Allowed' : 'Not allowed'}: ${method.toUpperCase()} ${path}`,
      `Decided by: ${decidedBy}`,
      reason,
      ...(remedy === undefined ? [] : [`What would allow it: ${remedy}`]),
      ...(depends.length === 0 ? [] : [`It also depends on ${depends.join(' and on ')}.`]),
    ]
    return {
      json: { allowed, ...(reach && { reach }), decidedBy, reason, ...(remedy !== undefined && { remedy }), depends },
      text: lines.join('\n'),
      exit: allowed ? exitCodes.ok : exitCodes.failed,
    }
  })
}

/** What would decide, too, but was not told. */
function openQuestions({ credential: { limits, pins } }: Located, options: AskOptions): readonly string[] {
  return [
    ...(limits.addresses && options.from === undefined ? ['the address (--from)'] : []),
    ...(limits.origins && options.origin === undefined ? ['the web page (--origin)'] : []),
    ...(limits.xapiVersions && options.xapiVersion === undefined ? ['the xAPI version (--xapi-version)'] : []),
    ...(Object.keys(pins).length > 0 && !options.statementStdin ? ['the statement (--statement-stdin)'] : []),
  ]
}

function pathOf(text: string, { config }: CommandContext): string {
  if (URL.canParse(text, config.baseUrl)) return new URL(text, config.baseUrl).pathname
  throw new UsageError(`${JSON.stringify(text)} is not a path`)
}

interface Question {
  readonly method: string
  readonly path: string
  readonly options: AskOptions
  readonly context: CommandContext
}

async function decide(opened: Opened, located: Located, question: Question): Promise<Decision> {
  const { method, path } = question
  const refusal = signInRefusal(opened, located)
  if (refusal) return refusal
  const asked = opened.faces.flatMap((face) => {
    const request = face.accessFor?.(method, path)
    return request ? [{ face, request }] : []
  })[0]
  if (!asked) throw new PlainError(`no face answers ${method} ${path}`)
  const place = placeOf(opened, path)
  const within = place?.within
  if (within !== undefined && within !== located.organisation.id) {
    const reason = 'The path names another organisation; the answer is the same as for a wrong secret.'
    const remedy = `Use organisation ${located.organisation.id} in the path, or a key of organisation ${within}.`
    return { allowed: false, decidedBy: 'organisation', reason, remedy }
  }
  const principal = await principalOf(opened, located)
  try {
    const request = complete(asked.request, principal, place?.lrs, question)
    return opened.core.access.explain(withoutUntold(principal, question.options), request)
  } catch (error) {
    if (!isDomainError(error)) throw error
    return { allowed: false, decidedBy: error.detail.decidedBy ?? error.code, reason: error.message }
  }
}

interface Place {
  readonly within: number | undefined
  readonly lrs: ((principal: Principal) => LrsId) | undefined
}

/** Which organisation and Lrs a path means, where a face mounts something on it. */
function placeOf(opened: Opened, path: string): Place | undefined {
  for (const face of opened.faces) {
    for (const mount of face.xapiMounts ?? []) {
      const params = matchPrefix(mount.prefix, path)
      if (params) return { within: mount.within?.(params), lrs: (principal) => mount.lrs(principal, params) }
    }
    for (const mount of face.mounts) {
      const params = matchPrefix(mount.path, path)
      const within = params && Object.keys(params).length > 0 ? face.xapiMounts?.[0]?.within?.(params) : undefined
      if (within !== undefined) return { within, lrs: undefined }
    }
  }
  return undefined
}

function matchPrefix(prefix: string, path: string): Record<string, string> | undefined {
  const asked = path.split('/')
  const params: Record<string, string> = {}
  for (const [index, segment] of prefix.split('/').entries()) {
    const value = asked[index]
    if (value === undefined) return undefined
    if (segment.startsWith(':')) params[segment.slice(1)] = value
    else if (segment !== value) return undefined
  }
  return params
}

/** The question as the request itself would put it: with its Lrs, its arrival and its statement. */
function complete(
  request: AccessRequest,
  principal: Principal,
  lrs: Place['lrs'],
  { options, context }: Question,
): AccessRequest {
  if (request.kind === 'manage') return request
  const { from, origin, xapiVersion, statementStdin } = options
  const arrival = { address: from, origin, version: xapiVersion }
  return {
    ...request,
    lrsId: request.lrsId ?? lrs?.(principal) ?? homeOf(principal),
    arrival,
    ...(statementStdin && { statement: statementOf(context.stdin ?? '') }),
  }
}

/** A limit on what was not told decides nothing; `openQuestions` names it. */
function withoutUntold(principal: Principal, { from, xapiVersion }: AskOptions): Principal {
  const { addresses, xapiVersions, ...limits } = principal.limits
  return {
    ...principal,
    limits: {
      ...limits,
      ...(addresses && from !== undefined && { addresses }),
      ...(xapiVersions && xapiVersion !== undefined && { xapiVersions }),
    },
  }
}

function statementOf(text: string): Statement {
  try {
    return JSON.parse(text) as Statement
  } catch {
    throw new UsageError('--statement-stdin: there is no statement, as JSON, on standard input')
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// both

/** Why the key cannot even sign in. */
function signInRefusal(opened: Opened, { credential }: Located): Decision | undefined {
  const state = stateOf(credential, opened.core.clock.now())
  if (state === 'active') return undefined
  const remedies = {
    disabled: `claviger credential enable ${credential.id}`,
    expired: 'Set a later expiry, or create a new key.',
    'no secret': `claviger credential rotate ${credential.id}`,
  }
  const reason = state === 'no secret' ? 'The key has no secret that works.' : `The key is ${state}.`
  return { allowed: false, decidedBy: 'credential', reason, remedy: remedies[state] }
}

/** Who the key is when it signs in, by signing in. */
async function principalOf(opened: Opened, { caller, organisation, credential }: Located): Promise<Principal> {
  const { secrets } = await opened.core.credentials.reveal(caller, credential.id)
  const secret = secrets.findLast((item) => isLive(item, opened.core.clock.now()))
  if (!secret) throw new PlainError('the key has no secret that works')
  return opened.core.signIn.basic({ key: credential.key, secret: secret.value, within: organisation.id })
}

function homeOf({ lrsIds }: Principal): LrsId {
  const [home] = lrsIds
  if (home === undefined) throw new PlainError('the key reaches no Lrs')
  return home
}
