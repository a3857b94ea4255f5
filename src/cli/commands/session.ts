// claviger session …: short-lived keys under a credential, and what became of them.

import type { Command } from 'commander'
import type { SessionId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import { describeRights } from '../../core/presets.ts'
import { combinePins } from '../../core/pins.ts'
import { intersect, noRights, xapiRights } from '../../core/rights.ts'
import { isLive } from '../../core/secret.ts'
import type { Rights } from '../../core/rights.ts'
import { findSecretOver, sessionSeconds } from '../../core/session.ts'
import type { CredentialRecord, SessionRecord } from '../../core/storage.ts'
import { locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Located, Opened } from '../context.ts'
import { addRights, parseDuration, parseNumber, parsePins, repeated } from '../credential-options.ts'
import type { PinOptions } from '../credential-options.ts'
import { inWords } from '../credential-shown.ts'
import { pairs, table, time, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'

interface CreateOptions extends GlobalOptions, PinOptions {
  readonly expires: string
  readonly right?: readonly string[]
}

export function addSession(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('session').description('short-lived keys that die with their credential')
  addCreate(group, context, act)
  addList(group, context, act)
  addRevoke(group, context, act)
}

function addCreate(group: Command, context: CommandContext, act: Act): void {
  const create = group
    .command('create')
    .description('create a session of a credential; all its rights unless some are named')
    .argument('<id-or-key>')
    .option('--expires <time>', 'how long it lives: 15m, 1h, 30d at most', '1h')
    .option('--right <right[:mine]>', 'only these of the credential’s rights; may be repeated', repeated)
    .option(
      '--pin-actor <who>',
      'only this actor: mailto:ann@example.org, ann or ann@https://home.page; may be repeated',
      repeated,
    )
    .option('--pin-registration <uuid>', 'only this registration; every statement must carry it')
    .option('--pin-registration-when-present <uuid>', 'as above, but statements without a registration pass')
    .option('--pin-activity <iri>', 'only this activity and what is below it')
    .addHelpText(
      'after',
      '\nExample:\n  $ claviger session create 3 --expires 30m --pin-actor mailto:ann@example.org --right statements/write\n',
    )
  act<CreateOptions>(create, async (options, word = '') => {
    const opened = await context.open()
    const { caller, credential } = await locateCredential(opened, options, word)
    const rights = options.right && sessionRights(options.right, credential)
    const issued = await opened.core.sessions.create(caller, credential.id, {
      expireSeconds: parseDuration(options.expires, '--expires', sessionSeconds),
      ...(rights && { rights }),
      pins: parsePins(options),
    })
    const { id, createdAt, expiresAt } = issued.session
    const described = describedSession(issued.session, credential)
    const { may, only, mayNot } = described
    const keys = pairs([
      ['key', issued.key],
      ['secret', issued.secret],
      ['xAPI', `${context.config.baseUrl}/xapi/`],
      ['expires', time(expiresAt)],
    ])
    const { rights: held, pins } = issued.session
    return {
      json: {
        ...{ id, credentialId: credential.id, key: issued.key, secret: issued.secret, rights: held, pins },
        ...{ createdAt: time(createdAt), expiresAt: time(expiresAt), may, only, mayNot },
      },
      text:
        `Session ${id} of credential ${credential.id} (${credential.name}) created.\n\n${keys}\n\n` +
        `The secret is not shown again.\n\n${inWords(described)}`,
    }
  })
}

/** What a credential has with reach mine, a session cannot have with reach any: the word to write is named. */
function sessionRights(words: readonly string[], { rights }: CredentialRecord): Rights {
  const asked = addRights(noRights, { right: words })
  const wide = xapiRights.filter((right) => asked.xapi[right] === 'any' && rights.xapi[right] === 'mine')
  if (wide.length === 0) return asked
  const hints = wide.map((right) => `--right ${right}:mine`).join(' ')
  throw new UsageError(`the credential reaches its own only: ${hints}`)
}

function describedSession({ rights, pins }: SessionRecord, credential: CredentialRecord) {
  const both = combinePins(credential.pins, pins)
  // Pins that have come to contradict each other let nothing pass.
  const held = both ? intersect(credential.rights, rights) : noRights
  return describeRights(held, both ?? credential.pins, credential.limits)
}

function addList(group: Command, context: CommandContext, act: Act): void {
  const list = group
    .command('list')
    .description('list the sessions of a credential: live ones and, for a day, expired ones')
    .argument('<id-or-key>')
  act<GlobalOptions>(list, async (options, word = '') => {
    const opened = await context.open()
    const located = await locateCredential(opened, options, word)
    const sessions = await listSessions(opened, located)
    const now = opened.core.clock.now()
    const rows = sessions.map((session) => {
      const { may, only } = describedSession(session, located.credential)
      const words = [may.length === 0 ? 'nothing' : may.join('; '), ...only.map((line) => `only ${line}`)].join('; ')
      return [session.id, session.key, stateOf(session, located, now), time(session.expiresAt), words]
    })
    return {
      json: sessions.map((session) => {
        const { id, credentialId, key, rights, pins, createdAt, expiresAt } = session
        const state = stateOf(session, located, now)
        const times = { createdAt: time(createdAt), expiresAt: time(expiresAt) }
        return {
          id,
          credentialId,
          key,
          state,
          rights,
          pins,
          ...times,
          ...describedSession(session, located.credential),
        }
      }),
      text: table([['id', 'key', 'state', 'expires', 'may'], ...rows]),
    }
  })
}

async function listSessions(opened: Opened, { caller, credential }: Located): Promise<readonly SessionRecord[]> {
  const all: SessionRecord[] = []
  const limit = 500
  for (;;) {
    const page = await opened.core.sessions.list(caller, credential.id, { offset: all.length, limit })
    all.push(...page.items)
    if (page.items.length === 0 || all.length >= page.total) return all
  }
}

function stateOf(session: SessionRecord, { credential }: Located, now: number): 'live' | 'expired' | 'ended' {
  if (session.expiresAt <= now) return 'expired'
  const isOver = !isLive(credential, now) || findSecretOver(session, credential, now) === undefined
  return isOver ? 'ended' : 'live'
}

function addRevoke(group: Command, context: CommandContext, act: Act): void {
  const revoke = group
    .command('revoke')
    .description('end a session of a credential at once; what it stored stays')
    .argument('<id-or-key>', 'of the credential')
    .argument('<session-id>')
  act<GlobalOptions>(revoke, async (options, word = '', sessionWord = '') => {
    const id = parseNumber(sessionWord, '<session-id>', 1, maxId) as SessionId
    const opened = await context.open()
    const { caller, credential } = await locateCredential(opened, options, word)
    const removed = await opened.core.sessions.remove(caller, credential.id, id)
    return {
      json: { id: removed.id, credentialId: credential.id, key: removed.key },
      text: `Session ${removed.id} of credential ${credential.id} (${credential.name}) is gone.`,
    }
  })
}
