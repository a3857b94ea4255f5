// Proof: a 100 MB attachment goes in and out of the started program with its resident memory growing by less than 50 MB, and
// 200 slow uploads at once keep nobody waiting. With --bucket the bytes lie in a bucket, served by this process, and it is 300 MB
// and 64 MiB. Prints the figures; exit code 1 when one is missed. Needs `npm run build`.
// npx tsx scripts/attachment-memory.ts [--bucket]

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { startBucket } from '../test/support/bucket.ts'
import { type StartedProgram, startProgram } from './started-program.ts'

const inBucket = process.argv.includes('--bucket')
const attachmentMegabytes = inBucket ? 300 : 100
const attachmentBytes = attachmentMegabytes * 1000 * 1000
const mostGrowthMiB = inBucket ? 64 : 50
const slowUploads = 200
/** Of another client's requests while the uploads go on. */
const mostMillisecondsP99 = 250

const boundary = 'of-the-proof'
const chunk = randomBytes(64 * 1024)

/** The same bytes whenever they are asked for, never all of them in memory. */
function* content(): Generator<Buffer> {
  for (let left = attachmentBytes, number = 0; left > 0; left -= chunk.length, number += 1) {
    const piece = Buffer.from(chunk.subarray(0, Math.min(left, chunk.length)))
    piece.writeUInt32BE(number)
    yield piece
  }
}

function hashOf(pieces: Iterable<Buffer>): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

function statementWith(sha2: string, length: number): { readonly id: string } {
  const usageType = 'http://example.org/attachments/film'
  const attachment = { usageType, display: { en: 'A film' }, contentType: 'video/mp4', length, sha2 }
  return {
    id: randomUUID(),
    ...{ actor: { mbox: 'mailto:learner@example.org' }, verb: { id: 'http://example.org/verbs/filmed' } },
    ...{ object: { id: 'http://example.org/activities/one' }, attachments: [attachment] },
  }
}

function head(statement: object, sha2: string): string {
  const first = `--${boundary}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(statement)}\r\n`
  const headers = `Content-Type: video/mp4\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ${sha2}`
  return `${first}--${boundary}\r\n${headers}\r\n\r\n`
}
const tail = `\r\n--${boundary}--\r\n`

function open(program: StartedProgram, method: string, query = '', agent?: Agent): ClientRequest {
  const type = { 'content-type': `multipart/mixed; boundary=${boundary}` }
  return request(`${program.url}/xapi/statements${query}`, {
    method,
    headers: { ...program.headers, ...(method === 'POST' && type) },
    ...(agent && { agent }),
  })
}

async function statusOf(sent: ClientRequest): Promise<number> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  message.resume()
  await once(message, 'end')
  return message.statusCode ?? 0
}

/** The highest resident memory seen while something is done. */
async function peakDuring<T>(program: StartedProgram, work: () => Promise<T>): Promise<{ peak: number; result: T }> {
  let peak = 0
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      peak = Math.max(peak, await program.residentMiB())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  try {
    return { result: await work(), peak: Math.max(peak, await program.residentMiB()) }
  } finally {
    isOver = true
    await watching
  }
}

async function upload(program: StartedProgram, statement: object, sha2: string): Promise<void> {
  const sent = open(program, 'POST')
  const status = statusOf(sent)
  sent.write(head(statement, sha2))
  for (const piece of content()) if (!sent.write(piece)) await once(sent, 'drain')
  sent.end(tail)
  if ((await status) !== 200) throw new Error(`the upload was answered ${await status}`)
}

