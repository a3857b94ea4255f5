import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCertificate } from '../test/support/https.ts'
import { atPort, configDocs, ConfigError, loadConfig } from './config.ts'
import type { Environment } from './config.ts'

const secretText = 'c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1zaG93biE'
const keyHex = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-config-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

function problems(environment: Environment): readonly string[] {
  try {
    loadConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('loadConfig', () => {
  it('takes a database for several nodes, whose URL is never shown, with a master key', () => {
    const CLAVIGER_DATABASE_URL = `postgres://claviger:${secretText}@db.example.org/claviger`
    const given = { CLAVIGER_MASTER_KEY: keyHex, CLAVIGER_DATABASE_URL, CLAVIGER_DATABASE_CONNECTIONS: '20' }
    const config = loadConfig(given)
    expect(config.database).toEqual({ url: CLAVIGER_DATABASE_URL, connections: 20, statementTimeoutSeconds: 30 })
    expect(JSON.stringify(config.settings)).not.toContain(secretText)
    const CLAVIGER_DATABASE_URL_FILE = file('database-url', `${CLAVIGER_DATABASE_URL}\n`)
    expect(loadConfig({ CLAVIGER_MASTER_KEY: keyHex, CLAVIGER_DATABASE_URL_FILE }).database?.url).toBe(
      CLAVIGER_DATABASE_URL,
    )
    expect(problems({ CLAVIGER_DATABASE_URL })).toEqual([
      'CLAVIGER_DATABASE_URL needs CLAVIGER_MASTER_KEY, the same on every node: `openssl rand -base64 32` makes one',
    ])
    for (const url of [`mysql://a:${secretText}@b/c`, secretText, `postgres://a:${secretText}@b`]) {
      const [problem, ...others] = problems({ CLAVIGER_MASTER_KEY: keyHex, CLAVIGER_DATABASE_URL: url })
      expect(others).toEqual([])
      expect(problem).toMatch(/^CLAVIGER_DATABASE_URL must be a URL such as/)
      expect(problem).not.toContain(secretText)
    }
  })

  it('runs without any setting', () => {
    expect(loadConfig({ PATH: '/bin' })).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      dataDirectory: resolve('data'),
      baseUrl: 'http://127.0.0.1:8080',
      isBaseUrlSet: false,
      logLevel: 'info',
      trustedProxies: [],
      maxBodyBytes: 4 * 1024 * 1024,
      maxDocumentBytes: 100 * 1024 ** 2,
      maxAttachmentBytes: 128 * 1024 ** 2,
      maxUploadBytes: 512 * 1024 ** 2,
      maxBatch: 2000,
      faces: { itslearning: true, learninglocker: true, scormcloudV1: true, scormcloudV2: true, watershed: true },
    })
  })

  it('reads every setting', () => {
    const config = loadConfig({
      CLAVIGER_PORT: '0',
      CLAVIGER_HOST: '::1',
      CLAVIGER_DATA: '/var/lib/claviger',
      CLAVIGER_BASE_URL: 'https://LRS.example.org/',
      CLAVIGER_MASTER_KEY: keyHex,
      CLAVIGER_MASTER_KEY_PREVIOUS: Buffer.alloc(32, 7).toString('base64url'),
      CLAVIGER_BOOTSTRAP_KEY: 'first',
      CLAVIGER_BOOTSTRAP_SECRET: 'long enough: yes',
      CLAVIGER_LOG_LEVEL: 'warn',
      CLAVIGER_RATE_LIMIT: '600',
      CLAVIGER_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      CLAVIGER_MAX_BODY: '512k',
      CLAVIGER_MAX_DOCUMENT: '2g',
      CLAVIGER_MAX_ATTACHMENT: '300m',
      CLAVIGER_MAX_UPLOAD: '1g',
      CLAVIGER_MAX_BATCH: '50',
      CLAVIGER_FACE_ITSLEARNING: 'off',
      CLAVIGER_FACE_LEARNINGLOCKER: 'off',
      CLAVIGER_FACE_SCORMCLOUD_V1: 'off',
      CLAVIGER_FACE_SCORMCLOUD_V2: 'off',
      CLAVIGER_FACE_WATERSHED: 'off',
    })
    expect(config).toMatchObject({
      port: 0,
      host: '::1',
      dataDirectory: '/var/lib/claviger',
      baseUrl: 'https://lrs.example.org',
      isBaseUrlSet: true,
      masterKey: Buffer.from(keyHex, 'hex'),
      masterKeyPrevious: Buffer.alloc(32, 7),
      bootstrap: { key: 'first', secret: 'long enough: yes' },
      logLevel: 'warn',
      rateLimitPerMinute: 600,
      trustedProxies: ['10.0.0.0/8', '::1'],
      maxBodyBytes: 512 * 1024,
      maxDocumentBytes: 2 * 1024 ** 3,
      maxAttachmentBytes: 300 * 1024 ** 2,
      maxUploadBytes: 1024 ** 3,
      maxBatch: 50,
      faces: { itslearning: false, learninglocker: false, scormcloudV1: false, scormcloudV2: false, watershed: false },
    })
  })

  it('reports all problems at once and no value of a secret', () => {
    const found = problems({
      CLAVIGER_PORT: '80800',
      CLAVIGER_HOST: 'not a host',
      CLAVIGER_BASE_URL: 'https://lrs.example.org/path',
      CLAVIGER_MASTER_KEY: secretText.slice(5),
      CLAVIGER_BOOTSTRAP_SECRET: 'short',
      CLAVIGER_LOG_LEVEL: 'loud',
      CLAVIGER_RATE_LIMIT: '0',
      CLAVIGER_TRUSTED_PROXIES: '10.0.0.0/8,proxy',
      CLAVIGER_TLS_CERT: join(directory, 'absent.pem'),
      CLAVIGER_MAX_BODY: '65m',
      CLAVIGER_MAX_DOCUMENT: '101g',
      CLAVIGER_MAX_BATCH: '-1',
      CLAVIGER_FACE_WATERSHED: 'yes',
      CLAVIGER_PROT: '1',
    })
    const names = found.map((problem) => problem.split(/[ :]/)[0]).toSorted()
    expect(names).toEqual([
      'CLAVIGER_BASE_URL',
      'CLAVIGER_BOOTSTRAP_KEY',
      'CLAVIGER_BOOTSTRAP_SECRET',
      'CLAVIGER_FACE_WATERSHED',
      'CLAVIGER_HOST',
      'CLAVIGER_LOG_LEVEL',
      'CLAVIGER_MASTER_KEY',
      'CLAVIGER_MAX_BATCH',
      'CLAVIGER_MAX_BODY',
      'CLAVIGER_MAX_DOCUMENT',
      'CLAVIGER_PORT',
      'CLAVIGER_PROT',
      'CLAVIGER_RATE_LIMIT',
      'CLAVIGER_TLS_CERT',
      'CLAVIGER_TLS_KEY',
      'CLAVIGER_TRUSTED_PROXIES',
    ])
    expect(found.join('\n')).not.toContain(secretText.slice(5, 15))
    expect(found.join('\n')).not.toContain('short')
  })

  it.each([
    ['CLAVIGER_PROT', 'CLAVIGER_PORT'],
    ['CLAVIGER_MASTERKEY', 'CLAVIGER_MASTER_KEY'],
    ['CLAVIGER_MASTER_KEY_FIEL', 'CLAVIGER_MASTER_KEY_FILE'],
    ['CLAVIGER_FACE_WATERSHD', 'CLAVIGER_FACE_WATERSHED'],
  ])('suggests the nearest name for %s', (wrong, right) => {
    expect(problems({ [wrong]: 'x' })).toEqual([`${wrong} is not a setting; did you mean ${right}?`])
  })

  it('refuses bounds of what is under way that would refuse what is allowed', () => {
    const settings = { CLAVIGER_MAX_BODY: '8m', CLAVIGER_MAX_BODIES: '15m', CLAVIGER_MAX_ANSWERS: '63m' }
    expect(() => loadConfig(settings)).toThrow(
      'CLAVIGER_MAX_BODIES must be at least twice CLAVIGER_MAX_BODY\nCLAVIGER_MAX_ANSWERS must be at least 64m',
    )
    expect(loadConfig({ CLAVIGER_MIN_RATE: 'off' }).load.leastRate).toBe(0)
  })

  it('refuses one port for two purposes, unless it is any free one', () => {
    const same = (port: string) => ({ CLAVIGER_PORT: port, CLAVIGER_METRICS_PORT: port })
    expect(problems(same('9000'))).toEqual([expect.stringContaining('CLAVIGER_METRICS_PORT must not be CLAVIGER_PORT')])
    expect(loadConfig(same('0')).metrics.listen?.port).toBe(0)
  })

  it('refuses URLs of other databases, and one where a directory belongs', () => {
    const key = Buffer.alloc(32, 1).toString('base64')
    for (const url of ['postgress://u@h/db', 'mysql://h/db']) {
      const settings = { CLAVIGER_MASTER_KEY: key, CLAVIGER_DATABASE_URL: url }
      expect(problems(settings)).toEqual([expect.stringContaining('must be a URL such as postgres://')])
    }
    expect(problems({ CLAVIGER_DATA: 'postgres://u@h/db' })).toEqual([expect.stringContaining('must be a directory')])
  })

  it('suggests nothing for what resembles nothing', () => {
    for (const name of ['CLAVIGER_QQQQQQQQQQQQQQQQ', 'CLAVIGER_FOO', 'CLAVIGER_DATABASE', 'CLAVIGER_URL']) {
      expect(problems({ [name]: 'x' })).toEqual([`${name} is not a setting`])
    }
  })

  it('takes an empty value as not set', () => {
    expect(loadConfig({ CLAVIGER_PORT: '', CLAVIGER_TLS_CERT: '' }).port).toBe(8080)
  })

  it.each([
    ['CLAVIGER_BOOTSTRAP_KEY', { CLAVIGER_BOOTSTRAP_KEY: 'first' }, 'CLAVIGER_BOOTSTRAP_SECRET is missing'],
    ['CLAVIGER_MASTER_KEY_PREVIOUS', { CLAVIGER_MASTER_KEY_PREVIOUS: keyHex }, 'needs CLAVIGER_MASTER_KEY'],
  ])('refuses %s alone', (_name, environment, expected) => {
    expect(problems(environment)).toEqual([expect.stringContaining(expected)])
  })

  it.each([['a:b'], ['with space'], ['ümlaut']])('refuses the bootstrap key %j, which Basic cannot carry', (key) => {
    const found = problems({ CLAVIGER_BOOTSTRAP_KEY: key, CLAVIGER_BOOTSTRAP_SECRET: 'long enough' })
    expect(found).toEqual([expect.stringMatching(/^CLAVIGER_BOOTSTRAP_KEY /)])
  })
})

