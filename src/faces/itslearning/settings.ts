// What an operator sets for an itslearning platform: whom it may bring, what its signatures are held against, how its people are
// named. Knows no secret and no request.

import { z } from 'zod'
import { invalid } from '../../core/errors.ts'
import type { Json } from '../../core/storage.ts'
import { isIri } from '../../core/xapi/iri.ts'
import type { PlatformSetting } from '../face.ts'
import type { Instance } from './parameters.ts'

/** As the vendor's own sample has it. */
export const mostSkewSeconds = 900
const leastSkewSeconds = 30

const number = z.int().min(0).max(9_999_999_999)
const parameterName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'must be names of parameters')

export const settings = [
  {
    name: 'customers',
    describes: 'the customers whose people may come (CustomerId): the secret is the same for every site',
    accepts: 'numbers parted by commas, such as 14,15',
    placeholder: '<id,…>',
    schema: z.array(number).min(1).max(1000),
  },
  {
    name: 'schools',
    describes: 'only people of these schools (the number in SchoolId, which every launch then must bring)',
    accepts: 'numbers parted by commas, such as 5,6',
    placeholder: '<id,…>',
    schema: z.array(number).max(1000),
    default: [],
  },
  {
    name: 'licensed',
    describes: 'the application is licensed: LicenseIds and ExternalLicenseIds must come, otherwise must not',
    accepts: 'on or off',
    placeholder: '<on|off>',
    schema: z.boolean(),
    default: false,
  },
  {
    name: 'alwaysSent',
    describes: 'further parameters that every launch must bring, so that nobody writes them into their own name',
    accepts: 'names of parameters parted by commas, such as Locale,Language',
    placeholder: '<name,…>',
    schema: z.array(parameterName).max(50),
    default: [],
  },
  {
    name: 'maxSkewSeconds',
    describes: 'how far the time of a signature may lie from ours',
    accepts: `whole numbers from ${leastSkewSeconds} to ${mostSkewSeconds}`,
    placeholder: '<seconds>',
    schema: z.int().min(leastSkewSeconds).max(mostSkewSeconds),
    default: 300,
  },
  {
    name: 'publicUrl',
    describes: 'what is registered at itslearning, without /view, where it is not this server’s own address',
    accepts: 'an address, http:// or https://, percent-encoded, without a query and without a / at its end',
    placeholder: '<url>',
    schema: z
      .string()
      .max(500)
      // What else an address may hold a header may not: browsers are sent there.
      .regex(/^https?:\/\/[^\s?#/@]+(?:\/\S*)?$/, 'must be an address, http:// or https://')
      .regex(/^[!-~]+$/, 'must be percent-encoded')
      .regex(/^[^?#]*[^?#/]$/, 'must have no query, and no / at its end')
      .nullable(),
    default: null,
  },
  {
    name: 'homePage',
    describes: 'homePage of the accounts by which people are known here; {customerId} stands for theirs',
    accepts: 'an address, http:// or https://, which may hold {customerId}',
    placeholder: '<url>',
    schema: z
      .string()
      .max(500)
      .refine((text) => /^https?:/.test(text) && isIri(text.replaceAll('{customerId}', '1')), 'must be http(s)://…'),
    default: 'https://www.itslearning.com/customers/{customerId}',
  },
  {
    name: 'content',
    describes: 'the content that is opened where nobody has chosen another (its id)',
    accepts: 'the id of a content, 24 hex digits',
    placeholder: '<id>',
    schema: z
      .string()
      .regex(/^[0-9a-f]{24}$/, 'must be the id of a content, 24 hex digits')
      .nullable(),
    default: null,
  },
  {
    name: 'frameAncestors',
    describes: 'the sites that may show our pages in a frame',
    accepts: 'origins parted by commas, such as https://*.itslearning.com',
    placeholder: '<origin,…>',
    schema: z
      .array(
        z
          .string()
          .regex(
            /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d{1,5})?$/,
            'must be origins, such as https://*.itslearning.com',
          ),
      )
      .max(20),
    default: ['https://*.itslearning.com'],
  },
  {
    name: 'applicationKey',
    describes: 'of the application at itslearning; only `claviger launch rest-header` needs it',
    accepts: 'a key as itslearning shows it: letters, digits, _ and -',
    placeholder: '<key>',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a key as itslearning shows it')
      .nullable(),
    default: null,
  },
] as const satisfies readonly PlatformSetting[]

type Named<Name extends string> = Extract<(typeof settings)[number], { readonly name: Name }>
export type Settings = {
  readonly [Setting in (typeof settings)[number] as Setting['name']]: z.infer<Named<Setting['name']>['schema']>
}

/** As they are kept, with what was not given. Throws `invalid` for what the command line would not have let through. */
export function readSettings(kept: Json): Settings {
  const given = typeof kept === 'object' && kept !== null ? (kept as Readonly<Record<string, Json>>) : {}
  const all = settings.map((setting) => [setting.name, readSetting(setting, given[setting.name])])
  return Object.fromEntries(all) as Settings
}

function readSetting(setting: PlatformSetting, given: Json | undefined): Json {
  const { name, schema, default: fallback } = setting
  const read = schema.safeParse(given ?? fallback)
  if (read.success) return read.data
  const message = `${name} is not set, or to nothing it could be: ${setting.describes}.`
  throw invalid(message, [{ pointer: `/settings/${name}`, rule: 'claviger/platform', message }])
}

/** What every launch has to bring beside what all have to. */
export function demandedBy({ alwaysSent, licensed, schools }: Settings): readonly string[] {
  return [
    ...alwaysSent,
    ...(licensed ? ['LicenseIds', 'ExternalLicenseIds'] : []),
    ...(schools.length > 0 ? ['SchoolId'] : []),
  ]
}

/** The account is the customer's: the same number may be somebody else at another's. */
export function homePageOf({ homePage }: Pick<Settings, 'homePage'>, { customerId }: Instance): string {
  return homePage.replaceAll('{customerId}', customerId)
}

export const pages = ['view', 'add', 'delete'] as const
export type Page = (typeof pages)[number]

/** As it is registered, so never as a request says: a proxy may have changed that, and anybody can. */
export function addressOf(page: Page, served: Served): string {
  return `${rootOf(served)}/${page}`
}

export interface Served {
  readonly id: string
  readonly baseUrl: string
  readonly publicUrl?: string | null
}

/** Below it lies all that a platform's people come to. */
export function rootOf({ id, baseUrl, publicUrl = null }: Served): string {
  return publicUrl ?? `${baseUrl}/launch/itslearning/${id}`
}
