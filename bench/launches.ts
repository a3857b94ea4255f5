// In this process, on the core's use cases: launches made, each with a session and a way in of its own, and synced.
// `node --import tsx bench/launches.ts <directory> <number of launches> [<postgres URL>]` prints one line of JSON.

import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { createCore } from '../src/core/core.ts'
import type { Content } from '../src/core/content.ts'
import { inLanes, openStore } from './lanes.ts'

export interface LaunchFigures {
  readonly launches: number
  readonly lanes: number
  /** Each of another learner, the last tenth of them: with all the others there. */
  readonly perSecond: number
  /** The same while the store was empty. */
  readonly perSecondAtFirst: number
  /** Learners who come again: each ends the launch before, and its session. */
  readonly againPerSecond: number
  /** Processor time of all threads for one, at the end. */
  readonly cpuUs: number
}

const [directory = '.', launchesText = '50000', databaseUrl] = process.argv.slice(2)
const launches = Number(launchesText)
const lanes = 64

async function measure(): Promise<LaunchFigures> {
  const core = await createCore({
    storage: await openStore(path.resolve(directory), databaseUrl),
    masterKey: randomBytes(32),
    baseUrl: 'http://127.0.0.1',
    limits: { batch: 1000, bodyBytes: 5_000_000, documentBytes: 5_000_000, xapiRatePerMinute: undefined },
  })
  const { organisation } = await core.organisations.create({ operator: 'bench' }, { name: 'Bench' })
  const operator = core.signIn.operator(organisation.id, 'bench')
  const made = { id: 'bench', name: 'Bench', protocol: 'bench', settings: {} }
  const { platform } = await core.platforms.create(operator, made)
  const url = 'https://content.example.org/lesson'
  const settings = { url, style: 'tincan', activityId: url } as const
  const content: Content = await core.contents.create(operator, { name: 'Lesson', settings })
  const launch = (number: number) => {
    const account = { homePage: 'https://school.example.org', name: `learner-${number}` }
    const actor = { objectType: 'Agent', account }
    return core.launches.open({ platform }, { content, actor, resource: '14/100/200', mode: 'normal' })
  }
  const part = Math.ceil(launches / 10)
  await inLanes(500, lanes, (number) => launch(-number - 1))
  const first = await inLanes(part, lanes, launch)
  await inLanes(launches - 2 * part, lanes, (number) => launch(part + number))
  const before = process.cpuUsage()
  const last = await inLanes(part, lanes, (number) => launch(launches - part + number))
  const { user, system } = process.cpuUsage(before)
  const again = await inLanes(part, lanes, launch)
  await core.close()
  return {
    launches,
    lanes,
    perSecond: part / last,
    perSecondAtFirst: part / first,
    againPerSecond: part / again,
    cpuUs: (user + system) / part,
  }
}

process.stdout.write(`${JSON.stringify(await measure())}\n`)
