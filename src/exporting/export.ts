// Takes organisations, or one Lrs, elsewhere: into a directory that `claviger import claviger` puts back anywhere, on either engine.
// Knows the files by format.ts, and nothing of who asked or where it runs.

import type { Core } from '../core/core.ts'
import type { PortableLrs } from '../core/exporting.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import { nextSlice } from '../core/slices.ts'
import { formatStored } from '../core/xapi/time.ts'
import { ExportDirectory } from './directory.ts'
import { formatName, formatVersion } from './format.ts'
import type { LrsCounts, Manifest, OrganisationCounts } from './format.ts'
import { Owners, writeLrs } from './lrs-files.ts'
import { writeOrganisation } from './organisation-files.ts'
import { Sealer } from './sealing.ts'

export interface ExportSettings {
  readonly core: Core
  readonly operator: PlatformOperator
  /** New, or empty. */
  readonly to: string
  /** Of these. */
  readonly organisationIds: readonly OrganisationId[]
  /** Only this, of the one organisation. */
  readonly onlyLrs?: LrsId | undefined
  /** Secrets are sealed for whoever has it; without it they are left out. */
  readonly passphrase?: string | undefined
  readonly isGzip: boolean
  readonly withCsv: boolean
  /** For spreadsheets; no unless given. */
  readonly withBom?: boolean
  /** Statements stored and documents changed after this, microseconds; all unless given. */
  readonly since?: number | undefined
  readonly signal: AbortSignal
  onStage(stage: { readonly title: string; readonly done: number; readonly part?: number }): void
}

/** How long others wait at most. */
const sliceMs = 5
const mostWarnings = 100

interface Marked {
  readonly organisationId: OrganisationId
  readonly lrs: PortableLrs
  readonly through: number
}

/** Throws where it was stopped: what is written then is worth nothing, and says so. */
export async function runExport(settings: ExportSettings): Promise<Manifest> {
  const { passphrase, to } = settings
  const sealer = passphrase === undefined ? undefined : await Sealer.create(passphrase)
  const directory = await ExportDirectory.create(to)
  try {
    return await write(settings, directory, sealer)
  } catch (error) {
    await directory.abandon()
    throw error
  }
}

async function write(
  settings: ExportSettings,
  directory: ExportDirectory,
  sealer: Sealer | undefined,
): Promise<Manifest> {
  const { core, operator, organisationIds, onlyLrs, since = 0, isGzip, withCsv, withBom = false } = settings
  const begunAt = timeOf(core)
  const id = core.ids.oid()
  const warnings = new Set<string>()
  const warn = (text: string): void => void (warnings.size < mostWarnings && warnings.add(text))
  const pace = pacer(settings.signal)
  const marks = await markAll(settings, id)
  const lrs: LrsCounts[] = []
  const organisations: OrganisationCounts[] = []
  for (const organisationId of organisationIds) {
    const owners = new Owners()
    const nameOfKey = withCsv ? await namesOfKeys(settings, organisationId, pace) : () => undefined
    for (const marked of marks.filter((one) => one.organisationId === organisationId)) {
      const onRead = counting(settings, marked.lrs)
      const part = { core, operator, directory, isGzip, withCsv, withBom, since, nameOfKey, pace, warn, onRead }
      lrs.push(await writeLrs(part, marked, owners))
    }
    settings.onStage({ title: `keys of organisation ${organisationId}`, done: 0 })
    const part = { core, operator, directory, sealer, onlyLrs, pace }
    organisations.push(await writeOrganisation(part, organisationId, owners))
  }
  let manifest: Manifest | undefined
  await directory.finish((files) => {
    manifest = {
      ...{ format: formatName, version: formatVersion, id, begunAt, finishedAt: timeOf(core) },
      since: since === 0 ? null : formatStored(since),
      ...{ isGzip, sealing: sealer?.sealing ?? null, organisations, lrs, files, warnings: [...warnings] },
    }
    return manifest
  })
  return manifest!
}

function timeOf({ clock }: Core): string {
  return new Date(clock.now()).toISOString()
}

/** All marks first, so that what is taken of several Lrs is of one time, but for milliseconds. */
async function markAll(
  { core, operator, organisationIds, onlyLrs, passphrase }: ExportSettings,
  id: string,
): Promise<readonly Marked[]> {
  const marks: Marked[] = []
  for (const organisationId of organisationIds) {
    const { lrs } = await core.exports.organisation(operator, organisationId)
    const taken = onlyLrs === undefined ? lrs : lrs.filter((one) => one.id === onlyLrs)
    const detail = { export: id, lrs: onlyLrs ?? null, withSecrets: passphrase !== undefined }
    await core.exports.begin(operator, organisationId, detail)
    for (const one of taken) {
      marks.push({ organisationId, lrs: one, through: await core.exports.mark(operator, one.id) })
    }
  }
  return marks
}

async function namesOfKeys(
  { core, operator }: ExportSettings,
  organisationId: OrganisationId,
  pace: () => Promise<void>,
): Promise<(id: number) => string | undefined> {
  const names = new Map<number, string>()
  const caller = core.signIn.operator(organisationId, operator.operator)
  for (let offset = 0, total = 1; offset < total;) {
    const page = await core.credentials.list(caller, {}, { offset, limit: 1_000 })
    for (const { id, name } of page.items) names.set(id, name)
    offset += 1_000
    total = page.total
    await pace()
  }
  return (id) => names.get(id)
}

function counting({ onStage }: ExportSettings, { id, name }: PortableLrs) {
  const done = { statements: 0, documents: 0 }
  return (what: 'statements' | 'documents', count: number): void => {
    done[what] += count
    onStage({ title: `${what} of Lrs ${id} ${name}`.trim(), done: done[what] })
  }
}

/** Lets others have their turn, now and then. Throws where it is to stop. */
function pacer(signal: AbortSignal): () => Promise<void> {
  let end = 0
  return async () => {
    signal.throwIfAborted()
    if (performance.now() < end) return
    await nextSlice()
    end = performance.now() + sliceMs
  }
}
