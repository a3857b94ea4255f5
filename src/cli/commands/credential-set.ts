// claviger credential set: changes of a key what is given and nothing else, and says what changed.

import type { Command } from 'commander'
import type { CredentialChange } from '../../core/credential.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Limits } from '../../core/limits.ts'
import type { Pins } from '../../core/pins.ts'
import { describeRights } from '../../core/presets.ts'
import { everyRight, intersect, missingFrom, xapiRights } from '../../core/rights.ts'
import type { Rights, XapiRight } from '../../core/rights.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { addRights, parseExpiry, parseLimits, parseNumber, parsePins, unknownWord } from '../credential-options.ts'
import type { LimitOptions, LrsOfApplications, PinOptions, RightsOptions } from '../credential-options.ts'
import { isMany, longNames, selectionOf, takeConsent, takeSelection } from '../credential-selection.ts'
import type { Selection } from '../credential-selection.ts'
import { credentialJson, inWords, signing } from '../credential-shown.ts'
import { oneLine, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'
import { bulk } from './credential-bulk.ts'
import type { BulkOptions } from './credential-bulk.ts'
import { lrsOfApplications, oauthOf, presetOf, takeWorth } from './credential-create.ts'
import type { OauthOptions } from './credential-create.ts'

/** Of each option that has a `--no-` form: false when that was given last. */
type Unset<Options> = { readonly [Name in keyof Options]: Options[Name] | false }

interface SetOptions extends GlobalOptions, RightsOptions, Unset<PinOptions>, Unset<LimitOptions>, OauthOptions {
  readonly name?: string
  readonly preset?: string
  readonly dropRight?: readonly string[]
  readonly dropManage?: boolean
  /** False drops all of them. */
  readonly pin: boolean
  readonly limit: boolean
  readonly lrs?: readonly string[]
  readonly expires?: string | false
}

const pinNames = { pinActor: 'actor', pinRegistration: 'registration', pinActivity: 'activity' } as const
const limitNames = {
  limitRate: 'ratePerMinute',
  limitBurst: 'burst',
  limitBatch: 'batch',
  limitBody: 'bodyBytes',
  limitDaily: 'dailyQuota',
  limitAddress: 'addresses',
  limitOrigin: 'origins',
  limitXapiVersion: 'xapiVersions',
} as const

export function addSet(group: Command, context: CommandContext, act: Act): void {
  const set = group
    .command('set')
    .alias('re-scope')
    .description('change a key, or many: only what is given here changes; at once, for its sessions and tokens too')
    .argument('[id-or-key]')
    .option('--name <name>', 'for people; also part of the authority of what it stores')
  takeWorth(set, 'claviger credential create --help lists them')
    .option('--drop-right <right>', 'take an xAPI right away; may be repeated', (right, before?: readonly string[]) => [
      ...(before ?? []),
      right,
    ])
    .option('--drop-manage', 'take all management away')
    .option('--no-pin', 'no pins any more; also --no-pin-actor, --no-pin-registration, --no-pin-activity')
    .option('--no-limit', 'no limits any more; also --no-limit-rate and so on, one by one')
    .option('--no-expires', 'it does not end by itself')
    .option('--no-oauth', 'it presents its secret again')
  takeConsent(takeSelection(set, longNames)).addHelpText('after', setHelp)
  for (const name of [...Object.keys(pinNames), ...Object.keys(limitNames)]) {
    const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    set.addOption(set.createOption(`--no-${kebab}`).hideHelp())
  }
  act<SetOptions & BulkOptions>(set, async (options, word = '') => {
    // `--lrs` and `--preset` say here what the keys are to have.
    const selection = selectionOf({ ...options }, longNames)
    const many = isMany(word, selection)
    const opened = await context.open()
    if (many) return setMany(opened, context, options, selection)
    const { caller, credential } = await locateCredential(opened, options, word)
    const lrsOf = await lrsOfApplications(opened, caller, options)
    const oauth = oauthChange(options, context)
    let before = credential
    const after = await opened.core.credentials.update(caller, credential.id, (current) => {
      before = current
      return changeOf(opened, options, current, { lrsOf, oauth })
    })
    const described = await opened.core.credentials.describe(caller, credential.id)
    const changes = differences(before, after)
    const head = `Credential ${after.id} (${oneLine(after.name)})`
    const what =
      changes.length === 0 ? ' was so already.' : ` changed:\n${changes.map((line) => `  ${line}`).join('\n')}`
    const { may, only, mayNot, warnings } = described
    return {
      json: { ...credentialJson(after), changes, may, only, mayNot },
      text: `${head}${what}\n\n${inWords(described)}`,
      warnings,
    }
  })
}

async function setMany(
  opened: Opened,
  context: CommandContext,
  options: SetOptions & BulkOptions,
  selection: Selection,
): Promise<Outcome> {
  if (options.name !== undefined) throw new UsageError('--name is for one key')
  const { id } = await chooseOrganisation(opened, options)
  const lrsOf = await lrsOfApplications(opened, callerIn(opened, id), options)
  const oauth = oauthChange(options, context)
  const changeFrom = (before: CredentialRecord): CredentialChange => changeOf(opened, options, before, { lrsOf, oauth })
  const differencesOf = (before: CredentialRecord): readonly string[] =>
    differences(before, { ...before, ...(changeFrom(before) as Partial<CredentialRecord>) })
  return bulk(opened, context, options, {
    selection,
    done: 'changed',
    change: (before) => (differencesOf(before).length === 0 ? undefined : { update: before.id, change: changeFrom }),
    say: (before) => differencesOf(before).join('; '),
  })
}

const setHelp = `
--right adds a right or changes its reach, --manage adds management, --preset replaces all rights. A pin, a limit and the
Lrs take the place of what was there under the same option.

Examples:
  $ claviger credential set 3 --right statements/read:mine
  $ claviger credential set 3 --expires 90d --limit-address 192.0.2.0/24
  $ claviger credential set 3 --no-pin-actor
  $ claviger credential set --in-lrs 2 --with-preset xapi --preset isolated
  $ claviger credential set --in-lrs 2 --with-preset xapi --preset isolated --yes
`

/** What had to be looked up, or read from files. */
interface Read {
  readonly lrsOf: LrsOfApplications
  readonly oauth: Pick<CredentialChange, 'oauth'>
}

function oauthChange(options: SetOptions, context: CommandContext): Pick<CredentialChange, 'oauth'> {
  // Of --oauth and --no-oauth, the last.
  if (options.oauth === false) return { oauth: null }
  const oauth = oauthOf(options, context)
  return oauth === undefined ? {} : { oauth }
}

function changeOf(
  opened: Opened,
  options: SetOptions,
  before: CredentialRecord,
  { lrsOf, oauth }: Read,
): CredentialChange {
  const { name, expires, lrs } = options
  const change: CredentialChange = {
    ...(name !== undefined && { name }),
    ...rightsChange(opened, options, before, lrsOf),
    ...oauth,
    ...pinsChange(options, before),
    ...limitsChange(options, before),
    ...(lrs && { lrsIds: lrs.map((id) => parseNumber(id, '--lrs') as LrsId) }),
    ...(expires !== undefined && {
      expiresAt: expires === false ? null : parseExpiry(expires, opened.core.clock.now()),
    }),
  }
  if (Object.keys(change).length > 0) return change
  throw new UsageError('say what to change, such as --name, --right, --pin-actor, --limit-rate or --expires')
}

function rightsChange(
  opened: Opened,
  options: SetOptions,
  before: CredentialRecord,
  lrsOf: LrsOfApplications,
): CredentialChange {
  const { preset, right, manage, within, dropRight = [], dropManage = false } = options
  const isAsked = preset ?? right ?? manage ?? within ?? (dropRight.length > 0 || dropManage || undefined)
  if (isAsked === undefined) return {}
  const named = preset === undefined ? undefined : presetOf(opened, preset)
  const { xapi, management } = named?.rights ?? before.rights
  const kept = Object.entries(xapi).filter(([name]) => !dropRight.map(rightNamed).includes(name as XapiRight))
  const start: Rights = { xapi: Object.fromEntries(kept), management: dropManage ? [] : management }
  // With everything, to write down each right once.
  const rights = intersect(addRights(start, options, lrsOf), everyRight)
  return { rights, ...(named?.words && { words: { ...before.words, ...named.words } }) }
}

function rightNamed(text: string): XapiRight {
  const found = xapiRights.find((right) => right === text)
  if (found !== undefined) return found
  throw new UsageError(unknownWord(text, xapiRights, '--drop-right'))
}

function pinsChange(options: SetOptions, { pins }: CredentialRecord): CredentialChange {
  const { given, dropped } = split<PinOptions, keyof Pins>(options, pinNames, !options.pin)
  const { pinRegistrationWhenPresent } = options
  const whenPresent = typeof pinRegistrationWhenPresent === 'string' ? { pinRegistrationWhenPresent } : {}
  const added = parsePins({ ...given, ...whenPresent })
  if (dropped.length === 0 && Object.keys(added).length === 0) return {}
  return { pins: { ...without(pins, dropped), ...added } }
}

function limitsChange(options: SetOptions, { limits }: CredentialRecord): CredentialChange {
  const { given, dropped } = split<LimitOptions, keyof Limits>(options, limitNames, !options.limit)
  const added = parseLimits(given)
  if (dropped.length === 0 && Object.keys(added).length === 0) return {}
  return { limits: { ...without(limits, dropped), ...added } }
}

/** The options that give something, and the members that go: those of a `--no-` form, or all. */
function split<Options extends object, Member extends string>(
  options: Unset<Options>,
  names: Readonly<Record<string, Member>>,
  isAll: boolean,
): { readonly given: Options; readonly dropped: readonly Member[] } {
  const values = Object.entries(names).map(([option, member]) => {
    return { option, member, value: (options as Readonly<Record<string, unknown>>)[option] }
  })
  const given = values.filter(({ value }) => value !== undefined && value !== false)
  return {
    given: Object.fromEntries(given.map(({ option, value }) => [option, value])) as Options,
    dropped: values.filter(({ value }) => isAll || value === false).map(({ member }) => member),
  }
}

function without<Value extends object>(value: Value, members: readonly string[]): Value {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !members.includes(name))) as Value
}

