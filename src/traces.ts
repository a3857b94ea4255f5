// Spans of requests and of storage calls, for whichever OpenTelemetry SDK the operator loads before the program. Without one
// there is nothing here to call. Knows nothing of what is asked for: a route, a status, an operation.

import { ProxyTracerProvider, SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api'
import type { Span, TextMapGetter, Tracer } from '@opentelemetry/api'

export interface TracedRequest {
  readonly method: string
  readonly headers: Headers
  readonly requestId: string
}

export interface TracedAnswer {
  readonly status: number
  readonly face: string
  readonly route: string
}

export interface Traces {
  /** Runs what answers a request within a span, which goes on where a `traceparent` says so. */
  request(request: TracedRequest, answer: () => Promise<TracedAnswer>): Promise<void>
  call<T>(operation: string, call: () => Promise<T>): Promise<T>
}

/** Undefined without an SDK: it registers itself before the program starts. */
export function findTraces(): Traces | undefined {
  const provider = trace.getTracerProvider()
  if (provider instanceof ProxyTracerProvider && provider.getDelegateTracer('claviger') === undefined) return undefined
  return tracesOf(trace.getTracer('claviger'))
}

const ofHeaders: TextMapGetter<Headers> = {
  get: (headers, name) => headers.get(name) ?? undefined,
  keys: (headers) => [...headers.keys()],
}

function tracesOf(tracer: Tracer): Traces {
  return {
    request({ method, headers, requestId }, answer) {
      const caller = propagation.extract(context.active(), headers, ofHeaders)
      // Names and attributes: OpenTelemetry semantic conventions for HTTP servers.
      const attributes = { 'http.request.method': method, 'claviger.request_id': requestId }
      return tracer.startActiveSpan(method, { kind: SpanKind.SERVER, attributes }, caller, (span) =>
        ended(span, async () => {
          const { status, face, route } = await answer()
          span.updateName(`${method} ${route}`)
          span.setAttributes({ 'http.route': route, 'http.response.status_code': status, 'claviger.face': face })
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        }),
      )
    },
    call(operation, call) {
      const attributes = { 'db.operation.name': operation }
      return tracer.startActiveSpan(`storage ${operation}`, { kind: SpanKind.CLIENT, attributes }, (span) =>
        ended(span, call),
      )
    },
  }
}

/** What was thrown may quote what was sent, so that it was thrown is all that is said of it. */
async function ended<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}
