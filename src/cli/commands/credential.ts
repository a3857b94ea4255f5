// claviger credential …: keys, what they may do, and their secrets. A secret is printed once, when it is made.

import type { Command } from 'commander'
import type { BulkChange } from '../../core/credential-bulk.ts'
import { describeRights, presets } from '../../core/presets.ts'
import type { Rights } from '../../core/rights.ts'
import { overlapSpan } from '../../core/secret.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import { organisationsOf } from '../context.ts'
import { listAll, listApplications, locateApplication, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseDuration, unknownWord } from '../credential-options.ts'
import { isMany, selectionOf, takeConsent, takeSelection } from '../credential-selection.ts'
import { credentialJson, inWords, signing } from '../credential-shown.ts'
import { stateOf } from '../key-state.ts'
import { pairs, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'
import { bulk } from './credential-bulk.ts'
import type { BulkOptions } from './credential-bulk.ts'
import { addCreate } from './credential-create.ts'
import { addExport, addImport } from './credential-import.ts'
import { secretLines, secretOf, takeSecret } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'
import { addSet } from './credential-set.ts'

export function addCredential(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('credential').description('keys and what they may do')
  addCreate(group, context, act)
  addSet(group, context, act)
  addList(group, context, act)
  addShow(group, context, act)
  addSwitching(group, context, act)
  addRotate(group, context, act)
  addRevoke(group, context, act)
  addImport(group, context, act)
  addExport(group, context, act)
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group
    .command('list')
    .description('list keys; of every organisation unless one is given')
    .option('--application <id>', 'only those that reach an Lrs of this application, its own key among them')
  act<GlobalOptions & { application?: string }>(list, async (options) => {
    const opened = await context.open()
    const all = await listAsked(opened, options)
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

async function listAsked(
  opened: Opened,
  { application: id, ...options }: GlobalOptions & { application?: string },
): Promise<readonly CredentialRecord[]> {
  if (id !== undefined) {
    const { organisationId, liveLrsId, sandboxLrsId } = await locateApplication(opened, options, id)
    const own = [liveLrsId, sandboxLrsId]
    return (await listAll(opened, organisationId)).filter(({ lrsIds }) => lrsIds.some((lrs) => own.includes(lrs)))
  }
  const all: CredentialRecord[] = []
  for await (const organisation of organisationsOf(opened, options))
    all.push(...(await listAll(opened, organisation.id)))
  return all
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
      ['requests', signing(credential)],
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
    const text = `${head}\n\n${table([['  secret', 'name', 'state', 'created', 'expires'], ...secrets], '  It has no secret.')}\n\n${inWords(described)}`
    const json = { ...credentialJson(credential), may: described.may, only: described.only, mayNot: described.mayNot }
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
  const applications = await listApplications(opened, caller)
  const lrs = await opened.core.lrs.list(caller, { withDeleted: true })
  const { baseUrl } = opened.core
  const json = face.showCredential({ organisation, applications, lrs, baseUrl, credential, secrets })
  return { json, text: JSON.stringify(json, undefined, 2) }
}

/** Enabled, and of no use all the same. */
function stillNot({ id, expiresAt }: CredentialRecord, state: ReturnType<typeof stateOf>): readonly string[] {
  if (state === 'expired') {
    return [
      `it is still refused: it expired ${time(expiresAt)}; claviger credential set ${id} --no-expires, or --expires 30d`,
    ]
  }
  if (state === 'no secret') return [`it is still refused: no secret of it works; claviger credential rotate ${id}`]
  return []
}

function addSwitching(group: Command, context: CommandContext, act: Act): void {
  const verbs = [
    { verb: 'disable', description: 'make it stop working at once, its sessions and tokens too' },
    { verb: 'enable', description: 'make it work again, unless it has expired' },
  ] as const
  for (const { verb, description } of verbs) {
    const command = group.command(verb).description(description).argument('[id-or-key]')
    takeConsent(takeSelection(command)).addHelpText('after', manyHelp(verb))
    act<BulkOptions>(command, async (options, word = '') => {
      const selection = selectionOf({ ...options })
      const many = isMany(word, selection)
      const opened = await context.open()
      if (many) {
        const isSo = verb === 'enable'
        const change = ({ id, isEnabled }: CredentialRecord): BulkChange | undefined =>
          isEnabled === isSo ? undefined : verb === 'enable' ? { enable: id } : { disable: id }
        return bulk(opened, context, options, { selection, done: `${verb}d`, change })
      }
      const { caller, credential } = await locateCredential(opened, options, word)
      const updated = await opened.core.credentials[verb](caller, credential.id)
      const state = stateOf(updated, opened.core.clock.now())
      const text = `Credential ${updated.id} (${updated.name}) is ${verb}d.`
      return {
        json: { ...credentialJson(updated), state },
        text,
        warnings: verb === 'enable' ? stillNot(updated, state) : [],
      }
    })
  }
}

function addRotate(group: Command, context: CommandContext, act: Act): void {
  const rotate = group
    .command('rotate')
    .description('give it a new secret; the others stop working after the overlap')
    .argument('[id-or-key]')
    .option('--overlap <time>', 'how long the others go on working: 24h, 7d, …', '0s')
    .option('--report <file>', 'of many: write the new secrets to this new file, for its owner only')
  takeConsent(takeSelection(takeSecret(rotate))).addHelpText('after', rotateHelp)
  act<BulkOptions & SecretOptions & { overlap: string }>(rotate, async (options, word = '') => {
    const overlapSeconds = parseDuration(options.overlap, '--overlap', overlapSpan)
    const selection = selectionOf({ ...options })
    const many = isMany(word, selection)
    if (!many && options.report !== undefined) throw new UsageError('--report is for many keys')
    const secret = secretOf(options, context)
    if (many && secret !== undefined) throw new UsageError('many keys do not share a secret: they are made')
    const opened = await context.open()
    if (many) {
      const change = ({ id }: CredentialRecord): BulkChange => ({ rotate: id, overlapSeconds })
      return bulk(opened, context, options, { selection, done: 'given a new secret', change })
    }
    const { caller, credential } = await locateCredential(opened, options, word)
    const rotation = await opened.core.credentials.rotate(caller, credential.id, {
      overlapSeconds,
      ...(secret !== undefined && { secret }),
    })
    const until = overlapSeconds === 0 ? 'no longer work' : `work for another ${options.overlap} at most`
    const { shown, note, json } = secretLines(rotation.secret, secret)
    const keys = pairs([
      ['key', rotation.credential.key],
      ['secret', shown],
    ])
    return {
      json: { ...credentialJson(rotation.credential), secretId: rotation.secretId, ...json },
      text:
        `Credential ${credential.id} (${credential.name}) has a new secret; the ones before ${until}.\n\n` +
        `${keys}\n\n${note}`.trimEnd(),
    }
  })
}

function addRevoke(group: Command, context: CommandContext, act: Act): void {
  const revoke = group
    .command('revoke')
    .alias('delete')
    .description('remove it for good with its secrets and sessions; what it stored stays')
    .argument('[id-or-key]')
  takeConsent(takeSelection(revoke)).addHelpText('after', manyHelp('revoke'))
  act<BulkOptions>(revoke, async (options, word = '') => {
    const selection = selectionOf({ ...options })
    const many = isMany(word, selection)
    const opened = await context.open()
    if (many) {
      const change = ({ id }: CredentialRecord): BulkChange => ({ remove: id })
      return bulk(opened, context, options, { selection, done: 'removed for good', change })
    }
    const { caller, credential } = await locateCredential(opened, options, word)
    await opened.core.credentials.remove(caller, credential.id)
    return {
      json: credentialJson(credential),
      text: `Credential ${credential.id} (${credential.name}) is gone; the statements it stored stay.`,
    }
  })
}

const rotateHelp = `
Of many keys a report is needed, or --json: the secrets are shown this once.

Examples:
  $ claviger credential rotate 3 --overlap 24h
  $ claviger credential rotate --all --overlap 7d
  $ claviger credential rotate --all --overlap 7d --yes --report secrets.csv
`

/** Many keys: first it is shown which. */
function manyHelp(verb: string): string {
  return `
Examples:
  $ claviger credential ${verb} 3
  $ claviger credential ${verb} --unused-since 90d
  $ claviger credential ${verb} --unused-since 90d --yes
  $ claviger credential ${verb} --from-file keys.csv --yes
`
}