// ---------------------------------------------------------------------------------------------------------------------
// What changed

function differences(before: CredentialRecord, after: CredentialRecord): readonly string[] {
  const rights = xapiRights.filter((right) => before.rights.xapi[right] !== after.rights.xapi[right])
  const only = ({ pins, limits }: CredentialRecord): readonly string[] =>
    describeRights({ xapi: {}, management: [] }, pins, limits).only
  return [
    ...changed('name', before.name, after.name),
    ...rights.map((right) => `${right}: ${before.rights.xapi[right] ?? 'no'} → ${after.rights.xapi[right] ?? 'no'}`),
    ...missingFrom(managementOf(after), managementOf(before)).map((name) => `${name}: no → yes`),
    ...missingFrom(managementOf(before), managementOf(after)).map((name) => `${name}: yes → no, or less`),
    ...only(after).flatMap((line) => (only(before).includes(line) ? [] : [`now only ${line}`])),
    ...only(before).flatMap((line) => (only(after).includes(line) ? [] : [`no longer only ${line}`])),
    ...changed('Lrs', before.lrsIds.join(', '), after.lrsIds.join(', ')),
    ...changed('requests', signing(before), signing(after)),
    ...changed('expires', time(before.expiresAt), time(after.expiresAt)),
  ].map(oneLine)
}

function managementOf({ rights }: CredentialRecord): Rights {
  return { xapi: {}, management: rights.management }
}

function changed(what: string, from: string, to: string): readonly string[] {
  return from === to ? [] : [`${what}: ${from} → ${to}`]
}
