// What is moved in from other stores, and what it needs: Lrs that are described and deleted, organisations that end, statements
// counted. Reason: import and export, an API that shows all of it. No older program works after it: one that does not
// count would leave counts wrong, and one that knows no end would let an expired organisation in.

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
`,
  },
}
