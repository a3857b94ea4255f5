// The same statement written down in another order.

/** The same statement with members, and items of unordered lists, in another order. */
export function shuffled(value: unknown, random: () => number, isUnordered = false): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => shuffled(item, random))
    return isUnordered ? shuffle(items, random) : items
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, member]) => [name, shuffled(member, random, unordered.has(name))])
  return Object.fromEntries(shuffle(entries, random))
}

const unordered = new Set(['member', 'parent', 'grouping', 'category', 'other'])

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}

/** Numbers from 0 to 1 that follow from a seed (a linear congruential generator). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
