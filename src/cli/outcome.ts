// What a command comes to: a value for --json, words for people, an exit code; and how both are written out.

/** Wrong use of the command line; exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Something that went wrong and that one line explains; exit code 1, no stack trace. */
export class PlainError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PlainError'
  }
}

export const exitCodes = {
  /** Done; `ask`: allowed; `doctor`, `audit verify`: nothing wrong. */
  ok: 0,
  /** Not done, or not allowed, or something is wrong. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** The configuration is wrong (EX_CONFIG). */
  config: 78,
} as const

export interface Outcome {
  /** Printed by --json. */
  readonly json: unknown
  /** Printed otherwise; without the last line end. */
  readonly text: string
  /** Lines on standard error, with both. */
  readonly warnings?: readonly string[]
  readonly exit?: number
}

/** Columns as wide as their widest cell; the first row is the heading. `none` stands for a table without another. */
export function table(rows: readonly (readonly (string | number)[])[], none = 'none'): string {
  if (rows.length === 1) return none
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell))))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Names and values, one a line, indented. */
export function pairs(rows: readonly (readonly [string, string | number | undefined])[]): string {
  const shown = rows.filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${oneLine(String(value))}`).join('\n')
}

export function bullets(lines: readonly string[]): string {
  return lines.map((line) => `  - ${oneLine(line)}`).join('\n')
}

/** A name from outside must not steer the terminal or forge a second line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** `1 problem`, `2 problems`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

export function time(milliseconds: number | null): string {
  return milliseconds === null ? 'never' : new Date(milliseconds).toISOString()
}
