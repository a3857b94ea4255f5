// claviger credential create: a new key, and the options that say what it is worth, which `credential set` shares.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { pathOfLrs } from '../../app.ts'
import type { LrsId } from '../../core/ids.ts'
import { presets } from '../../core/presets.ts'
import type { Caller } from '../../core/principal.ts'
import { noRights } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json, OauthSigning } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, listApplications } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { addRights, applicationsIn, parseExpiry, parseLimits, parseNumber, parsePins } from '../credential-options.ts'
import { unknownWord } from '../credential-options.ts'
import type { LimitOptions, LrsOfApplications, PinOptions, RightsOptions } from '../credential-options.ts'
import { apiPathOf, credentialJson, inWords } from '../credential-shown.ts'
import { pairs, PlainError, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { secretLines, secretOf, takeSecret } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'

export interface OauthOptions {
  readonly oauth?: boolean
  readonly oauthPublicKey?: string
}

interface CreateOptions extends GlobalOptions, RightsOptions, PinOptions, LimitOptions, SecretOptions, OauthOptions {
  readonly name: string
  readonly preset?: string
  readonly key?: string
  readonly expires?: string
  readonly lrs?: readonly string[]
}

/** What a key is worth: rights, pins, limits, Lrs, end. */
export function takeWorth(command: Command, presetsAre: string): Command {
  return command
    .option('--preset <name>', `rights by name: ${presetsAre}`)
    .option(
      '--right <right[:mine]>',
      'add an xAPI right: statements/read, statements/read:mine, …; may be repeated',
      repeatedly,
    )
    .option(
      '--manage <area[:actions][@bound]>',
      'add management: all, credentials, credentials:read@lrs/3, settings@application/ID, …; may be repeated',
      repeatedly,
    )
    .option('--within', 'may not grant what it lacks itself (with --manage credentials)')
    .option(
      '--pin-actor <who>',
      'only this actor: mailto:ann@example.org, ann or ann@https://home.page; may be repeated',
      repeatedly,
    )
    .option('--pin-registration <uuid>', 'only this registration; every statement must carry it')
    .option('--pin-registration-when-present <uuid>', 'as above, but statements without a registration pass')
    .option('--pin-activity <iri>', 'only this activity and what is below it')
    .option('--limit-rate <number>', 'requests a minute')
    .option('--limit-burst <number>', 'requests at once on top of the rate')
    .option('--limit-batch <number>', 'statements in one request')
    .option('--limit-body <bytes>', 'bytes of one request')
    .option('--limit-daily <number>', 'requests a UTC day')
    .option('--limit-address <cidr>', 'only from these addresses or ranges; may be repeated', repeatedly)
    .option('--limit-origin <origin>', 'only from web pages of these origins; may be repeated', repeatedly)
    .option('--limit-xapi-version <version>', 'only these xAPI versions: 1.0, 2.0; may be repeated', repeatedly)
    .option('--oauth', 'it signs its requests (OAuth 1.0a, HMAC-SHA1) instead of presenting its secret')
    .option('--oauth-public-key <file>', 'as above, with the RSA key this one belongs to (RSA-SHA1, PEM)')
    .option('--lrs <id>', 'the Lrs it reaches, home first; may be repeated', repeatedly)
    .option('--expires <when>', 'a date, a time such as 30d, or never')
}

/** For an option that may be given several times, also after its own `--no-` form. */
function repeatedly(value: string, before: readonly string[] | false | undefined): readonly string[] {
  return [...(before || []), value]
}

export function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('create a key; without any right it is given the preset isolated')
    .requiredOption('--name <name>', 'for people; also part of the authority of what it stores')
    .option('--key <key>', 'choose the key')
  takeSecret(takeWorth(create, 'see below')).addHelpText('after', () => createHelp)
  act<CreateOptions>(create, async (options) => {
    const opened = await context.open()
    const { rights: start, words } = startOf(opened, options)
    addRights(start, options)
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
    const rights = addRights(start, options, await lrsOfApplications(opened, caller, options))
    const oauth = oauthOf(options, context)
    const secret = secretOf(options, context)
    const issued = await opened.core.credentials.create(caller, {
      name: options.name,
      rights,
      ...(options.key !== undefined && { key: options.key }),
      ...(secret !== undefined && { secret }),
      pins: parsePins(options),
      limits: parseLimits(options),
      ...(options.lrs && { lrsIds: options.lrs.map((id) => parseNumber(id, '--lrs') as LrsId) }),
      ...(words && { words }),
      ...(oauth && { oauth }),
      ...(options.expires !== undefined && { expiresAt: parseExpiry(options.expires, opened.core.clock.now()) }),
    })
    const { credential } = issued
    const described = await opened.core.credentials.describe(caller, credential.id)
    const head = `Credential ${credential.id} (${credential.name}) created in organisation ${organisation.id} (${organisation.name}).`
    const { shown, note, json: secretJson } = secretLines(issued.secret, secret)
    const keys = pairs([
      ['key', issued.key],
      ['secret', shown],
      ...addressesOf(opened, context, { organisationId: organisation.id, faces: Object.keys(words ?? {}) }),
      ...(await addressesInApplications(opened, context, caller, credential)),
      ['expires', credential.expiresAt === null ? undefined : time(credential.expiresAt)],
    ])
    const { may, mayNot, only, warnings } = described
    const text = `${head}\n\n${keys}\n\n${note}${inWords(described)}`
    return { json: { ...credentialJson(credential), ...secretJson, may, only, mayNot }, text, warnings }
  })
}

