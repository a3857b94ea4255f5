// Every method of the port is invisible to a second tenant. The tables must name each method, so that a new one does not
// compile without its row here.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHash } from 'node:crypto'
import {
  batch,
  createApplication,
  createContent,
  createCredential,
  createPlatform,
  createTenant,
  event,
  filter,
  fresh,
  idsOf,
  launch,
  pipe,
} from './samples.ts'
import { credential, owners, query, saying, secret, session, statement, store as put, term, usage } from './samples.ts'
import { engines } from './engines.ts'
import { entityTag } from '../../src/core/xapi/document.ts'
import type {
  AlikePart,
  AlikePosition,
  BlobStore,
  CredentialRecord,
  CredentialWrite,
  DirectoryStore,
  ErasureStore,
  DocumentStore,
  LaunchStore,
  SessionRecord,
  StatementStore,
  Storage,
} from '../../src/core/storage.ts'
import type { Seq } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

interface Scene {
  readonly storage: Storage
  readonly directory: DirectoryStore
  /** Owns everything below. */
  readonly owner: Tenant
  /** Tries to see or touch it. */
  readonly stranger: Tenant
  readonly credential: CredentialRecord
  /** That the credential's key and secret are. */
  readonly pair: string
  readonly session: SessionRecord
}

const refused = async (attempt: Promise<unknown>, code: string) =>
  expect(await attempt.then(String, (error: { code: string }) => error.code)).toBe(code)
const slice = { offset: 0, limit: 100 }
const own = event('x.y')

