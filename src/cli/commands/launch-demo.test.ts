import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enabledFaces } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import type { Entered } from '../../core/launch-entering.ts'
import type { Json } from '../../core/storage.ts'
import { baseUrl } from '../../../test/support/core.ts'
import { keyIn, openLaunchWorld, statementOf } from '../../../test/support/launch.ts'
import type { LaunchWorld, Login } from '../../../test/support/launch.ts'
import { run } from '../run.ts'

let world: LaunchWorld
beforeAll(async () => void (world = await openLaunchWorld()))
afterAll(() => world.close())

interface Demo {
  readonly settings?: Readonly<Record<string, string>>
  readonly isServed?: boolean
  readonly signal?: AbortSignal
  /** What whoever looks does with the address that is opened. */
  readonly onOpen?: (address: string) => void
}

async function demo(argv: readonly string[], { settings = {}, isServed = true, signal, onOpen }: Demo = {}) {
  const config = loadConfig({ CLAVIGER_DATA: '/nowhere', CLAVIGER_BASE_URL: baseUrl, ...settings })
  const printed = { out: '', err: '' }
  const streams = {
    out: (text: string) => void (printed.out += text),
    err: (text: string) => void (printed.err += text),
    open: (address: string) => onOpen?.(address),
  }
  const opened = { core: world.core, faces: enabledFaces({ faces: {} }) } as never
  const code = await run(['launch', 'demo', ...argv], {
    ...{ config, streams, isServed, open: () => Promise.resolve(opened) },
    untilStopped: () => signal ?? new AbortController().signal,
  })
  return { code, ...printed }
}

/** The learner enters, passes, and closes the lesson. */
async function takeLesson(address: string): Promise<void> {
  const entered = await world.core.launches.enter(address.split('/').at(-1) ?? '', { cookie: 'x'.repeat(43) })
  const key = await keyIn(world, entered)
  const template = entered.launch.style === 'cmi5' ? await readTemplate(key, entered) : undefined
  for (const [verb, result] of [
    ['initialized', undefined],
    ['passed', { score: { scaled: 0.75 }, success: true, duration: 'PT1S' }],
    ['terminated', { duration: 'PT1S' }],
  ] as const) {
    const statement = statementOf(entered, {
      ...{ id: world.core.ids.uuid(), timestamp: '2026-01-02T03:04:05.000Z' },
      ...{ verb: { id: `http://adlnet.gov/expapi/verbs/${verb}`, display: { en: verb } } },
      ...(result && { result }),
      ...(template && { context: contextFrom(template, entered, verb === 'passed') }),
    })
    const { status, text } = await world.xapi(key, 'POST', '/statements', { json: statement })
    expect(status, text).toBe(200)
  }
}

async function readTemplate(key: Login, { launch: { activityId, actor, registration } }: Entered) {
  const about = { activityId, agent: JSON.stringify(actor), registration, stateId: 'LMS.LaunchData' }
  const answer = await world.xapi(key, 'GET', `/activities/state?${new URLSearchParams(about)}`)
  return answer.json.contextTemplate
}

function contextFrom(template: any, { launch: { registration } }: Entered, isPassed: boolean): Json {
  const word = (path: string): string => `https://w3id.org/xapi/cmi5/context/${path}`
  const category = [{ id: word('categories/cmi5') }, ...(isPassed ? [{ id: word('categories/moveon') }] : [])]
  const contextActivities = { ...template.contextActivities, category }
  const extensions = { ...template.extensions, ...(isPassed && { [word('extensions/masteryscore')]: 0.5 }) }
  return { ...template, registration, contextActivities, extensions }
}

describe('launch demo', () => {
  it.each(['cmi5', 'tincan'])('shows what the lesson stores until it is closed: %s', async (style) => {
    const failed = new AbortController()
    const onOpen = (address: string) => void takeLesson(address).catch((error: unknown) => failed.abort(error))
    const { code, out, err } = await demo(['--style', style], { onOpen, signal: failed.signal })
    failed.signal.throwIfAborted()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const lines = out.split('\n').filter((line) => /^\d\d:/.test(line))
    const verbs = lines.map((line) => line.split('  ')[1])
    const own = ['initialized', 'passed', 'terminated']
    expect(verbs).toEqual(style === 'cmi5' ? ['launched', ...own] : own)
    expect(lines.find((line) => line.includes('passed'))).toMatch(
      /^03:04:05 {2}passed {2}\S+ {2}score 75 % {2}success$/,
    )
    expect(out).toMatch(/https:\/\/lrs\.example\.org\/launch\/s\/[\w-]{43}\n/)
    expect(out).toContain(`${lines.length} statements; the launch has ended: terminated`)
  })

  it('makes content and key once, and launches the same registration again', async () => {
    const count = async (): Promise<number[]> => {
      const slice = { offset: 0, limit: 1 }
      const contents = await world.core.contents.list(world.operator, slice)
      const credentials = await world.core.credentials.list(world.operator, {}, slice)
      return [contents.total, credentials.total]
    }
    const before = await count()
    const registrations = new Set<string>()
    for (let round = 0; round < 2; round++) {
      const { code, out, err } = await demo(['--json'], { signal: AbortSignal.abort() })
      expect([code, JSON.parse(out)]).toMatchObject([0, { endedBy: null, statements: [] }])
      registrations.add(/registration\s+(\S+)/.exec(err)?.[1] ?? '')
    }
    expect([await count(), registrations.size]).toEqual([before, 1])
  })

  it('stores where it is told to, and opens nothing when told so', async () => {
    const lrs = await world.core.lrs.create(world.operator, { name: 'Trial' })
    const opened: string[] = []
    const { code, out } = await demo(['--lrs', String(lrs.id), '--no-open', '--mode', 'browse'], {
      ...{ signal: AbortSignal.abort(), onOpen: (address) => void opened.push(address) },
    })
    expect([code, opened]).toEqual([0, []])
    expect(out).toContain('the launch goes on')
    const { items } = await world.core.launches.list(world.operator, { lrsIds: [lrs.id] }, { limit: 10 })
    expect(items).toMatchObject([{ style: 'cmi5', mode: 'browse', lrsId: lrs.id, platformId: null }])
  })

  it.each([
    [['--style', 'scorm'], 'cmi5, tincan'],
    [['--mode', 'edit'], 'normal, browse, review'],
    [['--lrs', '999'], 'there is no Lrs 999'],
  ])('refuses %j, and makes nothing', async (argv, words) => {
    const before = (await world.events()).length
    const { code, err } = await demo(argv)
    expect(code).not.toBe(0)
    expect(err).toContain(words)
    expect((await world.events()).length).toBe(before)
  })

  it.each([
    ['on /nowhere', {}],
    [
      'at http://127.0.0.1:9 (CLAVIGER_BASE_URL)',
      {
        ...{ CLAVIGER_DATABASE_URL: 'postgres://nobody@127.0.0.1/none', CLAVIGER_BASE_URL: 'http://127.0.0.1:9' },
        CLAVIGER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      },
    ],
  ])('needs a server that answers for what it makes: %s', async (where, settings) => {
    const before = (await world.events()).length
    const { code, err } = await demo([], { isServed: false, settings })
    expect([code, err]).toEqual([1, `error: no server answers ${where}, and the lesson needs one: claviger serve\n`])
    expect((await world.events()).length).toBe(before)
  })
})
