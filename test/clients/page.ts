// What runs in a page of Chromium beside an unmodified library: the same adapter that runs in Node, called from the test.

import type { ClientAccount, ClientLibrary, XapiClient } from './client.ts'
import { Refused } from './client.ts'
import { tincanjs, type TinCan } from './tincanjs-client.ts'
import { type Xapi, xapiOverAxios, xapiOverFetch } from './xapi-client.ts'
import { type Adl, xapiwrapper } from './xapiwrapper-client.ts'

/** What the libraries' scripts leave behind; only the one that the page loaded is there. */
interface PageGlobals {
  readonly TinCan: TinCan
  readonly XAPI: Xapi
  readonly ADL: Adl
}

export type LibraryName = 'tincanjs' | 'xapiOverAxios' | 'xapiOverFetch' | 'xapiwrapper'

export type CallClient = (
  name: LibraryName,
  account: ClientAccount,
  method: keyof XapiClient,
  parameters: readonly unknown[],
) => Promise<{ readonly value: unknown } | { readonly refused: { readonly status: number; readonly text: string } }>

export const inPage: Readonly<Record<LibraryName, (loaded: PageGlobals) => ClientLibrary>> = {
  tincanjs: ({ TinCan }) => tincanjs(TinCan),
  xapiOverAxios: ({ XAPI }) => xapiOverAxios(XAPI),
  xapiOverFetch: ({ XAPI }) => xapiOverFetch(XAPI),
  xapiwrapper: ({ ADL }) => xapiwrapper(ADL),
}

/** The test calls it as `adapters.callClient`, see chromium.ts. */
export const callClient: CallClient = async (name, account, method, parameters) => {
  const client = inPage[name](globalThis as unknown as PageGlobals).connect(account)
  const call = client[method] as (...parameters: readonly unknown[]) => Promise<unknown>
  try {
    return { value: await call(...parameters) }
  } catch (error) {
    if (error instanceof Refused) return { refused: { status: error.status, text: error.message.replace(/^\d+ /, '') } }
    throw error
  }
}
