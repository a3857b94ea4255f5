// What answers outside every face: the front page, which names the endpoints, the signs of life and of readiness, the
// metrics. Tells nothing of the installation that is not in the README, but to who has the metrics' token.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Readiness } from '../core/readiness.ts'
import type { Face } from './face.ts'

const plainHeaders = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' }

/** What is answered to whoever runs the server, besides the sign of life. */
export interface Operations {
  look(): Promise<Readiness>
  readonly metrics?: { readonly contentType: string; text(): Promise<string> } | undefined
  /** Who sends it reads the metrics; without one, who reaches a port of their own does. */
  readonly token?: string | undefined
}

/** Answered to everybody. */
export function isPublic(method: string, path: string): boolean {
  return isLook(method) && ['/', '/healthz', '/readyz'].includes(path)
}

/** Undefined for a path, or a method, that has nothing here either. */
export function answerUnclaimed(
  request: Request,
  path: string,
  { faces, operations }: { readonly faces: readonly Face[]; readonly operations?: Operations | undefined },
): Response | Promise<Response> | undefined {
  const { method, headers } = request
  if (!isLook(method)) return undefined
  if (path === '/') return frontPage(method, headers, faces)
  // Nobody would know who may read them.
  if (path === '/metrics' && operations?.token === undefined) return undefined
  return operations === undefined ? answerLife(method, path) : answerOperations(request, path, operations)
}

/** `/healthz`, `/readyz` and `/metrics`; on a port of their own nothing else. */
export function answerOperations(
  { method, headers }: Request,
  path: string,
  { look, metrics, token }: Operations,
): Response | Promise<Response> | undefined {
  if (!isLook(method)) return undefined
  if (path === '/readyz') return look().then((readiness) => answerReadiness(method, readiness))
  if (path === '/metrics' && metrics !== undefined) {
    if (token !== undefined && !isBearer(headers.get('Authorization'), token)) return refuseMetrics()
    return metrics.text().then((text) => answer(method, text, metrics.contentType))
  }
  return answerLife(method, path)
}

/** While the storage is being opened, which may take as long as an upgrade does. */
export function answerStarting({ method }: Request, path: string): Response | undefined {
  if (!isLook(method)) return undefined
  if (path !== '/readyz') return answerLife(method, path)
  return answer(method, JSON.stringify({ ready: false, reasons: ['starting'] }), 'application/json', 503)
}

function isLook(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

// Liveness: the process answers. It says nothing of the store, so that a slow disk gets nobody killed.
function answerLife(method: string, path: string): Response | undefined {
  return path === '/healthz' ? answer(method, 'ok\n', 'text/plain; charset=utf-8') : undefined
}

function answerReadiness(method: string, { isReady, checks, isDraining }: Readiness): Response {
  const unwell = Object.entries(checks).filter(([, outcome]) => outcome !== 'ok')
  const reasons = [...(isDraining ? ['draining'] : []), ...unwell.map(([name, outcome]) => `${name} ${outcome}`)]
  const body = JSON.stringify({ ready: isReady, ...(reasons.length > 0 && { reasons }) })
  return answer(method, body, 'application/json', isReady ? 200 : 503)
}

function isBearer(header: string | null, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`))
}

function refuseMetrics(): Response {
  const headers = { ...plainHeaders, 'WWW-Authenticate': 'Bearer', 'Content-Type': 'text/plain; charset=utf-8' }
  return new Response('Send the token of the metrics.\n', { status: 401, headers })
}

function frontPage(method: string, headers: Headers, faces: readonly Face[]): Response {
  const endpoints = endpointsOf(faces)
  if (/\btext\/html\b/i.test(headers.get('Accept') ?? ''))
    return answer(method, page(endpoints), 'text/html; charset=utf-8')
  return answer(method, JSON.stringify({ name: 'Claviger', endpoints }), 'application/json')
}

function answer(method: string, body: string, type: string, status = 200): Response {
  const isHtml = type.startsWith('text/html')
  const headers = {
    ...plainHeaders,
    'Content-Type': type,
    'Content-Length': String(Buffer.byteLength(body)),
    ...(isHtml && { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'", Vary: 'Accept' }),
  }
  return new Response(method === 'HEAD' ? null : body, { status, headers })
}

/** By what it is, the path clients are given. */
function endpointsOf(faces: readonly Face[]): Readonly<Record<string, string>> {
  const lent = faces.flatMap(({ xapiMounts = [] }) => xapiMounts)
  const entries = faces.flatMap(({ name, mounts }): [string, string][] => {
    if (name === 'xapi') return [['xAPI', '/xapi/']]
    const base = mounts.find(({ isBase }) => isBase)
    if (base) return [[`${name} API`, filled(base.path)]]
    const paths = mounts.filter(({ isFallback }) => !isFallback).map(({ path }) => path)
    return paths.map((path) => [[...new Set([name, path.split('/').at(-1)])].join(' '), filled(path)])
  })
  return Object.fromEntries([...entries, ...lent.map(({ name, prefix }) => [`${name} xAPI`, `${filled(prefix)}/`])])
}

/** `/api/organizations/:orgId` as documentation writes it. */
function filled(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

function page(endpoints: Readonly<Record<string, string>>): string {
  const rows = Object.entries(endpoints).map(([name, path]) => `<li>${name}: <code>${path}</code></li>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Claviger</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Claviger</h1>
<p>This is a Learning Record Store, and it runs. Learning software reaches it at these paths:</p>
<ul>
${rows.join('\n')}
</ul>
</html>
`
}
