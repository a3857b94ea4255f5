// The refusal of a parameter of a query: which, where in it, and why. Knows nothing of what is queried.

import { VendorError } from './errors.ts'

/** In the shape of the REST API's library; the connection API says the message alone. */
export class QueryError extends VendorError {}

/** `place`: the parameter, and where in it: `query.$and.0.title.$where`. */
export function badQuery(place: string, why: string): QueryError {
  const message = `${place.slice(0, 500)}: ${why}`
  return new QueryError(400, { description: 'invalid_query', message, statusCode: 400 }, message)
}

/** As recorded (facts 2.2). */
export function badJson(name: string): QueryError {
  const body = { description: 'invalid_json', statusCode: 400 }
  return new QueryError(400, body, `${name} must be a valid JSON string`)
}
