// Tickets: what somebody who was sent here shows once, random, and known here by its hash alone. So is what a browser holds.

import { createHash } from 'node:crypto'
import type { Ids, NewTicket, TicketKind } from './storage.ts'

/** How long whoever was launched may take to arrive. */
export const entranceSeconds = 300
/** How long content may take to load until it fetches its key: a slow line, a start button. */
export const fetchSeconds = 300

export interface IssuedTicket {
  /** 43 of A to Z, a to z, 0 to 9, - and _, 256 random bits. */
  readonly ticket: string
  readonly record: NewTicket
}

export function issueTicket(ids: Ids, kind: TicketKind, until: number): IssuedTicket {
  const ticket = Buffer.from(ids.hex(32), 'hex').toString('base64url')
  return { ticket, record: { hash: hashOf(ticket), kind, until } }
}

/** By its looks; whether there is one is another question. */
export function isTicket(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
