// Starting and stopping the program: what it prints, what it refuses, what it leaves behind.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entry, runProgram, startProgram, temporaryDirectory } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'

let dataDirectory: string
const started: StartedProgram[] = []
beforeEach(() => {
  dataDirectory = temporaryDirectory()
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((program) => program.kill()))
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function start(env: Record<string, string> = {}): Promise<StartedProgram> {
  const program = await startProgram({ dataDirectory, env })
  started.push(program)
  return program
}

function curlLine(banner: string): string {
  const line = banner.split('\n').find((text) => text.startsWith('curl '))
  if (line === undefined) throw new Error(`no curl line in:\n${banner}`)
  return line
}

function runInShell(line: string, env: Record<string, string> = {}): unknown {
  const output = execFileSync('sh', ['-c', line.replace(/^curl/, 'curl --silent --show-error --fail-with-body')], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  return JSON.parse(output)
}

async function countStatements(program: StartedProgram): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}`
  const headers = { authorization, 'x-experience-api-version': '1.0.3' }
  const answer = await fetch(`${program.url}/xapi/statements`, { headers })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { statements: unknown[] }).statements.length
}

const uuid = /^[0-9a-f-]{36}$/

describe('the first start', () => {
  it('prints addresses, key, secret and a curl line that stores a record when pasted', async () => {
    const program = await start()
    const { stdout } = program.output()
    expect(stdout).toContain(`  ${program.url}/xapi/\n`.trimStart())
    expect(stdout).toContain(`${program.url}/api/organizations/1/activity-providers\n`)
    expect(stdout).toContain(`${program.url}/api/organizations/1/lrs/\n`)
    expect(program.key).not.toBe('')
    expect(program.secret.length).toBeGreaterThanOrEqual(32)
    expect(runInShell(curlLine(stdout))).toEqual([expect.stringMatching(uuid)])
    expect(await countStatements(program)).toBe(1)
  })

  it('leaves a directory, a key and a socket that only their owner opens', async () => {
    rmSync(dataDirectory, { recursive: true })
    await start()
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDirectory, 'master.key')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDirectory, 'claviger.sock')).mode & 0o777).toBe(0o600)
    for (const name of readdirSync(dataDirectory)) {
      expect([name, statSync(join(dataDirectory, name)).mode & 0o077]).toEqual([name, 0])
    }
  })

  it('closes a directory and files that others could open', async () => {
    await (await start()).stop()
    chmodSync(dataDirectory, 0o755)
    for (const name of readdirSync(dataDirectory)) {
      const path = join(dataDirectory, name)
      chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644)
    }
    const program = await start()
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(dataDirectory)) {
      expect([name, statSync(join(dataDirectory, name)).mode & 0o077]).toEqual([name, 0])
    }
    expect(program.output().stderr).toContain('now only its owner can')
  })

  it('closes only its own files in a directory that holds others', async () => {
    const other = join(dataDirectory, 'somebody-else')
    writeFileSync(other, '')
    chmodSync(other, 0o644)
    chmodSync(dataDirectory, 0o755)
    const program = await start()
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o755)
    expect(statSync(other).mode & 0o777).toBe(0o644)
    expect(statSync(join(dataDirectory, 'claviger.db')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDirectory, 'owner.lock')).mode & 0o777).toBe(0o600)
    expect(program.output().stderr).toContain('it holds other files')
  })

  it('logs JSON lines on standard error, and no secret', async () => {
    const program = await start({ CLAVIGER_LOG_LEVEL: 'trace' })
    runInShell(curlLine(program.output().stdout))
    const { stderr, stdout } = await program.stop()
    expect(stdout).toContain(program.secret)
    const lines = stderr.trim().split('\n')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('level')
    expect(stderr).not.toContain(program.secret)
  })

  it('takes a chosen key and secret, prints no secret, and its curl line works where the secret is set', async () => {
    const secret = 'a chosen secret, with $ and "'
    const program = await start({ CLAVIGER_BOOTSTRAP_KEY: "it's", CLAVIGER_BOOTSTRAP_SECRET: secret })
    const { stdout } = program.output()
    expect(stdout).not.toContain(secret)
    expect(stdout).toContain('were made. Handle it with care.')
    expect(runInShell(curlLine(stdout), { CLAVIGER_BOOTSTRAP_SECRET: secret })).toEqual([expect.stringMatching(uuid)])
    expect(await countStatements(program)).toBe(1)
  })

  it('serves HTTPS with a certificate', async () => {
    const [cert, key] = [join(dataDirectory, 'cert.pem'), join(dataDirectory, 'key.pem')]
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x']
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const program = await start({ CLAVIGER_TLS_CERT: cert, CLAVIGER_TLS_KEY: key })
    expect(program.url).toMatch(/^https:/)
    expect(runInShell(curlLine(program.output().stdout))).toEqual([expect.stringMatching(uuid)])
  })
})

describe('later starts', () => {
  it('print the addresses only', async () => {
    const first = await start()
    await first.stop()
    const second = await start({ CLAVIGER_BOOTSTRAP_KEY: 'late', CLAVIGER_BOOTSTRAP_SECRET: 'too late to matter' })
    const { stdout } = second.output()
    expect(stdout).toContain(`${second.url}/xapi/`)
    for (const word of ['curl', 'secret', first.key, first.secret, 'late']) expect(stdout).not.toContain(word)
    expect(await countStatements({ ...second, key: first.key, secret: first.secret })).toBe(0)
  })

  it('name no organisation where there are several', async () => {
    const first = await start()
    await first.command('organisation', 'create', 'Acme', '--id', '42')
    await first.stop()
    const { stdout } = (await start()).output()
    expect(stdout).toContain('/api/organizations/{orgId}/lrs/\n')
    expect(stdout).not.toContain('/api/organizations/1/')
  })

  it('refuse a database whose master key is missing, and make no new one', async () => {
    await (await start()).stop()
    const key = join(dataDirectory, 'master.key')
    renameSync(key, `${key}.elsewhere`)
    const ended = await runProgram(['serve'], { dataDirectory })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: the master key is missing: .*\n$/)
    expect(existsSync(key)).toBe(false)
    renameSync(`${key}.elsewhere`, key)
    expect((await (await start()).stop()).code).toBe(0)
  })

  it('refuse the wrong master key', async () => {
    await (await start()).stop()
    const env = { CLAVIGER_MASTER_KEY: Buffer.alloc(32, 1).toString('hex') }
    const ended = await runProgram(['serve'], { dataDirectory, env })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^error: The master key is not the one .*\n$/)
  })
})

describe('what cannot start', () => {
  it('lists every problem of the configuration and exits with 78', async () => {
    const secret = 'c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1zaG93biE'
    const env = {
      CLAVIGER_PORT: 'http',
      CLAVIGER_PROT: '8080',
      CLAVIGER_MASTER_KEY: secret.slice(1),
      CLAVIGER_BOOTSTRAP_SECRET: 'no key beside it',
      CLAVIGER_TLS_KEY: '/nowhere/key.pem',
    }
    const ended = await runProgram(['serve'], { dataDirectory, env })
    expect(ended).toMatchObject({ code: 78, stdout: '' })
    for (const name of ['PORT ', 'PROT ', 'MASTER_KEY ', 'BOOTSTRAP_KEY ', 'TLS_CERT ', 'TLS_KEY:']) {
      expect(ended.stderr).toContain(`CLAVIGER_${name}`)
    }
    expect(ended.stderr).not.toContain(secret.slice(1, 12))
    expect(ended.stderr).not.toContain('no key beside it')
    expect(readdirSync(dataDirectory)).toEqual([])
  })

  it('says that the port is in use, and leaves nothing behind', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const port = String((other.address() as AddressInfo).port)
    for (const setting of ['CLAVIGER_PORT', 'CLAVIGER_METRICS_PORT']) {
      const ended = await runProgram(['serve'], { dataDirectory, env: { [setting]: port } })
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      expect(ended.stderr).toBe(`error: port ${port} on 127.0.0.1 is in use; ${setting} chooses another\n`)
    }
    await new Promise((resolve) => other.close(resolve))
    expect(readdirSync(dataDirectory)).toEqual([])
  })

  it('ends quietly where nobody reads what it prints', () => {
    const line = '"$0" "$1" credential create --help | true'
    const { stderr } = spawnSync('sh', ['-c', line, process.execPath, entry], { encoding: 'utf8' })
    expect(stderr).toBe('')
  })

  it('says that the data directory cannot be written', async () => {
    const file = join(dataDirectory, 'file')
    writeFileSync(file, '')
    const ended = await runProgram(['serve'], { dataDirectory: join(file, 'data') })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: cannot write to the data directory .*CLAVIGER_DATA names it\n$/)
  })

  it('says that another server has the data directory', async () => {
    const first = await start()
    const ended = await runProgram(['serve'], { dataDirectory })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: .*data directory.*\n$/)
    expect(await countStatements(first)).toBe(0)
    expect((await first.command('lrs', 'list')).code).toBe(0)
  })
})

describe('stopping', () => {
  it('finishes the request that is under way, and takes no other', async () => {
    const program = await start()
    const body = JSON.stringify({
      actor: { mbox: 'mailto:ann@example.org' },
      verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
      object: { id: 'http://example.org/slow' },
    })
    const { hostname, port } = new URL(program.url)
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    let answer = ''
    socket.on('data', (text: string) => (answer += text))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(
      [
        'POST /xapi/statements HTTP/1.1',
        `Host: ${hostname}`,
        `Authorization: Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}`,
        'X-Experience-API-Version: 1.0.3',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        'Expect: 100-continue',
        '\r\n',
      ].join('\r\n') + body.slice(0, 10),
    )
    await expect.poll(() => answer).toContain('100 Continue')
    const ended = program.stop()
    await expect
      .poll(() =>
        fetch(`${program.url}/xapi/about`).then(
          () => 'served',
          () => 'refused',
        ),
      )
      .toBe('refused')
    socket.write(body.slice(10))
    await closed
    expect(answer).toContain('HTTP/1.1 200')
    expect(await ended).toMatchObject({ code: 0, signal: null })
    expect(await countStatements({ ...(await start()), key: program.key, secret: program.secret })).toBe(1)
  })

  it('stops at once at the second signal', async () => {
    const program = await start()
    const { hostname, port } = new URL(program.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.write(
      'POST /xapi/statements HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n' +
        `Authorization: Basic ${Buffer.from(`${program.key}:${program.secret}`).toString('base64')}\r\n` +
        'X-Experience-API-Version: 1.0.3\r\nExpect: 100-continue\r\n\r\n{',
    )
    await expect.poll(() => answer).toContain('100 Continue')
    program.process.kill('SIGTERM')
    await expect
      .poll(() =>
        fetch(`${program.url}/xapi/about`).then(
          () => 'served',
          () => 'refused',
        ),
      )
      .toBe('refused')
    // Signals in quick succession are one: npm passes on what the terminal has already sent.
    const insist = setInterval(() => program.process.kill('SIGTERM'), 100)
    const ended = await program.stop()
    clearInterval(insist)
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('stopping at once') })
  })

  it('leaves no socket and frees the directory', async () => {
    await (await start()).stop()
    expect(readdirSync(dataDirectory)).not.toContain('claviger.sock')
    expect((await runProgram(['lrs', 'list'], { dataDirectory })).code).toBe(0)
  })
})

describe('the master key', () => {
  it('is made by the first start only', async () => {
    await (await start()).stop()
    const key = readFileSync(join(dataDirectory, 'master.key'))
    await (await start()).stop()
    expect(readFileSync(join(dataDirectory, 'master.key'))).toEqual(key)
  })
})
