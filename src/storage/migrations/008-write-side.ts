// What several nodes that write into one database agree by. Reason: PostgreSQL. Nothing on SQLite, where one process writes.

import type { Migration } from './migration.ts'

export const writeSide: Migration = {
  number: 8,
  name: 'write-side',
  sql: {
    sqlite: '',
    postgres: `
-- one small row per Lrs that was ever written to, changed under the lock of the Lrs only
create table lrs_state (
  lrs_id integer not null primary key,
  -- highest dictionary id ever given: it never comes to mean something else
  last_term integer not null,
  -- highest stored time ever given, also where the statement that had it was erased
  last_seq bigint not null,
  -- raised by what removes dictionary values or descriptions: what nodes remember of them counts for one epoch
  epoch bigint not null
) with (fillfactor = 20);

-- The clock floor: no reader announces more than this, every writer stores later. One row.
create table clock_floor (
  is_only boolean primary key default true check (is_only),
  -- microseconds
  announced bigint not null
) with (fillfactor = 20);
insert into clock_floor (announced) values (0);

create function claviger_micros() returns bigint language sql volatile parallel safe
  as $$ select (extract(epoch from clock_timestamp()) * 1000000)::bigint $$;

-- Raises the clock floor to the clock (or to the one given), unless it is there but for slack. What comes back is committed
-- once the statement that called this is.
create function claviger_raise_clock(given bigint, slack bigint) returns bigint language plpgsql volatile as $$
declare
  now bigint := coalesce(given, claviger_micros());
  known bigint;
begin
  select announced into known from clock_floor;
  if known >= now - slack then
    return known;
  end if;
  update clock_floor set announced = greatest(announced, now) returning announced into known;
  return known;
end $$;

-- Every statement of the Lrs stored at or before the result is visible to each snapshot taken after this returns. raised: a
-- clock floor that was committed before the call. Its statements see what was committed before each of them, so it must not
-- be called under a snapshot (repeatable read), nor within the statement that reads.
create function claviger_through(of_lrs integer, raised bigint) returns bigint language plpgsql volatile as $$
declare
  is_idle boolean;
  last bigint;
begin
  -- 1: lockClass.lrs. Let go at once: a reader keeps no writer waiting.
  is_idle := pg_try_advisory_lock_shared(1, of_lrs);
  if is_idle then
    perform pg_advisory_unlock_shared(1, of_lrs);
  end if;
  select last_seq into last from lrs_state where lrs_id = of_lrs;
  return greatest(coalesce(last, 0), case when is_idle then raised else 0 end);
end $$;
`,
  },
}
