// What answers outside every face: the front page, which names the endpoints, and the sign of life. Tells nothing of the
// installation that is not in the README.

import type { Face } from './face.ts'

const plainHeaders = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' }

/** Undefined for a path, or a method, that has nothing here either. */
export function answerUnclaimed(
  { method, headers }: Request,
  path: string,
  faces: readonly Face[],
): Response | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  // Liveness: the process answers. It says nothing of the store, so that a slow disk gets nobody killed.
  if (path === '/healthz') return answer(method, 'ok\n', 'text/plain; charset=utf-8')
  if (path !== '/') return undefined
  const endpoints = endpointsOf(faces)
  if (/\btext\/html\b/i.test(headers.get('Accept') ?? ''))
    return answer(method, page(endpoints), 'text/html; charset=utf-8')
  return answer(method, JSON.stringify({ name: 'Claviger', endpoints }), 'application/json')
}

function answer(method: string, body: string, type: string): Response {
  const isHtml = type.startsWith('text/html')
  const headers = {
    ...plainHeaders,
    'Content-Type': type,
    'Content-Length': String(Buffer.byteLength(body)),
    ...(isHtml && { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'", Vary: 'Accept' }),
  }
  return new Response(method === 'HEAD' ? null : body, { headers })
}

/** By what it is, the path clients are given. */
function endpointsOf(faces: readonly Face[]): Readonly<Record<string, string>> {
  const lent = faces.flatMap(({ xapiMounts = [] }) => xapiMounts)
  const entries = faces.flatMap(({ name, mounts }): [string, string][] => {
    if (name === 'xapi') return [['xAPI', '/xapi/']]
    const paths = mounts.filter(({ isFallback }) => !isFallback).map(({ path }) => path)
    return paths.map((path) => [`${name} ${path.split('/').at(-1) ?? ''}`, filled(path)])
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
