// What a request to these paths would meet, without sending it: the answer to the command line's `ask`.

import type { Access, AskedRequest } from '../face.ts'
import { paramsIn } from '../http.ts'

const people: Access = { kind: 'public', reason: 'A page, which anybody may open; no key is asked for.' }

const known: readonly { readonly method: string; readonly path: string; readonly access: Access }[] = [
  { method: 'GET', path: '/launch/closed', access: people },
  { method: 'GET', path: '/launch/lesson/index.html', access: people },
  { method: 'GET', path: '/launch/lesson/lesson-script.js', access: people },
  { method: 'GET', path: '/launch/s/:ticket', access: byTicket('a browser that was sent here') },
  { method: 'POST', path: '/launch/fetch/:ticket', access: byTicket('content that was launched') },
  {
    method: 'GET',
    path: '/launch/:id/data',
    access: {
      kind: 'refused',
      decidedBy: 'launch',
      reason: 'Only the key of a running launch reads what its content is told (404 for all others).',
    },
  },
]

function byTicket(who: string): Access {
  const reason = `No key is asked for: the ticket in the address lets in ${who}, once.`
  return { kind: 'refused', decidedBy: 'ticket', reason }
}

export function accessFor({ method: asked, path }: AskedRequest): Access {
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
