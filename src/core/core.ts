// Composes the use cases over one storage. What faces and the command line hold in their hands; storage stays inside.

import { randomUUID } from 'node:crypto'
import { authorise, explain } from './access.ts'
import { Activities } from './activities.ts'
import { Agents } from './agents.ts'
import { Applications } from './application.ts'
import { Audit, recordKeyRotation } from './audit.ts'
import { Callbacks } from './callback.ts'
import type { CallbackProtocol } from './callback-verdict.ts'
import { Contents } from './content.ts'
import { CountExchange } from './count-exchange.ts'
import { Credentials, guessLimits } from './credential.ts'
import { CredentialBulk } from './credential-bulk.ts'
import { isDomainError } from './errors.ts'
import { Exports } from './exporting.ts'
import { FailureLimit } from './failure-limit.ts'
import type { FailureLimits } from './failure-limit.ts'
import { JobRunner, Leases } from './jobs.ts'
import type { Job, LeaseTiming } from './jobs.ts'
import { Documents } from './documents.ts'
import { Imports } from './importing.ts'
import { Erasures } from './erasure.ts'
import type { Oid } from './ids.ts'
import { RateLimits, rememberedRates } from './limits.ts'
import type { ServerLimits } from './limits.ts'
import { Launches } from './launch.ts'
import { LaunchGate } from './launch-gate.ts'
import { LaunchReach } from './launch-reach.ts'
import { Scribe } from './launch-scribe.ts'
import { LrsDirectory } from './lrs.ts'
import { noMeter } from './meter.ts'
import type { JobName, Meter } from './meter.ts'
import { Forwarding } from './forwarding.ts'
import type { ForwardingState, ForwardingTiming } from './forwarding.ts'
import { Pipes } from './pipe.ts'
import { Placements } from './placement.ts'
import { Platforms } from './platform.ts'
import { takeRandom } from './random.ts'
import type { RemoteLrsDoor } from './remote-lrs.ts'
import { Organisations } from './organisation.ts'
import { noOutbound } from './outbound.ts'
import type { Outbound } from './outbound.ts'
import { Replays } from './replay.ts'
import { Restores } from './restoring.ts'
import { Retention } from './retention.ts'
import { Sessions } from './session.ts'
import { Settings } from './setting.ts'
import { SignIn } from './sign-in.ts'
import { Statements } from './statements.ts'
import type { Clock, Ids, Storage } from './storage.ts'
import { Tokens } from './token.ts'
import { UsageMeter } from './usage.ts'
import { Vault, rotateMasterKey } from './vault.ts'

/** The part of a pino logger that core uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** One line a request; only called where the log level asks for it. */
  debug?(fields: object, message: string): void
}

export interface CoreOptions {
  readonly storage: Storage
  /** 32 bytes. */
  readonly masterKey: Buffer
  /** During a rotation: if the store still stands on this one, everything is rewrapped at start. */
  readonly masterKeyPrevious?: Buffer | undefined
  readonly clock?: Clock
  readonly ids?: Ids
  /** Where the server is reached from outside; the homePage of derived authorities. */
  readonly baseUrl: string
  readonly limits: ServerLimits
  readonly log?: Log
  readonly meter?: Meter
  /** Who is asked and forwarded to; nobody, unless given (`noOutbound`). */
  readonly outbound?: Outbound
  /** How callbacks are asked; absent: nobody is. */
  readonly callbackProtocol?: CallbackProtocol
  /** Where pipes lead; without it nothing is forwarded. */
  readonly remoteLrs?: RemoteLrsDoor
  /** Whether this node works on pipes; it does unless told otherwise. */
  readonly isForwarding?: boolean
  /** For tests. */
  readonly forwardingTiming?: ForwardingTiming
  /** For tests: how fast another node follows one that was killed. */
  readonly leaseTiming?: LeaseTiming
}

