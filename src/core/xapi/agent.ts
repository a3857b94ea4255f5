// Agents and Groups: their rules and the canonical text of their identifier.

import type { CheckOptions } from './statement.ts'

export function checkAgent(value: unknown, options: CheckOptions): void {
  throw new Error(`not written yet: ${typeof value} ${options.version}`)
}

export function agentTerm(agent: unknown): string | undefined {
  throw new Error(`not written yet: ${typeof agent}`)
}
