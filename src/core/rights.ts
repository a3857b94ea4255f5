// What a principal may do: single rights with a reach, management with a bound, and the algebra on them (within, intersect,
// fingerprint). Knows no names for sets of rights: presets.ts and the faces spell theirs out in these.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { maxId } from './ids.ts'
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

/**
 * How far management reaches. What reaches into Lrs names them: an application bound the application's live and sandbox; one of
 * all applications none, for there will be more, unless it is made for the moment (`Applications.callerForAll`).
 */
export type Bound =
  | { readonly kind: 'organisation' }
  | { readonly kind: 'applications'; readonly lrsIds?: readonly LrsId[] }
  | { readonly kind: 'application'; readonly id: string; readonly lrsIds: readonly LrsId[] }
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

const boundSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('organisation') }),
  z.strictObject({ kind: z.literal('applications') }),
  z.strictObject({
    kind: z.literal('application'),
    id: z.string().min(1).max(255),
    lrsIds: z.array(z.int().min(1).max(maxId)).max(10),
  }),
  z.strictObject({ kind: z.literal('lrs'), id: z.int().min(1).max(maxId) }),
])

export const rightsSchema = z.strictObject({
  xapi: z.partialRecord(z.enum(xapiRights), z.enum(['any', 'mine'], 'The reach of a right is any or mine.')),
  management: z
    .array(
      z.strictObject({
        area: z.enum(managementAreas),
        actions: z.array(z.enum(managementActions)).min(1),
        bound: boundSchema,
        within: z.boolean().exactOptional(),
      }),
    )
    .max(100),
})

/** Management of everything in the organisation. */
export const allManagement: readonly ManagementGrant[] = managementAreas.map((area) => ({
  area,
  actions: managementActions,
  bound: { kind: 'organisation' },
}))

/** Management of applications and of their secrets, and of nothing inside them. */
export const applicationsManagement: readonly ManagementGrant[] = [
  { area: 'applications', actions: managementActions, bound: { kind: 'applications' } },
]

/** What the operator at the command line holds. */
export const everyRight: Rights = {
  xapi: Object.fromEntries(xapiRights.map((right) => [right, 'any'])) as Record<XapiRight, Reach>,
  management: allManagement,
}

/** True when everything `inner` reaches is reached by `outer` too. */
export function isBoundWithin(inner: Bound, outer: Bound): boolean {
  if (outer.kind === 'organisation') return true
  if (inner.kind === 'organisation') return false
  const lrsIds = lrsOf(outer)
  return isPartOf(inner, outer) && lrsOf(inner).every((id) => lrsIds.includes(id))
}

type Inside = Exclude<Bound, { readonly kind: 'organisation' }>

function lrsOf(bound: Inside): readonly LrsId[] {
  return bound.kind === 'lrs' ? [bound.id] : (bound.lrsIds ?? [])
}

/** Of the applications alone, whatever their Lrs; an Lrs is part of whatever names it. */
function isPartOf(inner: Inside, outer: Inside): boolean {
  if (inner.kind === 'lrs' || outer.kind === 'applications') return true
  return inner.kind === 'application' && outer.kind === 'application' && inner.id === outer.id
}

/** True when `a` permits nothing that `b` does not. A delegated grant lies within a full one, not the other way round. */
export function isWithin(a: Rights, b: Rights): boolean {
  return missingFrom(a, b).length === 0
}

/** The rights of `a` that `b` does not cover, by name: `statements/read any`, `manage/credentials/write`. */
export function missingFrom(a: Rights, b: Rights): readonly string[] {
  const xapi = xapiRights
    .filter((right) => a.xapi[right] !== undefined && !reaches(b.xapi[right], a.xapi[right]))
    .map((right) => `${right} ${a.xapi[right]}`)
  const management = atomsOf(a)
    .filter((atom) => !atomsOf(b).some((other) => covers(other, atom)))
    .map((atom) => `manage/${atom.area}/${atom.action}`)
  return [...xapi, ...new Set(management)]
}

