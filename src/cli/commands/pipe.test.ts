import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { Printed } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const cli = (line: string, stdin?: string): Promise<Printed> => commandLineOn(world.core)(line.split(' '), stdin)
const events = async (): Promise<string[]> => (await world.events()).map(({ action }) => action)

const target = '--to https://lrs.example.net/xapi'
const login = `${target} --user ann`
const to = `${login} --password wonder-1234`

it('makes, shows, pauses, resumes and deletes one, and never prints its password', async () => {
  const password = 'a password of the target'
  const made = await cli(`pipe create --lrs ${world.lrsId} ${login} --password-stdin --json`, `${password}\n`)
  expect(made).toMatchObject({ code: 0, json: { lrsId: world.lrsId, delivered: 0, pausedBecause: null } })
  const { id } = made.json
  const opened = await world.core.pipes.get(world.operator, id)
  expect(opened.target).toEqual({ url: 'https://lrs.example.net/xapi', user: 'ann', password })
  const steps = [
    [`pipe show ${id}`, /state +runs/],
    [`pipe list`, new RegExp(`${id} .* Lrs ${world.lrsId} .* runs`)],
    [`pipe pause ${id}`, /state +paused: Paused by command line/],
    [`pipe resume ${id}`, /state +runs/],
    [`pipe show ${id} --json`, /"pausedBecause": null/],
    [`pipe delete ${id}`, /is gone/],
  ] as const
  for (const [line, pattern] of steps) {
    const { code, out, err } = await cli(line)
    expect([line, code, out]).toEqual([line, 0, expect.stringMatching(pattern)])
    expect(made.out + out + err).not.toContain(password)
  }
  expect((await cli(`pipe show ${id}`)).code).toBe(1)
  expect(JSON.stringify(await world.events())).not.toContain(password)
})

it('makes one of an application, whose live Lrs it forwards, and lists it there', async () => {
  const application = await world.core.applications.create(world.operator, { name: 'A' })
  const made = await cli(`pipe create --application ${application.id} ${to} --json`)
  expect(made.json).toMatchObject({ applicationId: application.id, lrsId: application.liveLrsId })
  const other = await cli(`pipe create --lrs ${world.lrsId} ${to} --json`)
  const idsIn = async (line: string) => (await cli(`${line} --json`)).json.map(({ id }: { id: string }) => id)
  expect(await idsIn(`pipe list --application ${application.id}`)).toEqual([made.json.id])
  expect(await idsIn('pipe list')).toEqual(expect.arrayContaining([made.json.id, other.json.id]))
})

it('knows the addresses of an application as one of its Lrs', async () => {
  const { id, sandboxLrsId } = await world.core.applications.create(world.operator, { name: 'A' })
  const type = commandLineOn(world.core, { scormcloudV2: true })
  const login = ['--user', 'ann', '--password', 'wonder-1234']
  const make = (path: string) =>
    type(['pipe', 'create', '--application', id, '--to', `${world.core.baseUrl}${path}`, ...login])
  const before = await events()
  for (const path of [`/lrs/${id}`, `/lrs/${id}/`, `//lrs//${id}`, `/tc/${id}`, `/RusticiEngine/lrs/${id}`]) {
    const { code, err } = await make(path)
    expect([path, code, err]).toEqual([path, 2, expect.stringContaining('same place')])
  }
  expect(await events()).toEqual(before)
  expect((await make(`/lrs/${id}/sandbox`)).code).toBe(0)
  const made = await type(['credential', 'create', '--name', 'Sandbox', '--lrs', String(sandboxLrsId)])
  expect(made.out).toContain(`https://lrs.example.org/lrs/${id}/sandbox/\n`)
  expect(made.out).not.toContain(`/lrs/${id}/\n`)
})

describe('refuses', () => {
  it.each([
    ['nothing to forward', `pipe create ${to}`, 2],
    ['two sources', `pipe create --lrs 1 --from https://a.example/ ${to}`, 2],
    ['a user of no source', `pipe create --lrs 1 --from-user a ${to}`, 2],
    ['two passwords', `pipe create --lrs 1 ${login} --password a --password-stdin`, 2],
    ['no password where one is announced', `pipe create --lrs 1 ${login} --password-stdin`, 2],
    ['a user without a password', `pipe create --lrs 1 ${login}`, 2],
    ['a user of a source without a password', `pipe create --from https://a.example/x --from-user a ${to}`, 2],
    ['no target', 'pipe create --lrs 1', 2],
    ['an address that is none', 'pipe create --lrs 1 --to somewhere', 2],
    ['an Lrs that is not there', `pipe create --lrs 77777 ${to}`, 1],
    ['an application that is not there', `pipe create --application NOSUCHAPP1 ${to}`, 1],
    ['a pipe that is not there', 'pipe pause 0e1c3f6a-3a4d-4c55-9d5b-6f0a3a1d2c4b', 1],
    ['a start of a source elsewhere', `pipe create --from https://a.example/x --start-now ${to}`, 2],
  ])('%s', async (_, line, code) => {
    const before = await events()
    const printed = await cli(line)
    expect([printed.code, printed.err]).toEqual([code, expect.stringMatching(/\S/)])
    expect(await events()).toEqual(before)
  })
})