const directoryMethods = {
  findOrganisation: async ({ directory, stranger }) =>
    expect((await directory.findOrganisation(stranger.id))?.oid).toBe(stranger.organisation.oid),
  updateOrganisation: async ({ directory, stranger, owner }) => {
    await directory.updateOrganisation(stranger.id, { name: 'mine now', switches: { a: 1 }, at: 1 }, own)
    expect(await directory.findOrganisation(owner.id)).toEqual(owner.organisation)
  },
  createLrs: async ({ directory, stranger, owner }) => {
    await directory.createLrs(stranger.id, { oid: fresh.oid(), name: 'l', createdAt: 1 }, own)
    expect(await directory.listLrs(owner.id)).toEqual([owner.lrs])
  },
  listLrs: async ({ directory, stranger }) => expect(await directory.listLrs(stranger.id)).toEqual([stranger.lrs]),
  updateLrs: async ({ directory, stranger, owner }) => {
    const changes = [{ retentionDays: 1 }, { deletedAt: 1 }, { name: 'mine now', description: 'x', words: { a: 1 } }]
    for (const change of changes) {
      await refused(directory.updateLrs(stranger.id, owner.lrsId, { ...change, at: 1 }, own), 'not_found')
    }
    expect(await directory.listLrs(owner.id)).toEqual([owner.lrs])
  },
  createCredential: async ({ directory, storage, stranger, owner, pair, credential: { key } }) => {
    // The same key is fine; with the same secret, or for the owner's Lrs, it is not.
    await createCredential(storage, stranger, { key })
    await refused(createCredential(storage, stranger, { pairs: [pair] }), 'conflict')
    await refused(createCredential(storage, stranger, { lrsIds: [owner.lrsId] }), 'invalid')
    expect((await directory.listCredentials(owner.id, {}, slice)).total).toBe(1)
  },
  reserveCredentialIds: async ({ directory, storage, stranger, owner, credential: { id } }) => {
    await refused(directory.reserveCredentialIds(stranger.id, [id], own), 'conflict')
    await directory.reserveCredentialIds(owner.id, [id], own)
    expect((await storage.directory.listAudit(stranger.id, 0, 100)).map(({ number }) => number)).toEqual([1])
  },
  findCredential: async ({ directory, stranger, credential: { id } }) =>
    expect(await directory.findCredential(stranger.id, id)).toBeUndefined(),
  findCredentialBySecret: async ({ directory, stranger, credential: { secrets } }) =>
    expect(await directory.findCredentialBySecret(stranger.id, secrets[0]!.id)).toBeUndefined(),
  listCredentials: async ({ directory, stranger, credential: { key } }) => {
    for (const filters of [{}, { key }, { kind: 'client' as const }]) {
      expect(await directory.listCredentials(stranger.id, filters, slice)).toEqual({ items: [], total: 0 })
    }
  },
  updateCredential: async ({ directory, storage, stranger, owner, pair, credential: { id, secrets } }) => {
    await refused(directory.updateCredential(stranger.id, id, { at: 1, name: 'x' }, own), 'not_found')
    const { id: theirs } = await createCredential(storage, stranger)
    const steal = { at: 1, putSecrets: [{ ...secrets[0]!, sealed: 'stolen' }], dropSecrets: [secrets[0]!.id] }
    await refused(directory.updateCredential(stranger.id, theirs, steal, own), 'conflict')
    await refused(directory.updateCredential(stranger.id, theirs, { at: 1, pairs: [pair] }, own), 'conflict')
    await directory.updateCredential(stranger.id, theirs, { at: 1, dropSecrets: [secrets[0]!.id] }, own)
    expect((await directory.findCredential(owner.id, id))?.secrets).toEqual(secrets)
  },
  deleteCredential: ({ directory, stranger, credential: { id } }) =>
    refused(directory.deleteCredential(stranger.id, id, own), 'not_found'),
  changeCredentials: async ({ directory, storage, stranger, owner, pair, credential: { id, key } }) => {
    const change = (write: object) =>
      directory.changeCredentials(stranger.id, [{ event: own, ...write } as CredentialWrite])
    await change({ create: credential(stranger, { key }) })
    await refused(change({ create: credential(stranger, { pairs: [pair] }) }), 'conflict')
    await refused(change({ create: credential(stranger, { lrsIds: [owner.lrsId] }) }), 'invalid')
    await refused(change({ update: { id, patch: { name: 'mine now', at: 1 } } }), 'not_found')
    await refused(change({ delete: id }), 'not_found')
    expect((await directory.listCredentials(owner.id, {}, slice)).items).toEqual([
      await directory.findCredential(owner.id, id),
    ])
    expect((await storage.directory.listAudit(stranger.id, 0, 100)).map(({ number }) => number)).toEqual([1, 2])
  },
  createSession: async ({ directory, storage, stranger, credential: parent, session: { key } }) => {
    await refused(directory.createSession(stranger.id, session(parent.id), own), 'not_found')
    const { id } = await createCredential(storage, stranger)
    await directory.createSession(stranger.id, session(id, { key }), own)
  },
  listSessions: async ({ directory, stranger, credential: { id } }) =>
    expect(await directory.listSessions(stranger.id, id, slice)).toEqual({ items: [], total: 0 }),
  findSession: async ({ directory, stranger, credential: parent, session: { id } }) =>
    expect(await directory.findSession(stranger.id, parent.id, id)).toBeUndefined(),
  deleteSession: ({ directory, stranger, credential: parent, session: { id } }) =>
    refused(directory.deleteSession(stranger.id, parent.id, id, own), 'not_found'),
  sweepSessions: async ({ directory, stranger }) =>
    expect(await directory.sweepSessions(stranger.id, Number.MAX_SAFE_INTEGER)).toBe(0),
  createApplication: async ({ directory, storage, stranger, owner }) => {
    const { id } = await createApplication(storage, owner)
    await refused(createApplication(storage, stranger, { id }), 'conflict')
    expect(await directory.findApplication(owner.id, id)).toMatchObject({ id, organisationId: owner.id })
  },
  findApplication: async ({ directory, storage, stranger, owner }) => {
    const { id } = await createApplication(storage, owner)
    expect(await directory.findApplication(stranger.id, id)).toBeUndefined()
  },
  listApplications: async ({ directory, storage, stranger, owner }) => {
    const { id } = await createApplication(storage, owner)
    for (const filter of [undefined, { by: 'id', text: id } as const]) {
      const asked = { by: 'createdAt', isDescending: false, limit: 10, ...(filter && { filter }) } as const
      expect(await directory.listApplications(stranger.id, asked)).toEqual({ items: [], total: 0 })
    }
  },
  updateApplication: async ({ directory, storage, stranger, owner }) => {
    const made = await createApplication(storage, owner)
    await refused(directory.updateApplication(stranger.id, made.id, { name: 'mine now', at: 1 }, own), 'not_found')
    expect(await directory.findApplication(owner.id, made.id)).toEqual(made)
  },
  deleteApplication: async ({ directory, storage, stranger, owner }) => {
    const made = await createApplication(storage, owner)
    await refused(directory.deleteApplication(stranger.id, made.id, own), 'not_found')
    expect(await directory.findApplication(owner.id, made.id)).toEqual(made)
  },
  listSettings: async ({ directory, storage, stranger, owner }) => {
    const { id } = await createApplication(storage, owner)
    await directory.putSettings(owner.id, id, { level: '', values: { a: '1' }, at: 1 }, own)
    expect(await directory.listSettings(stranger.id, id)).toEqual([])
  },
  putSettings: async ({ directory, storage, stranger, owner }) => {
    const { id } = await createApplication(storage, owner)
    const change = { level: '', values: { a: '1' }, isOpen: false, at: 1 }
    await refused(directory.putSettings(stranger.id, id, change, own), 'not_found')
    expect(await directory.listSettings(owner.id, id)).toEqual([])
    for (const tenant of [owner, stranger]) {
      expect((await directory.findOrganisation(tenant.id))?.closedLrsIds).toEqual([])
    }
  },
  createPipe: async ({ directory, storage, stranger, owner }) => {
    const { id: applicationId } = await createApplication(storage, owner)
    const { id } = await directory.createPipe(owner.id, pipe(), own)
    await refused(directory.createPipe(stranger.id, pipe({ applicationId }), own), 'not_found')
    await refused(directory.createPipe(stranger.id, pipe({ lrsId: owner.lrsId }), own), 'invalid')
    await refused(directory.createPipe(stranger.id, pipe({ id }), own), 'conflict')
    expect(await directory.listPipes(stranger.id)).toEqual([])
  },
  findPipe: async ({ directory, stranger, owner }) => {
    const { id } = await directory.createPipe(owner.id, pipe(), own)
    expect(await directory.findPipe(stranger.id, id)).toBeUndefined()
  },
  listPipes: async ({ directory, storage, stranger, owner }) => {
    const { id: applicationId } = await createApplication(storage, owner)
    await directory.createPipe(owner.id, pipe({ applicationId }), own)
    for (const asked of [undefined, null, applicationId])
      expect(await directory.listPipes(stranger.id, asked)).toEqual([])
  },
  updatePipe: async ({ directory, stranger, owner }) => {
    const made = await directory.createPipe(owner.id, pipe(), own)
    await refused(directory.updatePipe(stranger.id, made.id, { target: 'mine now', at: 1 }, own), 'not_found')
    const theirs = await directory.createPipe(stranger.id, pipe(), own)
    await refused(directory.updatePipe(stranger.id, theirs.id, { lrsId: owner.lrsId, at: 1 }, own), 'invalid')
    expect(await directory.findPipe(owner.id, made.id)).toEqual(made)
  },
  savePipeProgress: async ({ directory, stranger, owner }) => {
    const made = await directory.createPipe(owner.id, pipe(), own)
    const state = { progress: { through: 7 }, pausedBecause: 'mine now' }
    expect(await directory.savePipeProgress(stranger.id, made.id, made.version, state)).toBe(false)
    expect(await directory.findPipe(owner.id, made.id)).toEqual(made)
  },
  deletePipe: async ({ directory, stranger, owner }) => {
    const made = await directory.createPipe(owner.id, pipe(), own)
    await refused(directory.deletePipe(stranger.id, made.id, own), 'not_found')
    expect(await directory.findPipe(owner.id, made.id)).toEqual(made)
  },
  appendAudit: async ({ directory, stranger, owner }) => {
    const before = await directory.listAudit(owner.id, 0, 100)
    expect((await directory.appendAudit(stranger.id, own)).number).toBe(2)
    expect(await directory.listAudit(owner.id, 0, 100)).toEqual(before)
  },
  listAudit: async ({ directory, stranger }) => {
    const events = await directory.listAudit(stranger.id, 0, 100)
    expect(events.map(({ organisationId, number }) => [organisationId, number])).toEqual([[stranger.id, 1]])
  },
  listUsage: async ({ directory, storage, stranger, owner, credential: { id } }) => {
    await storage.platform.addUsage([usage({ organisationId: owner.id, credentialId: id })])
    expect(await directory.listUsage(stranger.id, id)).toEqual([])
  },
  listLastUses: async ({ directory, storage, stranger, owner, credential: { id } }) => {
    await storage.platform.addUsage([usage({ organisationId: owner.id, credentialId: id })])
    expect(await directory.listLastUses(stranger.id, [id])).toEqual([])
    expect(await directory.listLastUses(owner.id, [id])).toHaveLength(1)
  },
} satisfies Record<keyof DirectoryStore, (scene: Scene) => Promise<void>>

