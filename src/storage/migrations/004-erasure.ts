// Erasures and what outlasts them, retention. Reason: what was stored about a person can be removed for good.

import type { Migration } from './migration.ts'

export const erasure: Migration = {
  number: 4,
  name: 'erasure',
  sql: {
    sqlite: `
-- null: for ever
alter table lrs add column retention_days integer;

-- a job while it has no receipt, afterwards the receipt
create table erasure (
  -- 24 hex digits
  id text primary key,
  organisation_id integer not null references organisation (id),
  -- JSON: what the job is, without whom it is about
  plan text not null,
  -- whom it is about, until it is done
  sealed text,
  -- JSON: what was removed so far
  counts text not null,
  started_at integer not null,
  receipt text
) strict, without rowid;
-- those of an organisation; those that are not done yet
create index erasure_organisation on erasure (organisation_id, started_at, id);
create index erasure_open on erasure (started_at) where receipt is null;

create table erased_lrs (
  lrs_id integer not null primary key,
  -- of the hashes below; none: no statement of the Lrs was erased for a person
  salt blob,
  -- the highest stored time when the last statement was removed: no later one may be given again
  last_seq integer not null
) strict;

-- ids of statements that must not come back, keyed hashes of 16 bytes
create table erased_statement (
  lrs_id integer not null,
  hash blob not null,
  primary key (lrs_id, hash)
) strict, without rowid;

-- statements, gone or poorer, whose referring statements may still have inherited what is gone; and how far that was looked
-- at. An empty target: all statements of the Lrs that inherited anything.
create table disinheriting (
  lrs_id integer not null,
  target_id blob not null,
  owner integer not null,
  seq integer not null,
  primary key (lrs_id, target_id)
) strict, without rowid;

-- blobs that lost a row; put after this (Unix milliseconds), somebody else is about to refer to them
create table orphan (
  lrs_id integer not null,
  sha2 text not null,
  put_before integer not null,
  primary key (lrs_id, sha2)
) strict, without rowid;
`,
    postgres: `
-- null: for ever
alter table lrs add column retention_days integer;

-- a job while it has no receipt, afterwards the receipt
create table erasure (
  -- 24 hex digits
  id text collate "C" primary key,
  organisation_id integer not null references organisation (id),
  -- JSON: what the job is, without whom it is about
  plan text not null,
  -- whom it is about, until it is done
  sealed text,
  -- JSON: what was removed so far
  counts text not null,
  started_at bigint not null,
  receipt text
);
-- those of an organisation; those that are not done yet
create index erasure_organisation on erasure (organisation_id, started_at, id);
create index erasure_open on erasure (started_at) where receipt is null;

create table erased_lrs (
  lrs_id integer not null primary key,
  -- of the hashes below; none: no statement of the Lrs was erased for a person
  salt bytea,
  -- the highest stored time when the last statement was removed: no later one may be given again
  last_seq bigint not null
);

-- ids of statements that must not come back, keyed hashes of 16 bytes
create table erased_statement (
  lrs_id integer not null,
  hash bytea not null,
  primary key (lrs_id, hash)
);

-- statements, gone or poorer, whose referring statements may still have inherited what is gone; and how far that was looked
-- at. An empty target: all statements of the Lrs that inherited anything.
create table disinheriting (
  lrs_id integer not null,
  target_id bytea not null,
  owner integer not null,
  seq bigint not null,
  primary key (lrs_id, target_id)
);
`,
  },
}
