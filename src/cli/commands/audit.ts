// claviger audit …: the hash-chained log of an organisation.

import type { Command } from 'commander'
import { callerIn, chooseOrganisation, everyOrganisation } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { exitCodes, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'

export function addAudit(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('audit').description('who did what to which key, when and from where')
  const list = group
    .command('list')
    .description('list events of an organisation, oldest first')
    .option('--after <number>', 'only those after this one', '0')
    .option('--limit <number>', 'at most this many', '100')
  act<GlobalOptions & { after: string; limit: string }>(list, async (options) => {
    const after = parseNumber(options.after, '--after', 0)
    const limit = parseNumber(options.limit, '--limit', 1, 1000)
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const page = await opened.core.audit.list(callerIn(opened, organisation.id), { after, limit })
    const rows = page.events.map(({ number, at, actor, action, target, detail }) => [
      number,
      time(at),
      actor.address === undefined ? actor.name : `${actor.name} from ${actor.address}`,
      action,
      `${target.noun} ${target.id ?? ''}`,
      shorten(JSON.stringify(detail)),
    ])
    const heading = ['number', 'time', 'who', 'action', 'target', 'detail']
    return {
      json: { events: page.events.map((event) => ({ ...event, at: time(event.at) })), next: page.next ?? null },
      text: table([heading, ...rows]) + (page.next === undefined ? '' : `\nMore: --after ${page.next}`),
    }
  })
  const verify = group.command('verify').description('check the chain; of every organisation unless one is given')
  act<GlobalOptions>(verify, async (options) => {
    const opened = await context.open()
    const organisations =
      options.organisation === undefined ? everyOrganisation(opened) : [await chooseOrganisation(opened, options)]
    const verdicts = []
    for await (const { id, name } of organisations) {
      const { events, brokenAt, head } = await opened.core.audit.verify(callerIn(opened, id))
      verdicts.push({ organisation: id, name, events, brokenAt: brokenAt ?? null, head })
    }
    const isIntact = verdicts.every(({ brokenAt }) => brokenAt === null)
    const lines = verdicts.map(({ organisation, name, events, brokenAt, head }) => {
      const start = `Organisation ${organisation} (${name}): `
      if (brokenAt === null) return `${start}${events} events, unbroken; head ${head}`
      return `${start}BROKEN at event ${brokenAt}: it, or one before it, was changed or removed`
    })
    return {
      json: { isIntact, organisations: verdicts },
      text: lines.join('\n'),
      exit: isIntact ? 0 : exitCodes.failed,
    }
  })
}

/** The whole of it is for --json. */
function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`
}
