// The imports that read others' databases and APIs, as they are typed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { Printed } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { createLrsql } from '../../../test/support/lrsql.ts'
import type { LrsqlDatabase } from '../../../test/support/lrsql.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { openRemote, serveVendor } from '../../../test/support/vendor.ts'
import type { Vendor } from '../../../test/support/vendor.ts'
import { openStage } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'

let source: Stage
let world: OpenCore
let vendor: Vendor
let remote: ReturnType<typeof openRemote>
let client: Client
let database: LrsqlDatabase

beforeAll(async () => {
  ;[source, world, database] = [await openStage(), await openCore(), await createLrsql('sqlite')]
  world.clock.pass(3_600_000)
  client = await source.as('global')
  await client.post([aStatement(), aStatement()])
  await database.credential({ key: 'lrsql-key', secret: 'lrsql-secret', scopes: ['all'] })
  vendor = await serveVendor(source.app)
  remote = openRemote()
})
afterAll(async () => {
  remote.close()
  await vendor.close()
  await database.drop()
  await Promise.all([source.close(), world.close()])
})

const cli = (line: string, stdin?: string): Promise<Printed> => {
  const more = { remote: { outbound: remote.outbound, lrs: remote.door } }
  return commandLineOn(world.core, {}, more)(line.split(' '), stdin)
}

it('xapi: the secret from standard input, the report as JSON, nothing about secrets', async () => {
  const line = `import xapi --url ${vendor.url}/xapi --key ${client.key} --lrs ${world.lrsId} --json`
  const printed = await cli(`${line} --password-stdin`, `${client.secret}\n`)
  expect(printed).toMatchObject({ code: 0, json: { isFinished: true, kinds: { statements: { read: 2, stored: 2 } } } })
  expect(printed.json.source).toBe(`xapi ${vendor.url}/xapi as ${client.key} into Lrs ${world.lrsId}`)
  expect(printed.out + printed.err).not.toContain(client.secret)
  expect((await cli('import list')).out).toContain(printed.json.source)
})

it('lrsql: a file, into the default Lrs', async () => {
  const printed = await cli(`import lrsql ${database.place}`)
  expect([printed.code, printed.err]).toEqual([0, expect.anything()])
  expect(printed.out).toMatch(/clients +1 +1 +0 +0/)
  expect(await world.signIn({ key: 'lrsql-key', secret: 'lrsql-secret' })).toMatchObject({ name: 'Key lrsql-ke' })
})

describe('refuses', () => {
  const xapi = 'import xapi --key k --url http://127.0.0.1:1/xapi'
  it.each<[string, string, string | undefined, number, RegExp]>([
    ['no secret', xapi, undefined, 2, /CLAVIGER_IMPORT_SECRET/],
    ['an empty secret', `${xapi} --password-stdin`, '\n', 2, /CLAVIGER_IMPORT_SECRET/],
    ['a rate that is none', `${xapi} --rate 0`, 's', 2, /--rate must be a whole number/],
    ['a time that is none', `${xapi} --since yesterday`, 's', 2, /--since takes a time/],
    ['an Lrs that is not there', `${xapi} --lrs 99`, 's', 1, /there is no Lrs 99/],
    ['an owner that is not there', `${xapi} --owner nobody`, 's', 1, /no credential has the id or key nobody/],
    ['an address inside', 'import xapi --key k --url http://10.0.0.1/xapi', 's', 1, /Nobody is asked at this address/],
    [
      'no organisation of Watershed',
      'import watershed --key k --url http://127.0.0.1:1',
      's',
      2,
      /--organisation says which/,
    ],
    [
      'one that is no number',
      'import watershed -o x --key k --url http://127.0.0.1:1',
      's',
      2,
      /--organisation must be a whole number/,
    ],
    [
      'an address of SCORM Cloud that is none',
      'import scormcloud --key k --url somewhere',
      's',
      1,
      /Nobody is asked at this address/,
    ],
    ['a file that is not there', 'import lrsql /no/such.db', undefined, 1, /There is no file/],
  ])('%s', async (_, line, stdin, code, pattern) => {
    const before = [await world.events(), (await cli('import list --json')).json]
    const printed = await cli(line, stdin)
    expect([printed.code, printed.err]).toEqual([code, expect.stringMatching(pattern)])
    expect([await world.events(), (await cli('import list --json')).json]).toEqual(before)
  })
})
