// What stands in the files of an export, checked and with its secrets opened. Of what core checks itself only the shape.

import { z } from 'zod'
import type {
  PortableApplication,
  PortableCredential,
  PortableLrs,
  PortableOrganisation,
  PortablePipe,
} from '../../core/exporting.ts'
import { invalid } from '../../core/errors.ts'
import { maxId } from '../../core/ids.ts'
import type { Json } from '../../core/storage.ts'
import { place } from '../../exporting/format.ts'
import type { ApplicationLine, CredentialLine, DocumentLine, EndpointLine } from '../../exporting/format.ts'
import type { OrganisationLine, PipeLine, StatementLine } from '../../exporting/format.ts'
import type { Sealer } from '../../exporting/sealing.ts'
import { parse } from './files.ts'

/** Neither database takes U+0000, and both would change an unpaired surrogate. */
const text = z.string().refine((value) => !/\0|\p{Surrogate}/u.test(value), 'has what no text may have')
const id = z.int().min(1).max(maxId)
const oid = z.string().regex(/^[0-9a-f]{24}$/)
const uuid = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const sha2 = z.string().regex(/^(?:[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/)
/** Unix milliseconds, or microseconds. */
const time = z.int().min(0)
const words = z.record(z.string(), z.json())

const lrsSchema = z.object({
  ...{ id, oid, name: text, description: text.max(10_000).nullable(), words },
  ...{ createdAt: time, updatedAt: time, deletedAt: time.nullable() },
  retentionDays: z.int().min(1).max(1_000_000).exactOptional(),
})

const organisationSchema = z.object({
  organisation: z.object({
    ...{ id, oid, name: text, defaultLrsId: id.nullable(), switches: words, words },
    ...{ closedLrsIds: z.array(id), expiresAt: time.nullable(), createdAt: time, updatedAt: time },
  }),
  lrs: z.array(lrsSchema),
  gone: z.array(id),
  describing: z.record(z.string(), z.enum(['any', 'mine'])),
})

const credentialSchema = z.object({
  ...{ id, oid, kind: z.enum(['client', 'application', 'management']), name: text, key: text, isEnabled: z.boolean() },
  rights: z.looseObject({ xapi: z.record(z.string(), z.string()), management: z.array(z.looseObject({})) }),
  pins: z.looseObject({}),
  limits: z.looseObject({}),
  lrsIds: z.array(id).max(10_000),
  authority: z.record(z.string(), z.json()).nullable(),
  oauth: z.object({ publicKey: z.string().exactOptional() }).nullable(),
  ...{ words, expiresAt: time.nullable(), version: z.int().min(1).max(maxId), createdAt: time, updatedAt: time },
  secrets: z.array(
    z.object({
      ...{ id: uuid, name: text, generation: z.int().min(1).max(maxId), isEnabled: z.boolean() },
      ...{ createdAt: time, expiresAt: time.nullable(), sealed: z.string() },
    }),
  ),
})

const applicationSchema = z.object({
  ...{ id: z.string().regex(/^[A-Z0-9]{10}$/), name: text, isDeletable: z.boolean(), liveLrsId: id, sandboxLrsId: id },
  ...{ createdAt: time, updatedAt: time, credential: credentialSchema, callback: z.string().nullable() },
  settings: z.array(z.object({ level: text, name: text, sealed: z.string() })).max(10_000),
})

const endpointSchema = z.object({ url: z.string(), user: z.string(), sealedPassword: z.string().nullable() })
const pipeSchema = z.object({
  ...{ id: uuid, applicationId: z.string().nullable(), lrsId: id.nullable(), pausedBecause: text.nullable() },
  ...{ progress: z.json(), version: z.int().min(1).max(maxId), createdAt: time, updatedAt: time },
  ...{ source: endpointSchema.nullable(), target: endpointSchema },
})

const statementSchema = z.object({
  owner: id,
  at: time.exactOptional(),
  voided: z.literal(true).exactOptional(),
  voidReach: z.enum(['any', 'mine']).exactOptional(),
  claims: z.array(z.object({ sha2, contentType: text })).exactOptional(),
  statement: z.unknown(),
})

const documentSchema = z.object({
  kind: z.enum(['state', 'agent-profile', 'activity-profile']),
  activityId: text.exactOptional(),
  agent: z.json().exactOptional(),
  registration: uuid.exactOptional(),
  ...{
    id: text,
    owner: z.int().min(0).max(maxId),
    contentType: text,
    etag: text,
    updatedAt: time,
    updated: z.string(),
  },
  ...{ length: time, text: z.string().exactOptional(), base64: z.string().exactOptional(), sha2: sha2.exactOptional() },
})

export interface ReadOrganisation {
  readonly organisation: PortableOrganisation
  readonly lrs: readonly PortableLrs[]
  readonly gone: readonly number[]
  readonly describing: Readonly<Record<string, 'any' | 'mine'>>
}

export function readOrganisation(line: string, name: string): ReadOrganisation {
  return read<OrganisationLine>(organisationSchema, line, name)
}

/** Without a sealer: without secrets. */
export function readCredential(
  line: string,
  name: string,
  oid: string,
  sealer: Sealer | undefined,
): PortableCredential {
  return openCredential(read<CredentialLine>(credentialSchema, line, name), oid, sealer)
}

export function readApplication(
  line: string,
  name: string,
  oid: string,
  sealer: Sealer | undefined,
): PortableApplication {
  const { credential, callback, settings, ...application } = read<ApplicationLine>(applicationSchema, line, name)
  const { id } = application
  const opened = callback !== null && sealer ? sealer.unseal(place.callback(oid, id), callback) : undefined
  return {
    ...application,
    credential: openCredential(credential, oid, sealer),
    callback: opened === undefined ? null : (parse(opened, name) as Json),
    settings: settings.flatMap(({ level, name: setting, sealed }) => {
      if (sealer === undefined) return []
      return [{ level, name: setting, value: sealer.unseal(place.setting(oid, id, level, setting), sealed) }]
    }),
  }
}

export function readPipe(line: string, name: string, oid: string, sealer: Sealer | undefined): PortablePipe {
  const { source, target, ...pipe } = read<PipeLine>(pipeSchema, line, name)
  const open = ({ url, user, sealedPassword }: EndpointLine, end: 'source' | 'target') => {
    const sealed = sealer === undefined ? null : sealedPassword
    return { url, user, password: sealed === null ? '' : sealer!.unseal(place.password(oid, pipe.id, end), sealed) }
  }
  return { ...pipe, source: source && open(source, 'source'), target: open(target, 'target') }
}

export function readStatement(line: string, name: string): StatementLine {
  return read<StatementLine>(statementSchema, line, name)
}

export function readDocument(line: string, name: string): DocumentLine {
  return read<DocumentLine>(documentSchema, line, name)
}

function openCredential(
  { secrets, ...credential }: CredentialLine,
  oid: string,
  sealer: Sealer | undefined,
): PortableCredential {
  const opened = secrets.flatMap(({ sealed, ...secret }) => {
    if (sealer === undefined) return []
    return [{ ...secret, value: sealer.unseal(place.secret(oid, credential.id, secret.id), sealed) }]
  })
  return { ...credential, secrets: opened }
}

function read<Line>(schema: z.ZodType, line: string, name: string): Line {
  const result = schema.safeParse(parse(line, name))
  if (result.success) return result.data as Line
  const [issue] = result.error.issues
  throw invalid(`${name} is no line of an export: /${issue?.path.join('/')} ${issue?.message}.`)
}
