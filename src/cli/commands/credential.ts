// claviger credential …: keys, what they may do, and their secrets. A secret is printed once, when it is made.

import type { Command } from 'commander'
import type { LrsId } from '../../core/ids.ts'
import { describeRights, findPreset, presets } from '../../core/presets.ts'
import type { Described } from '../../core/presets.ts'
import { noRights } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, everyOrganisation, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import {
  addRights,
  parseDuration,
  parseExpiry,
  parseLimits,
  parseNumber,
  parsePins,
  repeated,
  unknownWord,
} from '../credential-options.ts'
import { stateOf } from '../key-state.ts'
import type { LimitOptions, PinOptions, RightsOptions } from '../credential-options.ts'
import { bullets, pairs, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

export { stateOf } from '../key-state.ts'

interface SecretOptions {
  readonly secret?: string
  readonly secretStdin?: boolean
}

interface CreateOptions extends GlobalOptions, RightsOptions, PinOptions, LimitOptions, SecretOptions {
  readonly name: string
  readonly preset?: string
  readonly key?: string
  readonly expires?: string
  readonly lrs?: readonly string[]
}

export function addCredential(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('credential').description('keys and what they may do')
  addCreate(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addSwitching(group, context, act)
  addRotate(group, context, act)
  addRevoke(group, context, act)
}

function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('create a key; without any right it is given the preset isolated')
    .requiredOption('--name <name>', 'for people; also part of the authority of what it stores')
    .option('--preset <name>', 'rights by name; list below')
    .option(
      '--right <right[:mine]>',
      'add an xAPI right: statements/read, statements/read:mine, …; may be repeated',
      repeated,
    )
    .option(
      '--manage <area[:actions][@bound]>',
      'add management: all, credentials, credentials:read@lrs/3, …; may be repeated',
      repeated,
    )
    .option('--within', 'may not grant what it lacks itself (with --manage credentials)')
    .option(
      '--pin-actor <who>',
      'only this actor: mailto:ann@example.org, ann or ann@https://home.page; may be repeated',
      repeated,
    )
    .option('--pin-registration <uuid>', 'only this registration; every statement must carry it')
    .option('--pin-registration-when-present <uuid>', 'as above, but statements without a registration pass')
    .option('--pin-activity <iri>', 'only this activity and what is below it')
    .option('--limit-rate <number>', 'requests a minute')
    .option('--limit-burst <number>', 'requests at once on top of the rate')
    .option('--limit-batch <number>', 'statements in one request')
    .option('--limit-body <bytes>', 'bytes of one request')
    .option('--limit-daily <number>', 'requests a UTC day')
    .option('--limit-address <cidr>', 'only from these addresses or ranges; may be repeated', repeated)
    .option('--limit-origin <origin>', 'only from web pages of these origins; may be repeated', repeated)
    .option('--limit-xapi-version <version>', 'only these xAPI versions: 1.0, 2.0; may be repeated', repeated)
    .option('--expires <when>', 'a date, a time such as 30d, or never')
    .option('--key <key>', 'choose the key')
    .option('--secret <secret>', 'choose the secret (others on this machine may see it in the process list)')
    .option('--secret-stdin', 'read the secret from standard input')
    .option('--lrs <id>', 'the Lrs it reaches, home first; may be repeated', repeated)
    .addHelpText('after', () => createHelp)
  act<CreateOptions>(create, async (options) => {
    const opened = await context.open()
    const { preset, words } = presetOf(opened, options)
    const rights = addRights(preset, options)
    const organisation = await chooseOrganisation(opened, options)
    const caller = callerIn(opened, organisation.id)
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
      ...(options.expires !== undefined && { expiresAt: parseExpiry(options.expires, opened.core.clock.now()) }),
    })
    const { credential } = issued
    const described = await opened.core.credentials.describe(caller, credential.id)
    const head = `Credential ${credential.id} (${credential.name}) created in organisation ${organisation.id} (${organisation.name}).`
    const keys = pairs([
      ['key', issued.key],
      ['secret', issued.secret],
      ['xAPI', `${context.config.baseUrl}/xapi/`],
      ['expires', credential.expiresAt === null ? undefined : time(credential.expiresAt)],
    ])
    const text = `${head}\n\n${keys}\n\nThe secret is not shown again.\n\n${inWords(described)}`
    const json = { ...credentialJson(credential), secret: issued.secret, may: described.may, mayNot: described.mayNot }
    return { json, text, warnings: [...managementWarnings(rights), ...described.warnings] }
  })
}

const createHelp = `
Presets (a face adds its own, such as watershed/global):
${table(presets.map(({ name, summary }) => [`  ${name}`, summary]))}

Examples:
  $ claviger credential create --name "Safety course" --preset isolated
  $ claviger credential create --name Reports --preset read-only --expires 90d
  $ claviger credential create --name Kiosk --right statements/write --limit-rate 60
  $ claviger credential create --name Portal --manage credentials --within --right statements/read
  $ printf %s "$SECRET" | claviger credential create --name Moodle --key moodle --secret-stdin
`

