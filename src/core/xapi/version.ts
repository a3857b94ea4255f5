// The xAPI versions spoken here, and which family a request or a statement asks for.

import type { Rule } from './rule.ts'
import { format, refusal, shown } from './rule.ts'

/** Two families: all of 1.0.x share one data model. */
export type XapiVersion = '1.0' | '2.0'

/** What an answer's version header says (XAPI-00333). */
export const latestVersion: Record<XapiVersion, string> = { '1.0': '1.0.3', '2.0': '2.0.0' }

export const supportedVersions: readonly string[] = ['1.0.0', '1.0.1', '1.0.2', '1.0.3', '2.0.0']

/** What a statement without a version gets: the data model of a family is that of its first release. */
export const dataVersion: Record<XapiVersion, string> = { '1.0': '1.0.0', '2.0': '2.0.0' }

const headerPattern = /^([12]\.0)(?:\.\d{1,9})?$/

/** The value of X-Experience-API-Version, where `1.0` means 1.0.0 (XAPI-00331). Throws `invalid`. */
export function parseVersion(header: string | undefined): XapiVersion {
  const family = header === undefined ? undefined : headerPattern.exec(header.trim())?.[1]
  if (family === '1.0' || family === '2.0') return family
  const found = header === undefined ? 'the header is missing' : `got ${shown(header)}`
  const message = `Expected 1.0.x or 2.0.x, such as 1.0.3 or 2.0.0; ${found}.`
  throw refusal([{ pointer: 'X-Experience-API-Version:', rule: 'XAPI-00331', message }])
}

/** Of the patches of 1.0.x one matters: since 1.0.3 a PUT of a profile needs If-Match or If-None-Match (XAPI-00273, XAPI-00287). */
export function demandsConditions(header: string | undefined): boolean {
  const patch = /^1\.0\.(\d{1,9})$/.exec(header?.trim() ?? '')?.[1]
  return patch !== undefined && Number(patch) >= 3
}

const family1 = /^1\.0(?:\.\d{1,9})?$/
const family1or2 = /^[12]\.0(?:\.\d{1,9})?$/
const version1 = format('a version 1.0.x', 'XAPI-00101', (value) => family1.test(value))
const version1or2 = format('a version 1.0.x or 2.0.x', 'XAPI-00101', (value) => family1or2.test(value))

/** The `version` of a statement. A 2.0 request may carry statements of either family. */
export const statementVersion: Rule = (value, check) => (check.version === '1.0' ? version1 : version1or2)(value, check)
