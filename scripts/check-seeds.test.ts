// The ledger's checker on planted mistakes; the ledger itself is checked by `npm run check`.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkProofs, checkSeeds } from './check-seeds.ts'

const seeds = readFileSync(new URL('../docs/seeds.md', import.meta.url), 'utf8')
const deviations = readFileSync(new URL('../docs/deviations.md', import.meta.url), 'utf8')
const tests: Record<string, string> = {
  'src/one.test.ts':
    "it('S4.2 is made by hand', () => {})\nit.each([1])('S4.3 of %s', () => {})\n// 'S4.4 only in a comment'",
}

/** The real ledger, every state planned so that other files do not matter, with one row's state replaced. */
function problemsWith(id?: string, state = ''): string[] {
  const calm = seeds.replace(/^(\| S\d\.\d+ \|.*\|) done.*\|$/gm, '$1 planned: Foundation |')
  const changed = id === undefined ? calm : calm.replace(rowOf(id), (row) => row.replace(/[^|]*\|$/, ` ${state} |`))
  return checkSeeds({ seeds: changed, deviations, read: (path) => tests[path] })
}

function rowOf(id: string): RegExp {
  return new RegExp(`^\\| ${id.replace('.', '\\.')} \\|.*\\|$`, 'm')
}

describe('the ledger’s checker', () => {
  it('finds nothing wrong with the ledger as it is', () => {
    expect(problemsWith()).toEqual([])
  })

  it.each([
    ['done', 'done, but names no test (`file.test.ts` › title)'],
    ['done `src/none.test.ts` › S4.2 x', 'there is no src/none.test.ts'],
    ['done `src/one.test.ts` › S4.2 is made', 'src/one.test.ts has no test titled “S4.2 is made”'],
    ['done `src/one.test.ts` › S4.4 only in a comment', 'src/one.test.ts has no test titled “S4.4 only in a comment”'],
    ['planned: some day', 'planned for no known milestone: some day'],
    ['planned:', 'planned for no known milestone: '],
    ['refused:', 'refused without a reason'],
    ['almost', 'no state: almost'],
    ['', 'no state: (empty)'],
  ])('refuses the state “%s”', (state, problem) => {
    expect(problemsWith('S4.2', state)).toEqual([`S4.2: ${problem}`])
  })

  it.each([
    'done `src/one.test.ts` › S4.2 is made by hand',
    'done `src/one.test.ts` › S4.2 is made by hand<br>`src/one.test.ts` › S4.3 of %s',
    'refused: the vendor withdrew it',
    'planned: Launch',
  ])('accepts the state “%s”', (state) => {
    expect(problemsWith('S4.2', state)).toEqual([])
  })

  it('checks every test that is named', () => {
    const state = 'done `src/one.test.ts` › S4.2 is made by hand<br>`src/one.test.ts` › S4.9 is not there'
    expect(problemsWith('S4.2', state)).toEqual(['S4.2: src/one.test.ts has no test titled “S4.9 is not there”'])
  })

  it('misses a row that was lost, doubled or invented', () => {
    const check = (text: string) => checkSeeds({ seeds: text, deviations, read: () => "it('" })
    const row = rowOf('S3.15').exec(seeds)?.[0] ?? ''
    expect(check(seeds.replace(row, ''))).toContain('S3.15: missing')
    expect(check(seeds.replace(row, `${row}\n${row}`))).toContain('S3.15: listed more than once')
    expect(check(seeds.replace(row, `${row}\n${row.replace('S3.15', 'S3.16')}`))).toContain(
      'S3.16: no seed has this id',
    )
  })

  it('ties the marks of deviations to their explanations', () => {
    const unexplained = checkSeeds({ seeds, deviations: deviations.replace(/^\| S2\.6 .*$/m, ''), read: () => '' })
    expect(unexplained).toContain('S2.6: marked D, but docs/deviations.md has no row')
    const unmarked = checkSeeds({ seeds: seeds.replace('**D** kept', 'kept'), deviations, read: () => '' })
    expect(unmarked).toContain('S2.6: in docs/deviations.md, but not marked D')
  })

  it('finds the tests named in a table of any document', () => {
    const text = '| sealed | `src/one.test.ts` › S4.2 is made by hand | x |\n| forged | `src/one.test.ts` › gone |\n'
    expect(checkProofs(text, (path) => tests[path])).toEqual({
      named: 2,
      problems: ['src/one.test.ts has no test titled “gone”'],
    })
  })
})
