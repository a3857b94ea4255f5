// The organisation: a client sees and edits its own. What the product keeps about its users' passwords is kept and answered, and
// acts on nothing here.

import { checkName } from '../../core/check.ts'
import type { OrganisationChange } from '../../core/organisation.ts'
import { DomainError } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import type { Json, OrganisationRecord } from '../../core/storage.ts'
import type { Asker } from './auth.ts'
import { isBody } from './model.ts'
import type { Body, Model } from './model.ts'
import type { Document } from './query-value.ts'
import { Validation } from './validation.ts'

const own = 'learninglocker'

/** Each with its default; a number with the least it may be. */
const settings = {
  LOCKOUT_ENABLED: { default: true },
  LOCKOUT_ATTEMPS: { default: 5, least: 1 },
  LOCKOUT_SECONDS: { default: 1800, least: 5 },
  PASSWORD_HISTORY_CHECK: { default: true },
  PASSWORD_HISTORY_TOTAL: { default: 3, least: 1 },
  PASSWORD_MIN_LENGTH: { default: 8, least: 4 },
  PASSWORD_REQUIRE_ALPHA: { default: true },
  PASSWORD_REQUIRE_NUMBER: { default: false },
  PASSWORD_USE_CUSTOM_REGEX: { default: false },
  PASSWORD_CUSTOM_REGEX: { default: null },
  PASSWORD_CUSTOM_MESSAGE: { default: null },
} as const satisfies Record<string, { readonly default: boolean | number | null; readonly least?: number }>

export const organisations: Model = {
  name: 'Organisation',
  fields: {
    _id: 'oid',
    name: 'string',
    parent: 'oid',
    owner: 'oid',
    expiration: 'date',
    createdAt: 'date',
    updatedAt: 'date',
    __v: 'number',
  },
  references: { parent: 'organisation' },
  pages,
  count: async () => 1,
  find,
  create: refuseClient,
  modify,
  remove: refuseClient,
}

async function* pages({ core, principal }: Asker): AsyncGenerator<readonly Document[]> {
  yield [presentOrganisation(await core.organisations.get(principal))]
}

async function find({ core, principal }: Asker, id: Oid): Promise<Document | undefined> {
  const record = await core.organisations.get(principal)
  return record.oid === id ? presentOrganisation(record) : undefined
}

/** Facts 3: making one needs a user of the site, and so does deleting. */
async function refuseClient(): Promise<never> {
  const message = 'Organisations are made and removed by the operator, with `claviger organisation`.'
  throw new DomainError('forbidden', message, { detail: { decidedBy: 'operator' } })
}

async function modify(asker: Asker, id: Oid, body: Body): Promise<Document | undefined> {
  const { core, principal } = asker
  const before = await core.organisations.get(principal)
  if (before.oid !== id) return undefined
  return presentOrganisation(await core.organisations.update(principal, readChange(body, before)))
}

function readChange(body: Body, before: OrganisationRecord): OrganisationChange {
  const validation = new Validation('Organisation', body)
  const name = validation.text('name', checkName)
  const expiresAt = validation.date('expiration')
  const kept = rememberedOf(before)
  const words = {
    ...kept,
    ...sent({ parent: validation.oid('parent'), owner: validation.oid('owner') }),
    ...sent({ timezone: validation.text('timezone', checkName), logoPath: validation.text('logoPath', checkName) }),
    settings: { ...settingsIn(kept), ...readSettings(validation) },
  }
  validation.nested('settings')
  validation.end()
  const isSame = JSON.stringify(presentKept(words)) === JSON.stringify(presentKept(kept))
  return {
    ...(name !== undefined && { name: name ?? '' }),
    // Core leaves it to the operator.
    ...(expiresAt !== undefined && expiresAt !== before.expiresAt && { expiresAt }),
    ...(!isSame && { words: { [own]: words } }),
  }
}

function readSettings(validation: Validation): Readonly<Record<string, Json>> {
  return Object.assign({}, ...Object.entries(settings).map(([name, about]) => sent({ [name]: readOne(name, about) })))

  function readOne(name: string, about: { readonly default: boolean | number | null; readonly least?: number }) {
    const path = `settings.${name}`
    if (typeof about.default === 'boolean') return validation.flag(path)
    if (about.default === null) return validation.text(path, checkName)
    const value = validation.number(path)
    const { least = 0 } = about
    return typeof value === 'number' && value < least ? validation.refuse(path, `Must be at least ${least}`) : value
  }
}

/** Without what was not sent. */
function sent(members: Readonly<Record<string, Json | undefined>>): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Record<string, Json>
}

function presentOrganisation(record: OrganisationRecord): Document {
  const { oid, name, expiresAt, createdAt, updatedAt } = record
  return {
    _id: oid,
    __v: 0,
    name,
    ...(expiresAt !== null && { expiration: new Date(expiresAt) }),
    ...presentKept(rememberedOf(record)),
    expirationNotifications: {
      weekBeforeNotificationSent: 'EMAIL_NOOP',
      expirationNotificationSent: 'EMAIL_NOOP',
    },
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  }
}

function presentKept(kept: Readonly<Record<string, Json>>): Document {
  const named = ['parent', 'owner', 'timezone', 'logoPath'].filter((name) => typeof kept[name] === 'string')
  const defaults = Object.entries(settings).map(([name, about]) => [name, about.default])
  return {
    ...Object.fromEntries(named.map((name) => [name, kept[name] as string])),
    settings: { ...Object.fromEntries(defaults), ...settingsIn(kept) } as Document,
  }
}

function rememberedOf({ words }: OrganisationRecord): Readonly<Record<string, Json>> {
  const kept = words[own]
  return isBody(kept) ? (kept as Readonly<Record<string, Json>>) : {}
}

/** Only those that there are. */
function settingsIn(kept: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  const found = kept['settings']
  if (!isBody(found)) return {}
  return Object.fromEntries(Object.entries(found).filter(([name]) => Object.hasOwn(settings, name))) as Record<
    string,
    Json
  >
}
