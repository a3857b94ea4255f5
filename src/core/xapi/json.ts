// Strict JSON text: duplicate member names, too deep nesting and numbers beyond a double are refused.

export function parseJson(text: string): unknown {
  throw new Error(`not written yet: ${text.length}`)
}
