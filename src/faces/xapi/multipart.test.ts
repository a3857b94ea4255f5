import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundaryOf, readParts } from '../../core/multipart-reader.ts'
import { streamOf } from './call.ts'
import type { Call } from './call.ts'
import { writeParts } from '../../core/multipart-writer.ts'

interface ReadPart {
  readonly headers: Record<string, string>
  readonly content: string
}

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const borders = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length).toSorted((a, b) => a - b)
  let from = 0
  for (const to of [...borders, bytes.length]) {
    yield bytes.subarray(from, to)
    from = to
  }
}

async function readAll(
  source: AsyncIterable<Uint8Array>,
  boundary = 'b',
  lengths: readonly number[] = [],
): Promise<ReadPart[]> {
  const parts: ReadPart[] = []
  for await (const { headers, bytes } of readParts(source, boundary)) {
    const pieces: Uint8Array[] = []
    for await (const piece of bytes(lengths[parts.length])) pieces.push(piece)
    parts.push({ headers: Object.fromEntries(headers), content: Buffer.concat(pieces).toString('latin1') })
  }
  return parts
}

const read = (text: string, cuts: readonly number[] = [], boundary = 'b') =>
  readAll(inPieces(Buffer.from(text, 'latin1'), cuts), boundary)

/** What came of it, whether parts or a refusal. */
const outcomeOf = (text: string, cuts: readonly number[] = [], lengths: readonly number[] = []) =>
  readAll(inPieces(Buffer.from(text, 'latin1'), cuts), 'b', lengths).then(
    (parts) => ({ parts }),
    (error: Error) => ({ refused: error.message }),
  )
const everywhere = (text: string) => Array.from({ length: text.length }, (_, index) => index)

