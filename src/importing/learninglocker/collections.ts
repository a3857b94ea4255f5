// The files of a directory that mongoexport or mongodump filled, by collection, and the documents in them. Knows nothing of what the
// documents mean.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BSON } from 'bson'
import { DomainError, invalid } from '../../core/errors.ts'
import { findExcess, maxTokens, parseJson } from '../../core/xapi/json.ts'
import { refusal } from '../../core/xapi/rule.ts'
import type { Place } from '../rejects.ts'
import { maxValueBytes, ValueFile } from '../value-file.ts'
import type { RawValue } from '../value-file.ts'
import { isMembers, oidOf } from './extended-json.ts'
import type { Members } from './extended-json.ts'

/** As they are called in the database; some are singular there, and plural where people name files. */
const collections = {
  organisations: ['organisations', 'organisation'],
  lrs: ['lrs', 'lrss'],
  clients: ['client', 'clients'],
  statements: ['statements', 'statement'],
  states: ['states', 'state'],
  activityProfiles: ['activityprofiles', 'activityprofile'],
  agentProfiles: ['agentprofiles', 'agentprofile'],
} as const
export type CollectionName = keyof typeof collections
const endings = /\.(json|jsonl|ndjson|bson)(\.gz)?$/i

/** Throws `invalid` where there is none of them, or one twice. */
export async function findCollections(directory: string): Promise<ReadonlyMap<CollectionName, Collection>> {
  const names = await listFiles(directory)
  const found = new Map<CollectionName, Collection>()
  for (const [collection, called] of Object.entries(collections) as [CollectionName, readonly string[]][]) {
    const files = names.filter((name) => endings.test(name) && called.includes(name.replace(endings, '').toLowerCase()))
    if (files.length > 1)
      throw new DomainError('invalid', `${directory} has ${files.join(' and ')}: leave one of them.`)
    if (files[0] !== undefined) found.set(collection, await Collection.open(directory, files[0]))
  }
  if (found.size > 0) return found
  const some = 'organisations.json, lrs.json, client.json, statements.json'
  throw new DomainError('invalid', `${directory} has none of the files that mongoexport writes (${some} …).`)
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).toSorted()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new DomainError('invalid', `${directory} cannot be read (${code}).`)
  }
}

/** One as it stands in the file. */
export interface RawDocument extends Omit<RawValue, 'text'> {
  readonly text?: string | undefined
  readonly bson?: Buffer
}

export class Collection {
  /** Of the file. */
  readonly name: string
  /** Changes with the file. */
  readonly stamp: string
  readonly #file: ValueFile

  private constructor(name: string, stamp: string, file: ValueFile) {
    this.name = name
    this.stamp = stamp
    this.#file = file
  }

  static async open(directory: string, name: string): Promise<Collection> {
    const path = join(directory, name)
    const { size, mtimeMs } = await stat(path)
    return new Collection(name, `${size} ${mtimeMs}`, await ValueFile.open(path))
  }

  get part(): number {
    return this.#file.part
  }

  documents(after = 0): AsyncGenerator<readonly RawDocument[]> {
    return /\.bson(\.gz)?$/i.test(this.name) ? readBson(this.#file, after) : this.#file.values(after)
  }

  /** For the rejects. */
  placeOf(raw: RawDocument): RawPlace {
    return new RawPlace(this.name, raw)
  }
}

/** An object with a method, not one with a closure: with closures the text of each line outlived V8's young space (measured). */
export class RawPlace implements Place {
  readonly file: string
  readonly line: number
  readonly id: string | undefined
  readonly #raw: RawDocument

  constructor(file: string, raw: RawDocument, id?: string) {
    this.file = file
    this.line = raw.line
    this.id = id
    this.#raw = raw
  }

  named(id: string | undefined): RawPlace {
    return new RawPlace(this.file, this.#raw, id)
  }

  record(): unknown {
    return shownRecord(this.#raw)
  }
}

/** Throws where it is damaged. */
export function parseDocument({ text, bson, problem }: RawDocument): Members {
  const value = bson !== undefined ? BSON.deserialize(bson) : parseText(text, problem)
  if (isMembers(value)) return value
  throw invalid('It is no document: no object of JSON.')
}

function parseText(text: string | undefined, problem: string | undefined): unknown {
  if (text === undefined) throw invalid(problem ?? 'It cannot be read.')
  // No more names and values than it has characters.
  const excess = text.length > maxTokens ? findExcess(text) : undefined
  if (excess !== undefined) throw refusal([excess])
  try {
    // Nobody asks whether a name is there twice: in MongoDB none is. How deep it goes, and its numbers, are looked at where they are used.
    return JSON.parse(text) as unknown
  } catch {
    // Says where it is broken.
    return parseJson(text)
  }
}

function shownRecord(raw: RawDocument): unknown {
  try {
    return raw.bson === undefined ? JSON.parse(raw.text ?? 'null') : BSON.EJSON.serialize(BSON.deserialize(raw.bson))
  } catch {
    return raw.text ?? null
  }
}

/** As a person would look for it. */
export function idOf(document: Members): string | undefined {
  return oidOf(document['_id'])
}

/** Each document begins with its length. */
async function* readBson(file: ValueFile, after: number): AsyncGenerator<readonly RawDocument[]> {
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  for await (const piece of file.pieces()) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const documents: RawDocument[] = []
    let from = 0
    while (rest.length - from >= 4) {
      const length = rest.readInt32LE(from)
      if (length < 5 || length > maxValueBytes + 16 * 1024) {
        yield [
          ...documents,
          cutOff(number + 1, `${length} is no length of a BSON document: the file is damaged from here on.`),
        ]
        return
      }
      if (rest.length - from < length) break
      number++
      if (number > after) documents.push({ number, line: number, bson: rest.subarray(from, from + length) })
      from += length
    }
    if (documents.length > 0) yield documents
    rest = Buffer.from(rest.subarray(from))
  }
  if (rest.length > 0) yield [cutOff(number + 1, 'The file ends in the middle of it.')]
}

function cutOff(number: number, problem: string): RawDocument {
  return { number, line: number, problem }
}
