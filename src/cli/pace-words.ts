// How fast something goes and how long it will take, in words. Knows nothing of what it is.

import type { Stage } from './progress.ts'

/** Only the last part of the way says how fast it goes now. */
const windowMs = 10_000

interface Point {
  readonly at: number
  readonly done: number
  readonly part: number | undefined
}

/** `12,000`, of an import `12,000, 8,100/s, 2 min left`; told again and again, it learns the rate. */
export function newPace(now: () => number = () => performance.now()): (stage: Stage) => string {
  let title: string | undefined
  let points: Point[] = []
  return (stage) => {
    if (!('title' in stage)) return stage.total === undefined ? `${stage.done}` : `${stage.done} of ${stage.total}`
    if (stage.title !== title) points = []
    title = stage.title
    const last: Point = { at: now(), done: stage.done, part: stage.part }
    points = [...points.filter(({ at }) => last.at - at <= windowMs), last]
    return [stage.done.toLocaleString('en'), ...rateOf(points)].join(', ')
  }
}

function rateOf(points: readonly Point[]): readonly string[] {
  const [first, last] = [points[0], points.at(-1)]
  const seconds = first && last ? (last.at - first.at) / 1000 : 0
  if (!first || !last || seconds < 1 || last.done === first.done) return []
  const rate = `${Math.round((last.done - first.done) / seconds).toLocaleString('en')}/s`
  if (last.part === undefined || first.part === undefined || last.part <= first.part) return [rate]
  return [rate, `${duration(((1 - last.part) * seconds) / (last.part - first.part))} left`]
}

/** `40 s`, `12 min`, `3 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
