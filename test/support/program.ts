// The built program, started and spoken to as its users do: `claviger serve` on a free port, and single commands.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The built program. */
export const entry = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const startTimeoutMs = 60_000

export interface ProgramOptions {
  /** On top of a free port, the data directory and little logging. */
  readonly env?: Readonly<Record<string, string>>
  /** Kept when given; else a temporary one that `stop` removes. */
  readonly dataDirectory?: string
  /** What comes before the program's own arguments, as a tracer; node and the built program unless given. */
  readonly launcher?: readonly string[]
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartedProgram {
  readonly url: string
  /** Of the first credential; empty strings on a later start of the same data directory. */
  readonly key: string
  readonly secret: string
  readonly dataDirectory: string
  readonly process: ChildProcess
  output(): { readonly stdout: string; readonly stderr: string }
  /** Runs a command beside it, with the same settings. */
  command(...argv: string[]): Promise<Ended>
  /** SIGTERM, and what came of it. */
  stop(): Promise<Ended>
  /** SIGKILL. The data directory stays. */
  kill(): Promise<Ended>
}

export interface CommandOptions extends ProgramOptions {
  readonly stdin?: string | undefined
}

/** Runs the program to its end. */
export async function runProgram(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const { child, ended } = spawnProgram(argv, options)
  child.stdin?.end(options.stdin ?? '')
  return ended
}

export async function startProgram(options: ProgramOptions = {}): Promise<StartedProgram> {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory()
  const isTemporary = options.dataDirectory === undefined
  const { child, ended, output } = spawnProgram(['serve'], { ...options, dataDirectory })
  const url = await addressOf(child, ended, () => output().stdout)
  const { stdout } = output()
  const remove = (): void => {
    if (isTemporary) rmSync(dataDirectory, { recursive: true, force: true })
  }
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  return {
    url,
    key: options.env?.['CLAVIGER_BOOTSTRAP_KEY'] ?? valueAfter('key', stdout),
    secret: options.env?.['CLAVIGER_BOOTSTRAP_SECRET'] ?? valueAfter('secret', stdout),
    dataDirectory,
    process: child,
    output,
    command: (...argv) => runProgram(argv, { ...options, dataDirectory }),
    stop: () => end('SIGTERM').finally(remove),
    kill: () => end('SIGKILL'),
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'claviger-program-'))
}

function spawnProgram(argv: readonly string[], { env, dataDirectory, launcher }: ProgramOptions) {
  const [command, ...before] = launcher ?? [process.execPath, entry]
  const child = spawn(command ?? process.execPath, [...before, ...argv], {
    // Nothing of the developer's own settings.
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TMPDIR: process.env['TMPDIR'],
      CLAVIGER_PORT: '0',
      CLAVIGER_LOG_LEVEL: 'warn',
      ...(dataDirectory !== undefined && { CLAVIGER_DATA: dataDirectory }),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A program that ends without reading is no failure of the test.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended, output: () => ({ stdout, stderr }) }
}

async function addressOf(child: ChildProcess, ended: Promise<Ended>, stdout: () => string): Promise<string> {
  const failed = ended.then(({ code, signal, stderr }) => {
    throw new Error(`the program ended with ${code ?? signal} before it listened:\n${stdout()}${stderr}`)
  })
  const listening = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`not listening after ${startTimeoutMs} ms:\n${stdout()}`))
    }, startTimeoutMs)
    child.stdout?.on('data', () => {
      // The banner is written at once; its end says that all of it has arrived.
      const url = /listens on (https?:\/\/\S+)\n/.exec(stdout())?.[1]
      if (url === undefined || !stdout().endsWith('\n')) return
      clearTimeout(timer)
      resolve(url)
    })
    ended.finally(() => clearTimeout(timer)).catch(() => undefined)
  })
  failed.catch(() => undefined)
  return Promise.race([listening, failed])
}

function valueAfter(name: string, banner: string): string {
  return new RegExp(`^ {2}${name} +(\\S+)$`, 'm').exec(banner)?.[1] ?? ''
}
