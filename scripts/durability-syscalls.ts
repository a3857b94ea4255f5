// Runs the program under strace while clients store statements, and proves from the order of system calls that no answer
// leaves before the sync of its commit. First a server that is broken on purpose must be caught by the same check.
// `npm run build && npx tsx scripts/durability-syscalls.ts [--requests 40] [--connections 16] [--keep]`; Linux with strace.

import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { benchStatement } from '../bench/statement.ts'
import { checkTrace, type Exchange, type Findings } from './durability-trace.ts'
import { entry, root, startProgram, type StartedProgram } from './started-program.ts'

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '40' },
    connections: { type: 'string', default: '16' },
    keep: { type: 'boolean', default: false },
  },
})
const requests = Number(options.requests)
const connections = Number(options.connections)
const traced = 'pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fsync,fdatasync,sync_file_range'

interface Sent {
  readonly status: number
  readonly clientPort: number
}

function send(
  program: StartedProgram,
  agent: http.Agent,
  method: string,
  pathAndQuery: string,
  body: unknown,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { ...program.headers, 'content-type': 'application/json' }
    const request = http.request(new URL(pathAndQuery, program.url), { method, headers, agent }, (response) => {
      const clientPort = request.socket?.localPort ?? 0
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode ?? 0, clientPort }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(JSON.stringify(body))
  })
}

/** One connection, one request after the other: single POST, batch of five, PUT in turn. */
async function converse(program: StartedProgram, lane: number): Promise<Exchange> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const stored: string[][] = []
  let clientPort = 0
  for (let index = 0; index < requests; index++) {
    const ids = Array.from({ length: index % 3 === 1 ? 5 : 1 }, () => randomUUID())
    const bodies = ids.map((id, position) => ({ id, ...benchStatement(lane * 10_000 + index * 10 + position) }))
    const isPut = index % 3 === 2
    const target = isPut ? `/xapi/statements?statementId=${ids[0]}` : '/xapi/statements'
    const body = bodies.length === 1 ? bodies[0] : bodies
    const sent = await send(program, agent, isPut ? 'PUT' : 'POST', target, body)
    if (sent.status !== (isPut ? 204 : 200)) throw new Error(`status ${sent.status}`)
    if (clientPort !== 0 && sent.clientPort !== clientPort) throw new Error('the connection was not kept')
    clientPort = sent.clientPort
    stored.push(ids)
  }
  agent.destroy()
  return { clientPort, requests: stored }
}

async function trace(program: readonly string[]): Promise<Findings> {
  const directory = await mkdtemp(path.join(tmpdir(), 'claviger-trace-'))
  const log = path.join(directory, 'strace.log')
  const tracer = [
    'strace',
    '-D',
    '-f',
    '-q',
    '-yy',
    '-s',
    '70000',
    '-e',
    `trace=${traced}`,
    '-e',
    'signal=none',
    '-o',
    log,
  ]
  const dataDirectory = path.join(directory, 'data')
  await mkdir(dataDirectory)
  const started = await startProgram({ dataDirectory, launcher: [...tracer, process.execPath, ...program] })
  const exchanges = await Promise.all(Array.from({ length: connections }, (_, lane) => converse(started, lane)))
  await started.stop()
  const findings = checkTrace(await readFile(log, 'latin1'), exchanges)
  if (options.keep) console.log(`log kept: ${log}`)
  else await rm(directory, { recursive: true, force: true })
  return findings
}

function tell(what: string, { responses, statements, syncs, problems }: Findings): void {
  console.log(
    `${what}: ${responses} answers, ${statements} statements, ${syncs} syncs of the log, ${problems.length} problems`,
  )
  for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`)
}

const broken = await trace(['--import', 'tsx', path.join(root, 'scripts/durability-broken-server.ts')])
tell('server broken on purpose (synchronous=NORMAL)', broken)
if (broken.problems.length < requests) {
  console.error('The check did not notice a server that answers before syncing; its word is worth nothing.')
  process.exit(1)
}
const own = await trace([entry])
tell('claviger', own)
if (own.problems.length > 0 || own.responses !== requests * connections) process.exit(1)
console.log('No answer left before the sync of its commit.')
