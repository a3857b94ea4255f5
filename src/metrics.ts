// What is counted, as Prometheus reads it: the one file that knows prom-client. No label names a tenant, a key or an id; every
// label has few values. docs/prometheus-alerts.yml goes by these names.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { ForwardingState } from './core/forwarding.ts'
import type { IngestState } from './core/ingest.ts'
import type { JobName, Meter } from './core/meter.ts'
import type { Load } from './faces/load.ts'

export interface CountedRequest {
  readonly face: string
  /** A pattern. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly seconds: number
  readonly refusal?: string | undefined
  /** Acknowledged. */
  readonly statements?: number | undefined
}

/** What is looked at when somebody asks, and not counted as it happens. */
export interface MetricSources {
  readonly load: Load
  reads(): { readonly waiting: number; readonly bound: number }
  ingest(): IngestState
  /** As `Storage.load`. */
  storage(): Readonly<Record<string, number>>
  connections(): number
  forwarding(): ForwardingState
  isReady(): Promise<boolean>
}

const latencies = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export class Metrics implements Meter {
  readonly #registry = new Registry()
  readonly #requests = this.#histogram(
    'claviger_request_duration_seconds',
    'From the first byte of a request to its answer.',
    {
      labelNames: ['face', 'route', 'method', 'status'],
      buckets: latencies,
    },
  )
  readonly #calls = this.#histogram('claviger_storage_call_duration_seconds', 'Calls of the storage.', {
    labelNames: ['operation', 'outcome'],
    buckets: latencies,
  })
  readonly #commits = this.#histogram('claviger_commit_statements', 'Statements that one call of the storage stored.', {
    labelNames: [],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
  })
  readonly #commitSeconds = this.#histogram(
    'claviger_commit_duration_seconds',
    'Calls of the storage that store statements.',
    {
      labelNames: [],
      buckets: latencies,
    },
  )
  readonly #refusals = this.#counter('claviger_refusals_total', 'Requests refused, by reason.', ['face', 'reason'])
  readonly #jobs = this.#counter('claviger_job_runs_total', 'Runs of background jobs on this node.', [
    'task',
    'outcome',
  ])
  readonly #jobEnds = new Gauge({
    name: 'claviger_job_last_success_timestamp_seconds',
    help: 'When a background job last ended well on this node.',
    labelNames: ['task'],
    registers: [this.#registry],
  })
  readonly #forwarded = this.#counter(
    'claviger_forwarded_statements_total',
    'Statements that targets of pipes acknowledged.',
  )
  readonly #forwardingFailures = this.#counter(
    'claviger_forwarding_failures_total',
    'Attempts of pipes that failed: tried again later, or paused until somebody resumes them.',
    ['outcome'],
  )
  // Counted with every request: a number is cheaper than a look into labels.
  #statements = 0
  readonly #signIns = { memory: 0, store: 0 }

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
    // From the beginning, or the first pause of a pipe would be no increase.
    for (const outcome of ['later', 'paused']) this.#forwardingFailures.inc({ outcome }, 0)
    const counted = (name: string, help: string, labelNames: string[], collect: (counter: Counter) => void): void => {
      new Counter({
        ...{ name, help, labelNames, registers: [this.#registry] },
        collect() {
          this.reset()
          collect(this)
        },
      })
    }
    counted('claviger_statements_acknowledged_total', 'Statements that clients were told are stored.', [], (counter) =>
      counter.inc(this.#statements),
    )
    const signIns = 'Verified sign-ins: out of memory, or by a look into the store.'
    counted('claviger_sign_ins_total', signIns, ['from'], (counter) => {
      for (const from of ['memory', 'store'] as const) counter.inc({ from }, this.#signIns[from])
    })
  }

  /** Once. What is asked is asked whenever somebody reads. */
  watch(sources: MetricSources): void {
    const { load } = sources
    new Gauge({
      name: 'claviger_storage_load',
      help: 'What waits for a part of the storage or uses it.',
      labelNames: ['of'],
      registers: [this.#registry],
      collect() {
        for (const [of, count] of Object.entries(sources.storage())) this.set({ of }, count)
      },
    })
    this.#gauge('claviger_ready', 'Whether /readyz says yes.', async () => Number(await sources.isReady()))
    this.#gauge('claviger_connections', 'Open connections.', () => sources.connections())
    this.#gauge('claviger_requests_in_flight', 'Requests without an answer.', () => load.requests)
    this.#gauge('claviger_requests_limit', 'Beyond it requests are refused.', () => load.bounds.requests)
    this.#gauge('claviger_bodies_receiving', 'Bodies that are arriving.', () => load.receiving)
    this.#gauge('claviger_body_bytes', 'Bytes of bodies held.', () => load.bodies.held)
    this.#gauge('claviger_body_bytes_limit', 'Beyond it bodies are refused.', () => load.bounds.bodyBytes)
    this.#gauge('claviger_answer_bytes', 'Bytes of answers not taken yet.', () => load.answers.held)
    this.#gauge('claviger_answer_bytes_limit', 'Beyond it answers are refused.', () => load.bounds.answerBytes)
    const { forwarding } = sources
    this.#gauge('claviger_pipes', 'Pipes that run, on all nodes.', () => forwarding().pipes)
    this.#gauge('claviger_pipes_working', 'Pipes this node works on.', () => forwarding().working)
    this.#gauge('claviger_pipes_failing', 'Pipes that wait for another attempt.', () => forwarding().failing)
    this.#gauge(
      'claviger_pipe_lag_seconds',
      'For how long the pipe furthest behind has not delivered all it should.',
      () => forwarding().lagSeconds,
    )
    this.#gauge('claviger_reads_waiting', 'Reads of statements waiting for the storage.', () => sources.reads().waiting)
    this.#gauge('claviger_reads_waiting_limit', 'Beyond it reads are refused.', () => sources.reads().bound)
    this.#gauge(
      'claviger_ingest_queue_statements',
      'Statements waiting or being stored.',
      () => sources.ingest().statements,
    )
    this.#gauge(
      'claviger_ingest_queue_statements_limit',
      'Beyond it statements are refused.',
      () => sources.ingest().bounds.statements,
    )
    this.#gauge(
      'claviger_ingest_queue_bytes',
      'Characters of JSON waiting or being stored.',
      () => sources.ingest().bytes,
    )
    this.#gauge(
      'claviger_ingest_queue_bytes_limit',
      'Beyond it statements are refused.',
      () => sources.ingest().bounds.bytes,
    )
  }

  request({ face, route, method, status, seconds, refusal, statements = 0 }: CountedRequest): void {
    this.#requests.observe({ face, route, method: methods.has(method) ? method : 'other', status }, seconds)
    if (refusal !== undefined) this.#refusals.inc({ face, reason: refusal })
    this.#statements += statements
  }

  call(operation: string, outcome: string, seconds: number): void {
    this.#calls.observe({ operation, outcome }, seconds)
  }

  signedIn(from: 'memory' | 'store'): void {
    this.#signIns[from] += 1
  }

  committed(statements: number, seconds: number): void {
    this.#commits.observe(statements)
    this.#commitSeconds.observe(seconds)
  }

  jobEnded(job: JobName, isDone: boolean): void {
    this.#jobs.inc({ task: job, outcome: isDone ? 'done' : 'failed' })
    if (isDone) this.#jobEnds.setToCurrentTime({ task: job })
  }

  forwarded(statements: number): void {
    this.#forwarded.inc(statements)
  }

  forwardingFailed(outcome: 'later' | 'paused'): void {
    this.#forwardingFailures.inc({ outcome })
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #histogram(name: string, help: string, options: { readonly labelNames: string[]; readonly buckets: number[] }) {
    return new Histogram({ name, help, ...options, registers: [this.#registry] })
  }

  #counter(name: string, help: string, labelNames: string[] = []) {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string, value: () => number | Promise<number>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: async () => gauge.set(await value()),
    })
  }
}
