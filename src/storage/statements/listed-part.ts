// Statements of an import on their way into a store that takes them as they are.

import type { AttachmentClaim, ImportedStatement, StatementPart } from '../../core/storage.ts'

export class ListedPart implements StatementPart {
  readonly statements: ImportedStatement[] = []

  get length(): number {
    return this.statements.length
  }

  /** Microseconds: when the first of them was stored. */
  get earliest(): number {
    return this.statements.reduce((least, { storedAt }) => Math.min(least, storedAt), Infinity)
  }

  add(statement: ImportedStatement): void {
    this.statements.push(statement)
  }

  openBody(at: number): string {
    return this.statements[at]?.openBody ?? ''
  }

  claim(at: number, attachments: readonly AttachmentClaim[]): void {
    const statement = this.statements[at]
    if (statement !== undefined) this.statements[at] = { ...statement, attachments }
  }

  slice(start: number, end: number): ListedPart {
    const part = new ListedPart()
    part.statements.push(...this.statements.slice(start, end))
    return part
  }
}
