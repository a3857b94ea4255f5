// Who is meant when a person is to be erased: any number of identifiers in the canonical text they are stored under. Knows
// nothing of what is stored.

import { createHash } from 'node:crypto'
import { invalid } from './errors.ts'
import type { Failure } from './errors.ts'
import type { CredentialRecord } from './storage.ts'
import { agentTerm, checkIdentifiedAgent } from './xapi/agent.ts'
import { isObject } from './xapi/rule.ts'

/** Identifiers of one person; nobody has more. */
const mostIdentifiers = 100

/**
 * Canonical texts of all of them, each once; with an mbox also the hash that stands for it elsewhere. Throws `invalid`; pointers
 * begin with the index.
 */
export function identify(agents: readonly unknown[]): readonly string[] {
  const failures: Failure[] = []
  if (agents.length === 0 || agents.length > mostIdentifiers) {
    const message = `Between 1 and ${mostIdentifiers} identifiers say who is meant.`
    throw invalid(message, [{ pointer: '', rule: 'claviger/person', message }])
  }
  agents.forEach((agent, index) => checkIdentifiedAgent(agent, { version: '2.0', pointer: `/${index}`, failures }))
  if (failures.length > 0) throw invalid('Not every identifier is one.', failures)
  return [...new Set(agents.flatMap(termsOf))]
}

/** How an identifier may be the same person's as one that was given, without being it. */
export type Likeness = 'address of the hash' | 'other case'

/** An identifier that is stored, in canonical text. */
export interface Alike {
  readonly agent: string
  readonly likeness: Likeness
}

/** For a look through all that are stored: tells how each is like one of `agents`, undefined when it is not, or is one. */
export function likenessTo(agents: readonly string[]): (stored: string) => Likeness | undefined {
  const given = new Set(agents)
  const folded = new Set(agents.map((agent) => agent.toLowerCase()))
  // Who hashed an address may have folded all of it first.
  for (const agent of [...folded]) if (agent.startsWith('mbox ')) folded.add(hashTerm(agent.slice('mbox '.length)))
  return (stored) => {
    if (given.has(stored)) return undefined
    if (stored.startsWith('mbox ') && given.has(hashTerm(stored.slice('mbox '.length)))) return 'address of the hash'
    return folded.has(stored.toLowerCase()) ? 'other case' : undefined
  }
}

function termsOf(agent: unknown): string[] {
  const term = agentTerm(agent)
  if (term === undefined || !isObject(agent)) return []
  const { mbox } = agent
  if (typeof mbox !== 'string') return [term]
  // A client hashes what it has, and only the domain of that is case-insensitive to us.
  const spellings = [mbox, term.slice('mbox '.length)]
  return [term, ...spellings.map(hashTerm)]
}

function hashTerm(mbox: string): string {
  return `mbox_sha1sum ${createHash('sha1').update(mbox).digest('hex')}`
}

/** Whether a credential names the person: it goes on doing so, for it is configuration and not theirs. */
export function isNamedBy({ authority, pins }: CredentialRecord, terms: readonly string[]): boolean {
  const pinned = (pins.actor ?? []).some((pin) => {
    if ('mbox' in pin) return terms.includes(agentTerm(pin) ?? '')
    const { accountName, homePage } = pin
    return terms.some((term) => {
      if (homePage !== undefined) return term === `account ${homePage} ${accountName}`
      return term.startsWith('account ') && term.endsWith(` ${accountName}`)
    })
  })
  const members: unknown = authority?.['member']
  const stamped = [authority, ...(Array.isArray(members) ? members : [])]
  return pinned || stamped.some((agent) => terms.includes(agentTerm(agent) ?? ''))
}