/** The Lrs of the applications that bounds name. */
export async function lrsOfApplications(
  opened: Opened,
  caller: Caller,
  options: RightsOptions,
): Promise<LrsOfApplications> {
  const found = applicationsIn(options).map(async (id) => {
    const application = await opened.core.applications.find(id)
    if (application?.organisationId === caller.organisationId) {
      return [id, [application.liveLrsId, application.sandboxLrsId]] as const
    }
    throw new PlainError(`there is no application ${id}; claviger application list shows them`)
  })
  return new Map(await Promise.all(found))
}

/** Undefined: it says nothing of how requests are signed. */
export function oauthOf(options: OauthOptions, { directory }: CommandContext): OauthSigning | undefined {
  const { oauth = false, oauthPublicKey: file } = options
  if (file === undefined) return oauth ? {} : undefined
  try {
    return { publicKey: readFileSync(resolve(directory ?? '.', file), 'utf8').trim() }
  } catch (error) {
    throw new UsageError(`--oauth-public-key ${file}: ${(error as Error).message}`)
  }
}

/** Where the key is used: xAPI, and the API of the vendor in whose words it was made. */
function addressesOf(
  opened: Opened,
  { config }: CommandContext,
  { organisationId, faces }: { readonly organisationId: number; readonly faces: readonly string[] },
): [string, string][] {
  const filled = (path: string): string => `${config.baseUrl}${path.replaceAll(/:org\w*/gi, String(organisationId))}`
  const vendors = opened.faces.filter(({ name }) => faces.includes(name))
  const theirs = vendors.flatMap((face): [string, string][] => {
    const { name, xapiMounts = [] } = face
    const api = apiPathOf(face)
    return [
      ...(api === undefined ? [] : [[`${name} API`, filled(api)] as [string, string]]),
      ...xapiMounts.map(({ prefix }): [string, string] => [`${name} xAPI`, `${filled(prefix)}/`]),
    ]
  })
  return [['xAPI', `${config.baseUrl}/xapi/`], ...theirs]
}

/** Where a path leads to each Lrs of an application that the key reaches. */
async function addressesInApplications(
  opened: Opened,
  { config }: CommandContext,
  caller: Caller,
  { lrsIds }: CredentialRecord,
): Promise<[string, string][]> {
  const found: [string, string][] = []
  for (const { id, liveLrsId, sandboxLrsId } of await listApplications(opened, caller)) {
    for (const lrsId of [liveLrsId, sandboxLrsId].filter((one) => lrsIds.includes(one))) {
      const path = await pathOfLrs(opened.faces, opened.core, { id, lrsId })
      if (path !== undefined) found.push([`xAPI of Lrs ${lrsId}`, `${config.baseUrl}${path}/`])
    }
  }
  return found
}

const createHelp = `
Presets (a face adds its own, such as watershed/global):
${table(presets.map(({ name, summary }) => [`  ${name}`, summary]))}

Once offered: no API erases persons or empties bodies of data yet. The command line does: claviger erase, claviger lrs.

Examples:
  $ claviger credential create --name "Safety course" --preset isolated
  $ claviger credential create --name Reports --preset read-only --expires 90d
  $ claviger credential create --name Kiosk --right statements/write --limit-rate 60
  $ claviger credential create --name Portal --manage credentials --within --right statements/read
  $ claviger credential create --name Courses --lrs 5 --lrs 6 --oauth
  $ printf %s "$SECRET" | claviger credential create --name Moodle --key moodle --secret-stdin
`

/** Rights to start from, and the vendor's words that go with them. */
export function startOf(opened: Opened, options: RightsOptions & { readonly preset?: string }): NamedRights {
  const name = options.preset ?? (options.right || options.manage ? undefined : 'isolated')
  return name === undefined ? { rights: noRights } : presetOf(opened, name)
}

export interface NamedRights {
  readonly rights: Rights
  readonly words?: Readonly<Record<string, Json>>
}

/** A preset of ours, or `<face>/<name>` with that vendor's words. */
export function presetOf(opened: Opened, name: string): NamedRights {
  const vendors = opened.faces.flatMap((face) =>
    (face.presets ?? []).map(({ name: word, rights, words }) => {
      return { name: `${face.name}/${word}`, rights, ...(words !== undefined && { words: { [face.name]: words } }) }
    }),
  )
  const all: readonly (NamedRights & { readonly name: string })[] = [...presets, ...vendors]
  const found = all.find((preset) => preset.name === name) ?? all.find((preset) => plain(preset.name) === plain(name))
  if (found) return { rights: found.rights, ...(found.words && { words: found.words }) }
  const names = all.map((preset) => preset.name)
  throw new UsageError(unknownWord(name, names, 'the preset'))
}

/** A vendor's documentation may spell its words otherwise: READ_ANY. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}
