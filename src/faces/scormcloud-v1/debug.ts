// The debug service: whether the server answers, whether a signature is right, what time it is here.

import type { Core } from '../../core/core.ts'
import { elements, presentTime } from './wire.ts'

export async function ping(): Promise<string> {
  return elements({ pong: '' })
}

export async function getTime({ clock }: Core): Promise<string> {
  return elements({ currenttime: { '@tz': 'UTC', '#text': presentTime(clock.now()) } })
}
