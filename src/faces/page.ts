// Pages for people, where a launch ends or begins: how they look, what a browser may do with them. No script unless one is named,
// no style but this one. Knows no face.

import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'

/** Made by `html`, which escapes what it is given. */
export type Html = ReturnType<typeof html>

export interface Page {
  readonly title: string
  readonly body: Html
  /** The address of the one module it runs, of this host. */
  readonly script?: string
  /** Where its script may send requests beside this host: origins. */
  readonly connectsTo?: readonly string[]
  /** May send a form to this host. */
  readonly hasForm?: boolean
  /** Whose pages may embed it: origins. Everybody's, unless given: what has no button is safe anywhere. */
  readonly embeddedBy?: readonly string[]
}

export interface PageAnswer {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export function renderPage(page: Page): PageAnswer {
  const { title, body, script } = page
  const loaded = script === undefined ? '' : html`<script type="module" src="${script}"></script>`
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styleElement} ${loaded}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`
  // No part of it is a promise, so the whole is none.
  return { body: `${text}`, headers: pageHeaders(page) }
}

/** What a browser may do with it. Referrer-Policy: an address may hold what is nobody else's to know. */
function pageHeaders({ script, connectsTo = [], hasForm = false, embeddedBy }: Page): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    ...(script === undefined ? [] : ["script-src 'self'", ["connect-src 'self'", ...connectsTo].join(' ')]),
    `form-action ${hasForm ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    ...(embeddedBy === undefined ? [] : [["frame-ancestors 'self'", ...embeddedBy].join(' ')]),
  ]
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'Referrer-Policy': 'no-referrer',
  }
}

const style = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; --accent: #1d5fa8; --line: #8886 }
@media (prefers-color-scheme: dark) { :root { --accent: #8fc1f5 } }
body { margin: 0 }
main { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem }
h2 { font-size: 1.125rem; margin: 1.5rem 0 .5rem }
fieldset { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1rem }
label { display: block; padding: .375rem 0 }
progress { width: 100%; accent-color: var(--accent) }
button, a.button { font: inherit; padding: .5rem 1.25rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: Canvas; cursor: pointer; text-decoration: none; display: inline-block }
button:disabled { opacity: .5; cursor: default }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
code { font-size: .9em; overflow-wrap: anywhere }
.quiet { font-size: .875rem; opacity: .8 }
[hidden] { display: none }
`
const styleElement = raw(`<style>${style}</style>`)
const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`
