// Writes down what whoever launches must: of a cmi5 unit the documents that it starts from, and launched, satisfied and abandoned
// (sections 9.3, 10 and 11); for Tin Can content what the platform said. Each can be written again after a crash, and is then there
// once. What it says of a unit is cmi5/'s matter.

import { launchData, launchParametersOf, learnerPreferences } from './cmi5/launch-data.ts'
import { abandonedStatement, launchedStatement, satisfiedStatement } from './cmi5/launcher-statements.ts'
import type { Occasion } from './cmi5/launcher-statements.ts'
import { isDone, isFinished, progressOf, progressToStore, storingMs, unitOf } from './cmi5/unit.ts'
import type { Noted, Progress, RegistrationProgress } from './cmi5/unit.ts'
import { launchDataId, preferencesId } from './cmi5/vocabulary.ts'
import { DomainError, isDomainError } from './errors.ts'
import type { LaunchScribe } from './launch-ending.ts'
import type { LaunchData } from './launch-plan.ts'
import { findLauncher } from './launch-principal.ts'
import { advance } from './launch-step.ts'
import type { Principal } from './principal.ts'
import type { Statements } from './statements.ts'
import type { Clock, DocumentScope, Json, LaunchRecord, Preconditions, Storage } from './storage.ts'
import { uuid5 } from './uuid5.ts'
import type { Vault } from './vault.ts'
import { entityTag } from './xapi/document.ts'
import type { JsonObject } from './xapi/rule.ts'

/** The State document that tells Tin Can content what the platform said of learner and place. */
export const platformDataId = 'claviger.launch'

export interface ScribeParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  /** Where the server is reached from outside. */
  readonly baseUrl: string
  /** They ask the scribe in turn. */
  readonly statements: () => Statements
}

export class Scribe implements LaunchScribe {
  readonly #parts: ScribeParts

  constructor(parts: ScribeParts) {
    this.#parts = parts
  }

  async launched(launch: LaunchRecord): Promise<LaunchRecord> {
    if (launch.style === 'tincan') await this.#contentLaunched(launch)
    else if (progressOf(launch).session.launchedAt === undefined) return this.#unitLaunched(launch)
    return launch
  }

