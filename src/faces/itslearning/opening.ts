// What a launch comes to here: which place it is at, whom it names, what its permissions give (ledger S3.2 to S3.9). Pure; knows
// neither signature nor store.

import type { ContentSettings, Giving } from '../../core/content-settings.ts'
import type { NewLaunchInput } from '../../core/launch-plan.ts'
import type { Json } from '../../core/storage.ts'
import type { Instance, Permission, SignedLaunch } from './parameters.ts'
import { homePageOf } from './settings.ts'
import type { Settings } from './settings.ts'

export type Gives = ContentSettings['gives']

/** One use of a learning object; numbers of one customer may be those of another. */
export function placeOf({ customerId, learningObjectId, instanceId }: Instance): string {
  return `${customerId}/${learningObjectId}/${instanceId}`
}

/** The learning object itself: what is chosen for a master in the library holds for its uses in courses. */
export function masterOf({ customerId, learningObjectId }: Instance): string {
  return `${customerId}/${learningObjectId}`
}

export function actorOf(launch: SignedLaunch, settings: Settings): NewLaunchInput['actor'] {
  const name = [launch.firstName, launch.lastName].filter((part) => part !== undefined).join(' ')
  return {
    objectType: 'Agent',
    account: { homePage: homePageOf(settings, launch), name: launch.userId },
    ...(name !== '' && { name }),
  }
}

/** What content gets to know of it: never the session at itslearning, names only where the content is set to get them. */
export function dataFor(launch: SignedLaunch, { sendsNames }: Pick<ContentSettings, 'sendsNames'>): Json {
  const { apiSessionId: _, firstName, lastName, ...rest } = launch
  const names = { ...(firstName !== undefined && { firstName }), ...(lastName !== undefined && { lastName }) }
  return { ...rest, ...(sendsNames && names) } as unknown as Json
}

const words: Readonly<Record<Permission, keyof Gives>> = {
  Read: 'read',
  Participate: 'participate',
  Evaluate: 'evaluate',
  Modify: 'modify',
  ModifyInstance: 'modifyInstance',
}

function givingsOf({ permissions }: SignedLaunch, gives: Gives): readonly Giving[] {
  return permissions.map((permission) => gives[words[permission]])
}

/** Whether it leads to the choice of the content, and not into it. */
export function isAuthor(launch: SignedLaunch, gives: Gives): boolean {
  return !launch.isReadOnly && givingsOf(launch, gives).includes('author')
}

/** Ascending. */
const openings = ['browse', 'review', 'normal', 'evaluate'] as const

/** By the permission that gives most; an author looks. Undefined where none gives anything. ReadOnly leaves a look at what there is. */
export function openingOf(
  launch: SignedLaunch,
  gives: Gives,
): Required<Pick<NewLaunchInput, 'mode' | 'readsOthers'>> | undefined {
  const givings = givingsOf(launch, gives)
  const most = openings.findLast((opening) => givings.includes(opening))
  if (most === undefined) return givings.includes('author') ? { mode: 'browse', readsOthers: false } : undefined
  const readsOthers = most === 'evaluate'
  const mode = most === 'evaluate' ? 'normal' : most
  return { mode: launch.isReadOnly && mode === 'normal' ? 'review' : mode, readsOthers }
}
