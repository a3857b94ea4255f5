// claviger audit …: the hash-chained log of an organisation.

import type { Command } from 'commander'
import type { AuditEvent, AuditPage } from '../../core/audit.ts'
import type { CredentialId, OrganisationId } from '../../core/ids.ts'
import { callerIn, chooseOrganisation, organisationsOf } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { counted, exitCodes, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'

export function addAudit(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('audit').description('who did what to which key, when and from where')
  addList(group, context, act)
  const verify = group.command('verify').description('check the chain; of every organisation unless one is given')
  act<GlobalOptions>(verify, async (options) => {
    const opened = await context.open()
    const verdicts = []
    for await (const { id, name } of organisationsOf(opened, options)) {
      const { events, brokenAt, head } = await opened.core.audit.verify(callerIn(opened, id))
      verdicts.push({ organisation: id, name, events, brokenAt: brokenAt ?? null, head })
    }
    const isIntact = verdicts.every(({ brokenAt }) => brokenAt === null)
    const lines = verdicts.map(({ organisation, name, events, brokenAt, head }) => {
      const start = `Organisation ${organisation} (${name}): `
      if (brokenAt === null) return `${start}${counted(events, 'event')}, unbroken; head ${head}`
      return `${start}BROKEN at event ${brokenAt}: it, or one before it, was changed or removed`
    })
    return {
      json: { isIntact, organisations: verdicts },
      text: lines.join('\n'),
      exit: isIntact ? 0 : exitCodes.failed,
    }
  })
}

interface ListOptions extends GlobalOptions {
  readonly after: string
  readonly limit: string
  readonly newest?: boolean
  readonly key?: string
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group
    .command('list')
    .description('list events of an organisation, oldest first')
    .option('--after <number>', 'only those after this one', '0')
    .option('--limit <number>', 'at most this many', '100')
    .option('--newest', 'the newest ones, newest first')
    .option(
      '--key <id-or-key>',
      'only what was done to this key or application, to its sessions, or with it; it may be gone',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger audit list --newest --limit 20\n  $ claviger audit list --key 4f1c09d2a7b35e8d60c2e914\n',
    )
  act<ListOptions>(list, async (options) => {
    const after = parseNumber(options.after, '--after', 0)
    const limit = parseNumber(options.limit, '--limit', 1, 1000)
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const application = options.key === undefined ? undefined : await opened.core.applications.find(options.key)
    const ownKey = application?.organisationId === organisation.id ? application.credentialId : undefined
    const concerns = options.key === undefined ? () => true : concerning(options.key, ownKey)
    const { newest } = options
    const { events, next } = await pick(eventsAfter(opened, organisation.id, after), { concerns, newest, limit })
    const rows = events.map(({ number, at, actor, action, target, detail }) => [
      number,
      time(at),
      actor.address === undefined ? actor.name : `${actor.name} from ${actor.address}`,
      action,
      target.id === null ? target.noun : `${target.noun} ${target.id}`,
      context.isTerminal ? shorten(JSON.stringify(detail)) : JSON.stringify(detail),
    ])
    const heading = ['number', 'time', 'who', 'action', 'target', 'detail']
    return {
      json: { events: events.map((event) => ({ ...event, at: time(event.at) })), next: next ?? null },
      text: table([heading, ...rows]) + (next === undefined ? '' : `\nMore: --after ${next}`),
    }
  })
}

async function* eventsAfter(opened: Opened, organisationId: OrganisationId, start: number): AsyncGenerator<AuditEvent> {
  const caller = callerIn(opened, organisationId)
  for (let after: number | undefined = start; after !== undefined;) {
    const page: AuditPage = await opened.core.audit.list(caller, { after, limit: 1000 })
    yield* page.events
    after = page.next
  }
}

interface Picked {
  readonly events: readonly AuditEvent[]
  /** Number to go on after; only where the oldest come first. */
  readonly next?: number
}

/** Reads no further than it has to, and keeps no more than it returns. */
async function pick(
  all: AsyncIterable<AuditEvent>,
  {
    newest = false,
    concerns,
    limit,
  }: {
    readonly newest?: boolean | undefined
    readonly concerns: (event: AuditEvent) => boolean
    readonly limit: number
  },
): Promise<Picked> {
  const events: AuditEvent[] = []
  for await (const event of all) {
    if (!concerns(event)) continue
    if (!newest && events.length === limit) return { events, next: events[limit - 1]!.number }
    events.push(event)
    if (events.length > limit) events.shift()
  }
  return { events: newest ? events.toReversed() : events }
}

/**
 * A key may have been renamed or removed, so the events themselves say which credentials had it; but not which one is an
 * application's own.
 */
function concerning(word: string, ownKey: CredentialId | undefined): (event: AuditEvent) => boolean {
  const ids = new Set<unknown>([...(/^[1-9]\d*$/.test(word) ? [Number(word)] : []), ...(ownKey ? [ownKey] : [])])
  const sessions = new Set<unknown>()
  return ({ actor, target, detail }) => {
    const { key, credential } = Object(detail) as { key?: unknown; credential?: unknown }
    const isNamed = [key, Object(key).from, Object(key).to, target.id].includes(word)
    if (isNamed && target.noun === 'credential' && target.id !== null) ids.add(target.id)
    if (target.noun === 'session' && ids.has(credential)) sessions.add(target.id)
    const isBy = { credential: ids, session: sessions, operator: none, system: none }[actor.kind].has(actor.id)
    return isNamed || isBy || (target.noun === 'credential' && ids.has(target.id)) || ids.has(credential)
  }
}

const none: ReadonlySet<unknown> = new Set()

const terminalLength = 100

/** For eyes; what is piped, and --json, has the whole. */
function shorten(text: string): string {
  return text.length <= terminalLength ? text : `${text.slice(0, terminalLength - 1)}…`
}
