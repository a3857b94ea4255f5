// The settings: one zod schema, read from the environment and an optional JSON file. Knows nothing of what they are used
// for; only app.ts, server.ts, copying.ts and cli/ import it. docs/config.md is generated from the schema (scripts/config-docs.ts).

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { nearest } from './core/nearest.ts'
import { exceptionRule, parseException } from './outbound/policy.ts'
import type { Exception } from './outbound/policy.ts'

export interface Config {
  /** 0 = any free port; `atPort` fills in the real one. */
  readonly port: number
  readonly host: string
  /** Absolute. */
  readonly dataDirectory: string
  /** PostgreSQL; absent: SQLite in the data directory. */
  readonly database?: DatabaseConfig
  /** Of an S3-compatible store, instead of a directory of files. */
  readonly bucket?: BucketConfig
  /** Origin under which clients reach the server, without a trailing slash. */
  readonly baseUrl: string
  /** False when `baseUrl` is made of scheme, host and port. */
  readonly isBaseUrlSet: boolean
  readonly masterKey?: Buffer
  readonly masterKeyPrevious?: Buffer
  readonly bootstrap?: { readonly key: string; readonly secret: string }
  readonly logLevel: LogLevel
  /** Requests a minute and credential on the xAPI; absent = off. */
  readonly rateLimitPerMinute?: number
  /** Addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[]
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly maxBodyBytes: number
  readonly maxDocumentBytes: number
  readonly maxAttachmentBytes: number
  readonly maxUploadBytes: number
  readonly maxBatch: number
  readonly load: LoadConfig
  readonly metrics: MetricsConfig
  readonly outbound: OutboundConfig
  /** This node works on pipes. */
  readonly isForwarding: boolean
  /** After the signal to stop: so long everything goes on, but `/readyz` says no. */
  readonly drainWaitSeconds: number
  /** What 1.0.x readers get of 2.0 statements. */
  readonly xapiDowngrade: 'as-stored' | 'strip'
  /** Which faces are mounted. */
  readonly faces: {
    readonly itslearning: boolean
    readonly learninglocker: boolean
    readonly scormcloudV1: boolean
    readonly scormcloudV2: boolean
    readonly watershed: boolean
  }
  /** What was set to what, and where, for showing: secrets are masked here. */
  readonly settings: readonly ShownSetting[]
}

export interface DatabaseConfig {
  /** Holds the password. */
  readonly url: string
  readonly connections: number
  readonly statementTimeoutSeconds: number
}

/** What is under way at most; beyond it requests are refused. */
export interface LoadConfig {
  readonly connections: number
  readonly requests: number
  readonly bodyBytes: number
  readonly answerBytes: number
  /** Bytes a second below which a body or an answer is cut off. */
  readonly leastRate: number
  readonly requestTimeoutSeconds: number
}

export interface MetricsConfig {
  /** A port of its own; 0 = any free one. */
  readonly listen?: { readonly port: number; readonly host: string }
  /** Who has it may read them: on the main port, too. */
  readonly token?: string
}

/** What is reached on a tenant's behalf beside public addresses. */
export interface OutboundConfig {
  readonly exceptions: readonly Exception[]
  /** PEM text of further authorities. */
  readonly ca?: string
}

export interface BucketConfig {
  readonly bucket: string
  readonly endpoint?: string
  readonly region?: string
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  readonly isPathStyle: boolean
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export interface ShownSetting {
  readonly name: string
  /** Null = not set and without a default. */
  readonly value: string | null
  /** `environment`, `default`, `not set` or the file it was read from. */
  readonly source: string
}

/** All that is wrong with a configuration, one line each. Never holds the value of a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** What docs/config.md says of a setting beside its description. */
interface About {
  readonly description: string
  /** For the reader, where the default is not a plain value. */
  readonly default?: string
  /** Never shown; may also be given as `<name>_FILE`. */
  readonly isSecret?: boolean
}

const text = z.string()
const host = text.refine((name) => URL.canParse(urlOf(name, 0, false)), 'must be an address or a host name')
const onOff = z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on')

function integer(least: number, most: number): z.ZodType<number, string> {
  const wrong = `must be a whole number from ${least} to ${most}`
  return text
    .regex(/^\d{1,10}$/, wrong)
    .transform(Number)
    .refine((value) => value >= least && value <= most, wrong)
}

const origin = text.transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password) {
    context.addIssue('must be an http or https URL such as https://lrs.example.org')
    return z.NEVER
  }
  // Clients take host and organisation id from fixed positions of the path (mod_tincanlaunch), so it must start at the root.
  if (url.pathname !== '/' || url.search || url.hash) {
    context.addIssue('must be an origin such as https://lrs.example.org, without a path')
    return z.NEVER
  }
  return url.origin
})

