// claviger ask: what a request with a key would be answered, by the functions that answer requests; sends and changes nothing.

import type { Command } from 'commander'
import { isAnsweredUnclaimed, locatePath } from '../../app.ts'
import type { AskedRequest, Judgement } from '../../app.ts'
import { inWords, isDomainError } from '../../core/errors.ts'
import { parseVersion } from '../../core/xapi/version.ts'
import { locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Located, Opened } from '../context.ts'
import { commandFor, principalOf, signInRefusal } from '../key-state.ts'
import { exitCodes, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'

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
    .argument('<path>', 'with its query string, if any')
    .option('--from <address>', 'as if it came from this address')
    .option('--origin <origin>', 'as if a web page of this origin sent it')
    .option('--xapi-version <version>', 'as if with this xAPI version, such as 1.0.3 or 2.0.0')
    .option('--statement-stdin', 'as if it stored the statement, or the array of them, on standard input')
    .addHelpText('after', askHelp)
  act<AskOptions>(command, async (options, word = '', method = '', path = '') => {
    const opened = await context.open()
    const located = await locateCredential(opened, options, word)
    const { asked, target } = askedOf(located, method, path, { options, context })
    const { allowed, reach, decidedBy, reason, remedy, ...rest } = await decide(opened, located, asked, target)
    const depends = allowed ? [...openQuestions(located, options), ...namedDepends(rest.depends)] : []
    const notes = [...(rest.notes ?? []), ...(allowed ? uncounted(located) : [])]
    const lines = [
      `${allowed ? 'Allowed' : 'Not allowed'}: ${asked.method} ${path}`,
      `Decided by: ${decidedBy}`,
      reason,
      ...(remedy === undefined ? [] : [`What would allow it: ${remedy}`]),
      ...(depends.length === 0 ? [] : [`It also depends on ${depends.join(' and on ')}.`]),
      ...notes,
    ]
    const known = { allowed, ...(reach && { reach }), decidedBy, reason, ...(remedy !== undefined && { remedy }) }
    return {
      json: { ...known, depends, notes },
      text: lines.join('\n'),
      exit: allowed ? exitCodes.ok : exitCodes.failed,
    }
  })
}

const askHelp = `
Judged are the key, the organisation and Lrs of the path, rights, pins, limits that are not counted, parameters and, with
--statement-stdin, the statement by every rule. Not judged are rates, quotas, and the bodies of other requests.

Examples:
  $ claviger ask 3 GET /xapi/statements
  $ claviger ask 3 POST /xapi/statements --from 203.0.113.9 --statement-stdin < statement.json
`

interface Told {
  readonly options: AskOptions
  readonly context: CommandContext
}

function askedOf(located: Located, method: string, path: string, { options, context }: Told) {
  const { baseUrl } = context.config
  if (!/^(?:\/|https?:\/\/)/.test(path)) throw new UsageError(`the path begins with /: /${path}`)
  if (!URL.canParse(path, baseUrl)) throw new UsageError(`${JSON.stringify(path)} is not a path`)
  const url = new URL(path, baseUrl)
  const { xapiVersions } = located.credential.limits
  // Of the versions the key may use, when none is told.
  const version = options.xapiVersion ?? (xapiVersions && !xapiVersions.includes('2.0') ? '1.0.3' : '2.0.0')
  const asked: AskedRequest = {
    method: method.toUpperCase(),
    path: url.pathname,
    query: url.searchParams,
    version,
    address: options.from,
    origin: options.origin,
    body: options.statementStdin ? bodyOf(context) : undefined,
  }
  return { asked, target: url.pathname }
}

function bodyOf({ stdin = '' }: CommandContext): string {
  if (stdin.trim() !== '') return stdin
  throw new UsageError('--statement-stdin: there is nothing on standard input')
}

