// Pages from an origin of their own, each with one unmodified library from npm, as courses come from elsewhere than the LRS.

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface LibraryPages {
  /** `http://localhost:PORT`; `/<library>` is a page with that library's script and the adapters. */
  readonly url: string
  close(): void
}

/** `scripts`: below node_modules, by library. `adapters`: a module; what it exports is the pages' `adapters`. */
export async function serveLibraries(scripts: Readonly<Record<string, string>>, adapters: URL): Promise<LibraryPages> {
  const entryPoints = [fileURLToPath(adapters)]
  const bundled = await build({ entryPoints, bundle: true, format: 'iife', globalName: 'adapters', write: false })
  const server = createServer((request, response) => {
    const [, name = '', file] = new URL(request.url ?? '', 'http://localhost').pathname.split('/')
    const script = scripts[name]
    if (file === 'library.js' && script !== undefined) {
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(inPackages(script)))
    } else if (file === 'adapters.js') {
      response.setHeader('Content-Type', 'text/javascript').end(bundled.outputFiles[0]?.text)
    } else if (script !== undefined) {
      const body = `<script src="/${name}/library.js"></script><script src="/${name}/adapters.js"></script>`
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!doctype html><title>${name}</title>${body}`)
    } else {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, close: () => closeNow(server) }
}

function closeNow(server: Server): void {
  server.closeAllConnections()
  server.close()
}

export function inPackages(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
}
