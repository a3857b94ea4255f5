// claviger lrs …: the bodies of xAPI data of an organisation.

import type { Command } from 'commander'
import type { LrsId, Oid } from '../../core/ids.ts'
import type { LrsRecord, OrganisationRecord } from '../../core/storage.ts'
import { callerIn, chooseOrganisation, everyOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { pairs, PlainError, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { listAll } from './credential.ts'
import { lrsJson } from './organisation.ts'

interface CreateOptions extends GlobalOptions {
  readonly id?: string
  readonly oid?: string
}

export function addLrs(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('lrs').description('isolated bodies of statements inside an organisation')
  const create = group
    .command('create')
    .description('create an Lrs')
    .argument('<name>')
    .option('--id <number>', 'choose its id, so that it survives a move')
    .option('--oid <hex>', 'choose its 24-digit id')
    .addHelpText('after', '\nExample:\n  $ claviger lrs create Sandbox --organisation 1\n')
  act<CreateOptions>(create, async (options, name = '') => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const lrs = await opened.core.lrs.create(callerIn(opened, organisation.id), {
      name,
      ...(options.id !== undefined && { id: parseNumber(options.id, '--id') as LrsId }),
      ...(options.oid !== undefined && { oid: options.oid as Oid }),
    })
    return {
      json: lrsJson(lrs),
      text:
        `Lrs ${lrs.id} (${lrs.name}) created in organisation ${organisation.id} (${organisation.name}).\n` +
        `Next: claviger credential create --organisation ${organisation.id} --lrs ${lrs.id} --name NAME`,
    }
  })
  const show = group.command('show').description('show one, and which keys reach it').argument('<id>')
  act<GlobalOptions>(show, async (options, word = '') => {
    const id = parseNumber(word, '<id>')
    const opened = await context.open()
    const { organisation, lrs } = await locateLrs(opened, options, id)
    const credentials = (await listAll(opened, organisation.id)).filter(({ lrsIds }) => lrsIds.includes(lrs.id))
    const isDefault = lrs.id === organisation.defaultLrsId
    const head = pairs([
      ['id', lrs.id],
      ['oid', lrs.oid],
      ['name', lrs.name],
      ['organisation', `${organisation.id} (${organisation.name})${isDefault ? ', whose default it is' : ''}`],
      ['created', time(lrs.createdAt)],
    ])
    const rows = credentials.map(({ id: credentialId, name, key, lrsIds }) => [
      `  ${credentialId}`,
      name,
      key,
      lrsIds[0] === lrs.id ? 'home' : '',
    ])
    return {
      json: {
        ...lrsJson(lrs),
        organisationId: organisation.id,
        isDefault,
        credentialIds: credentials.map((credential) => credential.id),
      },
      text: `${head}\n\n${table([['  credential', 'name', 'key', 'its home'], ...rows], '  No key reaches it.')}`,
    }
  })
  act<GlobalOptions>(group.command('list').description('list them'), async (options) => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const all = await opened.core.lrs.list(callerIn(opened, organisation.id))
    const rows = all.map(({ id, oid, name, createdAt }) => [
      id,
      oid,
      name + (id === organisation.defaultLrsId ? ' (default)' : ''),
      time(createdAt),
    ])
    return { json: all.map(lrsJson), text: table([['id', 'oid', 'name', 'created'], ...rows]) }
  })
}

/** In the organisation given, or in whichever has it: an id is unique over all of them. */
async function locateLrs(
  opened: Opened,
  options: GlobalOptions,
  id: number,
): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }> {
  const organisations =
    options.organisation === undefined ? everyOrganisation(opened) : [await chooseOrganisation(opened, options)]
  for await (const organisation of organisations) {
    const lrs = (await opened.core.lrs.list(callerIn(opened, organisation.id))).find((item) => item.id === id)
    if (lrs) return { organisation, lrs }
  }
  throw new PlainError(`there is no Lrs ${id}; claviger lrs list shows them`)
}
