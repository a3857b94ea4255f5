// Documents, what statements say of activities and agents, attachments. Reason: every resource of xAPI.
// As 002: tables lead with lrs_id, every unique constraint contains it, no foreign keys.

import type { Migration } from './migration.ts'

export const resources: Migration = {
  number: 3,
  name: 'resources',
  sql: {
    sqlite: `
-- State, Agent Profile and Activity Profile documents
create table document (
  lrs_id integer not null,
  -- SHA-256 of kind, activity and agent: identifiers are long
  scope blob not null,
  -- 0 = shared
  owner integer not null,
  -- empty: none
  registration text not null,
  id text not null,
  kind text not null,
  activity text,
  agent text,
  content_type text not null,
  -- lower-case hex SHA-1 of the content
  etag text not null,
  -- microseconds
  updated_at integer not null,
  -- one of the two
  content blob,
  sha2 text,
  length integer not null,
  primary key (lrs_id, scope, owner, registration, id)
) strict;
-- what refers to a blob; erasure finds a person's documents
create index document_blob on document (lrs_id, sha2) where sha2 is not null;
create index document_agent on document (lrs_id, agent) where agent is not null;

-- distinct things said of an activity or an agent: subject is a dictionary id
create table description (
  lrs_id integer not null,
  subject integer not null,
  owner integer not null,
  sha256 blob not null,
  is_shared integer not null,
  -- microseconds
  first_at integer not null,
  text text not null,
  primary key (lrs_id, subject, owner, sha256)
) strict, without rowid;
-- a subject's in the order they count, without reading the texts
create index description_order on description (lrs_id, subject, is_shared desc, first_at desc);

-- the attachments whose bytes a statement's sender sent
create table attachment (
  lrs_id integer not null,
  seq integer not null,
  sha2 text not null,
  content_type text not null,
  primary key (lrs_id, seq, sha2)
) strict, without rowid;
create index attachment_blob on attachment (lrs_id, sha2);
`,
    postgres: `
-- Identifiers are longer than an index entry may be. Immutable because the encoding of a database never changes.
create function claviger_sha256(value text) returns bytea language sql immutable strict parallel safe
  as $$ select sha256(convert_to(value, 'UTF8')) $$;

-- State, Agent Profile and Activity Profile documents
create table document (
  lrs_id integer not null,
  -- 0 = shared
  owner integer not null,
  -- microseconds
  updated_at bigint not null,
  length bigint not null,
  -- SHA-256 of kind, activity and agent: identifiers are long
  scope bytea not null,
  -- empty: none
  registration text collate "C" not null,
  id text collate "C" not null,
  kind text collate "C" not null,
  activity text collate "C",
  agent text collate "C",
  content_type text not null,
  -- lower-case hex SHA-1 of the content
  etag text collate "C" not null,
  -- one of the two
  content bytea,
  sha2 text collate "C",
  id_sha256 bytea generated always as (claviger_sha256(id)) stored,
  primary key (lrs_id, scope, owner, registration, id_sha256)
);
-- what refers to a blob; erasure finds a person's documents
create index document_blob on document (lrs_id, sha2) where sha2 is not null;
create index document_agent on document (lrs_id, claviger_sha256(agent)) where agent is not null;

-- distinct things said of an activity or an agent: subject is a dictionary id
create table description (
  lrs_id integer not null,
  subject integer not null,
  owner integer not null,
  is_shared smallint not null,
  -- microseconds
  first_at bigint not null,
  sha256 bytea not null,
  text text not null,
  primary key (lrs_id, subject, owner, sha256)
);
-- a subject's in the order they count, without reading the texts
create index description_order on description (lrs_id, subject, is_shared desc, first_at desc);

-- the attachments whose bytes a statement's sender sent
create table attachment (
  lrs_id integer not null,
  seq bigint not null,
  sha2 text collate "C" not null,
  content_type text not null,
  primary key (lrs_id, seq, sha2)
);
create index attachment_blob on attachment (lrs_id, sha2);
`,
  },
}
