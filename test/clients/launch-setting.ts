// A started program with a platform registered in it and content for it, as an operator makes them, and what the learners of that
// platform are launched with.

import { randomInt } from 'node:crypto'
import { expect } from 'vitest'
import { type LaunchParameters, launchOf, signedAddress } from '../support/itslearning-signer.ts'
import { type ProgramOptions, startProgram, type StartedProgram } from '../support/program.ts'
import type { Json } from './client.ts'

export const homePage = 'https://campus.example.org/14'

export interface LaunchSetting {
  readonly program: StartedProgram
  /** Registers content; its id. */
  content(name: string, ...options: readonly string[]): Promise<string>
  /** A command of the program, which must succeed; what it printed as JSON. */
  run<T>(...argv: readonly string[]): Promise<T>
  /** An address that the platform sends somebody's browser to. */
  address(page: 'add' | 'view' | 'delete', parameters: LaunchParameters): string
  /** The statements about a registration, newest first, as the operator reads them. */
  statements(registration: string): Promise<readonly Json[]>
}

/** A use of content at the platform, and somebody in it. */
export function person(change: LaunchParameters = {}): LaunchParameters {
  return { LearningObjectInstanceId: String(randomInt(1, 2 ** 31)), UserId: String(randomInt(1, 2 ** 31)), ...change }
}

export async function startLaunchSetting(options: ProgramOptions = {}): Promise<LaunchSetting> {
  const program = await startProgram(options)
  const run = async <T>(...argv: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await program.command(...argv, '--json')
    expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: '' })
    return JSON.parse(stdout) as T
  }
  const settings = ['--customers', '14', '--home-page', homePage]
  const { secret } = await run<{ secret: string }>('platform', 'create', 'itslearning', 'campus', ...settings)
  const authorization = `Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}`
  return {
    program,
    run,
    content: async (name, ...options) => (await run<{ id: string }>('content', 'create', name, ...options)).id,
    address: (page, parameters) =>
      signedAddress(`${program.url}/launch/itslearning/campus/${page}`, launchOf(parameters), secret),
    statements: async (registration) => {
      const response = await fetch(`${program.url}/xapi/statements?registration=${registration}`, {
        headers: { authorization, 'x-experience-api-version': '1.0.3' },
      })
      return ((await response.json()) as { statements: Json[] }).statements
    },
  }
}