const statementMethods = {
  store: async ({ storage, owner, stranger }) => {
    const one = statement({ terms: [term('v')] })
    const referring = statement({ refersTo: one.id })
    await put(storage, owner.lrsId, [one, referring])
    // One id, three meanings: nothing of the other Lrs conflicts, is voided, or inherits.
    const outcomes = await storage.statements.store([
      batch(stranger.lrsId, [{ ...one, openBody: saying(one.id, 'other'), terms: [term('w')] }]),
      batch(stranger.lrsId, [statement({ refersTo: one.id, isVoiding: true })]),
      batch(stranger.lrsId, [statement({ refersTo: referring.id })]),
    ])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored'])
    expect(await idsOf(storage, owner.lrsId, { filters: [filter('v')] })).toEqual([referring.id, one.id])
    expect(await idsOf(storage, owner.lrsId, { filters: [filter('w')] })).toEqual([])
    expect(await idsOf(storage, stranger.lrsId, { filters: [filter('v')] })).toEqual([])
  },
  find: async ({ storage, owner, stranger }) => {
    const [one, gone] = [statement(), statement()]
    await put(storage, owner.lrsId, [one, gone, statement({ refersTo: gone.id, isVoiding: true })])
    for (const { id } of [one, gone]) {
      for (const isVoided of [true, false]) {
        expect((await storage.statements.find(stranger.lrsId, id, { isVoided })).statement).toBeUndefined()
      }
    }
  },
  list: async ({ storage, owner, stranger }) => {
    const terms = [term('v'), term('r', 'registration'), term('a', 'agent', true)]
    await put(storage, owner.lrsId, [statement({ terms })])
    const filters = [[], [filter('v')], [filter('r', 'registration')], [filter('a', 'agent', true)]]
    for (const one of filters) {
      const page = await storage.statements.list(stranger.lrsId, query({ filters: one }))
      expect([page.rows, page.next]).toEqual([[], undefined])
    }
    const theirs = statement({ terms })
    await put(storage, stranger.lrsId, [theirs])
    for (const one of filters) expect(await idsOf(storage, stranger.lrsId, { filters: one })).toEqual([theirs.id])
  },
  listDescriptions: async ({ storage, owner, stranger }) => {
    const about = { kind: 'activity', value: 'urn:a' } as const
    const describes = (text: string) => statement({ timestamp: 1, descriptions: [{ ...about, text }] })
    await put(storage, owner.lrsId, [describes('"theirs"')])
    expect(await storage.statements.listDescriptions(stranger.lrsId, about)).toEqual([])
    // The same words elsewhere are said anew: nothing is taken for known across tenants.
    await put(storage, stranger.lrsId, [describes('"theirs"'), describes('"own"')])
    const found = await storage.statements.listDescriptions(stranger.lrsId, about)
    expect(found.map(({ text }) => text)).toEqual(['"own"', '"theirs"'])
    expect(await storage.statements.listDescriptions(owner.lrsId, about)).toHaveLength(1)
  },
  follow: async ({ storage, owner, stranger }) => {
    await put(storage, owner.lrsId, [statement()])
    const everything = { after: 0, limit: 10, mostText: 1_000 }
    expect((await storage.statements.follow(stranger.lrsId, everything)).rows).toEqual([])
    expect((await storage.statements.follow(owner.lrsId, everything)).rows).toHaveLength(1)
  },
  listLatest: async ({ storage, owner, stranger }) => {
    const [seq] = await put(storage, owner.lrsId, [statement()])
    expect(await storage.statements.listLatest([stranger.lrsId, owner.lrsId])).toEqual([0, seq])
  },
  countStatements: async ({ storage, owner, stranger }) => {
    await put(storage, owner.lrsId, [statement(), statement()])
    expect(await storage.statements.countStatements(stranger.lrsId)).toBe(0)
  },
  consistentThrough: async ({ storage, owner, stranger }) => {
    // A stored time in the future of one Lrs moves nothing in another.
    const [seq] = await put(storage, owner.lrsId, [statement()])
    const through = await storage.statements.consistentThrough(stranger.lrsId)
    expect(Math.abs(through - (seq as Seq))).toBeLessThan(60_000_000)
  },
} satisfies Record<keyof StatementStore, (scene: Scene) => Promise<void>>

