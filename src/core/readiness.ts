// Whether this process can serve: said to load balancers, which ask often and without credentials. Looked at once a second at
// most, however many ask. Knows nothing of HTTP.

export interface Readiness {
  readonly isReady: boolean
  /** Each thing that is looked at, and whether it answers. Names nothing of the installation. */
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'slow'>>
  /** It serves, and will soon stop. */
  readonly isDraining: boolean
}

export interface ReadinessOptions {
  /** By name; one that rejects has failed. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>
  /** A check that takes longer is no use to anybody who waits for an answer. */
  readonly slowMs?: number
  readonly keptMs?: number
  readonly onChange?: (readiness: Readiness) => void
}

export class ReadinessProbe {
  readonly #options: Required<Pick<ReadinessOptions, 'checks' | 'slowMs' | 'keptMs'>>
  readonly #onChange: (readiness: Readiness) => void
  #last: { readonly at: number; readonly checks: Promise<Readiness['checks']> } | undefined
  #isDraining = false
  #wasReady = true

  constructor({ checks, slowMs = 2_000, keptMs = 1_000, onChange = () => {} }: ReadinessOptions) {
    this.#options = { checks, slowMs, keptMs }
    this.#onChange = onChange
  }

  /** From now on not ready, whatever else. */
  drain(): void {
    this.#isDraining = true
  }

  async look(): Promise<Readiness> {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.at > this.#options.keptMs) {
      this.#last = { at: now, checks: this.#check() }
    }
    const checks = await this.#last.checks
    const isWell = Object.values(checks).every((outcome) => outcome === 'ok')
    const readiness = { isReady: isWell && !this.#isDraining, checks, isDraining: this.#isDraining }
    if (isWell !== this.#wasReady) this.#onChange(readiness)
    this.#wasReady = isWell
    return readiness
  }

  async #check(): Promise<Readiness['checks']> {
    const { checks } = this.#options
    const outcomes = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await this.#outcomeOf(check)] as const),
    )
    return Object.fromEntries(outcomes)
  }

  async #outcomeOf(check: () => Promise<unknown>): Promise<'ok' | 'failed' | 'slow'> {
    let timer: NodeJS.Timeout | undefined
    const slow = new Promise<'slow'>((resolve) => {
      timer = setTimeout(() => resolve('slow'), this.#options.slowMs).unref()
    })
    try {
      const answered = check().then(
        () => 'ok' as const,
        () => 'failed' as const,
      )
      return await Promise.race([answered, slow])
    } finally {
      clearTimeout(timer)
    }
  }
}
