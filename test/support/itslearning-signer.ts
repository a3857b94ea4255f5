// Signs launches as itslearning does: written from the description of the algorithm, sharing nothing with the face that checks them.

import { createHash, randomBytes } from 'node:crypto'

export type LaunchParameters = Readonly<Record<string, string>>

/** What somebody who opens an instance is launched with, now; `change` says what is another. */
export function launchOf(change: LaunchParameters = {}): LaunchParameters {
  return {
    ApiSessionId: randomBytes(16).toString('hex'),
    Accessibility: 'False',
    ContextRole: 'Learner',
    CustomerId: '14',
    Encoding: 'utf8',
    FirstName: 'Zoë',
    Language: 'en-GB',
    LastName: 'Šč & Sons',
    LearningObjectId: '100',
    LearningObjectInstanceId: '200',
    Locale: 'en-GB',
    OlsonTimeZoneId: 'Europe/London',
    Permissions: 'Read, Participate',
    ReadOnly: 'False',
    Role: 'Learner',
    Use12HTimeFormat: 'False',
    UserId: '556660',
    UserName: 'zoe@example.org',
    WindowsTimeZoneId: 'GMT Standard Time',
    Timestamp: new Date().toISOString().slice(0, 19),
    ...change,
  }
}

/** `address`: as it is registered there. In the order given, the signature at the end. */
export function signedAddress(address: string, parameters: LaunchParameters, secret: string): string {
  const pairs = Object.entries(parameters)
  const text = `${address}?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}${secret}`
  const signature = createHash('md5').update(text, 'utf8').digest('hex')
  const query = pairs.map(([name, value]) => `${name}=${encoded(value)}`).join('&')
  return `${address}?${query}&Signature=${signature}`
}

/** As .NET does: lower-case digits, a plus for a space. */
function encoded(value: string): string {
  const escape = (character: string): string =>
    [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  return value.replaceAll(/[^A-Za-z0-9!*()._ -]/gu, escape).replaceAll(' ', '+')
}
