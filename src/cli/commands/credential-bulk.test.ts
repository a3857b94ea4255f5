import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { Printed } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { isLike } from '../credential-selection.ts'

let world: OpenCore
let directory: string
beforeAll(async () => {
  world = await openCore()
  directory = mkdtempSync(join(tmpdir(), 'claviger-bulk-'))
})
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true })
  await world.close()
})

/** Each test in an organisation of its own. */
let organisation = 0
beforeEach(async () => void (organisation = (await world.addOrganisation()).organisationId))

const cli = (line: string, ...more: string[]): Promise<Printed> =>
  commandLineOn(world.core)([...line.split(' '), ...more, '--organisation', String(organisation)])
let files = 0
const fileOf = (text: string | object, ending = typeof text === 'string' ? 'csv' : 'json'): string => {
  const path = join(directory, `${files++}.${ending}`)
  writeFileSync(path, typeof text === 'string' ? text : JSON.stringify(text))
  return path
}
const newFile = (ending: string): string => join(directory, `${files++}.${ending}`)
const list = async (): Promise<any[]> => (await cli('credential list --json')).json
const events = async () => (await world.events(organisation as never)).length
const signIn = (key: string, secret: string) => world.signIn({ key, secret }, organisation as never)

/** Exit code, and nothing written. */
async function refused(line: string, code: number, ...says: string[]): Promise<Printed> {
  const [before, told] = [JSON.stringify(await list()), await events()]
  const printed = await cli(line)
  expect(printed.code).toBe(code)
  for (const text of says) expect(printed.err).toContain(text)
  expect(JSON.stringify(await list())).toBe(before)
  expect(await events()).toBe(told)
  return printed
}