/** 32 bytes from base64 or hex; undefined for anything else. */
export function masterKeyFrom(value: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex')
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(value) ? Buffer.from(value, 'base64') : undefined
}

/** Whether it names a database that Claviger can use. */
export function isDatabaseUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') && url.pathname.length > 1
}
export const databaseUrlRule = 'must be a URL such as postgres://user:password@host:5432/database?sslmode=verify-full'
const databaseUrl = text.refine(isDatabaseUrl, databaseUrlRule)
/** Who puts a URL there means a database, and would get a directory of that name. */
const directory = text.refine(
  (value) => !value.includes('://'),
  'must be a directory, no URL; CLAVIGER_DATABASE_URL names a database',
)

const keyBytes = text.transform((value, context) => {
  const key = masterKeyFrom(value)
  if (key) return key
  context.addIssue('must be 32 bytes as base64 (44 characters) or hex (64 digits); `openssl rand -base64 32` makes one')
  return z.NEVER
})

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
const bytes = (most: '64m' | '100g') =>
  text.transform((value, context) => {
    const amount = toBytes(value) ?? 0
    if (amount >= 1024 && amount <= toBytes(most)!) return amount
    context.addIssue(`must be a size from 1k to ${most}, such as 4m`)
    return z.NEVER
  })

function toBytes(text: string): number | undefined {
  const match = /^(\d{1,12})(k|m|g|)i?b?$/i.exec(text)
  return match ? Number(match[1]) * (units[match[2]!.toLowerCase()] ?? 1) : undefined
}

const addresses = text.transform((value, context) => {
  const items = value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  for (const item of items) {
    if (!ipaddr.isValid(item) && !ipaddr.isValidCIDR(item)) {
      context.addIssue(`is a list of addresses and CIDR ranges; ${JSON.stringify(item)} is neither`)
    }
  }
  return items
})

const exceptions = text.transform((value, context) => {
  const items = value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  return items.flatMap((item) => {
    const exception = parseException(item)
    if (exception === undefined) context.addIssue(`is a list, each ${exceptionRule}; ${JSON.stringify(item)} is none`)
    return exception ?? []
  })
})

/** Characters of a secret that an operator chooses, here and at the command line; the APIs we imitate take shorter ones. */
export const leastSecretLength = 8

/** Printable and without a colon: Basic authentication splits at the first one. */
const bootstrapKey = text.regex(
  /^[\x21-\x39\x3b-\x7e]{1,200}$/,
  'must be 1 to 200 printable ASCII characters, no colon',
)
const bootstrapSecret = text
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be at most 255 printable ASCII characters')
  .min(leastSecretLength, `must have at least ${leastSecretLength} characters`)