export interface Core {
  /** Where the server is reached from outside. */
  readonly baseUrl: string
  readonly organisations: Organisations
  readonly lrs: LrsDirectory
  readonly credentials: Credentials
  /** Many of them at once. */
  readonly credentialBulk: CredentialBulk
  readonly applications: Applications
  readonly callbacks: Callbacks
  readonly settings: Settings
  readonly pipes: Pipes
  /** What pipes do on this node. */
  readonly forwarding: ForwardingState
  readonly sessions: Sessions
  readonly platforms: Platforms
  readonly contents: Contents
  readonly placements: Placements
  readonly launches: Launches
  readonly tokens: Tokens
  readonly signIn: SignIn
  readonly replays: Replays
  readonly access: { readonly explain: typeof explain; readonly authorise: typeof authorise }
  readonly statements: Statements
  readonly documents: Documents
  readonly activities: Activities
  readonly agents: Agents
  readonly erasures: Erasures
  readonly retention: Retention
  readonly imports: Imports
  /** What there is, for whoever takes it elsewhere; and put back there. */
  readonly exports: Exports
  readonly restores: Restores
  readonly audit: Audit
  readonly usage: UsageMeter
  readonly limits: RateLimits
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** What only one node does at a time. */
  readonly leases: Leases
  /** Flushes counters, finishes what was accepted, closes storage. Idempotent. */
  close(): Promise<void>
}

const sweepEveryMs = 3_600_000
/** Asks for what a node that was killed has left; mostly there is nothing. */
const resumeEveryMs = 20_000
/** A launch that is not used any more is over when its session is; soon after, that is written down. */
const lapseEveryMs = 10_000
/** Bytes come before the rows that refer to them; no request takes as long as this. */
const orphansLiveMs = 24 * 3_600_000

export const systemClock: Clock = { now: () => Date.now() }

export function randomIds(clock: Clock): Ids {
  const hex = (bytes: number): string => takeRandom(bytes).toString('hex')
  const time = (): string =>
    Math.floor(clock.now() / 1000)
      .toString(16)
      .padStart(8, '0')
      .slice(-8)
  const orderedUuid = (): string => {
    const at = clock.now().toString(16).padStart(12, '0')
    const random = hex(10)
    const variant = '89ab'[Number.parseInt(random.slice(3, 4), 16) % 4]
    const parts = [at.slice(0, 8), at.slice(8), `7${random.slice(0, 3)}`, `${variant}${random.slice(4, 7)}`]
    return `${parts.join('-')}-${random.slice(7, 19)}`
  }
  return { hex, uuid: () => randomUUID(), orderedUuid, oid: () => `${time()}${hex(8)}` as Oid }
}

const noForwarding: ForwardingState = { pipes: 0, working: 0, failing: 0, lagSeconds: 0 }

