// Whether a session may say what it says now, given all it said before: cmi5's rules about the order of statements (section
// 9.3), on top of those about each of them. Pure: progress in, progress or failures out. Order is that of timestamps.

import type { Failure } from '../errors.ts'
import { definedVerb, failure, findBroken } from './rules.ts'
import type { SentStatement } from './rules.ts'
import type { Noted, Progress, RegistrationProgress, SessionProgress, Unit } from './unit.ts'
import type { UnitVerb } from './vocabulary.ts'

export type Judgement =
  | { readonly isAccepted: true; readonly progress: Progress }
  | {
      readonly isAccepted: false
      readonly failures: readonly Failure[]
      /** Earlier statements that some of the failures rest on. */
      readonly because: readonly Noted[]
    }

/** All or none. A statement that was noted already is sent again, and passes. `now`: Unix milliseconds. */
export function judge(unit: Unit, before: Progress, sent: readonly SentStatement[], now: number): Judgement {
  const failures = new Map<SentStatement, Failure[]>(sent.map((one) => [one, []]))
  const because = new Set<Noted>()
  let progress = before
  for (const one of inOrder(sent)) {
    failures.get(one)?.push(...findBroken(one, unit))
    for (const { section, pointer, message, noted } of findMisplaced(one, progress)) {
      failures.get(one)?.push(failure(one, section, pointer, message))
      if (noted) because.add(noted)
    }
    // Noted in any case: whoever mends the first failure need not hear of others that only follow from it.
    progress = note(progress, one, now)
  }
  const found = [...failures.values()].flat()
  return found.length === 0
    ? { isAccepted: true, progress }
    : { isAccepted: false, failures: found, because: [...because] }
}

/** As if none of these had been said. */
export function forget({ session, registration }: Progress, ids: ReadonlySet<string>): Progress {
  return { session: without(session, ids), registration: without(registration, ids) }
}

function without<T extends object>(noted: T, ids: ReadonlySet<string>): T {
  const kept = Object.entries(noted).filter(([, value]) => typeof value !== 'object' || !ids.has((value as Noted).id))
  return Object.fromEntries(kept) as T
}

/** With one timestamp, what must be first is, and what must be last. */
function inOrder(sent: readonly SentStatement[]): readonly SentStatement[] {
  const place = ({ statement }: SentStatement): number => {
    const verb = definedVerb(statement)
    return verb === 'initialized' ? 0 : verb === 'terminated' ? 2 : 1
  }
  return sent.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0) || place(a) - place(b))
}

function note({ session, registration }: Progress, { id, at, statement }: SentStatement, now: number): Progress {
  if (at === undefined) return { session, registration }
  const verb = definedVerb(statement)
  const noted: Noted = { id, at, since: now }
  const latest = session.latest === undefined || at >= session.latest.at ? noted : session.latest
  return {
    session: { ...session, latest, heardAt: now, ...(verb && session[verb] === undefined && { [verb]: noted }) },
    registration: { ...registration, ...(verb && inRegistration(registration, verb, noted)) },
  }
}

function inRegistration(registration: RegistrationProgress, verb: UnitVerb, noted: Noted): RegistrationProgress {
  if (verb === 'completed' || verb === 'passed') return { [verb]: registration[verb] ?? noted }
  if (verb !== 'failed' || (registration.failed && registration.failed.at > noted.at)) return {}
  return { failed: noted }
}

// ---------------------------------------------------------------------------------------------------------------------
// Section 9.3: order

interface Finding {
  readonly section: string
  readonly pointer: string
  readonly message: string
  /** What was said before, and stands against it. */
  readonly noted?: Noted
}

function findMisplaced({ id, at, statement }: SentStatement, { session, registration }: Progress): readonly Finding[] {
  const verb = definedVerb(statement)
  // Without a timestamp there is no order, and section 9.7 is broken.
  if (at === undefined || (verb !== undefined && session[verb]?.id === id)) return []
  const outside = [...findOutsideSession(at, verb, session)]
  if (verb === undefined) return outside
  return [...outside, ...findRepeated(verb, session), ...findAgain(at, verb, session, registration)]
}

/** Whatever a unit says lies between `initialized` and `terminated`, also what is cmi5 allowed (section 7.1.3). */
function* findOutsideSession(at: number, verb: UnitVerb | undefined, session: SessionProgress): Generator<Finding> {
  const { initialized, terminated, latest } = session
  if (verb !== 'initialized' && initialized === undefined) {
    const message = 'The first statement of a session is "initialized": store it before this one.'
    yield { section: '9.3.2', pointer: '/verb/id', message }
  }
  if (initialized && at < initialized.at) {
    const message = 'The first statement of a session is "initialized": this one has an earlier timestamp.'
    yield { section: '9.3.2', pointer: '/timestamp', message, noted: initialized }
  }
  if (terminated && at > terminated.at) {
    const message = 'The session is over: "terminated" is its last statement.'
    yield { section: '9.3.8', pointer: '/timestamp', message, noted: terminated }
  }
  if (verb === 'terminated' && latest && at < latest.at) {
    const message = `"terminated" is the last statement: ${latest.id} has a later timestamp.`
    yield { section: '9.3.8', pointer: '/timestamp', message, noted: latest }
  }
}

function* findRepeated(verb: UnitVerb, session: SessionProgress): Generator<Finding> {
  const same = session[verb]
  if (same) yield against('9.3', same, `A session says "${verb}" once`)
  const other = verb === 'passed' ? session.failed : verb === 'failed' ? session.passed : undefined
  if (other) yield against('9.3', other, 'A session says "passed" or "failed", not both')
}

/** What was said in another session of the registration; what this one said itself is found before. */
function* findAgain(
  at: number,
  verb: UnitVerb,
  session: SessionProgress,
  registration: RegistrationProgress,
): Generator<Finding> {
  const earlier = (name: 'completed' | 'passed' | 'failed'): Noted | undefined =>
    registration[name]?.id === session[name]?.id ? undefined : registration[name]
  const [completed, passed, failed] = [earlier('completed'), earlier('passed'), earlier('failed')]
  if (verb === 'completed' && completed) yield against('9.3.3', completed, 'A registration is completed once')
  if (verb === 'passed' && passed) yield against('9.3.4', passed, 'A registration is passed once')
  const follows = '"failed" does not follow "passed" in a registration'
  if (verb === 'failed' && passed && at >= passed.at) yield against('9.3', passed, follows)
  if (verb === 'passed' && failed && at < failed.at) yield against('9.3', failed, follows)
}

function against(section: string, noted: Noted, message: string): Finding {
  return { section, pointer: '/verb/id', message: `${message}: see statement ${noted.id}.`, noted }
}
