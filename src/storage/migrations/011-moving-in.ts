// What is moved in from other stores, and what it needs: imports under way, Lrs that are described and deleted, organisations that
// end, statements counted. Reason: import and export, an API that shows all of it. No older program works after it: one that does not
// count would leave counts wrong, and one that knows no end would let an expired organisation in.

import { pageFunction } from './007-reading.ts'
import type { Migration } from './migration.ts'

export const movingIn: Migration = {
  number: 11,
  name: 'moving-in',
  sql: {
    sqlite: `
-- Unix milliseconds; null: never
alter table organisation add column expires_at integer;
-- JSON: what faces remember of it
alter table organisation add column words text not null default '{}';
alter table organisation add column updated_at integer not null default 0;
update organisation set updated_at = created_at;

alter table lrs add column description text;
alter table lrs add column words text not null default '{}';
alter table lrs add column updated_at integer not null default 0;
-- null: it is not deleted
alter table lrs add column deleted_at integer;
update lrs set updated_at = created_at;

-- what would take long to find in the rows
create table lrs_state (
  lrs_id integer not null primary key,
  -- how many there are, voided ones and voiding ones, too
  statements integer not null
) strict;
insert into lrs_state (lrs_id, statements) select lrs_id, count(*) from statement group by lrs_id;

-- what is brought in from elsewhere; times in Unix milliseconds
create table import (
  id text primary key,
  source text not null,
  started_at integer not null,
  -- JSON
  progress text not null,
  report text,
  -- null: it is under way, or may be resumed
  finished_at integer
) strict;
create unique index import_open on import (source) where finished_at is null;
create index import_started on import (started_at);
-- of those that are not finished, one row for each Lrs they write to
create table import_lrs (
  lrs_id integer not null,
  import_id text not null,
  -- microseconds: the earliest stored time it brought; Consistent-Through stays before it. Null: documents only
  low integer,
  -- JSON; what became of what it was handed
  progress text not null,
  counts text not null,
  primary key (lrs_id, import_id)
) strict, without rowid;
`,
    postgres: `
-- Unix milliseconds; null: never
alter table organisation add column expires_at bigint;
-- JSON: what faces remember of it
alter table organisation add column words text not null default '{}';
alter table organisation add column updated_at bigint not null default 0;
update organisation set updated_at = created_at;

alter table lrs add column description text;
alter table lrs add column words text not null default '{}';
alter table lrs add column updated_at bigint not null default 0;
-- null: it is not deleted
alter table lrs add column deleted_at bigint;
update lrs set updated_at = created_at;

-- how many there are, voided ones and voiding ones, too
alter table lrs_state add column statements bigint not null default 0;
update lrs_state set statements = (select count(*) from statement where statement.lrs_id = lrs_state.lrs_id);

-- what is brought in from elsewhere; times in Unix milliseconds
create table import (
  id text primary key,
  source text not null,
  started_at bigint not null,
  -- JSON
  progress text not null,
  report text,
  -- null: it is under way, or may be resumed
  finished_at bigint
);
create unique index import_open on import (source) where finished_at is null;
create index import_started on import (started_at);
-- of those that are not finished, one row for each Lrs they write to
create table import_lrs (
  lrs_id integer not null,
  import_id text not null,
  -- microseconds: the earliest stored time it brought; Consistent-Through stays before it. Null: documents only
  low bigint,
  -- JSON; what became of what it was handed
  progress text not null,
  counts text not null,
  primary key (lrs_id, import_id)
);

-- As before (migration 008), but where an import holds it: then what is given is minus the earliest stored time it brought.
create or replace function claviger_through(of_lrs integer, raised bigint) returns bigint language plpgsql volatile as $$
declare
  is_idle boolean;
  last bigint;
  held bigint;
begin
  -- 1: lockClass.lrs. Let go at once: a reader keeps no writer waiting.
  is_idle := pg_try_advisory_lock_shared(1, of_lrs);
  if is_idle then
    perform pg_advisory_unlock_shared(1, of_lrs);
  end if;
  select last_seq, (select min(low) from import_lrs where lrs_id = of_lrs) into last, held from lrs_state where lrs_id = of_lrs;
  if held is not null then
    return -held;
  end if;
  return greatest(coalesce(last, 0), case when is_idle then raised else 0 end);
end $$;

drop function claviger_page(integer, bigint, text[], bytea[], bigint[], integer[], boolean, bigint, bigint, boolean, integer,
  bigint, integer, boolean);
${pageFunction({ withVoided: true })}
`,
  },
}
