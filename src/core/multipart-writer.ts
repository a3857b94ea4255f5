// A multipart/mixed body (RFC 2046 section 5.1), written piece by piece as fast as whoever gets it takes it.
// Knows nothing of what the parts are.

export interface PartToWrite {
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** The boundary must not occur in the parts: take a random one. */
export async function* writeParts(
  boundary: string,
  parts: AsyncIterable<PartToWrite> | Iterable<PartToWrite>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let delimiter = `--${boundary}`
  for await (const { headers, bytes } of parts) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    yield Buffer.from(`${delimiter}\r\n${lines.join('')}\r\n`, 'latin1')
    yield* bytes
    delimiter = `\r\n--${boundary}`
  }
  yield Buffer.from(`${delimiter}--\r\n`, 'latin1')
}
