// claviger export and import claviger as they are typed: what may be given together, what is said, where it goes.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLineOn } from '../../../test/support/command-line.ts'
import type { CommandLine } from '../../../test/support/command-line.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'

const root = mkdtempSync(join(tmpdir(), 'claviger-export-'))
const passphrase = join(root, 'passphrase')
let [from, to]: OpenCore[] = []
let [type, elsewhere]: CommandLine[] = []

beforeAll(async () => {
  writeFileSync(passphrase, 'a passphrase of several words\n')
  from = await openCore()
  to = await openCore()
  type = commandLineOn(from.core)
  elsewhere = commandLineOn(to.core)
  await from.issue('xapi', { name: 'One' })
  await from.addOrganisation('Second')
})
afterAll(async () => {
  await from!.close()
  await to!.close()
  rmSync(root, { recursive: true })
})

const ids = (): readonly string[] =>
  JSON.parse(readFileSync(`${root}/all/manifest.json`, 'utf8')).organisations.map(({ id }: { id: number }) =>
    String(id),
  )
const typed = (line: string, stdin?: string) => type!(line.split(' '), stdin)

describe('claviger export', () => {
  it.each([
    [`export --to ${root}/a --passphrase-stdin --passphrase-file ${passphrase}`, 'two ways for one passphrase'],
    [`export --to ${root}/a --since yesterday`, '--since takes a time such as'],
    [`export --to ${root}/a --lrs one`, '--lrs takes an id'],
    [`export --to ${root}/a --lrs 999`, 'there is no Lrs 999'],
    [`export --to ${root}/a -o 999`, 'there is no organisation 999'],
    [`export --to ${root}/a --passphrase-file ${root}/none`, 'cannot be read'],
    ['export', '--to'],
  ])('says what is wrong with %s', async (line, message) => {
    const { code, err, out } = await typed(line)
    expect(code).not.toBe(0)
    expect(err).toContain(message)
    expect(out).toBe('')
  })

  it('says that a passphrase on standard input is empty', async () => {
    expect((await typed(`export --to ${root}/a --passphrase-stdin`, '\n')).err).toContain('the passphrase is empty')
  })

  it('tells what it took, and that secrets were left out', async () => {
    const { code, out } = await typed(`export --to ${root}/open -o ${from!.organisationId}`)
    expect(code).toBe(0)
    expect(out).toMatch(/1 organisation, 1 Lrs, 1 key, 0 applications, 0 pipes, 0 statements, 0 documents/)
    expect(out).toContain('Secrets, settings, callbacks and the passwords of pipes were left out')
  })

  it('takes every organisation, sealed for a passphrase', async () => {
    const line = `export --to ${root}/all --passphrase-stdin --json`
    const { code, json } = await typed(line, 'a passphrase of several words\n')
    expect(code).toBe(0)
    expect(json.organisations.map(({ name }: { name: string }) => name)).toEqual(['First', 'Second'])
    expect(json).toEqual({ to: `${root}/all`, ...JSON.parse(readFileSync(`${root}/all/manifest.json`, 'utf8')) })
  })
})

describe('claviger import claviger', () => {
  it('says what is taken, and writes nothing', async () => {
    const { code, err } = await elsewhere!(['import', 'claviger', `${root}/all`, '--passphrase-file', passphrase])
    expect(code).toBe(1)
    expect(err).toContain('Nothing was imported: what the export brings is taken here.')
    expect((await to!.core.organisations.list({ operator: 'test' }, { offset: 0, limit: 9 })).total).toBe(1)
  })

  it('asks for the passphrase, unless keys come without secrets', async () => {
    const { code, err } = await type!(['import', 'claviger', `${root}/all`])
    expect(code).not.toBe(0)
    expect(err).toContain('--passphrase-stdin or --passphrase-file')
    const into = ids().flatMap((id) => ['--into-existing', id])
    const dry = await type!(['import', 'claviger', `${root}/all`, '--without-secrets', '--dry-run', ...into])
    expect(dry.code).toBe(0)
    expect(dry.err).toContain('Keys are without their secrets')
  })

  it('goes into organisations that are here only where that is said, and says so', async () => {
    const line = `import claviger ${root}/all --passphrase-file ${passphrase} --json --rejects ${root}/rejects`
    const [first, second] = ids()
    for (const more of ['', ' --dry-run', ` --into-existing ${first}`]) {
      const { code, err } = await typed(`${line}${more}`)
      expect(code).toBe(1)
      expect(err).toMatch(new RegExp(`${second} “Second” \\(oid [0-9a-f]{24}\\).*--into-existing ${second}`))
      expect(err.includes('“First”')).toBe(!more.includes('into'))
    }
    expect((await typed(`${line} --into-existing x`)).err).toContain('--into-existing must be a whole number')
    const { code, json } = await typed(`${line} --into-existing ${first} --into-existing ${second}`)
    expect(code).toBe(0)
    expect(json.existing.map(({ name, keys }: { name: string; keys: number }) => [name, keys])).toEqual([
      ['First', 0],
      ['Second', 0],
    ])
    const again = await typed(line.replace(' --json', ''))
    expect(again.code).toBe(0)
    expect(again.out).toMatch(/organisation here before +name +oid +keys added\n\d+ +First +[0-9a-f]{24} +0\n/)
    expect(json.kinds).toMatchObject({
      organisations: { there: 2, stored: 0 },
      lrs: { there: 2, stored: 0 },
      clients: { there: 1, stored: 0 },
    })
  })
})
