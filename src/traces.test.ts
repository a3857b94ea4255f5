import { ROOT_CONTEXT, SpanStatusCode, context, createContextKey, propagation, trace } from '@opentelemetry/api'
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { routeFaces } from './app.ts'
import type { Core } from './core/core.ts'
import { findTraces } from './traces.ts'
import { xapiFace } from './faces/xapi/index.ts'

interface Recorded {
  name: string
  attributes: Attributes
  parent: unknown
  isFailed: boolean
  isEnded: boolean
}

const parentKey = createContextKey('parent')

/** What an SDK registers, as little of it as shows what it is told. */
function register(): Recorded[] {
  const spans: Recorded[] = []
  const startActiveSpan = (name: string, options: { attributes?: Attributes }, ...rest: unknown[]): unknown => {
    const work = rest.pop() as (span: Span) => unknown
    const within = (rest[0] as Context | undefined) ?? context.active()
    const recorded: Recorded = {
      name,
      attributes: { ...options.attributes },
      parent: within.getValue(parentKey),
      isFailed: false,
      isEnded: false,
    }
    spans.push(recorded)
    return work({
      updateName: (changed: string) => (recorded.name = changed),
      setAttributes: (more: Attributes) => Object.assign(recorded.attributes, more),
      setStatus: ({ code }: { code: SpanStatusCode }) => (recorded.isFailed = code === SpanStatusCode.ERROR),
      end: () => (recorded.isEnded = true),
    } as unknown as Span)
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startActiveSpan }) as unknown as Tracer })
  propagation.setGlobalPropagator({
    fields: () => ['traceparent'],
    inject() {},
    extract: (_, carrier, getter) => ROOT_CONTEXT.setValue(parentKey, getter.get(carrier, 'traceparent')),
  })
  return spans
}

afterEach(() => {
  trace.disable()
  propagation.disable()
})

describe('traces', () => {
  it('are none without an SDK', () => {
    expect(findTraces()).toBeUndefined()
  })

  it('go on where traceparent says so, and name the pattern, never the path', async () => {
    const spans = register()
    const log = { info() {}, warn() {}, error() {} }
    const app = routeFaces({} as Core, [xapiFace()], { trustedProxies: [], log, traces: findTraces() })
    await app.request('/xapi/about?secret=1', { headers: { traceparent: '00-aa-bb-01' } })
    await app.request('/xapi/nobody/knows')
    expect(spans).toMatchObject([
      {
        name: 'GET /xapi/about',
        parent: '00-aa-bb-01',
        attributes: { 'http.route': '/xapi/about', 'http.response.status_code': 200, 'claviger.face': 'xapi' },
        isFailed: false,
        isEnded: true,
      },
      { name: 'GET /xapi/*', attributes: { 'http.response.status_code': 404 }, isFailed: false, isEnded: true },
    ])
    expect(JSON.stringify(spans)).not.toMatch(/secret|knows/)
  })

  it('have a span for each call of the storage, ended also when it fails, without what was thrown', async () => {
    const spans = register()
    const traces = findTraces()!
    expect(await traces.call('statements.list', async () => 5)).toBe(5)
    await expect(traces.call('statements.store', () => Promise.reject(new Error('a name')))).rejects.toThrow('a name')
    expect(spans).toMatchObject([
      { name: 'storage statements.list', isFailed: false, isEnded: true },
      { name: 'storage statements.store', isFailed: true, isEnded: true },
    ])
    expect(JSON.stringify(spans)).not.toContain('a name')
  })
})
