import { mkdtempSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { askServer, serveCommands, socketPath } from './socket.ts'
import type { CommandRequest, CommandServer, Streams } from './socket.ts'

let directory: string
let server: CommandServer | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-socket-'))
})
afterEach(async () => {
  await server?.close()
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

function collect(): Streams & { text(): { out: string; err: string } } {
  let out = ''
  let err = ''
  return { out: (text) => void (out += text), err: (text) => void (err += text), text: () => ({ out, err }) }
}

/** Sends raw bytes, resolves to all that came back before the server closed. */
async function raw(path: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ path }, () => socket.write(bytes))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
    socket.on('end', () => socket.end())
  })
}

describe('a command through the socket', () => {
  it('runs in the server and brings both streams and the exit code back', async () => {
    const path = socketPath(directory)
    const seen: CommandRequest[] = []
    server = await serveCommands(path, async (request, streams) => {
      seen.push(request)
      streams.out('first\n')
      await Promise.resolve()
      streams.err('ä warning\n')
      streams.out('second\n')
      return 3
    })
    const streams = collect()
    expect(await askServer(path, { argv: ['lrs', 'list'], stdin: 'x' }, streams)).toBe(3)
    expect(streams.text()).toEqual({ out: 'first\nsecond\n', err: 'ä warning\n' })
    expect(seen).toEqual([{ argv: ['lrs', 'list'], stdin: 'x' }])
  })

  it('opens web addresses for who typed it, and nothing else', async () => {
    const path = socketPath(directory)
    const address = 'http://127.0.0.1:8080/launch/s/x'
    server = await serveCommands(path, async (request, streams) => {
      for (const word of request.argv) streams.open?.(word)
      return 0
    })
    const opened: string[] = []
    const streams = { ...collect(), open: (word: string) => void opened.push(word) }
    expect(await askServer(path, { argv: [address] }, streams)).toBe(0)
    expect(await askServer(path, { argv: [address] }, collect())).toBe(0)
    for (const other of ['file:///etc/passwd', '-x', 'javascript:1'])
      await expect(askServer(path, { argv: [other] }, streams)).rejects.toThrow('another language')
    expect(opened).toEqual([address])
  })

  it('fails alone when it throws', async () => {
    const path = socketPath(directory)
    let calls = 0
    server = await serveCommands(path, async () => {
      calls += 1
      if (calls === 1) throw new Error('a defect')
      return 0
    })
    const streams = collect()
    expect(await askServer(path, { argv: [] }, streams)).toBe(1)
    expect(streams.text().err).toBe('internal error\n')
    expect(await askServer(path, { argv: [] }, collect())).toBe(0)
  })

  it('is told when whoever asked for it is gone, and not before', async () => {
    const path = socketPath(directory)
    let isBegun: (gone: AbortSignal) => void = () => {}
    const begun = new Promise<AbortSignal>((resolve) => (isBegun = resolve))
    let isLeft: () => void = () => {}
    const left = new Promise<void>((resolve) => (isLeft = resolve))
    server = await serveCommands(path, async (_, __, gone) => {
      gone.addEventListener('abort', isLeft)
      isBegun(gone)
      await left
      return 1
    })
    const socket = createConnection({ path }, () => socket.write('{"argv":[]}\n'))
    expect((await begun).aborted).toBe(false)
    socket.destroy()
    await left
  })

  it('is told when the server stops, which waits for it', async () => {
    const path = socketPath(directory)
    let isBegun: () => void = () => {}
    const begun = new Promise<void>((resolve) => (isBegun = resolve))
    const stopping = await serveCommands(path, (_, streams, gone) => {
      isBegun()
      return new Promise((resolve) => {
        gone.addEventListener('abort', () => {
          streams.out('stopped before the end\n')
          resolve(1)
        })
      })
    })
    const streams = collect()
    const asked = askServer(path, { argv: [] }, streams)
    await begun
    await stopping.close()
    expect([await asked, streams.text().out]).toEqual([1, 'stopped before the end\n'])
  })

  it('is left, and still says how it ended; one that goes on says that it does', async () => {
    const path = socketPath(directory)
    server = await serveCommands(path, async ({ argv }, streams, gone) => {
      streams.out('begun\n')
      await new Promise((resolve) => {
        if (argv[0] === 'import') gone.addEventListener('abort', resolve)
        else setTimeout(resolve, 1_500)
      })
      streams.out('ended\n')
      return 1
    })
    const leave = async (command: string) => {
      const [streams, leaving] = [collect(), new AbortController()]
      const asked = askServer(path, { argv: [command] }, streams, leaving.signal)
      await expect.poll(() => streams.text().out).toBe('begun\n')
      leaving.abort()
      return { exit: await asked, ...streams.text() }
    }
    expect(await leave('import')).toEqual({ exit: 1, out: 'begun\nended\n', err: '' })
    expect(await leave('erase')).toEqual({
      exit: 1,
      out: 'begun\nended\n',
      err: expect.stringContaining('Ctrl-C again'),
    })
  })

  it('is not found where no server is', async () => {
    expect(await askServer(join(directory, 'claviger.sock'), { argv: [] }, collect())).toBeUndefined()
  })

  it('replaces the socket of a dead server', async () => {
    const path = socketPath(directory)
    writeFileSync(path, '')
    server = await serveCommands(path, async () => 0)
    expect(await askServer(path, { argv: [] }, collect())).toBe(0)
  })

  it('removes the socket when it stops', async () => {
    const path = socketPath(directory)
    await (await serveCommands(path, async () => 0)).close()
    expect(existsSync(path)).toBe(false)
  })
})

describe('the socket', () => {
  it.runIf(process.platform !== 'win32')('is for its owner only', async () => {
    const path = socketPath(directory)
    server = await serveCommands(path, async () => 0)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['not JSON', 'hello\n'],
    ['another shape', '{"argv":"serve"}\n'],
    ['more members', '{"argv":[],"exec":"rm"}\n'],
    ['too many arguments', `${JSON.stringify({ argv: Array.from({ length: 1001 }, () => '') })}\n`],
    ['a line beyond 256 KiB', `${JSON.stringify({ argv: ['x'.repeat(300_000)] })}\n`],
    ['no line end within 256 KiB', 'x'.repeat(300_000)],
    ['broken UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x0a])],
  ])('hangs up on %s and lives on', async (_name, bytes) => {
    const path = socketPath(directory)
    let runs = 0
    server = await serveCommands(path, async () => {
      runs += 1
      return 0
    })
    expect(await raw(path, bytes)).toBe('')
    expect(runs).toBe(0)
    expect(await askServer(path, { argv: [] }, collect())).toBe(0)
  })
})

describe('socketPath', () => {
  it('is in the data directory', () => {
    expect(socketPath('/var/lib/claviger', 'linux')).toBe('/var/lib/claviger/claviger.sock')
  })

  it('is a short hashed path when the directory’s is too long for a socket', async () => {
    const long = join(directory, 'x'.repeat(120))
    const path = socketPath(long, 'linux')
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100)
    expect(path).not.toBe(socketPath(`${long}y`, 'linux'))
    server = await serveCommands(path, async () => 0)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(await askServer(path, { argv: [] }, collect())).toBe(0)
  })

  it('is a named pipe on Windows', () => {
    expect(socketPath('C:\\data', 'win32')).toMatch(/^\\\\\.\\pipe\\claviger-[0-9a-f]{32}$/)
  })
})
