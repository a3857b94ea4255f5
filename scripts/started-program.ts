// Starts the built program the way its users do and hands back its address and process. For bench and durability scripts,
// which need what tests do not: a data directory that survives, a tracer around the program, kill -9, its memory and CPU.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')
/** The built program. */
export const entry = path.join(root, 'dist/cli/main.js')
const startTimeoutMs = 60_000

export interface StartOptions {
  /** Kept when given; else a temporary one that `stop` removes. */
  readonly dataDirectory?: string
  readonly env?: Readonly<Record<string, string>>
  /** A command in front of `node`, as `['strace', '-D', …]`. */
  readonly wrap?: readonly string[]
  /** What node gets: options and program; the product unless given. */
  readonly nodeArguments?: readonly string[]
}

export interface StartedProgram {
  readonly url: string
  readonly key: string
  readonly secret: string
  /** Headers of an xAPI request with the first credential. */
  readonly headers: Readonly<Record<string, string>>
  readonly dataDirectory: string
  readonly process: ChildProcess
  /** What it wrote so far. */
  output(): string
  /** Resident memory now, in MiB. */
  residentMiB(): Promise<number>
  /** Processor time so far, all threads, in seconds. */
  cpuSeconds(): Promise<number>
  kill(): Promise<void>
  stop(): Promise<void>
}

export function basic(key: string, secret: string): string {
  return `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
}

export async function startProgram(options: StartOptions = {}): Promise<StartedProgram> {
  const isTemporary = options.dataDirectory === undefined
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(path.join(tmpdir(), 'claviger-')))
  const key = 'measuring'
  const secret = 'measuring-secret-0123456789'
  const command = [...(options.wrap ?? []), process.execPath, ...(options.nodeArguments ?? [entry, 'serve'])]
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      CLAVIGER_PORT: '0',
      CLAVIGER_HOST: '127.0.0.1',
      CLAVIGER_DATA: dataDirectory,
      CLAVIGER_BOOTSTRAP_KEY: key,
      CLAVIGER_BOOTSTRAP_SECRET: secret,
      CLAVIGER_LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-1_000_000))
  child.stderr?.on('data', collect)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`no address after ${startTimeoutMs} ms:\n${output}`))
    }, startTimeoutMs)
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`ended with ${code} before it listened:\n${output}`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      collect(chunk)
      const match = /https?:\/\/127\.0\.0\.1:[1-9]\d*/.exec(output)
      if (match === null) return
      clearTimeout(timer)
      resolve(match[0])
    })
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await closed
  }
  return {
    url,
    key,
    secret,
    headers: { authorization: basic(key, secret), 'x-experience-api-version': '1.0.3' },
    dataDirectory,
    process: child,
    output: () => output,
    residentMiB: () => residentMiB(child.pid ?? 0),
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM')
      if (isTemporary) await rm(dataDirectory, { recursive: true, force: true })
    },
  }
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
