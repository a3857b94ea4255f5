// What must be gone when this process ends, however it ends: interrupted, it has no time for anything that takes more than a moment.

const leftovers = new Set<() => void>()

process.on('exit', () => {
  for (const remove of [...leftovers].toReversed()) {
    try {
      remove()
    } catch {
      // The others go all the same.
    }
  }
})

/** Answers what says that it is gone already. */
export function removeAtExit(remove: () => void): () => void {
  leftovers.add(remove)
  return () => void leftovers.delete(remove)
}
