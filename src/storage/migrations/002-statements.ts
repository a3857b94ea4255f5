// Statements and the postings that find them. Reason: first release.
// Data tables lead with lrs_id, every unique constraint contains it and no foreign key leaves the group, so that a
// distributed PostgreSQL can shard them by it. There is no foreign key at all: only the one writer writes here.

import type { Migration } from './migration.ts'

export const statements: Migration = {
  number: 2,
  name: 'statements',
  sql: {
    sqlite: `
-- An ordinary table, not WITHOUT ROWID: with bodies of 1 KB that would be a tree of three rows a page, a dozen levels deep.
create table statement (
  lrs_id integer not null,
  seq integer not null,
  id blob not null,
  owner integer not null,
  -- microseconds; the stored time when the client sent none
  timestamp integer not null,
  is_voided integer not null default 0,
  is_voiding integer not null,
  -- its own postings, decimal, comma-separated: what a referring statement inherits, what a deletion has to delete. Beyond
  -- the body's cost this is about 5 %; an index of posting by seq would be 100 % of the postings.
  terms text not null,
  body text not null,
  primary key (lrs_id, seq)
) strict;
create unique index statement_id on statement (lrs_id, id);

-- every filter of a list query is a range of this in answer order
create table posting (
  lrs_id integer not null,
  term integer not null,
  seq integer not null,
  primary key (lrs_id, term, seq)
) strict, without rowid;

-- dictionary of filterable values; a row is blanked on erasure, never deleted, for its id must not mean something else later
create table term (
  lrs_id integer not null,
  id integer not null,
  kind text not null,
  sha256 blob not null,
  value text,
  primary key (lrs_id, id)
) strict, without rowid;
create unique index term_value on term (lrs_id, kind, sha256);

-- which statements refer to a statement, whether that exists or not; by owner of the referring one, because each owner has
-- room for its own
create table reference (
  lrs_id integer not null,
  target_id blob not null,
  owner integer not null,
  source_seq integer not null,
  primary key (lrs_id, target_id, owner, source_seq)
) strict, without rowid;

-- the postings a statement inherited, as statement.terms has its own; apart, because they grow and the body is long
create table inheritance (
  lrs_id integer not null,
  seq integer not null,
  terms text not null,
  primary key (lrs_id, seq)
) strict, without rowid;

-- voiding that waits for its target: by an owner (reach mine), or by owner 0 (reach any)
create table waiting_void (
  lrs_id integer not null,
  target_id blob not null,
  owner integer not null,
  primary key (lrs_id, target_id, owner)
) strict, without rowid;
`,
    postgres: `
create table statement (
  lrs_id integer not null,
  is_voided smallint not null default 0,
  is_voiding smallint not null,
  seq bigint not null,
  -- microseconds; the stored time when the client sent none
  timestamp bigint not null,
  owner integer not null,
  id bytea not null,
  -- its own postings, decimal, comma-separated: what a referring statement inherits, what a deletion has to delete
  terms text not null,
  body text not null,
  primary key (lrs_id, seq)
);
create unique index statement_id on statement (lrs_id, id);

-- every filter of a list query is a range of this in answer order
create table posting (
  lrs_id integer not null,
  term bigint not null,
  seq bigint not null,
  primary key (lrs_id, term, seq)
);

-- dictionary of filterable values; a row is blanked on erasure, never deleted, for its id must not mean something else later
create table term (
  lrs_id integer not null,
  id integer not null,
  kind text collate "C" not null,
  sha256 bytea not null,
  value text,
  primary key (lrs_id, id)
);
create unique index term_value on term (lrs_id, kind, sha256);

-- which statements refer to a statement, whether that exists or not; by owner of the referring one, because each owner has
-- room for its own
create table reference (
  lrs_id integer not null,
  owner integer not null,
  source_seq bigint not null,
  target_id bytea not null,
  primary key (lrs_id, target_id, owner, source_seq)
);

-- the postings a statement inherited, as statement.terms has its own; apart, because they grow and the body is long
create table inheritance (
  lrs_id integer not null,
  seq bigint not null,
  terms text not null,
  primary key (lrs_id, seq)
);

-- voiding that waits for its target: by an owner (reach mine), or by owner 0 (reach any)
create table waiting_void (
  lrs_id integer not null,
  owner integer not null,
  target_id bytea not null,
  primary key (lrs_id, target_id, owner)
);
`,
  },
}
