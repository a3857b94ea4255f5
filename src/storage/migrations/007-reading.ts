// What PostgreSQL needs for reading a page in one round trip, and for documents that several nodes change. Nothing on SQLite.

import type { Migration } from './migration.ts'

export const reading: Migration = {
  number: 7,
  name: 'reading',
  sql: {
    sqlite: '',
    postgres: `
-- what is changed in an Lrs is later than this, in microseconds: emptying ends there, whatever clocks do afterwards
create table document_floor (
  lrs_id integer not null primary key,
  changed_through bigint not null
);
`,
  },
}