/** A platform with content placed there, and a launch that runs. */
const launched = async ({ storage, owner }: Scene) => {
  const platform = await createPlatform(storage, owner)
  const content = await createContent(storage, owner)
  const place = { platformId: platform.id, resource: '1', contentId: content.id, at: 1 }
  const placement = await storage.launches.putPlacement(owner.id, place, own)
  const from = { platformId: platform.id, contentId: content.id }
  const made = await storage.launches.createLaunch(owner.id, launch(owner, platform.credentialId, from), own)
  return { ...made, platform, content, placement }
}
type Launched = Awaited<ReturnType<typeof launched>>

const launchMethods = {
  createPlatform: async ({ storage, stranger }, { platform }) =>
    refused(createPlatform(storage, stranger, { id: platform.id }), 'conflict'),
  findPlatform: async ({ storage, stranger }, { platform }) =>
    expect(await storage.launches.findPlatform(stranger.id, platform.id)).toBeUndefined(),
  listPlatforms: async ({ storage, stranger }) =>
    expect(await storage.launches.listPlatforms(stranger.id, slice)).toEqual({ items: [], total: 0 }),
  updatePlatform: async ({ storage, stranger }, { platform }) =>
    refused(storage.launches.updatePlatform(stranger.id, platform.id, { isEnabled: false, at: 2 }, own), 'not_found'),
  deletePlatform: async ({ storage, stranger }, { platform }) =>
    refused(storage.launches.deletePlatform(stranger.id, platform.id, own), 'not_found'),
  createContent: async ({ storage, stranger }, { content }) =>
    refused(createContent(storage, stranger, { id: content.id }), 'conflict'),
  findContent: async ({ storage, stranger }, { content }) =>
    expect(await storage.launches.findContent(stranger.id, content.id)).toBeUndefined(),
  listContents: async ({ storage, stranger }) =>
    expect(await storage.launches.listContents(stranger.id, slice)).toEqual({ items: [], total: 0 }),
  updateContent: async ({ storage, stranger }, { content }) =>
    refused(storage.launches.updateContent(stranger.id, content.id, { name: 'mine now', at: 2 }, own), 'not_found'),
  deleteContent: async ({ storage, stranger }, { content }) =>
    refused(storage.launches.deleteContent(stranger.id, content.id, own), 'not_found'),
  deletePlacement: async ({ storage, stranger }, { platform, placement }) => {
    await refused(storage.launches.deletePlacement(stranger.id, platform.id, placement.resource, own), 'not_found')
  },
  putPlacement: async ({ storage, stranger }, { platform, content }) => {
    const place = { resource: '1', at: 2 }
    const mine = await createPlatform(storage, stranger)
    const over = { ...place, platformId: platform.id, contentId: null }
    await refused(storage.launches.putPlacement(stranger.id, over, own), 'not_found')
    const of = { ...place, platformId: mine.id, contentId: content.id }
    await refused(storage.launches.putPlacement(stranger.id, of, own), 'not_found')
  },
  findPlacement: async ({ storage, stranger }, { platform }) =>
    expect(await storage.launches.findPlacement(stranger.id, platform.id, '1')).toBeUndefined(),
  listPlacements: async ({ storage, stranger }, { platform, content }) => {
    for (const filter of [{}, { platformId: platform.id }, { contentId: content.id }]) {
      expect(await storage.launches.listPlacements(stranger.id, filter, slice)).toEqual({ items: [], total: 0 })
    }
  },
  // Of another organisation's credential there is none; of one's own, what theirs reached is nothing to it.
  createLaunch: async ({ storage, stranger }, { platform, launch: theirs }) => {
    await refused(storage.launches.createLaunch(stranger.id, launch(stranger, platform.credentialId), own), 'not_found')
    const { credentialId } = await createPlatform(storage, stranger)
    const made = await storage.launches.createLaunch(stranger.id, launch(stranger, credentialId), own)
    expect([made.superseded, made.launch.registration]).toEqual([[], theirs.registration])
  },
  findLaunch: async ({ storage, stranger }, { launch: { id } }) =>
    expect(await storage.launches.findLaunch(stranger.id, id)).toBeUndefined(),
  listRegistrations: async ({ storage, owner, stranger }, { launch: theirs }) => {
    const asked = [theirs.registration]
    expect(await storage.launches.listRegistrations(owner.id, theirs, asked)).toEqual(asked)
    expect(await storage.launches.listRegistrations(stranger.id, theirs, asked)).toEqual([])
  },
  listLaunches: async ({ storage, owner, stranger }, { launch: theirs }) => {
    const { platformId, contentId, credentialId, registration, actorKey } = theirs
    const filters = [{}, { platformId: platformId! }, { contentId: contentId! }, { credentialId }, { registration }]
    for (const filter of [...filters, { actorKey }, { isRunning: true }, { lrsIds: [owner.lrsId] }]) {
      expect(await storage.launches.listLaunches(stranger.id, filter, { limit: 10 })).toEqual([])
    }
  },
  advanceLaunch: async ({ storage, stranger }, { launch: { id } }) =>
    expect(await storage.launches.advanceLaunch(stranger.id, id, { from: 1, progress: { a: 1 } })).toBeUndefined(),
  endLaunch: async ({ storage, stranger }, { launch: { id } }) =>
    expect(await storage.launches.endLaunch(stranger.id, id, { by: 'revoked', at: 2 }, own)).toBeUndefined(),
  settleLaunch: async ({ storage, owner, stranger }, { platform }) => {
    const of = { registration: '3d6c3b6f-0000-4000-8000-000000000003', style: 'cmi5' } as const
    const made = launch(owner, platform.credentialId, of)
    const { launch: theirs } = await storage.launches.createLaunch(owner.id, made, own)
    const ended = await storage.launches.endLaunch(owner.id, theirs.id, { by: 'revoked', at: 2 }, own)
    await storage.launches.settleLaunch(stranger.id, theirs.id)
    expect(await storage.launches.findLaunch(owner.id, theirs.id)).toEqual({ ...ended, owes: 'word' })
  },
  extendSession: async ({ storage, stranger }, { session: { id, expiresAt } }) =>
    expect(await storage.launches.extendSession(stranger.id, id, expiresAt + 1)).toBeUndefined(),
  bindSession: async ({ storage, stranger }, { session: { id } }) =>
    expect(await storage.launches.bindSession(stranger.id, id, 'mine')).toBeUndefined(),
  sweepLaunches: async ({ storage, owner, stranger }, { platform }) => {
    const of = { registration: '3d6c3b6f-0000-4000-8000-000000000002' }
    const { launch: gone } = await storage.launches.createLaunch(
      owner.id,
      launch(owner, platform.credentialId, of),
      own,
    )
    const ended = await storage.launches.endLaunch(owner.id, gone.id, { by: 'revoked', at: 2 }, own)
    expect(await storage.launches.sweepLaunches(stranger.id, Number.MAX_SAFE_INTEGER)).toBe(0)
    expect(await storage.launches.findLaunch(owner.id, gone.id)).toEqual(ended)
  },
} satisfies Record<
  // The others are of no organisation: who has an id or a ticket says nothing else.
  Exclude<keyof LaunchStore, 'findPlatformAnywhere' | 'findTicket' | 'useTicket' | 'listLapsed' | 'listOwing'>,
  (scene: Scene, of: Launched) => Promise<void>
