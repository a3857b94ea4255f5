// Attachments as a statement describes them. Where their bytes come from and go to is core/attachments.ts's.

import { iri } from './iri.ts'
import { languageMap } from './language-map.ts'
import { isMediaType } from './media-type.ts'
import type { Rule } from './rule.ts'
import { format, isObject, list, record, shown } from './rule.ts'
import type { Statement } from './statement.ts'

// SHA-224, -256, -384 and -512.
const sha2 = /^(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})$/

const length: Rule = (value, check) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return
  check.refuse(value === null ? 'XAPI-00001' : 'XAPI-00102', `Expected a number of bytes, got ${shown(value)}.`)
}

const attachment = record({
  what: 'an Attachment',
  rule: 'XAPI-00025',
  members: {
    usageType: iri('XAPI-00107'),
    display: languageMap('XAPI-00106'),
    description: languageMap('XAPI-00106'),
    contentType: format('a media type such as text/plain', 'XAPI-00105', isMediaType),
    length,
    sha2: format('a SHA-2 hash in hex digits', 'XAPI-00103', (value) => sha2.test(value)),
    fileUrl: iri('XAPI-00104'),
  },
  required: {
    usageType: 'XAPI-00107',
    display: 'XAPI-00106',
    contentType: 'XAPI-00105',
    length: 'XAPI-00102',
    sha2: 'XAPI-00103',
  },
  whole: (value, check) => {
    const isSignature = value['usageType'] === signatureUsage
    const { contentType } = value
    if (isSignature && typeof contentType === 'string' && !signatureType.test(contentType)) {
      check.refuseAt('contentType', 'XAPI-00115', 'The contentType of a signature is application/octet-stream.')
    }
    if (check.partsFollow) return
    if (value['fileUrl'] === undefined) check.refuse('XAPI-00129', withoutData)
    else if (isSignature) check.refuse('XAPI-00115', withoutSignature)
  },
})

/** Marks an attachment as the signature of its statement. */
export const signatureUsage = 'http://adlnet.gov/expapi/attachments/signature'
const signatureType = /^application\/octet-stream[ \t]*(?:;.*)?$/i

export const withoutData =
  'Without "fileUrl" the data must be sent along: as a part of a multipart/mixed body, its X-Experience-API-Hash this sha2.'
export const withoutSignature =
  'The signature itself must be sent along, "fileUrl" or not: as a part of a multipart/mixed body.'

export const attachments = list('Attachments', 'XAPI-00025', attachment)

/** An attachment of a valid statement or of its SubStatement. */
export interface DescribedAttachment {
  /** Inside the statement. */
  readonly pointer: string
  /** Lower-case hex. */
  readonly sha2: string
  /** The same as the statement has it. */
  readonly spelledSha2: string
  readonly length: number
  readonly contentType: string
  readonly hasFileUrl: boolean
  /** Of the statement: a SubStatement is not signed for itself. */
  readonly isSignature: boolean
}

export function listAttachments(statement: Statement): DescribedAttachment[] {
  const { object } = statement
  const inside = isObject(object) && object['objectType'] === 'SubStatement' ? attachmentsIn(object, '/object') : []
  return [...attachmentsIn(statement, ''), ...inside]
}

function attachmentsIn(holder: Statement, base: string): DescribedAttachment[] {
  const described = holder['attachments']
  if (!Array.isArray(described)) return []
  return described.map((one: Record<string, string | undefined>, index) => ({
    pointer: `${base}/attachments/${index}`,
    sha2: one['sha2']?.toLowerCase() ?? '',
    spelledSha2: one['sha2'] ?? '',
    length: Number(one['length']),
    contentType: one['contentType'] ?? '',
    hasFileUrl: one['fileUrl'] !== undefined,
    isSignature: base === '' && one['usageType'] === signatureUsage,
  }))
}
