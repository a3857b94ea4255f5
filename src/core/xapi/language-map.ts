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

/** The ranges of an Accept-Language header (RFC 9110 section 12.5.4). */
export interface Languages {
  /** Most wanted first; `*` is what no other range matches. */
  readonly wanted: readonly string[]
  /** Those with quality 0: shown only where there is nothing else. */
  readonly refused?: readonly string[]
}

/**
 * The map with one entry: the first of the languages wanted that some tag matches exactly, as a prefix (en for en-US) or cut
 * back (en-GB falls back to en); else the map's first entry that is not refused; else its first.
 */
export function oneLanguage(map: JsonObject, { wanted, refused = [] }: Languages): JsonObject {
  const tags = Object.keys(map)
  if (tags.length < 2) return map
  const index = indexTags(without(tags, refused))
  const tag = wanted.reduce<string | undefined>((found, range) => found ?? matchRange(index, range, wanted), undefined)
  const chosen = tag ?? index.tags[0] ?? ''
  return { [chosen]: map[chosen] }
}

/** The tags that no range matches; all of them when that leaves none. */
function without(tags: readonly string[], ranges: readonly string[]): readonly string[] {
  if (ranges.length === 0) return tags
  const left = unmatched(tags, ranges)
  return left.length > 0 ? left : tags
}

function unmatched(tags: readonly string[], ranges: readonly string[]): string[] {
  const names = new Set(ranges.map((range) => range.toLowerCase()))
  return tags.filter((tag) => !prefixesOf(tag.toLowerCase()).some((prefix) => names.has(prefix)))
}

/** en, en-us of en-us. */
function prefixesOf(name: string): string[] {
  const prefixes: string[] = []
  for (let dash = name.indexOf('-'); dash !== -1; dash = name.indexOf('-', dash + 1)) prefixes.push(name.slice(0, dash))
  return [...prefixes, name]
}

interface TagIndex {
  readonly tags: readonly string[]
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
    for (const prefix of prefixesOf(name).slice(0, -1)) add(longer, prefix, tag)
  }
  return { tags, exact, longer }
}

function matchRange({ tags, exact, longer }: TagIndex, range: string, all: readonly string[]): string | undefined {
  if (range === '*') return all.length === 1 ? tags[0] : unmatched(tags, all)[0]
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
