// Every method this face answers, and which one a call names.

import type { Core } from '../../core/core.ts'
import { nearest } from '../../core/nearest.ts'
import type { ManagementAction } from '../../core/rights.ts'
import type { Call } from './auth.ts'
import { getCallbackUrl, resetCallbackUrl, setCallbackUrl } from './callback.ts'
import { getTime, ping } from './debug.ts'
import { CallError } from './errors.ts'
import { single } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import {
  createActivityProvider,
  deleteActivityProvider,
  editActivityProvider,
  listActivityProviders,
} from './providers.ts'

/** What the key of the application must manage of it; core asks for the same. */
export interface Needs {
  readonly area: 'credentials' | 'settings'
  readonly action: ManagementAction
  /** The call names one provider by `accountkey`. */
  readonly isOfOne?: boolean
}

export interface OpenMethod {
  readonly name: string
  readonly isSigned: false
  /** What stands inside `<rsp>`. */
  readonly answer: (core: Core) => Promise<string>
}

export interface SignedMethod {
  readonly name: string
  readonly isSigned: true
  readonly needs?: Needs
  readonly answer: (call: Call) => Promise<string>
}

const looking: Needs = { area: 'credentials', action: 'read' }
const making: Needs = { area: 'credentials', action: 'write' }
const editing: Needs = { area: 'credentials', action: 'write', isOfOne: true }
const deleting: Needs = { area: 'credentials', action: 'delete', isOfOne: true }

export const methods: readonly (OpenMethod | SignedMethod)[] = [
  { name: 'rustici.debug.ping', isSigned: false, answer: ping },
  { name: 'rustici.debug.getTime', isSigned: false, answer: getTime },
  { name: 'rustici.debug.authPing', isSigned: true, answer: ping },
  ...[
    { name: 'createActivityProvider', needs: making, answer: createActivityProvider },
    { name: 'listActivityProviders', needs: looking, answer: listActivityProviders },
    { name: 'editActivityProvider', needs: editing, answer: editActivityProvider },
    { name: 'deleteActivityProvider', needs: deleting, answer: deleteActivityProvider },
    { name: 'setAppLrsAuthCallbackUrl', needs: { area: 'settings', action: 'write' }, answer: setCallbackUrl } as const,
    { name: 'getAppLrsAuthCallbackUrl', needs: { area: 'settings', action: 'read' }, answer: getCallbackUrl } as const,
    {
      name: 'resetAppLrsAuthCallbackUrl',
      needs: { area: 'settings', action: 'write' },
      answer: resetCallbackUrl,
    } as const,
  ].map(({ name, ...rest }): SignedMethod => ({ name: `rustici.lrsaccount.${name}`, isSigned: true, ...rest })),
]

/** What comes before anybody is asked who they are. */
export function methodOf(parameters: Parameters): OpenMethod | SignedMethod {
  const name = single(parameters, 'method', 200)
  if (!name) throw new CallError(200, 'The parameter method is missing')
  const found = methods.find((method) => method.name === name)
  if (found === undefined) throw noSuchMethod(name)
  const format = single(parameters, 'format', 204)
  if (!format || format.toLowerCase() === 'xml') return found
  throw new CallError(204, 'format: only xml is offered')
}

function noSuchMethod(name: string): CallError {
  const meant = nearest(
    name,
    methods.map((method) => method.name),
  )
  const shown = name.length <= 80 ? name : `${name.slice(0, 80)}…`
  return new CallError(202, `There is no method ${shown}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
}
