// The Agent that is stamped as authority on what a principal stores.

/** An xAPI Agent with exactly one identifier (or, for three-legged OAuth, a two-member anonymous Group). Plain JSON. */
export type AgentIdentity = Readonly<Record<string, unknown>>