describe('files', () => {
  it('reads a secret from its _FILE twin without the line end', () => {
    const path = file('key', `${keyHex}\n`)
    expect(loadConfig({ CLAVIGER_MASTER_KEY_FILE: path }).masterKey).toEqual(Buffer.from(keyHex, 'hex'))
  })

  it('refuses both forms, an unreadable and an empty file', () => {
    const path = file('key', keyHex)
    expect(problems({ CLAVIGER_MASTER_KEY: keyHex, CLAVIGER_MASTER_KEY_FILE: path })).toEqual([
      'CLAVIGER_MASTER_KEY and CLAVIGER_MASTER_KEY_FILE are both set: give one',
    ])
    expect(problems({ CLAVIGER_MASTER_KEY_FILE: join(directory, 'absent') })).toEqual([
      expect.stringMatching(/^CLAVIGER_MASTER_KEY_FILE: cannot read .*absent \(ENOENT\)$/),
    ])
    expect(problems({ CLAVIGER_MASTER_KEY_FILE: file('empty', '\n') })).toEqual([expect.stringContaining('is empty')])
  })

  it('reads CLAVIGER_CONFIG and lets the environment win', () => {
    const path = file(
      'config.json',
      JSON.stringify({ CLAVIGER_PORT: 9000, CLAVIGER_MAX_BATCH: 5, CLAVIGER_DATA: '/a' }),
    )
    const config = loadConfig({ CLAVIGER_CONFIG: path, CLAVIGER_DATA: '/b' })
    expect(config).toMatchObject({ port: 9000, maxBatch: 5, dataDirectory: '/b' })
    expect(config.settings).toContainEqual({ name: 'CLAVIGER_PORT', value: '9000', source: path })
    expect(config.settings).toContainEqual({ name: 'CLAVIGER_DATA', value: '/b', source: 'environment' })
  })

  it('lets a value in the environment replace the twin in the file', () => {
    const path = file('config.json', JSON.stringify({ CLAVIGER_MASTER_KEY_FILE: join(directory, 'absent') }))
    expect(loadConfig({ CLAVIGER_CONFIG: path, CLAVIGER_MASTER_KEY: keyHex }).masterKey?.toString('hex')).toBe(keyHex)
  })

  it.each([
    ['not JSON', `{"CLAVIGER_MASTER_KEY": "${secretText}`, 'is not JSON'],
    ['an array', '[]', 'one JSON object'],
    ['an unknown name', '{"CLAVIGER_PRT": "1"}', 'did you mean CLAVIGER_PORT'],
    ['a nested value', '{"CLAVIGER_PORT": {"a": 1}}', 'must be a string or a number'],
  ])('refuses a file with %s', (_name, content, expected) => {
    const found = problems({ CLAVIGER_CONFIG: file('bad.json', content) })
    expect(found).toEqual([expect.stringContaining(expected)])
    expect(found.join()).not.toContain(secretText)
  })

  it('reads a bucket, and what belongs to one only with it', () => {
    const credentials = { CLAVIGER_S3_ACCESS_KEY_ID: 'AKIA', CLAVIGER_S3_SECRET_ACCESS_KEY: 'not to be seen' }
    const config = loadConfig({
      ...{ CLAVIGER_S3_BUCKET: 'claviger', CLAVIGER_S3_ENDPOINT: 'http://127.0.0.1:9000', ...credentials },
      ...{ CLAVIGER_S3_PREFIX: 'one/two', CLAVIGER_S3_PATH_STYLE: 'on' },
    })
    expect(config.bucket).toEqual({
      ...{ bucket: 'claviger', endpoint: 'http://127.0.0.1:9000', prefix: 'one/two/', isPathStyle: true },
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'not to be seen' },
    })
    expect(JSON.stringify(config.settings)).not.toContain('not to be seen')
    expect(loadConfig({}).bucket).toBeUndefined()
    expect(problems({ CLAVIGER_S3_REGION: 'eu-central-1' })).toEqual([
      'CLAVIGER_S3_REGION needs CLAVIGER_S3_BUCKET, the bucket that it is about',
    ])
    expect(problems({ CLAVIGER_S3_BUCKET: 'claviger', CLAVIGER_S3_ACCESS_KEY_ID: 'AKIA' })).toEqual([
      expect.stringContaining('CLAVIGER_S3_SECRET_ACCESS_KEY is missing'),
    ])
  })

  it('accepts a certificate with its key and refuses it with another one', () => {
    const [cert, key, other] = ['cert.pem', 'key.pem', 'other.pem'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x']
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    execFileSync('openssl', [...make, '-keyout', other, '-out', join(directory, 'unused.pem')], { stdio: 'ignore' })
    const config = loadConfig({ CLAVIGER_TLS_CERT: cert, CLAVIGER_TLS_KEY: key })
    expect(config.tls?.cert).toContain('BEGIN CERTIFICATE')
    expect(config.baseUrl).toBe('https://127.0.0.1:8080')
    expect(problems({ CLAVIGER_TLS_CERT: cert, CLAVIGER_TLS_KEY: other })).toEqual([
      expect.stringContaining('not a PEM certificate and its private key'),
    ])
  })
})

