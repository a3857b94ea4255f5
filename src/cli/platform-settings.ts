// The settings of a kind of platform as options of the command line: how they are typed, checked and shown. Knows no kind by
// name: what there is, faces say.

import type { Command } from 'commander'
import type { Face, PlatformProtocol, PlatformSetting } from '../app.ts'
import type { Json } from '../core/storage.ts'
import { unknownWord } from './credential-options.ts'
import { UsageError } from './outcome.ts'

export type Settings = Readonly<Record<string, Json>>

/** The word that takes a setting back to what it is unless set. */
const unset = 'default'
/** And the one that empties it, as it is shown. */
const nothing = 'none'

export function protocolsOf(faces: readonly Face[]): readonly PlatformProtocol[] {
  return faces.flatMap(({ platform }) => platform ?? [])
}

export function getProtocol(all: readonly PlatformProtocol[], name: string): PlatformProtocol {
  const found = all.find(({ protocol }) => protocol === name)
  if (found) return found
  const names = all.map(({ protocol }) => protocol)
  throw new UsageError(unknownWord(name, names, 'the kind of platform'))
}

/** Each setting once, whichever kinds have one of that name. */
export function takeSettings(command: Command, protocols: readonly PlatformProtocol[]): Command {
  const all = protocols.flatMap(({ settings }) => settings)
  const byName = new Map(all.map((setting) => [setting.name, setting]))
  for (const setting of byName.values()) command.option(`${flagOf(setting)} ${setting.placeholder}`, describe(setting))
  return command
}

function describe({ describes, accepts, default: fallback }: PlatformSetting): string {
  return `${describes}; ${accepts} ${fallback === undefined ? '(needed)' : `(default: ${inWords(fallback)})`}`
}

/** `--max-skew-seconds` for `maxSkewSeconds`; commander makes the one into the other. */
export function flagOf({ name }: Pick<PlatformSetting, 'name'>): string {
  return `--${name.replaceAll(/[A-Z]|\d+/g, (part) => `-${part.toLowerCase()}`)}`
}

/**
 * `before` with what the options say; only what was said is kept, so that a default that changes changes it. Throws `UsageError`
 * for a text that is none of a setting's values, one that is missing, or an option of another kind.
 */
export function readSettings(
  protocol: PlatformProtocol,
  options: Readonly<Record<string, unknown>>,
  { before = {}, others = [] }: { readonly before?: Settings; readonly others?: readonly PlatformProtocol[] } = {},
): Settings {
  refuseOthers(protocol, options, others)
  const given = protocol.settings.flatMap((setting): [string, Json | undefined][] => {
    const typed = options[setting.name]
    return typeof typed === 'string' ? [[setting.name, parse(setting, typed)]] : []
  })
  const all = Object.entries({ ...before, ...Object.fromEntries(given) })
  const settings = Object.fromEntries(all.filter((entry): entry is [string, Json] => entry[1] !== undefined))
  const missing = protocol.settings.filter(
    ({ name, default: fallback }) => fallback === undefined && settings[name] === undefined,
  )
  if (missing.length > 0) throw new UsageError(`${missing.map(flagOf).join(', ')} must be given`)
  protocol.check?.(settings)
  return settings
}

function refuseOthers(
  protocol: PlatformProtocol,
  options: Readonly<Record<string, unknown>>,
  others: readonly PlatformProtocol[],
): void {
  const own = new Set(protocol.settings.map(({ name }) => name))
  const foreign = others
    .flatMap(({ settings }) => settings)
    .filter(({ name }) => !own.has(name) && options[name] !== undefined)
  if (foreign.length === 0) return
  throw new UsageError(`${foreign.map(flagOf).join(', ')} is of no platform that speaks ${protocol.protocol}`)
}

function parse(setting: PlatformSetting, typed: string): Json | undefined {
  if (typed === unset && setting.default !== undefined) return undefined
  for (const candidate of readings(typed)) {
    const parsed = setting.schema.safeParse(candidate)
    if (parsed.success) return parsed.data
  }
  throw new UsageError(`${flagOf(setting)} takes ${setting.accepts}, not ${JSON.stringify(typed)}`)
}

/** What a text may stand for. */
function readings(typed: string): readonly unknown[] {
  const items = typed
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  const numbers = items.every((item) => /^\d{1,15}$/.test(item)) ? [items.map(Number)] : []
  const answer = typed === 'on' || typed === 'off' ? [typed === 'on'] : []
  const empty = typed === nothing ? [null, []] : []
  return [...empty, ...jsonOf(typed), ...answer, typed, ...numbers, items]
}

function jsonOf(typed: string): readonly unknown[] {
  try {
    return [JSON.parse(typed)]
  } catch {
    return []
  }
}

/** Name, value and meaning of each. */
export function settingRows(protocol: PlatformProtocol, settings: Settings): readonly (readonly string[])[] {
  return protocol.settings.map((setting) => {
    const value = settings[setting.name] ?? setting.default ?? null
    return [flagOf(setting).slice(2), inWords(value), setting.describes]
  })
}

/** As it could be typed; none for what is empty. */
function inWords(value: Json): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item: Json) => inWords(item)).join(',') || nothing
  return value === null ? nothing : JSON.stringify(value)
}
