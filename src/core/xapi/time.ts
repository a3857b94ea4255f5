// RFC 3339 timestamps with microseconds.

export function formatStored(seq: number): string {
  throw new Error(`not written yet: ${seq}`)
}

export function parseTimestamp(text: string): number | undefined {
  throw new Error(`not written yet: ${text}`)
}