>

const document = {
  kind: 'state',
  activityId: 'https://example.org/a',
  agent: 'mbox mailto:ann@example.org',
  id: 'one',
} as const
const sharing = { owner: owners.ann, reach: 'any' } as const
const putDocument = ({ documents }: Storage, { lrsId }: Tenant, text: string, preconditions = {}) => {
  const content = { kind: 'inline', bytes: Buffer.from(text) } as const
  const change = { kind: 'replace', content, contentType: 'application/json', etag: entityTag(content.bytes) } as const
  return documents.change(lrsId, document, sharing, change, { preconditions, mostBytes: 1000 })
}
const textOf = async ({ documents }: Storage, { lrsId }: Tenant): Promise<string | undefined> => {
  const found = await documents.find(lrsId, document, sharing)
  return found?.content.kind === 'inline' ? Buffer.from(found.content.bytes).toString() : undefined
}

const documentMethods = {
  find: async ({ storage, owner, stranger }) => {
    await putDocument(storage, owner, '{"a":1}')
    expect(await storage.documents.find(stranger.lrsId, document, sharing)).toBeUndefined()
  },
  change: async ({ storage, owner, stranger }) => {
    await putDocument(storage, owner, '{"a":1}')
    // To the stranger there is none: nothing to match, nothing to merge with, nothing to delete.
    expect((await putDocument(storage, stranger, '{"b":2}', { ifMatch: 'any' })).kind).toBe('precondition_failed')
    expect((await putDocument(storage, stranger, '{"b":2}', { ifNoneMatch: 'any' })).kind).toBe('done')
    expect(await textOf(storage, stranger)).toBe('{"b":2}')
    const options = { preconditions: {}, mostBytes: 1000 }
    await storage.documents.change(stranger.lrsId, document, sharing, { kind: 'delete' }, options)
    expect(await textOf(storage, owner)).toBe('{"a":1}')
  },
  listIds: async ({ storage, owner, stranger }) => {
    await putDocument(storage, owner, '{"a":1}')
    const none = { ids: [], updatedAt: undefined }
    expect(await storage.documents.listIds(stranger.lrsId, document, sharing)).toEqual(none)
  },
  deleteAll: async ({ storage, owner, stranger }) => {
    await putDocument(storage, owner, '{"a":1}')
    expect(await storage.documents.deleteAll(stranger.lrsId, document, sharing)).toBe(0)
    expect(await textOf(storage, owner)).toBe('{"a":1}')
  },
} satisfies Record<keyof DocumentStore, (scene: Scene) => Promise<void>>

