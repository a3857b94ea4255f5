// MongoDB took no dots in names, so they were stored as `&46;` in the extensions of statements, and only there. Knows nothing of how
// statements are read.

import { isMembers } from './extended-json.ts'
import type { Members } from './extended-json.ts'

const encodedDot = '&46;'

/**
 * The statement with its dots (facts 4): in the names of extensions, of what is a plain object inside them, and not through arrays. A
 * name that had `&46;` to begin with cannot be told apart.
 */
export function decodeDots(statement: unknown): unknown {
  if (!isMembers(statement)) return statement
  const decoded = decodeEvent(statement)
  const { object } = statement
  if (!isMembers(object) || object['objectType'] !== 'SubStatement') return decoded
  return { ...decoded, object: decodeEvent(object) }
}

/** What statements and SubStatements share. */
function decodeEvent(event: Members): Members {
  return within(event, {
    result: decodeExtensions,
    object: (object) => within(object, { definition: decodeExtensions }),
    context: (context) =>
      within(decodeExtensions(context), {
        contextActivities: (kinds) =>
          mapMembers(kinds, (activities) => {
            const all = Array.isArray(activities) ? activities : [activities]
            const decoded = all.map((one: unknown) => within(one, { definition: decodeExtensions }))
            return Array.isArray(activities) ? decoded : decoded[0]
          }),
      }),
  })
}

function decodeExtensions(owner: unknown): Members {
  return within(owner, { extensions: decodeNames })
}

function decodeNames(value: unknown): unknown {
  if (!isMembers(value)) return value
  const entries = Object.entries(value).map(([name, member]) => [name.replaceAll(encodedDot, '.'), decodeNames(member)])
  return Object.fromEntries(entries) as Members
}

/** With the members named replaced, where they are objects; anything else stays what it is. */
function within(value: unknown, change: Readonly<Record<string, (member: unknown) => unknown>>): Members {
  if (!isMembers(value)) return value as Members
  const entries = Object.entries(value).map(([name, member]) => {
    const decode =
      Object.hasOwn(change, name) && typeof member === 'object' && member !== null ? change[name] : undefined
    return [name, decode ? decode(member) : member]
  })
  return Object.fromEntries(entries) as Members
}

function mapMembers(value: unknown, change: (member: unknown) => unknown): unknown {
  if (!isMembers(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]))
}
