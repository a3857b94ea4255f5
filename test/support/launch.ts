// Launches in a running Claviger: a platform, content of either style, learners who are sent to it, and what their browser and the
// content then ask of the whole app. For tests of the core and of the faces alike.

import { randomUUID } from 'node:crypto'
import { createApp } from '../../src/app.ts'
import type { HttpApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { contextTemplate, unitOf } from '../../src/core/cmi5/unit.ts'
import type { Unit } from '../../src/core/cmi5/unit.ts'
import type { UnitVerb } from '../../src/core/cmi5/vocabulary.ts'
import type { ContentSettingsInput } from '../../src/core/content-settings.ts'
import type { Content } from '../../src/core/content.ts'
import type { Entered } from '../../src/core/launch-entering.ts'
import type { OpenedLaunch } from '../../src/core/launch.ts'
import type { LaunchData, NewLaunchInput } from '../../src/core/launch-plan.ts'
import type { NewPlatformInput } from '../../src/core/platform.ts'
import type { Json, LaunchStyle, PlatformRecord } from '../../src/core/storage.ts'
import type { JsonObject } from '../../src/core/xapi/rule.ts'
import { answerOf } from './ask.ts'
import type { Answer, Ask, Login } from './ask.ts'
import { atMinute, definedStatement } from './cmi5.ts'
import { openCore } from './core.ts'
import type { OpenCore, OpenCoreOptions } from './core.ts'

export type { Answer, Ask, Login } from './ask.ts'

/** What the platform of a world shares with it. */
export const sharedSecret = '0f8fad5b-d9cb-469f-a165-70867728950e'
export const homePage = 'https://school.example.org'
/** What a browser holds. */
export const [browser, otherBrowser] = ['b'.repeat(43), 'o'.repeat(43)]

export interface LaunchWorld extends OpenCore {
  readonly app: HttpApp
  readonly platform: PlatformRecord
  /** One of each style, whose publisher's id is `https://content.example.org/<style>`. */
  readonly contents: Readonly<Record<LaunchStyle, Content>>
  /** Everything the app logged, as one text. */
  log(): string
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** xAPI below `/xapi`, in version 1.0.3 unless a header says otherwise. */
  xapi(as: Login, method: string, path: string, ask?: Ask): Promise<Answer>
  /** The platform launches Ada from its place `room`, in normal mode, unless told otherwise. */
  launch(style: LaunchStyle, input?: Partial<NewLaunchInput>): Promise<OpenedLaunch>
  /** The launch, and what a browser is let in with. */
  enter(opened: OpenedLaunch, cookie?: string): Promise<Entered>
  /** Launched and let in: the key that the content then has. A cmi5 unit has said `initialized` with it, as each must first. */
  keyOf(style: LaunchStyle, input?: Partial<NewLaunchInput>): Promise<Login & { readonly opened: OpenedLaunch }>
}

export interface LaunchWorldOptions extends OpenCoreOptions {
  readonly platform?: Partial<NewPlatformInput>
  readonly settings?: Partial<ContentSettingsInput>
}

export async function openLaunchWorld(options: LaunchWorldOptions = {}): Promise<LaunchWorld> {
  const { platform: platformInput, settings, ...coreOptions } = options
  const logged: string[] = []
  const write = (fields: object, message: string): void => void logged.push(JSON.stringify([fields, message]))
  const log = { info: write, warn: write, error: write }
  // Launches that a test lets lapse are ended by that test, not by the job of whoever is slow.
  const leaseTiming = { ttlMs: 30_000, askEveryMs: 3_600_000 }
  const world = await openCore({ log, leaseTiming, ...coreOptions })
  const { core, operator } = world
  const config = loadConfig({ CLAVIGER_DATA: world.directory, CLAVIGER_LOG_LEVEL: 'silent' })
  const { app } = await createApp(config, { core, log })
  const { platform } = await core.platforms.create(operator, {
    ...{ id: 'school', name: 'School', protocol: 'itslearning', settings: {}, secret: sharedSecret },
    ...platformInput,
  })
  const contents = {
    cmi5: await core.contents.create(operator, contentOf('cmi5', settings)),
    tincan: await core.contents.create(operator, contentOf('tincan', settings)),
  }
  const launch = (style: LaunchStyle, input: Partial<NewLaunchInput> = {}): Promise<OpenedLaunch> =>
    core.launches.open(
      { platform },
      { content: contents[style], actor: learner('ada'), resource: 'room', mode: 'normal', ...input },
    )
  const enter = (opened: OpenedLaunch, cookie = browser): Promise<Entered> =>
    core.launches.enter(ticketOf(opened), { cookie })
  const ask = (method: string, path: string, asked: Ask = {}): Promise<Answer> => answerOf(app, method, path, asked)
  const xapi: LaunchWorld['xapi'] = (as, method, path, asked = {}) =>
    ask(method, `/xapi${path}`, { ...asked, as, headers: { 'X-Experience-API-Version': '1.0.3', ...asked.headers } })
  return {
    ...{ ...world, app, platform, contents, ask, launch, enter, xapi },
    log: () => logged.join('\n'),
    keyOf: async (style, input) => {
      const opened = await launch(style, input)
      const key = await keyIn(world, await enter(opened))
      if (style === 'cmi5') await xapi(key, 'POST', '/statements', { json: unitStatementOf(opened, 'initialized') })
      return { ...key, opened }
    },
  }
}

export function contentOf(style: LaunchStyle, settings: Partial<ContentSettingsInput> = {}) {
  const id = `https://content.example.org/${style}`
  return { name: style, settings: { url: `${id}/index.html`, style, activityId: id, ...settings } }
}

/** An account of the school's. */
export function learner(name: string) {
  return { objectType: 'Agent', account: { homePage, name } } as const
}

/** What stands last in the address that a browser is sent to. */
export function ticketOf({ entranceUrl }: OpenedLaunch): string {
  return entranceUrl.slice(entranceUrl.lastIndexOf('/') + 1)
}

/** Tin Can content is given its key; cmi5 content fetches it. */
export async function keyIn({ core }: Pick<OpenCore, 'core'>, { opening }: Entered): Promise<Login> {
  if (opening.style === 'tincan') return opening
  const fetched = await core.launches.fetchToken(opening.fetchTicket)
  if (!('authToken' in fetched)) throw new Error(fetched.text)
  const [key = '', secret = ''] = Buffer.from(fetched.authToken, 'base64').toString().split(':')
  return { key, secret }
}

type Opened = Pick<OpenedLaunch, 'launch'>

/** A statement as the content of a launch makes it, about its own activity: of cmi5 one that is cmi5 allowed. */
export function statementOf({ launch }: Opened, more: Readonly<Record<string, Json>> = {}): Json {
  const { style, actor, activityId, registration } = launch
  const unit = unitIn({ launch })
  return {
    ...{ actor, verb: { id: 'http://adlnet.gov/expapi/verbs/experienced', display: { en: 'experienced' } } },
    object: { objectType: 'Activity', id: activityId },
    context: { ...(style === 'cmi5' && contextTemplate(unit)), registration },
    ...(style === 'cmi5' && { id: randomUUID(), timestamp: atMinute(1) }),
    ...more,
  }
}

/** A cmi5 defined one, minutes after noon: `initialized` at 0, what comes next later. */
export function unitStatementOf(
  { launch }: Opened,
  verb: UnitVerb,
  minute = verb === 'initialized' ? 0 : 2,
): JsonObject {
  const { actor, registration } = launch
  const statement = definedStatement(verb, unitIn({ launch }), { actor, timestamp: atMinute(minute) })
  return { id: randomUUID(), ...statement, context: { ...(statement['context'] as object), registration } }
}

export function unitIn({ launch }: Opened): Unit {
  return unitOf(launch, (launch.data as unknown as LaunchData).settings)
}
