// Whether a key works, and what it talks to.

import type { Call } from './auth.ts'

export async function pingAppId({ c, core }: Call): Promise<Response> {
  return c.json({ apiMessage: 'API Working', currentTime: new Date(core.clock.now()).toISOString() })
}

/** The version of the API that is spoken, not of this program. */
export async function getAbout({ c }: Call): Promise<Response> {
  return c.json({ version: '2.0', distribution: 'Claviger' })
}
