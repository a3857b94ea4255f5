// What a launch comes to, before anything is stored: who and what it is about, and what its session may then do. Pure.

import { checkShape, checkText, refuse } from './check.ts'
import type { ContentSettings } from './content-settings.ts'
import type { Content } from './content.ts'
import type { Failure } from './errors.ts'
import type { CredentialId, LaunchId, PlatformId } from './ids.ts'
import { pinsSchema } from './pins.ts'
import type { ActorPin, Pins } from './pins.ts'
import { checkResource } from './placement.ts'
import { intersect, xapiRights } from './rights.ts'
import type { Rights, XapiRight } from './rights.ts'
import { launchModes } from './storage.ts'
import type { Json, LaunchMode, LaunchRecord, LaunchStyle } from './storage.ts'
import { uuid5 } from './uuid5.ts'
import { agent, agentTerm } from './xapi/agent.ts'
import { isIri } from './xapi/iri.ts'
import { Check, isObject } from './xapi/rule.ts'
import type { JsonObject } from './xapi/rule.ts'

export interface NewLaunchInput {
  readonly content: Content
  /**
   * An Agent by its account or mailbox: what pins know. Its name is left out unless the content is told names. An account may leave
   * its homePage to the content.
   */
  readonly actor: JsonObject
  /** The platform's name for the place it is launched from. */
  readonly resource?: string | null
  /** The content's own in a Tin Can launch, one of the launcher's in cmi5, unless given. */
  readonly activityId?: string
  /** A UUID. The same for the same learner at the same place unless given, so that a later launch goes on. */
  readonly registration?: string
  readonly mode: LaunchMode
  /** Statements of others about the activity are read, too (ledger S3.6, Evaluate). */
  readonly readsOthers?: boolean
  /** What reaches the content (ledger S3.5). */
  readonly data?: Json
  /** Of the learner: a language tag. */
  readonly language?: string | null
  /** In clear; kept sealed for as long as the launch runs. */
  readonly sealed?: string
  /** What the learner's browser holds, so that it is known again. */
  readonly cookie?: string
}

/** What a launch remembers of how it was made (`LaunchRecord.data`); it goes when the launch is over. */
export interface LaunchData {
  /** The content's, as they were when it was launched: a launch goes on with what it began with. */
  readonly settings: ContentSettings
  readonly language: string | null
  /** For the content. */
  readonly given: Json
  /** The launch that a browser was sent into, of one that began when it came back (`LaunchEntering`). */
  readonly origin?: LaunchId
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** BCP 47, by its looks. */
const languageTag = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,7}$/
const mostIdCharacters = 2000
const mostDataCharacters = 20_000

/** Throws `invalid` naming every failure. */
export function checkLaunch(input: NewLaunchInput): void {
  const { actor, resource, activityId, registration, mode, data = null, language = null, sealed = '' } = input
  refuse([
    ...checkActor(actor),
    ...(resource === undefined || resource === null ? [] : checkResource(resource)),
    ...checkActivityId(activityId),
    ...checkUnit(input),
    ...(registration === undefined || uuid.test(registration)
      ? []
      : [failure('/registration', 'A registration is a lower-case UUID.')]),
    ...(launchModes.includes(mode) ? [] : [failure('/mode', `The mode is one of ${launchModes.join(', ')}.`)]),
    ...(JSON.stringify(data).length <= mostDataCharacters
      ? []
      : [failure('/data', `What reaches the content takes at most ${mostDataCharacters} characters.`)]),
    ...(language === null || languageTag.test(language)
      ? []
      : [failure('/language', 'A language tag, such as nb-NO.')]),
    ...checkText(sealed, { pointer: '/sealed', rule: 'claviger/launch', noun: 'What is kept sealed' }),
  ])
}

/** An account without a homePage is of the content's, where it has one. */
export function atHome(input: NewLaunchInput): NewLaunchInput {
  const { homePage } = input.content.settings
  const { account } = input.actor
  if (homePage === undefined || !isObject(account) || account['homePage'] !== undefined) return input
  return { ...input, actor: { ...input.actor, account: { homePage, ...account } } }
}

/** As the content will name the learner. */
export function actorFor({ actor, content }: Pick<NewLaunchInput, 'actor' | 'content'>): JsonObject {
  const { name, ...nameless }: JsonObject = { ...actor, objectType: 'Agent' }
  return content.settings.sendsNames && name !== undefined ? { name, ...nameless } : nameless
}

/** Who launches: by the platform, or by the key where there is none. */
export interface Launcher {
  readonly platformId: PlatformId | null
  readonly credentialId: CredentialId
}

