// Who exists and what they may do. Reason: first release.
// Ids come from AUTOINCREMENT so that none is given twice, not even after the row with the highest id was deleted.

import type { Migration } from './migration.ts'

export const directory: Migration = {
  number: 1,
  name: 'directory',
  sql: {
    sqlite: `
create table organisation (
  id integer primary key autoincrement,
  oid text not null unique,
  name text not null,
  default_lrs_id integer references lrs (id),
  wrapped_key text not null,
  switches text not null,
  created_at integer not null,
  audit_number integer not null,
  audit_hash text not null
) strict;

create table lrs (
  id integer primary key autoincrement,
  oid text not null unique,
  organisation_id integer not null references organisation (id),
  name text not null,
  created_at integer not null
) strict;
-- lists the Lrs of one organisation
create index lrs_organisation on lrs (organisation_id, id);

-- every credential id ever given; statements keep their owner when the credential is gone
create table owner (
  id integer primary key autoincrement,
  organisation_id integer not null references organisation (id)
) strict;

create table credential (
  id integer primary key references owner (id),
  oid text not null unique,
  organisation_id integer not null references organisation (id),
  kind text not null,
  name text not null,
  key text not null,
  is_enabled integer not null,
  rights text not null,
  pins text not null,
  limits text not null,
  -- JSON array; its order matters and nothing is looked up by it
  lrs_ids text not null,
  authority text,
  words text not null,
  expires_at integer,
  version integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- sign-in: everywhere, and within one organisation. With the key alone SQLite would rather read the whole organisation
create index credential_key on credential (key, organisation_id);
-- lists of one kind by id
create index credential_kind on credential (organisation_id, kind, id);

create table secret (
  number integer primary key autoincrement,
  id text not null unique,
  credential_id integer not null references credential (id) on delete cascade,
  name text not null,
  sealed text not null,
  generation integer not null,
  is_enabled integer not null,
  created_at integer not null,
  expires_at integer
) strict;
-- the secrets of one credential, oldest first
create index secret_credential on secret (credential_id, created_at, number);

-- every key together with a secret that a credential ever had, and whose it is for ever; never deleted
create table pair (
  -- keyed hash: tells nothing without the platform key
  fingerprint text primary key,
  organisation_id integer not null references organisation (id)
) strict, without rowid;

create table session (
  id integer primary key autoincrement,
  oid text not null unique,
  organisation_id integer not null references organisation (id),
  credential_id integer not null references credential (id) on delete cascade,
  key text not null,
  sealed text not null,
  -- no foreign key: the session outlives the secret as a row, not as a key
  under_secret text not null,
  under_generation integer not null,
  rights text not null,
  pins text not null,
  words text not null,
  created_at integer not null,
  expires_at integer not null
) strict;
-- sign-in, as above
create index session_key on session (key, organisation_id);
-- lists of one credential by id
create index session_credential on session (credential_id, id);
-- the sweep
create index session_expiry on session (organisation_id, expires_at);

create table audit (
  organisation_id integer not null references organisation (id),
  number integer not null,
  at integer not null,
  actor text not null,
  action text not null,
  target text not null,
  detail text not null,
  previous_hash text not null,
  hash text not null,
  primary key (organisation_id, number)
) strict;

create table usage (
  organisation_id integer not null references organisation (id),
  credential_id integer not null references credential (id) on delete cascade,
  secret_id text not null,
  requests integer not null,
  statements integer not null,
  refusals text not null,
  first_at integer not null,
  last_at integer not null,
  last_address text,
  last_user_agent text,
  primary key (credential_id, secret_id)
) strict, without rowid;

create table platform_value (
  name text primary key,
  value text not null
) strict, without rowid;
`,
    postgres: `
-- Chosen ids and given ids come from one row of numbers: a chosen one is passed over when its turn comes.
create function claviger_pass_over() returns trigger language plpgsql as $$
declare
  numbers regclass := pg_get_serial_sequence(quote_ident(tg_table_schema) || '.' || quote_ident(tg_table_name), 'id');
  last bigint := pg_sequence_last_value(numbers);
begin
  if new.id > coalesce(last, 0) then
    perform pg_advisory_xact_lock(numbers::oid::integer, 0);
    if new.id > coalesce(pg_sequence_last_value(numbers), 0) then perform setval(numbers, new.id); end if;
  end if;
  return null;
end $$;

create table organisation (
  id integer generated by default as identity primary key,
  oid text collate "C" not null unique,
  name text not null,
  default_lrs_id integer,
  wrapped_key text not null,
  switches text not null,
  created_at bigint not null,
  audit_number integer not null,
  audit_hash text not null
);
create trigger organisation_id after insert on organisation for each row execute function claviger_pass_over();

create table lrs (
  id integer generated by default as identity primary key,
  oid text collate "C" not null unique,
  organisation_id integer not null references organisation (id),
  name text not null,
  created_at bigint not null
);
create trigger lrs_id after insert on lrs for each row execute function claviger_pass_over();
alter table organisation add foreign key (default_lrs_id) references lrs (id);
-- lists the Lrs of one organisation
create index lrs_organisation on lrs (organisation_id, id);

-- every credential id ever given; statements keep their owner when the credential is gone
create table owner (
  id integer generated by default as identity primary key,
  organisation_id integer not null references organisation (id)
);
create trigger owner_id after insert on owner for each row execute function claviger_pass_over();

create table credential (
  id integer primary key references owner (id),
  oid text collate "C" not null unique,
  organisation_id integer not null references organisation (id),
  kind text collate "C" not null,
  name text not null,
  key text collate "C" not null,
  is_enabled integer not null,
  rights text not null,
  pins text not null,
  limits text not null,
  -- JSON array; its order matters and nothing is looked up by it
  lrs_ids text not null,
  authority text,
  words text not null,
  expires_at bigint,
  version integer not null,
  created_at bigint not null,
  updated_at bigint not null
);
-- sign-in: everywhere, and within one organisation
create index credential_key on credential (key, organisation_id);
-- lists of one kind by id, and of all
create index credential_kind on credential (organisation_id, kind, id);
create index credential_organisation on credential (organisation_id, id);

create table secret (
  number integer generated by default as identity primary key,
  id text collate "C" not null unique,
  credential_id integer not null references credential (id) on delete cascade,
  name text not null,
  sealed text not null,
  generation integer not null,
  is_enabled integer not null,
  created_at bigint not null,
  expires_at bigint
);
-- the secrets of one credential, oldest first
create index secret_credential on secret (credential_id, created_at, number);

-- every key together with a secret that a credential ever had, and whose it is for ever; never deleted
create table pair (
  -- keyed hash: tells nothing without the platform key
  fingerprint text collate "C" primary key,
  organisation_id integer not null references organisation (id)
);

create table session (
  id integer generated by default as identity primary key,
  oid text collate "C" not null unique,
  organisation_id integer not null references organisation (id),
  credential_id integer not null references credential (id) on delete cascade,
  key text collate "C" not null,
  sealed text not null,
  -- no foreign key: the session outlives the secret as a row, not as a key
  under_secret text collate "C" not null,
  under_generation integer not null,
  rights text not null,
  pins text not null,
  words text not null,
  created_at bigint not null,
  expires_at bigint not null
);
-- sign-in, as above
create index session_key on session (key, organisation_id);
-- lists of one credential by id
create index session_credential on session (credential_id, id);
-- the sweep
create index session_expiry on session (organisation_id, expires_at);

create table audit (
  organisation_id integer not null references organisation (id),
  number integer not null,
  at bigint not null,
  actor text not null,
  action text not null,
  target text not null,
  detail text not null,
  previous_hash text not null,
  hash text not null,
  primary key (organisation_id, number)
);

create table usage (
  organisation_id integer not null references organisation (id),
  credential_id integer not null references credential (id) on delete cascade,
  secret_id text collate "C" not null,
  requests bigint not null,
  statements bigint not null,
  refusals text not null,
  first_at bigint not null,
  last_at bigint not null,
  last_address text,
  last_user_agent text,
  primary key (credential_id, secret_id)
);

create table platform_value (
  name text collate "C" primary key,
  value text not null
);
`,
  },
}
