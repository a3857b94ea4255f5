// The bodies of requests as the product's web framework and its REST library read them: the media type before anything else,
// JSON that is an object or an array, pages of HTML for what is none. Knows nothing of what is in them.

import { isDomainError } from '../../core/errors.ts'
import { readJson } from '../http.ts'
import type { Call, FaceContext } from './auth.ts'
import { VendorError, pageError } from './errors.ts'
import { isBody } from './model.ts'
import type { Body } from './model.ts'

/** As the product's web server is set (facts 2.2). */
const bodyLimitBytes = 5 * 1024 * 1024
/** Names and values: some twenty for each of as many documents as one request may make. More hold everybody up. */
const mostTokens = 20_000

/** Checked before anybody signs in (facts 2.2). */
export function demandJsonType(c: FaceContext): void {
  const type = c.req.header('Content-Type')
  if (type?.includes('application/json') === true) return
  const description = type === undefined || type === '' ? 'missing_content_type' : 'invalid_content_type'
  throw new VendorError(
    400,
    { description, statusCode: 400 },
    'The Content-Type of the request must be application/json',
  )
}

/** One or many; none at all is an empty one, as with Express. */
export async function bodiesOf({ c }: Call): Promise<Body | readonly Body[]> {
  const sent = await readSent(c)
  if (sent === undefined) return {}
  if (isBody(sent)) return sent
  if (Array.isArray(sent) && sent.every(isBody)) return sent
  throw pageError(400, 'The body must be a JSON object, or an array of objects')
}

export async function bodyOf(call: Call): Promise<Body> {
  const sent = await bodiesOf(call)
  if (isBody(sent)) return sent
  throw pageError(400, 'The body must be a JSON object')
}

async function readSent(c: FaceContext): Promise<unknown> {
  try {
    return await readJson(c, bodyLimitBytes, mostTokens)
  } catch (error) {
    if (!isDomainError(error)) throw error
    if (error.code === 'too_large') throw pageError(413, 'PayloadTooLargeError: request entity too large', 'too_large')
    if (error.code === 'invalid') throw pageError(400, `SyntaxError: ${error.message}`)
    throw error
  }
}
