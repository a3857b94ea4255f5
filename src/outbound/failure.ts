// What went wrong with a request, out of what Node throws: one kind of few, in words for operators. Names host and error code
// only, for the rest of a URL may be a secret.

import { OutboundError } from '../core/outbound.ts'

/** How far it had come. */
export type Phase = 'connecting' | 'securing' | 'exchanging'

export function failureOf(
  error: unknown,
  phase: Phase,
  { host, port }: { readonly host: string; readonly port: number },
): OutboundError {
  if (error instanceof OutboundError) return error
  const code = codeOf(error)
  const place = `${host} port ${port}`
  const failed = (kind: OutboundError['kind'], words: string) =>
    new OutboundError(kind, `${words} (${code}).`, { cause: error })
  if (
    code.startsWith('ERR_INVALID_') ||
    code.startsWith('ERR_UNESCAPED_') ||
    code === 'ERR_HTTP_INVALID_HEADER_VALUE'
  ) {
    return failed('protocol', `A request to ${place} cannot be made like this`)
  }
  if (code === 'HPE_HEADER_OVERFLOW') return failed('too-large', `${place} answered with headers that are too long`)
  if (code.startsWith('HPE_')) return failed('protocol', `What ${place} answered is no HTTP`)
  if (phase === 'connecting') return failed('connect', `${place} is not reached`)
  if (phase === 'securing') return failed('tls', `${place} has no TLS with a valid certificate`)
  return failed('connect', `The connection to ${place} broke`)
}

/** With several addresses, of the first one tried. */
function codeOf(error: unknown): string {
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: readonly unknown[] }
  if (typeof code === 'string') return code
  return errors?.[0] === undefined ? 'no code' : codeOf(errors[0])
}