describe('import', () => {
  const secret = 'given-secret-0123456789'

  it('makes every key of a CSV file, with a report for its owner only', async () => {
    const file = fileOf(
      '\uFEFFName,key,secret,preset,rights,lrs,expires,pin-actor,limit-rate,limit-address,enabled\r\n' +
        `"Course, one",one,${secret},,statements/read:mine statements/write,,,,60,192.0.2.0/24 ::1/128,yes\r\n` +
        '\r\n' +
        'Two,two,,read-only,,,2030-01-31,"[""Ann Lee"",""mailto:a@example.org""]",,,no\r\n' +
        'Three,,,,,,never,,,,\r\n',
    )
    const report = newFile('csv')
    const { code, out, err } = await cli(`credential import ${file} --report ${report}`)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('3 keys created')
    expect(out).toContain(report)
    const [one, two, three] = await list()
    expect(one).toMatchObject({
      name: 'Course, one',
      key: 'one',
      rights: { xapi: { 'statements/read': 'mine', 'statements/write': 'any' }, management: [] },
      limits: { ratePerMinute: 60, addresses: ['192.0.2.0/24', '::1/128'] },
    })
    expect(two).toMatchObject({
      isEnabled: false,
      expiresAt: '2030-01-31T00:00:00.000Z',
      pins: { actor: [{ accountName: 'Ann Lee' }, { mbox: 'mailto:a@example.org' }] },
    })
    expect(three).toMatchObject({ name: 'Three', expiresAt: null, rights: { xapi: { 'statements/read': 'mine' } } })
    expect(statSync(report).mode & 0o777).toBe(0o600)
    const rows = parse(readFileSync(report), { columns: true }) as any[]
    expect(rows.map(({ row, name, secret: made }) => [row, name, made.length])).toEqual([
      ['2', 'Course, one', 0],
      ['4', 'Two', 40],
      ['5', 'Three', 40],
    ])
    await signIn('one', secret)
    await signIn(three.key, rows[2].secret)
    expect(readFileSync(report, 'utf8')).not.toContain(secret)
  })

  it('reads JSON, semicolons and tabs, and shows what it made with --json', async () => {
    const item = { name: 'J', rights: ['statements/read'], pins: { activity: 'urn:a' }, limits: { batch: 5 }, lrs: [] }
    const { json } = await cli(`credential import ${fileOf([item, { name: 'K', key: 'k' }])} --json`)
    expect(json).toMatchObject({ done: true, count: 2, credentials: [{ row: 1 }, { row: 2, key: 'k' }] })
    await signIn('k', json.credentials[1].secret)
    expect((await list())[0]).toMatchObject({ pins: { activity: 'urn:a' }, limits: { batch: 5 }, lrsIds: [] })
    for (const mark of [';', '\t']) {
      const file = fileOf(`name${mark}preset\nA, B${mark}xapi\n`)
      expect((await cli(`credential import ${file} --json`)).json.count).toBe(1)
    }
    expect((await list()).map(({ name }) => name)).toEqual(['J', 'K', 'A, B', 'A, B'])
  })

  it('tells of every bad row, with its column, at once, and makes none', async () => {
    await cli('credential create --name Taken --key taken')
    const file = fileOf(
      'name,key,secret,rights,lrs,expires,limit-rate,pins,manage\n' +
        'Good,good,,,,,,,\n' +
        'Reads,a:b,short,statments/read,1x,2001-01-01,zero,{,\n' +
        ',nameless,,,,,,,\n' +
        'Again,good,,,,,,,\n' +
        'Taken,taken,,,,,,,\n' +
        'Elsewhere,,,,1,,,,\n' +
        'Bounds,,,,,,,,credentials@lrs/9999\n' +
        'Pins,,,,,,,"{""actor"":[]}",\n',
    )
    const { err } = await refused(
      `credential import ${file} --json`,
      2,
      'row 3, rights',
      'did you mean statements/read?',
      'row 3, secret',
      'row 3, lrs',
      'row 3, expires',
      'row 3, limit-rate',
      'row 3, pins',
      'row 4, name',
      'row 5, key',
      'row 6, key',
      'row 8, manage',
      'row 9, pins',
    )
    const { failures } = JSON.parse(err).error
    expect(failures.every(({ rule }: any) => rule.startsWith('claviger/'))).toBe(true)
    expect(failures.map(({ pointer }: any) => Number(/\d+/.exec(pointer)![0]))).toEqual(
      failures.map(({ pointer }: any) => Number(/\d+/.exec(pointer)![0])).sort((a: number, b: number) => a - b),
    )
    expect(err).not.toContain('short')
    const words = await refused(`credential import ${file} --dry-run`, 2)
    expect(words.err).toMatch(/error: \d+ things are wrong:\n {2}row 3, /)
  })

  it.each(['', ' --dry-run'])('tells at once what is not to be had on the platform%s', async (option) => {
    const elsewhere = (await world.addOrganisation()).operator
    const given = { rights: { xapi: {}, management: [] }, secret, key: `theirs${option.length}` }
    await world.core.credentials.create(elsewhere, { name: 'Theirs', ...given })
    const rows = `name,lrs,key,secret\nA,,,${secret}\nB,1,,${secret}\nC,777777,,${secret}\nD,,${given.key},${secret}\n`
    const says = ['row 3, lrs', 'no Lrs 1.', 'row 4, lrs', 'no Lrs 777777', 'row 5, secret: Another organisation']
    const { err } = await refused(`credential import ${fileOf(rows)}${option}`, 2, ...says)
    expect(err).toContain('error: 3 things are wrong')
    expect(err).not.toContain(secret)
  })

  it.each([
    ['a column that is none', 'name,sekret\nA,b\n', 'did you mean secret?'],
    ['a column twice', 'name,Name\nA,b\n', 'twice'],
    ['rows of other lengths', 'name,key\nA\n', 'Invalid Record Length'],
    ['a quote that is not closed', 'name,key\n"A,b\n', 'Quote'],
  ])('refuses %s', async (_, text, says) => {
    await refused(`credential import ${fileOf(text)} --json`, 2, says)
  })

  it('refuses files that are none, or hold too much', async () => {
    await refused('credential import /nowhere.csv --json', 2, '/nowhere.csv')
    await refused(`credential import ${fileOf('{', 'json')} --json`, 2, 'JSON')
    await refused(`credential import ${fileOf({ name: 'A' })} --json`, 2, 'array')
    await refused(`credential import ${fileOf(['a'])} --json`, 2, 'item 1')
    await refused(
      `credential import ${fileOf([{ name: 'A' }, { name: 'B', expires: 'x' }])} --json`,
      2,
      'item 2, expires',
    )
    await refused(`credential disable --from-file ${fileOf([{ key: 'nobody' }])}`, 1, 'item 1: no key is "nobody"')
    await refused(`credential import ${fileOf(`name\n${'A\n'.repeat(10_001)}`)} --json`, 2, '10000')
  })

  it('needs a place for the secrets it makes, which is not there yet', async () => {
    const file = fileOf('name\nA\n')
    await refused(`credential import ${file}`, 2, '--report')
    const there = fileOf('mine')
    await refused(`credential import ${file} --report ${there}`, 2, 'exists already')
    expect(readFileSync(there, 'utf8')).toBe('mine')
    const report = newFile('json')
    await refused(`credential import ${fileOf('name,lrs\nA,1\n')} --report ${report}`, 2)
    expect(existsSync(report)).toBe(false)
    expect((await cli(`credential import ${fileOf(`name,secret\nA,${secret}\n`)}`)).code).toBe(0)
  })

  it('checks with --dry-run what it would do, without a trace', async () => {
    const { out } = await refused(`credential import ${fileOf('name\nA\nB\n')} --dry-run`, 0)
    expect(out).toContain('2 keys would be created')
  })
})

