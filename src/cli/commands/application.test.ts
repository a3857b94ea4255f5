import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { Printed } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

/** A command line as one would type it; words with spaces are given apart. */
const cli = (line: string, ...more: string[]): Promise<Printed> =>
  commandLineOn(world.core)([...line.split(' '), ...more])
const events = async (): Promise<number> => (await world.events()).length

async function make(name = 'Courses'): Promise<string> {
  const { json, err } = await cli('application create --json -o 1', name)
  if (json === undefined) throw new Error(err)
  return json.id as string
}
async function refused(line: string, code: number, words: string): Promise<void> {
  const before = await events()
  const printed = await cli(line)
  expect([printed.code, printed.out]).toEqual([code, ''])
  expect(printed.err).toContain(words)
  expect(printed.err).toMatch(/^error: [^\n]+\n$/)
  expect(await events()).toBe(before)
}

describe('application', () => {
  it('create says where its Lrs are and what comes next', async () => {
    const { out, code } = await cli('application create -o 1', 'Safety courses')
    expect(code).toBe(0)
    const [, id = ''] = /^Application ([A-Z0-9]{10}) \(Safety courses\) created in organisation 1 \(First\)\.$/m.exec(
      out,
    )!
    expect(out).toContain(`Next: claviger application key add ${id}`)
    expect(out).toMatch(/live +Lrs \d+/)
    expect(out).toMatch(/sandbox +Lrs \d+/)
  })

  it('create takes an id, once', async () => {
    expect((await cli('application create Moved --id MOVED00001 --json -o 1')).json).toMatchObject({ id: 'MOVED00001' })
    await refused(
      'application create Again --id MOVED00001 -o 1',
      1,
      '--id MOVED00001: The application id MOVED00001 is',
    )
    await refused(
      'application create Again --id moved -o 1',
      2,
      '--id "moved": The id of an application is ten of A to Z',
    )
  })

  it('list shows them, of one organisation or all', async () => {
    const id = await make('Listed')
    const other = await world.addOrganisation()
    const theirs = (await cli(`application create Theirs --json -o ${other.organisationId}`)).json.id as string
    const { out, json } = await cli('application list -o 1')
    expect(json).toBeUndefined()
    expect(out).toContain('Listed')
    expect(out).not.toContain(theirs)
    const ids = (await cli('application list --json')).json.map((one: { id: string }) => one.id)
    expect(ids).toEqual(expect.arrayContaining([id, theirs]))
    await refused(`application show ${id} -o ${other.organisationId}`, 1, `there is no application ${id}`)
  })

  it('show has its keys, and no secret', async () => {
    const id = await make()
    expect((await cli(`application show ${id}`)).out).toContain('It has no key: nobody uses it.')
    const { secret, id: keyId } = (await cli(`application key add ${id} --name LMS --json`)).json
    const { out } = await cli(`application show ${id}`)
    expect(out).toContain(`${keyId}  LMS   enabled`)
    expect(out).toMatch(/answers xAPI +yes/)
    expect(out).not.toContain(secret)
    expect((await cli(`application show ${id} --json`)).out).not.toMatch(/callback|sealed/)
  })

  it('show says that xAPI is switched off', async () => {
    const id = await make()
    await world.core.settings.put(world.operator, id as never, {
      level: '',
      values: { x: 'secret-value' },
      isOpen: false,
    })
    expect((await cli(`application show ${id}`)).out).toMatch(/answers xAPI +no: it is switched off/)
    const names = await cli(`application settings ${id}`)
    expect(names.out).toContain('1 setting; --values shows the values.')
    expect(names.out).not.toContain('secret-value')
    expect((await cli(`application settings ${id} --values`)).out).toContain('secret-value')
    expect((await cli(`application settings ${id} --json`)).json).toEqual([{ level: '', name: 'x' }])
  })

  it('settings says so where nothing is set', async () => {
    const id = await make('Plain')
    expect((await cli(`application settings ${id}`)).out).toBe(`Nothing is set in application ${id} (Plain).\n`)
  })

  it('rename, allow-delete and delete', async () => {
    const id = await make('Before')
    expect((await cli(`application rename ${id} After`)).out).toBe(`Application ${id} (Before) is called After now.\n`)
    expect((await cli(`application allow-delete ${id} no`)).out).toContain('may be deleted by nobody')
    await refused(`application delete ${id}`, 1, `The application ${id} must not be deleted.`)
    await refused(`application allow-delete ${id} maybe`, 2, '[yes-or-no] is yes or no, not maybe')
    await cli(`application allow-delete ${id}`)
    expect((await cli(`application delete ${id}`)).out).toBe(
      `Application ${id} (After) is gone, and every key of its own.\n`,
    )
    await refused(`application show ${id}`, 1, 'claviger application list shows them')
  })

  it('delete tells what it holds', async () => {
    const id = await make()
    const { liveLrsId } = (await cli(`application show ${id} --json`)).json
    const key = await world.signIn(await world.issue('xapi', { lrsIds: [liveLrsId] }))
    const actor = { mbox: 'mailto:a@example.org' }
    const statement = { actor, verb: { id: 'http://example.org/v' }, object: { id: 'http://example.org/a' } }
    await world.core.statements.store(key, liveLrsId, { text: JSON.stringify(statement), version: '1.0' })
    await refused(`application delete ${id}`, 1, `live: 1 statement and 0 documents in Lrs ${liveLrsId}`)
  })
})

