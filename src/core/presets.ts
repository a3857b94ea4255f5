// Named sets of rights for people, and rights put into words. Vendors' own words live with their face.

import { boundText } from './access.ts'
import type { Limits } from './limits.ts'
import type { ActorPin, Pins } from './pins.ts'
import { allManagement, applicationsManagement, everyRight, managementActions } from './rights.ts'
import type { Bound, ManagementAction, ManagementArea, ManagementGrant, Reach, Rights, XapiRight } from './rights.ts'

export interface Preset {
  readonly name: string
  readonly summary: string
  readonly rights: Rights
}

const reading = [
  'statements/read',
  'state/read',
  'profile/read',
  'agents/read',
  'activities/read',
] as const satisfies readonly XapiRight[]
const writing = ['statements/write', 'statements/void', 'state/write', 'profile/write', 'define'] as const

const xapi: Rights['xapi'] = { ...all(reading, 'any'), ...all(writing, 'any') }

/** Sets of rights people ask for, by neutral names; `actor` expects an actor pin beside it. */
export const presets: readonly Preset[] = [
  preset('everything', 'Every right: all of xAPI, and manages the whole organisation.', everyRight),
  preset('management', 'Manages the whole organisation; no xAPI.', { xapi: {}, management: allManagement }),
  preset('xapi-and-management', 'As xapi, and manages the whole organisation, its data included.', {
    xapi,
    management: allManagement,
  }),
  preset('delegated-management', 'Manages credentials no stronger than itself; reads and writes all of xAPI.', {
    xapi,
    management: [
      { area: 'credentials', actions: ['read', 'write', 'delete'], bound: { kind: 'organisation' }, within: true },
    ],
  }),
  preset('applications', 'Manages applications only; no xAPI.', {
    xapi: {},
    management: applicationsManagement,
  }),
  preset('xapi', 'Reads, writes and voids everything xAPI knows.', rightsOf(xapi)),
  preset(
    'global',
    'As xapi, and may name the authority of what it stores.',
    rightsOf({ ...xapi, 'authority/set': 'any' }),
  ),
  preset(
    'isolated',
    'Writes anything; reads, voids and defines only what is its own.',
    rightsOf({ ...all(reading, 'mine'), ...all(writing, 'mine'), 'statements/write': 'any' }),
  ),
  preset('read-only', 'Reads everything, writes nothing.', rightsOf(all(reading, 'any'))),
  preset('read-mine', 'Reads what is its own, writes nothing.', rightsOf(all(reading, 'mine'))),
  preset('write-only', 'Stores statements and reads nothing back.', rightsOf(all(['statements/write'], 'any'))),
  preset(
    'statements-write',
    'Stores, voids and defines; reads nothing.',
    rightsOf(all(['statements/write', 'statements/void', 'define'], 'any')),
  ),
  preset('statements-read', 'Reads all statements, no documents.', rightsOf(all(['statements/read'], 'any'))),
  preset('statements-read-mine', 'Reads its own statements, no documents.', rightsOf(all(['statements/read'], 'mine'))),
  preset('statements-delete', 'Erases statements, one by one.', rightsOf(all(['statements/delete'], 'any'))),
  preset('state', 'Reads and writes state documents.', rightsOf(all(['state/read', 'state/write'], 'any'))),
  preset(
    'profile',
    'Reads and writes profiles, reads agents and activities.',
    rightsOf(all(['profile/read', 'profile/write', 'agents/read', 'activities/read'], 'any')),
  ),
  preset(
    'actor',
    'For one learner: statements and documents of the pinned actor, no voiding, no definitions.',
    rightsOf(
      all(['statements/write', 'statements/read', 'state/read', 'state/write', 'profile/read', 'profile/write'], 'any'),
    ),
  ),
  preset(
    'launch',
    'For what a platform launches: stores, reads and defines its own; voids nothing.',
    rightsOf(all([...reading, 'statements/write', 'state/write', 'profile/write', 'define'], 'mine')),
  ),
  preset('none', 'Signs in and may do nothing.', rightsOf({})),
]

export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name)
}

/** As `findPreset`, of one that code names. */
export function getPreset(name: string): Preset {
  const found = findPreset(name)
  if (found === undefined) throw new Error(`There is no preset ${name}`)
  return found
}