const schema = z.object({
  CLAVIGER_PORT: integer(0, 65535).default(8080).meta({ description: 'Port to listen on; 0 takes any free one.' }),
  CLAVIGER_HOST: host
    .default('127.0.0.1')
    .meta({ description: 'Address to listen on. `0.0.0.0` or `::` listens on every interface.' }),
  CLAVIGER_DATA: directory.default('./data').meta({
    description:
      'Data directory: the database (unless `CLAVIGER_DATABASE_URL` names one), the data of attachments and long documents, the master key (unless it is given) and the command line’s socket.',
  }),
  CLAVIGER_DATABASE_URL: databaseUrl.optional().meta({
    description:
      'PostgreSQL 14 or later instead of the database in the data directory, for several nodes: `postgres://user:password@host:5432/database?sslmode=verify-full`. Every node has the same one, and the same `CLAVIGER_MASTER_KEY`, which must be given.',
    default: 'SQLite in the data directory',
    isSecret: true,
  }),
  CLAVIGER_DATABASE_CONNECTIONS: integer(2, 1000).default(10).meta({
    description:
      'Most connections one node has to PostgreSQL, beside one to listen on. All nodes together stay below its `max_connections`.',
  }),
  CLAVIGER_DATABASE_TIMEOUT: integer(1, 3600).default(30).meta({
    description: 'Seconds after which PostgreSQL gives up a statement; the request is answered 503.',
  }),
  CLAVIGER_S3_BUCKET: text
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/, 'must be the name of a bucket')
    .optional()
    .meta({
      description:
        'Bucket of an S3-compatible store that keeps the data of attachments and long documents, instead of a directory. It must be there, and be Claviger’s alone or below a prefix of its own.',
      default: '`blobs` in the data directory',
    }),
  CLAVIGER_S3_ENDPOINT: origin.optional().meta({
    description: 'Where the store is, such as `https://minio.example.org:9000`, unless it is Amazon’s.',
    default: 'Amazon S3',
  }),
  CLAVIGER_S3_REGION: text
    .regex(/^[a-z0-9-]{1,50}$/, 'must be a region such as eu-central-1')
    .optional()
    .meta({
      description: 'Region of the bucket. Other stores than Amazon’s mostly take any.',
      default: 'what the AWS SDK finds; with an endpoint `us-east-1`',
    }),
  CLAVIGER_S3_PREFIX: text
    .regex(/^[A-Za-z0-9!_.'()/-]{1,200}$/, "must be letters, digits and any of ! _ . ' ( ) / -")
    .transform((value) => (value.endsWith('/') ? value : `${value}/`))
    .optional()
    .meta({ description: 'What all names in the bucket begin with, such as `claviger/`.', default: 'none' }),
  CLAVIGER_S3_PATH_STYLE: onOff.default(false).meta({
    description:
      'The bucket in the path (`https://host/bucket/…`) instead of the host name (`https://bucket.host/…`): `on` or `off`. Most stores on one’s own machines want `on`.',
    default: 'off',
  }),
  CLAVIGER_S3_ACCESS_KEY_ID: text.optional().meta({
    description: 'Access key of the bucket; needs the secret, too.',
    default: 'what the AWS SDK finds: its environment variables and files, the role of the machine',
  }),
  CLAVIGER_S3_SECRET_ACCESS_KEY: text.optional().meta({
    description: 'Secret of that access key.',
    isSecret: true,
  }),
  CLAVIGER_BASE_URL: origin.optional().meta({
    description:
      'Origin under which clients reach this server, such as `https://lrs.example.org`; no path. Part of the authority stamped on statements, and of what requests with OAuth 1.0a sign: set it before the first one is stored.',
    default: 'scheme, host and port the server listens on',
  }),
  CLAVIGER_MASTER_KEY: keyBytes.optional().meta({
    description:
      'Wraps the keys that seal every secret: 32 bytes as base64 or hex. Without it the file `master.key` in the data directory is used, and created on the first start; a copy of the whole directory then includes the key.',
    default: '`master.key` in the data directory',
    isSecret: true,
  }),
  CLAVIGER_MASTER_KEY_PREVIOUS: keyBytes.optional().meta({
    description:
      'The master key before a change. When the data is still under it, the start puts it under the present one; then remove this setting.',
    isSecret: true,
  }),
  CLAVIGER_BOOTSTRAP_KEY: bootstrapKey.optional().meta({
    description: 'Key of the first credential, for automation. Only read on the first start; needs the secret, too.',
    default: 'a random one, printed once',
  }),
  CLAVIGER_BOOTSTRAP_SECRET: bootstrapSecret.optional().meta({
    description: `Secret of the first credential, at least ${leastSecretLength} characters.`,
    default: 'a random one, printed once',
    isSecret: true,
  }),
  CLAVIGER_LOG_LEVEL: z
    .enum(logLevels, `must be one of ${logLevels.join(', ')}`)
    .default('info')
    .meta({
      description: `How much is logged, as JSON lines on standard error: ${logLevels.join(', ')}. From \`debug\` on, a line for each request.`,
    }),
  CLAVIGER_RATE_LIMIT: z
    .union(
      [z.literal('off').transform(() => undefined), integer(1, 100_000_000)],
      'must be off or requests a minute and credential, at least 1',
    )
    .optional()
    .meta({ description: 'Requests a minute each credential may make on the xAPI, or `off`.', default: 'off' }),
  CLAVIGER_TRUSTED_PROXIES: addresses.default([]).meta({
    description:
      'Addresses and CIDR ranges, separated by commas, whose `X-Forwarded-For` is believed. Everybody else’s is ignored.',
    default: 'none',
  }),
  CLAVIGER_TLS_CERT: text.optional().meta({
    description: 'File with the PEM certificate (and chain) to serve HTTPS with; needs the key, too.',
    default: 'plain HTTP',
  }),
  CLAVIGER_TLS_KEY: text.optional().meta({ description: 'File with the PEM private key of that certificate.' }),
  CLAVIGER_MAX_BODY: bytes('64m')
    .default(4 * 1024 ** 2)
    .meta({
      description:
        'Largest body of a request that stores statements, in bytes or as `512k`, `4m`; at most `64m`. The larger it is, the longer one request holds up all others. A credential may have a lower limit.',
      default: '4m',
    }),
  CLAVIGER_MAX_DOCUMENT: bytes('100g')
    .default(100 * 1024 ** 2)
    .meta({
      description:
        'Largest State or profile document, in bytes or as `512k`, `100m`. JSON, which is merged, also keeps to `CLAVIGER_MAX_BODY`. A credential may have a lower limit.',
      default: '100m',
    }),
  CLAVIGER_MAX_ATTACHMENT: bytes('100g')
    .default(128 * 1024 ** 2)
    .meta({
      description:
        'Largest data of one attachment that is sent along with a statement, in bytes or as `512k`, `100m`. Goes to disk as it arrives. A request must arrive within five minutes.',
      default: '128m',
    }),
  CLAVIGER_MAX_UPLOAD: bytes('100g')
    .default(512 * 1024 ** 2)
    .meta({
      description:
        'Most data of all attachments of one request together. A credential’s own limit of a body counts for it, too.',
      default: '512m',
    }),
  CLAVIGER_MAX_BATCH: integer(1, 100_000)
    .default(2000)
    .meta({ description: 'Most statements in one request. A credential may have a lower limit.' }),
  CLAVIGER_MAX_CONNECTIONS: integer(10, 1_000_000).default(5000).meta({
    description: 'Most open connections; further ones are closed at once. Each takes some 20 kB and a file descriptor.',
  }),
  CLAVIGER_MAX_REQUESTS: integer(10, 1_000_000).default(1000).meta({
    description:
      'Most requests under way; further ones are answered 503 with `Retry-After` before anything of them is read. The longest a request waits grows with it. At most half of them may be receiving a body.',
  }),
  CLAVIGER_MAX_BODIES: bytes('100g')
    .default(128 * 1024 ** 2)
    .meta({
      description:
        'Most bytes of request bodies in memory at one time, from their first byte to the answer; further ones are answered 503. Each takes several times its length while it is worked on. At least twice `CLAVIGER_MAX_BODY`.',
      default: '128m',
    }),
  CLAVIGER_MAX_ANSWERS: bytes('100g')
    .default(256 * 1024 ** 2)
    .meta({
      description:
        'Most bytes of answers of more than 64 kB that clients have not taken yet; further ones are answered 503. At least `64m`.',
      default: '256m',
    }),
  CLAVIGER_MIN_RATE: z
    .union([z.literal('off').transform(() => 0), bytes('64m')], 'must be off or a size from 1k to 64m, such as 8k')
    .default(8 * 1024)
    .meta({
      description:
        'Bytes a second, after a grace of 30 seconds, that a client must send of a body and take of an answer; slower ones are cut off. Or `off`.',
      default: '8k',
    }),
  CLAVIGER_REQUEST_TIMEOUT: integer(5, 86_400).default(300).meta({
    description: 'Seconds in which a whole request must have arrived.',
  }),
  CLAVIGER_DRAIN_WAIT: integer(0, 3600).default(0).meta({
    description:
      'Seconds between the signal to stop and the end of accepting: so long `/readyz` answers 503 while all else goes on, for a load balancer to notice.',
  }),
  CLAVIGER_METRICS_PORT: integer(0, 65535).optional().meta({
    description:
      'Port on which `/metrics` is served, in the text format of Prometheus, beside `/healthz` and `/readyz`.',
    default: 'none',
  }),
  CLAVIGER_METRICS_HOST: host.default('127.0.0.1').meta({
    description: 'Address of that port. Whoever reaches it reads the metrics, unless a token is set.',
  }),
  CLAVIGER_METRICS_TOKEN: text
    .regex(/^[\x21-\x7e]{16,255}$/, 'must be 16 to 255 printable ASCII characters without spaces')
    .optional()
    .meta({
      description:
        'Also serves `/metrics` on the main port, and everywhere only to who sends it: `Authorization: Bearer …`. 16 to 255 printable characters without spaces.',
      default: 'no metrics on the main port',
      isSecret: true,
    }),
  CLAVIGER_OUTBOUND_ALLOW: exceptions.default([]).meta({
    description:
      'What callbacks, pipes, imports over HTTP and `claviger compare` may reach beside public addresses, separated by commas: addresses, CIDR ranges and host names, each with a port if it is to be that one alone (`10.0.0.0/8,lms.internal:8443,[::1]:9443`), and with `http://` before it where it may be reached without TLS. A host name is allowed wherever it leads.',
    default: 'none: nothing private, local or reserved is reached',
  }),
  CLAVIGER_OUTBOUND_CA_FILE: text.optional().meta({
    description:
      'File with PEM certificates of authorities that callbacks, pipes, imports and `claviger compare` trust beside those that Node knows, for certificates made in-house.',
    default: 'none',
  }),
  CLAVIGER_FORWARDING: onOff.default(true).meta({
    description:
      'Whether this node works on pipes: `on` or `off`. Off for a copy of a store, as a backup that is opened to look into it, which would forward to the same targets.',
    default: 'on',
  }),
  CLAVIGER_XAPI_DOWNGRADE: z.enum(['as-stored', 'strip'], 'must be as-stored or strip').default('as-stored').meta({
    description:
      'What a request of xAPI 1.0.x gets of statements stored with 2.0: `as-stored`, or `strip`, without `contextAgents` and `contextGroups` and with a `version` of 1.0. What is stored stays as it is.',
  }),
  CLAVIGER_FACE_LEARNINGLOCKER: onOff.default(true).meta({
    description:
      'Learning Locker’s API of clients, stores, organisations and statements under `/api`, and its xAPI path `/data/xAPI`: `on` or `off`.',
    default: 'on',
  }),
  CLAVIGER_FACE_WATERSHED: onOff.default(true).meta({
    description: 'Watershed’s Credentials API and xAPI path under `/api/organizations/…`: `on` or `off`.',
    default: 'on',
  }),
  CLAVIGER_FACE_SCORMCLOUD_V1: onOff.default(true).meta({
    description:
      'SCORM Cloud’s API v1, as far as it is about LRS accounts, at `/api` and `/EngineWebServices/api`: `on` or `off`.',
    default: 'on',
  }),
  CLAVIGER_FACE_SCORMCLOUD_V2: onOff.default(true).meta({
    description: 'SCORM Cloud’s API v2, as far as it is about applications and xAPI, under `/api/v2`: `on` or `off`.',
    default: 'on',
  }),
  CLAVIGER_FACE_ITSLEARNING: onOff.default(true).meta({
    description:
      'itslearning’s signed launches, under `/launch/itslearning`: `on` or `off`. Launches by other systems, and the pages of those under way, are there either way.',
    default: 'on',
  }),
})

type SettingName = keyof typeof schema.shape
type Values = z.output<typeof schema>

const prefix = 'CLAVIGER_'
const configFile = 'CLAVIGER_CONFIG'
const configFileAbout =
  'Optional JSON file: one object with these names and their values. The environment wins over it.'

function about(name: SettingName): About {
  return schema.shape[name].meta() as unknown as About
}
const settingNames = Object.keys(schema.shape) as SettingName[]
const knownNames = new Set<string>([
  configFile,
  ...settingNames,
  ...settingNames.filter((name) => about(name).isSecret).map((name) => `${name}_FILE`),
])

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads the whole configuration or throws one `ConfigError` with every problem. */
export function loadConfig(environment: Environment): Config {
  const problems: string[] = []
  const given = gather(environment, problems)
  const parsed = schema.safeParse(Object.fromEntries([...given].map(([name, { value }]) => [name, value])))
  if (!parsed.success) {
    // A value is quoted only where it cannot be a secret, and here no message quotes one at all.
    for (const issue of parsed.error.issues) problems.push(`${String(issue.path[0])} ${issue.message}`)
  }
  const values: Partial<Values> = parsed.success ? parsed.data : {}
  const isGiven = (name: SettingName): boolean => given.has(name)
  for (const [one, other] of [
    ['CLAVIGER_BOOTSTRAP_KEY', 'CLAVIGER_BOOTSTRAP_SECRET'],
    ['CLAVIGER_S3_ACCESS_KEY_ID', 'CLAVIGER_S3_SECRET_ACCESS_KEY'],
    ['CLAVIGER_TLS_CERT', 'CLAVIGER_TLS_KEY'],
  ] as const) {
    if (isGiven(one) !== isGiven(other)) {
      problems.push(`${isGiven(one) ? other : one} is missing: ${one} and ${other} come together or not at all`)
    }
  }
  const tls = readTls(given.get('CLAVIGER_TLS_CERT')?.value, given.get('CLAVIGER_TLS_KEY')?.value, problems)
  const ca = readCa(given.get('CLAVIGER_OUTBOUND_CA_FILE')?.value, problems)
  const ofBucket = settingNames.find((name) => name.startsWith('CLAVIGER_S3_') && isGiven(name))
  if (ofBucket !== undefined && !isGiven('CLAVIGER_S3_BUCKET')) {
    problems.push(`${ofBucket} needs CLAVIGER_S3_BUCKET, the bucket that it is about`)
  }
  if (isGiven('CLAVIGER_MASTER_KEY_PREVIOUS') && !isGiven('CLAVIGER_MASTER_KEY')) {
    problems.push('CLAVIGER_MASTER_KEY_PREVIOUS needs CLAVIGER_MASTER_KEY, the key that replaces it')
  }
  if (isGiven('CLAVIGER_DATABASE_URL') && !isGiven('CLAVIGER_MASTER_KEY')) {
    problems.push(
      'CLAVIGER_DATABASE_URL needs CLAVIGER_MASTER_KEY, the same on every node: `openssl rand -base64 32` makes one',
    )
  }
  if (parsed.success) problems.push(...checkPorts(parsed.data), ...checkLoad(parsed.data))
  if (problems.length > 0) throw new ConfigError(problems)
  return assemble(values as Values, { tls, ca }, given)
}

function checkPorts({ CLAVIGER_PORT: port, CLAVIGER_METRICS_PORT: other }: Values): string[] {
  if (port === 0 || port !== other) return []
  return [`CLAVIGER_METRICS_PORT must not be CLAVIGER_PORT (${port}); CLAVIGER_METRICS_TOKEN serves metrics there`]
}

/** What would refuse for ever what is allowed elsewhere. */
function checkLoad(values: Values): string[] {
  const problems: string[] = []
  if (values.CLAVIGER_MAX_BODIES < 2 * values.CLAVIGER_MAX_BODY) {
    problems.push('CLAVIGER_MAX_BODIES must be at least twice CLAVIGER_MAX_BODY')
  }
  if (values.CLAVIGER_MAX_ANSWERS < 64 * 1024 ** 2) problems.push('CLAVIGER_MAX_ANSWERS must be at least 64m')
  return problems
}

/** The same configuration with the port that was really bound. */
export function atPort(config: Config, port: number): Config {
  if (port === config.port) return config
  const baseUrl = config.isBaseUrlSet ? config.baseUrl : defaultBaseUrl(config.host, port, config.tls !== undefined)
  return { ...config, port, baseUrl }
}

interface Given {
  readonly value: string
  readonly source: string
}

/** What was set, by name; an empty value counts as not set. Fills `_FILE` twins in and reports names nobody knows. */
function gather(environment: Environment, problems: string[]): Map<SettingName, Given> {
  const raw = new Map<string, Given>()
  const file = environment[configFile]
  if (file) readConfigFile(file, raw, problems)
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || !value) continue
    // A value in the environment also replaces the file's twin of it.
    raw.delete(name.endsWith('_FILE') ? name.slice(0, -5) : `${name}_FILE`)
    raw.set(name, { value, source: 'environment' })
  }
  for (const name of Object.keys(environment)) {
    const twin = name.endsWith('_FILE') ? name.slice(0, -5) : undefined
    if (twin && environment[name] && environment[twin] && knownNames.has(name)) {
      problems.push(`${twin} and ${name} are both set: give one`)
    }
  }
  const given = new Map<SettingName, Given>()
  for (const [name, { value, source }] of raw) {
    if (name === configFile) continue
    if (!knownNames.has(name)) problems.push(unknownName(name))
    else if (isSettingName(name)) given.set(name, { value, source })
    else readSecretFile(name, value, given, problems)
  }
  return given
}

