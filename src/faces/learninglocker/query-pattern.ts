// Regular expressions of strangers: in linear time, and of bounded size. What RE2 has no linear time for is refused.

import { RE2JS, RE2JSException } from 're2js'
import { badQuery } from './query-error.ts'
import type { Work } from './query-value.ts'

const longestPattern = 500
/** Instructions of all patterns of a query: what compiling them, and each character they look at, may cost. */
const largestPrograms = 1_500

const flags: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
}

export interface Pattern {
  test(text: string, work: Work): boolean
}

/** Compiles the patterns of one query. */
export class Patterns {
  #left = largestPrograms

  compile(source: string, options: string, place: string): Pattern {
    if (source.length > longestPattern) {
      throw badQuery(place, `a pattern of more than ${longestPattern} characters is not accepted`)
    }
    const compiled = compile(source, flagsOf(options, place), place)
    const size = compiled.programSize()
    this.#left -= size
    if (this.#left < 0) throw badQuery(place, 'the patterns of the query are too large; repeat less in them')
    return {
      test(text, work) {
        work.spend(text.length * size)
        return compiled.test(text)
      },
    }
  }
}

function flagsOf(options: string, place: string): number {
  let all = 0
  for (const letter of options) {
    const flag = Object.hasOwn(flags, letter) ? flags[letter] : undefined
    // x, which allows white space and comments, is none of RE2's.
    if (flag === undefined) throw badQuery(place, `$options knows i, m and s, not ${JSON.stringify(letter)}`)
    all |= flag
  }
  return all
}

function compile(source: string, all: number, place: string): RE2JS {
  try {
    return RE2JS.compile(source, all)
  } catch (error) {
    if (error instanceof RE2JSException) throw badQuery(place, `${error.message}; patterns are those of RE2`)
    throw error
  }
}