export interface Described {
  readonly may: readonly string[]
  readonly mayNot: readonly string[]
  /** Within which pins and limits it may. */
  readonly only: readonly string[]
}

/** What a key may and may not do, and within which pins and limits, a line each. */
export function describeRights(rights: Rights, pins: Pins = {}, limits: Limits = {}): Described {
  const may: string[] = []
  const mayNot: string[] = []
  for (const [right, words] of Object.entries(rightWords) as [XapiRight, RightWords][]) {
    const reach = rights.xapi[right]
    if (reach === undefined) mayNot.push(words.plain)
    else may.push(reach === 'any' ? words.any : words.mine)
    if (reach === 'mine' && words.beyond !== undefined) mayNot.push(words.beyond)
  }
  for (const grant of rights.management) may.push(grantText(grant))
  mayNot.push(...managementLacks(rights))
  return { may, mayNot, only: [...pinTexts(pins), ...limitTexts(limits)] }
}

/** Seed S2.14: created and handled with care. For rights with management. */
export function managementWarning({ management }: Rights): string {
  // What it may is listed elsewhere, too.
  const isAll = allManagement.every((all) => management.some((grant) => isWhole(grant) && grant.area === all.area))
  const what = isAll ? 'everything, in the whole organisation' : `it may ${management.map(grantText).join('; ')}`
  return `It administers: ${what}. Handle it with care: keep it on servers, never in content.`
}

function isWhole({ actions, bound, within }: ManagementGrant): boolean {
  return bound.kind === 'organisation' && within !== true && actions.length === managementActions.length
}

interface RightWords {
  readonly any: string
  readonly mine: string
  readonly plain: string
  /** What reach mine leaves out. */
  readonly beyond?: string
}

const rightWords: Readonly<Record<XapiRight, RightWords>> = {
  'statements/write': words('store statements'),
  'statements/read': words(
    'read all statements',
    'read the statements it stored',
    'read statements',
    "read other keys' statements",
  ),
  'statements/void': words(
    'void any statement',
    'void the statements it stored',
    'void statements',
    "void other keys' statements",
  ),
  'statements/delete': words(
    'erase any statement',
    'erase the statements it stored',
    'erase statements',
    "erase other keys' statements",
  ),
  'state/read': words('read all state documents', 'read its own state documents', 'read state documents'),
  'state/write': words('write state documents', 'write state documents of its own', 'write state documents'),
  'profile/read': words('read all profile documents', 'read its own profile documents', 'read profile documents'),
  'profile/write': words('write profile documents', 'write profile documents of its own', 'write profile documents'),
  'agents/read': words('look up any person', 'look up persons in what it stored', 'look up persons'),
  'activities/read': words(
    'read all activity definitions',
    'read activity definitions it stored',
    'read activity definitions',
  ),
  define: words('define activities for everybody', 'define activities for itself', 'define activities'),
  'authority/set': words('name the authority of what it stores'),
}

function words(any: string, mine: string = any, plain: string = any, beyond?: string): RightWords {
  return beyond === undefined ? { any, mine, plain } : { any, mine, plain, beyond }
}

const areaWords: Readonly<Record<ManagementArea, string>> = {
  credentials: 'keys',
  applications: 'applications',
  settings: 'settings',
  forwarding: 'forwarding',
  operators: 'operators',
  data: 'bodies of data',
}

function grantText({ area, actions, bound, within }: ManagementGrant): string {
  const how = within === true ? ', none stronger than itself' : ''
  const what =
    area === 'credentials'
      ? keysText(actions)
      : area === 'data'
        ? dataText(actions)
        : `manage (${actions.join(', ')}) ${areaWords[area]}`
  return `${what}, in ${boundText(bound)}${how}`
}

// Who may write learns every secret, or makes a new one, and can so act as the key; who may only read does neither.
function keysText(actions: readonly ManagementAction[]): string {
  const [mayRead, mayWrite] = [actions.includes('read'), actions.includes('write')]
  const reading = mayWrite ? 'see keys and their secrets' : 'see keys and what they may do, not their secrets'
  return [
    ...(mayRead ? [reading] : []),
    ...(mayWrite ? ['make and change keys, grant rights'] : []),
    ...(actions.includes('delete') ? ['revoke keys'] : []),
  ].join(', ')
}

