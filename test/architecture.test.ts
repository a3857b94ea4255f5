// The dependency rule and the house rules of structure, on the tree as it is and on planted violations.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { blankComments, checkArchitecture, importsOf, type SourceFile } from './support/architecture.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

function sourceFiles(): SourceFile[] {
  return ['src', 'test', 'scripts', 'bench'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules/'))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  )
}

describe('the tree', () => {
  const files = sourceFiles()

  it('is read at all', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['src/core/storage.ts', 'test/architecture.test.ts']),
    )
  })

  it('keeps every rule', () => {
    const violations = checkArchitecture(files).map((it) => `${it.path}:${it.line} [${it.rule}] ${it.message}`)
    expect(violations).toEqual([])
  })
})

describe('ARCHITECTURE.md', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const layout = /\n## Layout\n[\s\S]*?```\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const named = [...layout.matchAll(/[a-z\d-]+(?:\.test)?\.ts\b/g)].map(([name]) => name)
  const sources = sourceFiles().map(({ path }) => path)

  it('names no file that is gone', () => {
    const names = sources.map((path) => path.split('/').at(-1))
    expect(named.filter((name) => !names.includes(name))).toEqual([])
  })

  it('names every file at the top of core, faces and storage', () => {
    const expected = sources.filter((path) => /^src\/((core|faces|storage)\/)?[^/]+(?<!\.(test|d))\.ts$/.test(path))
    expect(expected.filter((path) => !named.includes(path.split('/').at(-1) ?? ''))).toEqual([])
  })
})