/** The widest rights that lie within both. */
export function intersect(a: Rights, b: Rights): Rights {
  const xapi: Partial<Record<XapiRight, Reach>> = {}
  for (const right of xapiRights) {
    const [one, two] = [a.xapi[right], b.xapi[right]]
    if (one !== undefined && two !== undefined) xapi[right] = one === 'mine' ? one : two
  }
  const shared = atomsOf(a).flatMap((one) => atomsOf(b).flatMap((two) => meet(one, two)))
  return { xapi, management: grantsOf(shared) }
}

/** Equal exactly for rights that permit the same, however they are written down. 64 hex digits. */
export function fingerprint(rights: Rights): string {
  const xapi = xapiRights.map((right) => rights.xapi[right] ?? '-')
  const management = reduced(atomsOf(rights)).map(nameOf).toSorted()
  return createHash('sha256')
    .update(JSON.stringify([xapi, management]))
    .digest('hex')
}

/** True when the caller may do `action` in `area` everywhere in `bound` (the whole organisation unless given). */
export function mayManage(
  caller: { readonly rights: Rights },
  area: ManagementArea,
  action: ManagementAction,
  bound: Bound = { kind: 'organisation' },
): boolean {
  return caller.rights.management.some(
    (grant) => grant.area === area && grant.actions.includes(action) && isBoundWithin(bound, grant.bound),
  )
}

interface Atom {
  readonly area: ManagementArea
  readonly action: ManagementAction
  readonly bound: Bound
  readonly within: boolean
}

function reaches(held: Reach | undefined, wanted: Reach | undefined): boolean {
  return held === 'any' || held === wanted
}

function atomsOf(rights: Rights): readonly Atom[] {
  return rights.management.flatMap(({ area, actions, bound, within }) =>
    actions.map((action) => ({ area, action, bound, within: area === 'credentials' && within === true })),
  )
}

function covers(outer: Atom, inner: Atom): boolean {
  return (
    outer.area === inner.area &&
    outer.action === inner.action &&
    (!outer.within || inner.within) &&
    isBoundWithin(inner.bound, outer.bound)
  )
}

function meet(one: Atom, two: Atom): readonly Atom[] {
  if (one.area !== two.area || one.action !== two.action) return []
  const within = one.within || two.within
  return meetBounds(one.bound, two.bound).map((bound) => ({ ...one, bound, within }))
}

/** What lies within both: one bound, or the Lrs they share. */
function meetBounds(one: Bound, two: Bound): readonly Bound[] {
  if (one.kind === 'organisation' || isBoundWithin(two, one)) return [two]
  if (two.kind === 'organisation' || isBoundWithin(one, two)) return [one]
  const shared = lrsOf(one).filter((id) => lrsOf(two).includes(id))
  const part = isPartOf(one, two) ? one : isPartOf(two, one) ? two : undefined
  if (part === undefined || part.kind === 'lrs') return shared.map((id) => ({ kind: 'lrs', id }))
  return [{ ...part, lrsIds: shared }]
}

function reduced(atoms: readonly Atom[]): readonly Atom[] {
  const kept = new Map<string, Atom>()
  for (const atom of atoms) {
    const isCovered = atoms.some((other) => covers(other, atom) && nameOf(other) !== nameOf(atom))
    if (!isCovered) kept.set(nameOf(atom), atom)
  }
  return [...kept.values()]
}

function grantsOf(atoms: readonly Atom[]): readonly ManagementGrant[] {
  const grants = new Map<string, { area: ManagementArea; actions: ManagementAction[]; bound: Bound; within: boolean }>()
  for (const { area, action, bound, within } of reduced(atoms)) {
    const name = [area, boundName(bound), within].join(' ')
    const grant = grants.get(name) ?? { area, actions: [], bound, within }
    grant.actions.push(action)
    grants.set(name, grant)
  }
  return [...grants.values()].map(({ within, ...grant }) => (within ? { ...grant, within } : grant))
}

function nameOf({ area, action, bound, within }: Atom): string {
  return [area, action, boundName(bound), within].join(' ')
}

function boundName(bound: Bound): string {
  if (bound.kind === 'organisation') return bound.kind
  const lrsIds = [...new Set(lrsOf(bound))].toSorted((a, b) => a - b)
  return JSON.stringify([bound.kind, 'id' in bound ? bound.id : null, lrsIds])
}
