// The XML of SCORM Cloud's first API. Compact: with white space inside elements Java and PHP read keys with spaces around them,
// and before `<err>` Java and Python fail altogether. CDATA stands exactly where the reference has it. Knows nothing of HTTP.

import { XMLBuilder } from 'fast-xml-parser'
import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'

export type Element = string | { readonly [name: string]: Element | readonly Element[] }
export type Elements = { readonly [name: string]: Element }

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

/** `inside`: XML. */
export function presentSuccess(inside: string): string {
  return `${declaration}<rsp stat="ok">${inside}</rsp>`
}

export function presentFailure(number: number, message: string): string {
  const err = { '@code': String(number), '@msg': toXmlText(message).replaceAll(/[\t\n\r]+/g, ' ') }
  return declaration + builder.build({ rsp: { '@stat': 'fail', err } })
}

/** As XML. */
export function elements(named: Elements): string {
  return builder.build(named)
}

/** As XML, of however many, while others get their turn. */
export async function listOf<T>(name: string, items: readonly T[], present: (item: T) => Elements): Promise<string> {
  if (items.length === 0) return elements({ [name]: '' })
  const parts = await inSlices(buildEach(items, present))
  return `<${name}>${parts.join('')}</${name}>`
}

function* buildEach<T>(items: readonly T[], present: (item: T) => Elements): Sliceable<string[]> {
  const parts: string[] = []
  for (const item of items) {
    parts.push(elements(present(item)))
    yield undefined
  }
  return parts
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