function isSettingName(name: string): name is SettingName {
  return name in schema.shape
}

function readConfigFile(file: string, into: Map<string, Given>, problems: string[]): void {
  const content = readText(file, configFile, problems)
  if (content === undefined) return
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch {
    // The parser's message would quote the text, which may hold a secret.
    problems.push(`${configFile}: ${file} is not JSON`)
    return
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    problems.push(`${configFile}: ${file} must hold one JSON object`)
    return
  }
  for (const [name, value] of Object.entries(parsed)) {
    const isPlain = typeof value === 'string' || typeof value === 'number'
    if (isPlain) into.set(name, { value: String(value), source: file })
    else problems.push(`${name} in ${file} must be a string or a number`)
  }
}

function readSecretFile(name: string, file: string, into: Map<SettingName, Given>, problems: string[]): void {
  const setting = name.slice(0, -'_FILE'.length)
  const content = readText(file, name, problems)
  if (content === undefined || !isSettingName(setting)) return
  const value = content.replace(/\r?\n$/, '')
  if (value === '') problems.push(`${name}: ${file} is empty`)
  else into.set(setting, { value, source: file })
}

function readText(file: string, name: string, problems: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    problems.push(`${name}: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`)
    return undefined
  }
}

function readTls(certFile: string | undefined, keyFile: string | undefined, problems: string[]): Config['tls'] {
  const cert = certFile === undefined ? undefined : readText(certFile, 'CLAVIGER_TLS_CERT', problems)
  const key = keyFile === undefined ? undefined : readText(keyFile, 'CLAVIGER_TLS_KEY', problems)
  if (cert === undefined || key === undefined) return undefined
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    problems.push(`CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY are not a PEM certificate and its private key (${code})`)
    return undefined
  }
}

