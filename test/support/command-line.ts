// The command line in this process, on a core of its own: what a command prints, and its exit code.

import { enabledFaces } from '../../src/app.ts'
import type { Opened } from '../../src/cli/context.ts'
import { run } from '../../src/cli/run.ts'
import { loadConfig } from '../../src/config.ts'
import type { Core } from '../../src/core/core.ts'

export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Undefined when it is not JSON. */
  readonly json: any
}

export type CommandLine = (argv: readonly string[], stdin?: string) => Promise<Printed>

/** Only what needs the core works: neither master key nor integrity of a database. */
export function commandLineOn(
  core: Core,
  vendors: Parameters<typeof enabledFaces>[0]['faces'] = {},
  more: Partial<Opened> = {},
): CommandLine {
  const config = loadConfig({ CLAVIGER_DATA: '/nowhere', CLAVIGER_BASE_URL: 'https://lrs.example.org' })
  const faces = enabledFaces({ faces: { watershed: true, ...vendors } })
  const opened = { core, faces, ...more } as unknown as Opened
  return async (argv, stdin) => {
    const printed = { out: '', err: '' }
    const streams = {
      out: (text: string) => void (printed.out += text),
      err: (text: string) => void (printed.err += text),
    }
    const code = await run(argv, { config, streams, stdin, open: () => Promise.resolve(opened) })
    return { code, ...printed, json: parsed(printed.out) }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
