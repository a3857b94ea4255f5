// Whoever can write an export can name anybody's organisation in it: it goes into none that is here unless that was said.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Importer } from '../import.ts'
import { learningLockerImporter } from './learninglocker.ts'

const operator = { operator: 'test' }
const root = mkdtempSync(join(tmpdir(), 'claviger-ll-existing-'))
let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(async () => {
  await world.close()
  rmSync(root, { recursive: true })
})

const oid = (start: string) => ({ $oid: start.padEnd(24, '0') })

/** An export of the organisation whose oid begins so, with clients that may do everything. */
function write(name: string, organisation: string, clients = 1): string {
  const directory = join(root, name)
  mkdirSync(directory)
  const put = (collection: string, ...all: readonly object[]) =>
    writeFileSync(join(directory, `${collection}.json`), all.map((one) => JSON.stringify(one)).join('\n'))
  const of = { organisation: oid(organisation) }
  const authority = JSON.stringify({ mbox: 'mailto:a@example.org' })
  const client = (number: number) => ({
    ...{ _id: oid(`${organisation}2${number}${Buffer.from(name).toString('hex')}`), ...of },
    ...{ lrs_id: oid(`${organisation}1`), authority, scopes: ['all'] },
    api: { basic_key: `key-${name}-${number}`, basic_secret: `secret-of-${name}` },
  })
  put('organisations', { _id: of.organisation, name: `Of ${name}` })
  put('lrs', { _id: oid(`${organisation}1`), ...of, title: 'Store' })
  put('client', ...Array.from({ length: clients }, (_, number) => client(100 + number)))
  return directory
}

async function everything() {
  const { items } = await world.core.organisations.list(operator, { offset: 0, limit: 100 })
  const told = items.map(async (organisation) => {
    const caller = world.core.signIn.operator(organisation.id, 'test')
    const { items: keys } = await world.core.credentials.list(caller, {}, { offset: 0, limit: 100 })
    return { organisation, keys, lrs: await world.core.lrs.list(caller), events: await world.events(organisation.id) }
  })
  return Promise.all(told)
}

async function expectRefused(
  directory: string,
  words: readonly string[],
  intoExisting: readonly OrganisationId[] = [],
) {
  const before = await everything()
  for (const isDryRun of [true, false]) {
    const error: Error = await runOn(world.core, learningLockerImporter({ directory, intoExisting }), {
      isDryRun,
    }).then(
      () => expect.unreachable('it was taken'),
      (thrown) => thrown,
    )
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('Nothing was imported') })
    for (const one of words) expect(error.message).toContain(one)
  }
  expect(await everything()).toEqual(before)
}

const importing = async (directory: string, intoExisting?: readonly OrganisationId[], isDryRun = false) =>
  (await runOn(world.core, learningLockerImporter({ directory, intoExisting }), { isDryRun })).report

it('goes into one that others made only where the operator says so, and from there again', async () => {
  const made = await world.core.organisations.create(operator, { name: 'Victim', oid: oid('a1').$oid as never })
  const { id } = made.organisation
  const directory = write('strange', 'a1')
  const words = [`${id} “Victim” (oid ${oid('a1').$oid})`, `--into-existing ${id}`]
  await expectRefused(directory, words)
  await expectRefused(directory, words, [world.organisationId])

  const told = { organisationId: id, oid: oid('a1').$oid, name: 'Victim' }
  const before = await everything()
  expect((await importing(directory, [id], true)).existing).toEqual([{ ...told, keys: 1 }])
  expect(await everything()).toEqual(before)
  const report = await importing(directory, [id])
  expect(report).toMatchObject({ existing: [{ ...told, keys: 1 }], kinds: { clients: { stored: 1 } } })
  expect(await importing(directory)).toMatchObject({
    existing: [{ ...told, keys: 0 }],
    kinds: { clients: { there: 1 } },
  })
  await expectRefused(write('third', 'a1'), words)
})

it('goes into what an import from the same directory made, and from no other', async () => {
  const directory = write('own', 'b1')
  expect((await importing(directory)).existing).toEqual([])
  expect((await importing(directory)).existing).toMatchObject([{ name: 'Of own', keys: 0 }])
  const later = join(root, 'later')
  cpSync(directory, later, { recursive: true })
  await expectRefused(later, ['“Of own”'])
  // What lay there before, or who, is no permission for another organisation.
  rmSync(directory, { recursive: true })
  await expectRefused(write('own', 'a1'), ['“Victim”'])
})

it('goes on with what was interrupted, and tells of what was here before that alone', async () => {
  /** In the middle of the keys. */
  const cutOff = async (importer: Importer) => {
    const stopping = new AbortController()
    const onStage = ({ title }: { readonly title: string }) => void (title === 'clients' && stopping.abort())
    const { report } = await runOn(world.core, importer, { signal: stopping.signal, onStage })
    expect(report).toMatchObject({ isFinished: false })
  }
  const directory = write('cut', 'c1', 20)
  await cutOff(learningLockerImporter({ directory }))
  const made = (await everything()).find(({ organisation }) => organisation.name === 'Of cut')
  expect(made?.keys.length).toBeGreaterThan(0)
  expect(made?.keys.length).toBeLessThan(20)
  const whole = { isFinished: true, isResumed: true, kinds: { clients: { stored: 20 } } }
  expect(await importing(directory)).toMatchObject({ ...whole, existing: [] })

  const { id } = made!.organisation
  const again = write('again', 'c1', 20)
  await cutOff(learningLockerImporter({ directory: again, intoExisting: [id] }))
  expect(await importing(again)).toMatchObject({ ...whole, existing: [{ organisationId: id, keys: 20 }] })
})
