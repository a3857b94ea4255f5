// Records for the contract tests: complete, unremarkable, every identifier fresh.

import { randomBytes, randomUUID } from 'node:crypto'
import type {
  ApplicationRecord,
  ContentRecord,
  CredentialRecord,
  DirectoryStore,
  ImportedStatement,
  LaunchStore,
  LrsRecord,
  NewApplication,
  NewContent,
  NewCredential,
  NewLaunch,
  NewPlatform,
  NewSession,
  OrganisationRecord,
  PlatformRecord,
  PreparedStatement,
  SecretRecord,
  StatementBatch,
  StatementPart,
  StatementQuery,
  Storage,
  Term,
  TermFilter,
  UsageDelta,
} from '../../src/core/storage.ts'
import type {
  ApplicationId,
  CredentialId,
  LaunchId,
  LrsId,
  Oid,
  OrganisationId,
  PipeId,
  PlatformId,
  SecretId,
} from '../../src/core/ids.ts'
import type { NewAuditEvent } from '../../src/core/audit.ts'

export const fresh = {
  oid: () => randomBytes(12).toString('hex') as Oid,
  secretId: () => randomUUID() as SecretId,
  key: () => randomBytes(8).toString('hex'),
  pair: () => randomBytes(32).toString('base64url'),
}

export function event(
  action: string,
  noun = action.split('.')[0] ?? '',
  id: number | string | null = null,
): NewAuditEvent {
  return {
    at: 1_700_000_000_000,
    actor: { kind: 'system', name: 'contract' },
    action,
    target: { noun, id },
    detail: null,
  }
}

export interface Tenant {
  readonly organisation: OrganisationRecord
  readonly id: OrganisationId
  readonly lrs: LrsRecord
  readonly lrsId: LrsId
}

export async function createTenant({ platform }: Storage, id?: OrganisationId): Promise<Tenant> {
  const { organisation, lrs } = await platform.createOrganisation(
    {
      ...(id !== undefined && { id }),
      oid: fresh.oid(),
      name: 'Tenant',
      wrappedKey: 'wrapped',
      switches: {},
      createdAt: 1_700_000_000_000,
    },
    { oid: fresh.oid(), name: 'First', createdAt: 1_700_000_000_000 },
    event('organisation.create'),
  )
  return { organisation, id: organisation.id, lrs, lrsId: lrs.id }
}

export function secret(part: Partial<SecretRecord> = {}): SecretRecord {
  return {
    id: fresh.secretId(),
    name: 'secret',
    sealed: `sealed-${randomUUID()}`,
    generation: 1,
    isEnabled: true,
    createdAt: 1_700_000_000_000,
    expiresAt: null,
    ...part,
  }
}

export function credential(tenant: Tenant, part: Partial<NewCredential> = {}): NewCredential {
  return {
    oid: fresh.oid(),
    kind: 'client',
    name: 'Client',
    key: fresh.key(),
    isEnabled: true,
    rights: { xapi: { 'statements/read': 'mine' }, management: [] },
    pins: { activity: 'https://example.com/a' },
    limits: { ratePerMinute: 10 },
    lrsIds: [tenant.lrsId],
    authority: null,
    oauth: null,
    words: { vendor: { access: 'isolated' } },
    expiresAt: null,
    createdAt: 1_700_000_000_000,
    secrets: [secret()],
    pairs: [],
    ...part,
  }
}

export function createCredential(
  { directory }: Storage,
  tenant: Tenant,
  part: Partial<NewCredential> = {},
): Promise<CredentialRecord> {
  return directory.createCredential(tenant.id, credential(tenant, part), event('credential.create'))
}

export function application(part: Partial<NewApplication> = {}): NewApplication {
  const id = randomBytes(5).toString('hex').toUpperCase() as ApplicationId
  const bound = { kind: 'application', id, lrsIds: [] } as const
  const rights = { xapi: {}, management: [{ area: 'credentials', actions: ['read', 'write'], bound }] } as const
  return {
    id,
    name: 'Application',
    createdAt: 1_700_000_000_000,
    live: { oid: fresh.oid(), name: 'Application', createdAt: 1_700_000_000_000 },
    sandbox: { oid: fresh.oid(), name: 'Application (sandbox)', createdAt: 1_700_000_000_000 },
    credential: {
      oid: fresh.oid(),
      kind: 'application',
      name: 'Application',
      key: id,
      isEnabled: true,
      rights,
      pins: {},
      limits: {},
      authority: null,
      oauth: null,
      words: {},
      expiresAt: null,
      createdAt: 1_700_000_000_000,
      secrets: [],
      pairs: [],
    },
    ...part,
  }
}

export function createApplication(
  { directory }: Storage,
  tenant: Tenant,
  part: Partial<NewApplication> = {},
): Promise<ApplicationRecord> {
  return directory.createApplication(tenant.id, application(part), event('application.create'))
}

export type NewPipe = Parameters<DirectoryStore['createPipe']>[1]

export function pipe(part: Partial<NewPipe> = {}): NewPipe {
  return {
    id: randomUUID() as PipeId,
    applicationId: null,
    lrsId: null,
    source: 'sealed source',
    target: 'sealed target',
    pausedBecause: null,
    progress: { through: 0 },
    createdAt: 1_700_000_000_000,
    ...part,
  }
}

export function session(credentialId: CredentialId, part: Partial<NewSession> = {}): NewSession {
  return {
    oid: fresh.oid(),
    credentialId,
    key: fresh.key(),
    sealed: 'sealed',
    under: { secretId: fresh.secretId(), generation: 1 },
    rights: { xapi: { 'statements/write': 'any' }, management: [] },
    pins: {},
    words: {},
    createdAt: 1_700_000_000_000,
    expiresAt: 1_700_000_060_000,
    ...part,
  }
}

