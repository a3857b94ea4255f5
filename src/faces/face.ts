// What a face is: one vendor's HTTP API (or our own) in one folder. app.ts mounts faces; the CLI asks them questions.
// A face imports core, this file and http.ts; never another face, never storage.

import type { Hono } from 'hono'
import type { ZodType } from 'zod'
import type { Decision } from '../core/access.ts'
import type { Core } from '../core/core.ts'
import type { DomainError } from '../core/errors.ts'
import type { LrsId, OrganisationId } from '../core/ids.ts'
import type { Principal } from '../core/principal.ts'
import type { Rights } from '../core/rights.ts'
import type { Elsewhere } from '../core/sign-in.ts'
import type {
  ApplicationRecord,
  CredentialRecord,
  Json,
  LrsRecord,
  OrganisationRecord,
  PlatformRecord,
  SecretRecord,
} from '../core/storage.ts'
import type { XapiVersion } from '../core/xapi/version.ts'
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
  /** The path alone: nothing below it is this face's. */
  readonly isExact?: boolean
  /** Answer runs of slashes, or a trailing one, as if they were one, or none. */
  readonly toleratesSlashes?: boolean
  /** Match the prefix whatever its case. */
  readonly toleratesCase?: boolean
  /** Only for what no longer prefix claims, whichever face that is of: so that a wrong path is answered in this face's shape. */
  readonly isFallback?: boolean
  /** What clients are configured with, where that is not each of the mounts. */
  readonly isBase?: boolean
}

/** An answer to an error, in the shape of whoever is imitated. An object body becomes JSON. */
export interface ErrorAnswer {
  readonly status: number
  readonly body: string | object | null
  /** Null: without one that would be sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>>
}

export interface ErrorContext {
  readonly requestId: string
  /** Of the request, where there was one. */
  readonly path?: string
}

/** Where the one xAPI implementation is mounted besides `/xapi`: a vendor's path, that vendor's error shape. */
export interface XapiMount {
  readonly name: string
  /** Absolute, may hold `:params`, no trailing slash: `/api/organizations/:orgId/lrs`. */
  readonly prefix: string
  /** Match the prefix whatever its case. */
  readonly toleratesCase?: boolean
  /** Parameters of the vendor's own, passed over. */
  readonly ignoredParams?: readonly string[]
  /** What answers name to who names no version and has spoken none before; the latest unless given. */
  readonly assumedVersion?: XapiVersion
  /** Whether the version is looked at before the credentials; unless given, only for who sends neither. */
  asksVersionFirst?(method: string, path: string): boolean
  /**
   * Where the path leads, asked before anybody signs in; at once where nothing is to be looked up. Throws `unauthenticated` for
   * a malformed one. A path to nowhere leads to nobody, so that it is answered like a wrong secret.
   */
  place(core: Core, params: Readonly<Record<string, string>>): XapiPlace | Promise<XapiPlace>
  presentError(error: DomainError, context: ErrorContext): ErrorAnswer
}

export interface XapiPlace {
  /** The organisation the path names; sign-in looks nowhere else. */
  readonly within?: OrganisationId
  /** Why there is nothing here for anybody, for who asks instead of requests: those are answered as if they were anybody's. */
  readonly nothing?: string
  /** Where the path alone says which. */
  readonly lrsId?: LrsId
  /** Which Lrs the principal reaches on this path. Throws why none. */
  lrs(principal: Principal): LrsId
  /** Whom to ask about keys and secrets that nobody here knows. */
  elsewhere?(presented: PresentedPair): Elsewhere | undefined
}

export interface PresentedPair {
  readonly key: string
  readonly secret: string
  /** The client's. */
  readonly address?: string | undefined
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

/**
 * A kind of platform that this face lets launch. Core keeps what it is set to as it is, in `PlatformRecord.settings`, under these names; the
 * command line makes an option of each, `maxSkewSeconds` being `--max-skew-seconds`.
 */
export interface PlatformProtocol {
  /** `PlatformRecord.protocol`. */
  readonly protocol: string
  /** For the list of what there is. */
  readonly summary: string
  readonly settings: readonly PlatformSetting[]
  /** Throws `invalid` for settings that each are right but do not go together. */
  check?(settings: Readonly<Record<string, Json>>): void
  /** Throws `invalid` for what is no name of a place there, or of one whose people may not come. Absent: any name is one. */
  checkPlace?(place: string, settings: Readonly<Record<string, Json>>): void
  /** What somebody enters at the platform: an address for each thing it asks for, in its own words. */
  addresses(
    platform: Pick<PlatformRecord, 'id' | 'settings'>,
    baseUrl: string,
  ): readonly { readonly name: string; readonly url: string }[]
}

export interface PlatformSetting {
  readonly name: string
  readonly describes: string
  /** Its values in words, for who typed another: `whole numbers from 30 to 900`. */
  readonly accepts: string
  /** What stands for the value in the help: `<id,…>`. */
  readonly placeholder: string
  /**
   * Of the value as it is kept. Typed text is tried as `none` for what may be empty, as JSON, `on` or `off`, itself, and as a list whose
   * items commas part, texts or numbers: the first that passes.
   */
  readonly schema: ZodType<Json>
  /** What holds for a platform whose settings leave the name out, as they do unless somebody says it. Absent: it must be given. */
  readonly default?: Json
}

/** What `show --as <face>` hands a face: the records, and the secrets in clear. */
export interface ShownCredential {
  readonly organisation: OrganisationRecord
  /** All of the organisation. */
  readonly applications: readonly ApplicationRecord[]
  /** All of the organisation, deleted ones, too. */
  readonly lrs: readonly LrsRecord[]
  /** Where the server is reached from outside. */
  readonly baseUrl: string
  readonly credential: CredentialRecord
  readonly secrets: readonly { readonly record: SecretRecord; readonly clear: string }[]
}

/** A request as `ask` puts it: judged, never sent. */
export interface AskedRequest {
  /** Upper case. */
  readonly method: string
  /** As routes match it: with the slashes and the case the mount tolerates made even. */
  readonly path: string
  readonly query: URLSearchParams
  /** The value of X-Experience-API-Version, where the path is xAPI's. */
  readonly version: string
  readonly address?: string | undefined
  /** The Origin header. */
  readonly origin?: string | undefined
  /** Judged when given. */
  readonly body?: string | undefined
}

/** What stands between a request and its answer. */
export type Access =
  /** Answered to everybody. */
  | { readonly kind: 'public'; readonly reason: string }
  /** Refused to everybody: an unknown path or method, something not offered yet. */
  | { readonly kind: 'refused'; readonly decidedBy: string; readonly reason: string }
  /** A key signs in, within an organisation where the path names one, and then … */
  | { readonly kind: 'key'; readonly within?: OrganisationId; readonly judge: Judge }

/** Says, or throws, what the request would be answered to this principal. Changes and counts nothing. */
export type Judge = (core: Core, principal: Principal) => Promise<Judgement>

export interface Judgement extends Decision {
  /** What decides, too, but is not known: `the statement`. */
  readonly depends?: readonly string[]
  /** Which Lrs the path leads to. */
  readonly lrsId?: LrsId
  /** Rights by whose name it would be allowed, where no single right would do. */
  readonly preset?: string
  /** Sentences worth knowing that decide nothing. */
  readonly notes?: readonly string[]
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
  readonly platform?: PlatformProtocol
  /** What a request below `mounts` would meet. Throws what it would be refused with before anybody signs in. */
  accessFor?(asked: AskedRequest, core: Core): Access | Promise<Access>
  /** The credential as this vendor's API returns it. */
  showCredential?(shown: ShownCredential): Json
}
