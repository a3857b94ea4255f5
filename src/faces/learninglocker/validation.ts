// What the product says of values that do not fit: mongoose's ValidationError, which names every field, and the CastError of an
// id in a path. Reads values as mongoose casts them. Knows no model.

import { bounded } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'
import type { Oid } from '../../core/ids.ts'
import { VendorError } from './errors.ts'
import { isBody, memberOf, readOid } from './model.ts'
import type { Body } from './model.ts'

/** A value of the caller's own is repeated up to so many characters of JSON. */
const longestEcho = 1_000

/** The fields of one body as they are asked for; collects what is wrong with them. */
export class Validation {
  readonly #model: string
  readonly #body: Body
  readonly #errors = new Map<string, { readonly message: string }>()

  constructor(model: string, body: Body) {
    this.#model = model
    this.#body = body
  }

  /** Undefined: it was not sent. Scalars become text (probe). */
  text(path: string, check: (text: string) => readonly Failure[] = () => []): string | null | undefined {
    const value = memberOf(this.#body, path)
    if (value === undefined || value === null) return value
    if (typeof value === 'object') return this.#cast(path, 'String', value)
    const text = String(value)
    const [failure] = check(text)
    return failure === undefined ? text : this.refuse(path, failure.message, text)
  }

  flag(path: string): boolean | undefined {
    const value = memberOf(this.#body, path)
    if (value === undefined) return undefined
    const known = flags.get(value)
    return known ?? this.#cast(path, 'Boolean', value)
  }

  /** Unix milliseconds; null where it is sent empty. */
  date(path: string): number | null | undefined {
    const value = memberOf(this.#body, path)
    if (value === undefined || value === null || value === '') return value === undefined ? undefined : null
    const at = typeof value === 'string' || typeof value === 'number' ? new Date(value).getTime() : Number.NaN
    if (Number.isNaN(at)) return this.#cast(path, 'Date', value)
    return at >= 0 ? at : this.refuse(path, 'Times before 1970 are not kept.', value)
  }

  /** A document in its place counts as its `_id`: that is how it was answered where it was populated. */
  oid(path: string): Oid | null | undefined {
    const sent = memberOf(this.#body, path)
    const value = isBody(sent) ? memberOf(sent, '_id') : sent
    if (sent === undefined || value === null) return sent === undefined ? undefined : null
    return readOid(value) ?? this.#cast(path, 'ObjectID', sent)
  }

  number(path: string): number | null | undefined {
    const value = memberOf(this.#body, path)
    if (value === undefined || value === null || value === '') return value === undefined ? undefined : null
    const number = typeof value === 'object' ? Number.NaN : Number(value)
    return Number.isFinite(number) ? number : this.#cast(path, 'Number', value)
  }

  /** One alone is a list of one. */
  words<const Word extends string>(path: string, known: readonly Word[]): readonly Word[] | undefined {
    const value = memberOf(this.#body, path)
    if (value === undefined) return undefined
    const sent: readonly unknown[] = Array.isArray(value) ? value : value === null ? [] : [value]
    if (sent.length > mostWords) return this.refuse(path, `More than ${mostWords} are not accepted.`)
    if (sent.some((word) => typeof word === 'object' && word !== null)) return this.#cast(path, 'Array', value)
    const found = sent.map((word, at) => {
      return known.find((one) => one === String(word)) ?? this.#unknown(`${path}.${at}`, word, known)
    })
    return found.filter((word) => word !== undefined)
  }

  /** An object with members of its own, which are asked for by their paths. */
  nested(path: string): void {
    const value = memberOf(this.#body, path)
    if (value !== undefined && !isBody(value)) this.#cast(path, 'Object', value)
  }

  /** Notes that a rule is broken which is no matter of types. */
  refuse(path: string, message: string, value: unknown = memberOf(this.#body, path)): undefined {
    this.#note(path, 'user defined', message, value)
  }

  get isFine(): boolean {
    return this.#errors.size === 0
  }

  /** Throws what was noted. */
  end(): void {
    if (this.isFine) return
    const summary = `${this.#model} validation failed`
    const said = [...this.#errors].slice(0, 20).map(([path, { message }]) => `${path}: ${message}`)
    const message = bounded(`${summary}: ${said.join(', ')}`)
    const errors = Object.fromEntries(this.#errors)
    throw new VendorError(
      400,
      { errors, _message: summary, message, name: 'ValidationError', statusCode: 400 },
      message,
    )
  }

  #unknown(path: string, word: unknown, known: readonly string[]): undefined {
    const value = word === null ? null : String(word)
    this.#note(
      path,
      'enum',
      `\`${bounded(String(word), 100)}\` is not a valid enum value for path \`${path}\`.`,
      value,
      {
        enumValues: known,
      },
    )
  }

  #note(path: string, kind: string, message: string, sent: unknown, more: object = {}): void {
    if (this.#errors.size >= mostErrors) return
    const value = echoOf(sent)
    const properties = { message, type: kind, ...more, path, value }
    this.#errors.set(path, { message, name: 'ValidatorError', properties, kind, path, value } as { message: string })
  }

  #cast(path: string, kind: string, value: unknown): undefined {
    if (this.#errors.size < mostErrors) this.#errors.set(path, castError(kind, value, path))
  }
}

/** In one list. */
const mostWords = 100
/** Of one body: a list of a thousand unknown words names these. */
const mostErrors = 100

const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 'true', 1, '1', 'yes'].map((value) => [value, true] as const),
  ...[false, 'false', 0, '0', 'no'].map((value) => [value, false] as const),
])

/** An id in a path that cannot be one (facts 2.2). */
export function noObjectId(model: string, value: string): VendorError {
  const error = castError('ObjectId', value, '_id', ` for model "${model}"`)
  return new VendorError(404, { ...error, statusCode: 404 }, error.message, 'not_found')
}

function castError(kind: string, value: unknown, path: string, where = '') {
  const text = bounded(textOf(value), 100)
  const stringValue = text.startsWith('"') ? text : `"${text}"`
  const message = `Cast to ${kind} failed for value ${stringValue} at path "${path}"${where}`
  return { stringValue, kind, value: echoOf(value), path, message, name: 'CastError' }
}

/** What a message repeats of what was sent: nothing large. */
function echoOf(value: unknown): unknown {
  return textOf(value).length <= longestEcho ? value : undefined
}

/** As JSON; of long texts the beginning, for none is repeated whole. */
function textOf(value: unknown): string {
  return JSON.stringify(typeof value === 'string' ? bounded(value, longestEcho) : value) ?? ''
}