const bytes = Buffer.from('some bytes')
const sha2 = createHash('sha256').update(bytes).digest('hex')
async function* source() {
  yield bytes
}
const putBlob = ({ blobs }: Storage, { lrsId }: Tenant) => blobs.put(lrsId, source(), { mostBytes: 100 })
const hasBlob = async ({ blobs }: Storage, { lrsId }: Tenant): Promise<boolean> => {
  const blob = await blobs.open(lrsId, sha2)
  blob?.cancel()
  return blob !== undefined
}

const blobMethods = {
  put: async ({ storage, owner, stranger }) => {
    await putBlob(storage, stranger)
    expect(await hasBlob(storage, owner)).toBe(false)
  },
  open: async ({ storage, owner, stranger }) => {
    await putBlob(storage, owner)
    expect(await hasBlob(storage, stranger)).toBe(false)
  },
  // Whatever there is.
  look: async ({ storage, owner }) => {
    await putBlob(storage, owner)
    expect(await storage.blobs.look()).toBeUndefined()
  },
  listLost: async ({ storage, owner, stranger }) => {
    for (const tenant of [owner, stranger]) {
      await put(storage, tenant.lrsId, [statement({ attachments: [{ sha2, contentType: 'text/plain' }] })])
    }
    await putBlob(storage, owner)
    expect(await storage.blobs.listLost(owner.lrsId, [sha2])).toEqual([])
    expect(await storage.blobs.listLost(stranger.lrsId, [sha2])).toEqual([sha2])
  },
  // Of all tenants at once; a row of one keeps nothing of another's.
  sweep: async ({ storage, owner, stranger }) => {
    for (const tenant of [owner, stranger]) await putBlob(storage, tenant)
    await put(storage, owner.lrsId, [statement({ attachments: [{ sha2, contentType: 'text/plain' }] })])
    await storage.blobs.sweep(0)
    expect([await hasBlob(storage, owner), await hasBlob(storage, stranger)]).toEqual([true, false])
  },
  removeUnused: async ({ storage, owner, stranger }) => {
    await putBlob(storage, owner)
    expect(await storage.blobs.removeUnused(stranger.lrsId)).toEqual({ removed: 0, left: 0, next: undefined })
    expect(await hasBlob(storage, owner)).toBe(true)
  },
  // What one request holds is nobody else's to let go, nor to keep in another Lrs.
  hold: async ({ storage, owner, stranger }) => {
    const hold = storage.blobs.hold()
    await storage.blobs.put(owner.lrsId, source(), { mostBytes: 100, hold })
    await putBlob(storage, stranger)
    storage.blobs.hold().release()
    for (const { lrsId } of [owner, stranger]) await storage.blobs.removeUnused(lrsId)
    // Who released a hold waits for nothing: what was wanted by then goes with it.
    await vi.waitFor(async () => expect(await hasBlob(storage, stranger)).toBe(false))
    expect(await hasBlob(storage, owner)).toBe(true)
    hold.release()
  },
} satisfies Record<keyof BlobStore, (scene: Scene) => Promise<void>>