/** Rights to start from, and the vendor's words that go with them. */
function presetOf(opened: Opened, options: CreateOptions): { preset: Rights; words?: Readonly<Record<string, Json>> } {
  const name = options.preset ?? (options.right || options.manage ? undefined : 'isolated')
  if (name === undefined) return { preset: noRights }
  const own = findPreset(name)
  if (own) return { preset: own.rights }
  const [faceName, presetName] = name.split('/', 2)
  const face = opened.faces.find((item) => item.name === faceName)
  const theirs = face?.presets?.find((item) => item.name === presetName)
  if (face && theirs) {
    return { preset: theirs.rights, ...(theirs.words !== undefined && { words: { [face.name]: theirs.words } }) }
  }
  const vendors = opened.faces.flatMap((item) => (item.presets ?? []).map((preset) => `${item.name}/${preset.name}`))
  throw new UsageError(unknownWord(name, [...presets.map((preset) => preset.name), ...vendors], 'the preset'))
}

function secretOf(options: SecretOptions, context: CommandContext): string | undefined {
  if (!options.secretStdin) return options.secret
  if (options.secret !== undefined) throw new UsageError('give one of --secret and --secret-stdin')
  const secret = (context.stdin ?? '').replace(/\r?\n$/, '')
  if (secret === '') throw new UsageError('--secret-stdin: there is nothing on standard input')
  return secret
}

/** Seed S2.14: created and handled with care. */
function managementWarnings(rights: Rights): readonly string[] {
  const areas = rights.management.map(({ area }) => area)
  if (areas.length === 0) return []
  const delegated = rights.management.every((grant) => grant.area !== 'credentials' || grant.within === true)
  const reach = areas.includes('credentials')
    ? delegated
      ? 'It can make and change keys that may do no more than itself, and read their secrets.'
      : 'It can make and change keys, itself included, and read their secrets.'
    : `It manages ${areas.join(', ')}.`
  return [`this key administers. ${reach} Create and handle it with care: keep it on servers, never in content.`]
}

function inWords({ may, mayNot }: Described): string {
  const sections = [
    `It may${may.length === 0 ? ' do nothing.' : `\n${bullets(may)}`}`,
    ...(mayNot.length === 0 ? [] : [`It may not\n${bullets(mayNot)}`]),
  ]
  return sections.join('\n\n')
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group.command('list').description('list keys; of every organisation unless one is given')
  act<GlobalOptions>(list, async (options) => {
    const opened = await context.open()
    const organisations =
      options.organisation === undefined ? everyOrganisation(opened) : [await chooseOrganisation(opened, options)]
    const all: CredentialRecord[] = []
    for await (const { id } of organisations) all.push(...(await listAll(opened, id)))
    const now = opened.core.clock.now()
    const rows = all.map((credential) => [
      credential.id,
      credential.organisationId,
      credential.name,
      credential.key,
      stateOf(credential, now),
      summaryOf(credential.rights),
      time(credential.expiresAt),
    ])
    const heading = ['id', 'organisation', 'name', 'key', 'state', 'rights', 'expires']
    return { json: all.map(credentialJson), text: table([heading, ...rows]) }
  })
}

export async function listAll(
  opened: Opened,
  organisationId: CredentialRecord['organisationId'],
): Promise<CredentialRecord[]> {
  const all: CredentialRecord[] = []
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const page = await opened.core.credentials.list(callerIn(opened, organisationId), {}, { offset, limit })
    all.push(...page.items)
    if (offset + limit >= page.total) return all
  }
}

/** The preset these rights are, or how many they are. */
function summaryOf(rights: Rights): string {
  const text = JSON.stringify(describeRights(rights))
  const preset = presets.find((item) => JSON.stringify(describeRights(item.rights)) === text)
  if (preset) return preset.name
  const management = rights.management.length > 0 ? ', management' : ''
  return `${Object.keys(rights.xapi).length} xAPI${management}`
}

function addShow(group: Command, context: CommandContext, act: Act): void {
  const show = group
    .command('show')
    .description('show a key and what it may do; never its secret, except in the shape of a face that shows it')
    .argument('<id-or-key>')
    .option('--as <face>', 'as this face’s API shows it, secret included')
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger credential show 3\n  $ claviger credential show 3 --as watershed\n',
    )
  act<GlobalOptions & { as?: string }>(show, async (options, word = '') => {
    const opened = await context.open()
    const { caller, organisation, credential } = await locateCredential(opened, options, word)
    if (options.as !== undefined) return showAs(opened, options.as, { caller, organisation, credential })
    const described = await opened.core.credentials.describe(caller, credential.id)
    const head = pairs([
      ['id', credential.id],
      ['oid', credential.oid],
      ['organisation', `${organisation.id} (${organisation.name})`],
      ['name', credential.name],
      ['kind', credential.kind],
      ['key', credential.key],
      ['state', stateOf(credential, opened.core.clock.now())],
      ['Lrs', credential.lrsIds.join(', ')],
      ['version', credential.version],
      ['created', time(credential.createdAt)],
      ['updated', time(credential.updatedAt)],
      ['expires', time(credential.expiresAt)],
    ])
    const secrets = credential.secrets.map(({ id, name, isEnabled, createdAt, expiresAt }) => [
      `  ${id}`,
      name,
      isEnabled ? 'enabled' : 'disabled',
      time(createdAt),
      time(expiresAt),
    ])
    const text = `${head}\n\n${table([['  secret', 'name', 'state', 'created', 'expires'], ...secrets])}\n\n${inWords(described)}`
    const json = { ...credentialJson(credential), may: described.may, mayNot: described.mayNot }
    return { json, text, warnings: described.warnings }
  })
}

