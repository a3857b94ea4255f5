// claviger organisation …: thin calls of the core's use cases for tenants.

import type { Command } from 'commander'
import type { LrsId, Oid, OrganisationId } from '../../core/ids.ts'
import { hasExpired } from '../../core/organisation.ts'
import type { Json, LrsRecord, OrganisationRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, everyOrganisation, getOrganisation, operator } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseExpiry, parseNumber, unknownWord } from '../credential-options.ts'
import { pairs, table, time, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

interface CreateOptions extends GlobalOptions {
  readonly id?: string
  readonly oid?: string
  readonly lrsName?: string
  readonly lrsId?: string
}

export function addOrganisation(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('organisation').alias('organization').description('tenants; nothing is seen across two')
  const create = group
    .command('create')
    .description('create an organisation with its first Lrs')
    .argument('<name>')
    .option('--id <number>', 'choose its id, so that it survives a move')
    .option('--oid <hex>', 'choose its 24-digit id')
    .option('--lrs-name <name>', 'name of its Lrs', 'Default')
    .option('--lrs-id <number>', 'choose the id of its Lrs')
    .addHelpText('after', '\nExample:\n  $ claviger organisation create "Acme" --id 42\n')
  act<CreateOptions>(create, async (options, name = '') => {
    const { core } = await context.open()
    const { organisation, lrs } = await core.organisations.create(operator, {
      name,
      ...(options.id !== undefined && { id: parseNumber(options.id, '--id') as OrganisationId }),
      ...(options.oid !== undefined && { oid: options.oid as Oid }),
      lrs: {
        name: options.lrsName ?? 'Default',
        ...(options.lrsId !== undefined && { id: parseNumber(options.lrsId, '--lrs-id') as LrsId }),
      },
    })
    return {
      json: { ...organisationJson(organisation), lrs: [lrsJson(lrs)] },
      text:
        `Organisation ${organisation.id} (${organisation.name}) created, with Lrs ${lrs.id} (${lrs.name}).\n` +
        `Next: claviger credential create --organisation ${organisation.id} --name NAME`,
    }
  })
  act(group.command('list').description('list them'), async () => {
    const opened = await context.open()
    const all: OrganisationRecord[] = []
    for await (const organisation of everyOrganisation(opened)) all.push(organisation)
    const rows = all.map(({ id, oid, name, createdAt, expiresAt }) => [id, oid, name, time(createdAt), time(expiresAt)])
    return { json: all.map(organisationJson), text: table([['id', 'oid', 'name', 'created', 'ends'], ...rows]) }
  })
  const show = group.command('show').description('show one with its Lrs and switches').argument('[id]')
  act<GlobalOptions>(show, async (options, id) => {
    const opened = await context.open()
    if (id === undefined) return showOrganisation(opened, await chooseOrganisation(opened, options))
    return showOrganisation(opened, await getOrganisation(opened, id, '<id>'))
  })
  addUpdate(group, context, act)
  const set = group
    .command('set')
    .description('set a switch; without a value, go back to its default')
    .argument('<switch>', 'such as watershed.create-status; organisation show lists them')
    .argument('[value]')
    .addHelpText('after', '\nExample:\n  $ claviger organisation set watershed.create-status 201 --organisation 1\n')
  act<GlobalOptions>(set, async (options, name = '', value) => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const updated = await opened.core.organisations.update(callerIn(opened, organisation.id), {
      switches: { [name]: parseSwitch(opened, name, value) },
    })
    return showOrganisation(opened, updated)
  })
}

interface UpdateOptions extends GlobalOptions {
  readonly name?: string
  readonly defaultLrs?: string
  /** False: never. */
  readonly expires?: string | false
}

