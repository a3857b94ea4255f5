// Platforms, content, and launches with their tickets. Reason: learners are sent here by other systems, and what they are sent to gets
// a key for as long as a lesson lasts. A program before this one serves no launch; it takes their keys for those of other sessions, as
// narrow as they are, and knows neither what binds them nor the order of their statements: platforms are registered when no node runs
// it any more.

import type { Migration } from './migration.ts'

export const launches: Migration = {
  number: 12,
  name: 'launches',
  oldestProgram: 11,
  sql: {
    sqlite: `
-- JSON; null: of no launch
alter table session add column launch text;
-- a hash; null: of nothing yet
alter table session add column bound_to text;
-- those of launches that ended unasked
create index session_lapsed on session (expires_at) where launch is not null;

create table platform (
  id text primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  protocol text not null,
  credential_id integer not null unique references credential (id) on delete cascade,
  -- JSON, sealed
  secrets text not null,
  -- JSON: a face's
  settings text not null,
  is_enabled integer not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- lists
create index platform_organisation on platform (organisation_id, id);

create table content (
  id text primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  -- JSON
  settings text not null,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- lists
create index content_organisation on content (organisation_id, id);

-- what a platform launches where
create table placement (
  platform_id text not null references platform (id) on delete cascade,
  resource text not null,
  organisation_id integer not null references organisation (id),
  content_id text references content (id),
  created_at integer not null,
  updated_at integer not null,
  primary key (platform_id, resource)
) strict, without rowid;
-- where a content is placed
create index placement_content on placement (content_id);
-- lists
create index placement_organisation on placement (organisation_id, platform_id, resource);

create table launch (
  number integer primary key autoincrement,
  id text not null unique,
  organisation_id integer not null references organisation (id),
  -- no foreign keys: who was launched by what, for as long as that is remembered
  platform_id text,
  content_id text,
  resource text,
  credential_id integer not null,
  -- not called lrs_id: the rows of an Lrs lie with its statements, these with the directory
  home_lrs_id integer not null,
  -- null: the session is gone
  session_id integer references session (id) on delete set null,
  style text not null,
  mode text not null,
  -- JSON
  actor text not null,
  actor_key text not null,
  -- hash of that, which may be longer than an index entry
  actor_hash text not null,
  activity_id text not null,
  registration text not null,
  -- registration, and a hash of credential and activity
  chain text not null,
  -- JSON; null: swept
  data text,
  sealed text,
  -- JSON
  progress text not null,
  version integer not null,
  -- a hash
  cookie text,
  created_at integer not null,
  expires_at integer not null,
  -- null: it runs
  ended_at integer,
  ended_by text,
  -- what is still to be done about it
  owes text
) strict;
-- only those that have one: an index of all would list what has ended as gone
create unique index launch_session on launch (session_id) where session_id is not null;
-- the one before; all of a registration. One index for both: what is random in it costs a page for each launch
create index launch_chain on launch (organisation_id, chain, number);
-- lists: of all, of those that run, and by each thing that is asked for
create index launch_organisation on launch (organisation_id, number);
create index launch_running on launch (organisation_id, number) where ended_at is null;
create index launch_platform on launch (organisation_id, platform_id, number);
create index launch_content on launch (organisation_id, content_id, number);
create index launch_credential on launch (organisation_id, credential_id, number);
create index launch_actor on launch (organisation_id, actor_hash, number);
create index launch_lrs on launch (home_lrs_id, number);
-- what is launched at the moment
create index launch_running_content on launch (content_id) where ended_at is null;
-- those whose session is gone
create index launch_lapsed on launch (number) where ended_at is null and session_id is null;
-- those about which something is still to be done
create index launch_owing on launch (number) where owes is not null;
-- the sweep
create index launch_ended on launch (organisation_id, ended_at) where data is not null and ended_at is not null;

create table ticket (
  -- a hash: tells nothing
  hash text primary key,
  launch_number integer not null references launch (number) on delete cascade,
  kind text not null,
  until integer not null,
  used_at integer
) strict, without rowid;
-- those of one launch
create index ticket_launch on ticket (launch_number);
`,
    postgres: `
-- JSON; null: of no launch
alter table session add column launch text;
-- a hash; null: of nothing yet
alter table session add column bound_to text;
-- those of launches that ended unasked
create index session_lapsed on session (expires_at) where launch is not null;

create table platform (
  id text collate "C" primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  protocol text not null,
  credential_id integer not null unique references credential (id) on delete cascade,
  -- JSON, sealed
  secrets text not null,
  -- JSON: a face's
  settings text not null,
  is_enabled integer not null,
  version integer not null,
  created_at bigint not null,
  updated_at bigint not null
);
-- lists
create index platform_organisation on platform (organisation_id, id);

create table content (
  id text collate "C" primary key,
  organisation_id integer not null references organisation (id),
  name text not null,
  -- JSON
  settings text not null,
  version integer not null,
  created_at bigint not null,
  updated_at bigint not null
);
-- lists
create index content_organisation on content (organisation_id, id);

-- what a platform launches where
create table placement (
  platform_id text collate "C" not null references platform (id) on delete cascade,
  resource text collate "C" not null,
  organisation_id integer not null references organisation (id),
  content_id text collate "C" references content (id),
  created_at bigint not null,
  updated_at bigint not null,
  primary key (platform_id, resource)
);
-- where a content is placed
create index placement_content on placement (content_id);
-- lists
create index placement_organisation on placement (organisation_id, platform_id, resource);

create table launch (
  number bigint generated by default as identity primary key,
  id text collate "C" not null unique,
  organisation_id integer not null references organisation (id),
  -- no foreign keys: who was launched by what, for as long as that is remembered
  platform_id text collate "C",
  content_id text collate "C",
  resource text,
  credential_id integer not null,
  -- not called lrs_id: the rows of an Lrs lie with its statements, these with the directory
  home_lrs_id integer not null,
  -- null: the session is gone
  session_id integer references session (id) on delete set null,
  style text not null,
  mode text not null,
  -- JSON
  actor text not null,
  actor_key text not null,
  -- hash of that, which may be longer than an index entry
  actor_hash text collate "C" not null,
  activity_id text not null,
  registration text not null,
  -- hash of credential, registration and activity
  chain text collate "C" not null,
  -- JSON; null: swept
  data text,
  sealed text,
  -- JSON
  progress text not null,
  version integer not null,
  -- a hash
  cookie text,
  created_at bigint not null,
  expires_at bigint not null,
  -- null: it runs
  ended_at bigint,
  ended_by text,
  -- what is still to be done about it
  owes text
);
-- only those that have one: an index of all would list what has ended as gone
create unique index launch_session on launch (session_id) where session_id is not null;
-- the one before; all of a registration. One index for both: what is random in it costs a page for each launch
create index launch_chain on launch (organisation_id, chain, number);
-- lists: of all, of those that run, and by each thing that is asked for
create index launch_organisation on launch (organisation_id, number);
create index launch_running on launch (organisation_id, number) where ended_at is null;
create index launch_platform on launch (organisation_id, platform_id, number);
create index launch_content on launch (organisation_id, content_id, number);
create index launch_credential on launch (organisation_id, credential_id, number);
create index launch_actor on launch (organisation_id, actor_hash, number);
create index launch_lrs on launch (home_lrs_id, number);
-- what is launched at the moment
create index launch_running_content on launch (content_id) where ended_at is null;
-- those whose session is gone
create index launch_lapsed on launch (number) where ended_at is null and session_id is null;
-- those about which something is still to be done
create index launch_owing on launch (number) where owes is not null;
-- the sweep
create index launch_ended on launch (organisation_id, ended_at) where data is not null and ended_at is not null;

create table ticket (
  -- a hash: tells nothing
  hash text collate "C" primary key,
  launch_number bigint not null references launch (number) on delete cascade,
  kind text not null,
  until bigint not null,
  used_at bigint
);
-- those of one launch
create index ticket_launch on ticket (launch_number);
`,
  },
}
