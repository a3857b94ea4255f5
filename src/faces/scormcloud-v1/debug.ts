// The debug service: whether the server answers, whether a signature is right, what time it is here.

import type { Core } from '../../core/core.ts'
import { presentTime } from './wire.ts'
import type { Payload } from './wire.ts'

export async function ping(): Promise<Payload> {
  return { pong: '' }
}

export async function getTime({ clock }: Core): Promise<Payload> {
  return { currenttime: { '@tz': 'UTC', '#text': presentTime(clock.now()) } }
}
