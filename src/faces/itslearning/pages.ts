// What people see: that a launch was refused, whatever the reason; and, of authors, what they may choose.

import { html } from 'hono/html'
import type { Content } from '../../core/content.ts'
import { renderPage } from '../page.ts'
import type { PageAnswer } from '../page.ts'

/** The reason is in the log alone: whoever tries out addresses learns nothing. */
export function refusalPage(reference: string): PageAnswer {
  return renderPage({
    title: 'This could not be opened',
    body: html`<h1>This could not be opened</h1>
      <p>Go back to itslearning, and open it from there once more. Each opening works once, and for some minutes.</p>
      <h2>If that does not help</h2>
      <p>Learners: tell your teacher, with the reference below.</p>
      <p>
        Teachers: reload the course, and open this yourself. If it fails for you, too, send the reference to whoever
        looks after this tool at your school. They find the reason in the log of the server.
      </p>
      <p>Reference: <code>${reference}</code></p>`,
  })
}

export function busyPage(reference: string): PageAnswer {
  return renderPage({
    title: 'Please try again in a moment',
    body: html`<h1>Please try again in a moment</h1>
      <p>There is too much to do just now. Go back to itslearning, wait a little, and open it once more.</p>
      <p class="quiet">Reference: <code>${reference}</code></p>`,
  })
}

/** To who may open it, so the reason is no secret. */
export function unsetPage(reference: string): PageAnswer {
  return renderPage({
    title: 'Nothing was chosen yet',
    body: html`<h1>Nothing was chosen yet</h1>
      <p>Learners: your teacher has yet to choose what opens here.</p>
      <p>Teachers: open this with the right to change it, and choose. You find it under “edit” in itslearning.</p>
      <p class="quiet">Reference: <code>${reference}</code></p>`,
  })
}

export interface Choice {
  /** Of this page, at the last address it was sent to. */
  readonly address: string
  readonly chosen: Content | undefined
  /** A part of all there is. */
  readonly contents: readonly Content[]
  readonly part: { readonly number: number; readonly isLast: boolean }
  /** Whether there is something to open, and they may. */
  readonly mayOpen: boolean
  readonly embeddedBy: readonly string[]
}

export function choicePage({ address, chosen, contents, part, mayOpen, embeddedBy }: Choice): PageAnswer {
  const radio = (content: Content) =>
    html`<label
      ><input
        type="radio"
        name="content"
        value="${content.id}"
        required
        ${content.id === chosen?.id ? 'checked' : ''}
      />
      ${content.name}</label
    >`
  const open = html`<p><a class="button" href="${address}/open">Open it</a></p>`
  const form = html`<form method="post" action="${address}">
    <fieldset>
      <legend>What is there</legend>
      ${contents.map(radio)}
    </fieldset>
    <button>Choose</button>
  </form>`
  const step = (number: number, label: string) => html`<a href="${address}?part=${number}">${label}</a> `
  return renderPage({
    ...{ title: 'Choose what opens here', hasForm: true, embeddedBy },
    body: html`<h1>Choose what opens here</h1>
      <p role="status">
        ${chosen === undefined ? 'Nothing was chosen yet.' : html`Learners open <strong>${chosen.name}</strong>.`}
      </p>
      ${mayOpen ? open : ''}
      ${contents.length === 0 ? html`<p>There is no content yet; whoever looks after this tool adds it.</p>` : form}
      <p>
        ${part.number > 1 ? step(part.number - 1, 'Before') : ''} ${part.isLast ? '' : step(part.number + 1, 'More')}
      </p>
      <p class="quiet">What learners did with another content stays. Deadlines are set in itslearning.</p>`,
  })
}
