// Language tags (RFC 5646) and maps from tags to text. XAPI-00013, XAPI-00121.

import type { Check, JsonObject, Rule } from './rule.ts'
import { isObject, shown } from './rule.ts'

const common = /^[A-Za-z]{2,3}(?:-[A-Za-z]{2})?$/
const maxTagLength = 255

// language[-extlang][-script][-region][-variant…][-extension…][-private], or private alone.
const regular =
  /^(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wy-z\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?|x(?:-[a-z\d]{1,8})+)$/
const irregular = new Set(
  (
    'en-gb-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu ' +
    'sgn-be-fr sgn-be-nl sgn-ch-de'
  ).split(' '),
)

export function isLanguageTag(text: string): boolean {
  if (common.test(text)) return true
  if (text.length > maxTagLength) return false
  const tag = text.toLowerCase()
  return (regular.test(tag) && !repeatsSubtag(tag)) || irregular.has(tag)
}

/** No extension and no variant twice: zh-z-aaa-z-bbb is malformed. What follows x is private. */
function repeatsSubtag(tag: string): boolean {
  const seen = new Set<string>()
  let isExtended = false
  for (const subtag of tag.split('-').slice(1)) {
    if (subtag === 'x') return false
    const counts = subtag.length === 1 || (!isExtended && (subtag.length > 4 || /^\d.{3}$/.test(subtag)))
    if (counts && seen.has(subtag)) return true
    if (counts) seen.add(subtag)
    isExtended ||= subtag.length === 1
  }
  return false
}

const example = 'e.g. {"en-US": "completed"}'

/** `rule` is broken when the value is no map of strings; a malformed tag breaks XAPI-00121. */
export function languageMap(rule: string): Rule {
  return (value, check) => {
    if (!isObject(value)) return refuseMap(value, rule, check)
    for (const tag of Object.keys(value)) {
      if (check.isFull) return
      checkEntry(tag, value[tag], rule, check)
    }
  }
}

function refuseMap(value: unknown, rule: string, check: Check): void {
  check.refuse(value === null ? 'XAPI-00001' : rule, `Expected a language map, ${example}, got ${shown(value)}.`)
}

function checkEntry(tag: string, value: unknown, rule: string, check: Check): void {
  if (!isLanguageTag(tag)) check.refuseAt(tag, 'XAPI-00121', `Not a language tag (RFC 5646) such as en or en-US.`)
  if (typeof value === 'string') return
  check.refuseAt(tag, value === null ? 'XAPI-00001' : rule, `Expected a string, ${example}, got ${shown(value)}.`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Choosing one language

/**
 * The map with one entry: the first of `languages` (most wanted first, `*` for any) that some tag matches exactly, as
 * a prefix (en for en-US) or cut back (en-GB falls back to en); else the map's first entry.
 */
export function oneLanguage(map: JsonObject, languages: readonly string[]): JsonObject {
  const tags = Object.keys(map)
  if (tags.length < 2) return map
  const index = indexTags(tags)
  const tag = languages.reduce<string | undefined>((found, range) => found ?? matchRange(index, range), undefined)
  const chosen = tag ?? index.first
  return { [chosen]: map[chosen] }
}

interface TagIndex {
  readonly first: string
  /** The first tag of this name, in lower case. */
  readonly exact: ReadonlyMap<string, string>
  /** The first tag that goes on behind this prefix. */
  readonly longer: ReadonlyMap<string, string>
}

/** Looked up, not searched: a map may have a hundred thousand tags and a request hundreds of ranges. */
function indexTags(tags: readonly string[]): TagIndex {
  const exact = new Map<string, string>()
  const longer = new Map<string, string>()
  const add = (to: Map<string, string>, name: string, tag: string) => (to.has(name) ? to : to.set(name, tag))
  for (const tag of tags) {
    const name = tag.toLowerCase()
    add(exact, name, tag)
    for (let dash = name.indexOf('-'); dash !== -1; dash = name.indexOf('-', dash + 1)) {
      add(longer, name.slice(0, dash), tag)
    }
  }
  return { first: tags[0] ?? '', exact, longer }
}

function matchRange({ first, exact, longer }: TagIndex, range: string): string | undefined {
  if (range === '*') return first
  for (
    let wanted = range.toLowerCase();
    wanted !== '';
    wanted = wanted.slice(0, Math.max(0, wanted.lastIndexOf('-')))
  ) {
    const found = exact.get(wanted) ?? longer.get(wanted)
    if (found !== undefined) return found
  }
  return undefined
}
