// Recorded requests, as whoever ran the old store has them: a path or URL a line, JSON lines, an access log, a HAR file. What comes out
// are GETs of xAPI, each once, relative to an endpoint; what is left out is counted by its reason. Asks nobody.

export interface RecordedRequest {
  /** `statements?limit=5`: what follows the endpoint. */
  readonly path: string
  /** Only those that change the answer. */
  readonly headers: Readonly<Record<string, string>>
  /** How often it was recorded. */
  readonly times: number
}

export interface Recording {
  readonly requests: readonly RecordedRequest[]
  /** By why. */
  readonly leftOut: Readonly<Record<string, number>>
}

interface Raw {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Different ones. */
export const mostRequests = 100_000
const longestUrl = 16_384
/** Who asks is somebody else now, and tags of one store mean nothing to another: these are all that is sent again. */
const kept: ReadonlySet<string> = new Set(['accept', 'accept-language', 'x-experience-api-version'])

const resource = /(?:^|\/)(statements|activities(?:\/(?:state|profile))?|agents(?:\/profile)?|about)\/?$/i
/** What the specification knows; anything else of a request for statements is the old store's own, such as the place in a list. */
const statementParameters: ReadonlySet<string> = new Set([
  ...['statementid', 'voidedstatementid', 'agent', 'verb', 'activity', 'registration', 'related_activities'],
  ...['related_agents', 'since', 'until', 'limit', 'format', 'attachments', 'ascending'],
])

export class Recorder {
  readonly #requests = new Map<string, { readonly request: Omit<RecordedRequest, 'times'>; times: number }>()
  readonly #leftOut = new Map<string, number>()

  /** One line of whichever of the formats that have lines. */
  takeLine(line: string): void {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) return
    const raw = text.startsWith('{') ? fromJson(text) : (fromLog(text) ?? fromPlain(text))
    if (raw === undefined) return this.#leave('a line that is no request')
    this.#take(raw)
  }

  /** A whole HAR file, as JSON. False: it is none. */
  takeHar(value: unknown): boolean {
    const entries = (value as { log?: { entries?: unknown } } | null)?.log?.entries
    if (!Array.isArray(entries)) return false
    for (const entry of entries as { request?: unknown }[]) {
      const { method, url, headers } = (entry?.request ?? {}) as Record<string, unknown>
      if (typeof method !== 'string' || typeof url !== 'string') this.#leave('an entry that is no request')
      else this.#take({ method, url, headers: headersOf(headers) })
    }
    return true
  }

  get recording(): Recording {
    const requests = [...this.#requests.values()].map(({ request, times }) => ({ ...request, times }))
    return { requests, leftOut: Object.fromEntries(this.#leftOut) }
  }

  #take({ method, url, headers }: Raw): void {
    if (!/^(get|head)$/i.test(method)) return this.#leave('not a GET')
    if (url.length > longestUrl) return this.#leave('a URL that is too long')
    const path = pathOf(url)
    if (path === undefined) return this.#leave('not a resource of xAPI')
    if (path === 'continued') return this.#leave('a page behind the first: where it begins, only the old store knows')
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
    const sent = Object.fromEntries(own.filter(([name, value]) => kept.has(name) && isSendable(value)).toSorted())
    const name = `${path}\n${JSON.stringify(sent)}`
    const known = this.#requests.get(name)
    if (known !== undefined) known.times += 1
    else if (this.#requests.size === mostRequests) this.#leave(`more than ${mostRequests} different requests`)
    else this.#requests.set(name, { request: { path, headers: sent }, times: 1 })
  }

  #leave(why: string): void {
    this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1)
  }
}

function isSendable(value: string): boolean {
  return value.length <= 1_000 && !/[^\t -~]/.test(value)
}

function pathOf(url: string): string | undefined {
  if (!URL.canParse(url, 'http://recorded.invalid')) return undefined
  const { pathname, search, searchParams } = new URL(url, 'http://recorded.invalid')
  const name = resource.exec(pathname)?.[1]?.toLowerCase()
  if (name === undefined) return /\/statements\/./i.test(pathname) ? 'continued' : undefined
  const isContinued = [...searchParams.keys()].some((key) => !statementParameters.has(key.toLowerCase()))
  return name === 'statements' && isContinued ? 'continued' : name + search
}

function fromPlain(text: string): Raw | undefined {
  const [, method = 'GET', url = ''] = /^(?:([A-Z]+)\s+)?(\S+)(?:\s+HTTP\/[\d.]+)?$/.exec(text) ?? []
  return /^(https?:\/\/|\/)|^[a-z]/i.test(url) && !/^[a-z]+$/i.test(url)
    ? { method, url, headers: {} }
    : bare(method, url)
}

/** `statements`, `about`: a resource without anything. */
function bare(method: string, url: string): Raw | undefined {
  return resource.test(url) ? { method, url, headers: {} } : undefined
}

/** Common and combined log format: the request line in quotes, with what a server escapes in it. */
function fromLog(text: string): Raw | undefined {
  const [, method, url] = /^\S+ \S+ [^[]{0,200}\[[^\]]{0,100}\] "([A-Z]+) (\S+) HTTP\/[\d.]+"/.exec(text) ?? []
  if (method === undefined || url === undefined) return undefined
  return { method, url: url.replaceAll(/\\x([0-9a-f]{2})/gi, '%$1'), headers: {} }
}

function fromJson(text: string): Raw | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const { method = 'GET', path, url = path, headers } = value
    return typeof url === 'string' && typeof method === 'string'
      ? { method, url, headers: headersOf(headers) }
      : undefined
  } catch {
    return undefined
  }
}

/** An object, or a list of names and values as HAR has it. */
function headersOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  const list = Array.isArray(value)
    ? (value as { name?: unknown; value?: unknown }[]).map((one) => [one?.name, one?.value])
    : Object.entries(value)
  return Object.fromEntries(
    list.filter(([name, text]) => typeof name === 'string' && typeof text === 'string'),
  ) as Record<string, string>
}