describe('a multipart body', () => {
  it('is parts with headers and content', async () => {
    const text =
      'preamble\r\n--b\r\nContent-Type: application/json\r\nX-One:two \r\n\r\n{"a":1}\r\n--b\r\n\r\nno headers\r\n\r\n--b--\r\nepilogue'
    const expected = [
      { headers: { 'content-type': 'application/json', 'x-one': 'two' }, content: '{"a":1}' },
      { headers: {}, content: 'no headers\r\n' },
    ]
    expect(await read(text)).toEqual(expected)
    expect(await read(text, everywhere(text))).toEqual(expected)
  })

  it.each([
    ['nothing before it', '--b\r\n\r\nx\r\n--b--', ['x']],
    ['a line end before it', '\r\n--b\r\n\r\nx\r\n--b--\r\n', ['x']],
    ['no parts', '--b--', []],
    ['an empty part', '--b\r\n\r\n\r\n--b--', ['']],
    ['a part without content', '--b\r\nA: b\r\n\r\n--b--', ['']],
    ['padding behind a boundary', '--b \t\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--', ['x', 'y']],
    [
      'content that looks like the boundary',
      '--b\r\n\r\n\r\n--a\n--b\r--b-\r\n-b\r\n--b--',
      ['\r\n--a\n--b\r--b-\r\n-b'],
    ],
    ['content of line ends', '--b\r\n\r\n\r\n\r\n\r\n\r\n--b--', ['\r\n\r\n\r\n']],
    ['a header on two lines', '--b\r\nA: b\r\n c\r\n\r\nx\r\n--b--', ['x']],
  ])('may have %s', async (_, text, contents) => {
    expect((await read(text)).map(({ content }) => content)).toEqual(contents)
    expect((await read(text, everywhere(text))).map(({ content }) => content)).toEqual(contents)
  })

  // What tincanjs, xapiwrapper and @xapi/xapi send of two attachments.
  it.each<[string, string, number[], string[]]>([
    ['and does', '--b\r\n\r\nx--b\r\n\r\nyy\r\n--b--', [1, 2], ['x', 'yy']],
    ['and does, empty', '--b\r\n\r\n--b\r\n\r\nyy\r\n--b--', [0, 2], ['', 'yy']],
    ['and does, at the end of all', '--b\r\n\r\nx--b--', [1], ['x']],
    ['and has the line end all the same', '--b\r\n\r\nx\r\n--b\r\n\r\nyy\r\n--b--', [1, 2], ['x', 'yy']],
    ['but is shorter', '--b\r\n\r\nx\r\n--b\r\n\r\nyy\r\n--b--', [5, 200], ['x', 'yy']],
    ['but is longer', '--b\r\n\r\nx--b\r\n--b--', [0], ['x--b']],
    ['but has a boundary elsewhere', '--b\r\n\r\nx--bx\r\n--b--', [5], ['x--bx']],
    ['which is nonsense', '--b\r\n\r\nx--bx\r\n--b--', [-1], ['x--bx']],
  ])('may end without a line end where a part is said to end, %s', async (_, text, lengths, contents) => {
    for (const cuts of [[], everywhere(text), [9], [12]]) {
      const parts = await readAll(inPieces(Buffer.from(text), cuts), 'b', lengths)
      expect(parts.map(({ content }) => content)).toEqual(contents)
    }
  })

  it.each([
    ['nothing', ''],
    ['no boundary', 'Content-Type: application/json\r\n\r\n{}\r\n'],
    ['no end', '--b\r\n\r\nx\r\n--b\r\n\r\ny'],
    ['an end cut short', '--b\r\n\r\nx\r\n--b-'],
    ['a delimiter that goes on', '--b\r\n\r\nx\r\n--bb\r\n\r\ny\r\n--b--'],
    ['single line feeds', '--b\n\nx\n--b--\n'],
    ['a line that is no header', '--b\r\nnothing\r\n\r\nx\r\n--b--'],
    ['a header without a name', '--b\r\n: x\r\n\r\nx\r\n--b--'],
    ['a line feed in a header', '--b\r\nA: b\nC: d\r\n\r\nx\r\n--b--'],
    ['one header twice', '--b\r\nA: b\r\na: c\r\n\r\nx\r\n--b--'],
    ['headers without end', `--b\r\nA: ${'x'.repeat(20_000)}\r\n\r\nx\r\n--b--`],
    ['a long preamble', `${'x'.repeat(70_000)}\r\n--b\r\n\r\nx\r\n--b--`],
    ['a long epilogue', `--b\r\n\r\nx\r\n--b--${'x'.repeat(70_000)}`],
    ['endless padding', `--b${' '.repeat(5000)}\r\n\r\nx\r\n--b--`],
  ])('is refused with %s', async (_, text) => {
    const refused = expect.objectContaining({ code: 'invalid' })
    await expect(read(text)).rejects.toEqual(refused)
    const cuts = Array.from({ length: 2000 }, (_unused, index) => (index < 100 ? index : text.length - 2000 + index))
    await expect(read(text, cuts)).rejects.toEqual(refused)
  })

  it('means the same wherever its chunks begin', async () => {
    const words = [
      '--b',
      '--b--',
      '\r\n',
      '\r',
      '\n',
      '-',
      '--',
      'b',
      ' ',
      '\t',
      'A: b',
      ':',
      'x',
      '\r\n\r\n',
      '\0',
      'ÿ',
    ]
    const body = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((list) => list.join(''))
    const wellFormed = fc
      .array(
        fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((list) => list.join('')),
        { maxLength: 4 },
      )
      .map((contents) => `${contents.map((content) => `--b\r\nA: b\r\n\r\n${content}\r\n`).join('')}--b--`)
    const cuts = fc.array(fc.nat(200), { maxLength: 40 })
    const lengths = fc.array(fc.nat(20), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, wellFormed), cuts, lengths, async (text, at, said) => {
        const whole = await outcomeOf(text, [], said)
        expect(await outcomeOf(text, at, said)).toEqual(whole)
        expect(await outcomeOf(text, everywhere(text), said)).toEqual(whole)
      }),
      { numRuns: 3000 },
    )
  })

  it('is what was written', async () => {
    const part = fc.record({ content: fc.uint8Array({ maxLength: 300 }), value: fc.stringMatching(/^[!-~]{0,20}$/) })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), fc.array(fc.nat(500)), async (parts, cuts) => {
        const pieces: Uint8Array[] = []
        const written = writeParts(
          'boundary-of-its-own',
          parts.map(({ content, value }) => ({ headers: { 'X-Value': value }, bytes: [content] })),
        )
        for await (const piece of written) pieces.push(piece)
        const got = await readAll(inPieces(Buffer.concat(pieces), cuts), 'boundary-of-its-own')
        expect(got).toEqual(
          parts.map(({ content, value }) => ({
            headers: { 'x-value': value },
            content: Buffer.from(content).toString('latin1'),
          })),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('skips what of a part is not read', async () => {
    const text = `--b\r\n\r\n${'x'.repeat(1000)}\r\n--b\r\n\r\ny\r\n--b--`
    const contents: string[] = []
    for await (const { bytes } of readParts(inPieces(Buffer.from(text), [50, 100, 500]), 'b')) {
      for await (const piece of bytes()) {
        contents.push(Buffer.from(piece).toString())
        break
      }
    }
    expect(contents.at(-1)).toBe('y')
  })

  it('is read no faster than its parts are', async () => {
    let sent = 0
    async function* source() {
      yield Buffer.from('--b\r\n\r\n')
      for (; sent < 1000; sent += 1) yield Buffer.alloc(1000, 'x')
      yield Buffer.from('\r\n--b--')
    }
    for await (const { bytes } of readParts(source(), 'b')) {
      const content = bytes()[Symbol.asyncIterator]()
      await content.next()
      await content.next()
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(sent).toBeLessThan(5)
    }
    expect(sent).toBe(1000)
  })

  it('tells its source when nobody reads on, and names a source that failed', async () => {
    let isTold = false
    async function* source() {
      try {
        yield Buffer.from('--b\r\n\r\nx')
        throw new Error('reset')
      } finally {
        isTold = true
      }
    }
    for await (const _ of readParts(source(), 'b')) break
    expect(isTold).toBe(true)
    await expect(readAll(source())).rejects.toThrow('ended before its body did')
  })
})

describe('the boundary', () => {
  it.each([
    ['multipart/mixed; boundary=abc', 'abc'],
    ['multipart/mixed;boundary=abc', 'abc'],
    ['multipart/mixed; charset=utf-8; BOUNDARY="a b"; x=y', 'a b'],
    ['multipart/mixed; boundary="a\\bc"', 'abc'],
    ['multipart/mixed; x="; boundary=no"; boundary=yes', 'yes'],
    ['multipart/mixed; boundary=-------314159265358979323846', '-------314159265358979323846'],
    ['multipart/mixed; boundary=a/b:c=d', 'a/b:c=d'],
  ])('of %s is %s', (header, boundary) => expect(boundaryOf(header)).toBe(boundary))

  it.each([
    'multipart/mixed',
    'multipart/mixed;',
    'multipart/mixed; boundary=',
    'multipart/mixed; boundary=""',
    'multipart/mixed; boundary="a "',
    'multipart/mixed; xboundary=a',
    `multipart/mixed; boundary=${'a'.repeat(71)}`,
    'multipart/mixed; boundary=a[b',
  ])('is missing in %s', (header) => expect(boundaryOf(header)).toBeUndefined())
})

describe('an answer in parts', () => {
  it('asks for no chunk before the last was taken, and for none when the client has gone', async () => {
    let made = 0
    let isEnded = false
    async function* chunks() {
      try {
        for (;;) {
          made += 1
          yield Buffer.alloc(10)
        }
      } finally {
        isEnded = true
      }
    }
    const reader = streamOf({} as Call, chunks()).getReader()
    await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(made).toBe(1)
    await reader.cancel()
    expect(isEnded).toBe(true)
  })
})