/** Throws `invalid` when the master key is not the one the store was made with. */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { storage, baseUrl, log, clock = systemClock, ids = randomIds(clock), meter = noMeter } = options
  const leases = new Leases({
    ...{ nodes: storage.nodes, node: randomUUID() },
    ...(options.leaseTiming && { timing: options.leaseTiming }),
  })
  const vault = await openVault(options, { clock, leases })
  const parts = { storage, vault, clock, ids }
  const tokens = new Tokens(parts)
  const usage = new UsageMeter({
    storage,
    clock,
    onError: (error) => tellUnwritten(log, error, 'kept for the next time'),
  })
  const onUnwritten = (error: unknown): void => tellUnwritten(log, error, 'lost, for this process stops')
  const counts = new CountExchange({
    nodes: storage.nodes,
    onError: (err) => log?.warn({ err }, 'Counts for limits are not brought together with other nodes’ for now.'),
  })
  const newFailures = (kind: string, most?: FailureLimits): FailureLimit =>
    new FailureLimit(most, (of, max) => counts.newCounters(`${kind} ${of}`, max))
  const failures = newFailures('sign-in')
  const signIn = new SignIn({ failures, storage, vault, clock, tokens, usage, baseUrl, meter })
  const sessions = new Sessions(parts)
  const erasures = new Erasures({
    ...{ ...parts, leases },
    onError: (err) => log?.error({ err }, 'An erasure broke off; it goes on within minutes.'),
  })
  const retention = new Retention({ storage, erasures, clock })
  const scribe = new Scribe({ storage, vault, clock, baseUrl, statements: () => statements })
  const launches = new Launches({
    ...{ ...parts, sessions, baseUrl, scribe },
    onError: (err) => log?.error({ err }, 'A launch could not be ended as it should; it is tried again.'),
  })
  const launched = new LaunchGate({
    ...{ storage, clock },
    satisfied: (launch) => scribe.satisfied(launch),
    terminate: (principal) => launches.terminate(principal),
    onError: (err) => log?.error({ err }, 'What follows from a statement of a launch was not done; it is tried again.'),
  })
  const platforms = new Platforms(parts)
  const jobs = new JobRunner({
    leases,
    jobs: jobsOf({ sessions, launches, storage, erasures, retention, log }),
    onEnd(job, error) {
      meter.jobEnded(job, error === undefined)
      if (error !== undefined) log?.error({ err: error, job }, 'What is done regularly broke off; it is tried again.')
    },
  })
  const limits = new RateLimits({
    ...{ clock, server: options.limits },
    counters: counts.newCounters('rate', rememberedRates),
  })
  const launchReach = new LaunchReach({ storage, clock, baseUrl })
  const batchLimit = options.limits.batch
  const statements = new Statements({ storage, ids, batchLimit, meter, launched, launchReach })
  const guesses = newFailures('pair', guessLimits)
  const credentials = new Credentials({ ...parts, guesses })
  const applications = new Applications({ ...parts, credentials })
  const { remoteLrs, isForwarding = true } = options
  const forwarding =
    isForwarding && remoteLrs
      ? new Forwarding({ ...parts, leases, remote: remoteLrs, meter, log, timing: options.forwardingTiming })
      : undefined
  const pipes = new Pipes({
    ...{ ...parts, applications },
    problemWith: (url) => remoteLrs?.problemWith(url),
    onChange: () => forwarding?.wake(),
  })
  let closing: Promise<void> | undefined
  return {
    baseUrl,
    organisations: new Organisations(parts),
    lrs: new LrsDirectory(parts),
    credentials,
    credentialBulk: new CredentialBulk({ ...parts, guesses, credentials }),
    applications,
    callbacks: new Callbacks({
      ...{ ...parts, applications, usage, baseUrl, log },
      ...{ outbound: options.outbound ?? noOutbound, protocol: options.callbackProtocol },
    }),
    settings: new Settings({ ...parts, applications }),
    pipes,
    get forwarding() {
      return forwarding?.state ?? noForwarding
    },
    sessions,
    platforms,
    contents: new Contents(parts),
    placements: new Placements({ ...parts, platforms }),
    launches,
    tokens,
    signIn,
    replays: new Replays(parts),
    access: { explain, authorise },
    statements,
    documents: new Documents({ storage, limits }),
    activities: new Activities(parts),
    agents: new Agents(parts),
    erasures,
    retention,
    imports: new Imports(parts),
    exports: new Exports(parts),
    restores: new Restores(parts),
    audit: new Audit(parts),
    usage,
    limits,
    vault,
    clock,
    ids,
    leases,
    close: () =>
      (closing ??= closeAll({
        jobs,
        forwarding,
        counts,
        erasures,
        statements,
        usage,
        signIn,
        applications,
        storage,
        onUnwritten,
      })),
  }
}