describe('what is shown', () => {
  it('never holds a secret', () => {
    const secrets = {
      CLAVIGER_MASTER_KEY: keyHex,
      CLAVIGER_MASTER_KEY_PREVIOUS: Buffer.alloc(32, 7).toString('hex'),
      CLAVIGER_BOOTSTRAP_KEY: 'first',
      CLAVIGER_BOOTSTRAP_SECRET: 'hunter2hunter2',
    }
    const { settings } = loadConfig(secrets)
    const shown = JSON.stringify(settings)
    expect(shown).toContain('"first"')
    for (const name of ['CLAVIGER_MASTER_KEY', 'CLAVIGER_MASTER_KEY_PREVIOUS', 'CLAVIGER_BOOTSTRAP_SECRET'] as const) {
      expect(shown).not.toContain(secrets[name])
      expect(settings.find((setting) => setting.name === name)).toMatchObject({ value: '(secret)' })
    }
  })

  it('documents every setting', () => {
    const docs = configDocs()
    for (const { name } of loadConfig({}).settings) expect(docs).toContain(`\`${name}\``)
    expect(docs).toContain('`CLAVIGER_MASTER_KEY_FILE`')
  })
})

describe('atPort', () => {
  it('moves the base URL unless it was set', () => {
    expect(atPort(loadConfig({ CLAVIGER_PORT: '0' }), 4711).baseUrl).toBe('http://127.0.0.1:4711')
    expect(atPort(loadConfig({ CLAVIGER_HOST: '0.0.0.0', CLAVIGER_PORT: '0' }), 1).baseUrl).toBe('http://localhost:1')
    expect(atPort(loadConfig({ CLAVIGER_HOST: '::1', CLAVIGER_PORT: '0' }), 1).baseUrl).toBe('http://[::1]:1')
    expect(atPort(loadConfig({ CLAVIGER_BASE_URL: 'https://x.org', CLAVIGER_PORT: '0' }), 1).baseUrl).toBe(
      'https://x.org',
    )
  })
})

