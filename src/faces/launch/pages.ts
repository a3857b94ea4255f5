// What people see of a launch that did not lead into its content, or that is over. Whatever the reason is, the page says the same:
// what to do, and a reference that finds the reason in the log.

import { html } from 'hono/html'
import { renderPage } from '../page.ts'
import type { PageAnswer } from '../page.ts'

export function refusalPage(reference: string): PageAnswer {
  return renderPage({
    title: 'This lesson could not be opened',
    body: html`<h1>This lesson could not be opened</h1>
      <p>Go back to where you opened it, and open it from there once more.</p>
      <p>
        The address of an opened lesson works once, in the browser it was opened in, and only for a while: it cannot be
        kept as a bookmark, nor handed on.
      </p>
      <h2>If that does not help</h2>
      <p>
        Tell your teacher. Teachers: whoever looks after this server finds the reason in its log, by this reference:
        <code>${reference}</code>
      </p>`,
  })
}

/** Too much to do, or something that is out of reach for a moment. */
export function busyPage(reference: string): PageAnswer {
  return renderPage({
    title: 'Please try again in a moment',
    body: html`<h1>Please try again in a moment</h1>
      <p>
        The lesson could not be opened just now. Nothing is lost: load this page anew, or open the lesson once more.
      </p>
      <p class="quiet">Reference: <code>${reference}</code></p>`,
  })
}

/** Where content leads that was told of no other place (cmi5 section 10.2.6). */
export const closedPage: PageAnswer = renderPage({
  title: 'The lesson is over',
  body: html`<h1>The lesson is over</h1>
    <p>What you did is written down. You can close this page.</p>`,
})
