// All migrations in order.

import { applications } from './010-applications.ts'
import { blobHolds } from './009-blob-holds.ts'
import { directory } from './001-directory.ts'
import { erasure } from './004-erasure.ts'
import { launches } from './012-launches.ts'
import type { Migration } from './migration.ts'
import { movingIn } from './011-moving-in.ts'
import { noOrphans } from './005-no-orphans.ts'
import { nodes } from './006-nodes.ts'
import { reading } from './007-reading.ts'
import { resources } from './003-resources.ts'
import { statements } from './002-statements.ts'
import { writeSide } from './008-write-side.ts'

export const migrations: readonly Migration[] = [
  directory,
  statements,
  resources,
  erasure,
  noOrphans,
  nodes,
  reading,
  writeSide,
  blobHolds,
  applications,
  movingIn,
  launches,
]
