// What oauth.ts uses of oauth-sign, which declares no types.

declare module 'oauth-sign' {
  /** RFC 5849 section 3.4.1; `params` decoded, by name. */
  export function generateBase(method: string, uri: string, params: Readonly<Record<string, readonly string[]>>): string
  /** RFC 5849 section 3.6. */
  export function rfc3986(text: string): string
}
