// A store that has something of everything in it, and what it answers: to be compared with what a copy of it answers.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { SentAttachments } from '../../src/core/attachments.ts'
import { createCore } from '../../src/core/core.ts'
import type { Core } from '../../src/core/core.ts'
import { everyRight } from '../../src/core/rights.ts'
import type { LrsId, Oid, OrganisationId } from '../../src/core/ids.ts'
import type { Principal } from '../../src/core/principal.ts'
import type { Storage } from '../../src/core/storage.ts'
import type { DocumentTarget } from '../../src/core/xapi/document-query.ts'
import { makeApplication } from './application.ts'
import { baseUrl, openCore } from './core.ts'
import type { OpenCore } from './core.ts'
import { contentOf, learner } from './launch.ts'
import { statementArbitrary } from './statement-arbitrary.ts'
import type { Place } from './store.ts'

export interface FullStore {
  readonly masterKey: Buffer
  /** Every pair that signs in. */
  readonly keys: readonly { readonly key: string; readonly secret: string }[]
  readonly organisationIds: readonly OrganisationId[]
  readonly lrsId: LrsId
}

const ann = { mbox: 'mailto:ann@example.org' }
const bob = { mbox: 'mailto:bob@example.org' }
const limit = { most: 10_000_000, decidedBy: 'limit', remedy: '' }

/** Closes the store when it is full. */
export async function fillStore(place: Place, statements = 120): Promise<FullStore> {
  const world = await openCore({ place, masterKey: Buffer.alloc(32, 9) })
  const { core, organisationId, lrsId, operator } = world
  const other = await world.addOrganisation('Second, with "quotes" and 漢字')
  const issued = [await world.issue('xapi'), await world.issue('isolated'), await world.issue('global')]
  const [everything, isolated] = issued
  if (everything === undefined || isolated === undefined) throw new Error('nothing was issued')
  const principal = await world.signIn(everything)
  const { secret: rotated } = await core.credentials.rotate(operator, isolated.credential.id, { overlapSeconds: 3600 })
  const theirs = await core.credentials.create(other.operator, { name: 'Theirs', rights: everyRight })
  const session = await core.sessions.create(operator, everything.credential.id)
  await addApplication(world)
  await launch(world)
  // Its id is the highest and never given again.
  await core.credentials.remove(operator, (await world.issue('xapi')).credential.id)

  await storeRandom(core, principal, lrsId, statements)
  await storeRelated(core, principal, lrsId)
  await storeRandom(core, await world.signIn(theirs), other.lrsId, 10)
  await send(core, principal, lrsId, bob, ['attached', 'long '.repeat(50_000)])
  await putState(core, principal, lrsId, { agent: bob, id: 'short' }, 'inline')
  await putState(core, principal, lrsId, { agent: bob, id: 'long' }, 'x'.repeat(100_000))
  await send(core, principal, lrsId, ann, ['hers'])
  await core.erasures.erasePerson(operator, { agents: [ann], lrsId })
  core.usage.count(principal, { statements: 3 })
  await core.usage.flush()
  await changeDirectory(world)
  await leaveOpen(world)
  await core.close()
  return {
    masterKey: world.masterKey,
    keys: [everything, { key: isolated.key, secret: rotated }, theirs, session],
    organisationIds: [organisationId, other.organisationId],
    lrsId,
  }
}

/** With a setting, a pipe that stands still, and a note all nodes share. */
async function addApplication({ core, operator, storage, clock }: OpenCore): Promise<void> {
  const { id, principal } = await makeApplication(core, operator)
  await core.settings.put(principal, id, { level: '', values: { set: 'value' } })
  const target = { url: 'https://elsewhere.example.org/xapi', user: 'u', password: 'p' }
  await core.pipes.pause(principal, (await core.pipes.create(principal, { applicationId: id, target })).id)
  await storage.platform.remember([{ name: 'a note', value: '', until: clock.now() + 3_600_000 }], clock.now())
}

/** By a platform, what it has placed: once over, once running, with the way in. */
async function launch({ core, operator }: OpenCore): Promise<void> {
  const { platform } = await core.platforms.create(operator, {
    ...{ id: 'school', name: 'School', protocol: 'paper', settings: { customers: ['14'] } },
  })
  const content = await core.contents.create(operator, contentOf('tincan'))
  await core.placements.put(platform, 'room', content.id)
  for (const mode of ['browse', 'normal'] as const) {
    await core.launches.open({ platform }, { content, actor: learner('ada'), resource: 'room', mode })
  }
}

async function storeRandom(core: Core, principal: Principal, lrsId: LrsId, count: number): Promise<void> {
  for (const statement of fc.sample(statementArbitrary('1.0'), { seed: 7, numRuns: count })) {
    // Some say an id or an authority that they may not.
    const { id: _, authority: __, ...own } = statement
    await core.statements.store(principal, lrsId, { text: JSON.stringify(own), version: '1.0' }).catch(() => {})
  }
}

