// The port of storage.ts: the processes over one store, which know nothing of each other but what stands here.

export interface NodeStore {
  /** False: no other process has the store open while this one has. */
  readonly isShared: boolean
  /**
   * Whether every change that others committed more than a second ago was told to the listeners of `onDirectoryChange`. While
   * it is false, nothing that is remembered may be trusted. Costs no query.
   */
  isInTouch(): boolean
  /**
   * Takes or renews what at most one holder has at a time: false while another holds it, and while less than `everyMs` have
   * passed since it was last released as done (0 unless given; a name that nobody had before counts as done now). It ends `ttlMs`
   * from now unless renewed: by the store's clock, whatever the clocks of the processes say. Who holds it renews it whatever
   * `everyMs` is.
   */
  takeLease(name: string, holder: string, term: { readonly ttlMs: number; readonly everyMs?: number }): Promise<boolean>
  /** Only the holder's own; otherwise nothing happens. */
  releaseLease(name: string, holder: string, isDone: boolean): Promise<void>
  /**
   * Adds to sums that all nodes share and answers them, in the order asked. A sum begins with the first that is added, lasts as
   * long as that says, and is then forgotten; it never falls below 0. Each name once. Nothing is audited.
   */
  addCounts(counts: readonly CountDelta[]): Promise<readonly SharedCount[]>
}

export interface CountDelta {
  /** ASCII, at most 100 characters. */
  readonly name: string
  /** May be negative, or 0 to ask. */
  readonly delta: number
  /** Of a sum that begins with this. */
  readonly windowMs: number
}

export interface SharedCount {
  readonly count: number
  /** Until the sum is forgotten. */
  readonly leftMs: number
}
