// Which addresses this program may reach on a tenant's behalf: those that are globally unicast, and what the operator excepts
// (CLAVIGER_OUTBOUND_ALLOW). Pure: looks nothing up, connects to nothing. Decided in docs/decisions/0024.

import ipaddr from 'ipaddr.js'

type Range = ReturnType<typeof ipaddr.parseCIDR>

/** What the operator lets be reached all the same. */
export interface Exception {
  /** As in a URL: lower case, without brackets. */
  readonly host?: string
  readonly range?: Range
  /** Any port unless given. */
  readonly port?: number
  /** Without TLS, too. */
  readonly isPlain: boolean
}

/** Where a URL leads, as far as its text tells. */
export interface Target {
  readonly url: URL
  /** A name, or an address without brackets. */
  readonly host: string
  readonly isAddress: boolean
  readonly port: number
  readonly isPlain: boolean
  /** Excepted by name: wherever it leads. */
  readonly isNamed: boolean
}

export const exceptionRule =
  'an address, a CIDR range or a host name, each with a port if it is to be that one alone, and with http:// before it where it may be reached without TLS'

const longestUrl = 2000
/** Where other protocols than HTTP live, which might take a request for their own. */
const firstFreePort = 1024
const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

/** `10.0.0.0/8`, `lms.internal`, `lms.internal:8443`, `[::1]:8443`, `http://127.0.0.1:9000`; undefined for anything else. */
export function parseException(item: string): Exception | undefined {
  const isPlain = item.startsWith('http://')
  const text = isPlain ? item.slice('http://'.length) : item
  if (ipaddr.isValidCIDR(text)) return { range: ipaddr.parseCIDR(text), isPlain }
  if (ipaddr.IPv6.isValid(text)) return { range: rangeOf(text), isPlain }
  if (!/^[^/?#@\\\s]+$/.test(text) || !URL.canParse(`https://${text}`)) return undefined
  const [, port] = /:(\d{1,5})$/.exec(text) ?? []
  const host = hostOf(new URL(`https://${text}`))
  const place = ipaddr.isValid(host) ? { range: rangeOf(host) } : { host }
  return { ...place, ...(port !== undefined && { port: Number(port) }), isPlain }
}

export class OutboundPolicy {
  readonly #exceptions: readonly Exception[]

  constructor(exceptions: readonly Exception[]) {
    this.#exceptions = exceptions
  }

  /** Where the URL leads; or, as text, why nobody is asked at it. */
  targetOf(text: string): Target | string {
    if (text.length > longestUrl) return `a URL has at most ${longestUrl} characters`
    if (!URL.canParse(text)) return 'this is no absolute URL'
    const url = new URL(text)
    const usual = defaultPorts[url.protocol]
    if (usual === undefined) return mustBeSecure
    if (url.username !== '' || url.password !== '') return 'the URL must not hold a user name or password'
    const host = hostOf(url)
    const port = url.port === '' ? usual : Number(url.port)
    if (port === 0) return 'there is no port 0'
    const place = { host, isAddress: ipaddr.isValid(host), port, isPlain: url.protocol === 'http:' }
    const isNamed = this.#exceptions.some((it) => it.host === host && fits(it, place))
    const target = { url, ...place, isNamed }
    if (target.isPlain && !isNamed && this.#exceptions.some((it) => it.host === host && fits(it, secure(place)))) {
      return needsPlain(host)
    }
    if (target.isAddress) return this.problemWith(target, host) ?? target
    if (isLocal(host) && loopbacks.every((address) => this.problemWith(target, address) !== undefined)) {
      return `${host} is no public address, and CLAVIGER_OUTBOUND_ALLOW does not list it`
    }
    if (target.isPlain && !isNamed && !this.#exceptions.some((it) => it.range !== undefined && fits(it, place))) {
      return `${mustBeSecure}; ${plainWhere(host)}`
    }
    return target
  }

  /** Why this address must not be connected to for the target. */
  problemWith(target: Omit<Target, 'url'>, address: string): string | undefined {
    if (target.isNamed) return undefined
    const parsed = parse(address)
    if (parsed === undefined) return `${address} is no address`
    const excepting = this.#exceptions.filter(({ range }) => range?.[0].kind() === parsed.kind() && parsed.match(range))
    if (excepting.some((it) => fits(it, target))) return undefined
    if (target.isPlain && excepting.some((it) => fits(it, secure(target)))) return needsPlain(address)
    if (!isPublic(parsed)) return `${address} is no public address, and CLAVIGER_OUTBOUND_ALLOW does not list it`
    if (target.isPlain) return `${mustBeSecure}; ${plainWhere(target.host)}`
    if (target.port !== 443 && target.port < firstFreePort) return `port ${target.port} is not for HTTPS`
    return undefined
  }
}

function fits({ port, isPlain }: Exception, target: { readonly port: number; readonly isPlain: boolean }): boolean {
  return (port === undefined || port === target.port) && (isPlain || !target.isPlain)
}

function secure(target: { readonly port: number }): { readonly port: number; readonly isPlain: boolean } {
  return { port: target.port, isPlain: false }
}

const mustBeSecure = 'the URL must begin with https://'

function plainWhere(host: string): string {
  return `http is for what CLAVIGER_OUTBOUND_ALLOW lists as http://${host.includes(':') ? `[${host}]` : host}`
}

function needsPlain(host: string): string {
  return `CLAVIGER_OUTBOUND_ALLOW lists ${host} for https alone; ${plainWhere(host)}`
}

// What embeds an IPv4 address (mapped, NAT64, 6to4, Teredo) is none of these: it would have to be judged by what it embeds.
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false
  // RFC 4291 section 2.4 calls all the rest unicast; the registry has given away 2000::/3 only.
  return address instanceof ipaddr.IPv4 || (address.parts[0]! & 0xe000) === 0x2000
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return ipaddr.isValid(address) ? ipaddr.parse(address) : undefined
}

function rangeOf(address: string): Range {
  const parsed = ipaddr.parse(address)
  return [parsed, parsed instanceof ipaddr.IPv4 ? 32 : 128] as Range
}

/** The one name whose addresses are known without asking (RFC 6761 section 6.3). */
function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

const loopbacks = ['127.0.0.1', '::1']

// `URL` has made one spelling of octal, hexadecimal and short forms of an IPv4 address.
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.$/, '')
}
