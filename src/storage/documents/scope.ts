// Which documents an access sees, and the columns a scope is kept under, the same for every engine. No SQL.

import { hash } from 'node:crypto'
import type { DocumentAccess, DocumentScope } from '../../core/storage.ts'

/** Owner of what everybody with reach any shares. */
export const shared = 0

/** Whose documents the access sees, the first of two going before the other. */
export function ownersOf({ owner, reach }: DocumentAccess): readonly [first: number, second: number] {
  return [reach === 'any' ? shared : owner, owner]
}

/** The `scope` column. */
export function scopeHash(scope: DocumentScope): Buffer {
  return hash('sha256', JSON.stringify([scope.kind, activityOf(scope), agentOf(scope)]), 'buffer')
}

export function activityOf(scope: DocumentScope): string | null {
  return scope.kind === 'agent-profile' ? null : scope.activityId
}

export function agentOf(scope: DocumentScope): string | null {
  return scope.kind === 'activity-profile' ? null : scope.agent
}

/** The `registration` column; undefined where a state scope means any. */
export function registrationOf(scope: DocumentScope): string | undefined {
  return scope.kind === 'state' ? scope.registration : ''
}