export function registrationFor(
  launcher: Launcher,
  { registration, resource, content, actor }: NewLaunchInput,
): string {
  return registration ?? uuid5(['registration', ...nameOf(launcher), resource ?? content.id, agentTerm(actor) ?? ''])
}

/** cmi5 section 8.1.5: the launcher makes it, another one than the publisher's, the same for the whole registration. */
export function activityFor(baseUrl: string, launcher: Launcher, input: NewLaunchInput): string {
  const { activityId, content, resource } = input
  if (activityId !== undefined) return activityId
  if (content.settings.style === 'tincan') return content.settings.activityId
  return `${baseUrl}/launch/activities/${uuid5(['activity', ...nameOf(launcher), resource ?? '', content.id])}`
}

export function pinsFor(
  launch: Pick<LaunchRecord, 'style' | 'actor' | 'registration' | 'activityId'>,
  readsOthers: boolean,
): Pins {
  const mode = launch.style === 'cmi5' ? 'required' : 'whenPresent'
  return {
    actor: [actorPin(launch.actor as JsonObject)],
    registration: { id: launch.registration, mode },
    activity: launch.activityId,
    ...(readsOthers && { readsOthers }),
  }
}

/** Nothing that a lesson is for: no voiding (cmi5 section 8.2 forbids it), nothing of others, no name but its own. */
const neverGiven: ReadonlySet<XapiRight> = new Set(['statements/void', 'statements/delete', 'authority/set'] as const)
/** Who only looks leaves no trace but where they are. In cmi5 the rules for the mode see to its statements (section 10.2.2). */
const looking = [
  'statements/read',
  'state/read',
  'state/write',
  'profile/read',
  'agents/read',
  'activities/read',
] as const

/** From what the parent may: its session narrows that, and manages nothing. */
export function rightsFor(style: LaunchStyle, mode: LaunchMode): (held: Rights) => Rights {
  const onlyLooks = mode !== 'normal'
  const unit = xapiRights.filter((right) => !neverGiven.has(right) && !(onlyLooks && right === 'profile/write'))
  const given = style === 'tincan' && onlyLooks ? looking : unit
  const mask: Rights = { xapi: Object.fromEntries(given.map((right) => [right, 'any' as const])), management: [] }
  return (held) => intersect(held, mask)
}

function nameOf({ platformId, credentialId }: Launcher): readonly (string | number)[] {
  return platformId === null ? ['credential', credentialId] : ['platform', platformId]
}

function checkActor(actor: JsonObject): readonly Failure[] {
  const failures: Failure[] = []
  agent('claviger/launch')(actor, new Check({ version: '2.0', pointer: '/actor', failures }))
  if (failures.length > 0) return failures
  if (actor['mbox'] === undefined && actor['account'] === undefined) {
    return [failure('/actor', 'Whoever is launched is known by an account or an mbox.')]
  }
  const unpinnable = checkShape(pinsSchema, { actor: [actorPin(actor)] }, '')
  return unpinnable.map(({ pointer, message }) => failure(placeOf[pointer] ?? '/actor', message))
}

/** What stands in a pin, in the actor. */
const placeOf: Readonly<Record<string, string>> = {
  '/actor/0/accountName': '/actor/account/name',
  '/actor/0/homePage': '/actor/account/homePage',
  '/actor/0/mbox': '/actor/mbox',
}

function actorPin({ mbox, account }: JsonObject): ActorPin {
  if (typeof mbox === 'string') return { mbox }
  const { homePage, name } = account as { readonly homePage: string; readonly name: string }
  return { accountName: name, homePage }
}

function checkActivityId(id: string | undefined): readonly Failure[] {
  if (id === undefined || (id.length <= mostIdCharacters && isIri(id))) return []
  return [failure('/activityId', `An activity id is an IRI of at most ${mostIdCharacters} characters.`)]
}

/** cmi5 sections 9.2 and 8.1.5. */
function checkUnit({ content: { settings }, actor, activityId }: NewLaunchInput): readonly Failure[] {
  if (settings.style !== 'cmi5') return []
  const own = `In cmi5 whoever launches makes an activity id, another one than the publisher's ${settings.activityId}.`
  return [
    ...(actor['mbox'] === undefined ? [] : [failure('/actor', 'In cmi5 whoever is launched is known by an account.')]),
    ...(activityId === settings.activityId ? [failure('/activityId', own)] : []),
  ]
}

function failure(pointer: string, message: string): Failure {
  return { pointer, rule: 'claviger/launch', message }
}