describe('export', () => {
  it('is what import makes the same keys of again', async () => {
    const rows = [
      { name: "=cmd|' /C calc'!A0", key: '-k', 'pin-actor': ['Ann Lee', 'bob@https://home.page'] },
      { name: "'=odd", rights: ['statements/read:mine'], manage: ['credentials:read,write', 'data'], within: true },
      { name: 'Nothing', preset: 'none', lrs: [] },
      { name: 'Signs', oauth: {}, authority: { mbox: 'mailto:a@example.org' }, enabled: false },
      { name: 'Manages', preset: 'applications', kind: 'management' },
      { name: 'Ends', expires: '2031-02-03T04:05:06.000Z', 'limit-origin': ['https://a.example'], preset: 'global' },
    ]
    expect((await cli(`credential import ${fileOf(rows)} --json`)).err).toBe('')
    const before = await list()
    for (const ending of ['csv', 'json']) {
      const out = newFile(ending)
      const printed = await cli(`credential export --with-secrets --out ${out}`)
      expect(printed.err).toContain('in clear')
      expect(statSync(out).mode & 0o777).toBe(0o600)
      const text = readFileSync(out, 'utf8')
      if (ending === 'csv') expect(text).toContain("'=cmd|")
      expect((await cli('credential revoke --all --yes')).code).toBe(0)
      expect(await list()).toEqual([])
      // Identifiers are never given again, so they are left out here.
      const all = (ending === 'json' ? JSON.parse(text) : parse(text, { columns: true })) as any[]
      const again = all.map(({ id: _id, oid: _oid, ...row }) => row)
      const file = ending === 'json' ? fileOf(again) : fileOf(csvText(again))
      const made = await cli(`credential import ${file} --json`)
      expect([made.err, made.code]).toEqual(['', 0])
      const plain = ({ id: _id, oid: _oid, createdAt: _c, updatedAt: _u, secrets: _s, ...rest }: any) => rest
      expect((await list()).map(plain)).toEqual(before.map(plain))
    }
    expect((await world.events(organisation as never)).map(({ action }) => action)).toContain('credential.take-along')
  })

  it('shows no secret unless asked, and then only in a file', async () => {
    const { json } = await cli(`credential import ${fileOf('name\nA\n')} --json`)
    const printed = [await cli('credential export'), await cli('credential export --json')]
    for (const { out } of printed) {
      expect(out).toContain('A')
      expect(out).not.toContain(json.credentials[0].secret)
    }
    await refused('credential export --with-secrets', 2, '--out')
    expect((await cli('credential export --name-like B --json')).json).toEqual([])
  })
})

