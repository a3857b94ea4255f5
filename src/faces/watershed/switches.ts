// Choices Watershed's face offers to each organisation, and how it reads them.

import { z } from 'zod'
import type { OrganisationRecord } from '../../core/storage.ts'
import type { Switch } from '../face.ts'

/** The article says 200; WatershedPHP, and Moodle's plugin until October 2018, take nothing but 201 for success. */
const createStatusSwitch = {
  name: 'create-status',
  describes: 'Status that answers the creation of a credential: 200 as documented, or 201 for WatershedPHP.',
  schema: z.union([z.literal(200), z.literal(201)], 'must be 200 or 201'),
  default: 200,
} as const satisfies Switch

export const switches: readonly Switch[] = [createStatusSwitch]

export function createStatus({ switches: chosen }: OrganisationRecord): 200 | 201 {
  return createStatusSwitch.schema.safeParse(chosen['watershed.create-status']).data ?? createStatusSwitch.default
}
