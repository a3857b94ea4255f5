// What a command that fails says: the core's pointers become the options that were typed, its codes exit codes. Repeats
// what was typed, except secrets.

import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { inWords, isDomainError } from '../core/errors.ts'
import type { Failure } from '../core/errors.ts'
import { exitCodes, PlainError, UsageError } from './outcome.ts'
import type { Streams } from './socket.ts'

/** Which option a pointer of the core comes from; the longest prefix counts. */
const optionOf: Readonly<Record<string, string>> = {
  '/name': '--name',
  '/key': '--key',
  '/secret': '--secret',
  '/id': '--id',
  '/oid': '--oid',
  '/lrs/id': '--lrs-id',
  '/lrs/name': '--lrs-name',
  '/lrsIds': '--lrs',
  '/defaultLrsId': '--default-lrs',
  '/description': '--description',
  '/homePage': '--home-page',
  '/expiresAt': '--expires',
  '/expireSeconds': '--expires',
  '/overlapSeconds': '--overlap',
  '/rights/xapi': '--right',
  '/rights/management': '--manage',
  '/oauth/publicKey': '--oauth-public-key',
  '/pins/actor': '--pin-actor',
  '/pins/registration': '--pin-registration',
  '/pins/activity': '--pin-activity',
  '/settings/url': '--url',
  '/settings/style': '--style',
  '/settings/activityId': '--activity-id',
  '/settings/activityType': '--activity-type',
  '/settings/homePage': '--home-page',
  '/settings/idleSeconds': '--idle',
  '/settings/absoluteSeconds': '--absolute',
  '/settings/ignoredParams': '--ignore-param',
  '/settings/masteryScore': '--mastery-score',
  '/settings/moveOn': '--move-on',
  '/settings/launchParameters': '--launch-parameters',
  '/settings/entitlementKey': '--entitlement-key',
  '/settings/courseId': '--course-id',
  '/settings/returnUrl': '--return-url',
  '/actor': '--actor',
  '/registration': '--registration',
  '/activityId': '--activity-id',
  '/language': '--language',
  '/data': '--data',
  '/resource': '--place',
  '/limits/ratePerMinute': '--limit-rate',
  '/limits/burst': '--limit-burst',
  '/limits/batch': '--limit-batch',
  '/limits/bodyBytes': '--limit-body',
  '/limits/dailyQuota': '--limit-daily',
  '/limits/addresses': '--limit-address',
  '/limits/origins': '--limit-origin',
  '/limits/xapiVersions': '--limit-xapi-version',
}

function optionEntry(pointer: string): readonly [string, string] | undefined {
  return Object.entries(optionOf).find(([start]) => pointer === start || pointer.startsWith(`${start}/`))
}

/** The option that a pointer of the core comes from. */
export function optionFor(pointer: string): string | undefined {
  return optionEntry(pointer)?.[1]
}

/** Chosen identifiers, which may be taken. */
const idOptions = new Set(['--id', '--oid', '--lrs-id'])

export interface Failing {
  readonly isJson: boolean
  readonly streams: Streams
  /** The command whose action failed; undefined when none was found. */
  readonly command: Command | undefined
}

/** Writes what went wrong; returns the exit code. */
export function explainFailure(error: unknown, { isJson, streams, command }: Failing): number {
  if (error instanceof CommanderError) {
    // In words, commander has printed its message, or the help that was asked for.
    if (error.exitCode === 0) return exitCodes.ok
    const message = error.code === 'commander.help' ? 'there is no command' : error.message.replace(/^error: /, '')
    if (isJson) streams.err(inJson({ code: 'usage', message, failures: [] }))
    return exitCodes.usage
  }
  const failures = isDomainError(error) ? (error.detail.failures ?? []) : []
  const lines = [...new Set(failures.map((failure) => inOptions(failure, command)))]
  const code = error instanceof UsageError ? 'usage' : isDomainError(error) ? error.code : 'failed'
  const chosen = code === 'conflict' ? chosenIds(command) : ''
  const message = error instanceof Error ? chosen + error.message : String(error)
  if (isJson) streams.err(inJson({ code, message: lines.length === 1 ? lines[0]! : message, failures }))
  else if (lines.length > 1) streams.err(`error: ${lines.length} things are wrong:\n  ${lines.join('\n  ')}\n`)
  else streams.err(`error: ${lines[0] ?? (isKnown(error) ? message : stackOf(error))}\n`)
  return error instanceof UsageError || lines.length > 0 ? exitCodes.usage : exitCodes.failed
}

/** `--id 7: `, for a conflict with one of them. */
function chosenIds(command: Command | undefined): string {
  const typed = (command?.options ?? []).flatMap((option) => {
    const value: unknown = command?.getOptionValue(option.attributeName())
    return typeof value === 'string' && idOptions.has(option.long ?? '') ? [`${option.long} ${value}`] : []
  })
  return typed.length === 0 ? '' : `${typed.join(' or ')}: `
}

function inJson(error: object): string {
  return `${JSON.stringify({ error }, undefined, 2)}\n`
}

function isKnown(error: unknown): boolean {
  return error instanceof UsageError || error instanceof PlainError || isDomainError(error)
}

/** A defect of ours: the stack is what a report needs. It holds no values, so no secrets. */
function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** `--pin-actor "ann@": …` for what an option or argument holds; with its pointer for what came from elsewhere. */
function inOptions(failure: Failure, command: Command | undefined): string {
  const { pointer, message } = failure
  const [prefix, flag] = optionEntry(pointer) ?? []
  if (prefix === undefined || flag === undefined || !command) return inWords(failure)
  const option = command.options.find(({ long }) => long === flag)
  // A name that is an argument is the first one.
  if (!option)
    return command.args[0] === undefined ? inWords(failure) : `${JSON.stringify(command.args[0])}: ${message}`
  const typed: unknown = command.getOptionValue(option.attributeName())
  if (flag === '--secret') return `${flag}: ${message}`
  const words = (Array.isArray(typed) ? typed : [typed]).filter((word): word is string => typeof word === 'string')
  // One word may stand for several grants, and a preset brings its own: then all of the words are named.
  const one = flag === '--manage' ? undefined : words[Number(pointer.slice(prefix.length + 1).split('/')[0])]
  const meant = one === undefined ? words : [one]
  return `${[flag, ...meant.map((word) => JSON.stringify(word))].join(' ')}: ${message}`
}
