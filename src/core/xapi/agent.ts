// Agents and Groups: their rules, and the canonical text of the one identifier they have.

import { iri } from './iri.ts'
import type { JsonObject, Rule } from './rule.ts'
import { Check, format, isObject, list, maxIdentifierLength, never, oneOf, record, text } from './rule.ts'
import type { CheckOptions } from './statement.ts'

/** The four inverse functional identifiers. */
export const identifierNames = ['mbox', 'mbox_sha1sum', 'openid', 'account'] as const
const anIdentifier = 'one of mbox, mbox_sha1sum, openid and account'

// Local part, @, domain. Quoted local parts and several addresses are not taken.
const mailto = /^mailto:[^\s\p{Cc}\p{Cs}@<>()[\]\\,;:"]+@[^\s\p{Cc}\p{Cs}@<>()[\]\\,;:"/?#]+$/u
const sha1 = /^[0-9A-Fa-f]{40}$/
const unstorable = /[\0\p{Cs}]/u

function isMailbox(value: string): boolean {
  return value.length <= maxIdentifierLength && mailto.test(value)
}

function isAccountName(value: string): boolean {
  return value.length <= maxIdentifierLength && !unstorable.test(value)
}

const account = record({
  what: 'an account',
  rule: 'XAPI-00041',
  members: {
    homePage: iri('XAPI-00042'),
    name: format(
      `a string of at most ${maxIdentifierLength} characters without U+0000 and lone surrogates`,
      'XAPI-00043',
      isAccountName,
    ),
  },
  required: { homePage: 'XAPI-00042', name: 'XAPI-00043' },
})

const common = {
  name: text('XAPI-00033'),
  mbox: format('an address such as mailto:someone@example.com', 'XAPI-00038', isMailbox),
  mbox_sha1sum: format('a SHA-1 hash of 40 hex digits', 'XAPI-00039', (value) => sha1.test(value)),
  openid: iri('XAPI-00040'),
  account,
}

function identifiersOf(value: JsonObject): string[] {
  return identifierNames.filter((name) => value[name] !== undefined)
}

/** An Agent and nothing else. `rule` is broken by a value of another kind. */
export function agent(rule: string, objectTypes: readonly string[] = ['Agent']): Rule {
  return record({
    what: 'an Agent',
    rule,
    members: {
      objectType: objectType(objectTypes, rule),
      ...common,
      member: never('XAPI-00035', 'Only a Group has members: set "objectType" to "Group", or leave "member" out.'),
    },
    whole: (value, check) => {
      check.mentions++
      const found = identifiersOf(value)
      if (found.length === 1) return
      const got = found.length === 0 ? 'none' : found.join(' and ')
      check.refuse('XAPI-00034', `An Agent has exactly ${anIdentifier}; this one has ${got}.`)
    },
  })
}

function objectType(words: readonly string[], rule: string): Rule {
  const word = oneOf(words, rule)
  return (value, check) => (typeof value === 'string' ? word : text('XAPI-00032'))(value, check)
}

const members = list('Agents', 'XAPI-00036', agent('XAPI-00036'))

/** A Group, identified or anonymous. `rule` is broken by a value of another kind. */
export function group(rule: string): Rule {
  return record({
    what: 'a Group',
    rule,
    members: { objectType: objectType(['Group'], rule), ...common, member: members },
    required: { objectType: rule },
    whole: (value, check) => {
      check.mentions++
      const found = identifiersOf(value)
      if (found.length > 1) {
        check.refuse('XAPI-00037', `A Group has at most ${anIdentifier}; this one has ${found.join(' and ')}.`)
      }
      if (found.length === 0) requireMembers(value['member'], check)
    },
  })
}

function requireMembers(member: unknown, check: Check): void {
  const message = `A Group without ${anIdentifier} must list at least one Agent in "member".`
  if (member === undefined) check.refuse('XAPI-00035', message)
  else if (Array.isArray(member) && member.length === 0) check.refuseAt('member', 'XAPI-00035', message)
}

/** Either, told apart by `objectType`; without one it is an Agent. */
export function agentOrGroup(rule: string): Rule {
  const asAgent = agent(rule, ['Agent', 'Group'])
  const asGroup = group(rule)
  return (value, check) => (isGroup(value) ? asGroup : asAgent)(value, check)
}

export function isGroup(value: unknown): value is JsonObject {
  return isObject(value) && value['objectType'] === 'Group'
}

const anyone = agentOrGroup('XAPI-00031')

/** For use outside statements: an `agent` parameter, a credential's authority. */
export function checkAgent(value: unknown, options: CheckOptions): void {
  anyone(value, new Check(options))
}

/** The `agent` parameter: an Agent or an identified Group, since an anonymous one equals no other. */
export function checkIdentifiedAgent(value: unknown, options: CheckOptions): void {
  const check = new Check(options)
  anyone(value, check)
  if (!isGroup(value) || identifiersOf(value).length > 0) return
  check.refuse('XAPI-00012', `Only an identified Group can be asked for: it must have ${anIdentifier}.`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Authority

const anyAuthority = agentOrGroup('XAPI-00024')

/**
 * An Agent, or for three-legged OAuth an anonymous Group of a client and a person. XAPI-00098, XAPI-00100: the client MUST be
 * identified by an account (1.0.3, Data 2.4.9).
 */
export const authority: Rule = (value, check) => {
  anyAuthority(value, check)
  if (!isGroup(value)) return
  for (const name of identifiersOf(value)) {
    check.refuseAt(name, 'XAPI-00098', 'A Group as authority must be anonymous: without any identifier.')
  }
  const member = value['member']
  if (!Array.isArray(member)) return
  if (member.length !== 2) {
    const message = `A Group as authority has exactly two members, a client and a person; this one has ${member.length}.`
    check.refuseAt('member', 'XAPI-00098', message)
  } else if (!member.some((one) => isObject(one) && one['account'] !== undefined)) {
    check.refuseAt(
      'member',
      'XAPI-00100',
      'One member of a Group as authority is the OAuth client, identified by an account.',
    )
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Identity

/**
 * The identifier in canonical text; undefined for an anonymous Group and for anything that is no valid Agent. An Agent and
 * a Group with the same identifier are the same. Only what is case-insensitive by its own standard is folded: the domain
 * of an address, hex digits.
 */
export function agentTerm(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  const { mbox, mbox_sha1sum: hash, openid, account: at } = value
  if (typeof mbox === 'string') return `mbox ${foldMailbox(mbox)}`
  if (typeof hash === 'string') return `mbox_sha1sum ${hash.toLowerCase()}`
  if (typeof openid === 'string') return `openid ${openid}`
  // An IRI holds no space, so the text can be read back in one way only.
  if (isObject(at) && typeof at['homePage'] === 'string') return `account ${at['homePage']} ${String(at['name'])}`
  return undefined
}

/** An Agent with the identifier of which this is the canonical text, and with nothing else. */
export function agentOfTerm(term: string): JsonObject {
  const space = term.indexOf(' ')
  const [name, value] = [term.slice(0, space), term.slice(space + 1)]
  if (name !== 'account') return { [name]: value }
  const end = value.indexOf(' ')
  return { account: { homePage: value.slice(0, end), name: value.slice(end + 1) } }
}

export function foldMailbox(mbox: string): string {
  const domain = mbox.lastIndexOf('@') + 1
  return mbox.slice(0, domain) + mbox.slice(domain).toLowerCase()
}