function dataText(actions: readonly ManagementAction[]): string {
  const [mayRead, mayDelete] = [actions.includes('read'), actions.includes('delete')]
  // By right, while no API answers to it yet.
  const once = [
    ...(mayRead ? ['count what erasures would remove, see their receipts'] : []),
    ...(mayDelete ? ['erase persons, empty bodies of data, say how long they keep statements'] : []),
  ].join(', ')
  const now = [...(actions.includes('write') ? ['make', 'change'] : []), ...(mayDelete ? ['close'] : [])]
  return [
    ...(now.length === 0 ? [] : [`${inSeries(now)} bodies of data`]),
    ...(once === '' ? [] : [`once offered: ${once}`]),
  ].join(', ')
}

function inSeries(words: readonly string[]): string {
  const first = words.slice(0, -1)
  return first.length === 0 ? words.join() : `${first.join(', ')} and ${words.at(-1)}`
}

function managementLacks({ management }: Rights): readonly string[] {
  if (management.length === 0) return ['manage anything']
  const lacking = Object.entries(areaWords).filter(([area]) => !management.some((grant) => grant.area === area))
  const outside: Partial<Record<Bound['kind'], string>> = {
    applications: 'manage anything outside applications',
    application: 'manage anything outside its application',
    lrs: 'manage anything outside its Lrs',
  }
  const bounds = new Set(management.map(({ bound }) => outside[bound.kind]))
  const beyond = bounds.has(undefined) ? [] : [...bounds].filter((text) => text !== undefined)
  const keys = management.filter(({ area }) => area === 'credentials')
  const isLooking = keys.length > 0 && !keys.some(({ actions }) => actions.includes('write'))
  const writing = isLooking ? ['make or change keys, or learn their secrets'] : []
  return [...lacking.map(([, text]) => `manage ${text}`), ...writing, ...beyond]
}

function pinTexts({ actor, registration, activity, readsOthers }: Pins): readonly string[] {
  return [
    ...(actor === undefined ? [] : [`about the actor ${actor.map(actorText).join(' or ')}`]),
    ...(registration === undefined ? [] : [`in the registration ${registration.id}, ${modeTexts[registration.mode]}`]),
    ...(activity === undefined ? [] : [`about the activity ${activity} and what lies below it`]),
    ...(readsOthers === undefined ? [] : ["reading what others' statements say about it, too"]),
  ]
}

const modeTexts = {
  required: 'which every statement must carry',
  whenPresent: 'or in none: a statement without registration passes',
} as const

function actorText(pin: ActorPin): string {
  if ('mbox' in pin) return pin.mbox
  return `account ${pin.accountName} of ${pin.homePage ?? 'any home page'}`
}

function limitTexts(limits: Limits): readonly string[] {
  const { ratePerMinute, burst = 0, batch, bodyBytes, dailyQuota, addresses, origins, xapiVersions } = limits
  return [
    ...(ratePerMinute === undefined
      ? []
      : [`with ${ratePerMinute} requests a minute at most${burst > 0 ? `, and ${burst} more at once` : ''}`]),
    ...(dailyQuota === undefined ? [] : [`with ${dailyQuota} requests a UTC day at most`]),
    ...(batch === undefined ? [] : [`with ${batch} statements in one request at most`]),
    ...(bodyBytes === undefined ? [] : [`with ${bodyBytes} bytes in one request at most`]),
    ...(addresses === undefined ? [] : [`from the addresses ${addresses.join(', ')}`]),
    ...(origins === undefined ? [] : [`for web pages of ${origins.join(', ')}`]),
    ...(xapiVersions === undefined ? [] : [`with xAPI ${xapiVersions.join(', ')}`]),
  ]
}

function preset(name: string, summary: string, rights: Rights): Preset {
  return { name, summary, rights }
}

function rightsOf(granted: Rights['xapi']): Rights {
  return { xapi: granted, management: [] }
}

function all(rights: readonly XapiRight[], reach: Reach): Rights['xapi'] {
  return Object.fromEntries(rights.map((right) => [right, reach]))
}
