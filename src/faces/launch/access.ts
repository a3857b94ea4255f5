// What a request to these paths would meet, without sending it: the answer to the command line's `ask`.

import type { Access, AskedRequest } from '../face.ts'
import { paramsIn } from '../http.ts'

export const byAnybody: Access = { kind: 'public', reason: 'A page, which anybody may open; no key is asked for.' }

export const byOwnKey: Access = {
  kind: 'refused',
  decidedBy: 'launch',
  reason: 'Only the key of a running launch reads what its content is told (404 for all others).',
}

export function byTicket(who: string): Access {
  const reason = `No key is asked for: the ticket in the address lets in ${who}, once.`
  return { kind: 'refused', decidedBy: 'ticket', reason }
}

interface Known {
  readonly method: string
  readonly path: string
  readonly access: Access
}

export function accessIn(known: readonly Known[], { method: asked, path }: AskedRequest): Access {
  if (asked === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const here = known.filter((one) => paramsIn(one.path, path) !== undefined)
  const method = asked === 'HEAD' ? 'GET' : asked
  const found = here.find((one) => one.method === method)
  if (found) return found.access
  if (here.length > 0) {
    return { kind: 'refused', decidedBy: 'method', reason: `${asked} is not offered here (405), whichever key asks.` }
  }
  return { kind: 'refused', decidedBy: 'path', reason: 'There is nothing at this path (404), whichever key asks.' }
}
