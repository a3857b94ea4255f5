// The other side: signs a launch as itslearning would, and a request to its REST API. For trying out, and for who calls back.
// Knows no platform.

import { createHash } from 'node:crypto'
import { encode, signatureOf, signedText } from './signature.ts'
import { writeTimestamp } from './verification.ts'

/** Who opens what. Names as on the wire, any more of them beside these. */
export interface LaunchToSign {
  readonly customerId: string
  readonly learningObjectId: string
  readonly instanceId: string
  readonly userId: string
  readonly permissions: readonly string[]
  readonly role: string
  readonly apiSessionId: string
  /** Put beside, or in place of, what these come to. */
  readonly more?: Readonly<Record<string, string>>
  /** Unix milliseconds. */
  readonly now: number
}

/** `address` as it is registered; its own query, if any, comes first. */
export function signLaunch(address: string, launch: LaunchToSign, secret: string): string {
  const [bare = '', own] = address.split('?', 2)
  const written = writeParameters(launch).map(([name, value]) => `${name}=${encode(value)}`)
  const query = [...(own ? [own] : []), ...written].join('&')
  const text = signedText(bare, query)
  if (text === undefined) throw new Error('The address is not percent-encoded UTF-8.')
  return `${bare}?${query}&Signature=${signatureOf(text, secret)}`
}

/** Sorted whatever their case, then the time: as they come. */
function writeParameters(launch: LaunchToSign): readonly (readonly [string, string])[] {
  const given = {
    ApiSessionId: launch.apiSessionId,
    CustomerId: launch.customerId,
    Encoding: 'utf8',
    LearningObjectId: launch.learningObjectId,
    LearningObjectInstanceId: launch.instanceId,
    Permissions: launch.permissions.join(', '),
    Role: launch.role,
    UserId: launch.userId,
  }
  const { Timestamp = writeTimestamp(launch.now), ...more } = launch.more ?? {}
  const sorted = Object.entries({ ...given, ...more }).toSorted(([one], [other]) =>
    one.toLowerCase() < other.toLowerCase() ? -1 : 1,
  )
  return [...sorted, ['Timestamp', Timestamp]]
}

export interface RestCall {
  readonly applicationKey: string
  readonly secret: string
  /** ApiSessionId of a launch. */
  readonly sessionId: string
  /** Unix milliseconds. */
  readonly now: number
}

/** The value of `Authorization` at itslearning’s REST API (facts 4); it covers neither method nor address nor body. */
export function restAuthorization({ applicationKey, secret, sessionId, now }: RestCall): string {
  const timestamp = writeTimestamp(now)
  const hash = createHash('md5').update(applicationKey + secret + sessionId + timestamp, 'utf8')
  return [applicationKey, sessionId, timestamp, hash.digest('hex')].join('#')
}
