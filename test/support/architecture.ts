// The rules of structure as functions over file texts, so that test/architecture.test.ts can run them on the tree and on
// planted violations alike. What each zone may import is the table `zones`; arrows point inward only.

import { posix } from 'node:path'

export interface SourceFile {
  /** Relative to the root of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

interface Zone {
  readonly name: string
  readonly holds: RegExp
  /** Files of the repository, by path. */
  readonly imports: readonly RegExp[]
  /** Packages and built-ins: exact, or a prefix that ends in `*`. */
  readonly packages: readonly string[]
}

const core = /^src\/core\//
const faceKit = /^src\/faces\/[^/]+\.ts$/
const faceFolder = /^src\/faces\/([^/]+)\//
const importFolder = /^src\/importing\/([^/]+)\//

/** First match wins. A file of src/ that matches none is a violation: every file has a place. */
const zones: readonly Zone[] = [
  {
    name: 'core',
    holds: core,
    imports: [core],
    packages: ['node:crypto', 'zod', 'jose', 'lru-cache', 'rate-limiter-flexible', 'ipaddr.js'],
  },
  {
    name: 'face, what it serves as it is',
    holds: /^src\/faces\/[^/]+\/served-files\.ts$/,
    imports: [],
    packages: ['node:fs'],
  },
  {
    name: 'face',
    holds: faceFolder,
    // Its own folder is added per file in `checkImports`.
    imports: [core, /^src\/faces\/(face|http|load|oauth|page|browser-cookie)\.ts$/],
    packages: ['node:crypto', 'hono', 'hono/*', 'zod', 'fast-xml-parser', '@rgrove/parse-xml', 're2js'],
  },
  {
    name: 'face kit',
    holds: faceKit,
    imports: [core, faceKit],
    packages: [
      'node:buffer',
      'node:crypto',
      'node:http',
      'hono',
      'hono/*',
      '@hono/node-server',
      '@hono/node-server/*',
      'zod',
      'ipaddr.js',
      'oauth-sign',
    ],
  },
  {
    name: 'storage',
    holds: /^src\/storage\//,
    imports: [core, /^src\/storage\//],
    packages: ['node:*', 'better-sqlite3', 'pg', 'kysely', 'lru-cache', '@aws-sdk/client-s3', '@aws-sdk/lib-storage'],
  },
  {
    name: 'outbound',
    holds: /^src\/outbound\//,
    imports: [core, /^src\/outbound\//],
    packages: ['node:*', 'ipaddr.js'],
  },
  // As faces: one folder for a product; of a face only what its words stand for.
  {
    name: 'importing',
    holds: importFolder,
    imports: [
      core,
      /^src\/importing\/[^/]+\.ts$/,
      /^src\/faces\/[^/]+\/(words|settings-catalogue)\.ts$/,
      /^src\/exporting\/(format|sealing)\.ts$/,
    ],
    packages: ['node:*', 'zod', 'bson', 'csv-parse', 'csv-parse/*', 'better-sqlite3', 'pg'],
  },
  {
    name: 'importing, what is shared',
    holds: /^src\/importing\/[^/]+\.ts$/,
    imports: [core, /^src\/importing\/[^/]+\.ts$/],
    packages: ['node:*'],
  },
  { name: 'comparing', holds: /^src\/comparing\//, imports: [core, /^src\/comparing\//], packages: ['node:*'] },
  {
    name: 'exporting',
    holds: /^src\/exporting\//,
    imports: [core, /^src\/exporting\//],
    packages: ['node:*', 'csv-stringify', 'csv-stringify/*'],
  },
  {
    name: 'config',
    holds: /^src\/config\.ts$/,
    imports: [core, /^src\/outbound\/policy\.ts$/],
    packages: ['node:*', 'zod', 'ipaddr.js'],
  },
  {
    name: 'metrics',
    holds: /^src\/metrics\.ts$/,
    imports: [core, /^src\/faces\/load\.ts$/],
    packages: ['prom-client'],
  },
  { name: 'traces', holds: /^src\/traces\.ts$/, imports: [], packages: ['@opentelemetry/api'] },
  {
    name: 'what stands around',
    holds: /^src\/(watched-storage|overload-log|connection-log|pace)\.ts$/,
    imports: [core],
    packages: [],
  },
  { name: 'slow clients', holds: /^src\/slow-clients\.ts$/, imports: [], packages: ['node:http', 'node:net'] },
  // As the composition root, for stores that no app is opened on.
  {
    name: 'copying',
    holds: /^src\/copying\.ts$/,
    imports: [core, /^src\/storage\//, /^src\/(app|config)\.ts$/],
    packages: ['node:*'],
  },
  // The composition root, and the only place where faces and storage meet.
  { name: 'app', holds: /^src\/app\.ts$/, imports: [/^src\//], packages: ['*'] },
  {
    name: 'server',
    holds: /^src\/server\.ts$/,
    imports: [core, /^src\/(app|config|slow-clients)\.ts$/],
    packages: ['node:*', '@hono/node-server', 'pino'],
  },
  {
    name: 'cli',
    holds: /^src\/cli\//,
    imports: [
      core,
      /^src\/cli\//,
      /^src\/(importing|exporting|comparing)\//,
      /^src\/(app|server|config|copying)\.ts$/,
      /^package\.json$/,
    ],
    packages: ['node:*', 'commander', 'zod', 'pino', 'cli-progress', 'csv-parse', 'csv-stringify', 'csv-stringify/*'],
  },
]

const vendorWords = /scorm|rustici|watershed|learning ?locker|itslearning|activity[ -]?provider|\blrs ?account/i
const sql =
  /\bSELECT\b[^;]*?\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\bCREATE\s+(UNIQUE\s+)?(TABLE|INDEX)\b|\bPRAGMA\s|['"`]\s*(select\s[\w*,. ]+\sfrom \w+(\s+(where|order|limit|join)|['"`])|insert into|update \w+ set|delete from)\s/
const http =
  /\bc\.(json|text|body|html)\(|\bnew Response\(|\bstatus(Code)?\s*[:=]\s*[1-5]\d\d\b|(?<![\w.'"-])(401|403|404|405|409|412|413|415|429|503)(?![\w.'"-])/
const vagueName = /(^|[-/])(utils?|helpers?|common|managers?|services?|misc)(?=[-./])/

/** All violations in the given files, in order. */
export function checkArchitecture(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const code = blankComments(file.text)
    return [
      ...checkNames(file),
      ...checkOpening(file),
      ...checkSuppressions(file),
      ...(file.path.startsWith('src/') ? [...checkImports(file.path, code), ...checkWords(file, code)] : []),
    ]
  })
}

function checkNames(file: SourceFile): Violation[] {
  const found: Violation[] = []
  if (!/^[a-z0-9.-]+$/.test(posix.basename(file.path))) {
    found.push(violation(file.path, 1, 'file-name', 'file names are kebab-case'))
  }
  if (vagueName.test(file.path)) {
    found.push(
      violation(file.path, 1, 'file-name', 'a file is named after the noun it owns, not utils, helpers, common …'),
    )
  }
  return found
}

function checkOpening({ path, text }: SourceFile): Violation[] {
  if (!path.startsWith('test/') && isTest(path)) return [] // the file beside it says it
  const opening = text.replace(/^#![^\n]*\n/, '')
  if (/^(\/\/|\/\*)/.test(opening)) return []
  return [violation(path, 1, 'opening-comment', 'a file starts with what it owns and what it must not know')]
}

function checkSuppressions({ path, text }: SourceFile): Violation[] {
  if (path === 'test/architecture.test.ts') return [] // holds planted ones
  const found: Violation[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const comment = /(?:\/\/|\/\*)\s*((?:oxlint|eslint)-disable\S*|@ts-(?:expect-error|ignore|nocheck))(.*)/.exec(line)
    if (!comment) continue
    const [, directive = '', rest = ''] = comment
    if (/^@ts-(ignore|nocheck)/.test(directive)) {
      found.push(
        violation(path, index + 1, 'suppression', `${directive} hides more than it says; use @ts-expect-error`),
      )
    } else if (!(directive.startsWith('@ts') ? /\w{3}.*\w{3}/ : /--\s*\S.*\w{3}/).test(rest)) {
      found.push(violation(path, index + 1, 'suppression', `${directive} needs its reason on the same line`))
    }
  }
  return found
}

function checkImports(path: string, code: string): Violation[] {
  if (isTest(path)) return []
  const zone = zones.find(({ holds }) => holds.test(path))
  if (!zone) return [violation(path, 1, 'place', 'no zone of test/support/architecture.ts holds this file')]
  const ownFolder = (faceFolder.exec(path) ?? importFolder.exec(path))?.[0]
  return importsOf(code).flatMap(({ specifier, line }) => {
    if (specifier.startsWith('.')) {
      const target = posix.join(posix.dirname(path), specifier)
      if (zone.imports.some((allowed) => allowed.test(target))) return []
      if (ownFolder !== undefined && target.startsWith(ownFolder)) return []
      return [violation(path, line, 'import', `${zone.name} must not import ${target}`)]
    }
    if (zone.packages.some((allowed) => matches(allowed, specifier))) return []
    return [violation(path, line, 'import', `${zone.name} must not import ${specifier}`)]
  })
}

/** Also module workers and other files named by `new URL('…', import.meta.url)`. */
export function importsOf(code: string): { specifier: string; line: number }[] {
  const pattern =
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\s]+)\1|^\s*import\s*(['"])(.+?)\3|\bimport\(\s*(['"`])(.+?)\5|\bnew URL\(\s*(['"`])(.+?)\7\s*,\s*import\.meta\.url/gm
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[2] ?? match[4] ?? match[6] ?? match[8] ?? '',
    line: lineAt(code, match.index),
  }))
}

function checkWords({ path, text }: SourceFile, code: string): Violation[] {
  const found: Violation[] = []
  const refuse = (rule: string, pattern: RegExp, where: string, message: string) => {
    const global = new RegExp(pattern.source, `${pattern.flags.replace('g', '')}gm`)
    for (const match of where.matchAll(global)) {
      found.push(violation(path, lineAt(where, match.index), rule, `${message}: ${match[0].trim().slice(0, 60)}`))
    }
  }
  const inCore = core.test(path)
  const inStorage = path.startsWith('src/storage/')
  // Names are knowledge even in comments and tests.
  if (inCore || inStorage) refuse('vendor-word', vendorWords, text, 'a vendor’s word inside core or storage')
  refuse('enum', /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w+/, code, 'string-literal unions, no enums')
  refuse('default-export', /^export default\b|\bas default\b/, code, 'named exports only')
  if (isTest(path)) return found
  // What another store keeps in a database is read there.
  if (!inStorage && !path.startsWith('src/importing/lrsql/')) refuse('sql', sql, code, 'SQL belongs to src/storage')
  if (inCore) refuse('http', http, code, 'the core knows nothing of HTTP')
  if (!/^src\/(config\.ts|cli\/)/.test(path)) {
    refuse('environment', /\bprocess\s*\.\s*env\b/, code, 'only config and the CLI read the environment')
  }
  return found
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

function matches(allowed: string, specifier: string): boolean {
  return allowed.endsWith('*') ? specifier.startsWith(allowed.slice(0, -1)) : specifier === allowed
}

function violation(path: string, line: number, rule: string, message: string): Violation {
  return { path, line, rule, message }
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/**
 * The text with its comments turned into spaces; length and lines stay. Knows strings, templates and regular expressions
 * just well enough not to be fooled by slashes and quotes inside them.
 */
export function blankComments(text: string): string {
  const tokens =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=[(,=:[!&|?{};\n]\s*|\breturn\s+)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*/g
  return text.replace(tokens, (token) => (/^\/[/*]/.test(token) ? token.replace(/[^\n]/g, ' ') : token))
}
