// Dockerfile, compose.yaml and the alert rules, as far as a machine without docker and Prometheus can tell: what they name exists,
// and the health check tells a server that lives from one that does not.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { configDocs, loadConfig } from '../src/config.ts'
import { answerOperations } from '../src/faces/unclaimed.ts'
import { Load } from '../src/faces/load.ts'
import { Metrics } from '../src/metrics.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')
const { scripts, engines } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  engines: { node: string }
}
const settings = new Set([...configDocs().matchAll(/CLAVIGER_[A-Z_]+/g)].map(([name]) => name))

interface Instruction {
  readonly name: string
  readonly rest: string
}

const instructions: readonly Instruction[] = read('Dockerfile')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }))
const restsOf = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ rest }) => rest)

describe('Dockerfile', () => {
  const copied = restsOf('COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(' ').slice(0, -1))

  it('copies what is there and what .dockerignore lets through', () => {
    const passed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    expect(copied.filter((path) => !existsSync(root + path))).toEqual([])
    expect(copied.filter((path) => !passed.includes(path))).toEqual([])
  })

  it('builds with the scripts of package.json, and with everything they read', () => {
    const commands = restsOf('RUN').flatMap((rest) => [...rest.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!))
    expect(commands).toEqual(['build'])
    expect(commands.filter((name) => !(name in scripts))).toEqual([])
    const configs = [...scripts['build']!.matchAll(/\S+\.json/g)].map(([name]) => name)
    expect(copied).toEqual(expect.arrayContaining(configs))
    expect(copied).toContain((JSON.parse(read(configs[0]!)) as { extends: string }).extends.slice(2))
  })

  it('runs on a Node that the program supports, as nobody special, with settings that exist', () => {
    const major = Number(/node:(\d+)-/.exec(restsOf('FROM').at(-1)!)?.[1])
    expect(major).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]))
    expect(restsOf('USER')).toEqual(['node'])
    const set = Object.fromEntries(
      [...restsOf('ENV')[0]!.matchAll(/(CLAVIGER_\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
    )
    expect(loadConfig(set)).toMatchObject({ host: '0.0.0.0', port: 8080, dataDirectory: '/data' })
    expect(restsOf('VOLUME')).toEqual([set['CLAVIGER_DATA']])
  })

  it('has a health check that tells life from its absence', async () => {
    const [, command] = /CMD (\[.*\])/.exec(restsOf('HEALTHCHECK')[0]!)!
    const [, ...argv] = JSON.parse(command!) as string[]
    const server = createServer((incoming, outgoing) => {
      const request = new Request(`http://localhost${incoming.url}`)
      const answer = answerOperations(request, incoming.url!, { look: () => Promise.reject(new Error('not asked')) })
      outgoing.writeHead((answer as Response | undefined)?.status ?? 404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const port = String((server.address() as AddressInfo).port)
    expect(await exitOf(argv, port)).toBe(0)
    await new Promise((resolve) => server.close(resolve))
    expect(await exitOf(argv, port)).toBe(1)
  })
})

function exitOf(argv: readonly string[], port: string): Promise<number> {
  const env = { PATH: process.env['PATH'], CLAVIGER_PORT: port }
  return new Promise((resolve) =>
    execFile(process.execPath, argv, { env }, (error) => resolve(Number(error?.code ?? 0))),
  )
}

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Record<string, string>
        readonly secrets?: string[]
        readonly volumes?: string[]
        readonly depends_on?: object
      }
    >
  >
  readonly secrets: object
  readonly volumes: object
  readonly configs: Readonly<Record<string, { readonly content: string }>>
}

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as Compose
  const services = Object.entries(compose.services)
  const nodes = services.filter(([, { environment }]) => environment && 'CLAVIGER_DATABASE_URL_FILE' in environment)

  it('sets nothing that is no setting, and nothing that is refused', () => {
    expect(nodes.length).toBe(2)
    for (const [, { environment = {} }] of nodes) {
      expect(Object.keys(environment).filter((name) => !settings.has(name))).toEqual([])
      const plain = Object.entries(environment)
        .filter(([name]) => !name.endsWith('_FILE'))
        .map(([name, value]) => [name, value.replace(/^\$\{\w+:-(.*)\}$/, '$1')])
      expect(loadConfig(Object.fromEntries(plain) as Record<string, string>)).toMatchObject({ drainWaitSeconds: 5 })
    }
  })

  it('names secrets, volumes and services that it has', () => {
    for (const [, { secrets = [], volumes = [], depends_on: needs = {} }] of services) {
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(secrets))
      expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(volumes.map((one) => one.split(':')[0])))
      const needed = Array.isArray(needs) ? (needs as string[]) : Object.keys(needs)
      expect(services.map(([name]) => name)).toEqual(expect.arrayContaining(needed))
    }
    for (const [name] of nodes) expect(compose.configs['caddyfile']!.content).toContain(`${name}:8080`)
  })

  it('asks for readiness where traffic is given out', () => {
    expect(compose.configs['caddyfile']!.content).toContain('health_uri /readyz')
  })
})

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string
      readonly expr: string
      readonly labels: object
      readonly annotations: { readonly summary: string }
    }[]
  }[]
}

describe('docs/prometheus-alerts.yml', () => {
  const { rules } = (parse(read('docs/prometheus-alerts.yml')) as Rules).groups[0]!

  it('goes by metrics, labels and reasons that exist', async () => {
    const text = await everyMetric()
    const names = new Set([...text.matchAll(/^([a-z0-9_]+)(?=[ {])/gm)].map(([name]) => name))
    const asked = new Set(rules.flatMap(({ expr }) => expr.match(/\b(claviger|nodejs|process)_[a-z0-9_]+/g) ?? []))
    expect(asked.size).toBeGreaterThan(10)
    expect([...asked].filter((name) => !names.has(name))).toEqual([])
    const labels = new Set([...text.matchAll(/[{,]([a-z]+)="/g)].map(([, label]) => label))
    const used = rules.flatMap(({ expr }) => [...expr.matchAll(/[{,](\w+)[=!]~?"/g)].map(([, label]) => label!))
    expect(used.filter((label) => label !== 'job' && !labels.has(label))).toEqual([])
  })

  it('says of each alert what it means and how bad it is, once', () => {
    for (const { labels, annotations } of rules) {
      expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) as string })
      expect(annotations.summary).toBeTruthy()
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  })

  it('is what the guide speaks of', () => {
    expect(readdirSync(`${root}docs/guides`)).toContain('operating.md')
    expect(read('docs/guides/operating.md')).toContain('prometheus-alerts.yml')
  })
})

/** Metrics of which each has been counted once, so that every series is there. */
async function everyMetric(): Promise<string> {
  const metrics = new Metrics()
  const bounds = { statements: 1, bytes: 1, callsInFlight: 1, statementsPerCall: 1, slowMs: 1, longestWaitMs: 1 }
  metrics.watch({
    load: new Load({ requests: 1, bodyBytes: 1, answerBytes: 1 }),
    reads: () => ({ waiting: 0, bound: 1 }),
    ingest: () => ({ statements: 0, bytes: 0, bounds }),
    storage: () => ({ connection_waits: 0 }),
    connections: () => 0,
    forwarding: () => ({ pipes: 0, working: 0, failing: 0, lagSeconds: 0 }),
    isReady: async () => true,
  })
  metrics.request({ face: 'xapi', route: '/', method: 'GET', status: 503, seconds: 0, refusal: 'overload' })
  metrics.call('statements.store', 'unavailable', 0)
  metrics.committed(1, 0)
  metrics.jobEnded('retention', true)
  return metrics.text()
}
