// Every table there is, described once for both engines: its columns, what a row is known by, and whether a copy of the store has
// it. A test compares this with what the migrations make, so that no new table or column is forgotten.

import { copyMark } from './unfinished.ts'
import { storeId } from '../blobs/owner.ts'

/** How a value is the same on every engine: a whole number of up to 64 bits, Unicode text, bytes. Any of them may be null. */
export type Kind = 'integer' | 'text' | 'bytes'

export interface Table {
  readonly name: string
  /** In an order that both engines sort alike: numbers, then text and bytes by their bytes. */
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, Kind>>
  /** What an `on conflict` names on PostgreSQL where that is not the key: identifiers are longer than an index entry may be. */
  readonly postgresConflict?: readonly string[]
  /** Refers to a table that comes later, so it is filled in when that is there. */
  readonly late?: readonly string[]
  /** The column that numbers are given from, never one twice. */
  readonly identity?: string
  /** Rows that belong to this store and to no copy of it, by their key's first column. */
  readonly own?: readonly string[]
}

/** The highest time that was told as Consistent-Through; each engine keeps it in its own way. */
export const announced = 'announced'

/** What a copy has, in an order in which no row comes before one that it refers to. */
export const tables: readonly Table[] = [
  {
    name: 'platform_value',
    key: ['name'],
    columns: { name: 'text', value: 'text' },
    own: [copyMark, announced, storeId],
  },
  {
    name: 'organisation',
    key: ['id'],
    identity: 'id',
    late: ['default_lrs_id'],
    columns: {
      id: 'integer',
      oid: 'text',
      name: 'text',
      default_lrs_id: 'integer',
      wrapped_key: 'text',
      switches: 'text',
      closed_lrs_ids: 'text',
      expires_at: 'integer',
      words: 'text',
      created_at: 'integer',
      updated_at: 'integer',
      audit_number: 'integer',
      audit_hash: 'text',
    },
  },
  {
    name: 'lrs',
    key: ['id'],
    identity: 'id',
    columns: {
      id: 'integer',
      oid: 'text',
      organisation_id: 'integer',
      name: 'text',
      description: 'text',
      words: 'text',
      created_at: 'integer',
      updated_at: 'integer',
      deleted_at: 'integer',
      retention_days: 'integer',
    },
  },
  { name: 'owner', key: ['id'], identity: 'id', columns: { id: 'integer', organisation_id: 'integer' } },
  {
    name: 'credential',
    key: ['id'],
    columns: {
      id: 'integer',
      oid: 'text',
      organisation_id: 'integer',
      kind: 'text',
      name: 'text',
      key: 'text',
      is_enabled: 'integer',
      rights: 'text',
      pins: 'text',
      limits: 'text',
      lrs_ids: 'text',
      authority: 'text',
      oauth: 'text',
      words: 'text',
      expires_at: 'integer',
      version: 'integer',
      created_at: 'integer',
      updated_at: 'integer',
    },
  },
  {
    name: 'secret',
    key: ['number'],
    identity: 'number',
    columns: {
      number: 'integer',
      id: 'text',
      credential_id: 'integer',
      name: 'text',
      sealed: 'text',
      generation: 'integer',
      is_enabled: 'integer',
      created_at: 'integer',
      expires_at: 'integer',
    },
  },
  { name: 'pair', key: ['fingerprint'], columns: { fingerprint: 'text', organisation_id: 'integer' } },
  {
    name: 'session',
    key: ['id'],
    identity: 'id',
    columns: {
      id: 'integer',
      oid: 'text',
      organisation_id: 'integer',
      credential_id: 'integer',
      key: 'text',
      sealed: 'text',
      under_secret: 'text',
      under_generation: 'integer',
      rights: 'text',
      pins: 'text',
      words: 'text',
      created_at: 'integer',
      expires_at: 'integer',
    },
  },
  {
    name: 'audit',
    key: ['organisation_id', 'number'],
    columns: {
      organisation_id: 'integer',
      number: 'integer',
      at: 'integer',
      actor: 'text',
      action: 'text',
      target: 'text',
      detail: 'text',
      previous_hash: 'text',
      hash: 'text',
    },
  },
  {
    name: 'usage',
    key: ['credential_id', 'secret_id'],
    columns: {
      organisation_id: 'integer',
      credential_id: 'integer',
      secret_id: 'text',
      requests: 'integer',
      statements: 'integer',
      refusals: 'text',
      first_at: 'integer',
      last_at: 'integer',
      last_address: 'text',
      last_user_agent: 'text',
    },
  },
  {
    name: 'application',
    key: ['id'],
    columns: {
      id: 'text',
      organisation_id: 'integer',
      name: 'text',
      is_deletable: 'integer',
      live_lrs_id: 'integer',
      sandbox_lrs_id: 'integer',
      credential_id: 'integer',
      callback: 'text',
      callback_generation: 'integer',
      created_at: 'integer',
      updated_at: 'integer',
    },
  },
  {
    name: 'setting',
    key: ['application_id', 'level', 'name'],
    columns: { application_id: 'text', level: 'text', name: 'text', value: 'text' },
  },
  {
    name: 'pipe',
    key: ['id'],
    columns: {
      id: 'text',
      organisation_id: 'integer',
      application_id: 'text',
      source_lrs_id: 'integer',
      source: 'text',
      target: 'text',
      paused_because: 'text',
      progress: 'text',
      version: 'integer',
      created_at: 'integer',
      updated_at: 'integer',
    },
  },
  // A nonce that was seen is refused in a copy as well.
  { name: 'note', key: ['name'], columns: { name: 'text', value: 'text', until: 'integer' } },
  {
    name: 'erasure',
    key: ['id'],
    columns: {
      id: 'text',
      organisation_id: 'integer',
      plan: 'text',
      sealed: 'text',
      counts: 'text',
      started_at: 'integer',
      receipt: 'text',
    },
  },
  {
    name: 'import',
    key: ['id'],
    columns: {
      id: 'text',
      source: 'text',
      started_at: 'integer',
      progress: 'text',
      report: 'text',
      finished_at: 'integer',
    },
  },
  {
    name: 'import_lrs',
    key: ['lrs_id', 'import_id'],
    columns: { lrs_id: 'integer', import_id: 'text', low: 'integer', progress: 'text', counts: 'text' },
  },
  {
    name: 'statement',
    key: ['lrs_id', 'seq'],
    columns: {
      lrs_id: 'integer',
      seq: 'integer',
      id: 'bytes',
      owner: 'integer',
      timestamp: 'integer',
      is_voided: 'integer',
      is_voiding: 'integer',
      terms: 'text',
      body: 'text',
    },
  },
  {
    name: 'posting',
    key: ['lrs_id', 'term', 'seq'],
    columns: { lrs_id: 'integer', term: 'integer', seq: 'integer' },
  },
  {
    name: 'term',
    key: ['lrs_id', 'id'],
    columns: { lrs_id: 'integer', id: 'integer', kind: 'text', sha256: 'bytes', value: 'text' },
  },
  {
    name: 'reference',
    key: ['lrs_id', 'target_id', 'owner', 'source_seq'],
    columns: { lrs_id: 'integer', target_id: 'bytes', owner: 'integer', source_seq: 'integer' },
  },
  {
    name: 'inheritance',
    key: ['lrs_id', 'seq'],
    columns: { lrs_id: 'integer', seq: 'integer', terms: 'text' },
  },
  {
    name: 'waiting_void',
    key: ['lrs_id', 'target_id', 'owner'],
    columns: { lrs_id: 'integer', target_id: 'bytes', owner: 'integer' },
  },
  {
    name: 'document',
    key: ['lrs_id', 'scope', 'owner', 'registration', 'id'],
    postgresConflict: ['lrs_id', 'scope', 'owner', 'registration', 'id_sha256'],
    columns: {
      lrs_id: 'integer',
      scope: 'bytes',
      owner: 'integer',
      registration: 'text',
      id: 'text',
      kind: 'text',
      activity: 'text',
      agent: 'text',
      content_type: 'text',
      etag: 'text',
      updated_at: 'integer',
      content: 'bytes',
      sha2: 'text',
      length: 'integer',
    },
  },
  {
    name: 'description',
    key: ['lrs_id', 'subject', 'owner', 'sha256'],
    columns: {
      lrs_id: 'integer',
      subject: 'integer',
      owner: 'integer',
      sha256: 'bytes',
      is_shared: 'integer',
      first_at: 'integer',
      text: 'text',
    },
  },
  {
    name: 'attachment',
    key: ['lrs_id', 'seq', 'sha2'],
    columns: { lrs_id: 'integer', seq: 'integer', sha2: 'text', content_type: 'text' },
  },
  { name: 'erased_lrs', key: ['lrs_id'], columns: { lrs_id: 'integer', salt: 'bytes', last_seq: 'integer' } },
  { name: 'erased_statement', key: ['lrs_id', 'hash'], columns: { lrs_id: 'integer', hash: 'bytes' } },
  {
    name: 'disinheriting',
    key: ['lrs_id', 'target_id'],
    columns: { lrs_id: 'integer', target_id: 'bytes', owner: 'integer', seq: 'integer' },
  },
]

/** Tables that a copy begins without, each with the reason why. */
export const notCopied: Readonly<Record<string, string>> = {
  schema_migration: 'says what was done to this database; a copy has its own',
  lease: 'who is at work on a database at the moment',
  shared_count: 'counts of the last seconds, for limits',
  directory_change: 'tells nodes over one database what changed',
  document_floor: 'what is changed in a copy is later than all that was copied',
  blob_hold: 'what requests under way have put',
  blob_removal: 'which blobs a process is removing at the moment',
  lrs_state: 'found in the rows',
  clock_floor: 'taken over as the announced time, as from a platform value of SQLite',
}
