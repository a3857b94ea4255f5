// What is wrong with a launch, for who asks at the command line: every fault of it, not the first alone, and of a signature that does
// not fit what it would have fitted. Pure. Nothing found here is ever accepted by the face.

import { createHash } from 'node:crypto'
import type { SignedDeletion, SignedLaunch } from './parameters.ts'
import { parameters, unreadHints } from './parameters.ts'
import { LaunchRefused } from './refusal.ts'
import type { Rule } from './refusal.ts'
import { addressOf, pages, readSettings } from './settings.ts'
import type { Page, Settings } from './settings.ts'
import { decode, signatureOf, signedText } from './signature.ts'
import { readTimestamp, splitQuery, verifyDeletion, verifyLaunch } from './verification.ts'
import type { Received, Standard } from './verification.ts'

export interface Asked {
  /** As it was opened. */
  readonly url: string
  /** The current one first. */
  readonly secrets: readonly string[]
  /** Unless given, the address is taken for the registered one, and any customer for allowed. */
  readonly platform?: KnownPlatform | undefined
  /** Unix milliseconds. */
  readonly now: number
}

export interface KnownPlatform {
  readonly id: string
  readonly baseUrl: string
  readonly settings: Settings
}

export interface Diagnosis {
  /** Whether it would be let in, were it new. */
  readonly isAccepted: boolean
  readonly page: Page
  /** The one it is held against. */
  readonly address: string
  readonly faults: readonly Fault[]
  /** What was hashed, without the secret. */
  readonly signedText?: string
  /** As they were read; empty where they cannot be. */
  readonly parameters: readonly ShownParameter[]
  /** What it comes to, its faults aside. */
  readonly launch?: SignedLaunch | SignedDeletion
}

export interface Fault {
  readonly rule: Rule
  readonly message: string
  /** What may be the reason of it, and what to do. */
  readonly hints: readonly string[]
}

export interface ShownParameter {
  readonly name: string
  readonly value: string
  readonly describes?: string
}

export function diagnose(asked: Asked): Diagnosis {
  const { url, platform } = asked
  const hash = url.indexOf('#')
  const sent = hash < 0 ? url : url.slice(0, hash)
  const question = sent.indexOf('?')
  const [opened, query] = question < 0 ? [sent, ''] : [sent.slice(0, question), sent.slice(question + 1)]
  const page = pages.find((name) => new RegExp(`/${name}/?$`).test(opened)) ?? 'view'
  const { id = '', baseUrl = '', settings } = platform ?? {}
  const address = platform === undefined ? opened : addressOf(page, { id, baseUrl, ...settings })
  const received = { address, query }
  const given = parametersOf(query)
  const standard = { ...asked, settings: settings ?? liberalSettings(given) }
  const { faults, launch } = faultsOf({ received, opened, page, standard })
  const text = signedText(address, query.replace(anySignature, ''))
  return {
    ...{ isAccepted: faults.length === 0, page, address, faults },
    ...(text !== undefined && { signedText: text }),
    parameters: shown(given),
    ...(launch && { launch }),
  }
}

/** Wherever it stands, however it is written. */
const anySignature = /(?:^|&)Signature=([^&]*)/i

interface Case {
  readonly received: Received
  /** The address it was opened at. */
  readonly opened: string
  readonly page: Page
  readonly standard: Standard
}

/** One fault is put right, and then there may be another. */
function faultsOf(asked: Case): { readonly faults: readonly Fault[]; readonly launch?: SignedLaunch | SignedDeletion } {
  const faults: Fault[] = []
  let { received, standard } = asked
  for (;;) {
    try {
      const verify = asked.page === 'delete' ? verifyDeletion : verifyLaunch
      return { faults, launch: verify(received, standard).what }
    } catch (error) {
      if (!(error instanceof LaunchRefused)) throw error
      const { rule, message } = error
      const isFirst = !faults.some((fault) => fault.rule === rule)
      if (isFirst) faults.push({ rule, message, hints: hintsFor(rule, { ...asked, received }) })
      const next = isFirst ? putRight(rule, received, standard) : undefined
      if (next === undefined) return { faults }
      received = next.received
      standard = next.standard
    }
  }
}

/** As it would be without this fault. Undefined where there is nothing to go on with. */
function putRight(rule: Rule, received: Received, standard: Standard) {
  const given = parametersOf(received.query)
  if (rule === 'signature-missing' || rule === 'signature-wrong') {
    const query = received.query.replace(anySignature, '')
    const [secret] = standard.secrets
    const text = signedText(received.address, query)
    if (secret === undefined || text === undefined) return undefined
    return { received: { ...received, query: `${query}&Signature=${signatureOf(text, secret)}` }, standard }
  }
  if (rule === 'time') {
    const now = readTimestamp(given.get('timestamp') ?? '')
    return now === undefined ? undefined : { received, standard: { ...standard, now } }
  }
  if (rule !== 'customer' && rule !== 'school') return undefined
  const settings =
    rule === 'customer'
      ? { ...standard.settings, customers: [Number(given.get('customerid'))] }
      : { ...standard.settings, schools: [] }
  return { received, standard: { ...standard, settings } }
}

function hintsFor(rule: Rule, asked: Case): readonly string[] {
  switch (rule) {
    case 'signature-missing':
    case 'signature-wrong':
      return signatureHints(asked)
    case 'value-ambiguous':
    case 'parameter-twice':
      return ['Somebody may be trying to add parameters; a name that really holds such words cannot be launched.']
    case 'time':
      return ['An address is good for one launch, for a while. A copied one is too old.']
    case 'customer':
      return ['claviger platform update … --customers names those that are allowed.']
    case 'licences':
      return ['If the application is licensed: claviger platform update … --licensed on']
    default:
      return []
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What a signature would have fitted

interface Variant {
  readonly value: string
  /** What is another than it should be; nothing for what is right. */
  readonly says?: string
}

function signatureHints({ received, opened, standard }: Case): readonly string[] {
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
  return [...hints, ...found.map((why) => `It fits, if ${why}.`)]
}

const unexplained = [
  'It fits none of the usual mistakes: the secret is another one, or something on the way changed the parameters.',
  'What was hashed is shown below, without the secret; itslearning must have hashed the same.',
]

/** What must be another so that it fits, the fewest changes of all; undefined where nothing helps. */
function closest(
  { received, opened, standard }: Pick<Case, 'received' | 'opened' | 'standard'>,
  signature: string,
): readonly string[] | undefined {
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

// ---------------------------------------------------------------------------------------------------------------------

/** As far as they can be read at all. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  try {
    return splitQuery(query)
  } catch {
    return new Map()
  }
}

function liberalSettings(given: ReadonlyMap<string, string>): Settings {
  const customer = Number(given.get('customerid'))
  return readSettings({ customers: [Number.isSafeInteger(customer) ? customer : 0], licensed: given.has('licenseids') })
}

function shown(given: ReadonlyMap<string, string>): readonly ShownParameter[] {
  const unread = new Set<string>(unreadHints(given))
  return [...given].map(([folded, value]) => {
    const known = parameters.find(({ name }) => name.toLowerCase() === folded)
    if (known === undefined) return { name: folded, value, describes: 'not known here, and left out' }
    const { name, describes } = known
    return {
      name,
      value,
      describes: unread.has(name) ? `${describes}; left out, for it does not look like one` : describes,
    }
  })
}
