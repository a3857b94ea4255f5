// Who may let somebody in, and see and end what was launched. A refusal says what helps: content is never given more rights for it.

import type { Decision } from './access.ts'
import { explainLook } from './grant.ts'
import type { Caller } from './principal.ts'
import type { ManagementAction } from './rights.ts'

/** As itself. */
export const launchesItself: Decision = {
  allowed: true,
  decidedBy: 'own launches',
  reason: 'A key launches as itself, for no more than it may do.',
}

export const sessionsLaunchNobody: Decision = {
  allowed: false,
  decidedBy: 'session',
  reason: 'A session, such as the key of a launch, launches nobody.',
  remedy: 'Ask with the key that it comes from.',
}

const sessionsSeeNothing: Decision = {
  allowed: false,
  decidedBy: 'session',
  reason: 'A session, such as the key of a launch, sees and ends no launches.',
  remedy: 'Ask with the key that it comes from.',
}

const onlyTheirOwn: Decision = {
  allowed: false,
  decidedBy: 'own launches',
  reason: 'A key that manages no keys sees and ends only what it launched itself.',
  remedy: 'Ask with the key that launched it.',
}

/** Whether the caller's management reaches launches that are not its own. */
export function explainOthers(caller: Caller, action: ManagementAction): Decision {
  const look = explainLook(caller, action)
  if (look.allowed || explainLook(caller, 'read').allowed) return look
  return caller.sessionId === undefined ? onlyTheirOwn : sessionsSeeNothing
}
