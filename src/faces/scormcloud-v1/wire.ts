// The XML of SCORM Cloud's first API. Compact: with white space inside elements Java and PHP read keys with spaces around them,
// and before `<err>` Java and Python fail altogether. CDATA stands exactly where the reference has it. Knows nothing of HTTP.

import { XMLBuilder } from 'fast-xml-parser'

export type Element = string | { readonly [name: string]: Element | readonly Element[] }
/** What stands inside `<rsp>`. */
export type Payload = { readonly [name: string]: Element }

/** Clients look for the declaration at the very beginning (.NET). */
const declaration = '<?xml version="1.0" encoding="utf-8" ?>'
export const xmlHeaders = { 'Content-Type': 'text/xml; charset=utf-8' } as const

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  cdataPropName: '#cdata',
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
})

export function presentSuccess(payload: Payload): string {
  return declaration + builder.build({ rsp: { '@stat': 'ok', ...payload } })
}

export function presentFailure(number: number, message: string): string {
  const err = { '@code': String(number), '@msg': toXmlText(message).replaceAll(/[\t\n\r]+/g, ' ') }
  return declaration + builder.build({ rsp: { '@stat': 'fail', err } })
}

/** Escaped. */
export function plain(text: string): Element {
  return toXmlText(text)
}

/** `<![CDATA[…]]>`, also around nothing. */
export function cdata(text: string): Element {
  return { '#cdata': toXmlText(text) }
}

const notXml = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

/** Characters XML 1.0 has no way to write would make a whole list unreadable for one name in it. */
function toXmlText(text: string): string {
  return text.replaceAll(notXml, '\uFFFD')
}

export function isXmlText(text: string): boolean {
  return text.search(notXml) < 0
}

/** `yyyyMMddHHmmss` in UTC. */
export function presentTime(time: number): string {
  return new Date(time).toISOString().replaceAll(/\D/g, '').slice(0, 14)
}
