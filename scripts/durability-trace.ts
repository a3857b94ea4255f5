// Reads an strace log and decides whether any answer left before its statements were synced to the write-ahead log.
// Pure: text in, findings out, so that a log that breaks the rule can be written by hand (durability-trace.test.ts).
// The rule: the page that first holds a statement's id and a commit frame not before it were written to the -wal file, a
// sync of that file began after both and ended, and only then the first byte of the answer was written to the socket.

/** What one connection asked for, in order: the ids each request stored. */
export interface Exchange {
  /** The client's own port. */
  readonly clientPort: number
  readonly requests: readonly (readonly string[])[]
}

export interface Findings {
  readonly responses: number
  readonly statements: number
  readonly syncs: number
  readonly problems: readonly string[]
}

interface Call {
  readonly name: string
  readonly target: string
  /** Position in the log where the call began and where it had ended. */
  readonly begin: number
  readonly end: number
  /** Content written, as Latin-1. */
  readonly text: string
  readonly failed: boolean
}

const walHeaderBytes = 32
const frameHeaderBytes = 24

/** `[pid 12] pwrite64(19</d/claviger.db-wal>, "…", 24, 32) = 24` and its unfinished and resumed halves. */
const callPattern = /^(\d+)\s+(\w+)\((\d+)<((?:->|[^>])*)>(.*)$/s
const resumedPattern = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/s

export function parseTrace(log: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, Omit<Call, 'end' | 'failed'>>()
  let position = 0
  for (const line of log.split('\n')) {
    position++
    const resumed = resumedPattern.exec(line)
    if (resumed !== null) {
      const thread = resumed[1] ?? ''
      const begun = open.get(thread)
      if (begun === undefined || begun.name !== resumed[2]) continue
      open.delete(thread)
      calls.push({ ...begun, end: position, failed: hasFailed(resumed[3] ?? '') })
      continue
    }
    const match = callPattern.exec(line)
    if (match === null) continue
    const [, thread = '', name = '', , target = '', rest = ''] = match
    const call = { name, target, begin: position, text: written(rest) }
    if (rest.endsWith('<unfinished ...>')) open.set(thread, call)
    else calls.push({ ...call, end: position, failed: hasFailed(rest) })
  }
  return calls
}

function hasFailed(rest: string): boolean {
  return / = -1 E/.test(rest.slice(-120))
}

/** All quoted strings of a call's arguments (one for write, several for writev), unescaped and joined. */
function written(rest: string): string {
  let text = ''
  for (const [, quoted = ''] of rest.matchAll(/"((?:[^"\\]|\\.)*)"/gs)) text += unescaped(quoted)
  return text
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f' }

function unescaped(quoted: string): string {
  return quoted.replace(/\\([0-7]{1,3}|x[0-9a-f]{2}|.)/gs, (_, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return letters[code] ?? code
  })
}

function isWal(call: Call): boolean {
  return call.target.endsWith('-wal')
}

function isSync(call: Call): boolean {
  return call.name === 'fsync' || call.name === 'fdatasync'
}

function isWrite(call: Call): boolean {
  return call.name.includes('write') || call.name.startsWith('send')
}

/** SQLite's file format, 4.1: bytes 4–7 of a frame header are the database size after a commit, 0 in any other frame. */
function isCommitFrame(call: Call): boolean {
  return call.text.length === frameHeaderBytes && call.text.slice(4, 8) !== '\0\0\0\0'
}

export function checkTrace(log: string, exchanges: readonly Exchange[]): Findings {
  const calls = parseTrace(log)
  const problems: string[] = []
  const walWrites = calls.filter((call) => isWal(call) && isWrite(call) && !call.failed)
  const pages = walWrites.filter((call) => call.text.length > walHeaderBytes)
  const commits = walWrites.filter(isCommitFrame)
  const syncs = calls.filter((call) => isWal(call) && isSync(call) && !call.failed)
  if (pages.length === 0) problems.push('the log shows no page written to a -wal file')
  const firstPage = firstPages(pages, new Set(exchanges.flatMap((exchange) => exchange.requests.flat())))

  /** Position at which the statement was safely on disk; undefined = never, with the reason in `problems`. */
  const syncedAt = (id: string): number | undefined => {
    const page = firstPage.get(id)
    if (page === undefined) return report(`${id}: no page with it was written to the -wal file`)
    // The frame header precedes its page: the commit frame may be this very page's.
    const header = walWrites.findLast((call) => call.begin < page.begin && call.text.length === frameHeaderBytes)
    const commit = commits.find((call) => call.begin >= (header?.begin ?? page.begin))
    if (commit === undefined) return report(`${id}: no commit frame follows its page`)
    const commitPage = pages.find((call) => call.begin > commit.begin)
    if (commitPage === undefined) return report(`${id}: the commit frame has no page`)
    const sync = syncs.find((call) => call.begin > commitPage.begin && call.begin >= commitPage.end)
    if (sync === undefined) return report(`${id}: its commit is never synced`)
    return sync.end
  }
  const report = (problem: string): undefined => {
    problems.push(problem)
    return undefined
  }

  let responses = 0
  let statements = 0
  for (const exchange of exchanges) {
    const answers = answersTo(calls, exchange.clientPort)
    if (answers.length !== exchange.requests.length)
      report(
        `port ${exchange.clientPort}: ${answers.length} answers in the log for ${exchange.requests.length} requests`,
      )
    for (const [index, ids] of exchange.requests.entries()) {
      const answer = answers[index]
      if (answer === undefined) continue
      responses++
      for (const id of ids) {
        statements++
        const synced = syncedAt(id)
        if (synced !== undefined && answer.begin < synced)
          report(`${id}: answered at ${answer.begin}, synced at ${synced}`)
      }
    }
  }
  return { responses, statements, syncs: syncs.length, problems }
}

/** For each id the earliest page that holds it. */
function firstPages(pages: readonly Call[], wanted: ReadonlySet<string>): Map<string, Call> {
  const found = new Map<string, Call>()
  const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
  for (const page of pages)
    for (const [id] of page.text.matchAll(uuid)) if (wanted.has(id) && !found.has(id)) found.set(id, page)
  return found
}

/** Writes that begin a successful answer on the connection to this port of the client, in order. */
function answersTo(calls: readonly Call[], clientPort: number): Call[] {
  return calls.filter(
    (call) => isWrite(call) && call.target.endsWith(`:${clientPort}]`) && /^HTTP\/1\.1 20[04] /.test(call.text),
  )
}
