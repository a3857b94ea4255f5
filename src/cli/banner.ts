// What a start prints: how to reach the server and, once in the life of a data directory, the first key and a line that
// stores a record with it.

import type { Config } from '../config.ts'
import type { Listening } from '../server.ts'
import type { Opened } from './context.ts'
import { apiPathOf } from './credential-shown.ts'
import type { FirstCredential } from './first-start.ts'
import { pairs } from './outcome.ts'
import { version } from './version.ts'

export interface Greeting {
  /** Made by this start. */
  readonly first: FirstCredential | undefined
  /** Some of the organisations there are: one, or more than one. */
  readonly organisations: readonly number[]
}

export function banner(
  faces: Opened['faces'],
  { config, url, metricsUrl }: Pick<Listening, 'config' | 'url' | 'metricsUrl'>,
  { first, organisations }: Greeting,
): string {
  // A path names an organisation by number in every face that names one.
  const organisation = organisations.length === 1 ? String(organisations[0]) : '{orgId}'
  const rows = [...addresses(faces, config, organisation), ...places(config)]
  if (metricsUrl) rows.push(['metrics', metricsUrl])
  const head = `Claviger ${version} listens on ${url}\n\n${pairs(rows)}\n`
  return first ? `${head}\n${firstWords(first, config)}\n` : head
}

/** Where everything is kept; of a URL never the password. */
function places({ dataDirectory, database }: Config): (readonly [string, string])[] {
  if (database === undefined) return [['data', dataDirectory]]
  const { host, pathname } = new URL(database.url)
  return [
    ['database', `postgres://${host}${pathname}`],
    ['data', dataDirectory],
  ]
}

function addresses(faces: Opened['faces'], { baseUrl }: Config, organisation: string): [string, string][] {
  const withOrganisation = (path: string): string => path.replaceAll(/:org\w*/gi, organisation)
  const filled = (path: string): string => baseUrl + withOrganisation(path).replaceAll(/:(\w+)/g, '{$1}')
  const xapi: [string, string] = ['xAPI', `${baseUrl}/xapi/`]
  const others = faces.flatMap((face): [string, string][] => {
    const prefixes = (face.xapiMounts ?? []).map(({ prefix }) => withOrganisation(prefix))
    // The other names of the same places are in the guides.
    const inApplications = prefixes.filter((path) => path.includes('/:')).slice(0, 1)
    const shown = [...prefixes.filter((path) => !path.includes('/:')), ...inApplications]
    const isSpoken = face.xapiMounts ?? face.showCredential ?? face.mounts.find(({ isBase }) => isBase)
    const api = isSpoken ? apiPathOf(face) : undefined
    return [
      ...(api === undefined ? [] : [[`${face.name} API`, filled(api)] as [string, string]]),
      ...shown.map((path): [string, string] => [`${face.name} xAPI`, `${filled(path)}/`]),
    ]
  })
  return [xapi, ...others]
}

function firstWords({ key, secret }: FirstCredential, config: Config): string {
  const isChosen = config.bootstrap !== undefined
  const keys = pairs([
    ['key', key],
    // What a setting holds need not be in a log of the start, too.
    ['secret', isChosen ? '(as set by CLAVIGER_BOOTSTRAP_SECRET)' : secret],
  ])
  return `First start: organisation 1 and a credential with every right were made. ${isChosen ? 'Handle' : 'The secret is shown this once; handle'} it with care.

${keys}

Store a record:

${curlLine(key, isChosen ? undefined : secret, config)}
`
}

const firstStatement = {
  actor: { mbox: 'mailto:ann@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/experienced', display: { en: 'experienced' } },
  object: { id: 'http://example.org/activities/first-start' },
}

/** For a POSIX shell, in one line. */
function curlLine(key: string, secret: string | undefined, config: Config): string {
  const user = secret === undefined ? `${quote(`${key}:`)}"$CLAVIGER_BOOTSTRAP_SECRET"` : quote(`${key}:${secret}`)
  return [
    'curl',
    // A certificate made for another name would be refused at this machine's own address.
    ...(config.tls && !config.isBaseUrlSet ? ['--insecure'] : []),
    `--user ${user}`,
    `--header ${quote('X-Experience-API-Version: 1.0.3')}`,
    `--header ${quote('Content-Type: application/json')}`,
    `--data ${quote(JSON.stringify(firstStatement))}`,
    quote(`${config.baseUrl}/xapi/statements`),
  ].join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