export function platform(tenant: Tenant, part: Partial<NewPlatform> = {}): NewPlatform {
  return {
    id: `school-${randomBytes(6).toString('hex')}` as PlatformId,
    name: 'School',
    protocol: 'paper',
    secrets: [{ id: fresh.secretId(), sealed: 'sealed', createdAt: 1_700_000_000_000, expiresAt: null }],
    settings: { customers: ['14'] },
    isEnabled: true,
    createdAt: 1_700_000_000_000,
    credential: credential(tenant),
    ...part,
  }
}

export function createPlatform(
  { launches }: Storage,
  tenant: Tenant,
  part: Partial<NewPlatform> = {},
): Promise<PlatformRecord> {
  return launches.createPlatform(tenant.id, platform(tenant, part), event('platform.create'))
}

export function createContent(
  { launches }: Storage,
  tenant: Tenant,
  part: Partial<NewContent> = {},
): Promise<ContentRecord> {
  const settings = { url: 'https://content.example/lesson' }
  const content = { id: fresh.oid(), name: 'Lesson', settings, createdAt: 1_700_000_000_000, ...part }
  return launches.createContent(tenant.id, content, event('content.create'))
}

export type MadeLaunch = Parameters<LaunchStore['createLaunch']>[1]

/** All of one learner, activity and registration unless `part` says otherwise. */
export function launch(
  { lrsId }: Tenant,
  credentialId: CredentialId,
  part: Partial<NewLaunch> & Partial<Pick<MadeLaunch, 'tickets' | 'at'>> = {},
): MadeLaunch {
  const { tickets = [], at = 1_700_000_000_000, ...of } = part
  const made: NewLaunch = {
    id: randomUUID() as LaunchId,
    platformId: null,
    contentId: null,
    resource: null,
    lrsId,
    style: 'cmi5',
    mode: 'normal',
    actor: { objectType: 'Agent', account: { homePage: 'https://school.example', name: '9' } },
    actorKey: 'account https://school.example 9',
    activityId: 'https://lrs.example/launch/activities/1',
    registration: '3d6c3b6f-0000-4000-8000-000000000001',
    data: { language: 'nb' },
    sealed: 'sealed key of the platform',
    progress: {},
    cookie: null,
    expiresAt: at + 28_800_000,
    ...of,
  }
  const { id, style, activityId, expiresAt: endsAt } = made
  const ofSession = { id, style, idleSeconds: 7200, endsAt, ignoredParams: ['lang'], bindsBrowser: true, activityId }
  const lasts = { createdAt: at, expiresAt: at + 7_200_000, launch: ofSession }
  return { session: { ...session(credentialId), ...lasts }, launch: made, tickets, at }
}

export function usage(part: Pick<UsageDelta, 'organisationId' | 'credentialId'> & Partial<UsageDelta>): UsageDelta {
  return {
    secretId: null,
    requests: 1,
    statements: 0,
    refusals: {},
    firstAt: 100,
    lastAt: 100,
    lastAddress: null,
    lastUserAgent: null,
    ...part,
  }
}

export const owners = { ann: 1001 as CredentialId, bob: 1002 as CredentialId, cyd: 1003 as CredentialId }

export function statement(part: Partial<PreparedStatement> = {}): PreparedStatement {
  const id = part.id ?? randomUUID()
  return {
    id,
    timestamp: undefined,
    openBody: saying(id, randomUUID()),
    terms: [],
    refersTo: undefined,
    isVoiding: false,
    descriptions: [],
    attachments: [],
    ...part,
  }
}

/** The open body of a statement that says something of its own. */
export function saying(id: string, response: string): string {
  return `{"id":"${id}","result":{"response":"${response}"}`
}

export function term(value: string, kind: Term['kind'] = 'verb', isRelated = false): Term {
  return { kind, value, isRelated }
}

export function filter(value: string, kind: Term['kind'] = 'verb', includeRelated = false): TermFilter {
  return { kind, value, includeRelated }
}

export function batch(lrsId: LrsId, statements: readonly PreparedStatement[], part: Partial<StatementBatch> = {}) {
  return {
    lrsId,
    owner: owners.ann,
    readReach: 'any',
    voidReach: 'any',
    defineReach: 'any',
    statements,
    ...part,
  } satisfies StatementBatch
}

/** Stores one batch that must not conflict; returns the stored times. */
export async function store(
  { statements }: Storage,
  lrsId: LrsId,
  prepared: readonly PreparedStatement[],
  part: Partial<StatementBatch> = {},
) {
  const [outcome] = await statements.store([batch(lrsId, prepared, part)])
  if (outcome?.kind !== 'stored') throw new Error('unexpected conflict')
  return outcome.statements.map(({ seq }) => seq)
}

export function query(part: Partial<StatementQuery> = {}): StatementQuery {
  return { filters: [], isAscending: false, limit: 100, ...part }
}

/** Ids of the statements a query finds, page by page to the end. */
export async function idsOf({ statements }: Storage, lrsId: LrsId, part: Partial<StatementQuery> = {}) {
  const ids: string[] = []
  let next = part.cursor
  for (;;) {
    const page = await statements.list(lrsId, query({ ...part, ...(next !== undefined && { cursor: next }) }))
    ids.push(...page.rows.map(({ body }) => (JSON.parse(body) as { id: string }).id))
    if (page.next === undefined) return ids
    next = page.next
  }
}

/** Of an import, as the store takes it. */
export function partOf({ imports }: Pick<Storage, 'imports'>, statements: readonly ImportedStatement[]): StatementPart {
  const part = imports.newPart()
  for (const statement of statements) part.add(statement)
  return part
}
