// The platform and directory halves of the port over one Kysely, for an engine to run inside its transactions. Which of them
// write, and whose sign-ins a write concerns, is the table `operations`.

import * as application from './application.ts'
import * as audit from './audit.ts'
import * as content from './content.ts'
import * as credential from './credential.ts'
import * as credentialWrites from './credential-writes.ts'
import * as erasure from './erasure.ts'
import * as identifiers from './identifiers.ts'
import * as imported from './import.ts'
import * as launch from './launch.ts'
import { listRegistrations } from './launch-place.ts'
import * as lrs from './lrs.ts'
import * as note from './note.ts'
import * as organisation from './organisation.ts'
import * as pipe from './pipe.ts'
import * as platforms from './platform.ts'
import * as session from './session.ts'
import { findSignInCandidates } from './sign-in.ts'
import { findTicket, useTicket } from './ticket.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, ErasureStore, ImportStore, LaunchStore, PlatformStore } from '../../core/storage.ts'
import type { OrganisationId } from '../../core/ids.ts'

export type { Db } from './change.ts'

type OverDb<Store> = {
  readonly [M in keyof Store]: Store[M] extends (...args: infer Args) => infer Result
    ? (db: Db, ...args: Args) => Result
    : never
}

export const platform: OverDb<PlatformStore> = {
  listOrganisations: organisation.listOrganisations,
  createOrganisation: organisation.createOrganisation,
  findSignInCandidates,
  findKeyCheck: organisation.findKeyCheck,
  putKeyCheck: organisation.putKeyCheck,
  rewrapKeys: organisation.rewrapKeys,
  addUsage: audit.addUsage,
  listOpenErasures: erasure.listOpenErasures,
  findApplication: application.anyApplication,
  listRunningPipes: pipe.listRunningPipes,
  remember: note.remember,
  recall: note.recall,
  findHolders: identifiers.findHolders,
}

export const directory: OverDb<DirectoryStore> = {
  findOrganisation: organisation.findOrganisation,
  updateOrganisation: organisation.updateOrganisation,
  createLrs: lrs.createLrs,
  listLrs: lrs.listLrs,
  updateLrs: lrs.updateLrs,
  reserveCredentialIds: identifiers.reserveCredentialIds,
  createCredential: credentialWrites.createCredential,
  findCredential: credential.findCredential,
  findCredentialBySecret: credential.findCredentialBySecret,
  listCredentials: credential.listCredentials,
  updateCredential: credentialWrites.updateCredential,
  deleteCredential: credentialWrites.deleteCredential,
  changeCredentials: credentialWrites.changeCredentials,
  createSession: session.createSession,
  listSessions: session.listSessions,
  findSession: session.findSession,
  deleteSession: session.deleteSession,
  sweepSessions: session.sweepSessions,
  createApplication: application.createApplication,
  findApplication: application.findApplication,
  listApplications: application.listApplications,
  updateApplication: application.updateApplication,
  deleteApplication: application.deleteApplication,
  listSettings: application.listSettings,
  putSettings: application.putSettings,
  createPipe: pipe.createPipe,
  findPipe: pipe.findPipe,
  listPipes: pipe.listPipes,
  updatePipe: pipe.updatePipe,
  savePipeProgress: pipe.savePipeProgress,
  deletePipe: pipe.deletePipe,
  appendAudit: audit.appendAudit,
  listAudit: audit.listAudit,
  listUsage: audit.listUsage,
  listLastUses: audit.listLastUses,
}

export const launches: OverDb<LaunchStore> = {
  createPlatform: platforms.createPlatform,
  findPlatform: platforms.findPlatform,
  findPlatformAnywhere: platforms.findPlatformAnywhere,
  listPlatforms: platforms.listPlatforms,
  updatePlatform: platforms.updatePlatform,
  deletePlatform: platforms.deletePlatform,
  createContent: content.createContent,
  findContent: content.findContent,
  listContents: content.listContents,
  updateContent: content.updateContent,
  deleteContent: content.deleteContent,
  putPlacement: content.putPlacement,
  deletePlacement: content.deletePlacement,
  findPlacement: content.findPlacement,
  listPlacements: content.listPlacements,
  createLaunch: launch.createLaunch,
  findLaunch: launch.findLaunch,
  listLaunches: launch.listLaunches,
  listRegistrations,
  advanceLaunch: launch.advanceLaunch,
  settleLaunch: launch.settleLaunch,
  endLaunch: launch.endLaunch,
  findTicket,
  useTicket,
  extendSession: session.extendSession,
  bindSession: session.bindSession,
  listLapsed: launch.listLapsed,
  listOwing: launch.listOwing,
  sweepLaunches: launch.sweepLaunches,
}

/** The part of the erasures that is a directory's; the removing is the engine's. */
type Jobs = Pick<ErasureStore, 'create' | 'finish' | 'find' | 'list'>

export const erasures: OverDb<Jobs> = {
  create: erasure.create,
  finish: erasure.finish,
  find: erasure.find,
  list: erasure.list,
}

/** As with erasures: what imports store is the engine's. */
type Progress = Pick<ImportStore, 'begin' | 'find' | 'list' | 'save' | 'finish'>

