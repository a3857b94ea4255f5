// What can be said of content: where it is, how it is launched, what it is worth in a launch. One schema, with the defaults.
// Knows nothing of who stores it.

import { z } from 'zod'
import { checkShape, maxTextLength, refuse } from './check.ts'
import { moveOns } from './cmi5/vocabulary.ts'
import { launchStyles } from './storage.ts'
import type { ContentRecord, Json } from './storage.ts'
import { isIri } from './xapi/iri.ts'

/** What a platform lets somebody do, in the words of seed 003 (ledger S3.6, S3.7). */
export const permissions = ['read', 'participate', 'evaluate', 'modify', 'modifyInstance'] as const

/**
 * What a permission gives: nothing; a look without a trace, or at what was done; a normal launch; one that reads what others did,
 * too; the author's view in place of the content.
 */
export const givings = ['nothing', 'browse', 'review', 'normal', 'evaluate', 'author'] as const
export type Giving = (typeof givings)[number]

const mostCharacters = 2000
/** Handed to the content as it is (cmi5 section 10.2.5). */
const mostParameters = 4000
/** What requests on xAPI's resources say themselves: a client that sends it means it. */
const xapiParameters: ReadonlySet<string> = new Set(
  ['statementId', 'voidedStatementId', 'agent', 'verb', 'activity', 'registration', 'related_activities']
    .concat(['related_agents', 'since', 'until', 'limit', 'format', 'attachments', 'ascending', 'cursor', 'method'])
    .concat(['activityId', 'stateId', 'profileId', 'more'])
    .map((name) => name.toLowerCase()),
)

const plainName = /^[A-Za-z_][\w.-]{0,63}$/

const url = z.string().refine(isWebAddress, {
  message: `An address is http:// or https:// with a host, without user name and spaces, of at most ${mostCharacters} characters.`,
})
const iri = z.string().refine((text) => text.length <= mostCharacters && isIri(text), {
  message: `An IRI has a scheme and no spaces, such as https://example.org/course, and at most ${mostCharacters} characters.`,
})
const prose = (most: number) =>
  z.string().refine((text) => text.length <= most && !/[^\P{Cc}\t\n\r]|\p{Surrogate}/u.test(text), {
    message: `This has at most ${most} characters, without control characters and unpaired surrogates.`,
  })
const giving = z.enum(givings, `A permission gives one of ${givings.join(', ')}.`)
const seconds = ({ min, max }: { readonly min: number; readonly max: number }) => {
  const message = `A whole number of seconds from ${min} to ${max}.`
  return z.int(message).min(min, message).max(max, message)
}

/** In seconds. */
export const idleSpan = { min: 60, max: 86_400 } as const
export const absoluteSpan = { min: 300, max: 604_800 } as const

export const contentSettingsSchema = z.strictObject({
  /** Where it is opened, with the query of its own that it may have. */
  url,
  style: z.enum(launchStyles, 'The style is cmi5 or tincan.'),
  /** The publisher's. What statements are about in a Tin Can launch; grouping in cmi5, which has one of the launcher's (section 8.1.5). */
  activityId: iri,
  activityType: iri.exactOptional(),
  /** Of the learner's account, where whoever launches names none. */
  homePage: iri.exactOptional(),
  /** A session that is not used for so long ends. */
  idleSeconds: seconds(idleSpan).default(7200),
  /** However much it is used, it ends then. */
  absoluteSeconds: seconds(absoluteSpan).default(28_800),
  gives: z
    .strictObject({
      read: giving.default('browse'),
      participate: giving.default('normal'),
      evaluate: giving.default('evaluate'),
      modify: giving.default('author'),
      modifyInstance: giving.default('author'),
    } satisfies Record<(typeof permissions)[number], z.ZodType>)
    .prefault({}),
  /** Names of parameters its client repeats on every request (TinCanJS), beside those in its own address. */
  ignoredParams: z
    .array(
      z
        .string()
        .regex(plainName, 'The name of a parameter: letters, digits, _ . - only, 64 at most.')
        .refine((name) => !isOfXapi(name), 'xAPI has a parameter of this name itself.'),
    )
    .max(50, 'At most 50 names of parameters.')
    .default([]),
  /** cmi5 section 10.2.4: whoever scores at least so much has passed. */
  masteryScore: z
    .number()
    .refine((score) => score >= 0 && score <= 1 && Number(score.toFixed(4)) === score, {
      message: 'From 0 to 1, with at most four decimal places.',
    })
    .exactOptional(),
  /** cmi5 sections 10.2.5 and 13.1.4: when it counts as satisfied. */
  moveOn: z.enum(moveOns, `One of ${moveOns.join(', ')}.`).default('NotApplicable'),
  launchParameters: prose(mostParameters).exactOptional(),
  entitlementKey: prose(maxTextLength).exactOptional(),
  /** Of the course that it is a part of. */
  courseId: iri.exactOptional(),
  /** Where the learner goes at the end. */
  returnUrl: url.exactOptional(),
  /** Whether the content learns how the learner is called. */
  sendsNames: z.boolean().default(false),
  /** Whether its keys write profiles of the activity, which everybody's content reads; of the learner's they always do. */
  writesActivityProfiles: z.boolean().default(false),
  /** Its key works in the browser that used it first. */
  bindsBrowser: z.boolean().default(true),
})

export type ContentSettings = z.output<typeof contentSettingsSchema>
/** With the defaults left out. */
export type ContentSettingsInput = z.input<typeof contentSettingsSchema>

/** With the defaults filled in. Throws `invalid` naming every failure. */
export function readContentSettings(input: unknown, pointer = '/settings'): ContentSettings {
  refuse(checkShape(contentSettingsSchema, input, pointer))
  return contentSettingsSchema.parse(input)
}

/** As they are stored: settings that came later have their defaults. */
export function settingsOf({ settings }: Pick<ContentRecord, 'settings'>): ContentSettings {
  return contentSettingsSchema.parse(settings)
}

export function settingsToStore(settings: ContentSettings): Json {
  return settings as unknown as Json
}

/** Which parameters its key may send that mean nothing: TinCanJS repeats what stands in the content's own address. */
export function ignoredNames({ url: address, ignoredParams }: ContentSettings): readonly string[] {
  const own = [...new URL(address).searchParams.keys()].filter((name) => plainName.test(name) && !isOfXapi(name))
  return [...new Set([...ignoredParams, ...own])]
}

function isOfXapi(name: string): boolean {
  return xapiParameters.has(name.toLowerCase())
}

function isWebAddress(text: string): boolean {
  if (text.length > mostCharacters || !/^https?:\/\/[^\s\p{Cc}\p{Cs}\\]+$/iu.test(text) || !URL.canParse(text))
    return false
  const { username, password } = new URL(text)
  return username === '' && password === '' && !/^https?:\/\/[^/?#]*@/i.test(text)
}