async function showAs(
  opened: Opened,
  name: string,
  { caller, organisation, credential }: Awaited<ReturnType<typeof locateCredential>>,
): Promise<Outcome> {
  const able = opened.faces.filter((face) => face.showCredential)
  const face = able.find((item) => item.name === name)
  if (!face?.showCredential) {
    const names = able.map((item) => item.name)
    throw new UsageError(unknownWord(name, names, 'the face'))
  }
  const revealed = await opened.core.credentials.reveal(caller, credential.id)
  const secrets = revealed.secrets.flatMap(({ id, value }) => {
    const record = credential.secrets.find((secret) => secret.id === id)
    return record ? [{ record, clear: value }] : []
  })
  const json = face.showCredential({ organisation, credential, secrets })
  return { json, text: JSON.stringify(json, undefined, 2) }
}

function addSwitching(group: Command, context: CommandContext, act: Act): void {
  const verbs = [
    { verb: 'disable', description: 'make it stop working at once, its sessions and tokens too' },
    { verb: 'enable', description: 'make it work again' },
  ] as const
  for (const { verb, description } of verbs) {
    const command = group.command(verb).description(description).argument('<id-or-key>')
    act<GlobalOptions>(command, async (options, word = '') => {
      const opened = await context.open()
      const { caller, credential } = await locateCredential(opened, options, word)
      const updated = await opened.core.credentials[verb](caller, credential.id)
      return { json: credentialJson(updated), text: `Credential ${updated.id} (${updated.name}) is ${verb}d.` }
    })
  }
}

function addRotate(group: Command, context: CommandContext, act: Act): void {
  const rotate = group
    .command('rotate')
    .description('give it a new secret; the others stop working after the overlap')
    .argument('<id-or-key>')
    .option('--overlap <time>', 'how long the others go on working: 24h, 7d, …', '0s')
    .option('--secret <secret>', 'choose the secret (others on this machine may see it in the process list)')
    .option('--secret-stdin', 'read the secret from standard input')
    .addHelpText('after', '\nExample:\n  $ claviger credential rotate 3 --overlap 24h\n')
  act<GlobalOptions & SecretOptions & { overlap: string }>(rotate, async (options, word = '') => {
    const overlapSeconds = parseDuration(options.overlap, '--overlap')
    const secret = secretOf(options, context)
    const opened = await context.open()
    const { caller, credential } = await locateCredential(opened, options, word)
    const rotation = await opened.core.credentials.rotate(caller, credential.id, {
      overlapSeconds,
      ...(secret !== undefined && { secret }),
    })
    const until = overlapSeconds === 0 ? 'no longer work' : `work for another ${options.overlap} at most`
    const keys = pairs([
      ['key', rotation.credential.key],
      ['secret', rotation.secret],
    ])
    return {
      json: { ...credentialJson(rotation.credential), secretId: rotation.secretId, secret: rotation.secret },
      text:
        `Credential ${credential.id} (${credential.name}) has a new secret; the ones before ${until}.\n\n` +
        `${keys}\n\nThe secret is not shown again.`,
    }
  })
}

function addRevoke(group: Command, context: CommandContext, act: Act): void {
  const revoke = group
    .command('revoke')
    .description('remove it for good with its secrets and sessions; what it stored stays')
    .argument('<id-or-key>')
  act<GlobalOptions>(revoke, async (options, word = '') => {
    const opened = await context.open()
    const { caller, credential } = await locateCredential(opened, options, word)
    await opened.core.credentials.remove(caller, credential.id)
    return {
      json: credentialJson(credential),
      text: `Credential ${credential.id} (${credential.name}) is gone; the statements it stored stay.`,
    }
  })
}

/** Everything but the sealed secrets. */
export function credentialJson(credential: CredentialRecord): object {
  const { createdAt, updatedAt, expiresAt, secrets, ...rest } = credential
  return {
    ...rest,
    createdAt: time(createdAt),
    updatedAt: time(updatedAt),
    expiresAt: expiresAt === null ? null : time(expiresAt),
    secrets: secrets.map((secret) => ({
      id: secret.id,
      name: secret.name,
      isEnabled: secret.isEnabled,
      createdAt: time(secret.createdAt),
      expiresAt: secret.expiresAt === null ? null : time(secret.expiresAt),
    })),
  }
}
