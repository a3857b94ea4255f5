// docs/cmi5.md against the rules: each rule that can be broken has its row, and no row names one that cannot.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

it('names every rule of cmi5 that a request can break, and no other', () => {
  const sections = (path: string, rule: RegExp) => [...read(path).matchAll(rule)].map(([, section]) => section)
  const broken = [
    ...['cmi5/rules', 'cmi5/judge'].flatMap((name) => sections(`src/core/${name}.ts`, /'(\d+(?:\.\d+)+)'/g)),
    ...['launch-gate', 'documents'].flatMap((name) => sections(`src/core/${name}.ts`, /'cmi5\/([\d.]+)'/g)),
  ]
  const named = sections('docs/cmi5.md', /`cmi5\/([\d.]+)`/g)
  expect(broken.length).toBeGreaterThan(20)
  expect([...new Set(named)].toSorted()).toEqual([...new Set(broken)].toSorted())
})
