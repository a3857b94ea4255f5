// What a principal may do: rights with a reach, management with a bound, and the algebra on them (within, intersect,
// fingerprint). Knows no union words: presets and vendor words expand to these atoms elsewhere.

import type { LrsId } from './ids.ts'

export const xapiRights = [
  'statements/write',
  'statements/read',
  'statements/void',
  'statements/delete',
  'state/read',
  'state/write',
  'profile/read',
  'profile/write',
  'agents/read',
  'activities/read',
  'define',
  'authority/set',
] as const
export type XapiRight = (typeof xapiRights)[number]

/** `mine` = owned by this credential; a session's owner is its parent. */
export type Reach = 'any' | 'mine'

export const managementAreas = ['credentials', 'applications', 'settings', 'forwarding', 'operators', 'data'] as const
export type ManagementArea = (typeof managementAreas)[number]

export const managementActions = ['read', 'write', 'delete'] as const
export type ManagementAction = (typeof managementActions)[number]

/** How far management reaches. An application bound names the application's id. */
export type Bound =
  | { readonly kind: 'organisation' }
  | { readonly kind: 'applications' }
  | { readonly kind: 'application'; readonly id: string }
  | { readonly kind: 'lrs'; readonly id: LrsId }

export interface ManagementGrant {
  readonly area: ManagementArea
  readonly actions: readonly ManagementAction[]
  readonly bound: Bound
  /** Delegated form: may not grant what the grantor lacks. Only meaningful with area `credentials`. */
  readonly within?: boolean
}

export interface Rights {
  readonly xapi: Readonly<Partial<Record<XapiRight, Reach>>>
  readonly management: readonly ManagementGrant[]
}

export const noRights: Rights = { xapi: {}, management: [] }
