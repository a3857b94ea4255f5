// In this process, on the core's use cases: what checking a credential costs, warm and cold, and what counting usage costs.
// `node --import tsx bench/credentials.ts <directory> <number of keys> [<postgres URL>]` prints one line of JSON.

import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { createCore, type Core } from '../src/core/core.ts'
import type { OrganisationId } from '../src/core/ids.ts'
import type { Principal } from '../src/core/principal.ts'
import { findPreset } from '../src/core/presets.ts'
import { inLanes, openStore } from './lanes.ts'

export interface CredentialFigures {
  readonly keys: number
  readonly createdPerSecond: number
  /** One key, over and over. */
  readonly warmUs: number
  /** A thousand keys in turn, each seen before. */
  readonly warmThousandUs: number
  /** Every key for the first time, one after the other. */
  readonly coldUs: number
  /** The same, 64 at a time and below a path that names the organisation. */
  readonly coldPerSecond: number
  readonly residentMiB: { readonly before: number; readonly after: number }
  /** One `count`, the same key over and over. */
  readonly countUs: number
  /** One `count`, a thousand keys in turn. */
  readonly countThousandUs: number
  /** Processor time of one flush, one and a thousand keys counted since the last. */
  readonly flushMs: number
  readonly flushThousandMs: number
}

const [directory = '.', keysText = '50000', databaseUrl] = process.argv.slice(2)
const keys = Number(keysText)
const masterKey = randomBytes(32)

async function openCore(): Promise<Core> {
  return createCore({
    storage: await openStore(path.resolve(directory), databaseUrl),
    masterKey,
    baseUrl: 'http://127.0.0.1',
    limits: { batch: 1000, bodyBytes: 5_000_000, documentBytes: 5_000_000, xapiRatePerMinute: undefined },
  })
}

const attempt = (number: number) => ({ key: `bench-key-${number}`, secret: `bench-secret-${number}-0123456789` })
const residentMiB = () => Math.round(process.memoryUsage.rss() / 2 ** 20)

async function fill(): Promise<{ readonly createdPerSecond: number; readonly within: OrganisationId }> {
  const core = await openCore()
  const { organisation } = await core.organisations.create({ operator: 'bench' }, { name: 'Bench' })
  const operator = core.signIn.operator(organisation.id, 'bench')
  const rights = findPreset('isolated')?.rights
  if (rights === undefined) throw new Error('no preset "isolated"')
  const seconds = await inLanes(keys, 32, (number) =>
    core.credentials.create(operator, { name: `Bench ${number}`, rights, ...attempt(number) }),
  )
  await core.close()
  return { createdPerSecond: keys / seconds, within: organisation.id }
}

async function measure({ createdPerSecond, within }: Awaited<ReturnType<typeof fill>>): Promise<CredentialFigures> {
  let core = await openCore()
  const before = residentMiB()
  const coldSeconds = await inLanes(keys, 1, (number) => core.signIn.basic(attempt(number)))
  const after = residentMiB()
  await core.close()

  core = await openCore()
  const coldParallel = await inLanes(keys, 64, (number) => core.signIn.basic({ ...attempt(number), within }))
  const principals: Principal[] = []
  for (let number = 0; number < 1000; number++) principals.push(await core.signIn.basic(attempt(number)))
  const warmCalls = 100_000
  const warm = await inLanes(warmCalls, 1, () => core.signIn.basic(attempt(0)))
  const warmThousand = await inLanes(warmCalls, 1, (number) => core.signIn.basic(attempt(number % 1000)))

  const count = (distinct: number): number => {
    const calls = 1_000_000
    const start = performance.now()
    for (let call = 0; call < calls; call++) {
      const principal = principals[call % distinct]
      if (principal) core.usage.count(principal, { statements: 1, userAgent: 'bench' })
    }
    return ((performance.now() - start) * 1000) / calls
  }
  const flush = async (): Promise<number> => {
    const start = process.cpuUsage()
    await core.usage.flush()
    const used = process.cpuUsage(start)
    return (used.user + used.system) / 1000
  }
  count(1)
  await core.usage.flush()
  const countUs = count(1)
  const flushMs = await flush()
  const countThousandUs = count(1000)
  const flushThousandMs = await flush()
  await core.close()
  return {
    keys,
    createdPerSecond,
    warmUs: (warm * 1e6) / warmCalls,
    warmThousandUs: (warmThousand * 1e6) / warmCalls,
    coldUs: (coldSeconds * 1e6) / keys,
    coldPerSecond: keys / coldParallel,
    residentMiB: { before, after },
    countUs,
    countThousandUs,
    flushMs,
    flushThousandMs,
  }
}

process.stdout.write(`${JSON.stringify(await measure(await fill()))}\n`)
