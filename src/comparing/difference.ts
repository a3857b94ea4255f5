// What two stores answered differently, in words, and equal ones gathered. Knows nothing of where answers come from.

export interface Difference {
  /** The same for all that are alike: `the right one gives stored times six digits of a second`. */
  readonly what: string
  /** False: no client can mind. */
  readonly matters: boolean
  /** Of this one: ids, values. */
  readonly detail?: string
}

export interface DifferenceGroup {
  readonly what: string
  readonly matters: boolean
  /** Requests that show it. */
  readonly requests: number
  /** The first ones. */
  readonly examples: readonly { readonly request: string; readonly detail?: string }[]
}

const mostExamples = 5
const mostGroups = 1_000

export class Differences {
  readonly #groups = new Map<
    string,
    {
      readonly what: string
      readonly matters: boolean
      requests: number
      readonly examples: { request: string; detail?: string }[]
    }
  >()

  /** Of one request. */
  add(request: string, differences: readonly Difference[]): void {
    const seen = new Set<string>()
    for (const { what, matters, detail } of differences) {
      if (seen.has(what)) continue
      seen.add(what)
      const group = this.#groups.get(what) ?? this.#open(what, matters)
      group.requests += 1
      if (group.examples.length < mostExamples)
        group.examples.push({ request, ...(detail !== undefined && { detail }) })
    }
  }

  #open(what: string, matters: boolean) {
    const isFull = this.#groups.size >= mostGroups
    const name = isFull ? 'something else differs' : what
    const group = this.#groups.get(name) ?? { what: name, matters: matters || isFull, requests: 0, examples: [] }
    this.#groups.set(name, group)
    return group
  }

  /** Those that matter first, then by how many. */
  get groups(): readonly DifferenceGroup[] {
    return [...this.#groups.values()].toSorted(
      (a, b) => Number(b.matters) - Number(a.matters) || b.requests - a.requests,
    )
  }
}

export function difference(what: string, detail?: string): Difference {
  return { what, matters: true, ...(detail !== undefined && { detail }) }
}

export function harmless(what: string, detail?: string): Difference {
  return { ...difference(what, detail), matters: false }
}

const longestShown = 120

/** A value in a sentence. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing')
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}

export function leftRight(left: unknown, right: unknown): string {
  return `left ${shown(left)}, right ${shown(right)}`
}