async function decide(opened: Opened, located: Located, asked: AskedRequest, sent: string): Promise<Judgement> {
  try {
    const place = locatePath(opened.faces, sent)
    const access = await place?.face.accessFor?.({ ...asked, path: place.path }, opened.core)
    if (!place && isAnsweredUnclaimed(asked.method, sent)) return front
    if (!access) return { allowed: false, decidedBy: 'path', reason: 'There is nothing at this path (404).' }
    if (access.kind === 'public') return { allowed: true, decidedBy: 'public', reason: access.reason }
    if (access.kind === 'refused') return { allowed: false, ...access }
    const refused = signInRefusal(opened, located) ?? otherOrganisation(located, access.within)
    if (refused) return refused
    const principal = withoutUntold(await principalOf(opened, located), asked)
    return withCommand(await access.judge(opened.core, principal), located, asked)
  } catch (error) {
    if (!isDomainError(error)) throw error
    const { decidedBy = error.code, failures = [], remedy } = error.detail
    const message = failures.length > 0 ? failures.map(inWords).join('\n') : error.message
    const reason = remedy === undefined ? message : message.slice(0, -remedy.length).trimEnd()
    return withCommand({ allowed: false, decidedBy, reason, ...(remedy !== undefined && { remedy }) }, located, asked)
  }
}

const front: Judgement = {
  allowed: true,
  decidedBy: 'public',
  reason: 'It lies outside every API and tells nothing of anybody’s data: answered to everybody, without any key.',
}

function otherOrganisation({ organisation }: Located, within: number | undefined): Judgement | undefined {
  if (within === undefined || within === organisation.id) return undefined
  const reason = 'The path names another organisation; the answer is the same as for a wrong secret.'
  const remedy = `Use a path of organisation ${organisation.id}, or a key of organisation ${within}.`
  return { allowed: false, decidedBy: 'organisation', reason, remedy }
}

/** A limit on an address that was not told decides nothing; `openQuestions` names it. */
function withoutUntold<P extends { readonly limits: { readonly addresses?: readonly string[] } }>(
  principal: P,
  { address }: AskedRequest,
): P {
  if (address !== undefined) return principal
  const { addresses: _untold, ...limits } = principal.limits
  return { ...principal, limits }
}

/** What would allow it as a command to type, where there is one. To lift a pin widens the key: staying inside it comes first. */
function withCommand(judgement: Judgement, { credential }: Located, asked: AskedRequest): Judgement {
  if (judgement.allowed) return judgement
  const { address, origin } = asked
  const version = familyOf(asked.version)
  const command = commandOf(judgement, credential, { lrsId: judgement.lrsId, address, origin, version })
  if (command === undefined) return judgement
  const isPinned = judgement.decidedBy.startsWith('pin ') && judgement.remedy !== undefined
  return { ...judgement, remedy: isPinned ? `${judgement.remedy} Or widen the key: ${command}` : command }
}

function commandOf(
  { decidedBy, preset }: Judgement,
  credential: Located['credential'],
  wanted: Parameters<typeof commandFor>[2],
): string | undefined {
  if (preset === undefined) return commandFor(decidedBy, credential, wanted)
  return `claviger credential set ${credential.id} --preset ${preset}`
}

function familyOf(version: string): string | undefined {
  try {
    return parseVersion(version)
  } catch {
    return undefined
  }
}

/** What would decide, too, but was not told. */
function openQuestions({ credential: { limits } }: Located, options: AskOptions): readonly string[] {
  return [
    ...(limits.addresses && options.from === undefined ? ['the address (--from)'] : []),
    ...(limits.origins && options.origin === undefined ? ['the web page (--origin)'] : []),
    ...(limits.xapiVersions && options.xapiVersion === undefined ? ['the xAPI version (--xapi-version)'] : []),
  ]
}

function namedDepends(depends: readonly string[] = []): readonly string[] {
  return depends.map((what) => (what === 'the statement' ? 'the statement (--statement-stdin)' : what))
}

function uncounted({ credential: { limits } }: Located): readonly string[] {
  if (limits.ratePerMinute === undefined && limits.dailyQuota === undefined) return []
  return ['Not judged: how many requests the key has sent already; it has a rate or a quota.']
}
