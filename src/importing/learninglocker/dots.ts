// MongoDB took no dots in names, so they were stored as `&46;` in the extensions of statements, and only there. Knows nothing of how
// statements are read.

import { isMembers } from './extended-json.ts'
import type { Members } from './extended-json.ts'

const encodedDot = '&46;'

/**
 * The statement with its dots (facts 4): in the names of extensions, of what is a plain object inside them, and not through arrays. A
 * name that had `&46;` to begin with cannot be told apart. The same object where there are none, as in most.
 */
export function decodeDots(statement: Members): Members {
  const decoded = decodeEvent(statement)
  const { object } = decoded
  if (!isMembers(object) || object['objectType'] !== 'SubStatement') return decoded
  return replaced(decoded, 'object', decodeEvent(object))
}

/** What statements and SubStatements share. */
function decodeEvent(event: Members): Members {
  let decoded = inMember(event, 'result', decodeExtensions)
  decoded = inMember(decoded, 'object', decodeDefinition)
  return inMember(decoded, 'context', (context) =>
    inMember(decodeExtensions(context), 'contextActivities', decodeContextActivities),
  )
}

function decodeContextActivities(kinds: Members): Members {
  let decoded = kinds
  for (const [kind, activities] of Object.entries(kinds)) {
    const changed = Array.isArray(activities) ? decodeEach(activities) : decodeActivity(activities)
    decoded = replaced(decoded, kind, changed)
  }
  return decoded
}

function decodeEach(activities: readonly unknown[]): readonly unknown[] {
  const decoded = activities.map(decodeActivity)
  return decoded.some((one, index) => one !== activities[index]) ? decoded : activities
}

function decodeActivity(activity: unknown): unknown {
  return isMembers(activity) ? decodeDefinition(activity) : activity
}

function decodeDefinition(activity: Members): Members {
  return inMember(activity, 'definition', decodeExtensions)
}

function decodeExtensions(owner: Members): Members {
  return inMember(owner, 'extensions', decodeNames)
}

function decodeNames(members: Members): Members {
  let isChanged = false
  const entries = Object.entries(members).map(([name, member]) => {
    const entry = [name.replaceAll(encodedDot, '.'), isMembers(member) ? decodeNames(member) : member] as const
    isChanged ||= entry[0] !== name || entry[1] !== member
    return entry
  })
  return isChanged ? Object.fromEntries(entries) : members
}

/** With the member changed, where it is an object; anything else stays what it is. */
function inMember(owner: Members, name: string, change: (member: Members) => Members): Members {
  const member = owner[name]
  return isMembers(member) ? replaced(owner, name, change(member)) : owner
}

function replaced(owner: Members, name: string, value: unknown): Members {
  return value === owner[name] ? owner : { ...owner, [name]: value }
}
