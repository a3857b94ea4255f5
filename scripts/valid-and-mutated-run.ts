// The bulk of scripts/valid-and-mutated.ts: generates, asks the rules in this process, and counts.

import fc from 'fast-check'
import { isDomainError } from '../src/core/errors.ts'
import { parseJson } from '../src/core/xapi/json.ts'
import { checkStatements } from '../src/core/xapi/statement.ts'
import type { XapiVersion } from '../src/core/xapi/version.ts'
import { statementArbitrary } from '../test/support/statement-arbitrary.ts'
import { listPlaces, model, mutate } from '../test/support/statement-mutation.ts'
import type { Mutation, Random } from '../test/support/statement-mutation.ts'

export interface Work {
  readonly count: number
  readonly seed: number
  readonly tell?: (done: number) => void
}

export interface Tally {
  /** Accepted, as they should be. */
  valid: number
  /** Refused at the place. */
  mutated: number
  /** Requests over HTTP. */
  sent: number
  /** `definition.choices` and how often, out of the valid ones. */
  readonly members: Map<string, number>
  /** `bad format: iri` and how often. */
  readonly mutations: Map<string, number>
  /** Each with what reproduces it. */
  readonly misses: string[]
}

export function newTally(): Tally {
  return { valid: 0, mutated: 0, sent: 0, members: new Map(), mutations: new Map(), misses: [] }
}

export interface Sample {
  readonly version: XapiVersion
  readonly statement: Record<string, unknown>
  /** As fast-check takes it again: seed of the batch, index in it. */
  readonly source: string
  readonly random: Random
}

const batch = 1000
const arbitraries = { '1.0': statementArbitrary('1.0'), '2.0': statementArbitrary('2.0') }

/** As many valid statements, half of them of each version. */
export function* samples({ count, seed, tell }: Work): Generator<Sample> {
  for (let done = 0; done < count; done += batch) {
    const version: XapiVersion = (done / batch) % 2 === 0 ? '1.0' : '2.0'
    const batchSeed = seed * 1_000_003 + done
    const random = seeded(batchSeed)
    const statements = fc.sample(arbitraries[version], { seed: batchSeed, numRuns: Math.min(batch, count - done) })
    for (const [index, statement] of statements.entries()) {
      yield { version, statement, source: `version ${version}, seed ${batchSeed}, index ${index}`, random }
    }
    tell?.(Math.min(done + batch, count))
  }
}

export function judgeValid(work: Work, tally: Tally): void {
  for (const { version, statement, source } of samples(work)) {
    const text = JSON.stringify(statement)
    const failures = failuresOf(text, version)
    if (failures === undefined) tally.valid++
    else tally.misses.push(`refused though valid (${source}): ${JSON.stringify(failures)}\n  ${text}`)
    for (const { kind, value } of listPlaces(statement)) {
      if (model[kind]) for (const name of Object.keys(value as object)) count(tally.members, `${kind}.${name}`)
    }
  }
}

export function judgeMutated(work: Work, tally: Tally): void {
  for (const { version, statement, source, random } of samples(work)) {
    const mutation = mutate(statement, version, random)
    count(tally.mutations, mutation.name)
    const failures = failuresOf(mutation.text, version)
    if (failures?.includes(mutation.place)) tally.mutated++
    else tally.misses.push(missOf(mutation, failures, source))
  }
}

export function missOf({ name, place, text }: Mutation, found: unknown, source: string): string {
  const what = found === undefined ? 'accepted' : `refused at ${JSON.stringify(found)}`
  return `${name} at ${JSON.stringify(place)} (${source}): ${what}\n  ${text}`
}

/** Every member of the model occurred. */
export function checkCoverage(tally: Tally): void {
  for (const [kind, members] of Object.entries(model)) {
    for (const name of Object.keys(members)) {
      if (!tally.members.has(`${kind}.${name}`)) tally.misses.push(`never generated: ${kind}.${name}`)
    }
  }
}

/** Pointers of what is refused; undefined when all is accepted. */
function failuresOf(text: string, version: XapiVersion): readonly string[] | undefined {
  try {
    checkStatements(parseJson(text), version)
    return undefined
  } catch (error) {
    if (!isDomainError(error)) throw error
    return (error.detail.failures ?? []).map(({ pointer }) => pointer)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
