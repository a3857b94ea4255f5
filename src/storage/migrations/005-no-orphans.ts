// Blobs that lost a row are no longer listed. Reason: an erasure looks at the files themselves, and misses none.

import type { Migration } from './migration.ts'

export const noOrphans: Migration = {
  number: 5,
  name: 'no-orphans',
  sql: { sqlite: 'drop table orphan', postgres: '' },
}
