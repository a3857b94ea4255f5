// claviger application-management …: keys that create and delete applications and keep their keys, and do nothing else.

import type { Command } from 'commander'
import { callerIn, chooseOrganisation, organisationsOf } from '../context.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { credentialJson } from '../credential-shown.ts'
import { stateOf } from '../key-state.ts'
import { pairs, table, time } from '../outcome.ts'
import type { Act } from '../run.ts'
import { listAll } from '../context.ts'

export function addApplicationManagement(program: Command, context: CommandContext, act: Act): void {
  const group = program
    .command('application-management')
    .description('keys that manage the applications of an organisation, and nothing inside them')
  const create = group
    .command('create')
    .description('make one')
    .option('--name <name>', 'for people', 'Application management')
    .addHelpText('after', createHelp)
  act<GlobalOptions & { name: string }>(create, async (options) => {
    const opened = await context.open()
    const organisation = await chooseOrganisation(opened, options)
    const issued = await opened.core.applications.createManagementKey(callerIn(opened, organisation.id), options)
    const { credential, key, secret } = issued
    const keys = pairs([
      ['management id', key],
      ['secret key', secret],
    ])
    return {
      json: { ...credentialJson(credential), secret },
      text:
        `Credential ${credential.id} (${credential.name}) manages the applications of organisation ` +
        `${organisation.id} (${organisation.name}).\n\n${keys}\n\nThe secret is not shown again.\n\n` +
        `Next: claviger application list --organisation ${organisation.id}`,
      warnings: ['whoever has it makes keys for every application: keep it on servers, never in content'],
    }
  })
  const list = group.command('list').description('list them; of every organisation unless one is given')
  act<GlobalOptions>(list, async (options) => {
    const opened = await context.open()
    const found = []
    for await (const { id } of organisationsOf(opened, options))
      found.push(...(await listAll(opened, id, { kind: 'management' })))
    const now = opened.core.clock.now()
    const rows = found.map((credential) => [
      ...[credential.id, credential.organisationId, credential.name, credential.key],
      ...[stateOf(credential, now), time(credential.createdAt)],
    ])
    const heading = ['id', 'organisation', 'name', 'management id', 'state', 'created']
    return { json: found.map(credentialJson), text: table([heading, ...rows]) }
  })
}

const createHelp = `
Afterwards it is a key as others are: claviger credential rotate, disable, enable and revoke.

Example:
  $ claviger application-management create --organisation 1
`