const everything = { kind: 'empty', through: Number.MAX_SAFE_INTEGER } as const
const begun = async ({ erasures }: Storage, { id: organisationId }: Tenant) => {
  const id = fresh.oid()
  return erasures.create(organisationId, { id, plan: {}, sealed: 'whom', startedAt: 1 }, event('erasure.start'))
}

const erasureMethods = {
  count: async ({ storage, owner, stranger }) => {
    await put(storage, owner.lrsId, [statement()])
    expect((await storage.erasures.count(stranger.lrsId, everything)).counts.statements ?? 0).toBe(0)
  },
  findAlike: async ({ storage, owner, stranger }) => {
    await put(storage, owner.lrsId, [statement({ terms: [term('mbox mailto:ann@b.example', 'agent')] })])
    const wanted = ['mbox mailto:Ann@b.example']
    let after: AlikePosition | undefined = { term: 0 }
    while (after !== undefined) {
      const part: AlikePart = await storage.erasures.findAlike(stranger.lrsId, wanted, after)
      expect(part.found).toEqual([])
      after = part.next
    }
    expect((await storage.erasures.findAlike(owner.lrsId, wanted)).found).toHaveLength(1)
  },
  isErased: async ({ storage, owner, stranger }) => {
    const one = statement({ terms: [term('mbox mailto:ann@b.example', 'agent')] })
    for (const { lrsId } of [owner, stranger]) await put(storage, lrsId, [one])
    const { id } = await begun(storage, owner)
    const ann = { kind: 'person', agents: ['mbox mailto:ann@b.example'], onlyDirect: false } as const
    await storage.erasures.step(owner.id, id, owner.lrsId, ann)
    expect(await storage.erasures.isErased(owner.lrsId, one.id)).toBe(true)
    expect(await storage.erasures.isErased(stranger.lrsId, one.id)).toBe(false)
  },
  create: async ({ storage, owner, stranger }) => {
    const { id } = await begun(storage, stranger)
    const again = { id, plan: {}, sealed: null, startedAt: 1 }
    await refused(storage.erasures.create(owner.id, again, event('erasure.start')), 'conflict')
    expect(await storage.erasures.find(owner.id, id)).toBeUndefined()
  },
  step: async ({ storage, owner, stranger }) => {
    const [one] = [statement()]
    await put(storage, owner.lrsId, [one])
    const [mine, theirs] = [await begun(storage, owner), await begun(storage, stranger)]
    await refused(storage.erasures.step(stranger.id, mine.id, owner.lrsId, everything), 'not_found')
    await refused(storage.erasures.step(stranger.id, theirs.id, owner.lrsId, everything), 'not_found')
    await storage.erasures.step(stranger.id, theirs.id, stranger.lrsId, everything)
    expect(await idsOf(storage, owner.lrsId)).toEqual([one.id])
  },
  countBlobs: async ({ storage, owner, stranger }) => {
    const { id } = await begun(storage, owner)
    const blobs = { removed: 1, left: 0 }
    await refused(storage.erasures.countBlobs(stranger.id, id, owner.lrsId, blobs), 'not_found')
  },
  latest: async ({ storage, owner, stranger }) => {
    await putDocument(storage, owner, '{}')
    expect((await storage.erasures.latest(owner.lrsId)).changedThrough).toBeGreaterThan(0)
    expect((await storage.erasures.latest(stranger.lrsId)).changedThrough).toBe(0)
  },
  // Concerns the file as a whole, and changes nothing that anybody stored.
  scrub: async ({ storage, owner }) => {
    const one = statement()
    await put(storage, owner.lrsId, [one])
    await storage.erasures.scrub()
    expect(await idsOf(storage, owner.lrsId)).toEqual([one.id])
  },
  finish: async ({ storage, owner, stranger }) => {
    const { id } = await begun(storage, owner)
    await refused(storage.erasures.finish(stranger.id, id, {}, event('erasure.finish')), 'not_found')
    expect(await storage.erasures.find(owner.id, id)).toMatchObject({ sealed: 'whom', receipt: null })
  },
  find: async ({ storage, owner, stranger }) => {
    const { id } = await begun(storage, owner)
    expect(await storage.erasures.find(stranger.id, id)).toBeUndefined()
  },
  list: async ({ storage, owner, stranger }) => {
    await begun(storage, owner)
    expect(await storage.erasures.list(stranger.id, slice)).toEqual({ items: [], total: 0 })
  },
} satisfies Record<keyof ErasureStore, (scene: Scene) => Promise<void>>

