// Which of a few known words a mistyped one was probably meant to be.

/** Longer words are no typing mistakes, and comparing them would cost a hostile request's worth of time. */
const maxLength = 64

/** The candidate that `word` was probably meant to be; undefined when none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > maxLength) return undefined
  const [best] = [...candidates]
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .toSorted((a, b) => a.distance - b.distance)
  const most = Math.min(word.length - 1, 3, Math.max(1, Math.floor(word.length * 0.3)))
  return best && best.distance <= most ? best.candidate : undefined
}

/** Letters put in, left out, replaced, or exchanged with their neighbours. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  let before: readonly number[] = []
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isExchanged) next[j] = Math.min(next[j]!, before[j - 2]! + 1)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
