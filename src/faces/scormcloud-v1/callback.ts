// The three methods about whom an application asks for users nobody here knows. What may be asked, and how, is core's.

import type { Call } from './auth.ts'
import { CallError } from './errors.ts'
import { required } from './parameters.ts'
import { elements, isXmlText, plain } from './wire.ts'

export async function setCallbackUrl({ core, principal, application, parameters }: Call): Promise<string> {
  const url = required(parameters, 'lrsAuthCallbackUrl')
  if (!isXmlText(url)) throw new CallError(205, 'lrsAuthCallbackUrl: must not contain characters that XML cannot hold')
  await core.callbacks.set(principal, application.id, { url })
  return elements({ success: '' })
}

/** Empty where none is set: Python survives that. */
export async function getCallbackUrl({ core, principal, application }: Call): Promise<string> {
  const callback = await core.callbacks.get(principal, application.id)
  return elements({ lrsAuthCallbackUrl: plain(callback?.url ?? '') })
}

export async function resetCallbackUrl({ core, principal, application }: Call): Promise<string> {
  await core.callbacks.reset(principal, application.id)
  return elements({ success: '' })
}
