// Attachments as a statement describes them. The data itself travels in parts of a multipart body.

import { iri } from './iri.ts'
import { languageMap } from './language-map.ts'
import type { Rule } from './rule.ts'
import { format, list, record, shown } from './rule.ts'

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const mediaType = new RegExp(`^${token}/${token}(?:[ \\t]*;.*)?$`)
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
    contentType: format('a media type such as text/plain', 'XAPI-00105', (value) => mediaType.test(value)),
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
  // XAPI-00129: without a fileUrl the data must come as a part, and no parts can be sent yet.
  whole: (value, check) => {
    if (value['fileUrl'] !== undefined) return
    check.refuse(
      'XAPI-00129',
      'Without "fileUrl" the data must be sent along, which is not offered yet: add a "fileUrl".',
    )
  },
})

export const attachments = list('Attachments', 'XAPI-00025', attachment)