describe('audit list --key', () => {
  it('shows what was done to an application, also when it is gone', async () => {
    const id = await make()
    await cli(`application rename ${id} Other`)
    await cli(`application delete ${id}`)
    const { json } = await cli(`audit list --key ${id} --json -o 1`)
    expect(json.events.map(({ action }: { action: string }) => action)).toEqual([
      'application.create',
      'application.update',
      'application.delete',
    ])
  })
})

describe('audit list --key of an application', () => {
  it('shows what was done to its secrets, and what its own key did', async () => {
    const [id, other] = [await make(), await make('Other')]
    await cli(`application key add ${other}`)
    const [, secret = ''] = /secret key +(\S+)/.exec((await cli(`application key add ${id}`)).out)!
    const caller = await world.core.signIn.basic({ key: id, secret })
    const made = await world.core.credentials.create(caller, {
      ...{ name: 'Course', lrsIds: caller.lrsIds, rights: { xapi: { 'statements/read': 'any' }, management: [] } },
    })
    await cli(`application rename ${id} Renamed`)
    await cli(`credential set ${made.credential.id} --name Elsewhere`)
    const { json } = await cli(`audit list --key ${id} --json -o 1`)
    expect(json.events.map(({ action }: { action: string }) => action)).toEqual([
      ...['application.create', 'secret.create', 'credential.create', 'application.update'],
    ])
  })
})

