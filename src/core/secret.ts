// What keys and secrets look like, and how secrets of one credential replace each other.

import type { SecretId } from './ids.ts'

/** A secret in clear, for the one answer that shows it. */
export interface ClearSecret {
  readonly id: SecretId
  readonly name: string
  readonly value: string
  readonly isEnabled: boolean
  readonly createdAt: number
  readonly expiresAt: number | null
}
