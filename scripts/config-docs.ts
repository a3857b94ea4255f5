// Writes docs/config.md from the schema in src/config.ts; with --check only says whether it is up to date.

import { readFileSync, writeFileSync } from 'node:fs'
import { configDocs } from '../src/config.ts'

const file = new URL('../docs/config.md', import.meta.url)
const wanted = configDocs()

if (process.argv.includes('--check')) {
  const present = read()
  if (present !== wanted) {
    console.error('docs/config.md is not what src/config.ts says: run `npm run docs`')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, wanted)
}

function read(): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
