// Databases of both engines people have SQL LRS on, brought in whole.

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import { createLrsql } from '../../../test/support/lrsql.ts'
import type { LrsqlDatabase, LrsqlEngine } from '../../../test/support/lrsql.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import { lrsqlImporter } from './importer.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const idOf = (number: number): string => `10000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
const storedOf = (number: number): string => new Date(Date.UTC(2024, 4, 1) + number * 1000).toISOString()
const bytes = Buffer.from('what was said')
const sha2 = createHash('sha256').update(bytes).digest('hex')
const voiding = { id: 'http://adlnet.gov/expapi/verbs/voided' }

interface Filled {
  readonly database: LrsqlDatabase
  readonly ids: readonly string[]
}

type SecretOf = (key: string) => string

/** 700 plain ones of the first key, then what is special. */
async function fill(database: LrsqlDatabase, secretOf: SecretOf): Promise<Filled> {
  const ids = [
    await database.credential({ key: 'course', secret: secretOf('course'), scopes: ['all'], label: 'Courses' }),
    await database.credential({
      key: 'mine',
      secret: secretOf('mine'),
      scopes: ['statements/write', 'statements/read/mine'],
    }),
    await database.credential({ key: 'half', secret: secretOf('half'), scopes: ['activities_profile', 'all/read'] }),
  ]
  const by = (id: string) => ({ objectType: 'Agent', account: { homePage: 'http://example.org', name: id } })
  const statement = (number: number, changes: object = {}) => ({
    ...{ id: idOf(number), stored: storedOf(number), timestamp: storedOf(number), version: '1.0.0' },
    actor: { objectType: 'Agent', mbox: 'mailto:ann@example.org' },
    verb: { id: 'https://example.org/did' },
    object: { objectType: 'Activity', id: `https://example.org/${number % 7}` },
    authority: by(ids[0]!),
    ...changes,
  })
  for (let number = 1; number <= 700; number++) await database.statement(statement(number))
  const ref = (number: number) => ({ objectType: 'StatementRef', id: idOf(number) })
  await database.statement(statement(701, { authority: by(ids[1]!) }))
  await database.statement(statement(702), { isVoided: true })
  await database.statement(statement(703, { verb: voiding, object: ref(702) }))
  // Its target came later, so it had no effect there.
  await database.statement(statement(704, { verb: voiding, object: ref(705) }))
  await database.statement(statement(705))
  const attachments = [
    {
      usageType: 'https://example.org/file',
      display: { en: 'f' },
      contentType: 'text/plain',
      length: bytes.length,
      sha2,
    },
  ]
  await database.statement(statement(706, { attachments }))
  await database.attachment(idOf(706), sha2, bytes)
  await database.attachment(idOf(706), '../../elsewhere', bytes)
  await database.statement(statement(707, { attachments: [{ ...attachments[0], sha2: 'ab'.repeat(32) }] }))
  await database.attachment(idOf(707), 'ab'.repeat(32), bytes)
  await database.statement(statement(708, { authority: by('99999999-0000-4000-8000-000000000000') }))
  await database.statement(statement(709, { verb: { id: 'no iri' } }))
  await database.statement(statement(710, { stored: '2999-01-01T00:00:00.000Z' }))
  const content = {
    contents: Buffer.from('{"a":1}'),
    content_type: 'application/json',
    last_modified: '2024-05-01T10:00:00.123456Z',
  }
  const state = { state_id: 'place', activity_iri: 'https://example.org/1', ...content }
  await database.document('state_document', { ...state, agent_ifi: 'mbox::mailto:ann@example.org', registration: null })
  await database.document('state_document', {
    ...state,
    agent_ifi: 'account::ann@x@https://example.org',
    registration: idOf(1),
  })
  await database.document('state_document', { ...state, agent_ifi: 'account::b@urn:x@urn:y', registration: null })
  await database.actor('account::b@urn:x@urn:y', { account: { name: 'b@urn:x', homePage: 'urn:y' } })
  await database.document('state_document', { ...state, agent_ifi: 'nobody', registration: null })
  await database.document('agent_profile_document', {
    profile_id: 'p',
    agent_ifi: 'openid::https://example.org/ann',
    ...content,
  })
  const long = { ...content, contents: Buffer.alloc(100_000, 'x'), content_type: 'text/plain' }
  await database.document('activity_profile_document', {
    profile_id: 'p',
    activity_iri: 'https://example.org/1',
    ...long,
  })
  return { database, ids }
}

