import { describe, expect, it } from 'vitest'
import { checkTrace, type Exchange, parseTrace } from './durability-trace.ts'

const id = '0d6ac1f2-5f7a-4b58-9c55-2f1f6b1f0001'
const other = '0d6ac1f2-5f7a-4b58-9c55-2f1f6b1f0002'
const wal = '21</data/claviger.db-wal>'
const socket = '30<TCP:[127.0.0.1:8080->127.0.0.1:40000]>'

const plainFrame = String.raw`7 pwrite64(${wal}, "\0\0\0\3\0\0\0\0aaaabbbbccccdddd", 24, 32) = 24`
const commitFrame = String.raw`7 pwrite64(${wal}, "\0\0\0\3\0\0\0\7aaaabbbbccccdddd", 24, 32) = 24`
const page = (...ids: string[]) =>
  String.raw`7 pwrite64(${wal}, "\r\0\0\0{\"id\":\"${ids.join('","')}\"}${'.'.repeat(40)}", 8192, 56) = 8192`
const sync = `7 fdatasync(${wal}) = 0`
const answer = (status = 200) => `5 write(${socket}, "HTTP/1.1 ${status} OK\\r\\n\\r\\n", 19) = 19`
const one: Exchange[] = [{ clientPort: 40_000, requests: [[id]] }]

const problems = (lines: string[], exchanges = one) => checkTrace(lines.join('\n'), exchanges).problems

describe('the checker of traces', () => {
  it('accepts page, commit, sync, answer', () => {
    const findings = checkTrace([commitFrame, page(id), sync, answer()].join('\n'), one)
    expect(findings).toEqual({ responses: 1, statements: 1, syncs: 1, problems: [] })
  })

  it('accepts a commit frame that follows in a later page', () => {
    expect(problems([plainFrame, page(id), commitFrame, page(other), sync, answer()])).toEqual([])
  })

  it('accepts a sync told in two halves that ended before the answer', () => {
    const halves = [`7 fdatasync(${wal} <unfinished ...>`, '7 <... fdatasync resumed>) = 0']
    expect(problems([commitFrame, page(id), ...halves, answer(204)])).toEqual([])
  })

  it('accepts fsync and writev', () => {
    const parts = `5 writev(${socket}, [{iov_base="HTTP/1.1 200 OK\\r\\n", iov_len=17}, {iov_base="x", iov_len=1}], 2) = 18`
    expect(problems([commitFrame, page(id), `7 fsync(${wal}) = 0`, parts])).toEqual([])
  })

  it.each([
    ['an answer before the sync', [commitFrame, page(id), answer(), sync], /answered at 3, synced at 4/],
    ['no sync at all', [commitFrame, page(id), answer()], /never synced/],
    ['a sync before the page', [sync, commitFrame, page(id), answer()], /never synced/],
    [
      'a sync between page and commit',
      [plainFrame, page(id), sync, commitFrame, page(other), answer()],
      /never synced/,
    ],
    ['a sync of another file', [commitFrame, page(id), '7 fdatasync(9</data/x.db>) = 0', answer()], /never synced/],
    [
      'a sync that failed',
      [commitFrame, page(id), `7 fdatasync(${wal}) = -1 EIO (Input/output error)`, answer()],
      /never/,
    ],
    ['no commit frame', [plainFrame, page(id), sync, answer()], /no commit frame/],
    ['a page without the statement', [commitFrame, page(other), sync, answer()], /no page with it/],
    [
      'a sync still under way when the answer left',
      [commitFrame, page(id), `7 fdatasync(${wal} <unfinished ...>`, answer(), '7 <... fdatasync resumed>) = 0'],
      /answered at 4, synced at 5/,
    ],
    [
      'a sync that began before the page was written',
      [commitFrame, `8 fdatasync(${wal} <unfinished ...>`, page(id), '8 <... fdatasync resumed>) = 0', answer()],
      /never synced/,
    ],
    ['fewer answers than requests', [commitFrame, page(id), sync], /0 answers in the log for 1/],
    ['an empty log', [], /no page written/],
  ])('refuses %s', (_, lines, expected) => {
    expect(problems(lines).join('\n')).toMatch(expected)
  })

  it('looks at every statement of a batch and every request of a connection', () => {
    const exchanges = [{ clientPort: 40_000, requests: [[id], [other]] }]
    const good = [commitFrame, page(id), sync, answer()]
    expect(problems([...good, commitFrame, page(id, other), answer(), sync], exchanges)).toHaveLength(1)
    expect(problems([...good, commitFrame, page(id, other), sync, answer()], exchanges)).toEqual([])
  })

  it('ignores the answers of other connections', () => {
    const elsewhere = answer().replace('40000', '40001')
    expect(problems([elsewhere, commitFrame, page(id), sync, answer()])).toEqual([])
  })

  it('unescapes what strace prints', () => {
    expect(parseTrace(String.raw`1 write(3</x>, "a\0\n\"\\\377b", 7) = 7`)[0]?.text).toBe('a\0\n"\\\xffb')
  })
})
