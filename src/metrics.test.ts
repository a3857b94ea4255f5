import { describe, expect, it } from 'vitest'
import { Load } from './faces/load.ts'
import { Metrics } from './metrics.ts'

function watched(): { metrics: Metrics; load: Load } {
  const metrics = new Metrics()
  const load = new Load({ requests: 10, bodyBytes: 20, answerBytes: 30 })
  const bounds = { statements: 50, bytes: 60, callsInFlight: 2, statementsPerCall: 3, slowMs: 4, longestWaitMs: 1 }
  metrics.watch({
    load,
    reads: () => ({ waiting: 1, bound: 2 }),
    ingest: () => ({ statements: 5, bytes: 6, bounds }),
    storage: () => ({ connections: 7 }),
    connections: () => 8,
    forwarding: () => ({ pipes: 9, working: 2, failing: 1, lagSeconds: 3.5 }),
    isReady: async () => false,
  })
  return { metrics, load }
}

describe('Metrics', () => {
  it('are what was counted', async () => {
    const { metrics } = watched()
    const post = { face: 'xapi', route: '/xapi/statements', method: 'POST', seconds: 0.003 }
    metrics.request({ ...post, status: 200, statements: 3 })
    metrics.request({ ...post, status: 200, statements: 4 })
    metrics.request({ ...post, status: 503, refusal: 'overload' })
    metrics.signedIn('memory')
    metrics.committed(7, 0.001)
    metrics.jobEnded('retention', true)
    metrics.jobEnded('retention', false)
    metrics.forwarded(200)
    metrics.forwardingFailed('paused')
    metrics.call('statements.store', 'unavailable', 0.5)
    const text = await metrics.text()
    const labels = 'face="xapi",route="/xapi/statements",method="POST"'
    for (const line of [
      `claviger_request_duration_seconds_count{${labels},status="200"} 2`,
      `claviger_request_duration_seconds_count{${labels},status="503"} 1`,
      'claviger_refusals_total{face="xapi",reason="overload"} 1',
      'claviger_statements_acknowledged_total 7',
      'claviger_sign_ins_total{from="memory"} 1',
      'claviger_sign_ins_total{from="store"} 0',
      'claviger_commit_statements_sum 7',
      'claviger_forwarded_statements_total 200',
      'claviger_forwarding_failures_total{outcome="paused"} 1',
      'claviger_pipes_failing 1',
      'claviger_pipe_lag_seconds 3.5',
      'claviger_job_runs_total{task="retention",outcome="failed"} 1',
      'claviger_storage_call_duration_seconds_count{operation="statements.store",outcome="unavailable"} 1',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(/claviger_job_last_success_timestamp_seconds\{task="retention"\} \d+/)
  })

  it('know of each request how long it took, in buckets that add up', async () => {
    const { metrics } = watched()
    const get = { face: 'xapi', route: '/xapi/about', method: 'GET', status: 200 }
    for (const seconds of [0.0005, 0.001, 0.003, 99]) metrics.request({ ...get, seconds })
    const lines = (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith('claviger_request_duration_seconds'))
    const of = (le: string) => lines.find((line) => line.includes(`le="${le}"`))?.split(' ')[1]
    expect([of('0.001'), of('0.0025'), of('0.005'), of('30'), of('+Inf')]).toEqual(['2', '2', '3', '3', '4'])
    expect(lines.find((line) => line.startsWith('claviger_request_duration_seconds_sum'))).toMatch(/ 99\.0045$/)
  })

  it('are the same when they are read twice', async () => {
    const { metrics } = watched()
    metrics.request({ face: 'xapi', route: '/', method: 'GET', status: 200, seconds: 0, statements: 2 })
    await metrics.text()
    expect(await metrics.text()).toContain('claviger_statements_acknowledged_total 2\n')
  })

  it('show queues beside their bounds, as they are now', async () => {
    const { metrics, load } = watched()
    load.enter().keepBody(9)
    const lines = (await metrics.text()).split('\n')
    const expected = {
      claviger_ready: 0,
      claviger_connections: 8,
      claviger_requests_in_flight: 1,
      claviger_requests_limit: 10,
      claviger_body_bytes: 9,
      claviger_body_bytes_limit: 20,
      claviger_answer_bytes: 0,
      claviger_answer_bytes_limit: 30,
      claviger_reads_waiting: 1,
      claviger_reads_waiting_limit: 2,
      claviger_ingest_queue_statements: 5,
      claviger_ingest_queue_statements_limit: 50,
      claviger_ingest_queue_bytes: 6,
      claviger_ingest_queue_bytes_limit: 60,
      'claviger_storage_load{of="connections"}': 7,
    }
    for (const [name, value] of Object.entries(expected)) expect(lines).toContain(`${name} ${value}`)
    expect(lines.some((line) => line.startsWith('nodejs_eventloop_lag_p99_seconds '))).toBe(true)
    expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true)
  })

  it('take no method that somebody made up', async () => {
    const { metrics } = watched()
    metrics.request({ face: 'xapi', route: '/', method: 'BREW', status: 405, seconds: 0 })
    expect(await metrics.text()).not.toContain('BREW')
  })
})
