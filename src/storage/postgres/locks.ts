// The classes of advisory locks, the first of their two numbers: who takes a lock anywhere takes its class from here. One
// class, one order; nobody takes a lock of a lower class while holding one of a higher. Knows no table.

export const lockClass = {
  /** One transaction at a time writes into an Lrs: the second number is its id. Held until commit. */
  lrs: 1,
} as const
