// How a launch knows the browser that opened it: one random cookie, the same for every launch there. Tells who asks again; signs in
// nobody. Knows no launches.

import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { generateCookie, getCookie } from 'hono/cookie'
import type { FaceEnv } from './face.ts'

const cookieName = 'claviger-launch'
const value = /^[\w-]{43}$/

/** What the browser presents; undefined for nothing, and for nothing that we could have set. */
export function findBrowser(c: Context<FaceEnv>, baseUrl: string): string | undefined {
  const found = isSecure(baseUrl) ? getCookie(c, cookieName, 'host') : getCookie(c, cookieName)
  return found !== undefined && value.test(found) ? found : undefined
}

export function newBrowser(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * The Set-Cookie header. Content is opened inside the pages of others, so it must be sent there, too, by browsers that keep one for each
 * site that embeds us (Partitioned). Browsers take that, and the prefix that keeps neighbouring hosts from planting one, over https only.
 */
export function browserCookie(browser: string, baseUrl: string): string {
  const common = { path: '/', httpOnly: true } as const
  if (!isSecure(baseUrl)) return generateCookie(cookieName, browser, { ...common, sameSite: 'Lax' })
  const embedded = { prefix: 'host', secure: true, sameSite: 'None', partitioned: true } as const
  return generateCookie(cookieName, browser, { ...common, ...embedded })
}

function isSecure(baseUrl: string): boolean {
  return baseUrl.startsWith('https:')
}