describe('outgoing requests', () => {
  it('nothing is excepted unless it is said', () => {
    expect(loadConfig({}).outbound).toEqual({ exceptions: [] })
  })

  it('addresses, ranges and names', () => {
    const { exceptions } = loadConfig({
      CLAVIGER_OUTBOUND_ALLOW: '10.0.0.0/8, lms.internal:8443 ,http://[::1]:9000',
    }).outbound
    expect(exceptions).toMatchObject([
      { isPlain: false },
      { host: 'lms.internal', port: 8443, isPlain: false },
      { port: 9000, isPlain: true },
    ])
  })

  it('what is none of these is named', () => {
    expect(() => loadConfig({ CLAVIGER_OUTBOUND_ALLOW: 'lms.internal,https://a.example.org' })).toThrow(
      /CLAVIGER_OUTBOUND_ALLOW is a list, .*"https:\/\/a\.example\.org" is none/,
    )
  })

  it('a file of authorities holds certificates', () => {
    const good = file('good.pem', `in-house\n${exampleCertificate.ca}${exampleCertificate.cert}`)
    const bad = file('bad.pem', exampleCertificate.key)
    expect(loadConfig({ CLAVIGER_OUTBOUND_CA_FILE: good }).outbound.ca).toContain('in-house')
    expect(() => loadConfig({ CLAVIGER_OUTBOUND_CA_FILE: bad })).toThrow(/does not hold PEM certificates/)
    const missing = join(directory, 'missing.pem')
    expect(() => loadConfig({ CLAVIGER_OUTBOUND_CA_FILE: missing })).toThrow(/cannot read .* \(ENOENT\)/)
  })
})