describe.each(engines)('a second tenant, $name', (engine) => {
  let store: Store
  let scene: Scene
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())

  beforeEach(async () => {
    const { storage } = store
    const [owner, stranger] = [await createTenant(storage), await createTenant(storage)]
    const pair = fresh.pair()
    const given = credential(owner, { secrets: [secret()], pairs: [pair] })
    const made = await storage.directory.createCredential(owner.id, given, event('credential.create'))
    const open = await storage.directory.createSession(owner.id, session(made.id), event('session.create'))
    scene = { storage, directory: storage.directory, owner, stranger, pair, credential: made, session: open }
  })

  it.each(Object.entries(directoryMethods))('sees and touches nothing with directory.%s', async (_, probe) => {
    await probe(scene)
    const { directory, owner, credential: made, session: open } = scene
    expect(await directory.findCredential(owner.id, made.id)).toEqual(made)
    expect(await directory.findSession(owner.id, made.id, open.id)).toEqual(open)
    expect(await directory.findOrganisation(owner.id)).toEqual(owner.organisation)
  })

  it.each(Object.entries(statementMethods))('sees and touches nothing with statements.%s', (_, probe) => probe(scene))

  it.each(Object.entries(launchMethods))('sees and touches nothing with launches.%s', async (_, probe) => {
    const { storage, owner } = scene
    const of = await launched(scene)
    const { platform, content, placement, launch: running, session: begun } = of
    await probe(scene, of)
    expect(await storage.launches.findPlatform(owner.id, platform.id)).toEqual(platform)
    expect(await storage.launches.findContent(owner.id, content.id)).toEqual(content)
    expect(await storage.launches.findPlacement(owner.id, platform.id, '1')).toEqual(placement)
    expect(await storage.launches.findLaunch(owner.id, running.id)).toEqual(running)
    expect(await storage.directory.findSession(owner.id, platform.credentialId, begun.id)).toEqual(begun)
  })

  it.each(Object.entries(documentMethods))('sees and touches nothing with documents.%s', (_, probe) => probe(scene))

  it.each(Object.entries(blobMethods))('sees and touches nothing with blobs.%s', (_, probe) => probe(scene))

  it.each(Object.entries(erasureMethods))('sees and touches nothing with erasures.%s', (_, probe) => probe(scene))

  it('never sees a candidate of another organisation when it asks within its own', async () => {
    const { storage, stranger, pair, credential: made, session: open } = scene
    for (const { key } of [made, open]) {
      for (const presented of [undefined, pair]) {
        expect(await storage.platform.findSignInCandidates(key, presented, stranger.id)).toEqual([])
        expect(await storage.platform.findSignInCandidates(key, presented)).toHaveLength(1)
      }
    }
  })

  it('is no candidate for a pair of another organisation, older or younger, whoever asks', async () => {
    const { storage, owner, stranger, pair, credential: made } = scene
    const { key } = made
    for (const createdAt of [1, 2_000_000_000_000]) {
      await createCredential(storage, stranger, { key, createdAt, allowDuplicateKey: true, pairs: [fresh.pair()] })
    }
    const found = await storage.platform.findSignInCandidates(key, pair)
    expect(found).toEqual([{ organisation: owner.organisation, credential: made, holdsPair: true }])
    expect(await storage.platform.findSignInCandidates(key, pair, stranger.id)).toEqual([])
  })
})
