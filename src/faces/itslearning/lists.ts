// Lists inside one parameter (facts 5): licences and schools. Read from left to right, for a backslash takes the next character as it
// is; splitting and replacing, as the vendor's own library does, miscounts. Knows no other parameter.

export interface Licence {
  /** itslearning's. */
  readonly id: string
  /** In the licensing system of whoever made the application, where one was entered. */
  readonly externalId?: string
}

export interface School {
  /** itslearning's. */
  readonly id: string
  /** The authority's, where there is one. */
  readonly legalId?: string
}

/** Of schools or licences of one person. */
const mostItems = 1000

/** Fields between bare commas; a comma at the end has an empty field behind it. Undefined where a backslash takes nothing. */
export function readFields(text: string): readonly string[] | undefined {
  const fields: string[] = []
  let field = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === ',') {
      fields.push(field)
      field = ''
    } else if (character !== '\\') {
      field += character
    } else if (at + 1 < text.length) {
      field += text[++at]!
    } else {
      return undefined
    }
  }
  return [...fields, field]
}

export function writeFields(fields: readonly string[]): string {
  return fields.map((field) => field.replaceAll(/[\\,]/g, '\\$&')).join(',')
}

/** Both lists belong together, field by field. Undefined where they do not fit, or are none. */
export function readLicences(ids: string, externalIds: string): readonly Licence[] | undefined {
  if (!/^\d{1,10}(,\d{1,10})*$/.test(ids)) return undefined
  const own = ids.split(',')
  const external = readFields(externalIds)
  if (external?.length !== own.length || own.length > mostItems) return undefined
  return own.map((id, index) => {
    const externalId = external[index]
    return externalId ? { id, externalId } : { id }
  })
}

/** `3|HullPrimary,2|,5`: the legal id, and its bar, may be missing. Undefined where a field is none. */
export function readSchools(text: string): readonly School[] | undefined {
  const fields = readFields(text)
  const given = fields?.at(-1)?.trim() === '' ? fields.slice(0, -1) : fields
  if (given === undefined || given.length > mostItems) return undefined
  const schools = given.map(readSchool)
  return schools.includes(undefined) ? undefined : (schools as readonly School[])
}

function readSchool(field: string): School | undefined {
  const [, id, legalId = ''] = /^\s*(\d{1,10})\s*(?:\|(.*))?$/s.exec(field) ?? []
  if (id === undefined) return undefined
  return legalId.trim() === '' ? { id } : { id, legalId: legalId.trim() }
}
