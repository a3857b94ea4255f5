// What an export is on disk: names of its files, and what stands in them. The one description of the format, for whoever writes it
// and whoever reads it; docs/guides/export.md says the same in words. Whoever changes it raises the version.

import type { PortableApplication, PortableCredential, PortableLrs } from '../core/exporting.ts'
import type { PortableOrganisation, PortablePipe, PortableSecret } from '../core/exporting.ts'
import type { Setting } from '../core/setting.ts'
import type { Json } from '../core/storage.ts'

export const formatName = 'claviger-export'
export const formatVersion = 1

/** Written last: a directory without it is no export. */
export const manifestFile = 'manifest.json'
/** While it is written. */
export const unfinishedFile = 'UNFINISHED'
/** As `sha256sum --check` reads it; every file but itself, the manifest and the mark above. */
export const sumsFile = 'SHA256SUMS'

/** Below the directory of the export, with slashes. */
export const organisationFile = (id: number, name: OrganisationPart): string => `organisations/${id}/${name}`
export type OrganisationPart =
  | 'organisation.json'
  | 'credentials.jsonl'
  | 'applications.jsonl'
  | 'pipes.jsonl'
  | 'audit.jsonl'
export const lrsFile = (id: number, name: 'statements.jsonl' | 'documents.jsonl' | 'statements.csv', isGzip: boolean) =>
  `lrs/${id}/${name}${isGzip ? '.gz' : ''}`
export const blobFile = (id: number, sha2: string): string => `lrs/${id}/blobs/${sha2.slice(0, 2)}/${sha2}`

export interface Manifest {
  readonly format: typeof formatName
  readonly version: number
  /** Of this export: 24 hex digits. */
  readonly id: string
  /** ISO 8601. */
  readonly begunAt: string
  readonly finishedAt: string
  /** Statements stored, and documents changed, after this; null: all. */
  readonly since: string | null
  readonly isGzip: boolean
  /** Null: there is no secret in it. */
  readonly sealing: Sealing | null
  readonly organisations: readonly OrganisationCounts[]
  readonly lrs: readonly LrsCounts[]
  readonly files: { readonly count: number; readonly bytes: number; readonly sumsSha256: string }
  readonly warnings: readonly string[]
}

/** How a passphrase opens what is sealed. */
export interface Sealing {
  readonly kdf: 'scrypt'
  readonly n: number
  readonly r: number
  readonly p: number
  /** Base64. */
  readonly salt: string
  readonly cipher: 'aes-256-gcm'
  /** Opens with the right passphrase only. */
  readonly check: string
}

export interface OrganisationCounts {
  readonly id: number
  readonly oid: string
  readonly name: string
  readonly credentials: number
  readonly applications: number
  readonly pipes: number
  readonly auditEvents: number
  /** Hash of the last of them. */
  readonly auditHead: string
}

export interface LrsCounts {
  readonly id: number
  readonly organisationId: number
  readonly name: string
  /** Everything stored up to here is in it; microseconds since the Unix epoch, and the same as ISO 8601. */
  readonly through: number
  readonly throughTime: string
  readonly statements: number
  readonly voided: number
  readonly documents: number
  readonly blobs: number
  readonly blobBytes: number
  /** That rows refer to and nobody has. */
  readonly lostBlobs: number
}

/** organisation.json: one line. */
export interface OrganisationLine {
  readonly organisation: PortableOrganisation
  /** Those of applications, too. */
  readonly lrs: readonly PortableLrs[]
  /** Own statements or documents here and are no credentials any more. */
  readonly gone: readonly number[]
  /** Whose statements describe activities: for everybody, or for themselves. */
  readonly describing: Readonly<Record<string, 'any' | 'mine'>>
}

/** credentials.jsonl. Sealed with `credentialPlace`. */
export type CredentialLine = Omit<PortableCredential, 'secrets'> & { readonly secrets: readonly SealedSecret[] }
export type SealedSecret = Omit<PortableSecret, 'value'> & { readonly sealed: string }

/** applications.jsonl. */
export type ApplicationLine = Omit<PortableApplication, 'credential' | 'callback' | 'settings'> & {
  readonly credential: CredentialLine
  /** JSON, sealed. */
  readonly callback: string | null
  readonly settings: readonly (Omit<Setting, 'value'> & { readonly sealed: string })[]
}

/** pipes.jsonl. */
export type PipeLine = Omit<PortablePipe, 'source' | 'target'> & {
  readonly source: EndpointLine | null
  readonly target: EndpointLine
}
export interface EndpointLine {
  readonly url: string
  readonly user: string
  /** Null: left out. */
  readonly sealedPassword: string | null
}

/**
 * A line of statements.jsonl; in stored order. `statement` is its last member, and what stands between `"statement":` and the last
 * brace is the text of the statement as it was stored, to the byte.
 */
export interface StatementLine {
  readonly owner: number
  /** Microseconds, where it is listed by another time than its `stored` says. */
  readonly at?: number
  readonly voided?: true
  readonly voidReach?: 'any' | 'mine'
  readonly claims?: readonly { readonly sha2: string; readonly contentType: string }[]
  readonly statement: Json
}

/** documents.jsonl. One of `text`, `base64` and `sha2` (then in `blobs`). */
export interface DocumentLine {
  readonly kind: 'state' | 'agent-profile' | 'activity-profile'
  readonly activityId?: string
  /** An xAPI Agent with nothing but its identifier. */
  readonly agent?: Json
  readonly registration?: string
  /** stateId or profileId. */
  readonly id: string
  /** 0: shared. */
  readonly owner: number
  readonly contentType: string
  readonly etag: string
  /** Microseconds, and the same as ISO 8601. */
  readonly updatedAt: number
  readonly updated: string
  readonly length: number
  readonly text?: string
  readonly base64?: string
  readonly sha2?: string
}

/** Where a value is sealed: it opens nowhere else. */
export const place = {
  secret: (organisation: string, credential: number, secret: string) => ['secret', organisation, credential, secret],
  callback: (organisation: string, application: string) => ['callback', organisation, application],
  setting: (organisation: string, application: string, level: string, name: string) => {
    return ['setting', organisation, application, level, name]
  },
  password: (organisation: string, pipe: string, end: 'source' | 'target') => ['password', organisation, pipe, end],
} as const
