// What the writer and the tender say to each other: one number that both see, for neither has an event loop to spare.

export const tenderStates = { idle: 0, asked: 1, done: 2, closing: 3, closed: 4 } as const

export interface TenderSetup {
  readonly path: string
  /** One element. */
  readonly state: Int32Array
}
