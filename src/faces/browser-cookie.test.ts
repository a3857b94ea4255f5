import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { browserCookie, findBrowser, newBrowser } from './browser-cookie.ts'
import type { FaceEnv } from './face.ts'

const [secure, plain] = ['https://lrs.example', 'http://localhost:8080']

async function found(cookie: string | undefined, baseUrl: string): Promise<string> {
  const app = new Hono<FaceEnv>()
  app.get('/', (c) => c.text(findBrowser(c, baseUrl) ?? 'nobody'))
  const response = await app.request('/', cookie === undefined ? {} : { headers: { Cookie: cookie } })
  return response.text()
}

it('is sent where content is embedded, over https only', () => {
  expect(browserCookie('x', secure)).toBe(
    '__Host-claviger-launch=x; Path=/; HttpOnly; Secure; SameSite=None; Partitioned',
  )
  expect(browserCookie('x', plain)).toBe('claviger-launch=x; Path=/; HttpOnly; SameSite=Lax')
})

it.each([secure, plain])('knows a browser again: %s', async (baseUrl) => {
  const browser = newBrowser()
  const [pair] = browserCookie(browser, baseUrl).split(';')
  expect(await found(pair, baseUrl)).toBe(browser)
  expect(await found(`other=1; ${pair}`, baseUrl)).toBe(browser)
})

it.each([
  undefined,
  'claviger-launch=',
  'claviger-launch=short',
  `claviger-launch=${'x'.repeat(44)}`,
  'claviger-launch',
])('takes nothing that was not set here: %s', async (cookie) => expect(await found(cookie, plain)).toBe('nobody'))

it('over https takes only one that no neighbouring host can plant', async () => {
  expect(await found(`claviger-launch=${newBrowser()}`, secure)).toBe('nobody')
})