function readCa(file: string | undefined, problems: string[]): string | undefined {
  const ca = file === undefined ? undefined : readText(file, 'CLAVIGER_OUTBOUND_CA_FILE', problems)
  if (ca === undefined) return undefined
  try {
    const certificates = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    if (certificates.map((it) => new X509Certificate(it)).length > 0) return ca
  } catch {
    // Said below.
  }
  problems.push(`CLAVIGER_OUTBOUND_CA_FILE: ${file} does not hold PEM certificates`)
  return undefined
}

function unknownName(name: string): string {
  // What all begin with makes none of them near.
  const rest = nearest(
    name.slice(prefix.length),
    [...knownNames].map((known) => known.slice(prefix.length)),
  )
  const known = rest && prefix + rest
  return `${name} is not a setting${known ? `; did you mean ${known}?` : ''}`
}

function assemble(
  values: Values,
  { tls, ca }: { readonly tls: Config['tls']; readonly ca: string | undefined },
  given: ReadonlyMap<SettingName, Given>,
): Config {
  const { CLAVIGER_PORT: port, CLAVIGER_HOST: host, CLAVIGER_BASE_URL: baseUrl } = values
  const { CLAVIGER_BOOTSTRAP_KEY: key, CLAVIGER_BOOTSTRAP_SECRET: secret } = values
  return {
    port,
    host,
    dataDirectory: resolve(values.CLAVIGER_DATA),
    baseUrl: baseUrl ?? defaultBaseUrl(host, port, tls !== undefined),
    isBaseUrlSet: baseUrl !== undefined,
    ...(values.CLAVIGER_S3_BUCKET !== undefined && { bucket: bucketOf(values.CLAVIGER_S3_BUCKET, values) }),
    ...(values.CLAVIGER_DATABASE_URL !== undefined && { database: databaseOf(values.CLAVIGER_DATABASE_URL, values) }),
    ...(values.CLAVIGER_MASTER_KEY && { masterKey: values.CLAVIGER_MASTER_KEY }),
    ...(values.CLAVIGER_MASTER_KEY_PREVIOUS && { masterKeyPrevious: values.CLAVIGER_MASTER_KEY_PREVIOUS }),
    ...(key !== undefined && secret !== undefined && { bootstrap: { key, secret } }),
    logLevel: values.CLAVIGER_LOG_LEVEL,
    ...(values.CLAVIGER_RATE_LIMIT !== undefined && { rateLimitPerMinute: values.CLAVIGER_RATE_LIMIT }),
    trustedProxies: values.CLAVIGER_TRUSTED_PROXIES,
    ...(tls && { tls }),
    maxBodyBytes: values.CLAVIGER_MAX_BODY,
    maxDocumentBytes: values.CLAVIGER_MAX_DOCUMENT,
    maxAttachmentBytes: values.CLAVIGER_MAX_ATTACHMENT,
    maxUploadBytes: values.CLAVIGER_MAX_UPLOAD,
    maxBatch: values.CLAVIGER_MAX_BATCH,
    load: {
      connections: values.CLAVIGER_MAX_CONNECTIONS,
      requests: values.CLAVIGER_MAX_REQUESTS,
      bodyBytes: values.CLAVIGER_MAX_BODIES,
      answerBytes: values.CLAVIGER_MAX_ANSWERS,
      leastRate: values.CLAVIGER_MIN_RATE,
      requestTimeoutSeconds: values.CLAVIGER_REQUEST_TIMEOUT,
    },
    metrics: metricsOf(values),
    isForwarding: values.CLAVIGER_FORWARDING,
    outbound: { exceptions: values.CLAVIGER_OUTBOUND_ALLOW, ...(ca !== undefined && { ca }) },
    drainWaitSeconds: values.CLAVIGER_DRAIN_WAIT,
    xapiDowngrade: values.CLAVIGER_XAPI_DOWNGRADE,
    faces: {
      itslearning: values.CLAVIGER_FACE_ITSLEARNING,
      learninglocker: values.CLAVIGER_FACE_LEARNINGLOCKER,
      scormcloudV1: values.CLAVIGER_FACE_SCORMCLOUD_V1,
      scormcloudV2: values.CLAVIGER_FACE_SCORMCLOUD_V2,
      watershed: values.CLAVIGER_FACE_WATERSHED,
    },
    settings: settingNames.map((name) => showSetting(name, given.get(name))),
  }
}

