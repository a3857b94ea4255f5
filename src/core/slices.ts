// Long work in the one thread that serves everybody, cut into slices between which the others get their turn. The work is a
// generator that yields wherever it may be interrupted; knows nothing of what it does.

/** Where it may be interrupted, and what comes out of it. */
export type Sliceable<T> = Generator<undefined, T, undefined>

const sliceMs = 5

/** Those who wait for their next slice. One runs per turn of the event loop, so that many cost the others no more than one. */
const waiting: (() => void)[] = []

/** Resolves when it is the caller's turn: for work of a few milliseconds in one piece, of which much may arrive at once. */
export function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(runOne)
  })
}

function runOne(): void {
  // Asked anew, one goes behind those who wait already.
  const resume = waiting.shift()
  if (waiting.length > 0) setImmediate(runOne)
  resume?.()
}

/** The work in slices. */
export async function inSlices<T>(work: Sliceable<T>): Promise<T> {
  while (true) {
    await nextSlice()
    const end = performance.now() + sliceMs
    do {
      const step = work.next()
      if (step.done) return step.value
    } while (performance.now() < end)
  }
}

/** The work in one go: for little of it, and where nobody waits. */
export function atOnce<T>(work: Sliceable<T>): T {
  while (true) {
    const step = work.next()
    if (step.done) return step.value
  }
}