/** Not as fast as it might; answers the hash of the attachment's part. */
async function download(program: StartedProgram, id: string): Promise<string> {
  const sent = open(program, 'GET', `?statementId=${id}&attachments=true`)
  sent.end()
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  const hash = createHash('sha256')
  let pending = Buffer.alloc(0)
  let left = attachmentBytes
  let isInside = false
  for await (const piece of message) {
    let bytes = piece as Buffer
    if (!isInside) {
      pending = Buffer.concat([pending, bytes])
      const start = pending.indexOf('\r\n\r\n', pending.indexOf('X-Experience-API-Hash'))
      if (!pending.includes('X-Experience-API-Hash') || start < 0) continue
      isInside = true
      bytes = pending.subarray(start + 4)
    }
    const mine = bytes.subarray(0, Math.min(left, bytes.length))
    hash.update(mine)
    left -= mine.length
    if (left % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return hash.digest('hex')
}

interface Figure {
  readonly name: string
  readonly value: number
  readonly most: number
  readonly unit: string
}

async function measureSize(program: StartedProgram): Promise<Figure[]> {
  const sha2 = hashOf(content())
  // What any first request costs is not counted.
  const first = open(program, 'GET', '?limit=1')
  first.end()
  await statusOf(first)
  const before = await program.residentMiB()
  const statement = statementWith(sha2, attachmentBytes)
  const into = await peakDuring(program, () => upload(program, statement, sha2))
  const outOf = await peakDuring(program, () => download(program, statement.id))
  if (outOf.result !== sha2) throw new Error('what came back is not what was sent')
  const unit = 'MiB'
  return [
    {
      name: `${attachmentMegabytes} MB in, growth of resident memory`,
      value: into.peak - before,
      most: mostGrowthMiB,
      unit,
    },
    {
      name: `${attachmentMegabytes} MB out, growth of resident memory`,
      value: outOf.peak - before,
      most: mostGrowthMiB,
      unit,
    },
  ]
}

async function measureSlow(program: StartedProgram): Promise<Figure[]> {
  const agent = new Agent({ maxSockets: slowUploads + 10 })
  const size = 400 * 1024
  const before = await program.residentMiB()
  const uploads = Array.from({ length: slowUploads }, async () => {
    const bytes = randomBytes(size)
    const sha2 = createHash('sha256').update(bytes).digest('hex')
    const sent = open(program, 'POST', '', agent)
    const status = statusOf(sent)
    sent.write(head(statementWith(sha2, size), sha2))
    for (let from = 0; from < size; from += 2048) {
      if (!sent.write(bytes.subarray(from, from + 2048))) await once(sent, 'drain')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    sent.end(tail)
    return status
  })
  let isOver = false
  const statuses = Promise.all(uploads).finally(() => (isOver = true))
  const took: number[] = []
  const { peak, result } = await peakDuring(program, async () => {
    while (!isOver) {
      const start = performance.now()
      const query = took.length % 2 === 0 ? '?limit=1' : `?statementId=${randomUUID()}`
      const sent = open(program, 'GET', query)
      sent.end()
      await statusOf(sent)
      took.push(performance.now() - start)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return statuses
  })
  agent.destroy()
  if (result.some((status) => status !== 200))
    throw new Error(`slow uploads were answered ${[...new Set(result)].join()}`)
  const sorted = took.toSorted((one, other) => one - other)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  console.log(`${took.length} requests beside ${slowUploads} slow uploads: median ${at(0.5).toFixed(1)} ms`)
  return [
    { name: 'requests beside 200 slow uploads, p99', value: at(0.99), most: mostMillisecondsP99, unit: 'ms' },
    { name: '200 slow uploads, growth of resident memory', value: peak - before, most: mostGrowthMiB, unit: 'MiB' },
  ]
}

const bucket = inBucket ? await startBucket() : undefined
const program = await startProgram({
  env: {
    CLAVIGER_MAX_ATTACHMENT: '400m',
    ...(bucket && {
      CLAVIGER_S3_BUCKET: bucket.settings.bucket,
      CLAVIGER_S3_ENDPOINT: bucket.settings.endpoint ?? '',
      CLAVIGER_S3_PATH_STYLE: 'on',
      CLAVIGER_S3_ACCESS_KEY_ID: bucket.settings.credentials?.accessKeyId ?? '',
      CLAVIGER_S3_SECRET_ACCESS_KEY: bucket.settings.credentials?.secretAccessKey ?? '',
    }),
  },
})
try {
  const figures = [...(await measureSize(program)), ...(await measureSlow(program))]
  for (const { name, value, most, unit } of figures) {
    console.log(`${value < most ? 'ok    ' : 'MISSED'} ${name}: ${value.toFixed(1)} ${unit}, at most ${most}`)
  }
  if (figures.some(({ value, most }) => value >= most)) process.exitCode = 1
} finally {
  await program.stop()
  await bucket?.stop()
}
