// claviger callback serve-example: an endpoint that callbacks can ask, to develop against. Runs where it is typed, until it is
// stopped; never for more than trying out.

import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { CommandContext, GlobalOptions } from '../context.ts'
import { parseNumber, repeated } from '../credential-options.ts'
import { makeExampleCertificate } from '../example-certificate.ts'
import type { ExampleCertificate } from '../example-certificate.ts'
import { oneLine, PlainError, UsageError } from '../outcome.ts'
import type { Act } from '../run.ts'

const behaviours = ['verdict', 'error', 'garbage', 'silence'] as const
const permissions = ['default', 'root', 'read_only'] as const

export interface ExampleOptions {
  readonly port: number
  /** `name:password`; everybody is verified where there are none. */
  readonly users: readonly string[]
  readonly permissions: (typeof permissions)[number]
  readonly behaviour: (typeof behaviours)[number]
  readonly delayMs: number
  readonly certificate: Omit<ExampleCertificate, 'ca'>
  /** One line about each request. */
  say(line: string): void
}

interface Options extends GlobalOptions {
  readonly port: string
  readonly user?: readonly string[]
  readonly permissions: string
  readonly behave: string
  readonly delay: string
  readonly directory: string
}

export function addServeExample(group: Command, context: CommandContext, act: Act): void {
  const serve = group
    .command('serve-example')
    .description('serve an endpoint to develop against, here, until it is stopped; it says what it was asked')
    .option('--port <number>', 'port on localhost', '9443')
    .option('--user <name:password>', 'who is verified (repeatable); everybody unless given', repeated)
    .option('--permissions <word>', `what they may: ${permissions.join(', ')}`, 'default')
    .option('--behave <word>', `how it answers: ${behaviours.join(', ')}`, 'verdict')
    .option('--delay <seconds>', 'how long it takes to answer', '0')
    .option('--directory <path>', 'where its certificate is kept, and made if there is none', 'callback-example')
    .addHelpText('after', '\nExample:\n  $ claviger callback serve-example --user ann:secret --permissions root\n')
  act<Options>(serve, async (options) => {
    const directory = resolve(context.directory ?? '.', options.directory)
    const users = options.user?.map(checkUser) ?? []
    const certificate = keptCertificate(directory)
    const example = await serveExample({
      port: parseNumber(options.port, '--port', 0, 65_535),
      users,
      permissions: oneOf(permissions, options.permissions, '--permissions'),
      behaviour: oneOf(behaviours, options.behave, '--behave'),
      delayMs: parseNumber(options.delay, '--delay', 0, 3600) * 1000,
      certificate,
      say: (line) => context.streams.out(`${line}\n`),
    })
    context.streams.out(introduction(example.port, join(directory, 'ca.pem')))
    await new Promise<void>((stopped) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped())
    })
    await example.close()
    return { json: { port: example.port }, text: 'Stopped.' }
  })
}

function checkUser(word: string): string {
  if (/^[^:]+:./.test(word)) return word
  throw new UsageError(`--user takes a name and a password, such as ${word.split(':')[0] || 'ann'}:PASSWORD`)
}

function introduction(port: number, ca: string): string {
  return (
    `An endpoint for callbacks is at https://localhost:${port}/. Start the server so that it may ask it:\n` +
    `  CLAVIGER_OUTBOUND_ALLOW=localhost:${port} CLAVIGER_OUTBOUND_CA_FILE=${ca} claviger serve\n` +
    `and then: claviger callback set APPLICATION https://localhost:${port}/\n`
  )
}

/** Made once, so that a server that trusts it still does after a restart. */
function keptCertificate(directory: string): Omit<ExampleCertificate, 'ca'> {
  const [ca, cert, key] = [join(directory, 'ca.pem'), join(directory, 'cert.pem'), join(directory, 'key.pem')]
  try {
    if (!existsSync(key) || Date.parse(new X509Certificate(readFileSync(cert)).validTo) < Date.now()) {
      const made = makeExampleCertificate(['localhost', '127.0.0.1'])
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      writeFileSync(ca, made.ca)
      writeFileSync(cert, made.cert)
      writeFileSync(key, made.key, { mode: 0o600 })
    }
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new PlainError(`the certificate cannot be kept in ${directory} (${code}); --directory names another place`)
  }
}

export async function serveExample(
  options: ExampleOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const server = createServer(options.certificate, (request, response) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      answer(request, response, options)
    }, options.delayMs)
    timers.add(timer)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      failed(new PlainError(`port ${options.port} cannot be listened on (${error.code}); --port chooses another`))
    })
    server.listen(options.port, 'localhost', listening)
  })
  const close = async (): Promise<void> => {
    for (const timer of timers) clearTimeout(timer)
    for (const socket of sockets) socket.destroy()
    await new Promise((closed) => server.close(closed))
  }
  return { port: (server.address() as AddressInfo).port, close }
}

function answer(request: IncomingMessage, response: ServerResponse, options: ExampleOptions): void {
  const { behaviour, users, say } = options
  const header = request.headers['cloudlrsauthorization']
  const presented = Buffer.from(String(header ?? ''), 'base64').toString()
  const colon = presented.indexOf(':')
  const isVerified = colon > 0 && (users.length === 0 || users.includes(presented))
  const about = colon < 0 ? 'nobody: the header CloudLrsAuthorization is missing' : presented.slice(0, colon)
  const word = behaviour === 'verdict' ? (isVerified ? `verified, ${options.permissions}` : 'unverified') : behaviour
  say(oneLine(`${new Date().toISOString()} ${request.method} ${request.url} about ${about}: ${word}`))
  if (behaviour === 'silence') return
  if (behaviour === 'error') return void response.writeHead(500).end('out of order')
  if (behaviour === 'garbage') return void response.end('<resp><auth>perhaps</auth>')
  const auth = `<auth>${isVerified ? 'verified' : 'unverified'}</auth>`
  const xml = `<resp>${auth}<permissions>${options.permissions}</permissions></resp>`
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml)
}

function oneOf<Word extends string>(words: readonly Word[], given: string, option: string): Word {
  const found = words.find((word) => word === given)
  if (found === undefined) throw new UsageError(`${option} is one of ${words.join(', ')}, not ${given}`)
  return found
}
