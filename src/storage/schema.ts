// The tables the directory queries see, as Kysely types; the same for every engine. Columns are plain: JSON and booleans are
// text and 0/1, so that one set of queries serves all engines. The statement tables are hand-written SQL per engine.

import type { Generated } from 'kysely'

export interface Schema {
  organisation: OrganisationTable
  lrs: LrsTable
  owner: OwnerTable
  credential: CredentialTable
  secret: SecretTable
  pair: PairTable
  session: SessionTable
  audit: AuditTable
  usage: UsageTable
  erasure: ErasureTable
  application: ApplicationTable
  setting: SettingTable
  pipe: PipeTable
  note: NoteTable
  platform: PlatformTable
  content: ContentTable
  placement: PlacementTable
  launch: LaunchTable
  ticket: TicketTable
  import: ImportTable
  import_lrs: ImportLrsTable
  platform_value: PlatformValueTable
}

export interface OrganisationTable {
  id: Generated<number>
  oid: string
  name: string
  default_lrs_id: number | null
  wrapped_key: string
  switches: string
  closed_lrs_ids: Generated<string>
  expires_at: number | null
  /** JSON: by face. */
  words: Generated<string>
  created_at: number
  updated_at: number
  /** Number and hash of the last audit event. Counting it up is also the lock that puts an organisation's writes in a row. */
  audit_number: number
  audit_hash: string
}

export interface ImportTable {
  id: string
  source: string
  started_at: number
  progress: string
  report: string | null
  finished_at: number | null
}

export interface ImportLrsTable {
  lrs_id: number
  import_id: string
  low: number | null
  progress: string
  counts: string
}

export interface LrsTable {
  id: Generated<number>
  oid: string
  organisation_id: number
  name: string
  description: string | null
  /** JSON: by face. */
  words: Generated<string>
  created_at: number
  updated_at: number
  deleted_at: number | null
  retention_days: number | null
}

/** Every credential id that was ever given; rows stay, because statements keep their owner. */
export interface OwnerTable {
  id: Generated<number>
  organisation_id: number
}

export interface CredentialTable {
  id: number
  oid: string
  organisation_id: number
  kind: string
  name: string
  key: string
  is_enabled: number
  rights: string
  pins: string
  limits: string
  lrs_ids: string
  authority: string | null
  oauth: string | null
  words: string
  expires_at: number | null
  version: number
  created_at: number
  updated_at: number
}

export interface SecretTable {
  /** Order of insertion. */
  number: Generated<number>
  id: string
  credential_id: number
  name: string
  sealed: string
  generation: number
  is_enabled: number
  created_at: number
  expires_at: number | null
}

/** Which organisation a key together with a secret belongs to; rows stay. */
export interface PairTable {
  fingerprint: string
  organisation_id: number
}

export interface SessionTable {
  id: Generated<number>
  oid: string
  organisation_id: number
  credential_id: number
  key: string
  sealed: string
  under_secret: string
  under_generation: number
  rights: string
  pins: string
  words: string
  /** JSON. */
  launch: string | null
  bound_to: string | null
  created_at: number
  expires_at: number
}

export interface AuditTable {
  organisation_id: number
  number: number
  at: number
  actor: string
  action: string
  target: string
  detail: string
  previous_hash: string
  hash: string
}

export interface UsageTable {
  organisation_id: number
  credential_id: number
  /** Empty: a session, or no secret known. */
  secret_id: string
  requests: number
  statements: number
  refusals: string
  first_at: number
  last_at: number
  last_address: string | null
  last_user_agent: string | null
}

/** A job while it has no receipt. */
export interface ErasureTable {
  id: string
  organisation_id: number
  plan: string
  sealed: string | null
  counts: string
  started_at: number
  receipt: string | null
}

export interface ApplicationTable {
  id: string
  organisation_id: number
  name: string
  is_deletable: number
  live_lrs_id: number
  sandbox_lrs_id: number
  credential_id: number
  callback: string | null
  callback_generation: number
  created_at: number
  updated_at: number
}

export interface SettingTable {
  application_id: string
  level: string
  name: string
  value: string
}

export interface PipeTable {
  id: string
  organisation_id: number
  application_id: string | null
  source_lrs_id: number | null
  source: string | null
  target: string
  paused_because: string | null
  progress: string
  version: number
  created_at: number
  updated_at: number
}

/** What all nodes know until it is over. */
export interface NoteTable {
  name: string
  value: string
  until: number
}

export interface PlatformTable {
  id: string
  organisation_id: number
  name: string
  protocol: string
  credential_id: number
  /** JSON. */
  secrets: string
  /** JSON: a face's. */
  settings: string
  is_enabled: number
  version: number
  created_at: number
  updated_at: number
}

export interface ContentTable {
  id: string
  organisation_id: number
  name: string
  /** JSON. */
  settings: string
  version: number
  created_at: number
  updated_at: number
}

export interface PlacementTable {
  platform_id: string
  resource: string
  organisation_id: number
  content_id: string | null
  created_at: number
  updated_at: number
}

export interface LaunchTable {
  /** Order of insertion. */
  number: Generated<number>
  id: string
  organisation_id: number
  platform_id: string | null
  content_id: string | null
  resource: string | null
  credential_id: number
  home_lrs_id: number
  session_id: number | null
  style: string
  mode: string
  actor: string
  actor_key: string
  actor_hash: string
  activity_id: string
  registration: string
  /** What at most one launch that runs has in common with those before it. Begins with the registration. */
  chain: string
  /** Null: swept. */
  data: string | null
  sealed: string | null
  progress: string
  version: number
  cookie: string | null
  created_at: number
  expires_at: number
  ended_at: number | null
  ended_by: string | null
  owes: string | null
}

export interface TicketTable {
  hash: string
  launch_number: number
  kind: string
  until: number
  used_at: number | null
}

export interface PlatformValueTable {
  name: string
  value: string
}
