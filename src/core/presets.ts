// Named sets of rights for people, and rights put into words. Vendors' own words live with their face.

import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import type { Rights } from './rights.ts'

export interface Preset {
  readonly name: string
  readonly summary: string
  readonly rights: Rights
}

export const presets: readonly Preset[] = []

export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name)
}

export interface Described {
  readonly may: readonly string[]
  readonly mayNot: readonly string[]
}

/** What a key may and may not do, a line each. */
export function describeRights(rights: Rights, pins: Pins = {}, limits: Limits = {}): Described {
  void [rights, pins, limits]
  throw new Error('not written yet')
}
