// Who holds a blob, and who is removing one. Reason: of several nodes none knows what another's request has put and not yet
// referred to. One process alone keeps this in memory.

import type { Migration } from './migration.ts'

export const blobHolds: Migration = {
  number: 9,
  name: 'blob-holds',
  sql: {
    sqlite: '',
    postgres: `
-- a request under way has put these bytes, or is about to
create table blob_hold (
  lrs_id integer not null,
  sha2 text collate "C" not null,
  -- the request
  holder uuid not null,
  -- the process it runs in, which puts the expiry off for all of its own
  node uuid not null,
  -- the bytes had been there before
  was_there boolean not null default false,
  -- they go with the hold, unless a row refers to them by then
  is_wanted boolean not null default false,
  expires_at timestamptz not null,
  primary key (lrs_id, sha2, holder)
);

-- nobody holds this blob or takes hold of it until it is gone, or the mark has expired
create table blob_removal (
  lrs_id integer not null,
  sha2 text collate "C" not null,
  -- whose mark it is
  remover uuid not null,
  expires_at timestamptz not null,
  primary key (lrs_id, sha2)
);
`,
  },
}
