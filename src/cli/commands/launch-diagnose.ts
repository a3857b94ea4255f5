// claviger launch diagnose: what is wrong with a launch that somebody was refused, or is going to be.

import type { Command } from 'commander'
import { itslearning } from '../../app.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { bullets, exitCodes, oneLine, pairs, table, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'
import { secretOf } from './credential-secret.ts'
import type { SecretOptions } from './credential-secret.ts'
import { openPlatform } from './launch-located.ts'

interface DiagnoseOptions extends GlobalOptions, SecretOptions {
  readonly platform?: string
}

export function addLaunchDiagnose(group: Command, context: CommandContext, act: Act): void {
  const command = group
    .command('diagnose')
    .description('look at a launch signed by itslearning: what is wrong with it, and what its signature would fit')
    .argument('<url>', 'as it was opened, in quotes')
    .option('--platform <id>', 'held against this one’s secrets, registered address and settings')
    .option('--secret <secret>', 'held against this one (others on this machine may see it in the process list)')
    .option('--secret-stdin', 'read that from standard input')
    .addHelpText('after', diagnoseHelp)
  act<DiagnoseOptions>(command, async (options, url = '') => {
    const given = secretOf(options, context)
    const { platform } = options
    if (given === undefined && platform === undefined) throw new UsageError('give --platform, --secret or both')
    if (!/^https?:\/\/[^\s/?#]/i.test(url)) {
      throw new UsageError(
        `${oneLine(url.slice(0, 60))}: this is no address; give it as it was opened, https:// and all`,
      )
    }
    const opened = platform === undefined ? undefined : await openPlatform(context, options, platform)
    const secrets = given === undefined ? (opened?.secrets ?? []) : [given]
    const now = opened?.now ?? Date.now()
    const asked = { url, secrets, now }
    if (opened === undefined) return show(itslearning.diagnose(asked))
    return show(await itslearning.diagnoseAt(opened.opened.core, opened.platform, asked))
  })
}

const diagnoseHelp = `
Nothing is opened, and nothing is written: an address that would be let in still is, once. Whether it was used before is not looked at.

The address holds who the learner is, and, for some minutes, the right to be let in: it belongs into no ticket and no mail.

Examples:
  $ claviger launch diagnose 'https://lrs.example.org/launch/itslearning/north/view?ApiSessionId=…' --platform north
  $ claviger launch diagnose 'https://…&Signature=…' --secret-stdin < secret
`

function show(found: ReturnType<typeof itslearning.diagnose>): Outcome {
  const { isAccepted, page, address, faults, parameters } = found
  const verdict = isAccepted
    ? 'It would be let in, if it was not used before.'
    : faults.length === 1
      ? 'It is refused.'
      : 'It is refused, for several reasons.'
  const head = pairs([
    ['page', page],
    ['held against', address],
  ])
  const why = faults.map(({ rule, message, hints }) => {
    const lines = [`${itslearning.rules[rule]} (${rule}): ${message}`, ...hints.map((hint) => `  ${hint}`)]
    return lines.map(oneLine).join('\n  ')
  })
  const rows = parameters.map(({ name, value, describes = '' }) => [`  ${name}`, value, describes])
  const hashed = faults.some(({ rule }) => rule.startsWith('signature')) ? found.signedText : undefined
  const parts = [
    verdict,
    head,
    ...(why.length === 0 ? [] : [why.map((text) => `- ${text}`).join('\n')]),
    ...(rows.length === 0 ? [] : [table([['  parameter', 'value', 'meaning'], ...rows])]),
    ...(hashed === undefined ? [] : [`Hashed was, with the secret behind it:\n${bullets([hashed])}`]),
  ]
  return { json: found, text: parts.join('\n\n'), exit: isAccepted ? exitCodes.ok : exitCodes.failed }
}
