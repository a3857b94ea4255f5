// What the processes over one database tell each other. Reason: several nodes. SQLite has one process, which tells itself.

import type { Migration } from './migration.ts'

export const nodes: Migration = {
  number: 6,
  name: 'nodes',
  sql: {
    sqlite: '',
    postgres: `
-- what at most one node does at a time
create table lease (
  name text collate "C" primary key,
  -- null: nobody
  holder text collate "C",
  ends_at timestamptz,
  done_at timestamptz not null
);

-- sums over all nodes, for limits: lost in a crash of the server, and worth no log
create unlogged table shared_count (
  name text collate "C" primary key,
  count bigint not null,
  ends_at timestamptz not null
);
-- what is forgotten
create index shared_count_end on shared_count (ends_at);

-- the last change of each organisation that concerns sign-ins, by the transaction that made it: whoever asks for all that an
-- earlier snapshot did not see goes by transactions, for those commit in another order than they begin
create table directory_change (
  organisation_id integer primary key,
  changed_by xid8 not null
);
create index directory_change_by on directory_change (changed_by);
`,
  },
}
