// The operations on the settings of the application that asks, at its own level and at that of a learning standard in it.

import { z } from 'zod'
import { mayManage } from '../../core/rights.ts'
import type { Setting } from '../../core/setting.ts'
import type { Json } from '../../core/storage.ts'
import { bodyOf, ownApplication, queryOf } from './auth.ts'
import type { Call } from './auth.ts'
import { findSetting, learningStandards, readValue, settings, xapiEnabled } from './settings-catalogue.ts'
import type { LearningStandard, SettingDefinition } from './settings-catalogue.ts'
import { flag, flagIn, notThis, parameter, readBody, refuse, text } from './wire.ts'

/** Content of one standard, with a single content object or not; undefined: the application's own level. */
type Part = { readonly standard: LearningStandard; readonly isSingle: boolean } | undefined

const mostSettings = 500
const post = z.object({
  settings: z
    .array(
      // `explicit` asks that a value be set although it is the inherited one: here every value that is sent is set.
      z.object({ settingId: text(), value: text(), explicit: flag.optional() }, 'must be an object'),
      'must be a list',
    )
    .max(mostSettings, `must have at most ${mostSettings} entries`)
    .optional(),
})

export async function getApplicationConfiguration(call: Call): Promise<Response> {
  const query = queryOf(call)
  const part = partOf(query)
  const hasMetadata = flagIn(query, 'includeMetadata') ?? false
  const explicit = await call.core.settings.list(call.principal, ownApplication(call))
  const seesSecrets = maySet(call)
  const items = [...settings.values()]
    .filter((definition) => isKnownAt(definition, part))
    .map((definition) => presentItem(definition, { explicit, part, hasMetadata, seesSecrets }))
  return call.c.json({ settingItems: items })
}

export async function setApplicationConfiguration(call: Call): Promise<Response> {
  const part = partOf(queryOf(call))
  const { settings: sent = [] } = readBody(post, await bodyOf(call))
  const values: Record<string, string> = {}
  for (const [index, { settingId, value }] of sent.entries()) {
    const definition = definitionOf(settingId, part, `/settings/${index}/settingId`)
    if (Object.hasOwn(values, settingId)) throw refuse(`/settings/${index}/settingId`, 'must be named once')
    const read = readValue(definition, value)
    if ('must' in read) throw refuse(`/settings/${index}/value`, `${settingId} ${read.must}${notThis(value)}`)
    values[settingId] = read.value
  }
  if (sent.length > 0) await put(call, part, values)
  return call.c.body(null, 204)
}

/** Also where none is set: then it is reverted already. */
export async function deleteApplicationConfigurationSetting(call: Call): Promise<Response> {
  const part = partOf(queryOf(call))
  const { id } = definitionOf(call.c.req.param('settingId') ?? '', part, 'settingId')
  await put(call, part, { [id]: null })
  return call.c.body(null, 204)
}

async function put(call: Call, part: Part, values: Readonly<Record<string, string | null>>): Promise<void> {
  const isOpen = Object.hasOwn(values, xapiEnabled) ? { isOpen: values[xapiEnabled] !== 'false' } : {}
  await call.core.settings.put(call.principal, ownApplication(call), { level: levelOf(part), values, ...isOpen })
}

function definitionOf(id: string, part: Part, pointer: string): SettingDefinition {
  const found = findSetting(id, pointer)
  if (!isKnownAt(found, part)) throw refuse(pointer, `${id} is not for this level: see its metadata`)
  return found
}

/** "Both must be provided, as this level is considered to be identified by those items joined" (S4.9). */
function partOf(query: URLSearchParams): Part {
  const written = parameter(query, 'learningStandard')
  const isSingle = flagIn(query, 'singleSco')
  if (written === undefined && isSingle === undefined) return undefined
  if (written === undefined) throw refuse('?learningStandard', 'must stand beside singleSco')
  if (isSingle === undefined) throw refuse('?singleSco', 'must stand beside learningStandard')
  const standard = learningStandards.find((word) => word === written.toUpperCase())
  if (standard !== undefined) return { standard, isSingle }
  throw refuse('?learningStandard', `must be one of ${learningStandards.join(', ')}${notThis(written)}`)
}

function levelOf(part: Part): string {
  return part === undefined ? '' : `${part.standard}/${part.isSingle}`
}

function isKnownAt(definition: SettingDefinition, part: Part): boolean {
  if (part === undefined) return true
  const { level, learningStandards: standards, learningStandardVariant: variant } = definition
  const fitsVariant = variant === 'either' || variant === (part.isSingle ? 'singleScoOnly' : 'multiScoOnly')
  return level !== 'application' && standards.includes(part.standard) && fitsVariant
}

function maySet({ principal }: Call): boolean {
  const bound = { kind: 'application', id: principal.key, lrsIds: [] } as const
  return mayManage(principal, 'settings', 'write', bound)
}

interface Shown {
  readonly explicit: readonly Setting[]
  readonly part: Part
  readonly hasMetadata: boolean
  readonly seesSecrets: boolean
}

function presentItem(definition: SettingDefinition, { explicit, part, hasMetadata, seesSecrets }: Shown): Json {
  const { id, isSecret = false } = definition
  const at = (level: string) => explicit.find((setting) => setting.level === level && setting.name === id)?.value
  const here = at(levelOf(part))
  // The first level that has a value of its own wins, the most specific first.
  const [value, source] = (
    [
      [part && here, 'learningStandardForApplication'],
      [at(''), 'application'],
    ] as const
  ).find(([found]) => found !== undefined) ?? [definition.default, 'default']
  const isShown = seesSecrets || !isSecret
  return {
    id,
    ...(isShown && { effectiveValue: value ?? '' }),
    effectiveValueSource: source,
    ...(isShown && here !== undefined && { explicitValue: here }),
    ...(hasMetadata && { metadata: presentMetadata(definition) }),
  }
}

function presentMetadata(definition: SettingDefinition): Json {
  const { dataType, description, level, learningStandardVariant } = definition
  return {
    ...{ default: definition.default, dataType, settingDescription: description, level },
    ...{ learningStandards: definition.learningStandards, learningStandardVariant },
    validValues: definition.validValues.map((value) => ({ value })),
  }
}
