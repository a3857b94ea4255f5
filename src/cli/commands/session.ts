// claviger session …: short-lived keys under a credential.

import type { Command } from 'commander'
import { describeRights } from '../../core/presets.ts'
import { noRights } from '../../core/rights.ts'
import { locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { addRights, parseDuration, parsePins, repeated } from '../credential-options.ts'
import type { PinOptions } from '../credential-options.ts'
import { bullets, pairs, time } from '../outcome.ts'
import type { Act } from '../run.ts'

interface CreateOptions extends GlobalOptions, PinOptions {
  readonly expires: string
  readonly right?: readonly string[]
}

export function addSession(program: Command, context: CommandContext, act: Act): void {
  const group = program.command('session').description('short-lived keys that die with their credential')
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
    const issued = await opened.core.sessions.create(caller, credential.id, {
      expireSeconds: parseDuration(options.expires, '--expires'),
      ...(options.right && { rights: addRights(noRights, { right: options.right }) }),
      pins: parsePins(options),
    })
    const { id, rights, pins, createdAt, expiresAt } = issued.session
    const { may, mayNot } = describeRights(rights, pins)
    const keys = pairs([
      ['key', issued.key],
      ['secret', issued.secret],
      ['xAPI', `${context.config.baseUrl}/xapi/`],
      ['expires', time(expiresAt)],
    ])
    const allowed = may.length === 0 ? ' do nothing.' : `\n${bullets(may)}`
    const refused = mayNot.length === 0 ? '' : `\n\nIt may not\n${bullets(mayNot)}`
    return {
      json: {
        id,
        credentialId: credential.id,
        key: issued.key,
        secret: issued.secret,
        rights,
        pins,
        createdAt: time(createdAt),
        expiresAt: time(expiresAt),
        may,
        mayNot,
      },
      text:
        `Session ${id} of credential ${credential.id} (${credential.name}) created.\n\n${keys}\n\n` +
        `The secret is not shown again.\n\nIt may${allowed}${refused}`,
    }
  })
}
