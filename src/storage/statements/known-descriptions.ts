// What is said of one subject, as it is answered: within which bounds and in which order. The same for every engine, no SQL.

import type { KnownDescription } from '../../core/storage.ts'

/** Rows looked at for one subject: a thousand keys may say the same. */
export const mostSayings = 20_000
/** Descriptions of one subject in one answer, and their characters. */
export const mostDescriptions = 1_000
export const mostDescribing = 1024 * 1024

/** As many as fit, at least one. They come as they count; those said at the same time need not be in order. */
export function answerOf(descriptions: Iterable<KnownDescription>): KnownDescription[] {
  const found: KnownDescription[] = []
  let characters = 0
  for (const description of descriptions) {
    characters += description.text.length
    if (found.length > 0 && characters > mostDescribing) break
    found.push(description)
  }
  return found.sort(byPrecedence)
}

function byPrecedence(one: KnownDescription, other: KnownDescription): number {
  if (one.isShared !== other.isShared) return one.isShared ? -1 : 1
  return other.firstAt - one.firstAt || (one.text < other.text ? -1 : 1)
}
