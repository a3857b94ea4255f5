// How an address is signed (facts 2): MD5 of the decoded address as text, followed by the secret. Knows no parameter and nobody's
// secret. Decoded text proves less than it seems, for `%26` and `&` are the same in it: verification.ts asks for what it leaves open.

import { createHash, timingSafeEqual } from 'node:crypto'

/** As the vendor's own code decodes: `+` is a space, `%XX` are bytes of UTF-8. Undefined where they are none. */
export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** As .NET encodes, which is what signs: lower-case digits, `+` for a space. */
export function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
    .replaceAll("'", '%27')
    .replaceAll('~', '%7e')
    .replaceAll('%20', '+')
}

/** All of it, not the query alone: which page of which host is part of what was signed. */
export function signedText(address: string, query: string): string | undefined {
  return decode(`${address}?${query}`)
}

export function signatureOf(text: string, secret: string): string {
  return digestOf(text, secret).toString('hex')
}

/** In constant time. Lower-case digits only: a second spelling of the same launch would be a second launch. */
export function isSignature(signature: string, text: string, secret: string): boolean {
  if (!/^[0-9a-f]{32}$/.test(signature)) return false
  return timingSafeEqual(digestOf(text, secret), Buffer.from(signature, 'hex'))
}

// MD5 is theirs. A suffix is at least not open to length extension; against trying out secrets nothing helps but long ones.
function digestOf(text: string, secret: string): Buffer {
  return createHash('md5').update(text, 'utf8').update(secret, 'utf8').digest()
}
