import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { maxValueBytes, ValueFile } from './value-file.ts'
import type { RawValue } from './value-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-values-'))
afterAll(() => rmSync(directory, { recursive: true }))
let files = 0

async function read(content: string | Buffer, after = 0): Promise<readonly RawValue[]> {
  const path = join(directory, `${++files}.json`)
  writeFileSync(path, content)
  const file = await ValueFile.open(path)
  const values: RawValue[] = []
  for await (const some of file.values(after)) values.push(...some)
  expect(file.part).toBe(1)
  return values
}

const texts = async (content: string | Buffer, after = 0) => (await read(content, after)).map(({ text }) => text)
/** Longer than a piece of a file. */
const long = `{"a":"${'x'.repeat(1_100_000)}"}`

describe('lines', () => {
  it.each([
    ['one a line', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    ['no line end behind the last', '{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['Windows’ line ends', '{"a":1}\r\n{"a":2}\r\n', ['{"a":1}\r', '{"a":2}\r']],
    ['a byte order mark', '\ufeff{"a":1}\n', ['{"a":1}']],
    ['lines over several pieces', `${long}\n{"a":2}\n${long}\n`, [long, '{"a":2}', long]],
    ['letters cut by a piece', `{"a":"${'é'.repeat(600_000)}"}\n`, [`{"a":"${'é'.repeat(600_000)}"}`]],
    ['nothing', '', []],
    ['gzip', gzipSync('{"a":1}\n{"a":2}\n'), ['{"a":1}', '{"a":2}']],
  ])('%s', async (_, content, expected) => {
    expect(await texts(content)).toEqual(expected)
  })

  it('are numbered as in an editor, also where one is empty or damaged', async () => {
    const values = await read('{"a":1}\n\n  \n{"a"\n{"a":3}\n')
    expect(values.map(({ number, line, text }) => [number, line, text])).toEqual([
      [1, 1, '{"a":1}'],
      [4, 4, '{"a"'],
      [5, 5, '{"a":3}'],
    ])
  })

  it('behind a number', async () => {
    expect(await texts(`${long}\n{"a":2}\n{"a":3}`, 1)).toEqual(['{"a":2}', '{"a":3}'])
  })

  it('say what cannot be read, and keep nothing else out', async () => {
    const bytes = [
      Buffer.from('{"a":"'),
      Buffer.from([0xff]),
      Buffer.from(`"}\n"${'y'.repeat(maxValueBytes)}"\n{"a":3}\n`),
    ]
    expect(await read(Buffer.concat(bytes))).toEqual([
      { number: 1, line: 1, text: undefined, problem: 'It is not UTF-8.' },
      { number: 2, line: 2, text: undefined, problem: `It is longer than ${maxValueBytes} bytes.` },
      { number: 3, line: 3, text: '{"a":3}' },
    ])
  })
})

describe('arrays, and objects over several lines', () => {
  const objects = [{ a: 1 }, { b: '}{"\\', c: [{ d: {} }] }, { e: '[]' }]
  const compact = objects.map((one) => JSON.stringify(one))
  it.each([
    ['on one line', JSON.stringify(objects), compact],
    ['one a line', `[${compact.join(',\n')}]\n`, compact],
    ['behind a byte order mark', `\ufeff\n [${compact.join(',')}]`, compact],
    ['longer than a piece', `[${long},${long}]`, [long, long]],
    ['empty', '[]', []],
    ['gzip', gzipSync(JSON.stringify(objects)), compact],
  ])('%s', async (_, content, expected) => {
    expect(await texts(content)).toEqual(expected)
  })

  it('pretty, with the line on which each begins', async () => {
    for (const content of [
      JSON.stringify(objects, undefined, 2),
      objects.map((one) => JSON.stringify(one, undefined, 2)).join('\n'),
    ]) {
      const values = await read(content)
      expect(values.map(({ text }) => JSON.parse(text ?? '') as unknown)).toEqual(objects)
      const isArray = content.startsWith('[')
      expect(values.map(({ number, line }) => [number, line])).toEqual(
        isArray
          ? [
              [1, 2],
              [2, 5],
              [3, 13],
            ]
          : [
              [1, 1],
              [2, 4],
              [3, 12],
            ],
      )
    }
  })

  it('behind a number', async () => {
    expect(await texts(JSON.stringify(objects), 2)).toEqual(compact.slice(2))
  })

  it('say that the file ends too early', async () => {
    const values = await read(`[${compact[0]},\n{"b":{"c":1}`)
    expect(values.at(-1)).toMatchObject({
      number: 2,
      line: 2,
      text: undefined,
      problem: expect.stringMatching(/ends in the middle/),
    })
  })
})

describe('a file', () => {
  it('that is cut off is told by its name', async () => {
    const whole = gzipSync(Array.from({ length: 5000 }, (_, a) => JSON.stringify({ a })).join('\n'))
    await expect(texts(whole.subarray(0, whole.length - 20))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^\d+\.json cannot be read \(Z_BUF_ERROR\)/),
    })
  })

  it('that is not there, too', async () => {
    const opening = ValueFile.open(join(directory, 'absent.json'))
    await expect(opening).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^absent\.json .*ENOENT/),
    })
  })
})
