// The load generator: a process of its own, driven by messages from its parent. Knows HTTP and the statement, not the product.

import http from 'node:http'
import { performance } from 'node:perf_hooks'
import autocannon from 'autocannon'
import { batchBodies, benchStatement, singleBodies } from './statement.ts'

interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Many connections for a time: how much gets through. */
export interface LoadJob extends Target {
  readonly kind: 'load'
  readonly workload: 'single' | 'batch' | 'paths'
  /** Statements a batch. */
  readonly batchSize?: number
  /** Paths with query, for `paths`. */
  readonly paths?: readonly string[]
  readonly connections: number
  readonly seconds: number
}

/** One connection, one request after the other: how long each takes. */
export interface LatencyJob extends Target {
  readonly kind: 'latency'
  readonly paths: readonly string[]
  /** Authorization values to go through in turn instead of the one in `headers`. */
  readonly authorizations?: readonly string[]
  readonly count: number
}

/** Statements `from` (inclusive) to `to` (exclusive), in batches. */
export interface PreloadJob extends Target {
  readonly kind: 'preload'
  readonly from: number
  readonly to: number
  readonly batchSize: number
}

export type Job = LoadJob | LatencyJob | PreloadJob

export interface LoadResult {
  /** Answers of class 2xx a second. */
  readonly perSecond: number
  readonly answers: number
  /** Everything else: other classes, errors, timeouts. */
  readonly failures: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface LatencyResult {
  readonly count: number
  readonly failures: number
  readonly p50Us: number
  readonly p99Us: number
  readonly meanUs: number
}

const distinctSingles = 512
const distinctBatches = 16

async function load(job: LoadJob): Promise<LoadResult> {
  const path = new URL(job.url).pathname
  const requests =
    job.workload === 'paths'
      ? (job.paths ?? []).map((path) => ({ method: 'GET', path, headers: job.headers }))
      : bodies(job).map((body) => ({
          method: 'POST',
          path,
          headers: { ...job.headers, 'content-type': 'application/json' },
          body,
        }))
  const result = await autocannon({
    url: job.url,
    connections: job.connections,
    duration: job.seconds,
    requests,
    timeout: 30,
  })
  return {
    perSecond: result['2xx'] / result.duration,
    answers: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}

function bodies(job: LoadJob): string[] {
  return job.workload === 'single' ? singleBodies(distinctSingles) : batchBodies(distinctBatches, job.batchSize ?? 50)
}

async function latency(job: LatencyJob): Promise<LatencyResult> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const times = new Float64Array(job.count)
  let failures = 0
  for (let index = 0; index < job.count; index++) {
    const path = job.paths[index % job.paths.length] ?? '/'
    const authorization = job.authorizations?.[index % job.authorizations.length]
    const headers = authorization === undefined ? job.headers : { ...job.headers, authorization }
    const start = performance.now()
    const status = await get(new URL(path, job.url), headers, agent)
    times[index] = (performance.now() - start) * 1000
    if (status !== 200 && status !== 404) failures++
  }
  agent.destroy()
  times.sort()
  const at = (share: number) => times[Math.min(job.count - 1, Math.floor(job.count * share))] ?? 0
  const meanUs = times.reduce((sum, time) => sum + time, 0) / job.count
  return { count: job.count, failures, p50Us: at(0.5), p99Us: at(0.99), meanUs }
}

function get(url: URL, headers: Readonly<Record<string, string>>, agent: http.Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

async function preload(job: PreloadJob): Promise<{ readonly seconds: number }> {
  const start = performance.now()
  let next = job.from
  const lane = async (): Promise<void> => {
    while (next < job.to) {
      const first = next
      next = Math.min(job.to, first + job.batchSize)
      const body = JSON.stringify(Array.from({ length: next - first }, (_, index) => benchStatement(first + index)))
      const headers = { ...job.headers, 'content-type': 'application/json' }
      const response = await fetch(job.url, { method: 'POST', headers, body })
      if (response.status !== 200) throw new Error(`preload: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  return { seconds: (performance.now() - start) / 1000 }
}

process.on('message', (job: Job) => {
  const done = job.kind === 'load' ? load(job) : job.kind === 'latency' ? latency(job) : preload(job)
  Promise.resolve(done).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
