// The started program as bench and durability scripts need it: a known first key, its headers, its memory and CPU.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type ProgramOptions, startProgram as start, type StartedProgram as Started } from '../test/support/program.ts'

export { entry } from '../test/support/program.ts'
export const root = path.resolve(import.meta.dirname, '..')

export interface StartedProgram extends Started {
  /** Headers of an xAPI request with the first credential. */
  readonly headers: Readonly<Record<string, string>>
  /** Resident memory now, in MiB. */
  residentMiB(): Promise<number>
  /** Processor time so far, all threads, in seconds. */
  cpuSeconds(): Promise<number>
}

export async function startProgram(options: ProgramOptions = {}): Promise<StartedProgram> {
  const key = 'measuring'
  const secret = 'measuring-secret-0123456789'
  const env = { CLAVIGER_BOOTSTRAP_KEY: key, CLAVIGER_BOOTSTRAP_SECRET: secret, ...options.env }
  const program = await start({ ...options, env })
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const pid = program.process.pid ?? 0
  return {
    ...program,
    headers: { authorization, 'x-experience-api-version': '1.0.3' },
    residentMiB: () => residentMiB(pid),
    cpuSeconds: () => cpuSeconds(pid),
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