/** What refers to others: a voided one, one voided before it comes, one that inherits. */
async function storeRelated(core: Core, principal: Principal, lrsId: LrsId): Promise<void> {
  const tell = async (statement: object): Promise<string> => {
    const whole = { actor: bob, verb: { id: 'urn:v' }, object: { id: 'urn:a' }, ...statement }
    const { ids } = await core.statements.store(principal, lrsId, { text: JSON.stringify(whole), version: '1.0' })
    return ids[0] ?? ''
  }
  const voids = (id: string) =>
    tell({ verb: { id: 'http://adlnet.gov/expapi/verbs/voided' }, object: { objectType: 'StatementRef', id } })
  const target = await tell({ object: { id: 'urn:target' }, context: { registration: crypto.randomUUID() } })
  await tell({ object: { objectType: 'StatementRef', id: target } })
  await voids(await tell({}))
  await voids(crypto.randomUUID())
}

function send(core: Core, principal: Principal, lrsId: LrsId, actor: object, texts: readonly string[]) {
  const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
  async function* parts() {
    for (const text of texts) yield { sha2: hashOf(text), bytes: () => once(text) }
  }
  const attachments: SentAttachments = { parts: parts(), each: limit, together: limit }
  const described = texts.map((text) => ({
    usageType: 'urn:u',
    display: { en: 'file' },
    contentType: 'text/plain',
    length: text.length,
    sha2: hashOf(text),
  }))
  const statement = { actor, verb: { id: 'urn:v' }, object: { id: 'urn:a' }, attachments: described }
  return core.statements.store(principal, lrsId, { text: JSON.stringify(statement), version: '1.0', attachments })
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function stateOf(agent: { readonly mbox: string }, id: string | undefined): DocumentTarget {
  const scope = { kind: 'state', activityId: 'urn:a', agent: `mbox ${agent.mbox}` } as const
  return { scope, id, since: undefined, about: {} }
}

function putState(
  core: Core,
  principal: Principal,
  lrsId: LrsId,
  { agent, id }: { readonly agent: { readonly mbox: string }; readonly id: string },
  text: string,
) {
  const content = { length: undefined, whole: () => Promise.reject(new Error('not JSON')), pieces: () => once(text) }
  return core.documents.store(principal, lrsId, stateOf(agent, id), {
    kind: 'replace',
    version: '1.0',
    contentType: 'text/plain',
    content,
    preconditions: () => ({}),
  })
}

/** An Lrs that is deleted, an organisation that ends one day. */
async function changeDirectory({ core, operator, clock }: OpenCore): Promise<void> {
  const second = await core.lrs.create(operator, { name: 'Second', description: 'Two\nlines', words: { face: 1 } })
  await core.lrs.remove(operator, second.id)
  await core.organisations.update(operator, { expiresAt: clock.now() + 1_000_000_000, words: { face: { a: 1 } } })
}

/** An erasure that was cut off, and an import. */
async function leaveOpen({ place, organisationId, lrsId, storage }: OpenCore): Promise<void> {
  await storage.imports.begin({ id: 'f'.repeat(24) as Oid, source: 'elsewhere', startedAt: 1, progress: { at: 1 } })
  await storage.imports.storeDocuments('f'.repeat(24) as Oid, lrsId, { documents: [], progress: { at: 2 } })
  await place.tamper(
    `insert into erasure (id, organisation_id, plan, counts, started_at) values ('${'e'.repeat(24)}', ${organisationId}, '{}', '{}', 1)`,
  )
  await place.tamper(
    `insert into disinheriting (lrs_id, target_id, owner, seq) select ${lrsId}, id, 0, seq from statement limit 2`,
  )
}

/** All that a store answers about what `fillStore` put there, as one value. */
export async function answersOf(storage: Storage, full: FullStore): Promise<unknown> {
  const limits = { batch: 1000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
  const clock = { now: () => Date.parse('2026-01-02T03:04:06.000Z') }
  const core = await createCore({ baseUrl, limits, storage, clock, masterKey: full.masterKey })
  const { lrsId } = full
  try {
    const principals = []
    for (const pair of full.keys) principals.push(await core.signIn.basic({ ...pair, within: undefined }))
    const [principal] = principals
    if (principal === undefined) throw new Error('there is no key')
    const lists = []
    for (const one of principals) {
      const home = one.lrsIds[0] ?? lrsId
      lists.push(await core.statements.list(one, home, { filters: [], isAscending: true, limit: 1000 }))
    }
    const verb = { kind: 'verb', value: 'urn:v', includeRelated: false } as const
    lists.push(await core.statements.list(principal, lrsId, { filters: [verb], isAscending: false, limit: 1000 }))
    const documents = []
    for (const id of ['short', 'long']) documents.push(await core.documents.get(principal, lrsId, stateOf(bob, id)))
    const directory = []
    for (const id of full.organisationIds) {
      const caller = core.signIn.operator(id, 'test')
      directory.push({
        credentials: await core.credentials.listRevealed(caller, {}, { offset: 0, limit: 100 }),
        lrs: await core.lrs.list(caller, { withDeleted: true }),
        organisation: await core.organisations.get(caller),
        audit: await core.audit.list(caller, { limit: 1000 }),
        verified: await core.audit.verify(caller, { isRecorded: false }),
        erasures: await core.erasures.list(caller),
        platforms: await core.platforms.list(caller, { offset: 0, limit: 100 }),
        contents: await core.contents.list(caller, { offset: 0, limit: 100 }),
        launches: await core.launches.list(caller, {}, { limit: 100 }),
      })
    }
    const count = await storage.statements.countStatements(lrsId)
    return {
      count,
      imports: await storage.imports.list(),
      lists: lists.map(({ statements }) => statements),
      documents,
      directory,
    }
  } finally {
    await core.close()
  }
}