function bucketOf(bucket: string, values: Values): BucketConfig {
  const { CLAVIGER_S3_ENDPOINT: endpoint, CLAVIGER_S3_REGION: region } = values
  const { CLAVIGER_S3_ACCESS_KEY_ID: accessKeyId, CLAVIGER_S3_SECRET_ACCESS_KEY: secretAccessKey } = values
  return {
    ...{ bucket, prefix: values.CLAVIGER_S3_PREFIX ?? '', isPathStyle: values.CLAVIGER_S3_PATH_STYLE },
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  }
}

function databaseOf(url: string, values: Values): DatabaseConfig {
  const { CLAVIGER_DATABASE_CONNECTIONS: connections, CLAVIGER_DATABASE_TIMEOUT: statementTimeoutSeconds } = values
  return { url, connections, statementTimeoutSeconds }
}

function metricsOf(values: Values): MetricsConfig {
  const { CLAVIGER_METRICS_PORT: port, CLAVIGER_METRICS_HOST: on, CLAVIGER_METRICS_TOKEN: token } = values
  return { ...(port !== undefined && { listen: { port, host: on } }), ...(token !== undefined && { token }) }
}

function showSetting(name: SettingName, given: Given | undefined): ShownSetting {
  if (given) return { name, value: about(name).isSecret ? '(secret)' : given.value, source: given.source }
  const value = shownDefault(name)
  return { name, value, source: value === null ? 'not set' : 'default' }
}

