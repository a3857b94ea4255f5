// Two JSON values, compared whatever the order of their members: where they differ, as paths. Not recursive without bound.

export interface Place {
  /** `/result/score/raw`; every index is `*`. */
  readonly path: string
  readonly left: unknown
  readonly right: unknown
}

const deepest = 100
const longestPath = 200
const mostPlaces = 50

export function differingPlaces(left: unknown, right: unknown): readonly Place[] {
  const places: Place[] = []
  walk(left, right, '', 0, places)
  return places
}

export function areEqual(left: unknown, right: unknown): boolean {
  return differingPlaces(left, right).length === 0
}

function walk(left: unknown, right: unknown, path: string, depth: number, places: Place[]): void {
  if (left === right || places.length >= mostPlaces) return
  const isList = Array.isArray(left)
  const areBoth = isObject(left) && isObject(right) && isList === Array.isArray(right)
  if (!areBoth || depth === deepest || (isList && (left as unknown[]).length !== (right as unknown[]).length)) {
    // What lies deeper is the same or not, and nobody is told where.
    if (areBoth && depth === deepest && JSON.stringify(left) === JSON.stringify(right)) return
    places.push({ path: path === '' ? '/' : path.slice(0, longestPath), left, right })
    return
  }
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const step = isList ? '*' : name.slice(0, 200)
    walk(memberOf(left, name), memberOf(right, name), `${path}/${step}`, depth + 1, places)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}
