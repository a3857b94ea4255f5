// What a face is: one vendor's HTTP API (or our own) in one folder. app.ts mounts faces; the CLI asks them questions.
// A face imports core, this file and http.ts; never another face, never storage.

import type { Hono } from 'hono'
import type { ZodType } from 'zod'
import type { AccessRequest } from '../core/access.ts'
import type { Core } from '../core/core.ts'
import type { DomainError } from '../core/errors.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { Principal } from '../core/principal.ts'
import type { Rights } from '../core/rights.ts'
import type { CredentialRecord, Json, OrganisationRecord, SecretRecord } from '../core/storage.ts'
import type { RequestContext } from './http.ts'

/** The Hono environment of every face: `c.env` says who asks from where, `c.var.principal` as whom. */
export interface FaceEnv {
  Bindings: RequestContext
  Variables: {
    principal?: Principal
    /** Why the request was refused, for usage. */
    refusal?: string
    /** How many statements the request stored, for usage. */
    statements?: number
  }
}

/** A path prefix that belongs to one face, with everything below it. */
export interface Mount {
  /** Absolute, no trailing slash; segments may be `:name`. `/api/organizations/:orgId/activity-providers` */
  readonly path: string
  /** Answer runs of slashes, or a trailing one, as if they were one, or none. */
  readonly toleratesSlashes?: boolean
  /** Match the prefix whatever its case. */
  readonly toleratesCase?: boolean
}

/** An answer to an error, in the shape of whoever is imitated. An object body becomes JSON. */
export interface ErrorAnswer {
  readonly status: number
  readonly body: string | object | null
  readonly headers?: Readonly<Record<string, string>>
}

export interface ErrorContext {
  readonly requestId: string
}

/** Where the one xAPI implementation is mounted besides `/xapi`: a vendor's path, that vendor's error shape. */
export interface XapiMount {
  readonly name: string
  /** Absolute, may hold `:params`, no trailing slash: `/api/organizations/:orgId/lrs`. */
  readonly prefix: string
  /** Which organisation the path names; sign-in looks nowhere else. Throws `unauthenticated` for a malformed one. */
  within?(params: Readonly<Record<string, string>>): OrganisationId | undefined
  /** Which Lrs the principal reaches on this path. */
  lrs(principal: Principal, params: Readonly<Record<string, string>>): LrsId
  presentError(error: DomainError, context: ErrorContext): ErrorAnswer
}

/** A choice an operator makes per organisation; its value lives in `OrganisationRecord.switches` under `<face>.<name>`. */
export interface Switch {
  readonly name: string
  readonly describes: string
  readonly schema: ZodType<Json>
  readonly default: Json
}

/** A vendor's word for a set of rights, offered by the CLI as `<face>/<name>`. */
export interface FacePreset {
  readonly name: string
  readonly summary: string
  readonly rights: Rights
  /** What the vendor's API shows for it, kept in `CredentialRecord.words[face]`. */
  readonly words?: Json
}

/** What `show --as <face>` hands a face: the records, and the secrets in clear. */
export interface ShownCredential {
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
  readonly secrets: readonly { readonly record: SecretRecord; readonly clear: string }[]
}

export interface Face {
  /** Folder name. */
  readonly name: string
  readonly mounts: readonly Mount[]
  /** Routes with absolute paths, all below `mounts`. Build it with `faceApp` of http.ts. */
  routes(core: Core): Hono<FaceEnv>
  readonly xapiMounts?: readonly XapiMount[]
  readonly switches?: readonly Switch[]
  readonly presets?: readonly FacePreset[]
  /** What a request of this method and path would ask of `explain`; undefined = not a path of this face. */
  accessFor?(method: string, path: string): AccessRequest | undefined
  /** The credential as this vendor's API returns it. */
  showCredential?(shown: ShownCredential): Json
}
