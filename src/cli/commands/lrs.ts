// claviger lrs …: the bodies of xAPI data of an organisation.

import type { Command } from 'commander'
import type { LrsId, Oid } from '../../core/ids.ts'
import { callerIn, chooseOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
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