function shownDefault(name: SettingName): string | null {
  const { default: words } = about(name)
  if (words !== undefined) return words.replaceAll('`', '')
  const parsed: unknown = schema.shape[name].safeParse(undefined).data
  return parsed === undefined ? null : String(parsed)
}

/** What a client on this machine would use; a server for others sets CLAVIGER_BASE_URL. */
function defaultBaseUrl(host: string, port: number, isTls: boolean): string {
  return new URL(urlOf(host, port, isTls)).origin
}

function urlOf(host: string, port: number, isTls: boolean): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${isTls ? 'https' : 'http'}://${name}:${port}`
}

/** docs/config.md, whole. */
export function configDocs(): string {
  const rows = settingNames.map((name) => {
    const { description, isSecret } = about(name)
    const words = about(name).default ?? (shownDefault(name) === null ? '–' : `\`${shownDefault(name)}\``)
    const names = isSecret ? `\`${name}\`<br>\`${name}_FILE\`` : `\`${name}\``
    return `| ${names} | ${words} | ${description} |`
  })
  return [
    '# Settings',
    '',
    '<!-- Generated from src/config.ts by `npm run docs`; do not edit. -->',
    '',
    'Claviger reads environment variables and runs without any. Where two names are given, the second is a file that',
    'holds the value. A bad configuration, including a `CLAVIGER_` name that does not exist, prints all its problems and',
    'exits with 78. `claviger config` shows what is in effect and where it comes from.',
    '',
    '| name | default | meaning |',
    '| --- | --- | --- |',
    `| \`${configFile}\` | none | ${configFileAbout} |`,
    ...rows,
    '',
  ].join('\n')
}
