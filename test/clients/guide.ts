// The scripts of docs/guides/clients.md, for an account instead of the words that stand for one.

import { readFileSync } from 'node:fs'
import type { ClientAccount } from './client.ts'

const guide = readFileSync(new URL('../../docs/guides/clients.md', import.meta.url), 'utf8')

/** Of a page, what its own script element holds. */
export function scriptOf(library: string, { endpoint, key, secret }: ClientAccount): string {
  const section = guide.split(/^## /m).find((text) => text.startsWith(`${library}\n`)) ?? ''
  const [, block = ''] = /```(?:js|html)\n([\s\S]*?)```/.exec(section) ?? []
  const [, script = block] = /<script>\n([\s\S]*?)<\/script>/.exec(block) ?? []
  if (script === '') throw new Error(`the guide has no script for ${library}`)
  return script
    .replace('https://lrs.example.org/xapi/', endpoint)
    .replace("'KEY'", `'${key}'`)
    .replace("'SECRET'", `'${secret}'`)
}
