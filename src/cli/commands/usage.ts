// claviger usage: counters per key and secret.

import type { Command } from 'commander'
import type { CredentialRecord, UsageDelta } from '../../core/storage.ts'
import { callerIn, organisationsOf, locateCredential } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { listAll } from '../context.ts'

export function addUsage(program: Command, context: CommandContext, act: Act): void {
  const usage = program
    .command('usage')
    .description('how often keys were used, refused, and when last; of every key unless one is given')
    .argument('[id-or-key]')
  act<GlobalOptions>(usage, async (options, word) => {
    const opened = await context.open()
    const credentials =
      word === undefined ? await all(opened, options) : [(await locateCredential(opened, options, word)).credential]
    const rows: { credential: CredentialRecord; usage: UsageDelta }[] = []
    for (const credential of credentials) {
      const caller = callerIn(opened, credential.organisationId)
      for (const item of await opened.core.usage.list(caller, credential.id)) rows.push({ credential, usage: item })
    }
    const lines = rows.map(
      ({ credential, usage: { secretId, requests, statements, refusals, lastAt, lastAddress } }) => [
        credential.id,
        credential.name,
        secretId === null
          ? '–'
          : (credential.secrets.find(({ id }) => id === secretId)?.name ?? `(deleted) ${secretId}`),
        requests,
        statements,
        Object.entries(refusals)
          .map(([reason, count]) => `${reason} ${count}`)
          .join(', ') || '–',
        time(lastAt),
        lastAddress ?? '–',
      ],
    )
    return {
      json: rows.map(({ usage: { firstAt, lastAt, ...rest } }) => ({
        ...rest,
        firstAt: time(firstAt),
        lastAt: time(lastAt),
      })),
      text: table(
        [['id', 'name', 'secret', 'requests', 'statements', 'refused', 'last used', 'from'], ...lines],
        neverUsed(word, credentials),
      ),
    }
  })
}

function neverUsed(word: string | undefined, [only]: readonly CredentialRecord[]): string {
  if (word === undefined || !only) return 'No key was used yet.'
  return `Credential ${only.id} (${only.name}) was never used.`
}

async function all(opened: Opened, options: GlobalOptions): Promise<CredentialRecord[]> {
  const found: CredentialRecord[] = []
  for await (const { id } of organisationsOf(opened, options)) found.push(...(await listAll(opened, id)))
  return found
}
