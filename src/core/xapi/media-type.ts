// Media types (RFC 9110 section 8.3.1) as somebody says them of bytes: kept as they are, and sent again in a header.

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
// Parameters are the sender's business, as long as a header can hold them.
const pattern = new RegExp(`^${token}/${token}(?:[ \\t]*;[\\t\\x20-\\x7e\\x80-\\xff]*)?$`)

/** Code units of a media type with its parameters. */
export const maxMediaTypeLength = 1000

export function isMediaType(text: string): boolean {
  return text.length <= maxMediaTypeLength && pattern.test(text)
}
