// The classes of advisory locks, the first of their two numbers: who takes a lock anywhere takes its class from here. One
// class, one order; nobody takes a lock of a lower class while holding one of a higher. Knows no table.

export const lockClass = {
  /** One transaction at a time writes into an Lrs: the second number is its id. Held until commit. */
  lrs: 1,
  /** One change at a time in a scope of documents: 32 bits of a hash of Lrs and scope. Held until commit. */
  documentScope: 2,
  /** Who takes hold of a blob, or marks it for removal: 32 bits of a hash of Lrs and name. Until commit. */
  blob: 3,
  /** Shared by each change of a document in an Lrs; alone by what fixes a time that later changes stay behind. Until commit. */
  documentTime: 5,
  /** Alone by who wraps all keys anew; shared by each that adds one. The second number is 0. Until commit. */
  masterKey: 6,
} as const