function addUpdate(group: Command, context: CommandContext, act: Act): void {
  const update = group
    .command('update')
    .description('change its name, its default Lrs, or when it ends: from then on none of its keys is let in')
    .argument('[id]')
    .option('--name <name>', 'for people')
    .option('--default-lrs <number>', 'the one that keys get unless they name another')
    .option('--expires <when>', 'a date, a time such as 30d, or never')
    .option('--no-expires', 'it does not end by itself')
    .addHelpText('after', '\nExample:\n  $ claviger organisation update 42 --expires 2030-01-31\n')
  act<UpdateOptions>(update, async ({ name, defaultLrs, expires, ...options }, id) => {
    if (name === undefined && defaultLrs === undefined && expires === undefined) {
      throw new UsageError('say what is to change: --help lists it')
    }
    const opened = await context.open()
    const organisation =
      id === undefined ? await chooseOrganisation(opened, options) : await getOrganisation(opened, id, '<id>')
    const now = opened.core.clock.now()
    const updated = await opened.core.organisations.update(callerIn(opened, organisation.id), {
      ...(name !== undefined && { name }),
      ...(defaultLrs !== undefined && { defaultLrsId: parseNumber(defaultLrs, '--default-lrs') as LrsId }),
      ...(expires !== undefined && { expiresAt: expires === false ? null : parseExpiry(expires, now) }),
    })
    return showOrganisation(opened, updated)
  })
}

/** All switches of all faces, by the name under which an organisation keeps them. */
function switchesOf(opened: Opened) {
  return opened.faces.flatMap((face) =>
    (face.switches ?? []).map((item) => ({ ...item, name: `${face.name}.${item.name}` })),
  )
}

function parseSwitch(opened: Opened, name: string, value: string | undefined): Json {
  const all = switchesOf(opened)
  const found = all.find((item) => item.name === name)
  if (!found) {
    const names = all.map((item) => item.name)
    throw new UsageError(unknownWord(name, names, 'the switch'))
  }
  if (value === undefined) return null
  for (const candidate of [jsonOf(value), value]) {
    const parsed = found.schema.safeParse(candidate)
    if (parsed.success) return parsed.data
  }
  throw new UsageError(`${name} does not take ${JSON.stringify(value)}: ${found.describes}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function showOrganisation(opened: Opened, organisation: OrganisationRecord): Promise<Outcome> {
  const all = await opened.core.lrs.list(callerIn(opened, organisation.id))
  const switches = switchesOf(opened).map(({ name, describes, default: fallback }) => ({
    name,
    value: organisation.switches[name] ?? fallback,
    describes,
  }))
  const head = pairs([
    ['id', organisation.id],
    ['oid', organisation.oid],
    ['name', organisation.name],
    ['created', time(organisation.createdAt)],
    ['ends', endOf(organisation, opened.core.clock.now())],
    ...all.map((lrs): [string, string] => [
      `Lrs ${lrs.id}`,
      `${lrs.name}${lrs.id === organisation.defaultLrsId ? ' (default)' : ''}`,
    ]),
  ])
  const rows = switches.map(({ name, value, describes }) => [name, JSON.stringify(value), describes])
  return {
    json: { ...organisationJson(organisation), lrs: all.map(lrsJson), switches },
    text: switches.length === 0 ? head : `${head}\n\n${table([['switch', 'value', 'meaning'], ...rows])}`,
  }
}

function endOf(organisation: OrganisationRecord, now: number): string {
  const end = time(organisation.expiresAt)
  return hasExpired(organisation, now) ? `${end}: none of its keys is let in` : end
}

export function lrsJson(lrs: LrsRecord): object {
  const { id, oid, name, description, createdAt, updatedAt, deletedAt, retentionDays } = lrs
  return {
    ...{ id, oid, name, description, createdAt: time(createdAt), updatedAt: time(updatedAt) },
    deletedAt: deletedAt === null ? null : time(deletedAt),
    ...(retentionDays !== undefined && { retentionDays }),
  }
}

function organisationJson(organisation: OrganisationRecord): object {
  const { id, oid, name, defaultLrsId, switches, expiresAt, createdAt, updatedAt } = organisation
  return {
    ...{ id, oid, name, defaultLrsId, switches, createdAt: time(createdAt), updatedAt: time(updatedAt) },
    expiresAt: expiresAt === null ? null : time(expiresAt),
  }
}