// A rotation interrupted before its one transaction starts again; one interrupted after it has nothing left to do. Of nodes that
// start together one rotates.
async function openVault(
  { storage, masterKey, masterKeyPrevious, log }: CoreOptions,
  { clock, leases }: { readonly clock: Clock; readonly leases: Leases },
): Promise<Vault> {
  const vault = new Vault(masterKey)
  const isOn = async (key: Buffer): Promise<boolean> => {
    const check = await storage.platform.findKeyCheck()
    return check !== undefined && new Vault(key).fitsCheck(check)
  }
  if (masterKeyPrevious !== undefined && (await isOn(masterKeyPrevious)) && !(await isOn(masterKey))) {
    await leases.holdNext('master key', async () => {
      if (await isOn(masterKey)) return
      const organisations = await rotateMasterKey(storage.platform, masterKeyPrevious, masterKey)
      await recordKeyRotation(storage, clock, { kind: 'system', name: 'start' })
      log?.info({ organisations }, 'The master key was rotated.')
    })
  }
  await vault.checkMasterKey(storage.platform)
  return vault
}

interface Workable {
  readonly sessions: Sessions
  readonly launches: Launches
  readonly storage: Storage
  readonly erasures: Erasures
  readonly retention: Retention
  readonly log: Log | undefined
}

function jobsOf({ sessions, launches, storage, erasures, retention, log }: Workable): readonly Job<JobName>[] {
  const erase: Job<JobName> = {
    name: 'erasures',
    everyMs: resumeEveryMs,
    isDueAtStart: true,
    async run(signal) {
      const done = await erasures.resume(signal)
      if (done.length > 0) log?.info({ erasures: done.length }, 'Erasures that were interrupted are done.')
    },
  }
  const sweepSessions: Job<JobName> = {
    name: 'sessions',
    everyMs: sweepEveryMs,
    async run(signal) {
      const swept = await sessions.sweep(signal)
      if (swept > 0) log?.info({ sessions: swept }, 'Sessions that expired more than a day ago were removed.')
    },
  }
  const endLaunches: Job<JobName> = {
    name: 'launches',
    everyMs: lapseEveryMs,
    async run(signal) {
      const ended = await launches.lapse(signal)
      if (ended > 0) log?.info({ launches: ended }, 'Launches that nobody used any more were ended.')
    },
  }
  const sweepLaunches: Job<JobName> = {
    name: 'launches swept',
    everyMs: sweepEveryMs,
    async run(signal) {
      const swept = await launches.sweep(signal)
      if (swept > 0) log?.info({ launches: swept }, 'Of launches that were over a month ago was forgotten what can be.')
    },
  }
  const sweepBlobs: Job<JobName> = {
    name: 'blobs',
    everyMs: sweepEveryMs,
    async run() {
      const swept = await storage.blobs.sweep(orphansLiveMs)
      if (swept.removed > 0) log?.info(swept, 'Data of attachments and documents that nothing refers to was removed.')
    },
  }
  const applyRetention: Job<JobName> = {
    name: 'retention',
    everyMs: sweepEveryMs,
    async run(signal) {
      const statements = await retention.apply(signal)
      if (statements > 0) log?.info({ statements }, 'Statements older than their Lrs keeps them were removed.')
    },
  }
  return [erase, sweepSessions, endLaunches, sweepLaunches, sweepBlobs, applyRetention]
}

/** A store that is away is no defect: its own lines say more. */
function tellUnwritten(log: Log | undefined, err: unknown, fate: string): void {
  const message = `Usage counters could not be written: they are ${fate}.`
  if (isDomainError(err) && err.code === 'unavailable') log?.warn({ reason: err.message }, message)
  else log?.error({ err }, message)
}

async function closeAll(parts: {
  jobs: JobRunner<JobName>
  forwarding: Forwarding | undefined
  counts: CountExchange
  erasures: Erasures
  statements: Statements
  usage: UsageMeter
  signIn: SignIn
  applications: Applications
  storage: Storage
  onUnwritten: (error: unknown) => void
}): Promise<void> {
  parts.counts.close()
  await Promise.all([parts.forwarding?.close(), parts.jobs.close(), parts.erasures.close()])
  await parts.statements.close()
  // Counters that cannot be written must not keep the store from closing.
  await parts.usage.close().catch(parts.onUnwritten)
  parts.signIn.close()
  parts.applications.close()
  await parts.storage.close()
}