describe('application key', () => {
  it('is named by its name, where no other has it', async () => {
    const id = await make()
    for (const name of ['LMS', 'Twice', 'Twice']) await cli(`application key add ${id} --name ${name}`)
    expect((await cli(`application key disable ${id} LMS`)).out).toMatch(
      /^Key \S+ \(LMS\) of application \w+ is disabled/,
    )
    expect((await cli(`application key delete ${id} LMS`)).out).toMatch(/\(LMS\) of application \w+ is gone/)
    const shows = `claviger application key list ${id} shows their ids`
    await refused(`application key disable ${id} LMS`, 1, `application ${id} has no key LMS; ${shows}`)
    await refused(`application key delete ${id} Twice`, 1, `application ${id} has several keys named Twice; ${shows}`)
  })

  it('add shows a secret once, and does not echo one that was given', async () => {
    const id = await make()
    const made = await cli(`application key add ${id}`)
    const [, secret = ''] = /secret key +(\S+)/.exec(made.out)!
    expect(made.out).toContain('The secret is not shown again.')
    expect((await world.core.signIn.basic({ key: id, secret })).kind).toBe('application')
    const given = 'given-secret-0123456789'
    const { out } = await commandLineOn(world.core)(['application', 'key', 'add', id, '--secret-stdin'], `${given}\n`)
    expect(out).toContain('(as given)')
    expect(out).not.toContain(given)
    await world.core.signIn.basic({ key: id, secret: given })
    const listed = await cli(`application key list ${id}`)
    expect(listed.out.trim().split('\n')).toHaveLength(3)
    expect(listed.out).not.toContain(secret)
    expect((await world.events()).filter(({ detail }) => JSON.stringify(detail).includes(secret))).toEqual([])
  })

  it('disable, enable and delete, the last one with a word of warning', async () => {
    const id = await make()
    const { secret, id: key } = (await cli(`application key add ${id} --json`)).json
    const signIn = () => world.core.signIn.basic({ key: id, secret })
    expect((await cli(`application key disable ${id} ${key}`)).out).toContain('is disabled.')
    await expect(signIn()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect((await cli(`application key enable ${id} ${key} --json`)).json).toMatchObject({ id: key, isEnabled: true })
    await signIn()
    const gone = await cli(`application key delete ${id} ${key}`)
    expect(gone.out).toContain('is gone')
    expect(gone.err).toContain(`warning: nobody uses application ${id} any more`)
    await expect(signIn()).rejects.toMatchObject({ code: 'unauthenticated' })
    await refused(`application key delete ${id} ${key}`, 1, `application ${id} has no key ${key}; claviger application`)
    await refused(`application key add ${id} --expires yesterday`, 2, '--expires')
    await refused(`application key add ${id} --secret short`, 2, '--secret must have at least 8 characters')
  })
})

describe('application-management', () => {
  it('create makes a key that manages applications alone', async () => {
    const { json, err } = await cli('application-management create --json -o 1')
    expect(json).toMatchObject({ kind: 'management', name: 'Application management' })
    expect(err).toContain('warning: whoever has it makes keys for every application')
    const principal = await world.core.signIn.basic({ key: json.key, secret: json.secret })
    await world.core.applications.create(principal, { name: 'by it' })
    const { out } = await cli('application-management create --name Second -o 1')
    expect(out).toMatch(/management id +[A-Z0-9]{10}\n +secret key +\S+/)
    expect(out).toContain('The secret is not shown again.')
    const listed = await cli('application-management list')
    expect(listed.out).toContain('Second')
    expect(listed.out).not.toContain(json.secret)
  })
})

describe('keys of applications', () => {
  it('credential list --application shows those that reach it', async () => {
    const id = await make('With keys')
    const { liveLrsId } = (await cli(`application show ${id} --json`)).json
    await cli(`credential create --name Inside --lrs ${liveLrsId} -o 1`)
    const { out, json } = await cli(`credential list --application ${id} --json`)
    expect(json.map(({ name, kind }: { name: string; kind: string }) => [name, kind])).toEqual([
      ['With keys', 'application'],
      ['Inside', 'client'],
    ])
    expect(out).not.toContain('sealed')
    expect((await cli('lrs list -o 1')).out).toMatch(new RegExp(`${liveLrsId} .* ${id} live +With keys`))
    await refused('credential list --application NONE000000', 1, 'there is no application NONE000000')
  })

  it('credential create and set bind management to one', async () => {
    const id = await make()
    const { liveLrsId, sandboxLrsId } = (await cli(`application show ${id} --json`)).json
    const bound = { kind: 'application', id, lrsIds: [liveLrsId, sandboxLrsId] }
    const made = await cli(`credential create --name Desk --manage credentials:read@application/${id} --json -o 1`)
    expect(made.json.rights.management).toEqual([{ area: 'credentials', actions: ['read'], bound }])
    expect(made.json.may).toContain(`see keys and what they may do, not their secrets, in application ${id}`)
    const set = await cli(`credential set ${made.json.id} --manage settings@application/${id} --json`)
    expect(set.json.rights.management).toHaveLength(2)
    await refused(
      'credential create --name D --manage settings@application/NONE000000 -o 1',
      1,
      'there is no application',
    )
  })
})

describe('a key that signs its requests', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })
  const file = () => {
    const path = join(world.directory, 'public-key.pem')
    writeFileSync(path, rsa)
    return path
  }
  const requests = async (key: string) => /requests +(.*)/.exec((await cli(`credential show ${key}`)).out)?.[1]

  it('is made, shown and changed', async () => {
    const made = await cli('credential create --name Signs --key signs --oauth --json -o 1')
    expect(made.json.oauth).toEqual({})
    expect(await requests('signs')).toBe('are signed with its secret (OAuth 1.0a, HMAC-SHA1)')
    const set = await cli(`credential set signs --oauth-public-key ${file()}`)
    expect(set.out).toMatch(/requests: are signed with its secret .* → are signed with the RSA key SHA256:\S{43} /)
    expect(await requests('signs')).toContain('RSA-SHA1')
    const back = await cli('credential set signs --no-oauth')
    expect(back.out).toContain('→ present its secret')
    expect((await cli('credential set signs --name Other')).out).not.toContain('requests:')
    expect(
      (await cli('credential create --name R --key rsa --json -o 1 --oauth-public-key', file())).json.oauth,
    ).toEqual({
      publicKey: String(rsa).trim(),
    })
  })

  it('can be asked about, and is refused for a key that is none', async () => {
    await cli('credential create --name Asked --key asked --oauth -o 1')
    expect((await cli('ask asked GET /xapi/statements')).out).toContain('Allowed')
    const path = join(world.directory, 'no-key.pem')
    writeFileSync(path, 'no key')
    await refused(`credential set asked --oauth-public-key ${path}`, 2, `--oauth-public-key`)
    await refused('credential set asked --oauth-public-key /nowhere.pem', 2, '--oauth-public-key /nowhere.pem: ENOENT')
  })
})
