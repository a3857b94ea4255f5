// A core on a store of its own, with a clock that stands still until it is moved, a first organisation, and short ways to what
// most tests need. Nothing is mocked: only the clock is a double.

import { createCore } from '../../src/core/core.ts'
import type { Core, CoreOptions } from '../../src/core/core.ts'
import type { IssuedCredential, NewCredentialInput } from '../../src/core/credential.ts'
import type { LrsId, OrganisationId } from '../../src/core/ids.ts'
import type { Caller, Principal } from '../../src/core/principal.ts'
import { findPreset } from '../../src/core/presets.ts'
import type { Rights } from '../../src/core/rights.ts'
import type { AuditEvent } from '../../src/core/audit.ts'
import type { Clock, Storage } from '../../src/core/storage.ts'
import { createPlace } from './store.ts'
import type { Place } from './store.ts'

export const baseUrl = 'https://lrs.example.org'

export interface FakeClock extends Clock {
  /** Moves time forward. */
  pass(milliseconds: number): void
}

export function fakeClock(start = Date.parse('2026-01-02T03:04:05.000Z')): FakeClock {
  let now = start
  return { now: () => now, pass: (milliseconds) => void (now += milliseconds) }
}

export interface OpenCore {
  readonly core: Core
  /** For what a test must see beneath the core: counting, damaging. Faces never get it. */
  readonly storage: Storage
  readonly clock: FakeClock
  readonly place: Place
  readonly directory: string
  readonly masterKey: Buffer
  readonly organisationId: OrganisationId
  readonly lrsId: LrsId
  /** The operator in the first organisation. */
  readonly operator: Caller
  /** One more organisation. */
  addOrganisation(name?: string): Promise<{ organisationId: OrganisationId; lrsId: LrsId; operator: Caller }>
  /** A credential with the rights of a preset, made by the operator of the first organisation. */
  issue(preset: string, input?: Partial<NewCredentialInput>): Promise<IssuedCredential>
  /** The principal behind a key and secret. */
  signIn(issued: { readonly key: string; readonly secret: string }, within?: OrganisationId): Promise<Principal>
  /** All audit events of an organisation, oldest first; the first one unless named. */
  events(organisationId?: OrganisationId): Promise<readonly AuditEvent[]>
  close(): Promise<void>
}

export interface OpenCoreOptions extends Partial<CoreOptions> {
  readonly clock?: FakeClock
  /** Where there is something already. */
  readonly place?: Place
  /** Puts something between core and storage: a counter, a delay. */
  readonly wrap?: (storage: Storage) => Storage
}

export async function openCore(options: OpenCoreOptions = {}): Promise<OpenCore> {
  const { clock = fakeClock(), wrap = (it: Storage) => it, masterKey = Buffer.alloc(32, 7), ...rest } = options
  const place = options.place ?? (await createPlace())
  const { directory } = place
  const storage = wrap(await place.open({ clock }))
  const limits = { batch: 1000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
  const core = await createCore({ baseUrl, limits, ...rest, storage, clock, masterKey })
  const addOrganisation = async (name = 'Another') => {
    const made = await core.organisations.create({ operator: 'test' }, { name })
    const organisationId = made.organisation.id
    return { organisationId, lrsId: made.lrs.id, operator: core.signIn.operator(organisationId, 'test') }
  }
  const first = await addOrganisation('First')
  return {
    ...{ core, storage, clock, place, directory, masterKey, addOrganisation, ...first },
    issue: (preset, input = {}) =>
      core.credentials.create(first.operator, { name: preset, rights: presetRights(preset), ...input }),
    signIn: ({ key, secret }, within) => core.signIn.basic({ key, secret, within }),
    events: (organisationId = first.organisationId) => storage.directory.listAudit(organisationId, 0, 10_000),
    close: async () => {
      await core.close()
      await place.remove()
    },
  }
}

export function presetRights(name: string): Rights {
  const preset = findPreset(name)
  if (preset === undefined) throw new Error(`There is no preset ${name}.`)
  return preset.rights
}