export const imports: OverDb<Progress> = {
  begin: imported.begin,
  find: imported.find,
  list: imported.list,
  save: imported.save,
  finish: imported.finish,
}

export type Operation =
  | `platform.${keyof PlatformStore}`
  | `directory.${keyof DirectoryStore}`
  | `launches.${keyof LaunchStore}`
  | `erasures.${keyof Jobs}`
  | `imports.${keyof Progress}`

/** Reads of one statement, which needs no transaction to agree with itself. */
export const singleReads: ReadonlySet<string> = new Set<Operation>([
  'platform.findSignInCandidates',
  'platform.findKeyCheck',
  'platform.listOpenErasures',
  'platform.findApplication',
  'platform.listRunningPipes',
  'platform.recall',
  'directory.findOrganisation',
  'directory.listLrs',
  'directory.findSession',
  'directory.findApplication',
  'directory.listSettings',
  'directory.findPipe',
  'directory.listPipes',
  'directory.listAudit',
  'directory.listUsage',
  'directory.listLastUses',
  'launches.findPlatform',
  'launches.findPlatformAnywhere',
  'launches.findContent',
  'launches.findPlacement',
  'launches.findTicket',
  'launches.findLaunch',
  'launches.listLaunches',
  'launches.listRegistrations',
  'erasures.find',
])

/** Reads of a few rows without which nobody is let in, not even to write: they wait behind no others. */
export const signInReads: ReadonlySet<string> = new Set<Operation>([
  'platform.findSignInCandidates',
  'platform.findKeyCheck',
  'platform.findApplication',
  'platform.recall',
  'directory.findOrganisation',
  'directory.findCredentialBySecret',
  'launches.findPlatformAnywhere',
  'launches.findLaunch',
  'launches.findTicket',
])

export type Concerns = (args: readonly unknown[], result: unknown) => readonly OrganisationId[]
const nobody: Concerns = () => []
const theFirstArgument: Concerns = ([organisationId]) => [organisationId as OrganisationId]
/** A launch that ends takes a session with it; one that begins where none ran changes nobody else's way in. */
const whereOneEnded = ([organisationId]: readonly unknown[], isEnded: boolean): readonly OrganisationId[] =>
  isEnded ? [organisationId as OrganisationId] : []

/** What writes; per operation, whose sign-ins it may change. Everything else reads. */
export const writes: ReadonlyMap<string, Concerns> = new Map<Operation, Concerns>([
  [
    'platform.createOrganisation',
    (_, result) => [(result as Awaited<ReturnType<PlatformStore['createOrganisation']>>).organisation.id],
  ],
  ['platform.putKeyCheck', nobody],
  ['platform.rewrapKeys', ([, wrapped]) => (wrapped as Parameters<PlatformStore['rewrapKeys']>[1]).map(({ id }) => id)],
  ['platform.addUsage', nobody],
  ['platform.remember', nobody],
  ['directory.updateOrganisation', theFirstArgument],
  ['directory.createLrs', theFirstArgument],
  ['directory.updateLrs', theFirstArgument],
  ['directory.reserveCredentialIds', nobody],
  ['directory.createCredential', theFirstArgument],
  ['directory.updateCredential', theFirstArgument],
  ['directory.deleteCredential', theFirstArgument],
  ['directory.changeCredentials', theFirstArgument],
  ['directory.createApplication', theFirstArgument],
  ['directory.updateApplication', theFirstArgument],
  ['directory.deleteApplication', theFirstArgument],
  ['directory.putSettings', theFirstArgument],
  ['directory.createPipe', nobody],
  ['directory.updatePipe', nobody],
  ['directory.savePipeProgress', nobody],
  ['directory.deletePipe', nobody],
  // One more way in changes nobody else's, and launches make sessions all day: warm sign-ins stay.
  ['directory.createSession', nobody],
  ['directory.deleteSession', theFirstArgument],
  // Only sessions that had ended.
  ['directory.sweepSessions', nobody],
  ['directory.appendAudit', nobody],
  ['launches.createPlatform', theFirstArgument],
  ['launches.updatePlatform', theFirstArgument],
  ['launches.deletePlatform', theFirstArgument],
  ['launches.createContent', nobody],
  ['launches.updateContent', nobody],
  ['launches.deleteContent', nobody],
  ['launches.putPlacement', nobody],
  ['launches.deletePlacement', nobody],
  [
    'launches.createLaunch',
    (args, result) =>
      whereOneEnded(args, (result as Awaited<ReturnType<LaunchStore['createLaunch']>>).superseded.length > 0),
  ],
  ['launches.advanceLaunch', nobody],
  ['launches.endLaunch', (args, result) => whereOneEnded(args, result !== undefined)],
  ['launches.settleLaunch', nobody],
  ['launches.useTicket', nobody],
  // Longer than anybody remembers is read again; what it is bound to is asked here on first use.
  ['launches.extendSession', nobody],
  ['launches.bindSession', nobody],
  // Only what had ended.
  ['launches.sweepLaunches', nobody],
  ['erasures.create', nobody],
  ['erasures.finish', nobody],
  ['imports.begin', nobody],
  ['imports.save', nobody],
  ['imports.finish', nobody],
])