const expected = {
  clients: { read: 3, stored: 3, there: 0, rejected: 0, checked: 0 },
  statements: { read: 710, stored: 708, there: 0, rejected: 2, checked: 0 },
  documents: { read: 6, stored: 5, there: 0, rejected: 1, checked: 0 },
  attachments: { read: 2, stored: 1, there: 0, rejected: 1, checked: 0 },
}

// What it is read from and what it goes into have nothing to do with each other.
const engines: readonly LrsqlEngine[] = inject('engine') === 'postgres' ? ['postgres'] : ['sqlite', 'postgres']

describe.each(engines)('a database on %s', (engine) => {
  // A key with a secret belongs to one organisation.
  const secretOf: SecretOf = (key) => `${key} on ${engine}`
  let filled: Filled
  let to: { readonly organisationId: OrganisationId; readonly lrsId: LrsId; readonly operator: Caller }
  beforeAll(async () => {
    filled = await fill(await createLrsql(engine), secretOf)
    to = await world.addOrganisation(engine)
  })
  afterAll(() => filled.database.drop())
  const into = () => ({ organisationId: to.organisationId, lrsId: to.lrsId })
  const importer = () => lrsqlImporter({ place: filled.database.place, directory: '/', to: into() })
  const reader = () => world.signIn({ key: 'course', secret: secretOf('course') }, to.organisationId)

  it('is read and checked without anything being stored', async () => {
    const before = await world.events(to.organisationId)
    const { report, rejected } = await runOn(world.core, importer(), { isDryRun: true })
    expect(report).toMatchObject({ isDryRun: true, isFinished: true })
    expect(report.kinds.statements).toMatchObject({ read: 710, checked: 708, rejected: 2, stored: 0 })
    expect(report.kinds.clients).toMatchObject({ checked: 3, stored: 0 })
    expect(report.kinds.documents).toMatchObject({ checked: 5, rejected: 1 })
    expect(rejected.map(({ kind }) => kind).toSorted()).toEqual(['documents', 'statements', 'statements'])
    expect(await world.events(to.organisationId)).toEqual(before)
    expect((await world.core.credentials.list(to.operator, {}, { offset: 0, limit: 9 })).total).toBe(0)
  })

  it('is brought in whole, though it is stopped twice; every number of the report is right', async () => {
    for (const title of ['statements', 'documents of state_document']) {
      const stop = new AbortController()
      const onStage = (stage: { readonly title: string }) => void (stage.title === title && stop.abort())
      const { report } = await runOn(world.core, importer(), { signal: stop.signal, onStage })
      expect(report.isFinished).toBe(false)
    }
    const { report, rejected } = await runOn(world.core, importer())
    expect(report).toMatchObject({ isFinished: true, isResumed: true, kinds: expected })
    expect(report.lrs).toMatchObject([{ organisationId: to.organisationId, lrsId: to.lrsId, statements: 708 }])
    expect(rejected.map(({ kind }) => kind)).toContain('documents')
    expect(report.warnings).toEqual([
      expect.stringMatching(/^The scope activities_profile alone is left out.*: key half$/),
    ])
  })

  it('keeps stored times, authorities and what is voided', async () => {
    const principal = await reader()
    const get = (number: number, isVoided = false) =>
      world.core.statements.get(principal, to.lrsId, idOf(number), { isVoided, withAttachments: true })
    const idAt = async (number: number, isVoided = false) => JSON.parse((await get(number, isVoided)).statement.body).id
    const { statement } = await get(1)
    expect(JSON.parse(statement.body)).toMatchObject({
      stored: storedOf(1),
      authority: { account: { homePage: 'http://example.org', name: filled.ids[0] } },
    })
    await expect(get(702)).rejects.toThrow()
    expect(await idAt(702, true)).toBe(idOf(702))
    for (const number of [703, 704, 705]) expect(await idAt(number)).toBe(idOf(number))
    expect((await get(706)).statement.attachments).toEqual([{ sha2, contentType: 'text/plain' }])
    expect((await get(707)).statement.attachments ?? []).toEqual([])
  })

  it('gives every key its secret, its scopes and its own statements back', async () => {
    const mine = await world.signIn({ key: 'mine', secret: secretOf('mine') }, to.organisationId)
    const query = { filters: [], isAscending: true, limit: 100 } as unknown as Parameters<
      typeof world.core.statements.list
    >[2]
    const { statements } = await world.core.statements.list(mine, to.lrsId, query)
    expect(statements.map(({ body }) => JSON.parse(body).id)).toEqual([idOf(701)])
    expect(mine).toMatchObject({ name: 'Key mine', authority: { account: { name: filled.ids[1] } } })
    const half = await world.signIn({ key: 'half', secret: secretOf('half') }, to.organisationId)
    expect(half.rights.xapi).toMatchObject({ 'profile/read': 'any' })
    expect(half.rights.xapi).not.toHaveProperty('profile/write')
    const { items } = await world.core.credentials.list(to.operator, {}, { offset: 0, limit: 9 })
    const gone = items.filter(({ name }) => name.startsWith('Deleted client '))
    expect(gone).toMatchObject([{ isEnabled: false, secrets: [] }])
  })

  it('finds its documents again, with their times', async () => {
    const principal = await reader()
    const agent = { objectType: 'Agent', account: { name: 'b@urn:x', homePage: 'urn:y' } }
    const { prepareDocument } = world.core.imports
    const key = prepareDocument.call(world.core.imports, {
      ...{ kind: 'state', activityId: 'https://example.org/1', agent, id: 'place', owner: principal.credentialId },
      ...{ contentType: 'text/plain', content: { kind: 'inline', bytes: new Uint8Array() }, updatedAt: 1 },
    } as const).key
    const access = { owner: principal.credentialId, reach: 'any' } as const
    const found = await world.storage.documents.find(to.lrsId, key, access)
    expect(found).toMatchObject({
      contentType: 'application/json',
      updatedAt: Date.parse('2024-05-01T10:00:00.123Z') * 1000 + 456,
    })
    const profile = { kind: 'activity-profile', activityId: 'https://example.org/1', id: 'p' } as const
    expect(await world.storage.documents.find(to.lrsId, profile, access)).toMatchObject({
      content: { kind: 'blob', length: 100_000 },
    })
  })

  it('finds everything there the second time', async () => {
    const { report } = await runOn(world.core, importer())
    expect(report.kinds.clients).toMatchObject({ there: 3, stored: 0 })
    expect(report.kinds.statements).toMatchObject({ there: 708, stored: 0, rejected: 2 })
    expect(report.kinds.documents).toMatchObject({ there: 5, stored: 0, rejected: 1 })
    expect(report.lrs).toMatchObject([{ statements: 708 }])
  })

  it('is told from another database, and from none', async () => {
    await expect(lrsqlImporter({ place: 'no-such-file.db', directory: '/tmp', to })).rejects.toThrow(/There is no file/)
    await expect(lrsqlImporter({ place: import.meta.filename, directory: '/', to })).rejects.toThrow(/cannot be read/)
    const nowhere = lrsqlImporter({ place: 'postgres://a:hidden@127.0.0.1:1/x', directory: '/', to })
    await expect(nowhere).rejects.toThrow(/^(?!.*hidden).*cannot be read/)
  })
})
