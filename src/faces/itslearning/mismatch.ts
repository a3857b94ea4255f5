// What a signature that does not fit would have fitted: the usual mistakes of senders, proxies and settings, tried one by one and
// together. For who asks at the command line; nothing found here is ever accepted.

import { createHash } from 'node:crypto'
import { pages } from './settings.ts'
import { decode } from './signature.ts'
import { splitQuery } from './verification.ts'
import type { Received, Standard } from './verification.ts'

export interface Mismatch {
  readonly received: Received
  /** The address it was opened at. */
  readonly opened: string
  readonly standard: Standard
}

/** Wherever it stands, however it is written. */
export const anySignature = /(?:^|&)Signature=([^&]*)/i

interface Variant {
  readonly value: string
  /** What is another than it should be; nothing for what is right. */
  readonly says?: string
}

export function signatureHints({ received, opened, standard }: Mismatch): readonly string[] {
  const [, signature = ''] = anySignature.exec(received.query) ?? []
  if (!/^[0-9a-f]{32}$/i.test(signature)) return ['There is no signature of 32 hex digits: was the address cut off?']
  const hints: string[] = []
  if (/[A-F]/.test(signature)) hints.push('Its digits are upper-case; itslearning writes lower-case ones.')
  if (!received.query.toLowerCase().endsWith(`&signature=${signature.toLowerCase()}`)) {
    hints.push('The signature is not at the end: something on the way put the parameters into another order.')
  }
  if (standard.secrets.length === 0) return [...hints, 'The platform has no secret that counts now.']
  const found = closest({ received, opened, standard }, signature.toLowerCase())
  if (found === undefined) return [...hints, ...unexplained]
  return found.length === 0 ? hints : [...hints, `It fits, if ${found.join(', and ')}.`]
}

const unexplained = [
  'It fits none of the usual mistakes: the secret is another one, or something on the way changed the parameters.',
  'What was hashed is shown below, without the secret; itslearning must have hashed the same.',
]

/** What must be another so that it fits, the fewest changes of all; undefined where nothing helps. */
function closest({ received, opened, standard }: Mismatch, signature: string): readonly string[] | undefined {
  const query = received.query.replace(anySignature, '')
  const addresses = addressVariants(received.address, opened)
  const secrets = standard.secrets.flatMap(secretVariants)
  let best: readonly string[] | undefined
  for (const address of addresses) {
    for (const text of textVariants(address.value, query)) {
      for (const secret of secrets) {
        for (const charset of charsets) {
          const says = [address, text, secret, charset].flatMap((variant) => variant.says ?? [])
          if (best !== undefined && says.length >= best.length) continue
          if (hashed(text.value + secret.value, charset.value) === signature) best = says
        }
      }
    }
  }
  return best ?? restHash(standard, query, signature)
}

const charsets: readonly Variant[] = [
  { value: 'utf8' },
  {
    value: 'latin1',
    says: 'it was hashed as ISO 8859-1, which is not accepted: Encoding=utf8 is missing at the sender',
  },
]

function hashed(text: string, charset: string): string {
  // As the vendor's code: what ISO 8859-1 does not have becomes a question mark.
  const bytes =
    charset === 'utf8' ? Buffer.from(text) : Buffer.from(text.replaceAll(/[^\u0000-\u00ff]/gu, '?'), 'latin1')
  return createHash('md5').update(bytes).digest('hex')
}

function addressVariants(address: string, opened: string): readonly Variant[] {
  const registered = (as: string): string => `the address registered there is ${as} (see --public-url)`
  const bases = [address, ...(opened === address ? [] : [opened])]
  const all = bases.flatMap((base) => pagesOf(base).flatMap(schemesOf).flatMap(portsOf).flatMap(slashesOf))
  return [...new Set(all)].map((value) => (value === address ? { value } : { value, says: registered(value) }))
}

function pagesOf(address: string): readonly string[] {
  const base = /^(.*\/)(?:view|add|delete)$/.exec(address)?.[1]
  return base === undefined ? [address] : [address, ...pages.map((page) => base + page)]
}

function schemesOf(address: string): readonly string[] {
  return [address, address.replace(/^https:/, 'http:'), address.replace(/^http:/, 'https:')]
}

function portsOf(address: string): readonly string[] {
  const bare = address.replace(/^(https?:\/\/[^/]+?):\d+(?=\/|$)/, '$1')
  const port = address.startsWith('https:') ? '443' : '80'
  return [
    address,
    bare,
    bare.replace(/^(https?:\/\/[^/]+)/, `$1:${port}`),
    address.replace(/^https?:\/\/[^/]+/, lowerCase),
  ]
}

function slashesOf(address: string): readonly string[] {
  return [address, address.endsWith('/') ? address.slice(0, -1) : `${address}/`]
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}

function textVariants(address: string, query: string): readonly Variant[] {
  const decoded = (text: string): string => decode(text) ?? text
  return [
    { value: decoded(`${address}?${query}`) },
    { value: `${address}?${query}`, says: 'it was hashed without being decoded' },
    { value: decoded(query), says: 'the query alone was hashed, without the address' },
    { value: decoded(decoded(`${address}?${query}`)), says: 'it was decoded twice' },
  ]
}

function secretVariants(secret: string, index: number): readonly Variant[] {
  const which = index === 0 ? 'the secret' : 'the secret before'
  const others = [
    [secret.trim(), 'without the spaces around it'],
    [secret.toLowerCase(), 'in lower case'],
    [secret.toUpperCase(), 'in upper case'],
    [secret.replaceAll(/[{}]/g, ''), 'without its braces'],
    [secret.replaceAll('-', ''), 'without its hyphens'],
  ] as const
  const changed = others.filter(([value]) => value !== secret)
  return [{ value: secret }, ...changed.map(([value, how]) => ({ value, says: `${which} is taken ${how}` }))]
}

/** The reference's prose has this formula for launches, too. It would leave who, where and what unsigned. */
function restHash({ secrets, settings }: Standard, query: string, signature: string): readonly string[] | undefined {
  const given = parametersOf(query)
  const [key, session, time] = [settings.applicationKey, given.get('apisessionid'), given.get('timestamp')]
  const isIt = secrets.some((secret) => hashed(`${key ?? ''}${secret}${session}${time}`, 'utf8') === signature)
  return isIt
    ? ['it were for the REST API: that formula leaves all but the session unsigned, and is not accepted']
    : undefined
}

/** As far as they can be read at all. */
export function parametersOf(query: string): ReadonlyMap<string, string> {
  try {
    return splitQuery(query)
  } catch {
    return new Map()
  }
}