  /** Tin Can has no document of its own for this (ledger S3.5). */
  async #contentLaunched(launch: LaunchRecord): Promise<void> {
    const { language, given } = dataOf(launch)
    if (given === null) return
    await this.#leave(launch, await this.#requireLauncher(launch), platformDataId, { language, data: given })
  }

  async #unitLaunched(opened: LaunchRecord): Promise<LaunchRecord> {
    const launcher = await this.#requireLauncher(opened)
    const { registration } = progressOf(opened)
    const reached = await this.#stored(opened, registration)
    // Whatever a unit says of one that is finished would be refused: it says nothing when it is reviewed (section 10.2.2).
    const isReviewed = opened.mode === 'normal' && isFinished(this.#occasion(opened).unit, reached)
    const launch: LaunchRecord = isReviewed ? { ...opened, mode: 'review' } : opened
    const occasion = this.#occasion(launch)
    const { unit, settings, at } = occasion
    const { language, given } = dataOf(launch)
    const handed = { returnUrl: `${this.#parts.baseUrl}/launch/closed`, given }
    await this.#leave(launch, launcher, launchDataId, launchData(unit, settings, handed))
    await this.#leavePreferences(launch, launcher, learnerPreferences(language))
    const isSatisfied = isDone(unit, reached)
    if (isSatisfied && !registration.isSatisfied) {
      await this.#say(launcher, launch, satisfiedStatement(occasion, { isOutside: true }))
    }
    await this.#say(launcher, launch, launchedStatement(occasion, launchParametersOf(settings, { given })))
    return this.#note(launch, ({ session: before, registration: of }) => ({
      session: { ...before, launchedAt: at },
      registration: isSatisfied ? { ...of, isSatisfied } : of,
    }))
  }

  /** Once what was said has made it so (section 13.1.4, moveOn). */
  async satisfied(launch: LaunchRecord): Promise<void> {
    const occasion = this.#occasion(launch)
    const { registration } = progressOf(launch)
    if (registration.isSatisfied || !isDone(occasion.unit, registration)) return
    if (!isDone(occasion.unit, await this.#stored(launch, registration))) return
    const launcher = await this.#launcher(launch)
    if (launcher === undefined) return
    await this.#say(launcher, launch, satisfiedStatement(occasion, { isOutside: false }))
    await this.#note(launch, ({ session, registration: of }) => ({
      session,
      registration: { ...of, isSatisfied: true },
    }))
  }

  /** Nothing of one that was never launched, or that has said itself that it is over; nor where its key is gone, or writes no more. */
  async abandoned(launch: LaunchRecord): Promise<void> {
    const { session } = progressOf(launch)
    const { launchedAt, heardAt = launchedAt, terminated } = session
    if (launchedAt === undefined || heardAt === undefined || launch.data === null) return
    if (terminated !== undefined && (await this.#isStored(launch, terminated.id))) return
    // Content that is closed says so while its learner opens it again.
    if (terminated !== undefined && this.#isUnderWay(terminated)) throw underWay()
    const launcher = await this.#launcher(launch)
    if (launcher === undefined) return
    const seconds = (heardAt - launchedAt) / 1000
    await this.#say(launcher, launch, abandonedStatement(this.#occasion(launch), seconds)).catch((error: unknown) => {
      // Who may write no more, or nowhere, leaves no word; the launch is over all the same.
      if (!isDomainError(error) || error.code !== 'forbidden') throw error
    })
  }

  async hasTerminated(launch: LaunchRecord): Promise<boolean> {
    const { terminated } = progressOf(launch).session
    // The node that stored it is about to end it, once those that were sent before are heard.
    if (terminated === undefined || this.#isUnderWay(terminated)) return false
    return this.#isStored(launch, terminated.id)
  }

  #isUnderWay({ since }: Noted): boolean {
    return since > this.#parts.clock.now() - storingMs
  }

  /** Of what is noted: what broke off before it was stored does not count, nor what is voided. */
  async #stored(launch: LaunchRecord, { completed, passed }: RegistrationProgress): Promise<RegistrationProgress> {
    const [isCompleted, isPassed] = await Promise.all(
      [completed, passed].map(async (noted) => noted !== undefined && (await this.#isStored(launch, noted.id))),
    )
    return { ...(isCompleted && completed && { completed }), ...(isPassed && passed && { passed }) }
  }

  #launcher(launch: LaunchRecord): Promise<Principal | undefined> {
    return findLauncher(this.#parts.storage.directory, this.#parts.baseUrl, launch)
  }

  async #requireLauncher(launch: LaunchRecord): Promise<Principal> {
    const launcher = await this.#launcher(launch)
    if (launcher === undefined) throw new DomainError('not_found', 'The key of this launch is gone.')
    return launcher
  }

  #occasion(launch: LaunchRecord): Occasion {
    const { settings } = dataOf(launch)
    const { actor, registration } = launch
    const unit = unitOf(launch, settings)
    const { clock, vault } = this.#parts
    const idOf: Occasion['idOf'] = (...about) => uuid5([vault.noteName('launcher statement', ...about)])
    return { unit, settings, actor: actor as JsonObject, registration, at: clock.now(), idOf }
  }

  /** Its id is that of what it says: another text under it was stored by an attempt that broke off. */
  async #say(launcher: Principal, { lrsId }: LaunchRecord, statement: JsonObject): Promise<void> {
    const submission = { text: JSON.stringify(statement), version: '1.0' } as const
    await this.#parts
      .statements()
      .store(launcher, lrsId, submission)
      .catch((error: unknown) => {
        if (!isDomainError(error) || error.code !== 'conflict') throw error
      })
  }

  async #isStored({ lrsId, credentialId }: LaunchRecord, id: string): Promise<boolean> {
    const options = { isVoided: false, owner: credentialId }
    return (await this.#parts.storage.statements.find(lrsId, id, options)).statement !== undefined
  }

  /** Section 10.1. */
  #leave(launch: LaunchRecord, launcher: Principal, id: string, content: Json): Promise<void> {
    const { activityId, actorKey: agent, registration } = launch
    const scope = { kind: 'state', activityId, agent, registration } as const
    return this.#put(launch, launcher, { scope, id, right: 'state/write' }, content)
  }

  /** Section 11: those that are there are the learner's own. */
  async #leavePreferences(launch: LaunchRecord, launcher: Principal, content: Json | undefined): Promise<void> {
    if (content === undefined) return
    const scope = { kind: 'agent-profile', agent: launch.actorKey } as const
    const unlessThere = { ifNoneMatch: 'any' } as const
    await this.#put(launch, launcher, { scope, id: preferencesId, right: 'profile/write' }, content, unlessThere)
  }

  async #put(
    { lrsId, credentialId: owner }: LaunchRecord,
    { rights }: Principal,
    { scope, id, right }: { scope: DocumentScope; id: string; right: 'state/write' | 'profile/write' },
    json: Json,
    conditions: Preconditions = {},
  ): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(json))
    const content = { kind: 'inline', bytes } as const
    const access = { owner, reach: rights.xapi[right] ?? 'mine' } as const
    const change = { kind: 'replace', content, contentType: 'application/json', etag: entityTag(bytes) } as const
    const options = { preconditions: conditions, mostBytes: bytes.byteLength }
    const outcome = await this.#parts.storage.documents.change(lrsId, { ...scope, id }, access, change, options)
    if (outcome.kind === 'done' || outcome.kind === 'precondition_failed') return
    throw new DomainError('conflict', `There are as many documents beside ${id} as there may be; delete some first.`)
  }

  async #note(launch: LaunchRecord, change: (progress: Progress) => Progress): Promise<LaunchRecord> {
    const { mode } = launch
    const noted = await advance(this.#parts.storage.launches, launch, (now) => ({
      progress: { ...now.progress, ...progressToStore(change(progressOf(now))) },
      mode,
    }))
    return noted ?? launch
  }
}

/** Of a launch that runs, or has just ended. */
function dataOf({ data }: LaunchRecord): LaunchData {
  return data as unknown as LaunchData
}

function underWay(): DomainError {
  return new DomainError('unavailable', 'The content may just be saying that it is over; seen to in ten seconds.')
}