function csvText(rows: readonly Record<string, string>[]): string {
  const names = Object.keys(rows[0]!)
  const quoted = (cell = ''): string => `"${cell.replaceAll('"', '""')}"`
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))]
    .map((row) => row.map(quoted).join(','))
    .join('\n')
}

describe('many at once', () => {
  const three = async () => {
    const { json } = await cli(
      `credential import ${fileOf('name,key,preset\nA,a,xapi\nB,b,read-only\nC,c,xapi\n')} --json`,
    )
    return json.credentials as { readonly id: number; readonly key: string; readonly secret: string }[]
  }
  const states = async () => (await list()).map(({ isEnabled }) => isEnabled)

  it('shows first, does it with --yes, and leaves those alone that are so already', async () => {
    const [a] = await three()
    const { out } = await refused('credential disable --preset xapi', 0)
    expect(out).toContain('2 keys of organisation')
    expect(out).toContain('add --yes')
    const done = await cli('credential disable --preset xapi --yes --json')
    expect(done.json).toMatchObject({
      done: true,
      count: 2,
      unchanged: 0,
      credentials: [{ key: 'a', state: 'disabled' }, { key: 'c' }],
    })
    expect(await states()).toEqual([false, true, false])
    await expect(signIn(a!.key, a!.secret)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect((await cli('credential disable --all --yes --json')).json).toMatchObject({ count: 1, unchanged: 2 })
    expect((await cli('credential enable --all --yes --json')).json).toMatchObject({ count: 3, unchanged: 0 })
    await signIn(a!.key, a!.secret)
  })

  it('takes a file: CSV, JSON, or one a line', async () => {
    const [a, b, c] = await three()
    const named = [
      fileOf(`id,key\n${a!.id},\n,c\n`),
      fileOf([{ id: a!.id }, { key: 'c' }]),
      fileOf(`a\n\n#${c!.id}\n`, 'txt'),
      fileOf(`id:${a!.id}\nkey:c\n`, 'txt'),
    ]
    for (const file of named) {
      const { json } = await cli(`credential disable --from-file ${file} --json`)
      expect(json.credentials.map(({ key }: any) => key)).toEqual(['a', 'c'])
    }
    await cli(`credential create --name D --key ${b!.id}`)
    await refused(`credential disable --from-file ${fileOf(`a\nnobody\n${b!.id}\n`, 'txt')} --yes`, 1, 'row 2', 'row 3')
    await refused(`credential disable --from-file ${fileOf('name\nA\n')} --yes`, 2, 'neither id nor key')
  })

  it('filters by Lrs, name, age, end and use', async () => {
    const lrs = (await cli('lrs create Second --json')).json
    const rows = [
      { name: 'Kiosk one', key: 'old', expires: '2026-02-01' },
      { name: 'KIOSK two', key: 'here', lrs: [lrs.id] },
    ]
    const made = (await cli(`credential import ${fileOf(rows)} --json`)).json.credentials
    world.clock.pass(100 * 86_400_000)
    await cli('credential create --name Young --key young')
    const used = await signIn('here', made[1].secret)
    world.core.usage.count(used)
    const keys = async (filter: string) =>
      (await cli(`credential disable --json ${filter}`)).json.credentials.map(({ key }: any) => key)
    expect(await keys(`--lrs ${lrs.id}`)).toEqual(['here'])
    expect(await keys('--name-like kiosk')).toEqual(['old', 'here'])
    expect(await keys('--name-like *two')).toEqual(['here'])
    expect(await keys('--created-before 90d')).toEqual(['old', 'here'])
    expect(await keys('--expires-before 2026-03-01')).toEqual(['old'])
    expect(await keys('--unused-since 90d')).toEqual(['old'])
    expect(await keys('--unused-since 90d --name-like two')).toEqual([])
    expect(await keys('--with-preset isolated --in-lrs ' + lrs.id)).toEqual(['here'])
    await refused('credential disable --unused-since soon', 2, '--unused-since')
    await refused('credential disable --created-before 2026-13-45', 2, '--created-before')
  })

  it('takes a key that came lately for no unused one, however old it is', async () => {
    const operator = world.core.signIn.operator(organisation as never, 'import')
    const now = world.clock.now()
    const year = 365 * 86_400_000
    const rights = { xapi: {}, management: [] }
    const old = { rights, createdAt: now - 7 * year, updatedAt: now - 7 * year }
    await world.core.credentials.create(operator, { name: 'Moved in', key: 'moved', ...old })
    const keys = async (command: string) => (await cli(`credential ${command}`)).json.map(({ key }: any) => key)
    expect(await keys('export --json --created-before 90d')).toEqual(['moved'])
    expect(await keys('export --json --unused-since 90d')).toEqual([])
    world.clock.pass(91 * 86_400_000)
    expect(await keys('export --json --unused-since 90d')).toEqual(['moved'])
  })

  it('rotates, with the secrets in a report', async () => {
    const before = await three()
    await refused('credential rotate --all --yes', 2, '--report')
    await refused('credential rotate --all --yes --secret 0123456789012345678901', 2, 'share')
    const report = newFile('json')
    const { out } = await cli(`credential rotate --all --overlap 1h --yes --report ${report}`)
    const rows = JSON.parse(readFileSync(report, 'utf8')) as any[]
    expect(rows).toHaveLength(3)
    for (const [at, { key, secret }] of rows.entries()) {
      await signIn(key, secret)
      await signIn(key, before[at]!.secret)
      expect(out).not.toContain(secret)
    }
    expect((await cli('credential rotate --name-like A --yes --json')).json.credentials[0].secret).toMatch(
      /^[0-9a-f]{40}$/,
    )
  })

  it('re-scopes: shows what changes of which, and changes those only', async () => {
    await three()
    const preview = await refused('credential re-scope --with-preset xapi --preset read-only', 0)
    expect(preview.out).toMatch(/A +a +active +.*statements\/write: any → no/)
    const { json } = await cli('credential set --all --preset read-only --limit-rate 5 --yes --json')
    expect(json).toMatchObject({ count: 3, credentials: [{}, { change: expect.stringContaining('now only') }, {}] })
    expect(
      (await list()).every(({ rights, limits }) => !rights.xapi['statements/write'] && limits.ratePerMinute === 5),
    ).toBe(true)
    expect((await cli('credential set --all --preset read-only --yes --json')).json).toMatchObject({
      count: 0,
      unchanged: 3,
    })
    await refused('credential set --all --name X --yes', 2, '--name')
    await refused('credential set --all --yes', 2, 'say what to change')
  })

  it('deletes, but never the own key of an application', async () => {
    await three()
    const { json } = await cli('application create Shop --json')
    expect((await cli('credential delete --all --yes --json')).json.count).toBe(3)
    expect((await list()).map(({ kind }) => kind)).toEqual(['application'])
    const file = fileOf(`key\n${json.id}\n`)
    await refused(`credential delete --from-file ${file} --yes`, 2, 'application')
  })

  it('takes one key or many, not both, nor neither', async () => {
    await three()
    await refused('credential disable a --all', 2, 'not both')
    await refused('credential disable', 2, '--all')
    await refused('credential disable --all --name-like a', 2, 'exclude')
    await refused('credential revoke --yes', 2, 'name a key')
    await refused('credential rotate a --report /nowhere/x.csv', 2, '--report')
  })
})

it.each([
  ['Kiosk 1', 'kiosk', true],
  ['My Kiosk', 'kiosk*', false],
  ['Kiosk 1', 'k*o*1', true],
  ['aba', 'ab*ba', false],
  ['anything', '*', true],
  ['a'.repeat(50_000), `${'*a'.repeat(5_000)}b`, false],
])('a name like it', (name, pattern, is) => {
  expect(isLike(name, pattern)).toBe(is)
})