describe('the rules', () => {
  const opening = '// Owns a thing.\n'
  const rulesBroken = (path: string, text: string) =>
    checkArchitecture([{ path, text: opening + text }]).map(({ rule }) => rule)

  const forbidden: [rule: string, path: string, text: string][] = [
    ['import', 'src/core/lrs.ts', "import { app } from '../app.ts'"],
    ['import', 'src/core/lrs.ts', "import { x } from '../faces/face.ts'"],
    ['import', 'src/core/lrs.ts', "import { x } from '../storage/sqlite/index.ts'"],
    ['import', 'src/core/xapi/time.ts', "import type { x } from '../../storage/schema.ts'"],
    ['import', 'src/core/lrs.ts', "import { Hono } from 'hono'"],
    ['import', 'src/core/lrs.ts', "import { readFileSync } from 'node:fs'"],
    ['import', 'src/core/lrs.ts', "const fs = await import('node:fs')"],
    ['import', 'src/core/lrs.ts', "export * from '../config.ts'"],
    ['import', 'src/core/lrs.ts', "import {\n  a,\n  b,\n} from 'kysely'"],
    ['import', 'src/faces/one/index.ts', "import { x } from '../two/wire.ts'"],
    ['import', 'src/faces/one/index.ts', "import { x } from '../../storage/sqlite/index.ts'"],
    ['import', 'src/faces/one/index.ts', "import { x } from '../../app.ts'"],
    ['import', 'src/faces/one/index.ts', "import Database from 'better-sqlite3'"],
    ['import', 'src/faces/http.ts', "import { x } from './one/index.ts'"],
    ['import', 'src/storage/sqlite/index.ts', "import { x } from '../../faces/face.ts'"],
    ['import', 'src/storage/sqlite/index.ts', "import { x } from '../../config.ts'"],
    ['import', 'src/storage/sqlite/index.ts', "new Worker(new URL('../../app.ts', import.meta.url))"],
    ['import', 'src/server.ts', "import { x } from './storage/sqlite/index.ts'"],
    ['import', 'src/cli/main.ts', "import { x } from '../faces/one/index.ts'"],
    ['place', 'src/elsewhere.ts', 'export const x = 1'],
    ['sql', 'src/core/lrs.ts', "const q = 'SELECT id FROM lrs'"],
    ['sql', 'src/core/lrs.ts', 'const q = `\n  SELECT id,\n  name\n  FROM lrs`'],
    ['sql', 'src/faces/one/index.ts', "run('insert into lrs values (1)')"],
    ['sql', 'src/app.ts', "run('PRAGMA journal_mode')"],
    ['vendor-word', 'src/core/lrs.ts', '// as Watershed does'],
    ['vendor-word', 'src/core/lrs.test.ts', "it('SCORM Cloud', () => {})"],
    ['vendor-word', 'src/core/lrs.ts', 'const activityProvider = 1'],
    ['vendor-word', 'src/storage/schema.ts', "const table = 'lrs_account'.replace('_', '') || 'LRS account'"],
    ['vendor-word', 'src/storage/schema.ts', "const name = 'learninglocker'"],
    ['environment', 'src/core/lrs.ts', 'const x = process.env.HOME'],
    ['environment', 'src/app.ts', "const x = process.env['HOME']"],
    ['http', 'src/core/lrs.ts', 'const answer = { status: 200 }'],
    ['http', 'src/core/lrs.ts', 'throw new Failed(404)'],
    ['http', 'src/core/lrs.ts', 'return c.json({})'],
    ['enum', 'src/core/lrs.ts', 'export enum Kind { A }'],
    ['enum', 'src/faces/one/wire.ts', 'const enum Kind { A }'],
    ['default-export', 'src/core/lrs.ts', 'export default class {}'],
    ['default-export', 'src/app.ts', 'export { app as default }'],
    ['file-name', 'src/core/utils.ts', ''],
    ['file-name', 'src/core/date-helpers.ts', ''],
    ['file-name', 'src/faces/one/lrs-service.ts', ''],
    ['file-name', 'src/core/LrsDirectory.ts', ''],
    ['suppression', 'src/core/lrs.ts', '// oxlint-disable-next-line no-console'],
    ['suppression', 'src/core/lrs.ts', '// @ts-expect-error'],
    ['sql', 'src/app.ts', "run('select * from lrs where id = 1')"],
    ['suppression', 'test/x.test.ts', '// @ts-ignore because of reasons'],
  ]
  it.each(forbidden)('%s: refused in %s: %s', (rule, path, text) => {
    expect(rulesBroken(path, text)).toContain(rule)
  })

  it('refuses a file without an opening comment', () => {
    const broken = checkArchitecture([{ path: 'src/core/lrs.ts', text: "import { z } from 'zod'\n" }])
    expect(broken).toEqual([expect.objectContaining({ rule: 'opening-comment', path: 'src/core/lrs.ts', line: 1 })])
  })

  it('names the line', () => {
    const text = "// Owns.\n\nimport { z } from 'zod'\nimport { Hono } from 'hono'\n"
    expect(checkArchitecture([{ path: 'src/core/lrs.ts', text }])).toEqual([expect.objectContaining({ line: 4 })])
  })

  const permitted: [path: string, text: string][] = [
    ['src/core/lrs.ts', "import { createHash } from 'node:crypto'\nimport type { Oid } from './ids.ts'"],
    ['src/core/xapi/time.ts', "import { invalid } from '../errors.ts'"],
    ['src/core/lrs.ts', '// SELECT a FROM b; process.env; status: 404; export default; import x from "hono"'],
    ['src/core/lrs.ts', "const message = 'select what you want from the list' // 404"],
    ['src/core/lrs.ts', "const rule = 'XAPI-00404'\nconst size = 1404"],
    ['src/core/lrs.ts', "const text = `export { x } ${missing} from ', '`\nconst list = parts.join(' taken from ')"],
    ['src/core/lrs.ts', "const flags = ['--import', 'tsx']"],
    ['src/core/lrs.test.ts', "import { openCore } from '../../test/support/core.ts'"],
    [
      'src/faces/watershed/wire.ts',
      "import { x } from './errors.ts'\nimport { y } from '../http.ts'\nconst status = 401",
    ],
    ['src/faces/one/deep/wire.ts', "import { x } from '../errors.ts'\nimport { Hono } from 'hono'"],
    ['src/storage/sqlite/index.ts', "import Database from 'better-sqlite3'\nconst q = 'SELECT id FROM lrs'"],
    ['src/app.ts', "import { x } from './faces/one/index.ts'\nimport { y } from './storage/sqlite/index.ts'"],
    ['src/config.ts', 'const x = process.env.HOME'],
    ['src/core/lrs.ts', '// oxlint-disable-next-line no-eval -- the parser of the grammar needs it'],
    ['src/core/lrs.ts', '// @ts-expect-error the declaration misses the second parameter'],
  ]
  it.each(permitted)('permitted in %s: %s', (path, text) => {
    expect(rulesBroken(path, text)).toEqual([])
  })

  it('is not fooled by quotes and slashes', () => {
    const text = "const a = 'http://x' // gone\nconst b = /\\/\\*'/ /* gone\ngone */\nconst c = `//kept`"
    expect(blankComments(text)).toBe(
      "const a = 'http://x'        \nconst b = /\\/\\*'/        \n       \nconst c = `//kept`",
    )
  })

  it('sees every form of import', () => {
    const code =
      "import 'a'\nimport b from \"b\"\nexport { c } from 'c'\nvoid import('d')\nnew URL('./e.ts', import.meta.url)"
    expect(importsOf(code).map(({ specifier }) => specifier)).toEqual(['a', 'b', 'c', 'd', './e.ts'])
  })
})
