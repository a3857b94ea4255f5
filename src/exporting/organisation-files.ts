// The files of one organisation: itself, its keys, applications, pipes and audit log; secrets sealed, or left out.

import type { Core } from '../core/core.ts'
import type { PortableApplication, PortableCredential, PortablePipe } from '../core/exporting.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import type { Endpoint } from '../core/remote-lrs.ts'
import type { ExportDirectory } from './directory.ts'
import { organisationFile, place } from './format.ts'
import type { Owners } from './lrs-files.ts'
import type { ApplicationLine, CredentialLine, EndpointLine, OrganisationLine, PipeLine } from './format.ts'
import type { OrganisationCounts, OrganisationPart } from './format.ts'
import type { Sealer } from './sealing.ts'

export interface OrganisationSettings {
  readonly core: Core
  readonly operator: PlatformOperator
  readonly directory: ExportDirectory
  /** Undefined: what is secret is left out. */
  readonly sealer: Sealer | undefined
  /** Only this Lrs, and the keys that reach it. */
  readonly onlyLrs: LrsId | undefined
  pace(): Promise<void>
}

/** `owners`: of what its Lrs hold. */
export async function writeOrganisation(
  settings: OrganisationSettings,
  organisationId: OrganisationId,
  owners: Owners,
): Promise<OrganisationCounts> {
  const { core, operator, onlyLrs } = settings
  const { organisation, lrs } = await core.exports.organisation(operator, organisationId)
  const counts = { credentials: 0, applications: 0, pipes: 0, auditEvents: 0 }
  const known = new Set<number>([0])
  const { oid } = organisation

  await writeLines(settings, organisationId, 'credentials.jsonl', async (write) => {
    for await (const credentials of core.exports.credentials(operator, organisationId)) {
      for (const credential of credentials) {
        const taken = narrowed(credential, onlyLrs)
        if (taken === undefined) continue
        known.add(taken.id)
        counts.credentials++
        await write(credentialLine(settings, oid, taken))
      }
    }
  })
  if (onlyLrs === undefined) {
    await writeLines(settings, organisationId, 'applications.jsonl', async (write) => {
      for await (const application of core.exports.applications(operator, organisationId)) {
        known.add(application.credential.id)
        counts.applications++
        await write(applicationLine(settings, oid, application))
      }
    })
    await writeLines(settings, organisationId, 'pipes.jsonl', async (write) => {
      for (const pipe of await core.exports.pipes(operator, organisationId)) {
        counts.pipes++
        await write(pipeLine(settings, oid, pipe))
      }
    })
  }
  let auditHead = ''
  await writeLines(settings, organisationId, 'audit.jsonl', async (write) => {
    for await (const events of core.exports.audit(operator, organisationId)) {
      for (const event of events) await write(event)
      counts.auditEvents += events.length
      auditHead = events.at(-1)?.hash ?? auditHead
    }
  })
  await writeLines(settings, organisationId, 'organisation.json', async (write) => {
    const gone = [...owners.ids].filter((owner) => !known.has(owner)).sort((a, b) => a - b)
    const line: OrganisationLine = {
      organisation: onlyLrs === undefined ? organisation : { ...organisation, defaultLrsId: onlyLrs, closedLrsIds: [] },
      lrs: onlyLrs === undefined ? lrs : lrs.filter(({ id }) => id === onlyLrs),
      gone,
      describing: Object.fromEntries(owners.describing),
    }
    await write(line)
  })
  return { id: organisationId, oid, name: organisation.name, ...counts, auditHead }
}

async function writeLines(
  { directory, pace }: OrganisationSettings,
  organisationId: OrganisationId,
  name: OrganisationPart,
  work: (write: (line: object) => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await directory.create(organisationFile(organisationId, name))
  try {
    await work(async (line) => {
      await file.write(`${JSON.stringify(line)}\n`)
      await pace()
    })
    await file.close()
  } catch (error) {
    await file.abandon()
    throw error
  }
}

/** With one Lrs alone goes what reaches it, and no further than there. */
function narrowed(credential: PortableCredential, lrsId: LrsId | undefined): PortableCredential | undefined {
  if (lrsId === undefined) return credential
  if (!credential.lrsIds.includes(lrsId)) return undefined
  const { xapi, management } = credential.rights
  const within = management.filter(({ bound }) => bound.kind === 'lrs' && bound.id === lrsId)
  return { ...credential, lrsIds: [lrsId], rights: { xapi, management: within } }
}

function credentialLine(
  { sealer }: Pick<OrganisationSettings, 'sealer'>,
  oid: string,
  { secrets, ...credential }: PortableCredential,
): CredentialLine {
  if (sealer === undefined) return { ...credential, secrets: [] }
  const sealed = secrets.map(({ value, ...secret }) => {
    return { ...secret, sealed: sealer.seal(place.secret(oid, credential.id, secret.id), value) }
  })
  return { ...credential, secrets: sealed }
}

/** Settings and callback may be passwords, whatever they are called. */
function applicationLine(
  { sealer }: Pick<OrganisationSettings, 'sealer'>,
  oid: string,
  { credential, callback, settings, ...application }: PortableApplication,
): ApplicationLine {
  const { id } = application
  const asked = callback === null || sealer === undefined ? null : JSON.stringify(callback)
  return {
    ...application,
    credential: credentialLine({ sealer }, oid, credential),
    callback: asked === null || sealer === undefined ? null : sealer.seal(place.callback(oid, id), asked),
    settings: settings.flatMap(({ level, name, value }) => {
      if (sealer === undefined) return []
      return [{ level, name, sealed: sealer.seal(place.setting(oid, id, level, name), value) }]
    }),
  }
}

function pipeLine(
  { sealer }: Pick<OrganisationSettings, 'sealer'>,
  oid: string,
  { source, target, ...pipe }: PortablePipe,
): PipeLine {
  const line = ({ url, user, password }: Endpoint, end: 'source' | 'target'): EndpointLine => {
    return { url, user, sealedPassword: sealer?.seal(place.password(oid, pipe.id, end), password) ?? null }
  }
  return { ...pipe, source: source && line(source, 'source'), target: line(target, 'target') }
}
