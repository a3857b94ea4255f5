// Applications with their settings and pipes, keys that sign their requests, and what all nodes remember for a while. Reason: keys
// that belong to a part of an organisation. A program before this one knows none of it and goes on working.

import type { Migration } from './migration.ts'

export const applications: Migration = {
  number: 10,
  name: 'applications',
  oldestProgram: 9,
  sql: {
    sqlite: `
-- JSON array: Lrs that answer no xAPI at the moment; here, because sign-in reads this row anyway
alter table organisation add column closed_lrs_ids text not null default '[]';
-- JSON; null: it presents its secret
alter table credential add column oauth text;
-- lists of what reaches the same few Lrs; a list may be longer than an index entry
create index credential_lrs on credential (organisation_id, substr(lrs_ids, 1, 100), id);

create table application (
  id text primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  is_deletable integer not null,
  live_lrs_id integer not null references lrs (id),
  sandbox_lrs_id integer not null references lrs (id),
  -- no foreign key: they go together, in one transaction
  credential_id integer not null,
  callback text,
  callback_generation integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- lists by either time
create index application_created on application (organisation_id, created_at, id);
create index application_updated on application (organisation_id, updated_at, id);

create table setting (
  application_id text not null references application (id) on delete cascade,
  level text not null,
  name text not null,
  value text not null,
  primary key (application_id, level, name)
) strict, without rowid;

create table pipe (
  id text primary key,
  organisation_id integer not null references organisation (id),
  application_id text references application (id) on delete cascade,
  source_lrs_id integer references lrs (id),
  source text,
  target text not null,
  paused_because text,
  progress text not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- lists of one organisation
create index pipe_organisation on pipe (organisation_id, created_at, id);
-- what goes with an application
create index pipe_application on pipe (application_id);

-- nonces that were seen, what remote endpoints answered
create table note (
  -- a hash: tells nothing
  name text primary key,
  value text not null,
  until integer not null
) strict, without rowid;
-- what is over
create index note_until on note (until);
`,
    postgres: `
-- JSON array: Lrs that answer no xAPI at the moment; here, because sign-in reads this row anyway
alter table organisation add column closed_lrs_ids text not null default '[]';
-- JSON; null: it presents its secret
alter table credential add column oauth text;
-- lists of what reaches the same few Lrs; a list may be longer than an index entry
create index credential_lrs on credential (organisation_id, substr(lrs_ids, 1, 100), id);

create table application (
  id text collate "C" primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  is_deletable integer not null,
  live_lrs_id integer not null references lrs (id),
  sandbox_lrs_id integer not null references lrs (id),
  -- no foreign key: they go together, in one transaction
  credential_id integer not null,
  callback text,
  callback_generation integer not null,
  created_at bigint not null,
  updated_at bigint not null
);
-- lists by either time
create index application_created on application (organisation_id, created_at, id);
create index application_updated on application (organisation_id, updated_at, id);

create table setting (
  application_id text collate "C" not null references application (id) on delete cascade,
  level text collate "C" not null,
  name text collate "C" not null,
  value text not null,
  primary key (application_id, level, name)
);

create table pipe (
  id text collate "C" primary key,
  organisation_id integer not null references organisation (id),
  application_id text collate "C" references application (id) on delete cascade,
  source_lrs_id integer references lrs (id),
  source text,
  target text not null,
  paused_because text,
  progress text not null,
  version integer not null,
  created_at bigint not null,
  updated_at bigint not null
);
-- lists of one organisation
create index pipe_organisation on pipe (organisation_id, created_at, id);
-- what goes with an application
create index pipe_application on pipe (application_id);

-- nonces that were seen, what remote endpoints answered
create table note (
  -- a hash: tells nothing
  name text collate "C" primary key,
  value text not null,
  until bigint not null
);
-- what is over
create index note_until on note (until);
`,
  },
}
