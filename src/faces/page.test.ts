import { createHash } from 'node:crypto'
import { html } from 'hono/html'
import { expect, it } from 'vitest'
import { renderPage } from './page.ts'

it('escapes what it is given', () => {
  const name = `<img src=x onerror="alert('1')">&`
  const { body } = renderPage({ title: name, body: html`<p>${name}</p>` })
  expect(body).not.toContain('<img')
  expect(body).toContain('<p>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</p>')
})

it('lets a browser use the one style it has, and nothing else', () => {
  const { body, headers } = renderPage({ title: 'A', body: html`<p>B</p>` })
  const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  expect(headers['Content-Security-Policy']).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'none'; base-uri 'none'`,
  )
  expect(body).not.toContain('<script')
  expect(headers['Referrer-Policy']).toBe('no-referrer')
})

it('says what more a page may do', () => {
  const { body, headers } = renderPage({
    ...{ title: 'A', body: html`<p>B</p>`, script: 'lesson.js', connectsTo: ['https://lrs.example'] },
    ...{ hasForm: true, embeddedBy: ['https://school.example'] },
  })
  expect(body).toContain('<script type="module" src="lesson.js"></script>')
  const policy = headers['Content-Security-Policy']
  expect(policy).toContain("; script-src 'self'; connect-src 'self' https://lrs.example; form-action 'self';")
  expect(policy).toContain("; frame-ancestors 'self' https://school.example")
})
