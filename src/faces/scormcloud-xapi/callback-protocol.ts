// How SCORM Cloud asks an application's own endpoint about a user, and what its XML answer means (seed 001, fact sheet 1.9). Knows
// neither when it is asked nor for how long an answer holds: that is core's.

import { XmlElement, XmlText, parseXml } from '@rgrove/parse-xml'
import type { CallbackPermission, CallbackProtocol, CallbackVerdict } from '../../core/callback-verdict.ts'

/** Bare: the seed shows no `Basic` before it. */
const header = 'CloudLrsAuthorization'

const permissions: Readonly<Record<string, CallbackPermission>> = {
  default: 'own',
  root: 'everything',
  read_only: 'reading',
}

/** Said by whatever stands in front of an endpoint that is away: RFC 9110 sections 15.6.3 to 15.6.5. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504])
/** An endpoint that says no in the way of HTTP instead of that of the seed. */
const refusalStatuses: ReadonlySet<number> = new Set([401, 403])

export const callbackProtocol: CallbackProtocol = {
  ask: (user, password) => ({
    method: 'GET',
    headers: { [header]: Buffer.from(`${user}:${password}`).toString('base64'), Accept: 'application/xml, text/xml' },
  }),
  read({ status, body }) {
    if (awayStatuses.has(status)) return { kind: 'unreachable', because: `The answer had the status ${status}.` }
    if (refusalStatuses.has(status)) return { kind: 'unverified' }
    if (status !== 200) return unreadable(`The answer had the status ${status}, not 200; redirects are not followed`)
    const text = textOf(body)
    if (text === undefined) return unreadable('The answer is not UTF-8')
    // Refused before it is parsed: entities are of no use here, and their expansion is.
    if (/<!DOCTYPE/i.test(text)) return unreadable('The answer has a DOCTYPE')
    try {
      return verdictOf(parseXml(text.trim()).root)
    } catch {
      return unreadable('The answer is no XML')
    }
  },
}

function verdictOf(root: XmlElement | null): CallbackVerdict {
  if (root?.name !== 'resp') return unreadable('The answer has no <resp> around it')
  const auth = contentOf(root, 'auth')
  if (auth === 'unverified') return { kind: 'unverified' }
  if (auth !== 'verified') return unreadable('<auth> is neither verified nor unverified')
  // Missing or unknown: the least.
  return { kind: 'verified', permission: permissions[contentOf(root, 'permissions') ?? ''] ?? 'own' }
}

/** Of the only element of this name, if it holds text alone. */
function contentOf(root: XmlElement, name: string): string | undefined {
  const found = root.children.filter((child) => child instanceof XmlElement && child.name === name) as XmlElement[]
  const [only] = found
  if (only === undefined || found.length > 1 || only.children.some((child) => !(child instanceof XmlText)))
    return undefined
  return only.text.trim()
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}

function unreadable(because: string): CallbackVerdict {
  return { kind: 'unreadable', because: `${because}.` }
}
