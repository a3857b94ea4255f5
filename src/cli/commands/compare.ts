// claviger compare: replays recorded requests against the old store and this one, and explains every difference.

import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import type { Command } from 'commander'
import { compareStores } from '../../comparing/compare.ts'
import type { Comparison } from '../../comparing/compare.ts'
import { Recorder } from '../../comparing/recording.ts'
import type { Recording } from '../../comparing/recording.ts'
import type { Outbound } from '../../core/outbound.ts'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber } from '../credential-options.ts'
import { counted, exitCodes, oneLine, UsageError } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import type { Act } from '../run.ts'

interface CompareOptions extends GlobalOptions {
  readonly left: string
  readonly right: string
  readonly key?: string
  readonly secret?: string
  readonly leftKey?: string
  readonly leftSecret?: string
  readonly rightKey?: string
  readonly rightSecret?: string
  readonly passwordStdin?: boolean
  readonly requests: string
  readonly concurrency: string
  readonly rate: string
  readonly pages: string
  readonly xapiVersion: string
}

const longestLine = 64 * 1024
const mostBytes = { har: 16 * 1024 * 1024, lines: 1024 * 1024 * 1024 }

export function addCompare(program: Command, context: CommandContext, act: Act): void {
  const compare = program
    .command('compare')
    .description('replay recorded GETs against two stores and explain every difference; writes to neither')
    .requiredOption('--left <url>', 'xAPI of the old store, such as https://old.example.org/data/xAPI')
    .requiredOption('--right <url>', 'xAPI of the new one')
    .requiredOption('--requests <file>', 'paths or URLs, JSON lines, an access log, or FILE.har')
    .option('--key <key>', 'the key on both sides')
    .option('--secret <secret>', 'its secret (others on this machine may see it in the process list)')
    .option('--left-key <key>', 'the key on the left')
    .option('--left-secret <secret>', 'its secret')
    .option('--right-key <key>', 'the key on the right')
    .option('--right-secret <secret>', 'its secret')
    .option(
      '--password-stdin',
      'read the secrets from standard input: one line for both, or the left one and the right one',
    )
    .option('--concurrency <number>', 'requests at a time', '4')
    .option('--rate <number>', 'requests a second to each side at most', '50')
    .option('--pages <number>', 'pages of one list that are read at most', '5')
    .option('--xapi-version <version>', 'where a recorded request names none', '1.0.3')
    .addHelpText('after', compareHelp)
  act<CompareOptions>(compare, async (options) => {
    const secrets = secretsOf(options, context)
    const limits = {
      concurrency: parseNumber(options.concurrency, '--concurrency', 1, 32),
      rate: parseNumber(options.rate, '--rate', 1, 10_000),
      pages: parseNumber(options.pages, '--pages', 1, 1_000),
    }
    if (!/^\d{1,2}(\.\d{1,2}){1,2}$/.test(options.xapiVersion)) {
      throw new UsageError(`--xapi-version must be such as 1.0.3, not ${options.xapiVersion}`)
    }
    const { outbound } = context.remote?.() ?? (await context.open()).remote
    const [left, right] = [endpointOf(options.left, '--left', outbound), endpointOf(options.right, '--right', outbound)]
    const recording = await readRecording(options.requests, context.directory)
    if (recording.requests.length === 0) {
      throw new UsageError(`--requests ${options.requests}: there is no GET of xAPI in it${leftOutWords(recording)}`)
    }
    const common = { version: options.xapiVersion, rate: limits.rate }
    const comparison = await compareStores(recording.requests, {
      ...{ outbound, concurrency: limits.concurrency, pages: limits.pages },
      left: { endpoint: left, ...secrets.left, ...common },
      right: { endpoint: right, ...secrets.right, ...common },
      signal: context.untilStopped?.() ?? new AbortController().signal,
    })
    return reported(comparison, recording, { left, right })
  })
}

interface Login {
  readonly key: string
  readonly secret: string
}

function secretsOf(
  options: CompareOptions,
  { stdin = '' }: CommandContext,
): { readonly left: Login; readonly right: Login } {
  const [first, second = first] = options.passwordStdin === true ? stdin.replace(/\r?\n$/, '').split(/\r?\n/) : []
  const side = (name: 'left' | 'right', given: string | undefined): Login => {
    const key = options[`${name}Key`] ?? options.key
    const secret = options[`${name}Secret`] ?? options.secret ?? given
    if (key === undefined) throw new UsageError(`give the key of the ${name} side: --${name}-key, or --key for both`)
    if (secret === undefined || secret === '') {
      throw new UsageError(
        `give the secret of the ${name} side: --password-stdin, --${name}-secret, or --secret for both`,
      )
    }
    if (key.includes(':')) throw new UsageError(`--${name}-key: a key holds no colon`)
    return { key, secret }
  }
  return { left: side('left', first), right: side('right', second) }
}

