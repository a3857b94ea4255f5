// Answers that may be long, written as JSON in slices. Knows nothing of what they say.

import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'
import { holdAnswer } from '../http.ts'
import type { FaceContext } from './auth.ts'
import type { Value } from './query-value.ts'

/** Each of them as JSON. */
export function textsOf(values: readonly Value[]): Promise<readonly string[]> {
  return inSlices(writing(values))
}

function* writing(values: readonly Value[]): Sliceable<readonly string[]> {
  const texts: string[] = []
  for (const value of values) {
    texts.push(JSON.stringify(value))
    yield
  }
  return texts
}

export function answerText(c: FaceContext, text: string): Response {
  holdAnswer(c, text.length)
  return c.body(text, 200, { 'Content-Type': 'application/json' })
}

/** As `c.json`, of a list. */
export async function answerList(c: FaceContext, values: readonly Value[]): Promise<Response> {
  return answerText(c, `[${(await textsOf(values)).join(',')}]`)
}
