// The libraries in pages of a real Chromium. The pages come from another origin than the LRS, as courses do, so that a
// browser's rules for that (preflights, which headers a script may send and see) are met and not assumed.

import type { Browser, Page } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { type ClientAccount, type ClientLibrary, Refused, type XapiClient } from './client.ts'
import { type LibraryPages, serveLibraries } from './library-pages.ts'
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
  let served: LibraryPages | undefined
  const pages = new Map<LibraryName, Promise<Page>>()

  const open: Chromium['open'] = async (name, search = '') => {
    const page = await browser!.newPage()
    await page.goto(`${served!.url}/${name}${search}`)
    return page
  }
  const page: Chromium['page'] = (name) => {
    const opened = pages.get(name) ?? open(name)
    pages.set(name, opened)
    return opened
  }

  return {
    start: async () => {
      served = await serveLibraries(scripts, new URL('page.ts', import.meta.url))
      browser = await startBrowser()
    },
    stop: async () => {
      await browser?.close()
      served?.close()
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
