// Learning Locker's xAPI path: where it leads, in which order it refuses, and how its errors look. They are another service's
// than the rest of the API: `{errorId, message}` or `{errorId, warnings}` throughout, and no challenge.

import { homeOf, refusalOf } from '../../core/access.ts'
import { firstOf, inWords } from '../../core/errors.ts'
import type { DomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { ErrorAnswer, ErrorContext, XapiMount } from '../face.ts'
import { statusOf } from '../http.ts'
import { messageOf, statuses } from './errors.ts'

export const xapiMounts: readonly XapiMount[] = [
  {
    name: 'learninglocker',
    prefix: '/data/xAPI',
    toleratesCase: true,
    // How its queues treat what is stored; there are none here.
    ignoredParams: ['priority', 'bypassQueues'],
    // The product speaks no other.
    assumedVersion: '1.0',
    // Facts 1.4, "Order of checks".
    asksVersionFirst: (method, path) => method === 'PUT' && path.endsWith('/statements'),
    place: () => ({ lrs: storeOf }),
    presentError: presentXapiError,
  },
]

/** The client's own store. One that was deleted is as none, whatever the scopes. */
function storeOf(principal: Principal): LrsId {
  const store = homeOf(principal)
  if (!principal.closedLrsIds.includes(store)) return store
  const reason = 'The store of this client was deleted or is switched off.'
  throw refusalOf({ decidedBy: 'lrs closed', reason, remedy: `Give "${principal.name}" another store.` })
}

interface Refusal {
  readonly status: number
  readonly message: string
  /** Beside the vendor's text, which clients compare; undefined: nothing is told. */
  readonly reason?: string | undefined
}

const unauthorised = 'Unauthorised'

/** What a client is refused by, as the product says it (facts 1.4, "auth outcomes"). */
function refusalIn({ code, message, detail: { decidedBy } }: DomainError): Refusal | undefined {
  if (decidedBy === 'organisation expired') return { status: 403, message: 'Your organisation has expired' }
  if (code === 'unauthenticated') {
    const isDisabled = decidedBy === 'disabled'
    return isDisabled
      ? { status: 403, message: 'Your client has been disabled' }
      : { status: 401, message: unauthorised }
  }
  // As a wrong secret; that nobody was told why is its largest support topic (facts 0.7).
  if (noStore.has(decidedBy)) return { status: 401, message: unauthorised, reason: message }
  return code === 'forbidden' ? { status: 403, message: 'Forbidden', reason: message } : undefined
}

const noStore: ReadonlySet<string | undefined> = new Set(['no lrs', 'lrs closed'])

export function presentXapiError(error: DomainError, { requestId, path = '' }: ErrorContext): ErrorAnswer {
  const refusal = refusalIn(error)
  const status = refusal?.status ?? statusOf(error, statuses)
  const body = { errorId: requestId, ...(refusal ? said(refusal) : textsOf(error, path)) }
  return { status, body, headers: { 'WWW-Authenticate': null } }
}

function said({ message, reason }: Refusal): object {
  return { message, ...(reason !== undefined && { reason }) }
}

function textsOf(error: DomainError, path: string): object {
  const { failures = [] } = error.detail
  if (error.code === 'internal') return { message: 'Something went wrong on our side' }
  if (error.code === 'not_found') return { message: absentAt(path) ?? messageOf(error) }
  if (error.code === 'invalid' && failures.length > 0) return { warnings: firstOf(failures.map(inWords)) }
  return { message: messageOf(error) }
}

/** What is not there, in the product's words. */
const nouns: Readonly<Record<string, string>> = {
  '/statements': 'Statement',
  '/activities/state': 'State',
  '/activities/profile': 'Activity Profile',
  '/agents/profile': 'Agent Profile',
}

function absentAt(path: string): string | undefined {
  const found = Object.keys(nouns).find((resource) => path.endsWith(resource))
  return found && `No ${nouns[found]} found`
}