function endpointOf(url: string, what: string, outbound: Outbound): string {
  const problem = outbound.problemWith(url)
  if (problem !== undefined) throw new UsageError(`${what}: nobody is asked at this address: ${problem}`)
  const { origin, pathname, search } = new URL(url)
  if (search !== '') throw new UsageError(`${what}: the address has a query; give it without one`)
  return origin + pathname.replace(/\/+$/, '').replace(/\/statements$/, '')
}

async function readRecording(file: string, directory: string | undefined): Promise<Recording> {
  const path = resolve(directory ?? '.', file)
  const isHar = extname(path).toLowerCase() === '.har'
  const recorder = new Recorder()
  try {
    const { size } = await stat(path)
    const most = isHar ? mostBytes.har : mostBytes.lines
    if (size > most) throw new Error(`it has ${size} bytes, at most ${most} are read`)
    if (isHar) {
      const text = await readFile(path, 'utf8')
      if (!recorder.takeHar(JSON.parse(text.replace(/^\uFEFF/, '')))) throw new Error('it is no HAR file')
    } else {
      for await (const line of linesOf(path)) recorder.takeLine(line)
    }
  } catch (error) {
    throw new UsageError(`--requests ${file}: ${(error as Error).message}`)
  }
  return recorder.recording
}

/** What is longer than any request is cut off and told as none. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = (lines.pop() ?? '').slice(0, longestLine)
    yield* lines
  }
  if (rest !== '') yield rest
}

function reported(
  comparison: Comparison,
  recording: Recording,
  endpoints: { readonly left: string; readonly right: string },
): Outcome {
  const { compared, equal, differing, answered, groups } = comparison
  const recorded = recording.requests.reduce((sum, { times }) => sum + times, 0)
  const head =
    `${counted(compared, 'different request')} (${recorded} recorded) asked of both: ` +
    `${equal} answered alike, ${differing} not.${refusedWords(comparison)}${leftOutWords(recording)}`
  const paragraphs = groups.map(({ what, matters, requests, examples }) => {
    const lines = examples.map(({ request, detail }) => {
      return `    ${oneLine(request)}${detail === undefined ? '' : `\n      ${oneLine(detail)}`}`
    })
    return `  ${matters ? 'DIFFERS' : 'harmless'}: ${oneLine(what)}: ${counted(requests, 'request')}\n${lines.join('\n')}`
  })
  return {
    json: { ...endpoints, recorded, ...comparison, leftOut: recording.leftOut },
    text: [head, ...paragraphs].join('\n\n'),
    warnings: doubtsOf(comparison),
    exit: differing > 0 || answered === 0 ? exitCodes.failed : exitCodes.ok,
  }
}

function refusedWords({ refused }: Comparison): string {
  const each = Object.entries(refused).map(([status, count]) => `${count} with ${status}`)
  return each.length === 0 ? '' : ` Refused on both sides alike: ${each.join(', ')}.`
}

/** Where at least one in so many was refused, it is told: a wrong secret is refused on both sides alike. */
const refusedOneIn = 10

function doubtsOf({ compared, answered, refused }: Comparison): readonly string[] {
  const count = Object.values(refused).reduce((sum, some) => sum + some, 0)
  const hint = refused['401'] === undefined ? '' : ' 401: are key and secret right?'
  if (answered === 0) {
    return [
      `no request was answered with content on both sides (About does not count), so nothing was compared.${hint}`,
    ]
  }
  if (count * refusedOneIn < compared) return []
  return [`${count} of ${compared} requests were refused on both sides, and of those nothing was compared.${hint}`]
}

function leftOutWords({ leftOut }: Recording): string {
  const reasons = Object.entries(leftOut).map(([why, count]) => `${count} (${why})`)
  return reasons.length === 0 ? '' : ` Left out: ${reasons.join(', ')}.`
}

const compareHelp = `
Exit codes: 0 no difference that matters, 1 there is one, or no request but About was answered with content. It runs
where it is typed, by the settings there. docs/guides/cut-over.md explains the words.

Examples:
  $ printf '%s\\n' "$OLD_SECRET" "$NEW_SECRET" | claviger compare --left https://old.example.org/data/xAPI \\
      --right https://new.example.org/xapi --key reports --requests access.log --password-stdin
  $ claviger compare --left … --right … --key reports --secret … --requests session.har --json > report.json
`
