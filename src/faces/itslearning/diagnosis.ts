// What is wrong with a launch, for who asks at the command line: every fault of it, not the first alone, and of a signature that does
// not fit what it would have fitted. Pure. Nothing found here is ever accepted by the face.

import { anySignature, parametersOf, signatureHints } from './mismatch.ts'
import type { Mismatch } from './mismatch.ts'
import type { SignedDeletion, SignedLaunch } from './parameters.ts'
import { parameters, unreadHints } from './parameters.ts'
import { LaunchRefused } from './refusal.ts'
import type { Rule } from './refusal.ts'
import { addressOf, pages, readSettings } from './settings.ts'
import type { Page, Settings } from './settings.ts'
import { signatureOf, signedText } from './signature.ts'
import { readTimestamp, verifyDeletion, verifyLaunch } from './verification.ts'
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

interface Case extends Mismatch {
  readonly page: Page
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

/** Of who is refused whatever the signature says. */
export function faultOf({ rule, message }: LaunchRefused): Fault {
  return { rule, message, hints: plainHints[rule] ?? [] }
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
  return rule === 'signature-missing' || rule === 'signature-wrong' ? signatureHints(asked) : (plainHints[rule] ?? [])
}

const added = ['Somebody may be trying to add parameters; a name that really holds such words cannot be launched.']
const plainHints: Readonly<Partial<Record<Rule, readonly string[]>>> = {
  'value-ambiguous': added,
  'parameter-twice': added,
  time: ['An address is good for one launch, for a while. A copied one is too old.'],
  customer: ['claviger platform update … --customers names those that are allowed.'],
  licences: ['If the application is licensed: claviger platform update … --licensed on'],
  platform: ['claviger platform show … says whether it launches, claviger platform update … --enable lets it again.'],
  unset: [
    'An author chooses by opening it. By hand: claviger platform place …, or claviger platform update … --content for all places.',
  ],
  permission: [
    'What each permission gives is set for the content: claviger content update … --gives participate=normal',
  ],
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
