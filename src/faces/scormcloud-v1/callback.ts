// The three methods about whom an application asks for users nobody here knows. What may be asked, and how, is core's.

import type { Call } from './auth.ts'
import { required } from './parameters.ts'
import type { Payload } from './wire.ts'

// Until core has it.
interface WithCallbacks {
  readonly callbacks: {
    set(caller: Call['principal'], id: Call['application']['id'], to: { readonly url: string }): Promise<unknown>
    get(caller: Call['principal'], id: Call['application']['id']): Promise<{ readonly url: string } | null | undefined>
    reset(caller: Call['principal'], id: Call['application']['id']): Promise<unknown>
  }
}
const callbacksOf = (core: Call['core']) => (core as unknown as WithCallbacks).callbacks

export async function setCallbackUrl({ core, principal, application, parameters }: Call): Promise<Payload> {
  await callbacksOf(core).set(principal, application.id, { url: required(parameters, 'lrsAuthCallbackUrl') })
  return { success: '' }
}

/** Empty where none is set: Python survives that. */
export async function getCallbackUrl({ core, principal, application }: Call): Promise<Payload> {
  const callback = await callbacksOf(core).get(principal, application.id)
  return { lrsAuthCallbackUrl: callback?.url ?? '' }
}

export async function resetCallbackUrl({ core, principal, application }: Call): Promise<Payload> {
  await callbacksOf(core).reset(principal, application.id)
  return { success: '' }
}
