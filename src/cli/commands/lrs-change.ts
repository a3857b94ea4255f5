// claviger lrs update, delete, restore: what changes of an Lrs itself. What it holds stays.

import type { Command } from 'commander'
import type { LrsId } from '../../core/ids.ts'
import type { LrsRecord, OrganisationRecord } from '../../core/storage.ts'
import { callerIn, locateLrs } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { counted, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'
import { lrsJson } from './organisation.ts'

interface UpdateOptions extends GlobalOptions {
  readonly name?: string
  /** False: none any more. */
  readonly description?: string | false
}

export function addLrsChanges(group: Command, context: CommandContext, act: Act): void {
  const update = group
    .command('update')
    .description('change its name or description')
    .argument('<id>')
    .option('--name <name>', 'for people')
    .option('--description <text>', 'what it is for')
    .option('--no-description', 'no description any more')
    .addHelpText('after', '\nExample:\n  $ claviger lrs update 2 --name Archive --description "Courses until 2024"\n')
  act<UpdateOptions>(update, async ({ name, description, ...options }, word = '') => {
    if (name === undefined && description === undefined) throw new UsageError('say what is to change: --help lists it')
    const { opened, organisation, lrs } = await located(context, options, word)
    const updated = await opened.core.lrs.update(callerIn(opened, organisation.id), lrs.id, {
      ...(name !== undefined && { name }),
      ...(description !== undefined && { description: description === false ? null : description }),
    })
    return { json: lrsJson(updated), text: `Lrs ${updated.id} (${updated.name}) updated.` }
  })
  const remove = group
    .command('delete')
    .description('close it to every key and leave it out of lists; what it holds stays, and restore brings it back')
    .argument('<id>')
    .addHelpText('after', '\nTo remove what it holds for good: claviger lrs empty ID\n')
  act<GlobalOptions>(remove, async (options, word = '') => {
    const { opened, organisation, lrs } = await located(context, options, word)
    const deleted = await opened.core.lrs.remove(callerIn(opened, organisation.id), lrs.id)
    const held = counted(await countIn(opened, organisation, lrs), 'statement')
    return {
      json: lrsJson(deleted),
      text:
        `Lrs ${lrs.id} (${lrs.name}) is deleted: no key reaches it. It holds ${held} still.\n` +
        `Back: claviger lrs restore ${lrs.id}. For good: claviger lrs empty ${lrs.id}`,
    }
  })
  const restore = group.command('restore').description('take back that it was deleted').argument('<id>')
  act<GlobalOptions>(restore, async (options, word = '') => {
    const { opened, organisation, lrs } = await located(context, options, word)
    const restored = await opened.core.lrs.restore(callerIn(opened, organisation.id), lrs.id)
    const held = counted(await countIn(opened, organisation, lrs), 'statement')
    return { json: lrsJson(restored), text: `Lrs ${lrs.id} (${lrs.name}) is back, with ${held}.` }
  })
}

async function located(context: CommandContext, options: GlobalOptions, word: string) {
  const opened = await context.open()
  return { opened, ...(await locateLrs(opened, options, parseNumber(word, '<id>'))) }
}

/** How many statements it holds. */
export async function countIn(opened: Opened, organisation: OrganisationRecord, { id }: LrsRecord): Promise<number> {
  const [count = 0] = await countAll(opened, organisation, [id])
  return count
}

/** The same of several, in their order. */
export function countAll(
  opened: Opened,
  { id }: OrganisationRecord,
  lrsIds: readonly LrsId[],
): Promise<readonly number[]> {
  return opened.core.lrs.countStatements(callerIn(opened, id), lrsIds)
}
