// Choices this face offers to each organisation, and how it reads them.

import { z } from 'zod'
import type { OrganisationRecord } from '../../core/storage.ts'
import type { Switch } from '../face.ts'

const realmWide = {
  name: 'realm-wide',
  describes:
    'true: the key of one application lists, makes and changes activity providers of all applications of the organisation.',
  schema: z.boolean('must be true or false'),
  default: false,
} as const satisfies Switch

export const switches: readonly Switch[] = [realmWide]

export function isRealmWide({ switches: chosen }: OrganisationRecord): boolean {
  return realmWide.schema.safeParse(chosen['scormcloud-v1.realm-wide']).data ?? realmWide.default
}
