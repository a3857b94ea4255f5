// The libraries in pages of a real Chromium. The pages come from another origin than the LRS, as courses do, so that a
// browser's rules for that (preflights, which headers a script may send and see) are met and not assumed.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { type ClientAccount, type ClientLibrary, Refused, type XapiClient } from './client.ts'
import { type CallClient, inPage, type LibraryName } from './page.ts'

/** The scripts that their users load. */
const scripts: Readonly<Record<LibraryName, string>> = {
  tincanjs: 'tincanjs/build/tincan-min.js',
  xapiOverAxios: '@xapi/xapi/dist/XAPI.umd.js',
  xapiOverFetch: '@xapi/xapi/dist/XAPI.umd.js',
  xapiwrapper: 'xapiwrapper/dist/xapiwrapper.min.js',
}

export interface Chromium {
  start(): Promise<void>
  stop(): Promise<void>
  /** Usable once started; its client does everything in the page. */
  library(name: LibraryName): ClientLibrary
  /** The page where the library's clients live. */
  page(name: LibraryName): Promise<Page>
  /** Another page with it, its address ending in `search`. */
  open(name: LibraryName, search?: string): Promise<Page>
}

export function chromium(): Chromium {
  let browser: Browser | undefined
  let server: Server | undefined
  const pages = new Map<LibraryName, Promise<Page>>()

  const open: Chromium['open'] = async (name, search = '') => {
    const page = await browser!.newPage()
    const { port } = server!.address() as AddressInfo
    await page.goto(`http://localhost:${port}/${name}${search}`)
    return page
  }
  const page: Chromium['page'] = (name) => {
    const opened = pages.get(name) ?? open(name)
    pages.set(name, opened)
    return opened
  }

  return {
    start: async () => {
      server = await serve()
      browser = await startBrowser()
    },
    stop: async () => {
      await browser?.close()
      server?.closeAllConnections()
      server?.close()
    },
    library: (name) => {
      // Only for what it says of itself.
      const { connect: _, ...described } = inPage[name]({} as Parameters<(typeof inPage)[LibraryName]>[0])
      return { ...described, name: `${described.name} in Chromium`, connect: (account) => remote(page, name, account) }
    },
    page,
    open,
  }
}

/** A client whose every method is called in the page. */
function remote(page: Chromium['page'], name: LibraryName, account: ClientAccount): XapiClient {
  const call = async (method: keyof XapiClient, parameters: readonly unknown[]): Promise<unknown> => {
    const opened = await page(name)
    const answer = await opened.evaluate(
      (call) => (globalThis as unknown as { adapters: { callClient: CallClient } }).adapters.callClient(...call),
      [name, account, method, parameters] as Parameters<CallClient>,
    )
    if ('refused' in answer) throw new Refused(answer.refused.status, answer.refused.text)
    return answer.value
  }
  return new Proxy({} as XapiClient, {
    get: (_, method) =>
      method === 'then' ? undefined : (...parameters: unknown[]) => call(method as keyof XapiClient, parameters),
  })
}

/** `/<library>` is a page with that library's script, unmodified, and the adapters. */
async function serve(): Promise<Server> {
  const entryPoints = [fileURLToPath(new URL('page.ts', import.meta.url))]
  const bundled = await build({ entryPoints, bundle: true, format: 'iife', globalName: 'adapters', write: false })
  const adapters = bundled.outputFiles[0]?.text ?? ''
  const server = createServer((request, response) => {
    const [, name = '', file] = new URL(request.url ?? '', 'http://localhost').pathname.split('/')
    const script = scripts[name as LibraryName]
    if (file === 'library.js' && script !== undefined) {
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(inPackages(script)))
    } else if (file === 'adapters.js') {
      response.setHeader('Content-Type', 'text/javascript').end(adapters)
    } else if (script !== undefined) {
      const body = `<script src="/${name}/library.js"></script><script src="/${name}/adapters.js"></script>`
      response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!doctype html><title>${name}</title>${body}`)
    } else {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function inPackages(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url))
}
